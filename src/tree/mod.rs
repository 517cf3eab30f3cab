//! Text -> a tree with positions, read exactly as kubectl reads it.
//!
//! kubectl splits a file textually at lines that start with `---`, reads each chunk as YAML 1.1
//! into JSON, and decodes that; a text that starts with `{` goes to its JSON reader. [`mod@split`],
//! [`yaml`], [`scalar`] and [`json`] do the same and keep the place of every key and value;
//! [`mod@decode`] turns a tree into typed values strictly; [`locate`] finds a symbolic path again.
//!
//! Invariants: a mapping's keys are unique (of a key given twice the last value stays, with a
//! warning); depth is at most [`MAX_DEPTH`], so dropping a tree cannot overflow the stack. Cost:
//! O(text) and one allocation per node. Road not taken: serde straight from YAML. It loses
//! positions inside enums, and reads YAML 1.2 where kubectl reads 1.1.

pub mod decode;
pub mod json;
pub mod list;
pub mod locate;
pub mod scalar;
pub mod split;
pub mod yaml;

pub use crate::tree::decode::decode;
pub use crate::tree::locate::Locator;
pub use crate::tree::split::{Chunk, Sniffed, sniff, split};

use crate::source::{Path, Position, Span, Step};

/// How deep a document may nest. kubectl's own limit is 10,000; no object of the API comes near
/// 100.
pub const MAX_DEPTH: usize = 100;

/// How many nodes a document may have after its aliases are written out.
pub const MAX_NODES: usize = 2_000_000;

/// Mappings of more keys than this find a key given twice by a table.
const FEW_KEYS: usize = 24;

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
    Sequence(Vec<Node>),
    Mapping(Vec<Entry>),
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
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
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
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

/// What kind of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names say it
pub enum ProblemKind {
    Syntax,
    UnrenderedTemplate,
    DuplicateKey,
    UnknownField,
    WrongType,
    Limit,
    /// An unquoted `y` or `n` where a string is wanted.
    Letter,
    /// Content that kubectl drops silently.
    Lost,
}

/// Something wrong with a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// What kind.
    pub kind: ProblemKind,
    /// Where.
    pub span: Span,
    /// The path inside the object, where it is known.
    pub path: Option<Path>,
    /// What: lower case, no final period, input in backticks.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Other places that belong to it, each with a word.
    pub related: Vec<(Span, String)>,
}

impl Problem {
    /// A problem without path, help or related places.
    pub fn new(kind: ProblemKind, span: Span, message: impl Into<String>) -> Self {
        Self {
            kind,
            span,
            path: None,
            message: message.into(),
            help: None,
            related: Vec::new(),
        }
    }

    /// The same with a word of help.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Whether it makes the document unusable.
    pub fn is_error(&self) -> bool {
        !matches!(
            self.kind,
            ProblemKind::DuplicateKey | ProblemKind::Lost | ProblemKind::Letter
        )
    }
}

/// What a chunk of text gave.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The tree; `None` if the text could not be read.
    pub root: Option<Node>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// Reads one chunk of a file. Spans are relative to the file.
pub fn parse(text: &str, chunk: &Chunk) -> Parsed {
    text.get(chunk.start..chunk.end)
        .map(|part| parse_part(part, chunk))
        .unwrap_or_default()
}

/// Reads one chunk of a file, given alone. Spans are relative to the file.
pub fn parse_part(part: &str, chunk: &Chunk) -> Parsed {
    let parsed = if part
        .trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with('{')
        && !split::is_template_start(part)
    {
        json::parse(part)
    } else {
        yaml::parse(part)
    };
    shift(parsed, chunk)
}

/// Moves spans from the chunk's coordinates to the file's.
fn shift(mut parsed: Parsed, chunk: &Chunk) -> Parsed {
    let (lines, columns) = (chunk.line - 1, chunk.column - 1);
    if chunk.start == 0 && lines == 0 && columns == 0 {
        return parsed;
    }
    let span = |s: &mut Span| {
        s.start += chunk.start;
        s.end += chunk.start;
        s.at.column += if s.at.line == 1 { columns } else { 0 };
        s.at.line += lines;
    };
    if let Some(root) = &mut parsed.root {
        shift_node(root, &span);
    }
    for problem in &mut parsed.problems {
        span(&mut problem.span);
        problem.related.iter_mut().for_each(|(s, _)| span(s));
    }
    parsed
}

fn shift_node(node: &mut Node, span: &impl Fn(&mut Span)) {
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

/// The line and column of a byte offset.
pub fn position(text: &str, offset: usize) -> Position {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
    let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Position {
        line: narrow(line),
        column: narrow(column),
    }
}
