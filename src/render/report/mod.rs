//! The report: what there is, what may reach what, and why, in one file for people, and as Markdown and CSV.
//!
//! The page ([`html`]) holds its data as one JSON block ([`data`]) and works without scripts: summary, map, matrix, findings
//! and inputs are plain markup. Nothing is loaded from anywhere. What other commands find ([`Rows`]) is handed in as rows,
//! so that the report judges nothing itself.

mod data;
mod html;
mod profile;

pub use profile::Profile;

use super::drawing::{Drawing, Facts, Level, Options};
use super::inputs::plural;
use super::matrix::Square;
use super::{Book, csv, words};
use crate::query::list::{Listing, Party};
use crate::query::matrix::Matrix;
use std::io::{self, Write};

/// One line of what another command found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// The cells.
    pub cells: Vec<String>,
}

/// What another command found, as a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// The head.
    pub head: Vec<&'static str>,
    /// The lines.
    pub rows: Vec<Row>,
    /// What to say where there are none.
    pub empty: String,
}

/// Everything a report says.
pub struct Report<'a> {
    /// What names and places are looked up in.
    pub book: Book<'a>,
    /// The table of flows.
    pub listing: &'a Listing,
    /// The same, ready to be drawn.
    pub facts: &'a Facts,
    /// From every namespace to every other.
    pub matrix: &'a Matrix,
    /// What changed against another state, if one was given.
    pub changes: Option<Rows>,
    /// What lint found.
    pub findings: Rows,
    /// What tests say.
    pub tests: Rows,
    /// For whom it is.
    pub profile: Option<Profile>,
}

/// Most pairs of groups whose explanation a page carries.
pub const PAIRS: usize = 10_000;

impl Report<'_> {
    /// Writes the page.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn html(&self, out: &mut dyn Write) -> io::Result<()> {
        html::write(self, out)
    }

    /// Writes Markdown.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn md(&self, out: &mut dyn Write) -> io::Result<()> {
        let cell = |text: &str| super::md::code(text);
        writeln!(out, "# Network policy report\n")?;
        self.counts().iter().try_for_each(|(what, n)| writeln!(out, "- {what}: {n}"))?;
        writeln!(out, "\n{}\n", self.honesty())?;
        if let Some(profile) = self.profile {
            writeln!(
                out,
                "## {}\n\n| control | what it asks | what the input shows |\n| --- | --- | --- |",
                profile.title()
            )?;
            for control in profile.controls(self) {
                writeln!(out, "| {} | {} | {} |", control.id, control.asks, control.shows)?;
            }
            writeln!(out)?;
        }
        writeln!(out, "## Flows\n\n| from | to | ports |\n| --- | --- | --- |")?;
        for [from, to, ports] in self.flows() {
            writeln!(out, "| {} | {} | {ports} |", cell(&from), cell(&to))?;
        }
        for (title, rows) in self.tables() {
            writeln!(out, "\n## {title}\n")?;
            if rows.rows.is_empty() {
                writeln!(out, "{}", rows.empty)?;
                continue;
            }
            writeln!(out, "| {} |\n|{}", rows.head.join(" | "), " --- |".repeat(rows.head.len()))?;
            for row in &rows.rows {
                writeln!(out, "| {} |", row.cells.iter().map(|c| cell(c)).collect::<Vec<_>>().join(" | "))?;
            }
        }
        Ok(())
    }

    /// Writes the flows as CSV.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn csv(&self, out: &mut dyn Write) -> io::Result<()> {
        csv::listing(self.book, &crate::query::list::Filter::default(), out)
    }

    fn tables(&self) -> Vec<(&'static str, &Rows)> {
        let changes = self.changes.iter().map(|c| ("Changes", c));
        changes.chain([("Findings", &self.findings), ("Tests", &self.tests)]).collect()
    }

    /// The counts, in the words of the other commands.
    pub fn counts(&self) -> Vec<(&'static str, String)> {
        let t = self.facts.tally;
        let by_rule = |d: usize| {
            if t.open_by_rule[d] > 0 { format!(" and {} by a rule", t.open_by_rule[d]) } else { String::new() }
        };
        let mut counts = vec![
            ("namespaces", t.namespaces.to_string()),
            ("workloads", t.workloads.to_string()),
            ("policies", t.policies.to_string()),
            ("allowed flows with a governed end", t.flows.to_string()),
            ("workloads that accept from anyone", format!("{}{}", t.open[0], by_rule(0))),
            ("workloads that may go anywhere", format!("{}{}", t.open[1], by_rule(1))),
        ];
        if !self.findings.head.is_empty() {
            counts.push(("findings", self.findings.rows.len().to_string()));
        }
        counts
    }

    /// What this is, and what it is not.
    pub fn honesty(&self) -> String {
        let input = self.book.input;
        let unknown = input.policies.taints.len();
        let unknown = if unknown == 0 {
            String::new()
        } else {
            format!(
                " {} could not be modelled or read; verdicts they could touch are unknown.",
                plural(unknown, "policy")
            )
        };
        format!(
            "Static analysis of {}: this shows what the policies say, not what the network does. It is evidence of design, not of enforcement.{unknown}",
            plural(input.tally.files, "file")
        )
    }

    /// The flows in words.
    fn flows(&self) -> Vec<[String; 3]> {
        let cluster = &self.book.input.cluster;
        let party = |p: &Party| match p {
            Party::Workload(w) => cluster.workload_name(*w),
            Party::Addresses(set) => words::addresses(set),
        };
        let ports = |e: &crate::query::list::Entry| match (e.allowed.sure.is_empty(), e.allowed.unknown.is_empty()) {
            (_, true) => words::traffic(&e.allowed.sure),
            (true, false) => format!("{} ?", words::traffic(&e.allowed.unknown)),
            (false, false) => format!("{} + ?", words::traffic(&e.allowed.sure)),
        };
        let mut flows: Vec<[String; 3]> = self
            .listing
            .entries
            .iter()
            .map(|e| [party(&e.source), party(&e.destination), ports(e)].map(|t| words::clean(&t).into_owned()))
            .collect();
        flows.sort();
        flows
    }

    fn square(&self) -> Square<'_> {
        Square { book: self.book, matrix: self.matrix }
    }

    /// The map: namespaces, and workloads where that stays readable or nearly so.
    fn maps(&self) -> Vec<(&'static str, Drawing)> {
        let at = |level| Drawing::new(self.facts, &Options { level, ..Options::default() });
        let coarse = at(Level::Namespace);
        let detailed = at(Level::Workload);
        let small = detailed.graph.node_count() <= 400 && detailed.graph.edge_count() <= 800;
        let mut maps = Vec::new();
        if detailed.is_readable() {
            maps.push(("workloads", detailed));
            maps.push(("namespaces", coarse));
        } else {
            maps.push(("namespaces", coarse));
            if small {
                maps.push(("workloads", detailed));
            }
        }
        maps
    }
}
