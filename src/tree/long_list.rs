//! A long List of JSON, read on all cores.
//!
//! Phases: the items are found by brackets and strings alone; then they are read, several in one go; then they are put
//! together in order. Invariant: what comes out is what [`super::json`] reads in one go, problems included; where an item
//! cannot be read nothing comes out, and the reader tells what is wrong in its own order. Cost: one pass by brackets, and
//! one of reading, divided by the cores.

use super::json::{Reader, Scope};
use super::{Node, Problem, Value};
use rayon::prelude::*;

/// Lists of less text than this are read in one go.
pub(super) const LONG: usize = 256 * 1024;
/// How much text of a long list's items is read in one go, about.
const BATCH: usize = 64 * 1024;

/// Items of a list that were read in one go.
struct Batch {
    items: Vec<Node>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    /// The items of a long List, on all cores; `None`, and nothing read, where that does not work out.
    pub(super) fn long_list(&mut self) -> Option<Value> {
        if self.text.len() - self.at < LONG {
            return None;
        }
        let mut scout = Reader { problems: Vec::new(), ..*self };
        let batches = scout.batches()?;
        let read: Option<Vec<Batch>> = batches.into_par_iter().map(|(reader, count)| reader.batch(count)).collect();
        let read = read?;
        let mut items = Vec::with_capacity(read.iter().map(|b| b.items.len()).sum());
        for batch in read {
            items.extend(batch.items);
            self.problems.extend(batch.problems);
        }
        (self.at, self.line, self.line_start, self.counted) = (scout.at, scout.line, scout.line_start, scout.counted);
        Some(Value::Sequence(items))
    }

    /// Finds where the items of a list stand, by brackets and strings alone: readers that stand at the first of several
    /// items, and how many of them there are. Ends after the list.
    fn batches(&mut self) -> Option<Vec<(Self, usize)>> {
        let mut batches: Vec<(Self, usize)> = Vec::new();
        self.at += 1;
        loop {
            self.blanks();
            match batches.last_mut() {
                Some((first, count)) if self.at - first.at < BATCH => *count += 1,
                _ => {
                    self.here(); // so that characters are counted from here on
                    batches.push((Self { problems: Vec::new(), ..*self }, 1));
                }
            }
            if !self.skip_value() {
                return None;
            }
            self.blanks();
            let next = self.peek()?;
            self.at += 1;
            match next {
                b',' => {}
                b']' => return Some(batches),
                _ => return None,
            }
        }
    }

    /// Reads so many items of a list; `None` where one cannot be read.
    fn batch(mut self, count: usize) -> Option<Batch> {
        let mut items = Vec::with_capacity(count);
        for i in 0..count {
            self.blanks();
            items.push(self.value(2, Scope::Whole).ok()?);
            if i + 1 < count && !self.more(b']').ok()? {
                return None;
            }
        }
        self.blanks();
        matches!(self.peek(), Some(b',' | b']')).then_some(Batch { items, problems: self.problems })
    }
}
