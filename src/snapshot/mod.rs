//! The snapshot: the allow-graph as a text that is kept in git and read in reviews.
//!
//! Each line states one fact. The lines are sorted by bytes, and nothing in them changes unless the
//! meaning changes: they name no files, line numbers, pods, replica counts or columns. `open-in X`
//! says that X accepts traffic from anyone; `open-out X` says that its egress policies deny
//! nothing. A flow between two such workloads is implied and never listed, so the text does not
//! grow with the square of the number of workloads.
//!
//! Lines that end in `(potential)` are about pods that are not in the input: what a governed end
//! admits from them or may send to them, and what policies do to pods that they select and nobody
//! has loaded. They are described by the policies' own selectors, and made for people: the line
//! `potential sha256:...` is a digest of all that policies mean for such pods (see `meaning`), so
//! that nothing about them changes unseen, and nothing counts that is only worded otherwise.
//!
//! A `call` line states what passes by the name of a Service, where rules that name it let pass
//! something else than what passes to the pods behind it.
//!
//! Soundness: together with the open workloads, the lines state for every pair of workloads (and
//! outside blocks) what certainly passes between all their pods. A `some` line states what passes
//! between some of the pods, an `unknown` line what cannot be decided from the input. Traffic from
//! a workload to itself is left out. The module `take` describes how the snapshot is computed and
//! what that costs.

mod calls;
mod meaning;
mod potential;
mod restricted;
mod take;
mod untold;
pub mod words;
mod written_policies;

use crate::graph::{AllowGraph, CompileError};
use crate::input::Input;
use crate::model::Cluster;
use crate::potential::World;
use crate::query::list::laid_graph::LaidGraph;
use crate::query::list::potential_rows::{PotentialRows, all_rows_over, can_be_listed};
use std::collections::BTreeSet;

/// The first words of the first line.
pub const HEAD: &str = "# netpal snapshot v1";

/// The facts of an allow-graph, as lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The lines, sorted by bytes.
    pub lines: BTreeSet<String>,
}

/// How an allow-graph differs from a snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drift {
    /// Lines that only the current allow-graph has.
    pub added: Vec<String>,
    /// Lines that only the snapshot has.
    pub removed: Vec<String>,
    /// How many lines about pods that are not in the input are worded otherwise, with the same
    /// meaning.
    pub reworded: usize,
}

impl Drift {
    /// Whether the two are equal.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }

    /// Whether what policies mean for pods that are not in the input differs, and no line but the
    /// digest tells it.
    pub fn is_untold(&self) -> bool {
        self.added.iter().any(|line| meaning::is_digest(line))
    }

    /// Every line with its sign, in the order of a diff: removed lines first, then added ones.
    pub fn lines(&self) -> Vec<String> {
        let signed = |sign: char, lines: &[String]| {
            lines
                .iter()
                .map(|l| format!("{sign} {l}"))
                .collect::<Vec<_>>()
        };
        [signed('-', &self.removed), signed('+', &self.added)].concat()
    }
}

impl Snapshot {
    /// Takes the snapshot of an allow-graph.
    pub fn new(graph: &AllowGraph) -> Self {
        Self {
            lines: take::Taker::new(graph)
                .take()
                .into_iter()
                .chain(calls::lines(graph))
                .collect(),
        }
    }

    /// Takes the snapshot of the allow-graph of an input, with what policies mean for pods of a
    /// world that are not in the input.
    ///
    /// # Errors
    /// When the input with the kinds of such pods is too large to compile.
    pub fn of(input: &Input, graph: &AllowGraph, world: World) -> Result<Self, CompileError> {
        let mut snapshot = Self::new(graph);
        let Some(pods) = LaidGraph::kinds(input, world) else {
            snapshot.lines.extend(meaning::line_of_untold(input, world));
            return Ok(snapshot);
        };
        if !meaning::can_be_asked(&pods) && !can_be_listed(input, &pods, None) {
            snapshot
                .lines
                .insert(meaning::line_as_written(input, &pods));
            return Ok(snapshot);
        }
        let laid = LaidGraph::of(input, pods, &graph.environment().options)?;
        snapshot.lines.insert(meaning::line(input, &laid));
        Ok(snapshot.with_potential(&all_rows_over(input, &laid), &input.cluster))
    }

    /// The same with lines about pods that are not in the input.
    #[must_use]
    pub fn with_potential(mut self, rows: &PotentialRows, cluster: &Cluster) -> Self {
        let lines = rows.lines(cluster);
        self.lines.extend(lines.iter().flat_map(potential::lines));
        self
    }

    /// Parses a snapshot. Empty lines and lines that begin with `#` are skipped.
    ///
    /// # Errors
    /// When the text is not a snapshot of this version.
    pub fn parse(text: &str) -> Result<Self, String> {
        let head = text.lines().next().unwrap_or_default();
        if head
            .strip_prefix(HEAD)
            .is_none_or(|rest| !(rest.is_empty() || rest.starts_with(' ')))
        {
            return Err(format!("the first line is not `{HEAD} ...`"));
        }
        let lines = text
            .lines()
            .map(str::trim_end)
            .filter(|l| !l.is_empty() && !l.starts_with('#'));
        Ok(Self {
            lines: lines.map(str::to_owned).collect(),
        })
    }

    /// The whole text; `cni` names the assumptions that the snapshot was taken under.
    pub fn text(&self, cni: &str) -> String {
        let mut text =
            format!("{HEAD} unit=workload cni={cni} (update: netpal snapshot --update)\n");
        for line in &self.lines {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// How `now` differs from this snapshot. Lines about pods that are not in the input may be
    /// worded otherwise while they mean the same: the digest tells. It is a difference of its own
    /// only where they do not tell what differs.
    pub fn drift(&self, now: &Self) -> Drift {
        let mut drift = Drift {
            added: now.lines.difference(&self.lines).cloned().collect(),
            removed: self.lines.difference(&now.lines).cloned().collect(),
            reworded: 0,
        };
        let Some((kept, found)) = self.digest().zip(now.digest()) else {
            return drift;
        };
        let told = drift.added.iter().chain(&drift.removed);
        let told = told.filter(|line| potential::is_about(line)).count();
        let is_left_out = |line: &str| {
            if kept == found {
                potential::is_about(line)
            } else {
                told > 0 && meaning::is_digest(line)
            }
        };
        for lines in [&mut drift.added, &mut drift.removed] {
            lines.retain(|line| !is_left_out(line));
        }
        if kept == found {
            drift.reworded = told;
        }
        drift
    }

    /// The line with what policies mean for pods that are not in the input.
    fn digest(&self) -> Option<&str> {
        let mut lines = self.lines.iter().map(String::as_str);
        lines.find(|line| meaning::is_digest(line))
    }
}
