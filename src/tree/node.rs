//! [`SyntaxNode`]: a value of a text, and the span it has there.
//!
//! Invariants: a mapping's keys are unique; depth is at most [`MAX_DEPTH`], so dropping a tree
//! cannot overflow the stack. Cost: one allocation per node.

use crate::source::{Path, Span, Step};

/// How deep a document may nest. kubectl's own limit is 10,000; no object of the API comes near
/// 100.
pub const MAX_DEPTH: usize = 100;

/// How many nodes a document may have after its aliases are written out.
pub const MAX_NODES: usize = 2_000_000;

/// Mappings of more keys than this find a key given twice by a table.
pub(super) const FEW_KEYS: usize = 24;

/// A value.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)] // the names say it
pub enum Value {
    Null,
    Bool(bool),
    /// `y`, `Y`, `n` or `N`, unquoted: kubectl reads a boolean, most other readers and every author
    /// mean the letter. It counts as the letter where a string is wanted, with a warning, and as
    /// the boolean anywhere else.
    Letter(char),
    Int(i64),
    /// Only numbers beyond `i64`.
    UInt(u64),
    Float(f64),
    String(Box<str>),
    Sequence(Vec<SyntaxNode>),
    Mapping(Vec<Entry>),
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct SyntaxNode {
    /// Where.
    pub span: Span,
    /// What.
    pub value: Value,
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: Box<str>,
    /// The place of the key.
    pub key_span: Span,
    /// The value.
    pub value: SyntaxNode,
}

impl SyntaxNode {
    /// The value under a key, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|e| &e.value)
    }

    /// The entry of a key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|e| *e.key == *key)
    }

    /// The value at a path.
    pub fn at(&self, path: &Path) -> Option<&Self> {
        path.0.iter().try_fold(self, |node, step| node.step(step))
    }

    fn step(&self, step: &Step) -> Option<&Self> {
        match step {
            Step::Key(key) => self.get(key),
            Step::Index(index) => self.items().get(*index as usize),
        }
    }

    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(s) => Some(s),
            Value::Letter(c) => Some(letter(*c)),
            _ => None,
        }
    }

    /// The truth value, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(b) => Some(b),
            Value::Letter(c) => Some(matches!(c, 'y' | 'Y')),
            _ => None,
        }
    }

    /// The whole number, if this is one (also when written with a fraction of zero, as JSON
    /// allows).
    pub fn as_i64(&self) -> Option<i64> {
        match self.value {
            Value::Int(n) => Some(n),
            #[allow(clippy::cast_possible_truncation)] // checked to be whole and in range
            Value::Float(f) if f.fract() == 0.0 && f.abs() < 9e15 => Some(f as i64),
            _ => None,
        }
    }

    /// The items; none unless this is a sequence.
    pub fn items(&self) -> &[Self] {
        if let Value::Sequence(items) = &self.value {
            items
        } else {
            &[]
        }
    }

    /// The entries; none unless this is a mapping.
    pub fn entries(&self) -> &[Entry] {
        if let Value::Mapping(entries) = &self.value {
            entries
        } else {
            &[]
        }
    }

    /// Counts its bytes from another place of the text, which must not lie behind it.
    pub fn place_from(&mut self, start: usize) {
        shift_node(self, &|span| {
            span.start = span.start.saturating_sub(start);
            span.end = span.end.saturating_sub(start);
        });
    }

    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        self.value == Value::Null
    }

    /// The kind of value, for messages.
    pub fn kind_name(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) | Value::Letter(_) => "a boolean",
            Value::Int(_) | Value::UInt(_) | Value::Float(_) => "a number",
            Value::String(_) => "a string",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }

    /// The same value as JSON, as kubectl makes it where no type is known: there an unquoted `y` is
    /// a boolean.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(_) | Value::Letter(_) => Json::from(self.as_bool()),
            Value::Int(n) => Json::from(*n),
            Value::UInt(n) => Json::from(*n),
            Value::Float(f) => Json::from(*f),
            Value::String(s) => Json::from(&**s),
            Value::Sequence(items) => items.iter().map(Self::to_json).collect(),
            Value::Mapping(entries) => entries
                .iter()
                .map(|e| (e.key.to_string(), e.value.to_json()))
                .collect(),
        }
    }
}

/// The letter as text.
fn letter(c: char) -> &'static str {
    match c {
        'y' => "y",
        'Y' => "Y",
        'n' => "n",
        _ => "N",
    }
}

/// Applies a change to every span of a tree.
pub(super) fn shift_node(node: &mut SyntaxNode, span: &impl Fn(&mut Span)) {
    span(&mut node.span);
    match &mut node.value {
        Value::Sequence(items) => items.iter_mut().for_each(|i| shift_node(i, span)),
        Value::Mapping(entries) => entries.iter_mut().for_each(|e| {
            span(&mut e.key_span);
            shift_node(&mut e.value, span);
        }),
        _ => {}
    }
}
