//! Characters that end a line for kubectl's reader and for no editor: U+0085, U+2028 and U+2029.
//!
//! A comment with one of them goes on as YAML behind it, unseen. The text is read as kubectl reads
//! it, with a warning; lines are counted as editors count them. Cost: one search per document.

use crate::source::{Position, Span};
use crate::tree::problem::{Problem, ProblemKind, position as position_of};
use memchr::memmem;
use std::borrow::Cow;

/// The characters.
const BREAKS: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];

/// A text with plain line breaks for them, as long as before.
pub(crate) struct PlainBreaks<'t> {
    /// The text.
    pub(crate) text: Cow<'t, str>,
    /// Where the breaks are.
    pub(crate) offsets: Vec<usize>,
}

/// Makes plain line breaks.
pub(crate) fn plain(text: &str) -> PlainBreaks<'_> {
    let bytes = text.as_bytes();
    let may_have = |start: &[u8]| memmem::find(bytes, start).is_some();
    if !may_have(b"\xc2\x85") && !may_have(b"\xe2\x80") {
        return PlainBreaks {
            text: Cow::Borrowed(text),
            offsets: Vec::new(),
        };
    }
    let mut plain = String::with_capacity(text.len());
    let mut offsets = Vec::new();
    for character in text.chars() {
        if BREAKS.contains(&character) {
            // blanks before a break are none of the line's
            plain.extend(std::iter::repeat_n(' ', character.len_utf8() - 1));
            offsets.push(plain.len());
            plain.push('\n');
        } else {
            plain.push(character);
        }
    }
    PlainBreaks {
        text: Cow::Owned(plain),
        offsets,
    }
}

impl PlainBreaks<'_> {
    /// The warning, at the first of them; `start` is where the text begins in a whole.
    pub(crate) fn problem(&self, whole: &str, start: usize) -> Option<Problem> {
        let last = start + self.offsets.first()?;
        let at = (0..=last).rev().find(|at| whole.is_char_boundary(*at))?;
        let character = whole.get(at..)?.chars().next()?;
        let code = u32::from(character);
        let span = Span {
            start: at,
            end: at + character.len_utf8(),
            at: position_of(whole, at),
        };
        let message = format!("U+{code:04X} ends the line for kubectl, and for no editor");
        let help = "what stands behind it is read as a line of its own; take the character out";
        Some(Problem::new(ProblemKind::Lost, span, message).help(help))
    }
}

/// The place at the end of some text with plain breaks, in lines that do not end at these.
pub(crate) fn position(text: &str, breaks: &[usize]) -> Position {
    let is_line = |at: &usize| breaks.binary_search(at).is_err();
    let ends = memchr::memchr_iter(b'\n', text.as_bytes()).filter(is_line);
    let (lines, start) = ends.fold((1_usize, 0), |(lines, _), at| (lines + 1, at + 1));
    let column = text.get(start..).map_or(0, |line| line.chars().count()) + 1;
    let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Position {
        line: narrow(lines),
        column: narrow(column),
    }
}
