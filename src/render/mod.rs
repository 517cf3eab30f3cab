//! Answers -> bytes. No analysis: everything that is printed was decided before it came here.
//!
//! One file per format. Escaping happens in the sink: [`text`] lets no control character of a
//! manifest reach a terminal, [`json`] serializes frozen, versioned structs.

pub mod ci;
pub mod data;
pub mod image;
pub mod report;
pub mod text;
pub mod words;

use crate::graph::AllowGraph;
use crate::input::Input;
use crate::tree::Locator;
use std::ops::ControlFlow;

/// The output formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Format {
    /// For people.
    Text,
    /// For programs: versioned JSON.
    Json,
    /// The same as YAML.
    Yaml,
    /// Comma-separated values.
    Csv,
    /// Markdown, for comments on changes.
    Md,
    /// Graphviz.
    Dot,
    /// A picture.
    Svg,
    /// A picture as Mermaid text.
    Mermaid,
    /// A report in one file.
    Html,
    /// Static analysis results, SARIF 2.1.0.
    Sarif,
    /// Test results, `JUnit` XML.
    Junit,
    /// GitHub workflow annotations.
    Github,
    /// GitLab code quality.
    Gitlab,
    /// Test anything protocol.
    Tap,
}

impl Format {
    /// Every format with its name.
    pub const ALL: [(Self, &'static str); 14] = [
        (Self::Text, "text"),
        (Self::Json, "json"),
        (Self::Yaml, "yaml"),
        (Self::Csv, "csv"),
        (Self::Md, "md"),
        (Self::Dot, "dot"),
        (Self::Svg, "svg"),
        (Self::Mermaid, "mermaid"),
        (Self::Html, "html"),
        (Self::Sarif, "sarif"),
        (Self::Junit, "junit"),
        (Self::Github, "github"),
        (Self::Gitlab, "gitlab"),
        (Self::Tap, "tap"),
    ];

    /// The name.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|row| row.0 == self)
            .map_or("", |row| row.1)
    }
}

/// What a writer looks things up in.
#[derive(Clone, Copy)]
pub struct RenderContext<'a> {
    /// What was read.
    pub input: &'a Input,
    /// What it allows.
    pub graph: &'a AllowGraph,
    /// Finds lines.
    pub locator: &'a Locator<'a>,
}

/// Goes on while writing works.
fn going<E>(result: &Result<(), E>) -> ControlFlow<()> {
    if result.is_ok() {
        ControlFlow::Continue(())
    } else {
        ControlFlow::Break(())
    }
}
