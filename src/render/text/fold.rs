//! Long lines of an answer, folded where somebody said how wide the page is.
//!
//! Lines are broken at blanks, and what follows is set in below. Without a given width nothing is
//! folded, so that a program that reads lines finds whole ones. Escape sequences of colours take no
//! room. A word that is longer than the page stays whole, because it is a name or a path.

use crate::render::context::RenderContext;
use std::io::{self, Write};

/// How far the second line of a fact is set in.
const BELOW: usize = 5;

/// Writes text with its lines folded to the width of the context, if that was given.
pub(crate) fn folded(
    context: &RenderContext<'_>,
    out: &mut dyn Write,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    if !context.folds {
        return write(out);
    }
    let mut folder = Folder {
        width: context.width,
        held: Vec::new(),
        out,
    };
    write(&mut folder)?;
    folder.flush()
}

/// A sink that holds the line that is being written.
struct Folder<'o> {
    width: usize,
    held: Vec<u8>,
    out: &'o mut dyn Write,
}

impl Write for Folder<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.held.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.held);
                let line = String::from_utf8_lossy(&line);
                let folded = fold(line.trim_end_matches('\n'), self.width);
                writeln!(self.out, "{folded}")?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&std::mem::take(&mut self.held))?;
        self.out.flush()
    }
}

/// One line in as many as it needs.
fn fold(line: &str, width: usize) -> String {
    if seen(line) <= width || is_code(line) {
        return line.to_owned();
    }
    let indent = line.chars().take_while(|c| *c == ' ').count();
    let below = " ".repeat((indent + BELOW).min(width / 2));
    let (mut lines, mut current) = (Vec::new(), String::new());
    for word in line.split_inclusive(' ') {
        let fits = seen(&current) + seen(word.trim_end()) <= width;
        if !fits && !current.trim().is_empty() {
            lines.push(current.trim_end().to_owned());
            current.clone_from(&below);
        }
        if current == below && word.trim().is_empty() && !lines.is_empty() {
            continue; // blanks between columns
        }
        current.push_str(word);
    }
    lines.push(current);
    lines.join("\n")
}

/// Whether a line is one of a manifest that is shown, or of the marks below it.
fn is_code(line: &str) -> bool {
    let after_number = line.trim_start_matches(|c: char| c == ' ' || c.is_ascii_digit());
    after_number.starts_with('|')
}

/// How many columns a text takes: colours take none.
fn seen(text: &str) -> usize {
    let mut count = 0;
    let mut in_escape = false;
    for c in text.chars() {
        match c {
            '\u{1b}' => in_escape = true,
            'm' if in_escape => in_escape = false,
            _ if in_escape => {}
            _ => count += 1,
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_broken_at_blanks_and_set_in() {
        let line = "     in   data/db   isolated by data/one, data/two; no rule admits shop/web";
        let folded = fold(line, 40);
        assert!(folded.lines().all(|l| l.chars().count() <= 40), "{folded}");
        assert!(
            folded.lines().skip(1).all(|l| l.starts_with("          ")),
            "{folded}"
        );
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words(&folded), words(line));
    }

    #[test]
    fn what_fits_and_what_cannot_be_broken_stays() {
        assert_eq!(fold("a  b", 10), "a  b");
        assert_eq!(
            fold("averylongname/withoutblanks", 10),
            "averylongname/withoutblanks"
        );
        assert_eq!(
            fold("\u{1b}[1;31mno\u{1b}[0m   a b", 8),
            "\u{1b}[1;31mno\u{1b}[0m   a b"
        );
    }
}
