//! A diff as a table: one line for each pair, door and workload that changes.
//!
//! What the text of a diff tells has a line here too, so that a filter on the first column is as
//! good as the exit code. Cost: one line for each pair, written as they are found.

use crate::diff::{
    Block, CallChange, Cause, Change, Diff, DoorChange, OneSided, PotentialChange, PotentialDiff,
    Which,
};
use crate::render::data::{csv, doors};
use crate::render::text::diff::openness;
use crate::render::text::diff_context::DiffContext;
use crate::render::text::potential::{ends, not_compared};
use crate::render::text::{call_changes, door_changes};
use crate::render::words;
use crate::source::{Location, Origin};
use std::io::{self, Write};

const HEAD: [&str; 8] = [
    "change", "from", "to", "ports", "cause", "file", "line", "loaded",
];

/// The cells after the ends: ports, cause, file, line, and whether what changes is loaded.
type Tail = [String; 5];

/// One line a pair, then doors and the workloads that one side lacks; what changes for pods that
/// are not loaded comes last.
///
/// # Errors
/// When the writer fails.
pub fn csv(pages: DiffContext<'_>, diff: &Diff, out: &mut dyn Write) -> io::Result<()> {
    let head = std::iter::once(HEAD.map(String::from).to_vec());
    let pairs = diff.changes.iter().flat_map(|change| pairs(pages, change));
    let doors = diff.doors.iter().map(|change| door(pages, change));
    let calls = diff.calls.iter().map(|change| call(pages, change));
    let added = (diff.added.iter()).map(|one| one_sided(pages, Which::After, one));
    let removed = (diff.removed.iter()).map(|one| one_sided(pages, Which::Before, one));
    let potential = &diff.potential;
    let beyond = (potential.changes.iter()).flat_map(|change| of_potential(pages, diff, change));
    let rest = potential.incomplete.then(|| not_all_compared(potential));
    let loaded = pairs.chain(doors).chain(calls).chain(added).chain(removed);
    csv::rows(head.chain(loaded).chain(beyond).chain(rest), out)
}

fn line(change: &str, from: &str, to: &str, tail: &Tail) -> Vec<String> {
    let ends = [change, from, to].map(String::from);
    ends.into_iter().chain(tail.iter().cloned()).collect()
}

fn tail(ports: String, cause: String, at: Option<Location>, loaded: bool) -> Tail {
    let (file, line) = at.map_or_else(Default::default, |at| {
        (at.file.to_string(), at.at.line.to_string())
    });
    [ports, cause, file, line, loaded.to_string()]
}

fn by_cause(pages: DiffContext<'_>, ports: String, cause: &Cause, loaded: bool) -> Tail {
    tail(ports, pages.cause(cause), pages.place(cause), loaded)
}

/// Every pair of a change.
fn pairs<'a>(pages: DiffContext<'a>, change: &'a Change) -> impl Iterator<Item = Vec<String>> + 'a {
    let tail = by_cause(pages, words::traffic(&change.traffic), &change.cause, true);
    let sources = |block: &'a Block| block.sources.iter().map(move |from| (block, from));
    let from_each = change.blocks.iter().flat_map(sources);
    from_each.flat_map(move |(block, from)| {
        let (kind, from, tail) = (change.kind.word(), pages.party(from), tail.clone());
        let to = block.destinations.iter();
        to.map(move |to| line(kind, &from, &pages.party(to), &tail))
    })
}

/// A door, whose ways in come from the internet.
fn door(pages: DiffContext<'_>, change: &DoorChange) -> Vec<String> {
    let traffic = change.line.target.traffic();
    let ports = traffic.map_or_else(String::new, |traffic| traffic.to_string());
    let to = doors::target(pages.context(change.which), &change.line);
    let cause = door_changes::sentence(pages, change);
    let tail = tail(ports, cause, door_changes::place(pages, change), true);
    line(change.kind.word(), "internet", &to, &tail)
}

/// A call of a Service.
fn call(pages: DiffContext<'_>, change: &CallChange) -> Vec<String> {
    let [from, service, to] = call_changes::ends(pages.after, change);
    let to = format!("svc {service} => {to}");
    let ports = words::traffic(&change.traffic);
    let tail = tail(
        ports,
        "a rule that names the Service".to_owned(),
        None,
        true,
    );
    line(change.kind.word(), &from, &to, &tail)
}

/// A workload that only one side has.
fn one_sided(pages: DiffContext<'_>, which: Which, one: &OneSided) -> Vec<String> {
    let context = pages.context(which);
    let origin = &context.input.cluster.workload(one.workload).origin;
    let at = context.locator.locate(&Origin::document(origin.document));
    let word = match which {
        Which::Before => "removed",
        Which::After => "added",
    };
    let tail = tail(String::new(), openness(one).to_owned(), at, true);
    line(word, "", &pages.workload(which, one.workload), &tail)
}

/// Every pair of a change for pods that are not in the input.
fn of_potential(pages: DiffContext<'_>, diff: &Diff, change: &PotentialChange) -> Vec<Vec<String>> {
    let (numbers, names) = diff.potential.pods.named(&change.traffic);
    let ports = words::potential_traffic(&numbers, &names);
    let tail = by_cause(pages, ports, &change.cause, false);
    let [from, to] =
        [&change.sources, &change.destinations].map(|end| ends(pages, &diff.potential, end));
    let kind = change.kind.word();
    let of = |from: &String| to.iter().map(|to| line(kind, from, to, &tail)).collect();
    from.iter().flat_map::<Vec<_>, _>(of).collect()
}

/// That more may change than is told.
fn not_all_compared(potential: &PotentialDiff) -> Vec<String> {
    let tail = tail(
        String::new(),
        not_compared(potential).to_owned(),
        None,
        false,
    );
    line("undecided", "", "", &tail)
}
