//! [`Text`]: the text of a file, kept in memory or read again where it lies.
//!
//! A large file is not kept: what messages quote of it are a few lines, which are read again when
//! somebody wants to see them. Invariant: a part that is read again is what was read the first
//! time, or nothing; who can read again must be able to tell ([`Again`]). Cost: a part costs its
//! own length, and the lines around it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A text that is not kept, where it can be read again.
pub trait Again: fmt::Debug + Send + Sync {
    /// How many bytes it has.
    fn length(&self) -> usize;

    /// These bytes; `None` when the text is not what it was, or cannot be read any more.
    fn read(&self, range: Range<usize>) -> Option<Vec<u8>>;
}

/// The text of a file.
#[derive(Debug, Clone)]
pub enum Text {
    /// In memory.
    Kept(Arc<String>),
    /// To be read again.
    Again(Arc<dyn Again>),
}

impl From<Arc<String>> for Text {
    fn from(text: Arc<String>) -> Self {
        Self::Kept(text)
    }
}

/// A part of a text.
#[derive(Debug, Clone)]
pub struct Excerpt<'t> {
    /// The part.
    pub text: Cow<'t, str>,
    /// Its first byte, from the start of the whole.
    pub start: usize,
}

/// How much is read to find the lines around a place.
const STEP: usize = 4 * 1024;
/// How far lines are looked for: text without line breaks is not quoted.
const FAR: usize = 64 * 1024;
/// How much of a long text is looked at in one go.
const PIECE: usize = 1 << 20;

impl Text {
    /// The whole text; nothing of one that is not what it was.
    pub fn whole(&self) -> Cow<'_, str> {
        match self {
            Self::Kept(text) => Cow::Borrowed(text),
            Self::Again(_) => self.part(0..self.length()).unwrap_or_default(),
        }
    }

    /// The text that is in memory, if it is: what was written by hand, not what a program printed
    /// by the megabyte.
    pub fn kept(&self) -> Option<&str> {
        if let Self::Kept(text) = self {
            Some(text)
        } else {
            None
        }
    }

    /// How many bytes it has.
    pub fn length(&self) -> usize {
        match self {
            Self::Kept(text) => text.len(),
            Self::Again(again) => again.length(),
        }
    }

    /// A part of it, on character boundaries.
    pub fn part(&self, range: Range<usize>) -> Option<Cow<'_, str>> {
        match self {
            Self::Kept(text) => text.get(range).map(Cow::Borrowed),
            Self::Again(_) if range.is_empty() => Some(Cow::Borrowed("")),
            Self::Again(again) => String::from_utf8(again.read(range)?).ok().map(Cow::Owned),
        }
    }

    /// A part of it with the whole lines it stands on, and so many lines above and below. Of a text
    /// that is kept it is the whole. `None` when the lines are too long to be read by people.
    pub fn around(&self, range: Range<usize>, above: usize, below: usize) -> Option<Excerpt<'_>> {
        let Self::Again(again) = self else {
            return Some(Excerpt {
                text: self.whole(),
                start: 0,
            });
        };
        let start = before(&**again, range.start, above)?;
        let end = after(&**again, range.end.max(range.start), below)?;
        Some(Excerpt {
            text: self.part(start..end)?,
            start,
        })
    }

    /// Every byte of it, piece by piece; ends early when it is not what it was.
    pub fn pieces(&self, mut each: impl FnMut(&[u8])) {
        match self {
            Self::Kept(text) => each(text.as_bytes()),
            Self::Again(again) => {
                let starts = (0..again.length()).step_by(PIECE);
                let read = |start: usize| again.read(start..(start + PIECE).min(again.length()));
                starts.map_while(read).for_each(|bytes| each(&bytes));
            }
        }
    }
}

/// Where the line starts that is so many lines above the one at a place.
fn before(again: &dyn Again, at: usize, lines: usize) -> Option<usize> {
    let (mut to, mut left) = (at, lines);
    while to > 0 && at - to < FAR {
        let from = to.saturating_sub(STEP);
        let bytes = again.read(from..to)?;
        for (i, _) in bytes.iter().enumerate().rev().filter(|(_, b)| **b == b'\n') {
            if left == 0 {
                return Some(from + i + 1);
            }
            left -= 1;
        }
        to = from;
    }
    (to == 0).then_some(0)
}

/// Where the line ends, with its line break, that is so many lines below the one at a place.
fn after(again: &dyn Again, at: usize, lines: usize) -> Option<usize> {
    let (mut from, mut left) = (at, lines);
    while from < again.length() && from - at < FAR {
        let to = (from + STEP).min(again.length());
        let bytes = again.read(from..to)?;
        for (i, _) in bytes.iter().enumerate().filter(|(_, b)| **b == b'\n') {
            if left == 0 {
                return Some(from + i + 1);
            }
            left -= 1;
        }
        from = to;
    }
    (from == again.length()).then_some(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Elsewhere(String);

    impl Again for Elsewhere {
        fn length(&self) -> usize {
            self.0.len()
        }
        fn read(&self, range: Range<usize>) -> Option<Vec<u8>> {
            self.0.as_bytes().get(range).map(<[u8]>::to_vec)
        }
    }

    #[test]
    fn lines_around_a_place_are_whole_lines() {
        let text = "one\ntwo\nthrée\nfour\nfive";
        let again = Text::Again(Arc::new(Elsewhere(text.into())));
        let around = |word: &str, above, below| {
            let at = text.find(word).unwrap();
            let found = again.around(at..at + word.len(), above, below).unwrap();
            assert_eq!(
                &text[found.start..found.start + found.text.len()],
                found.text
            );
            found.text.into_owned()
        };
        assert_eq!(around("rée", 0, 0), "thrée\n");
        assert_eq!(around("rée", 1, 1), "two\nthrée\nfour\n");
        assert_eq!(around("one", 5, 0), "one\n");
        assert_eq!(around("five", 1, 9), "four\nfive");
        assert_eq!(again.whole(), text);
        let mut bytes = 0;
        again.pieces(|p| bytes += p.len());
        assert_eq!(bytes, text.len());
    }

    #[test]
    fn lines_nobody_can_read_are_not_quoted() {
        let long = Text::Again(Arc::new(Elsewhere("x".repeat(3 * FAR))));
        assert!(long.around(FAR + 100..FAR + 101, 2, 2).is_none());
        assert_eq!(long.part(5..8).unwrap(), "xxx");
    }
}
