//! The rows of a list about pods that are not in the input.

use crate::model::WorkloadId;
use crate::policy::Direction;
use crate::query::list::potential_rows::{GovernedEnd, PotentialRow, PotentialRows};
use crate::render::answers::ListingView;
use crate::render::text::writer::TextWriter;
use crate::render::words;
use indexmap::IndexMap;
use std::collections::BTreeSet;
use std::io::{self, Write};

impl TextWriter<'_> {
    /// The table, and below it what pods that are not in the input may send and receive.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn whole_listing(&self, view: &ListingView<'_>, out: &mut dyn Write) -> io::Result<()> {
        self.listing(view.filter, view.from, view.to, out)?;
        let Some(potential) = view.potential else {
            return Ok(());
        };
        if potential.incomplete {
            return writeln!(
                out,
                "\nmore kinds of pods that are not in the input may exist than can be listed"
            );
        }
        if potential.rows.is_empty() {
            return Ok(());
        }
        writeln!(
            out,
            "\nnot in the input, but let through by the rules as they are written (--world closed leaves them out):"
        )?;
        let mut alike: IndexMap<(Direction, String, String), Governed> = IndexMap::new();
        for row in potential.rows.iter().filter(|row| is_told_here(row)) {
            let kinds = potential.pods.words(&row.kinds).join(", ");
            let ports = if row.allowed.must.is_empty() {
                format!("{} ?", words::traffic(&row.allowed.may))
            } else {
                words::traffic(&row.allowed.must)
            };
            let key = (row.direction, words::clean(&kinds).into_owned(), ports);
            let governed = alike.entry(key).or_default();
            match row.governed {
                GovernedEnd::Workload(id) => governed.workloads.push(id),
                GovernedEnd::Kind(kind) => _ = governed.kinds.insert(kind),
            }
        }
        for ((direction, kinds, ports), governed) in &alike {
            let here = self.governed(potential, governed);
            match direction {
                Direction::Ingress => writeln!(out, "  {kinds} -> {here}  {ports}")?,
                Direction::Egress => writeln!(out, "  {here} -> {kinds}  {ports}")?,
            }
        }
        Ok(())
    }

    fn governed(&self, potential: &PotentialRows, governed: &Governed) -> String {
        let name = |id: &WorkloadId| words::clean(&self.cluster().workload_name(*id)).into_owned();
        let mut parts: Vec<String> = governed.workloads.iter().take(NAMES).map(name).collect();
        let more = governed.workloads.len().saturating_sub(NAMES);
        parts.extend((more > 0).then(|| format!("{more} more workloads")));
        let kinds = potential.pods.words(&governed.kinds);
        parts.extend(kinds.iter().map(|text| words::clean(text).into_owned()));
        parts.join(", ")
    }
}

/// How many workloads of one line are named.
const NAMES: usize = 6;

/// The governed ends of one line.
#[derive(Default)]
struct Governed {
    workloads: Vec<WorkloadId>,
    kinds: BTreeSet<usize>,
}

/// Whether a row is no twin of one that the other end has.
fn is_told_here(row: &PotentialRow) -> bool {
    row.direction == Direction::Ingress || matches!(row.governed, GovernedEnd::Workload(_))
}
