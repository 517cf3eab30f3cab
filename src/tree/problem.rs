//! [`Problem`]: something wrong with a text, with the place it has there.

use crate::source::{Path, Position, Span};
use crate::tree::node::SyntaxNode;

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
    pub root: Option<SyntaxNode>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// The result of reading one part of a text, or the problem that ends the reading.
pub(super) type ParseResult<T> = Result<T, Box<Problem>>;

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

/// The finding for a key given twice.
pub fn duplicate_key(key: &str, first: Span, second: Span) -> Problem {
    let mut problem = Problem::new(
        ProblemKind::DuplicateKey,
        second,
        format!("`{key}` is given twice; the last value counts"),
    )
    .help("remove one of them: kubectl keeps the last one silently, kustomize refuses the file");
    problem.related.push((first, "first given here".into()));
    problem
}
