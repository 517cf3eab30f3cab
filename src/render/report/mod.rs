//! The report: what there is, what may reach what, and why, in one file for people, and as Markdown
//! and CSV.
//!
//! The page ([`html`]) holds its data as one JSON block ([`data`]) and works without scripts:
//! summary, map, matrix, findings and inputs are plain markup. Nothing is loaded from anywhere.
//! What other commands find ([`Rows`]) is handed in as rows, so that the report judges nothing
//! itself.

mod data;
mod digest;
mod html;
mod print;
mod profile;

pub use crate::render::report::digest::digest;
pub use crate::render::report::profile::Profile;

use crate::picture::{Drawing, Facts, Level, Options};
use crate::query::list::listing;
use crate::query::list::listing::{Entry, Listing, Party};
use crate::query::list::matrix::Matrix;
use crate::render::data::csv;
use crate::render::image::matrix::MatrixView;
use crate::render::text::inputs::plural;
use crate::render::{RenderContext, words};
use std::io::{self, Write};
use std::ops::ControlFlow;

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
    pub book: RenderContext<'a>,
    /// The table of flows, or what it says beside them.
    pub listing: &'a Listing,
    /// Whether it holds the flows; else they are listed anew, once for each part of the report.
    pub held: bool,
    /// The same, ready to be drawn.
    pub facts: &'a Facts,
    /// From every namespace to every other.
    pub matrix: &'a Matrix,
    /// What changed against another state, if one was given.
    pub changes: Option<Changes>,
    /// What lint found.
    pub findings: Rows,
    /// What tests say.
    pub tests: Rows,
    /// For whom it is.
    pub profile: Option<Profile>,
    /// What it is about: the cluster's name, or where the input was read.
    pub subject: &'a str,
    /// Under which assumptions of a network plugin.
    pub cni: &'a str,
}

/// What differs between two states.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The lines that `netpal diff` prints.
    pub text: String,
}

/// Most rows of a table that a page holds as markup, where scripts show the others page by page, or
/// Markdown holds.
const ROWS: usize = 500;

/// Most nodes and edges of a map: more than a person takes in at once, fewer than a browser does.
const DRAWN: (usize, usize) = (120, 400);

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
        let cell = |text: &str| crate::render::ci::markdown::code(text);
        writeln!(out, "# Network policy report\n")?;
        self.counts()
            .iter()
            .try_for_each(|(what, n)| writeln!(out, "- {what}: {n}"))?;
        writeln!(out, "\n{}\n", self.honesty())?;
        if let Some(profile) = self.profile {
            writeln!(
                out,
                "## {}\n\n| control | what it asks | what the input shows |\n| --- | --- | --- |",
                profile.title()
            )?;
            for control in profile.controls(self) {
                writeln!(
                    out,
                    "| {} | {} | {} |",
                    control.id, control.asks, control.shows
                )?;
            }
            writeln!(out)?;
        }
        writeln!(
            out,
            "## Flows\n\n| from | to | ports |\n| --- | --- | --- |"
        )?;
        let (flows, more) = self.flows();
        for [from, to, ports] in flows {
            writeln!(out, "| {} | {} | {ports} |", cell(&from), cell(&to))?;
        }
        if more > 0 {
            writeln!(out, "\nand {more} more: netpal report -o csv")?;
        }
        if let Some(changes) = &self.changes {
            writeln!(out, "\n## Changes\n")?;
            changes
                .text
                .lines()
                .try_for_each(|line| writeln!(out, "    {line}"))?;
        }
        for (title, rows) in self.tables() {
            writeln!(out, "\n## {title}\n")?;
            if rows.rows.is_empty() {
                writeln!(out, "{}", rows.empty)?;
                continue;
            }
            writeln!(
                out,
                "| {} |\n|{}",
                rows.head.join(" | "),
                " --- |".repeat(rows.head.len())
            )?;
            for row in rows.rows.iter().take(ROWS) {
                writeln!(
                    out,
                    "| {} |",
                    row.cells
                        .iter()
                        .map(|c| cell(c))
                        .collect::<Vec<_>>()
                        .join(" | ")
                )?;
            }
            let more = rows.rows.len().saturating_sub(ROWS);
            if more > 0 {
                writeln!(out, "\nand {more} more: netpal lint, netpal test")?;
            }
        }
        Ok(())
    }

    /// Writes the flows as CSV.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn csv(&self, out: &mut dyn Write) -> io::Result<()> {
        csv::listing(self.book, &listing::Filter::default(), out)
    }

    fn tables(&self) -> Vec<(&'static str, &Rows)> {
        vec![("Findings", &self.findings), ("Tests", &self.tests)]
    }

    /// The counts, in the words of the other commands.
    pub fn counts(&self) -> Vec<(&'static str, String)> {
        let t = self.facts.tally;
        let by_rule = |d: usize| {
            if t.open_by_rule[d] > 0 {
                format!(" and {} by a rule", t.open_by_rule[d])
            } else {
                String::new()
            }
        };
        let mut counts = vec![
            ("namespaces", t.namespaces.to_string()),
            ("workloads", t.workloads.to_string()),
            ("policies", t.policies.to_string()),
            ("allowed flows with a governed end", t.flows.to_string()),
            ("unknown flows", t.unknown.to_string()),
            (
                "workloads that accept from anyone",
                format!("{}{}", t.open[0], by_rule(0)),
            ),
            (
                "workloads that may go anywhere",
                format!("{}{}", t.open[1], by_rule(1)),
            ),
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
            "Static analysis of {}, digest {}, network plugin: {}. Not modelled: service meshes, cloud firewalls, routing, and rules on names or paths.{unknown} \
             This shows what the policies say, not what the network does: evidence of design, not of enforcement.",
            plural(input.tally.files, "file"),
            digest(&input.sources),
            self.cni,
        )
    }

    /// Goes through the flows.
    fn each_flow(&self, visit: &mut dyn FnMut(&Entry)) {
        if self.held {
            return self.listing.entries.iter().for_each(visit);
        }
        listing::each(self.book.graph, &listing::Filter::default(), &mut |entry| {
            visit(&entry);
            ControlFlow::Continue(())
        });
    }

    /// The first [`ROWS`] flows in words, sorted, and how many more there are.
    fn flows(&self) -> (Vec<[String; 3]>, usize) {
        let cluster = &self.book.input.cluster;
        let party = |p: &Party| match p {
            Party::Workload(w) => cluster.workload_name(*w),
            Party::Addresses(set) => words::addresses(set),
        };
        let ports = |e: &Entry| match (e.allowed.must.is_empty(), e.allowed.unknown().is_empty()) {
            (_, true) => words::traffic(&e.allowed.must),
            (true, false) => format!("{} ?", words::traffic(&e.allowed.unknown())),
            (false, false) => format!("{} + ?", words::traffic(&e.allowed.must)),
        };
        let mut first = std::collections::BinaryHeap::with_capacity(ROWS + 1);
        let mut many = 0;
        self.each_flow(&mut |e| {
            many += 1;
            let clean = |text: String| words::clean(&text).into_owned();
            let from = clean(party(&e.source));
            let is_late = |last: &[String; 3]| first.len() == ROWS && from > last[0];
            if !first.peek().is_some_and(is_late) {
                first.push([from, clean(party(&e.destination)), clean(ports(e))]);
            }
            if first.len() > ROWS {
                first.pop();
            }
        });
        let more = many - first.len();
        (first.into_sorted_vec(), more)
    }

    /// The rows of tables that the page does not hold as markup.
    fn rest(&self) -> std::collections::BTreeMap<&'static str, Vec<Vec<String>>> {
        let rest = |rows: &Rows| {
            rows.rows
                .iter()
                .skip(ROWS)
                .map(|r| r.cells.clone())
                .collect::<Vec<_>>()
        };
        let tables = [
            ("findings", rest(&self.findings)),
            ("tests", rest(&self.tests)),
        ];
        tables
            .into_iter()
            .filter(|(_, rows)| !rows.is_empty())
            .collect()
    }

    fn square(&self) -> MatrixView<'_> {
        MatrixView {
            book: self.book,
            matrix: self.matrix,
        }
    }

    /// The map: workloads where that stays readable or nearly so, and namespaces where they can be
    /// drawn.
    fn maps(&self) -> Vec<(&'static str, Drawing)> {
        let options = Options::default();
        let detailed = Drawing::within(self.facts, &options, DRAWN);
        let coarse = Drawing::new(
            self.facts,
            &Options {
                level: Level::Namespace,
                ..options.clone()
            },
        );
        let (nodes, edges) = coarse.size();
        // beyond, each namespace for itself, without what passes between them
        let fits = nodes <= DRAWN.0 && edges <= DRAWN.1;
        let coarse = if fits {
            coarse
        } else {
            Drawing::new(self.facts, &options)
        };
        let readable = detailed.as_ref().is_some_and(Drawing::is_readable);
        let mut maps: Vec<_> = detailed.map(|d| ("workloads", d)).into_iter().collect();
        maps.push(("namespaces", coarse));
        if !readable {
            maps.reverse();
        }
        maps
    }
}
