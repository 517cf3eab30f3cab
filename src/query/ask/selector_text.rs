//! Label selectors as kubectl's `-l` has them. Cost: linear in the text.

use crate::model::{Requirement, Selector};
use crate::query::ask::parse_error::{ParseError, error};

/// Parses a label selector as kubectl's `-l` does: `app=web,tier in (api,worker),!legacy`.
///
/// # Errors
/// When the text is not a selector.
pub fn parse_selector(text: &str) -> Result<Selector, ParseError> {
    let parts = split_outside_parentheses(text);
    parts
        .into_iter()
        .map(str::trim)
        .filter(|p| !p.is_empty())
        .map(parse_requirement)
        .collect::<Result<Vec<_>, _>>()
        .map(Selector::new)
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_i32);
    for (i, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text.get(start..i).unwrap_or_default());
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

fn parse_requirement(text: &str) -> Result<Requirement, ParseError> {
    let single = |v: &str| vec![Box::from(v.trim())];
    if let Some((k, v)) = text.split_once("!=") {
        return Ok(Requirement::NotIn(label_key(k)?, single(v)));
    }
    if let Some((k, v)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return Ok(Requirement::In(label_key(k)?, single(v)));
    }
    if let Some(k) = text.strip_prefix('!') {
        return Ok(Requirement::DoesNotExist(label_key(k)?));
    }
    let list = |v: &str| v.split(',').map(|s| Box::from(s.trim())).collect();
    let inside = text
        .split_once('(')
        .and_then(|(head, rest)| Some((head.trim(), rest.trim().strip_suffix(')')?)));
    match inside.and_then(|(head, values)| Some((head.rsplit_once(char::is_whitespace)?, values))) {
        Some(((k, "in"), values)) => Ok(Requirement::In(label_key(k)?, list(values))),
        Some(((k, "notin"), values)) => Ok(Requirement::NotIn(label_key(k)?, list(values))),
        _ => Ok(Requirement::Exists(label_key(text)?)),
    }
}

fn label_key(text: &str) -> Result<Box<str>, ParseError> {
    let key = text.trim();
    let is_valid = !key.is_empty()
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/'));
    if is_valid {
        Ok(key.into())
    } else {
        error(
            format!("`{key}` is not a label key"),
            "write for example app=web or tier in (api,worker)",
        )
    }
}
