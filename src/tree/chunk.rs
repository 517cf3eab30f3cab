//! [`Chunk`]: the stretch of a file that holds one document.

use crate::source::{Document, Position};

/// A stretch of a file that holds one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// 1-based line of the first byte.
    pub line: u32,
    /// 1-based column of the first byte.
    pub column: u32,
}

impl Chunk {
    /// All of a text.
    pub fn whole(text: &str) -> Self {
        Self {
            start: 0,
            end: text.len(),
            line: 1,
            column: 1,
        }
    }

    /// The chunk of a document.
    pub fn of(document: &Document) -> Self {
        let Position { line, column } = document.begins;
        Self {
            start: document.start,
            end: document.end,
            line,
            column,
        }
    }

    /// Where it starts.
    pub fn begins(&self) -> Position {
        Position {
            line: self.line,
            column: self.column,
        }
    }
}
