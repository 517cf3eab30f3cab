//! [`Text`]: the text of a file, kept in memory or read again from disk.
//!
//! A large file is not kept: what messages quote of it are a few lines, which are read again when
//! a message needs them. Invariant: a part that is read again is what was read the first
//! time, or nothing; a reader must be able to tell ([`RereadableText`]). Cost: a part costs its
//! own length, and the lines around it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A text that is not kept, where it can be read again.
pub trait RereadableText: fmt::Debug + Send + Sync {
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
    OnDisk(Arc<dyn RereadableText>),
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
/// How much of a long text is read at a time.
const PIECE: usize = 1 << 20;

impl Text {
    /// The whole text; nothing of one that is not what it was.
    pub fn whole(&self) -> Cow<'_, str> {
        match self {
            Self::Kept(text) => Cow::Borrowed(text),
            Self::OnDisk(_) => self.part(0..self.length()).unwrap_or_default(),
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
            Self::OnDisk(on_disk) => on_disk.length(),
        }
    }

    /// A part of it, on character boundaries.
    pub fn part(&self, range: Range<usize>) -> Option<Cow<'_, str>> {
        match self {
            Self::Kept(text) => text.get(range).map(Cow::Borrowed),
            Self::OnDisk(_) if range.is_empty() => Some(Cow::Borrowed("")),
            Self::OnDisk(on_disk) => String::from_utf8(on_disk.read(range)?).ok().map(Cow::Owned),
        }
    }

    /// A part of it with the whole lines around it, and the given number of lines above and below.
    /// Of a text that is kept it is the whole. `None` when the lines are too long to be read by
    /// people.
    pub fn excerpt(&self, range: Range<usize>, above: usize, below: usize) -> Option<Excerpt<'_>> {
        let Self::OnDisk(on_disk) = self else {
            return Some(Excerpt {
                text: self.whole(),
                start: 0,
            });
        };
        let start = before(&**on_disk, range.start, above)?;
        let end = after(&**on_disk, range.end.max(range.start), below)?;
        Some(Excerpt {
            text: self.part(start..end)?,
            start,
        })
    }

    /// Every byte of it, piece by piece; ends early when it is not what it was.
    pub fn pieces(&self, mut each: impl FnMut(&[u8])) {
        match self {
            Self::Kept(text) => each(text.as_bytes()),
            Self::OnDisk(on_disk) => {
                let starts = (0..on_disk.length()).step_by(PIECE);
                let read =
                    |start: usize| on_disk.read(start..(start + PIECE).min(on_disk.length()));
                starts.map_while(read).for_each(|bytes| each(&bytes));
            }
        }
    }
}

/// Where the line starts that is the given number of lines above a place.
fn before(on_disk: &dyn RereadableText, at: usize, lines: usize) -> Option<usize> {
    let (mut to, mut left) = (at, lines);
    while to > 0 && at - to < FAR {
        let from = to.saturating_sub(STEP);
        let bytes = on_disk.read(from..to)?;
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

/// Where the line ends, with its line break, that is the given number of lines below a place.
fn after(on_disk: &dyn RereadableText, at: usize, lines: usize) -> Option<usize> {
    let (mut from, mut left) = (at, lines);
    while from < on_disk.length() && from - at < FAR {
        let to = (from + STEP).min(on_disk.length());
        let bytes = on_disk.read(from..to)?;
        for (i, _) in bytes.iter().enumerate().filter(|(_, b)| **b == b'\n') {
            if left == 0 {
                return Some(from + i + 1);
            }
            left -= 1;
        }
        from = to;
    }
    (from == on_disk.length()).then_some(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct InMemory(String);

    impl RereadableText for InMemory {
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
        let on_disk = Text::OnDisk(Arc::new(InMemory(text.into())));
        let excerpt = |word: &str, above, below| {
            let at = text.find(word).unwrap();
            let found = on_disk.excerpt(at..at + word.len(), above, below).unwrap();
            assert_eq!(
                &text[found.start..found.start + found.text.len()],
                found.text
            );
            found.text.into_owned()
        };
        assert_eq!(excerpt("rée", 0, 0), "thrée\n");
        assert_eq!(excerpt("rée", 1, 1), "two\nthrée\nfour\n");
        assert_eq!(excerpt("one", 5, 0), "one\n");
        assert_eq!(excerpt("five", 1, 9), "four\nfive");
        assert_eq!(on_disk.whole(), text);
        let mut bytes = 0;
        on_disk.pieces(|p| bytes += p.len());
        assert_eq!(bytes, text.len());
    }

    #[test]
    fn lines_nobody_can_read_are_not_quoted() {
        let long = Text::OnDisk(Arc::new(InMemory("x".repeat(3 * FAR))));
        assert!(long.excerpt(FAR + 100..FAR + 101, 2, 2).is_none());
        assert_eq!(long.part(5..8).unwrap(), "xxx");
    }
}
