//! [`Report`]: any answer, for callers that write whatever they are given.

use crate::render::context::RenderContext;
use crate::render::format::{Format, Render};
use std::io::{self, Write};

/// Any answer, ready to be written with [`render`].
pub struct Report<'a> {
    formats: &'static [Format],
    answer: Box<dyn Written + 'a>,
}

/// [`Render`] without its constant, so that answers of different types fit into one box.
trait Written {
    fn write(
        &self,
        format: Format,
        context: &RenderContext<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()>;
}

impl<R: Render> Written for R {
    fn write(
        &self,
        format: Format,
        context: &RenderContext<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        Render::write(self, format, context, out)
    }
}

impl<'a, R: Render + 'a> From<R> for Report<'a> {
    fn from(answer: R) -> Self {
        Self {
            formats: R::FORMATS,
            answer: Box::new(answer),
        }
    }
}

impl Report<'_> {
    /// The formats the answer has, the default first.
    pub fn formats(&self) -> &'static [Format] {
        self.formats
    }
}

/// Writes an answer in one of its formats.
///
/// # Errors
/// When the answer has no such format, or the writer fails.
///
/// # Examples
/// ```
/// use netpal::{AllowGraph, CompileOptions, Context, Format, Locator, RenderContext, Report};
/// use netpal::{ask, load, render};
///
/// let input = load(["examples/demo"])?;
/// let graph = AllowGraph::compile(&input, &CompileOptions::default())?;
/// let answer = ask(&graph, &Context::default(), &"frontend reach database:5432".parse()?)?;
///
/// let locator = Locator::new(&input.sources);
/// let context = RenderContext::new(&input, &graph, &locator);
/// let report = Report::from(&answer);
/// let mut text = Vec::new();
/// render(&report, Format::Text, &context, &mut text)?;
/// assert!(String::from_utf8(text)?.starts_with("yes"));
///
/// // a format that the answer does not have is an error
/// assert!(!report.formats().contains(&Format::Svg));
/// assert!(render(&report, Format::Svg, &context, &mut Vec::new()).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn render(
    report: &Report<'_>,
    format: Format,
    context: &RenderContext<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    report.answer.write(format, context, out)
}
