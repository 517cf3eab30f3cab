//! Tests that a change turns red, and the part of the change that does it.
//!
//! A test is blamed on the change whose pairs its counterexample shows: the flow that must not pass
//! and now does, the hop that opened, the flow that must pass and no longer does. A claim that
//! names no flow (a default deny, a snapshot) is blamed on the change as a whole. O(tests x
//! changes).

use crate::check::{Example, Outcome, Run, Status};
use crate::diff::{Change, Diff, Kind, Party};
use crate::model::Cluster;
use crate::source::Location;
use crate::spec::{Endpoint, Flow};

/// A test that held before and does not hold now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// What it says.
    pub test: String,
    /// Where it stands.
    pub at: Location,
    /// How it comes out now.
    pub status: Status,
    /// What breaks it: an index among the changes of the diff.
    pub change: Option<usize>,
}

/// The tests of one file that passed before and do not pass after; both runs are of the same file.
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

/// The same, each with the change that breaks it. `cluster` is that of the after side.
pub fn broken(before: &Run<'_>, after: &Run<'_>, diff: &Diff, cluster: &Cluster) -> Vec<Broken> {
    let one = |outcome: &Outcome<'_>| Broken {
        test: outcome.test.name.clone(),
        at: outcome.test.at.clone(),
        status: outcome.status,
        change: outcome
            .example
            .as_ref()
            .and_then(|e| blamed(e, diff, cluster)),
    };
    turned(before, after).map(one).collect()
}

fn blamed(example: &Example, diff: &Diff, cluster: &Cluster) -> Option<usize> {
    let (flows, opens) = match example {
        Example::Flow { flow, wanted, .. } => (std::slice::from_ref(flow), !wanted),
        Example::Path { hops, .. } => (hops.as_slice(), true),
        Example::Open(..) | Example::NoPolicy(..) | Example::Lines(_) | Example::Text(_) => {
            return None;
        }
    };
    let fits = |kind: Kind| match kind {
        Kind::Widened | Kind::MayWiden => opens,
        Kind::Narrowed | Kind::MayNarrow => !opens,
        Kind::Undecided => true,
    };
    let shows =
        |change: &Change| fits(change.kind) && flows.iter().any(|f| holds(change, f, cluster));
    diff.changes.iter().position(shows)
}

/// Whether a flow of the after side is among those that change.
fn holds(change: &Change, flow: &Flow, cluster: &Cluster) -> bool {
    let is = |party: &Party, endpoint: Endpoint| match (party, endpoint) {
        (Party::Workload(_, after), Endpoint::Pod(pod)) => cluster.pod(pod).workload == *after,
        (Party::Addresses(set), Endpoint::Address(address)) => set.contains(address),
        _ => false,
    };
    let of = |parties: &[Party], endpoint| parties.iter().any(|p| is(p, endpoint));
    change.traffic.contains(flow.traffic)
        && change
            .blocks
            .iter()
            .any(|b| of(&b.sources, flow.source) && of(&b.destinations, flow.destination))
}
