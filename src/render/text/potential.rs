//! What changes for pods that are not in the input: one line for each edit and kind of change.

use crate::diff::{Diff, DiffParty, PotentialChange, PotentialDiff, PotentialParty, Unseen};
use crate::render::context::Style;
use crate::render::text::diff_context::DiffContext;
use crate::render::text::diff_section::{SectionHead, section};
use crate::render::words;
use crate::words::plural;
use std::collections::BTreeSet;
use std::io::{self, Write};

/// How many parts of one end are named.
const PARTS: usize = 3;

/// What a comparison leaves out.
pub fn not_compared(potential: &PotentialDiff) -> &'static str {
    let unseen = &potential.unseen;
    if unseen.contains(&Unseen::Kinds) {
        "more kinds of pods that are not in the input may exist than were compared: there may be \
         further changes"
    } else if unseen.contains(&Unseen::Services) {
        "whom rules mean that name Services that are not in the input is not known: there may be \
         further changes"
    } else {
        "policies of networks besides the pod network differ, and pods that are not in the input \
         were not compared there: there may be further changes"
    }
}

/// The section of a text.
///
/// # Errors
/// When the writer fails.
pub fn text(
    pages: DiffContext<'_>,
    diff: &Diff,
    style: Style,
    shown: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let potential = &diff.potential;
    if potential.incomplete {
        let word = style.paint("1;35", "POTENTIAL");
        writeln!(out, "\n{word}  {}", not_compared(potential))?;
    }
    let head = SectionHead {
        word: "POTENTIAL",
        about: "for pods that are not in the input, as the policies select them (--world closed leaves them out)",
        more: "more change",
    };
    let lines = potential.changes.iter().map(|change| {
        let place = pages.place(&change.cause);
        let place = place.map(|l| words::clean(&l.to_string()).into_owned());
        let (flows, cause) = (
            sentence(pages, potential, change),
            pages.cause(&change.cause),
        );
        let line = format!("{flows}  {cause}  {}", place.unwrap_or_default());
        (change.kind, line)
    });
    section(&head, lines, style, shown, out)
}

/// `any pod of any namespace -> data/database  5432/TCP`.
pub fn sentence(
    pages: DiffContext<'_>,
    potential: &PotentialDiff,
    change: &PotentialChange,
) -> String {
    let ends = |parties: &BTreeSet<PotentialParty>| few(&ends(pages, potential, parties));
    let (numbers, names) = potential.pods.named(&change.traffic);
    format!(
        "{} -> {}  {}",
        ends(&change.sources),
        ends(&change.destinations),
        words::potential_traffic(&numbers, &names)
    )
}

/// Every part of one end in words: kinds of pods, workloads, addresses.
pub fn ends(
    pages: DiffContext<'_>,
    potential: &PotentialDiff,
    parties: &BTreeSet<PotentialParty>,
) -> Vec<String> {
    let (mut kinds, mut loaded) = (BTreeSet::new(), Vec::new());
    for party in parties {
        match party {
            PotentialParty::Kind(kind) => _ = kinds.insert(*kind),
            PotentialParty::Workload(id) => loaded.push(DiffParty::Workload(*id, *id)),
            PotentialParty::Addresses(set) => loaded.push(DiffParty::Addresses(set.clone())),
        }
    }
    let is_workload = |party: &DiffParty| matches!(party, DiffParty::Workload(..));
    let pods = &potential.pods;
    let kinds = if loaded.iter().any(is_workload) {
        // the workloads that are named are of the other kinds
        let is_beyond = |kind: usize| !pods.kinds[kind].loaded;
        pods.words_among(&kinds, is_beyond)
    } else {
        pods.words(&kinds)
    };
    let mut found: Vec<String> = kinds
        .iter()
        .map(|text| words::clean(text).into_owned())
        .collect();
    if !loaded.is_empty() {
        found.push(pages.parties(&loaded));
    }
    found
}

fn few(parts: &[String]) -> String {
    let more = parts.len().saturating_sub(PARTS);
    let shown = parts[..parts.len() - more].join("; ");
    if more > 0 {
        format!("{shown} and {}", plural(more, "more kind"))
    } else {
        shown
    }
}
