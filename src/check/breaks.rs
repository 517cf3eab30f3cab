//! Tests that a diff breaks, and the change of the diff that breaks each.
//!
//! A test is attributed to the change whose pairs contain its counterexample: the flow that must
//! not pass and now does, the hop that opened, or the flow that must pass and no longer does. A
//! claim without a flow (a default deny, a snapshot) is attributed to the diff as a whole. Cost:
//! O(tests x changes).

use crate::check::outcome::{Example, Outcome, Run, Status};
use crate::diff::{Change, Diff, DiffParty, Kind};
use crate::model::Cluster;
use crate::source::Location;
use crate::spec::{Endpoint, Flow};

/// A test that held before and does not hold now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The name of the test.
    pub test: String,
    /// The location of the test.
    pub at: Location,
    /// Its status now.
    pub status: Status,
    /// The change that breaks it, as an index into the changes of the diff.
    pub change: Option<usize>,
}

/// The outcomes of the tests of one file that passed before and do not pass after. Both runs are of
/// the same file.
pub fn turned<'a>(before: &Run<'_>, after: &'a Run<'a>) -> impl Iterator<Item = &'a Outcome<'a>> {
    let passed: Vec<bool> = before
        .outcomes
        .iter()
        .map(|o| o.status == Status::Passed)
        .collect();
    let pairs = passed.into_iter().zip(&after.outcomes);
    pairs
        .filter(|(passed, now)| *passed && now.status != Status::Passed)
        .map(|(_, now)| now)
}

/// The tests that broke, each with the change that breaks it. `cluster` is that of the after side.
pub fn broken(before: &Run<'_>, after: &Run<'_>, diff: &Diff, cluster: &Cluster) -> Vec<Broken> {
    turned(before, after)
        .map(|outcome| attribute(outcome, diff, cluster))
        .collect()
}

/// A test that broke, with the change that breaks it.
fn attribute(outcome: &Outcome<'_>, diff: &Diff, cluster: &Cluster) -> Broken {
    let example = outcome.example.as_ref();
    Broken {
        test: outcome.test.name.clone(),
        at: outcome.test.at.clone(),
        status: outcome.status,
        change: example.and_then(|e| breaking_change(e, diff, cluster)),
    }
}

/// The first change of the diff that contains a counterexample.
fn breaking_change(example: &Example, diff: &Diff, cluster: &Cluster) -> Option<usize> {
    let (flows, opens) = match example {
        Example::Flow { flow, wanted, .. } => (std::slice::from_ref(flow), !wanted),
        Example::Path { hops, .. } => (hops.as_slice(), true),
        Example::Open(..)
        | Example::NoPolicy(..)
        | Example::Potential(_)
        | Example::PotentialOpen(..)
        | Example::Lines(_)
        | Example::Text(_) => return None,
    };
    let fits = |kind: Kind| match kind {
        Kind::Widened | Kind::MayWiden => opens,
        Kind::Narrowed | Kind::MayNarrow => !opens,
        Kind::Undecided => true,
    };
    let breaks =
        |change: &Change| fits(change.kind) && flows.iter().any(|f| contains(change, f, cluster));
    diff.changes.iter().position(breaks)
}

/// Whether a flow of the after side is among those that change.
fn contains(change: &Change, flow: &Flow, cluster: &Cluster) -> bool {
    let is = |party: &DiffParty, endpoint: Endpoint| match (party, endpoint) {
        (DiffParty::Workload(_, after), Endpoint::Pod(pod)) => cluster.pod(pod).workload == *after,
        (DiffParty::Addresses(set), Endpoint::Address(address)) => set.contains(address),
        _ => false,
    };
    let any = |parties: &[DiffParty], endpoint| parties.iter().any(|p| is(p, endpoint));
    change.traffic.contains(flow.traffic)
        && change
            .blocks
            .iter()
            .any(|b| any(&b.sources, flow.source) && any(&b.destinations, flow.destination))
}
