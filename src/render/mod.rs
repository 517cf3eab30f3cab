//! Answers -> bytes. No analysis: everything that is printed was decided before it came here.
//!
//! One file per format. Escaping happens in the sink: [`text`] lets no control character of a manifest reach a terminal,
//! [`dot`] quotes every name, [`json`] serializes frozen, versioned structs.

pub mod dot;
pub mod drawing;
pub mod json;
pub mod text;
pub mod words;

use std::io;

/// The output formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Format {
    /// For people.
    Text,
    /// For programs: versioned JSON.
    Json,
    /// Graphviz.
    Dot,
    /// Comma-separated values.
    Csv,
}

impl Format {
    /// Every format with its name.
    pub const ALL: [(Self, &'static str); 4] = [(Self::Text, "text"), (Self::Json, "json"), (Self::Dot, "dot"), (Self::Csv, "csv")];

    /// The name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }
}

/// Writes a drawing of the allow-graph for Graphviz.
///
/// # Errors
/// When the writer fails.
pub fn graph_dot(drawing: &drawing::Drawing, out: &mut dyn io::Write) -> io::Result<()> {
    dot::write(drawing, out)
}
