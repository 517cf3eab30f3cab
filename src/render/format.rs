//! The formats, and [`Render`]: which of them an answer has, and how each is written.
//!
//! Invariant: [`Render::FORMATS`] and the arms of [`Render::write`] are one list, written once with
//! [`formats!`]; a format that is not on it is an error, never silence.

use crate::render::context::RenderContext;
use std::io::{self, Write};
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

    /// The format of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// The name.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|row| row.0 == self)
            .map_or("", |row| row.1)
    }

    /// The error of an answer that is asked for a format it does not have.
    pub(crate) fn not_offered(self, offered: &[Self]) -> io::Error {
        let names: Vec<_> = offered.iter().map(|f| f.name()).collect();
        io::Error::new(
            io::ErrorKind::Unsupported,
            format!(
                "this answer has no format {}; it has {}",
                self.name(),
                names.join(", ")
            ),
        )
    }
}

/// An answer that can be written.
///
/// # Examples
/// ```
/// use netpal::{Answer, Format, Render};
///
/// assert_eq!(Answer::FORMATS, [Format::Text, Format::Json, Format::Yaml]);
/// ```
pub trait Render {
    /// The formats the answer has, the default first.
    const FORMATS: &'static [Format];

    /// Writes the answer in one of its formats.
    ///
    /// # Errors
    /// When the answer has no such format, or the writer fails.
    fn write(
        &self,
        format: Format,
        context: &RenderContext<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()>;
}

impl<R: Render> Render for &R {
    const FORMATS: &'static [Format] = R::FORMATS;

    fn write(
        &self,
        format: Format,
        context: &RenderContext<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        R::write(self, format, context, out)
    }
}

/// The formats of an answer with what writes each: the whole body of an `impl Render`.
///
/// ```text
/// formats! { |answer, context, out|
///     Text => Text::of(context).answer(answer, out),
///     Json => json::write("Answer", json::answer(*context, answer), out),
/// }
/// ```
macro_rules! formats {
    (|$answer:ident, $context:ident, $out:ident| $($format:ident => $write:expr),+ $(,)?) => {
        const FORMATS: &'static [$crate::render::format::Format] =
            &[$($crate::render::format::Format::$format),+];

        fn write(
            &self,
            format: $crate::render::format::Format,
            $context: &$crate::render::context::RenderContext<'_>,
            $out: &mut dyn std::io::Write,
        ) -> std::io::Result<()> {
            let $answer = self;
            let mut safe = if format == $crate::render::format::Format::Text {
                $crate::render::safe_writer::SafeWriter::of_text($out)
            } else {
                $crate::render::safe_writer::SafeWriter::of_data($out)
            };
            let $out: &mut dyn std::io::Write = &mut safe;
            match format {
                $($crate::render::format::Format::$format => $write,)+
                other => Err(other.not_offered(Self::FORMATS)),
            }
        }
    };
}
pub(crate) use formats;

/// Whether a visitor that writes goes on: while writing works.
pub(crate) fn going<E>(result: &Result<(), E>) -> ControlFlow<()> {
    if result.is_ok() {
        ControlFlow::Continue(())
    } else {
        ControlFlow::Break(())
    }
}
