//! The expressions of a row of the table of kinds: what a row takes from the object it is about.
//!
//! `name`, `ns` and `key` are words of the object and of the element that a row repeats itself
//! for; `spec.a.b`, `metadata.a[b/c]` and `item.a` are paths; anything else is a literal.
//! `a|b` is the first that is told, `a:lower` the same in small letters, `a:port` the number behind
//! its last colon, and `a?word` whether a list has a word. In a text each `{...}` is one
//! expression. A condition is a list of parts that all hold, joined by ` & `: `path`, `!path`,
//! `+path` where the key alone counts, `path=word`, `path!=word`, `path>=version`.
//!
//! Invariant: what cannot be told is `None`, never an empty text.

use crate::tree::{SyntaxNode, Value};
use std::borrow::Cow;

/// What expressions look at.
#[derive(Debug, Clone, Copy)]
pub struct ExpressionScope<'a> {
    /// The object that a row is about.
    pub object: &'a SyntaxNode,
    /// Its name; none where the cluster makes it up.
    pub name: Option<&'a str>,
    /// Its namespace.
    pub namespace: &'a str,
    /// The element that the row repeats itself for.
    pub item: Option<&'a SyntaxNode>,
    /// The key of that element, in a mapping.
    pub key: Option<&'a str>,
}

impl<'a> ExpressionScope<'a> {
    /// The value of a path; `None` where it is absent or null.
    pub fn node(&self, path: &str) -> Option<&'a SyntaxNode> {
        let mut steps = PathSteps(path);
        let node = match steps.next()? {
            "item" => self.item,
            first @ ("spec" | "metadata") => self.object.get(first),
            _ => None,
        };
        let found = steps.try_fold(node?, |node, step| node.get(step));
        found.filter(|node| !node.is_null())
    }

    /// The first of these paths that is there.
    pub fn first_node(&self, paths: &str) -> Option<&'a SyntaxNode> {
        paths.split('|').find_map(|path| self.node(path))
    }

    /// What an expression says, as a text.
    pub fn text(&self, expression: &str) -> Option<Cow<'a, str>> {
        let found = expression
            .split('|')
            .find_map(|one| self.alternative(one))?;
        Some(found)
    }

    fn alternative(&self, expression: &str) -> Option<Cow<'a, str>> {
        if let Some((inner, change)) = expression.rsplit_once(':') {
            let text = self.alternative(inner)?;
            return changed(&text, change).map(Into::into);
        }
        if let Some((path, word)) = expression.split_once('?') {
            let items = self.node(path)?.items();
            let has = items.iter().any(|item| item.as_str() == Some(word));
            return Some(has.to_string().into());
        }
        match expression {
            "name" => self.name.map(Cow::Borrowed),
            "ns" => Some(Cow::Borrowed(self.namespace)),
            "key" => self.key.map(Cow::Borrowed),
            "item" => self.item.and_then(scalar),
            path if is_path(path) => self.node(path).and_then(scalar),
            literal => Some(literal.to_owned().into()),
        }
    }

    /// A text with its expressions filled in; `None` where one of them is not told.
    pub fn filled(&self, text: &str) -> Option<String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (expression, behind) = after.split_once('}')?;
            filled.push_str(before);
            filled.push_str(&self.text(expression)?);
            rest = behind;
        }
        filled.push_str(rest);
        Some(filled)
    }

    /// A whole number: `spec.replicas|1 x spec.shards|1`.
    pub fn number(&self, expression: &str) -> Option<i64> {
        let factors = expression.split(" x ").map(|factor| {
            let text = self.text(factor)?;
            text.parse::<i64>().ok()
        });
        factors
            .into_iter()
            .try_fold(1_i64, |all, factor| all.checked_mul(factor?))
    }

    /// Whether a condition holds.
    pub fn holds(&self, condition: &str) -> bool {
        condition.split(" & ").all(|part| self.part_holds(part))
    }

    fn part_holds(&self, part: &str) -> bool {
        if let Some(path) = part.strip_prefix('+') {
            return self.has(path);
        }
        if let Some(path) = part.strip_prefix('!') {
            return !self.is_on(path);
        }
        if let Some((path, version)) = part.split_once(">=") {
            return self
                .text(path)
                .is_some_and(|text| is_at_least(&text, version));
        }
        if let Some((path, word)) = part.split_once("!=") {
            return self.text(path).as_deref() != Some(word);
        }
        if let Some((path, words)) = part.split_once('=') {
            let text = self.text(path);
            return text.is_some_and(|text| words.split(',').any(|word| word == text));
        }
        self.is_on(part)
    }

    /// Whether a key is there, whatever stands behind it.
    fn has(&self, path: &str) -> bool {
        let (parent, key) = path.rsplit_once('.').unwrap_or((path, ""));
        self.node(parent)
            .is_some_and(|node| node.get(key).is_some())
    }

    /// Whether something is there and says yes.
    fn is_on(&self, path: &str) -> bool {
        match self.first_node(path).map(|node| &node.value) {
            None | Some(Value::Null | Value::Bool(false) | Value::Int(0)) => false,
            Some(Value::Sequence(items)) => !items.is_empty(),
            Some(_) => true,
        }
    }
}

/// Whether a version is another one or a later one, by the numbers between their dots.
fn is_at_least(version: &str, than: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        let parts = text.trim_start_matches('v').split(['.', '-']);
        parts.map_while(|part| part.parse().ok()).collect()
    };
    numbers(version) >= numbers(than)
}

/// A text in another form; `None` where it has none: small letters, the port at its end, and a port
/// that needs no privilege.
fn changed(text: &str, change: &str) -> Option<String> {
    match change {
        "lower" => Some(text.to_lowercase()),
        "port" => {
            let (_, port) = text.rsplit_once(':')?;
            port.parse::<u16>().ok().map(|port| port.to_string())
        }
        "unprivileged" => {
            let port = text.parse::<u16>().ok()?;
            let shift = if port < 1024 { 10_000 } else { 0 };
            Some((port + shift).to_string())
        }
        _ => None,
    }
}

/// Whether an expression is a path and no literal.
fn is_path(text: &str) -> bool {
    ["spec.", "metadata.", "item."]
        .iter()
        .any(|start| text.starts_with(start))
}

/// A value as a text, if it is a single one.
pub fn scalar(node: &SyntaxNode) -> Option<Cow<'_, str>> {
    match &node.value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Int(number) => Some(number.to_string().into()),
        Value::Bool(truth) => Some(truth.to_string().into()),
        Value::Float(number) => Some(number.to_string().into()),
        _ => node.as_str().map(Cow::Borrowed),
    }
}

/// The steps of a path: words between dots, and keys with dots in brackets.
struct PathSteps<'p>(&'p str);

impl<'p> Iterator for PathSteps<'p> {
    type Item = &'p str;

    fn next(&mut self) -> Option<&'p str> {
        let rest = self.0.strip_prefix('.').unwrap_or(self.0);
        if rest.is_empty() {
            return None;
        }
        if let Some((key, behind)) = rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
            self.0 = behind;
            return Some(key);
        }
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (step, behind) = rest.split_at(end);
        self.0 = behind;
        Some(step)
    }
}
