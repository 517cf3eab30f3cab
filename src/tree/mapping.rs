//! A mapping while it is read: keys of its own and keys that merges bring, as kubectl's reader
//! takes them.
//!
//! It goes from top to bottom: what stands later wins, be it a key or a merge. `a: 1` before
//! `<<: {a: 2}` is 2, and after it 1. Other tools, kustomize among them, let the own key win
//! wherever it stands; where that differs it is a warning. A key that stands twice is a mistake,
//! one that a merge brought and the mapping then gives is not. Cost: constant per key.

use crate::source::Span;
use crate::tree::node::{Entry, FEW_KEYS, SyntaxNode, Value};
use crate::tree::problem::{ParseResult, Problem, ProblemKind, duplicate_key};
use std::collections::HashMap;

/// The entries so far.
#[derive(Default)]
pub(crate) struct Mapping {
    entries: Vec<Entry>,
    /// Which of them a merge brought.
    merged: Vec<bool>,
    /// The indices of the keys, once there are many; a few are searched linearly.
    index: HashMap<Box<str>, usize>,
}

impl Mapping {
    fn find(&mut self, key: &str) -> Option<usize> {
        if self.entries.len() < FEW_KEYS {
            return self.entries.iter().position(|e| *e.key == *key);
        }
        let known = self.index.len();
        let new = self.entries.iter().enumerate().skip(known);
        self.index.extend(new.map(|(i, e)| (e.key.clone(), i)));
        self.index.get(key).copied()
    }

    fn set(&mut self, at: Option<usize>, entry: Entry, merged: bool) {
        let place = at.and_then(|at| self.entries.get_mut(at).zip(self.merged.get_mut(at)));
        if let Some((known, was_merged)) = place {
            (*known, *was_merged) = (entry, merged);
        } else {
            self.entries.push(entry);
            self.merged.push(merged);
        }
    }

    /// Takes a key of the mapping's own.
    pub(crate) fn insert(&mut self, entry: Entry) -> Option<Problem> {
        let at = self.find(&entry.key);
        let own = at.filter(|at| self.merged.get(*at) == Some(&false));
        let earlier = own.and_then(|at| self.entries.get(at));
        let problem = earlier.map(|e| duplicate_key(&entry.key, e.key_span, entry.key_span));
        self.set(at, entry, false);
        problem
    }

    /// Takes what a merge brings: a mapping, or several, of which the earlier wins.
    ///
    /// # Errors
    /// When it is neither.
    pub(crate) fn merge(&mut self, value: SyntaxNode, key_span: Span) -> ParseResult<Vec<Problem>> {
        let span = value.span;
        let mut problems = Vec::new();
        match value.value {
            Value::Mapping(entries) => {
                for entry in entries {
                    let at = self.find(&entry.key);
                    let own = at.filter(|at| self.merged.get(*at) == Some(&false));
                    problems.extend(own.map(|_| replaced(&entry.key, key_span)));
                    self.set(at, entry, true);
                }
            }
            Value::Sequence(items)
                if items.iter().all(|i| matches!(i.value, Value::Mapping(_))) =>
            {
                for item in items.into_iter().rev() {
                    problems.extend(self.merge(item, key_span)?);
                }
            }
            _ => {
                let message = "`<<` needs a mapping or a list of mappings";
                return Err(Box::new(Problem::new(ProblemKind::Syntax, span, message)));
            }
        }
        Ok(problems)
    }

    /// The entries.
    pub(crate) fn finish(self) -> Vec<Entry> {
        self.entries
    }
}

fn replaced(key: &str, merge: Span) -> Problem {
    let message = format!("`<<` stands after `{key}` and replaces it");
    Problem::new(ProblemKind::Lost, merge, message).help(
        "kubectl takes what stands later, kustomize the key of the mapping itself; put `<<` first",
    )
}
