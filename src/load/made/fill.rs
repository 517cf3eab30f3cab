//! Trees with expressions in them -> plain trees: how a row writes the objects that are made.
//!
//! Every text is filled in ([`ExpressionScope::filled`]); what is not told is left out with its
//! key. Some keys of a mapping mean something of their own: `$when` leaves it out unless a
//! condition holds, `$each` writes it once for each element of a list, `$items` stands for the
//! elements of a list, and `$value` for the value of a path. A text that is one expression alone
//! keeps the type of its value. Every node gets the place of the object that the row is about,
//! because it stands nowhere else.

use crate::load::made::expression::ExpressionScope;
use crate::source::Span;
use crate::tree::{Entry, SyntaxNode, Value};

/// A tree filled in; `None` where it is left out.
pub fn fill(node: &SyntaxNode, scope: ExpressionScope<'_>) -> Option<SyntaxNode> {
    let value = match &node.value {
        Value::String(text) => return filled_text(text, scope),
        Value::Sequence(items) => {
            let filled = items.iter().flat_map(|item| fill_item(item, scope));
            Value::Sequence(filled.collect())
        }
        Value::Mapping(entries) => {
            if let Some(path) = text_of(node, "$value") {
                return scope.first_node(path).cloned();
            }
            if text_of(node, "$when").is_some_and(|when| !scope.holds(when)) {
                return None;
            }
            let plain = entries.iter().filter(|entry| !entry.key.starts_with('$'));
            let filled = plain.filter_map(|entry| filled_entry(entry, scope));
            Value::Mapping(filled.collect())
        }
        other => other.clone(),
    };
    Some(SyntaxNode {
        span: scope.object.span,
        value,
    })
}

fn filled_entry(entry: &Entry, scope: ExpressionScope<'_>) -> Option<Entry> {
    let value = fill(&entry.value, scope)?;
    let key = scope.filled(&entry.key)?;
    Some(self::entry(&key, value, scope.object.span))
}

/// An item of a list: once, or for each element of another list.
fn fill_item(item: &SyntaxNode, scope: ExpressionScope<'_>) -> Vec<SyntaxNode> {
    let Some(path) = text_of(item, "$each") else {
        if let Some(path) = text_of(item, "$items") {
            let items = scope.first_node(path).map(SyntaxNode::items);
            return items.unwrap_or_default().to_vec();
        }
        return fill(item, scope).into_iter().collect();
    };
    let elements = scope.first_node(path).map(SyntaxNode::items);
    let elements = elements.unwrap_or_default().iter();
    let of_each = elements.filter_map(|element| {
        let scope = ExpressionScope {
            item: Some(element),
            ..scope
        };
        fill(item, scope)
    });
    of_each.collect()
}

fn filled_text(text: &str, scope: ExpressionScope<'_>) -> Option<SyntaxNode> {
    let whole = text.strip_prefix('{').and_then(|t| t.strip_suffix('}'));
    let value = match whole.filter(|inner| !inner.contains(['{', '}'])) {
        Some(expression) => {
            let text = scope.text(expression)?;
            let number = text.parse::<i64>().ok();
            match number {
                Some(number) if is_number(expression, scope) => Value::Int(number),
                _ => Value::String(text.into()),
            }
        }
        None => Value::String(scope.filled(text)?.into()),
    };
    Some(SyntaxNode {
        span: scope.object.span,
        value,
    })
}

/// Whether the first alternative that is told is a number, or a literal that is one.
fn is_number(expression: &str, scope: ExpressionScope<'_>) -> bool {
    let told = expression.split('|').find(|one| scope.text(one).is_some());
    if told.is_some_and(|one| one.ends_with(":port")) {
        return true;
    }
    told.is_some_and(
        |one| match scope.node(one).or(scope.item.filter(|_| one == "item")) {
            Some(node) => node.as_i64().is_some(),
            None => one.parse::<i64>().is_ok(),
        },
    )
}

/// A text of a mapping.
pub fn text_of<'n>(node: &'n SyntaxNode, key: &str) -> Option<&'n str> {
    node.get(key).and_then(SyntaxNode::as_str)
}

/// A text as a tree.
pub fn text(text: &str, span: Span) -> SyntaxNode {
    SyntaxNode {
        span,
        value: Value::String(text.into()),
    }
}

/// An entry of a mapping.
pub fn entry(key: &str, value: SyntaxNode, span: Span) -> Entry {
    Entry {
        key: key.into(),
        key_span: span,
        value,
    }
}

/// A mapping.
pub fn mapping<'k>(
    entries: impl IntoIterator<Item = (&'k str, SyntaxNode)>,
    span: Span,
) -> SyntaxNode {
    let entries = entries.into_iter();
    SyntaxNode {
        span,
        value: Value::Mapping(
            entries
                .map(|(key, value)| entry(key, value, span))
                .collect(),
        ),
    }
}

/// An object of the API.
pub fn object(
    (version, kind): (&str, &str),
    (namespace, name): (Option<&str>, &str),
    rest: impl IntoIterator<Item = (&'static str, SyntaxNode)>,
    span: Span,
) -> SyntaxNode {
    let named = [("name", Some(name)), ("namespace", namespace)];
    let named = named
        .into_iter()
        .filter_map(|(key, value)| Some((key, text(value?, span))));
    let head = [
        ("apiVersion", text(version, span)),
        ("kind", text(kind, span)),
        ("metadata", mapping(named, span)),
    ];
    mapping(head.into_iter().chain(rest), span)
}
