//! What `lint --fix` changed: the changed lines of the files, the findings it fixed, and what that
//! changes for the traffic.

use crate::finding::Finding;
use crate::model::WorkloadId;
use crate::query::list::listing::{Filter, summary};
use crate::render::context::RenderContext;
use crate::render::data::csv;
use crate::render::words;
use crate::words::plural;
use std::collections::BTreeSet;
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
    /// The flows that open and close.
    pub traffic: FlowChanges,
    /// How many findings are left.
    pub left: usize,
    /// Whether nothing was written.
    pub dry_run: bool,
}

/// Flows of two states that only one of them has, in words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlowChanges {
    /// What only the state after has.
    pub opened: Vec<String>,
    /// What only the state before has.
    pub closed: Vec<String>,
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
        self.traffic.text(&mut text);
        let _ = writeln!(
            text,
            "{done} {}, {} left",
            plural(self.fixed.len(), "finding"),
            plural(self.left, "finding")
        );
        writeln!(out, "{}", words::clean_lines(&text))
    }
}

impl FlowChanges {
    /// Compares the allowed flows with a governed end, and who is open, of two states.
    pub fn between(before: &RenderContext<'_>, after: &RenderContext<'_>) -> Self {
        let (old, new) = (flows(before), flows(after));
        Self {
            opened: new.difference(&old).cloned().collect(),
            closed: old.difference(&new).cloned().collect(),
        }
    }

    fn text(&self, text: &mut String) {
        if self.opened.is_empty() && self.closed.is_empty() {
            text.push_str("no verdict changes\n");
            return;
        }
        text.push_str("what changes for the traffic:\n");
        for flow in &self.opened {
            let _ = writeln!(text, "  + {flow}");
        }
        for flow in &self.closed {
            let _ = writeln!(text, "  - {flow}");
        }
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

/// Every allowed flow with a governed end, and who is open, in words.
fn flows(context: &RenderContext<'_>) -> BTreeSet<String> {
    let mut bytes = Vec::new();
    // INVARIANT: a vector takes every write
    let _ = csv::listing(*context, &Filter::default(), &mut bytes);
    let table = String::from_utf8_lossy(&bytes).into_owned();
    let mut flows: BTreeSet<String> = table.lines().skip(1).map(flow).collect();
    let open = summary(context.graph, &Filter::default());
    let name = |w: &WorkloadId| context.input.cluster.workload_name(*w);
    let open_in = open.open_in.iter().map(name);
    flows.extend(open_in.map(|w| format!("{w} accepts from anyone")));
    let open_out = open.open_out.iter().map(name);
    flows.extend(open_out.map(|w| format!("{w} may send anywhere")));
    flows
}

/// A row of the table of flows, in words.
fn flow(row: &str) -> String {
    let cells: Vec<&str> = row.splitn(3, ',').collect();
    let cell = |i: usize| cells.get(i).copied().unwrap_or_default();
    let traffic = cell(2).replace(",,false", "");
    format!("{} -> {} {traffic}", cell(0), cell(1))
}
