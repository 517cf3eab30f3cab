//! What `lint --fix` changed: the changed lines of the files, the findings it fixed, and what that
//! changes for the traffic.

use crate::diff::Diff;
use crate::finding::Finding;
use crate::render::context::RenderContext;
use crate::render::text::diff;
use crate::render::text::diff_context::{DiffContext, Remarks};
use crate::render::words;
use crate::words::plural;
use std::fmt::Write as _;
use std::io::{self, Write};

/// Lines of context in which a changed line is looked for on the other side.
const LOOKAHEAD: usize = 8;

/// A file before and after the fixes.
pub struct FixedFile {
    /// Its name.
    pub name: String,
    /// Its text before.
    pub before: String,
    /// Its text after.
    pub after: String,
}

/// What was fixed, or would be.
pub struct FixView<'a> {
    /// The files that change.
    pub files: Vec<FixedFile>,
    /// The findings that are fixed.
    pub fixed: Vec<&'a Finding>,
    /// What the fixes change for the traffic, where there are any.
    pub traffic: Option<FixedTraffic<'a>>,
    /// How many findings are left.
    pub left: usize,
    /// Whether nothing was written.
    pub dry_run: bool,
}

/// The diff of the states before and after the fixes: of workloads, doors and pods that are not in
/// the input.
#[derive(Clone, Copy)]
pub struct FixedTraffic<'a> {
    /// What changes.
    pub diff: &'a Diff,
    /// The state before.
    pub before: RenderContext<'a>,
    /// The state after.
    pub after: RenderContext<'a>,
    /// What follows from the changes.
    pub remarks: &'a Remarks,
}

impl FixView<'_> {
    /// Writes it, followed by an empty line.
    pub(crate) fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut text = String::new();
        for file in &self.files {
            changed_lines(&mut text, file);
        }
        let done = if self.dry_run { "would fix" } else { "fixed" };
        for finding in &self.fixed {
            let _ = writeln!(
                text,
                "{done} {} {}: {}",
                finding.rule, finding.name, finding.message
            );
        }
        writeln!(out, "{}", words::clean_lines(text.trim_end()))?;
        if let Some(traffic) = self.traffic {
            traffic.text(out)?;
        }
        let (fixed, left) = (self.fixed.len(), self.left);
        writeln!(
            out,
            "{done} {}, {} left",
            plural(fixed, "finding"),
            plural(left, "finding")
        )
    }
}

impl FixedTraffic<'_> {
    /// Writes the diff; one line where nothing changes for certain.
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.diff.is_empty() && !self.diff.is_incomplete() {
            return writeln!(out, "no verdict changes");
        }
        let contexts = DiffContext {
            before: self.before,
            after: self.after,
            label: "",
            remarks: self.remarks,
        };
        diff::text(contexts, self.diff, self.after.style, usize::MAX, out)
    }
}

/// The lines of a file that change, with their numbers.
fn changed_lines(text: &mut String, file: &FixedFile) {
    let old: Vec<&str> = file.before.lines().collect();
    let new: Vec<&str> = file.after.lines().collect();
    let _ = writeln!(text, "--- {}", file.name);
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        if old.get(i) == new.get(j) {
            (i, j) = (i + 1, j + 1);
            continue;
        }
        let (removed, added) = changed_run(
            old.get(i..).unwrap_or_default(),
            new.get(j..).unwrap_or_default(),
        );
        for (k, line) in old.iter().enumerate().skip(i).take(removed) {
            let _ = writeln!(text, "{:>5} - {line}", k + 1);
        }
        for (k, line) in new.iter().enumerate().skip(j).take(added) {
            let _ = writeln!(text, "{:>5} + {line}", k + 1);
        }
        (i, j) = (i + removed, j + added);
    }
}

/// How many lines at the start of both texts are removed and added until the texts agree again.
fn changed_run(old: &[&str], new: &[&str]) -> (usize, usize) {
    let removed = (1..LOOKAHEAD).find(|k| old.get(*k).is_some_and(|l| new.first() == Some(l)));
    let added = (1..LOOKAHEAD).find(|k| new.get(*k).is_some_and(|l| old.first() == Some(l)));
    match (removed, added) {
        (_, Some(added)) => (0, added),
        (Some(removed), None) => (removed, 0),
        (None, None) => (1, 1),
    }
}
