//! The snapshot: the allow-graph as a text that is kept in git and read in reviews.
//!
//! One line a fact, sorted by bytes, nothing in it that changes without the meaning changing: no
//! files, lines, pod names, replica counts or columns. `open-in X` says that X accepts from anyone,
//! `open-out X` that its policies keep it from nothing; a flow between the two is implied and never
//! listed, so the text does not grow with the square of the workloads.
//!
//! Soundness: with the open ends, the lines say for every pair of workloads (and outside blocks)
//! what surely passes between all their pods; `some` lines what passes between some of them;
//! `unknown` lines what the input does not tell. A workload with itself is left out. How it is
//! taken, and what that costs: `take`.

mod take;
pub mod words;

use crate::graph::AllowGraph;
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
    /// Lines that are new.
    pub added: Vec<String>,
    /// Lines that are gone.
    pub removed: Vec<String>,
}

impl Drift {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }

    /// Every line with its sign, in the order of a diff: what is gone, what is new.
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
    /// Takes the snapshot.
    pub fn new(graph: &AllowGraph) -> Self {
        Self {
            lines: take::Taker::new(graph).take().into_iter().collect(),
        }
    }

    /// Reads a snapshot; lines that begin with `#` and empty ones are passed over.
    ///
    /// # Errors
    /// When the text is no snapshot of this version.
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

    /// The whole text; `cni` names the assumptions it was taken under.
    pub fn text(&self, cni: &str) -> String {
        let mut text =
            format!("{HEAD} unit=workload cni={cni} (update: netpal snapshot --update)\n");
        for space in &self.lines {
            text.push_str(space);
            text.push('\n');
        }
        text
    }

    /// How `now` differs from this.
    pub fn drift(&self, now: &Self) -> Drift {
        Drift {
            added: now.lines.difference(&self.lines).cloned().collect(),
            removed: self.lines.difference(&now.lines).cloned().collect(),
        }
    }
}
