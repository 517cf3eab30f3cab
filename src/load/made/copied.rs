//! Labels of an object of which its operator copies only some, and labels that some pods of a role
//! get over those that they have.

use crate::load::made::expression::{ExpressionScope, scalar};
use crate::load::made::fill::text_of;
use crate::load::made::generated::is_like;
use crate::model::Truth;
use crate::model::open_labels::{at_run_time, is_open, perhaps};
use crate::tree::SyntaxNode;
use std::collections::BTreeMap;

/// The labels that the parts of a row copy which say which ones: those that a text names between
/// commas (`named`), or those whose keys an expression of a list finds (`matching`), where no list
/// finds all.
pub fn some(role: &SyntaxNode, scope: ExpressionScope<'_>) -> Vec<(Box<str>, String)> {
    let parts = role.get("copied-some").map(SyntaxNode::items);
    let parts = parts.unwrap_or_default().iter();
    parts.flat_map(|part| some_of(part, scope)).collect()
}

fn some_of(part: &SyntaxNode, scope: ExpressionScope<'_>) -> Vec<(Box<str>, String)> {
    let labels = text_of(part, "labels").and_then(|path| scope.first_node(path));
    let labels = labels.map(SyntaxNode::entries).unwrap_or_default();
    let named = text_of(part, "named").map(|path| scope.text(path).unwrap_or_default());
    let patterns = text_of(part, "matching").and_then(|path| scope.first_node(path));
    let patterns = patterns.map(SyntaxNode::items).unwrap_or_default();
    let is_copied = |key: &str| match &named {
        Some(names) => is_named(names, key),
        None => is_found(patterns, key),
    };
    let copied = labels.iter().filter_map(|entry| {
        let value = scalar(&entry.value).unwrap_or_default().into_owned();
        match is_copied(&entry.key) {
            Truth::Yes => Some((entry.key.clone(), value)),
            Truth::Maybe => Some((entry.key.clone(), perhaps(&value))),
            Truth::No => None,
        }
    });
    copied.collect()
}

/// Whether a list with commas names a key.
fn is_named(names: &str, key: &str) -> Truth {
    let mut names = names.split(',').map(str::trim);
    Truth::from(names.any(|name| name == "*" || name == key))
}

/// Whether an expression of a list finds a key; an empty list finds all.
fn is_found(patterns: &[SyntaxNode], key: &str) -> Truth {
    if patterns.is_empty() {
        return Truth::Yes;
    }
    let found = patterns.iter().map(|pattern| finds(pattern.as_str(), key));
    found.fold(Truth::No, Truth::or)
}

/// Whether a regular expression finds something in a key; not known where it is more than letters,
/// dots, `.*` and anchors.
fn finds(expression: Option<&str>, key: &str) -> Truth {
    let Some(expression) = expression else {
        return Truth::Maybe;
    };
    let (start, rest) = match expression.strip_prefix('^') {
        Some(rest) => ("", rest),
        None => ("*", expression),
    };
    let (rest, end) = match rest.strip_suffix('$') {
        Some(rest) => (rest, ""),
        None => (rest, "*"),
    };
    let plain = rest.replace(".*", "*").replace('.', "?");
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_/?".contains(c);
    let is_told = plain.replace('*', "").chars().all(is_plain)
        && rest.matches('*').count() == rest.matches(".*").count()
        && !rest.contains('?');
    if is_told {
        Truth::from(is_like(key, &format!("{start}{plain}{end}")))
    } else {
        Truth::Maybe
    }
}

/// Lays labels over those of a role that only some of its pods have, and only at times: a label
/// has its own value or one of the others.
pub fn lay_over(
    role: &SyntaxNode,
    scope: ExpressionScope<'_>,
    labels: &mut BTreeMap<Box<str>, String>,
) {
    let paths = role.get("laid-over").map(SyntaxNode::items);
    let paths = paths.unwrap_or_default().iter();
    let nodes = paths.filter_map(|path| scope.first_node(path.as_str()?));
    let mut values: BTreeMap<Box<str>, Vec<String>> = BTreeMap::new();
    for entry in nodes.flat_map(SyntaxNode::entries) {
        let value = scalar(&entry.value).unwrap_or_default().into_owned();
        values.entry(entry.key.clone()).or_default().push(value);
    }
    for (key, mut values) in values {
        let laid = match labels.get(&key) {
            Some(own) if is_open(own) => at_run_time(""),
            Some(own) => {
                values.push(own.clone());
                at_run_time(&one_of(values))
            }
            None => perhaps(&one_of(values)),
        };
        labels.insert(key, laid);
    }
}

/// Values as alternatives; an empty text, which is any value, where one of them is empty.
fn one_of(mut values: Vec<String>) -> String {
    values.sort();
    values.dedup();
    if values.iter().any(String::is_empty) {
        return String::new();
    }
    values.join("|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_finds_keys_where_it_is_plain() {
        for (expression, key, found) in [
            ("^env$", "env", Truth::Yes),
            ("^env$", "env2", Truth::No),
            ("env", "my-env2", Truth::Yes),
            ("^team.*", "team/a", Truth::Yes),
            ("^a.b/", "a.b/c", Truth::Yes),
            ("^(a|b)$", "a", Truth::Maybe),
            ("^ab?$", "a", Truth::Maybe),
        ] {
            assert_eq!(finds(Some(expression), key), found, "{expression} {key}");
        }
    }
}
