//! The table of `list`: one line a flow, the rules that make it so, and who is open.

use crate::model::WorkloadId;
use crate::policy::Direction;
use crate::query::explain::explanation::{Explanation, Reason};
use crate::query::list::listing;
use crate::query::list::listing::{Filter, ListEntry, Listing, Party};
use crate::render::ci::markdown::code;
use crate::render::context::Style;
use crate::render::text::writer::TextWriter;
use crate::render::words;
use crate::spec::HostNetwork;
use crate::words::plural;
use std::io::{self, Write};

/// How many lines of a table are allowed for certain, and how many are unknown.
#[derive(Clone, Copy, Default)]
struct Count {
    allowed: usize,
    unknown: usize,
}

impl Count {
    fn doubt(self) -> String {
        if self.unknown > 0 {
            format!(", {} unknown", self.unknown)
        } else {
            String::new()
        }
    }
}

impl TextWriter<'_> {
    /// The table of `list`; `from` and `to` are the ends it was narrowed to, as they were written.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn listing(
        &self,
        filter: &Filter,
        from: Option<&str>,
        to: Option<&str>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let listing = listing::summary(self.context.graph, filter);
        let mut rows = Rows {
            style: self.style,
            held: Vec::new(),
            count: 0,
            result: Ok(()),
            out,
        };
        let mut count = Count::default();
        listing::each(self.context.graph, filter, &mut |entry| {
            if entry.is_allowed() || !self.only_host_network(&listing, &entry) {
                *if entry.is_allowed() {
                    &mut count.allowed
                } else {
                    &mut count.unknown
                } += 1;
                rows.add(self.row(&listing, &entry));
            }
            crate::render::format::going(&rows.result)
        });
        rows.finish()?;
        self.unknown_line(&listing, out)?;
        match (from, to) {
            (None, None) => self.open(&listing, count, out),
            _ => writeln!(out, "{}", self.scope(&listing, from, to, count)),
        }
    }

    /// The table of `list` in Markdown, whose cells are code spans.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn listing_in_markdown(&self, filter: &Filter, out: &mut dyn Write) -> io::Result<()> {
        let listing = listing::summary(self.context.graph, filter);
        let mut rows = Vec::new();
        listing::each(self.context.graph, filter, &mut |entry| {
            if entry.is_allowed() || !self.only_host_network(&listing, &entry) {
                rows.push(self.row(&listing, &entry));
            }
            std::ops::ControlFlow::Continue(())
        });
        rows.sort();
        writeln!(out, "| from | to | ports | because |")?;
        writeln!(out, "| --- | --- | --- | --- |")?;
        for row in &rows {
            let cells = row.each_ref().map(|cell| code(cell));
            writeln!(out, "| {} |", cells.join(" | "))?;
        }
        for (what, list) in [
            ("accept from anyone", &listing.open_in),
            ("may go anywhere", &listing.open_out),
            ("hostNetwork, unknown", &listing.host_network),
        ] {
            let names: Vec<String> = list.iter().map(|id| code(&self.name(*id))).collect();
            if !names.is_empty() {
                writeln!(out, "\n**{what}:** {}", names.join(", "))?;
            }
        }
        Ok(())
    }

    fn unknown_line(&self, listing: &Listing, out: &mut dyn Write) -> io::Result<()> {
        if listing.host_network.is_empty()
            || self.context.graph.environment().options.host_network != HostNetwork::Unknown
        {
            return Ok(());
        }
        let names = self.names(&listing.host_network);
        writeln!(
            out,
            "unknown    {names}   hostNetwork: policies may or may not apply; give --cni or --assume hostnetwork=node"
        )
    }

    fn names(&self, list: &[WorkloadId]) -> String {
        let shown: Vec<String> = list.iter().take(12).map(|w| self.name(*w)).collect();
        let more = list.len() - shown.len();
        if more > 0 {
            format!("{} and {more} more", shown.join(", "))
        } else {
            shown.join(", ")
        }
    }

    fn name(&self, id: WorkloadId) -> String {
        words::clean(&self.cluster().workload_name(id)).into_owned()
    }

    fn open(&self, listing: &Listing, count: Count, out: &mut dyn Write) -> io::Result<()> {
        if !listing.open_in.is_empty() {
            let names = self.names(&listing.open_in);
            writeln!(
                out,
                "open in    {names}   accept from anyone: no policy selects them for ingress"
            )?;
        }
        if !listing.open_out.is_empty() {
            let names = self.names(&listing.open_out);
            writeln!(
                out,
                "open out   {names}   may go anywhere: no policy selects them for egress"
            )?;
        }
        writeln!(
            out,
            "{} with a governed end{}; flows between open workloads are not listed (--all lists them)",
            plural(count.allowed, "allowed flow"),
            count.doubt()
        )
    }

    /// `4 allowed flows into data; data has 0 open workloads`.
    fn scope(
        &self,
        listing: &Listing,
        from: Option<&str>,
        to: Option<&str>,
        count: Count,
    ) -> String {
        let short = |end: &str| words::clean(end.strip_prefix("ns/").unwrap_or(end)).into_owned();
        let flows = format!("{}{}", plural(count.allowed, "allowed flow"), count.doubt());
        let one =
            |wanted: &Option<Vec<WorkloadId>>| wanted.as_ref().is_some_and(|list| list.len() == 1);
        match (from, to) {
            (from, Some(to)) => {
                let (to, opened) = (
                    short(to),
                    open_count(&listing.open_in, listing.to.as_deref()),
                );
                let from = from.map_or_else(String::new, |f| format!(" from {}", short(f)));
                let open = if one(&listing.to) {
                    String::new()
                } else {
                    format!("; {to} has {}", plural(opened, "open workload"))
                };
                format!("{flows}{from} into {to}{open}")
            }
            (Some(from), None) => {
                let (from, opened) = (
                    short(from),
                    open_count(&listing.open_out, listing.from.as_deref()),
                );
                let open = if one(&listing.from) {
                    String::new()
                } else {
                    format!("; {opened} of its workloads may go anywhere")
                };
                format!("{flows} out of {from}{open}")
            }
            (None, None) => flows,
        }
    }

    /// Whether an end shares its node's network, so that one line about it says what is unknown of
    /// all its flows.
    fn only_host_network(&self, listing: &Listing, entry: &ListEntry) -> bool {
        let hosts = |p: &Party| matches!(p, Party::Workload(w) if listing.host_network.contains(w));
        (hosts(&entry.source) || hosts(&entry.destination))
            && self.context.graph.environment().options.host_network == HostNetwork::Unknown
    }

    fn row(&self, listing: &Listing, entry: &ListEntry) -> [String; 4] {
        let party = |p: &Party| match p {
            Party::Workload(w) => words::clean(&self.cluster().workload_name(*w)).into_owned(),
            Party::Addresses(set) => words::addresses(set),
        };
        let mut ports = words::traffic(&entry.allowed.must);
        if !entry.allowed.is_exact() && !self.only_host_network(listing, entry) {
            let unknown = words::traffic(&entry.allowed.unknown());
            ports = if entry.allowed.must.is_empty() {
                format!("{unknown} ?")
            } else {
                format!("{ports} + {unknown} ?")
            };
        }
        if entry.differs {
            ports.push_str(" (some pods)");
        }
        [
            party(&entry.source),
            party(&entry.destination),
            ports,
            self.because(entry),
        ]
    }

    /// The rules that make a row possible, egress after ingress: every one that some of its traffic
    /// rests on.
    fn because(&self, entry: &ListEntry) -> String {
        let all = entry.explanations(self.context.graph);
        let Some(explanation) = all.first() else {
            return String::new();
        };
        if explanation.host_network && explanation.allowed == crate::model::Truth::Maybe {
            return "unknown: hostNetwork".into();
        }
        if explanation.families.is_some() {
            return explanation.reason().code().to_owned();
        }
        let mut parts: Vec<String> = Vec::new();
        for direction in [Direction::Ingress, Direction::Egress] {
            let sides = all.iter().flat_map(Explanation::sides);
            for side in sides.filter(|side| side.direction == direction) {
                let part = match (side.decided_by, side.reason) {
                    (Some(at), _) => words::cited(self.context.graph, at),
                    (None, Reason::AllowDefault | Reason::AllowSelf) => continue,
                    (None, reason) => reason.code().to_owned(),
                };
                if !parts.contains(&part) {
                    parts.push(part);
                }
            }
        }
        if parts.is_empty() {
            "default allow".into()
        } else {
            parts.join(" + ")
        }
    }
}

/// How many rows are held to be sorted and lined up; a longer table is written as it comes.
const HELD: usize = 50_000;

/// Rows on their way out.
struct Rows<'o> {
    style: Style,
    held: Vec<[String; 4]>,
    count: usize,
    result: io::Result<()>,
    out: &'o mut dyn Write,
}

impl Rows<'_> {
    fn add(&mut self, row: [String; 4]) {
        self.count += 1;
        if self.count <= HELD {
            self.held.push(row);
            return;
        }
        self.result = self
            .flush()
            .and_then(|()| writeln!(self.out, "{}", row.join("  ")));
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        let mut rows = std::mem::take(&mut self.held);
        rows.sort();
        write!(
            self.out,
            "{}",
            columns(["FROM", "TO", "PORTS", "BECAUSE"], &rows, self.style)
        )
    }

    fn finish(mut self) -> io::Result<usize> {
        std::mem::replace(&mut self.result, Ok(()))?;
        self.flush()?;
        Ok(self.count)
    }
}

/// Lines up a square: the first column flush left, the others centred, two blanks between columns.
/// The rows are made twice, once to be measured, so that no more than one of them is held.
pub(crate) fn square<R: Iterator<Item = Vec<String>>>(
    head: Vec<String>,
    rows: impl Fn() -> R,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let wide = |cell: &String| cell.chars().count();
    let mut widths: Vec<usize> = head.iter().map(wide).collect();
    rows().for_each(|row| {
        widths
            .iter_mut()
            .zip(&row)
            .for_each(|(w, cell)| *w = (*w).max(wide(cell)));
    });
    for (i, row) in std::iter::once(head).chain(rows()).enumerate() {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let room = width - wide(cell);
            let before = if column == 0 { 0 } else { room.div_ceil(2) };
            line.extend(std::iter::repeat_n(' ', before));
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', room - before + 2));
        }
        let line = line.trim_end();
        writeln!(
            out,
            "{}",
            if i == 0 {
                style.paint("1", line)
            } else {
                line.to_owned()
            }
        )?;
    }
    Ok(())
}

fn lines(table: &comfy_table::Table, style: Style) -> String {
    let painted = |(i, line): (usize, String)| match line.trim_end() {
        head if i == 0 => format!("{}\n", style.paint("1", head)),
        line => format!("{line}\n"),
    };
    table.lines().enumerate().map(painted).collect()
}

/// Lines up rows under a head, two blanks between columns, nothing cut.
pub(crate) fn columns<const N: usize>(
    head: [&str; N],
    rows: &[[String; N]],
    style: Style,
) -> String {
    let mut table = comfy_table::Table::new();
    table
        .load_style(comfy_table::presets::NOTHING)
        .set_header(head);
    rows.iter().for_each(|row| {
        table.add_row(row);
    });
    table.column_iter_mut().for_each(|c| {
        c.set_padding((0, 2));
    });
    lines(&table, style)
}

fn open_count(listed: &[WorkloadId], wanted: Option<&[WorkloadId]>) -> usize {
    listed
        .iter()
        .filter(|w| wanted.is_none_or(|list| list.contains(w)))
        .count()
}
