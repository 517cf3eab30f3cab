//! [`SafeWriter`]: no control character and no invisible one reaches a reader raw.
//!
//! Names, labels, annotations and source lines come from manifests, and a manifest may hold what
//! moves the cursor, hides text or turns its direction: C0 and C1 control characters, and the
//! characters of Unicode that are not seen. Every format is written through this filter, so that no
//! writer can forget it. What passes is everything else,
//! line breaks, tabs, and in text the colours that the program writes itself (`ESC [ digits m`).
//!
//! In text an escape reads `\u{9b}`, in every other format `\u009b`, which JSON reads as the
//! character. Invariant: a character that is cut by two writes is put together again. Cost: a look
//! at each byte; text without such characters is handed on as it is.

use crate::words::is_unsafe;
use std::io::{self, Write};

/// A writer that escapes what may not be written raw.
pub struct SafeWriter<W> {
    out: W,
    is_text: bool,
    /// The beginning of a character whose end is still to come.
    begun: Vec<u8>,
}

impl<W: Write> SafeWriter<W> {
    /// Writes text for a terminal to `out`.
    pub fn of_text(out: W) -> Self {
        Self {
            out,
            is_text: true,
            begun: Vec::new(),
        }
    }

    /// Writes any other format to `out`.
    pub fn of_data(out: W) -> Self {
        Self {
            out,
            is_text: false,
            begun: Vec::new(),
        }
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        let mut rest = text;
        while let Some(at) = rest.find(|c| c != '\n' && c != '\t' && is_unsafe(c)) {
            let (before, from) = rest.split_at(at);
            self.out.write_all(before.as_bytes())?;
            let passing = self.passing(from);
            if passing > 0 {
                self.out.write_all(&from.as_bytes()[..passing])?;
                rest = &from[passing..];
                continue;
            }
            let mut characters = from.chars();
            if let Some(escaped) = characters.next() {
                self.escape(escaped)?;
            }
            rest = characters.as_str();
        }
        self.out.write_all(rest.as_bytes())
    }

    /// How many bytes at the beginning pass although they begin with a control character: a colour
    /// in text, and a line break of two characters.
    fn passing(&self, text: &str) -> usize {
        if text.starts_with("\r\n") {
            return 2;
        }
        let Some(colour) = text.strip_prefix("\u{1b}[") else {
            return 0;
        };
        let digits = colour.find(|c: char| !c.is_ascii_digit() && c != ';');
        match digits {
            Some(end) if self.is_text && colour[end..].starts_with('m') => end + 3,
            _ => 0,
        }
    }

    fn escape(&mut self, character: char) -> io::Result<()> {
        if self.is_text {
            return write!(self.out, "{}", character.escape_unicode());
        }
        let mut units = [0; 2];
        let mut units = character.encode_utf16(&mut units).iter();
        units.try_for_each(|unit| write!(self.out, "\\u{unit:04x}"))
    }
}

impl<W: Write> Write for SafeWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let plain = |byte: &u8| matches!(byte, b'\n' | b'\t' | b' '..=b'~');
        if self.begun.is_empty() && bytes.iter().all(plain) {
            self.out.write_all(bytes)?;
            return Ok(bytes.len());
        }
        let mut begun = std::mem::take(&mut self.begun);
        begun.extend_from_slice(bytes);
        for chunk in begun.utf8_chunks() {
            self.text(chunk.valid())?;
            let invalid = chunk.invalid();
            let at_the_end = std::ptr::eq(invalid.as_ptr_range().end, begun.as_ptr_range().end);
            if at_the_end && invalid.len() < 4 && may_go_on(invalid) {
                self.begun = invalid.to_vec();
            } else if !invalid.is_empty() {
                self.text("\u{fffd}")?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Whether bytes that are no character may be the beginning of one.
fn may_go_on(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|e| e.error_len().is_none())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn written(pieces: &[&[u8]], is_text: bool) -> String {
        let mut out = Vec::new();
        let mut safe = if is_text {
            SafeWriter::of_text(&mut out)
        } else {
            SafeWriter::of_data(&mut out)
        };
        pieces
            .iter()
            .for_each(|piece| safe.write_all(piece).unwrap());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn control_characters_are_escaped_and_colours_pass() {
        let text = |text: &str| written(&[text.as_bytes()], true);
        assert_eq!(text("a\u{9b}31mb\u{202e}c"), "a\\u{9b}31mb\\u{202e}c");
        assert_eq!(
            text("\u{1b}[1;31mred\u{1b}[0m └─\n\tb\r\n"),
            "\u{1b}[1;31mred\u{1b}[0m └─\n\tb\r\n"
        );
        assert_eq!(text("\u{1b}]0;title\u{7}\r"), "\\u{1b}]0;title\\u{7}\\u{d}");
        let json = |text: &str| written(&[text.as_bytes()], false);
        assert_eq!(
            json("\"\u{9d}\u{e0001}\u{1b}[1m\""),
            "\"\\u009d\\udb40\\udc01\\u001b[1m\""
        );
    }

    #[test]
    fn a_character_cut_in_two_is_put_together() {
        let cut = "└\u{9b}é".as_bytes();
        for at in 0..cut.len() {
            let (a, b) = cut.split_at(at);
            assert_eq!(written(&[a, b], true), "└\\u{9b}é");
        }
        assert_eq!(written(&[b"a\xff", b"b"], true), "a\u{fffd}b");
    }
}
