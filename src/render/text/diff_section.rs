//! A section of a diff in text: a head, the first lines with the sign of their kind, and how many
//! more there are.

use crate::diff::Kind;
use crate::render::context::Style;
use crate::render::text::diff_context::{colour, sign};
use crate::words::plural;
use std::io::{self, Write};

/// What a section is called.
pub struct SectionHead<'a> {
    /// In capitals.
    pub word: &'a str,
    /// What it is about.
    pub about: &'a str,
    /// What one more line is: `more door`.
    pub more: &'a str,
}

/// Writes a section; nothing where it has no line. `shown` of its lines are printed.
///
/// # Errors
/// When the writer fails.
pub fn section(
    head: &SectionHead<'_>,
    lines: impl ExactSizeIterator<Item = (Kind, String)>,
    style: Style,
    shown: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let more = lines.len().saturating_sub(shown);
    if lines.len() == 0 {
        return Ok(());
    }
    writeln!(out, "\n{}  {}", style.paint("1", head.word), head.about)?;
    for (kind, line) in lines.take(shown) {
        let sign = style.paint(colour(kind), sign(kind));
        writeln!(out, "  {sign} {}", line.trim_end())?;
    }
    if more > 0 {
        writeln!(out, "  and {} (all of them: -v)", plural(more, head.more))?;
    }
    Ok(())
}
