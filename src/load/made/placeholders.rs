//! Objects with texts in the place of placeholders, as templates of every kind have them.

use crate::load::made::fill::text_of;
use crate::tree::{SyntaxNode, Value};

/// Whether keys are texts that may have placeholders, or values alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// They stay as they are.
    Kept,
    /// They are filled in as values are.
    Filled,
}

/// A tree with its texts filled in, where the function has another text for them.
pub fn filled_in(
    node: &SyntaxNode,
    keys: Keys,
    text: &impl Fn(&str) -> Option<String>,
) -> SyntaxNode {
    let mut filled = node.clone();
    fill(&mut filled, keys, text);
    filled
}

fn fill(node: &mut SyntaxNode, keys: Keys, text: &impl Fn(&str) -> Option<String>) {
    let replace = |place: &mut Box<str>| {
        if let Some(known) = text(place) {
            *place = known.into();
        }
    };
    match &mut node.value {
        Value::String(value) => replace(value),
        Value::Sequence(items) => items.iter_mut().for_each(|item| fill(item, keys, text)),
        Value::Mapping(entries) => {
            for entry in entries {
                if keys == Keys::Filled {
                    replace(&mut entry.key);
                }
                fill(&mut entry.value, keys, text);
            }
        }
        _ => {}
    }
}

/// A text with the values that the parameters of an object have: `${NAME}`.
pub fn with_parameters(mut text: String, of: &SyntaxNode) -> String {
    let told = of.get("parameters").map(SyntaxNode::items);
    for parameter in told.unwrap_or_default() {
        let word = |key: &str| text_of(parameter, key);
        if let (Some(name), Some(value)) = (word("name"), word("value")) {
            text = text.replace(&format!("${{{name}}}"), value);
        }
    }
    text
}
