//! A long List of JSON, read in windows and on all cores, of which nothing is kept but what is made
//! of its items.
//!
//! Phases: [`Window`] holds a stretch of the text; [`Cutter`] finds places between items in it; the
//! batches between these places are read on all cores and each item is handed to the caller; what
//! is left goes to the front of the next window. Meanwhile one core fetches that window and hands
//! on, in order, what the window before gave. Last come the items before the closing bracket, and
//! what follows it.
//!
//! Invariant: what comes out is what [`crate::tree::json`] makes of the whole text, positions and
//! problems included, or nothing: a place between items is a guess, and the guess is right when
//! every batch is a row of values and commas from its first byte to its last, because a row of such
//! rows is again one. So where anything is unusual or wrong, the caller reads the text as a whole,
//! and what is reported does not depend on windows or cores. Cost: O(text) of time; of memory two
//! windows and the trees of the batches that are being read.

use crate::source::Position;
use crate::tree::chunk::Chunk;
use crate::tree::json::JsonReader;
use crate::tree::node::{Entry, SyntaxNode};
use crate::tree::pod_fields::KeptFields;
use crate::tree::problem::Problem;
use memchr::memmem;
use rayon::prelude::*;
use std::io::Read;

/// How a long List is cut.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How much text is held at a time, unless one item is longer.
    pub window: usize,
    /// How much text one core reads at a time.
    pub batch: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            window: 2 << 20,
            batch: 64 << 10,
        }
    }
}

/// Up to how many bytes of text one item is looked for in.
const LONGEST: usize = 1 << 30;

/// The fields and problems of a List without its items.
#[derive(Debug)]
pub struct ListEnvelope {
    /// The entries of the List without its items.
    pub entries: Vec<Entry>,
    /// What is wrong with the List and its items, in the order of the text.
    pub problems: Vec<Problem>,
    /// The text of the List.
    pub chunk: Chunk,
}

/// Reads a List. `item` turns each item into a value, given the entries of the List before
/// the items, or `None`; `sink` gets what was made, in order. `None` where the text is
/// anything else than a List that can be read this way: then the sink's items are to be discarded.
pub fn read<T: Send>(
    input: &mut (dyn Read + Send),
    limits: Limits,
    item: impl Fn(&[Entry], SyntaxNode, Chunk) -> Option<T> + Sync,
    sink: &mut (dyn FnMut(Vec<T>) + Send),
) -> Option<ListEnvelope> {
    let mut window = Window::new(input, limits.window)?;
    let mut envelope = ListEnvelope {
        entries: Vec::new(),
        problems: Vec::new(),
        chunk: Chunk::whole(""),
    };
    let head = window.head(&mut envelope)?;
    let cutter = Cutter::after(window.bytes.get(head..)?)?;
    window.forget(head);
    window.cut(&cutter, limits.batch);
    let (mut made, mut spare) = (Vec::new(), Vec::new());
    while !window.cuts.is_empty() || window.longer(input, &cutter, limits.batch)? {
        let entries = &envelope.entries;
        let meanwhile = || {
            made.drain(..).for_each(&mut *sink);
            let mut next = window.next(input, std::mem::take(&mut spare), limits.window)?;
            next.cut(&cutter, limits.batch);
            Some(next)
        };
        let (read, next) = rayon::join(
            || window.read_batches(&|n, c| item(entries, n, c)),
            meanwhile,
        );
        for (items, problems, _) in read? {
            made.push(items);
            envelope.problems.extend(problems);
        }
        spare = std::mem::replace(&mut window, next?).bytes;
    }
    made.drain(..).for_each(&mut *sink);
    let rest = Batch {
        bytes: &window.bytes,
        start: window.start,
        at: window.at,
    };
    let (last, problems, end) = rest.read(true, |n, c| item(&envelope.entries, n, c))?;
    sink(last);
    envelope.problems.extend(problems);
    window.forget(end);
    window.tail(&mut envelope)?;
    Some(envelope)
}

/// A stretch of the text.
struct Window {
    bytes: Vec<u8>,
    /// Where the stretch starts in the text.
    start: usize,
    at: Position,
    /// Whether the text ends where the stretch ends.
    ended: bool,
    /// Places between items, with their line and column.
    cuts: Vec<(usize, Position)>,
}

impl Window {
    /// The stretch at the front of the text.
    fn new(input: &mut dyn Read, size: usize) -> Option<Self> {
        let at = Position { line: 1, column: 1 };
        let mut window = Self {
            bytes: Vec::new(),
            start: 0,
            at,
            ended: false,
            cuts: Vec::new(),
        };
        window.fill(input, size)?;
        Some(window)
    }

    /// The stretch that starts behind the last place between items.
    fn next(&self, input: &mut dyn Read, mut bytes: Vec<u8>, size: usize) -> Option<Self> {
        let (last, at) = self.cuts.last().copied().unwrap_or((0, self.at));
        bytes.clear();
        bytes.extend_from_slice(self.bytes.get(last..).unwrap_or_default());
        let mut next = Self {
            bytes,
            start: self.start + last,
            at,
            ended: self.ended,
            cuts: Vec::new(),
        };
        next.fill(input, size)?;
        Some(next)
    }

    /// Reads on where an item is longer than the stretch, until there is a place between items;
    /// false at the end of the text.
    fn longer(&mut self, input: &mut dyn Read, cutter: &Cutter, apart: usize) -> Option<bool> {
        while self.cuts.is_empty() && !self.ended {
            if self.bytes.len() >= LONGEST {
                return None;
            }
            self.fill(input, self.bytes.len().max(apart) * 2)?;
            self.cut(cutter, apart);
        }
        Some(!self.cuts.is_empty())
    }

    /// Reads on until this many bytes are held, or the end.
    fn fill(&mut self, input: &mut dyn Read, size: usize) -> Option<()> {
        let missing = size.saturating_sub(self.bytes.len());
        if missing == 0 || self.ended {
            return Some(());
        }
        self.bytes.reserve_exact(missing);
        let read = input
            .take(missing as u64)
            .read_to_end(&mut self.bytes)
            .ok()?;
        self.ended = read < missing;
        Some(())
    }

    /// Finds the places between items, at least this many bytes apart.
    fn cut(&mut self, cutter: &Cutter, apart: usize) {
        let (mut from, mut at) = (0, self.at);
        let place = |to: usize| {
            (from, at) = (to, after(at, self.bytes.get(from..to).unwrap_or_default()));
            (to, at)
        };
        self.cuts = cutter
            .cuts(&self.bytes, apart)
            .into_iter()
            .map(place)
            .collect();
    }

    /// Skips this many bytes.
    fn forget(&mut self, bytes: usize) {
        self.at = after(self.at, self.bytes.get(..bytes).unwrap_or_default());
        self.start += bytes;
        self.bytes.drain(..bytes);
    }

    /// Reads from the first byte to the bracket before the first item, and returns where the first
    /// item may start.
    fn head(&self, envelope: &mut ListEnvelope) -> Option<usize> {
        let mut reader = JsonReader::at(valid(&self.bytes)?, self.start, self.at);
        if reader.peek() != Some(b'{') {
            return None;
        }
        reader.at += 1;
        reader.blanks();
        while member(&mut reader, envelope)? {
            if !reader.more(b'}').ok()? {
                return None;
            }
        }
        envelope.problems.append(&mut reader.problems);
        Some(reader.at + 1)
    }

    /// Reads from behind the bracket after the last item to the end of the text.
    fn tail(&self, envelope: &mut ListEnvelope) -> Option<()> {
        let text = std::str::from_utf8(&self.bytes).ok()?;
        let mut reader = JsonReader::at(text, self.start, self.at);
        while reader.more(b'}').ok()? {
            if !member(&mut reader, envelope)? {
                return None; // items a second time
            }
        }
        envelope.chunk.end = self.start + reader.at;
        reader.blanks();
        envelope.problems.append(&mut reader.problems);
        (reader.at == text.len()).then_some(())
    }

    /// Reads the batches on all cores, in order.
    fn read_batches<T: Send>(
        &self,
        item: &(impl Fn(SyntaxNode, Chunk) -> Option<T> + Sync),
    ) -> Option<Vec<ReadBatch<T>>> {
        let batches = self.batches().into_par_iter();
        batches.map(|batch| batch.read(false, item)).collect()
    }

    /// The stretches that end at the places between items.
    fn batches(&self) -> Vec<Batch<'_>> {
        let (mut from, mut at) = (0, self.at);
        let mut batches = Vec::with_capacity(self.cuts.len());
        for &(to, behind) in &self.cuts {
            let bytes = self.bytes.get(from..to).unwrap_or_default();
            let start = self.start + from;
            batches.push(Batch { bytes, start, at });
            (from, at) = (to, behind);
        }
        batches
    }
}

/// The text at the front of these bytes; a character may be cut off at the end.
fn valid(bytes: &[u8]) -> Option<&str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(e) if e.error_len().is_none() => {
            std::str::from_utf8(bytes.get(..e.valid_up_to())?).ok()
        }
        Err(_) => None,
    }
}

/// Reads an entry of the List; false, and nothing read but the key, where its items start. Gives up
/// when a key comes twice.
fn member(reader: &mut JsonReader<'_>, envelope: &mut ListEnvelope) -> Option<bool> {
    reader.blanks();
    let (key, key_span) = reader.key().ok()?;
    if key == "items" && reader.peek() == Some(b'[') {
        return Some(false);
    }
    let value = reader.value(1, KeptFields::Whole).ok()?;
    if key == "items" || envelope.entries.iter().any(|e| *e.key == *key) {
        return None;
    }
    envelope.entries.push(Entry {
        key: key.into(),
        key_span,
        value,
    });
    Some(true)
}

/// The position after some text. Characters are counted by their first bytes.
fn after(at: Position, text: &[u8]) -> Position {
    let lines = memchr::memchr_iter(b'\n', text).count();
    let last = memchr::memrchr(b'\n', text).map_or(text, |i| &text[i + 1..]);
    let characters = last.iter().filter(|b| **b & 0xc0 != 0x80).count();
    let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let before = if lines > 0 { 1 } else { at.column };
    Position {
        line: at.line.saturating_add(narrow(lines)),
        column: before.saturating_add(narrow(characters)),
    }
}

/// How places between items are found.
enum Cutter {
    /// As kubectl indents: a line that closes an item's brace.
    Lines(Box<memmem::Finder<'static>>),
    /// By brackets and strings alone.
    Brackets,
}

impl Cutter {
    /// Looks at the blanks between the list's bracket and its first item.
    fn after(bytes: &[u8]) -> Option<Self> {
        let blanks = bytes
            .iter()
            .position(|b| !matches!(b, b' ' | b'\t' | b'\r' | b'\n'))?;
        let (blanks, item) = bytes.split_at(blanks);
        let Some(line) = memchr::memrchr(b'\n', blanks) else {
            return Some(Self::Brackets);
        };
        let close = [&blanks[line..], b"},"].concat();
        item.starts_with(b"{")
            .then(|| Self::Lines(Box::new(memmem::Finder::new(&close).into_owned())))
    }

    /// Places right behind the comma after an item, at least this many bytes apart.
    fn cuts(&self, bytes: &[u8], apart: usize) -> Vec<usize> {
        match self {
            Self::Lines(close) => {
                let next = |from: &usize| {
                    let far = from + apart;
                    let found = close.find(bytes.get(far..)?)?;
                    Some(far + found + close.needle().len())
                };
                std::iter::successors(next(&0), next).collect()
            }
            Self::Brackets => by_brackets(bytes, apart),
        }
    }
}

fn by_brackets(bytes: &[u8], apart: usize) -> Vec<usize> {
    let mut cuts = Vec::new();
    let (mut from, mut at) = (0, 0);
    while let Some(end) = crate::tree::scan::skip_value(bytes, at) {
        let blanks = bytes[end..]
            .iter()
            .take_while(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n'))
            .count();
        at = end + blanks + 1;
        if bytes.get(end + blanks) != Some(&b',') {
            break;
        }
        if at - from >= apart {
            cuts.push(at);
            from = at;
        }
    }
    cuts
}

/// What was made of the items of a batch, their problems, and how far the reading got.
type ReadBatch<T> = (Vec<T>, Vec<Problem>, usize);

/// A row of items.
struct Batch<'b> {
    bytes: &'b [u8],
    start: usize,
    at: Position,
}

impl Batch<'_> {
    /// Reads the items: all of them followed by a comma, or the last ones, which a bracket follows.
    /// Tells how far it got.
    fn read<T>(
        self,
        last: bool,
        item: impl Fn(SyntaxNode, Chunk) -> Option<T>,
    ) -> Option<ReadBatch<T>> {
        let mut reader = JsonReader::at(std::str::from_utf8(self.bytes).ok()?, self.start, self.at);
        let mut made = Vec::new();
        loop {
            reader.blanks();
            if !last && reader.at == self.bytes.len() {
                return Some((made, reader.problems, reader.at));
            }
            let begins = reader.here();
            let node = reader.value(2, KeptFields::Whole).ok()?;
            let Position { line, column } = begins.at;
            let chunk = Chunk {
                start: node.span.start,
                end: node.span.end,
                line,
                column,
            };
            made.push(item(node, chunk)?);
            reader.blanks();
            match reader.peek()? {
                b',' => reader.at += 1,
                b']' if last => {
                    reader.at += 1;
                    return Some((made, reader.problems, reader.at));
                }
                _ => return None,
            }
        }
    }
}
