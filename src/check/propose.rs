//! Proposes tests from what is allowed now: a first file to edit, not a judgement.
//!
//! A governed destination becomes `only-from`, per port; namespaces between which nothing passes
//! become `cannot`; DNS becomes `can` if every workload may resolve names. Invariant: every
//! proposal holds, because each is checked. Cost: that of the listing, and of checking the
//! [`LIMIT`] proposals that name the fewest sources.

use crate::check::schema::{Matching, OnlyFrom, Several};
use crate::check::{Claim, Env, PolicyTest, Status, Suite, check};
use crate::config::Level;
use crate::graph::AllowGraph;
use crate::model::{NamespaceId, WorkloadId};
use crate::query::list::listing::{Filter, Party, each};
use crate::set::traffic::TrafficRange;
use crate::set::{Protocol, TrafficSet};
use crate::source::{Location, Position};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

fn test(name: String, claim: Claim) -> PolicyTest {
    let at = Location {
        file: "proposal".into(),
        at: Position::default(),
    };
    PolicyTest {
        name,
        at,
        severity: Level::Error,
        allow_empty: false,
        closed: false,
        claim,
    }
}

/// Proposes tests that hold now; returns the number of destinations and ports that are left out,
/// too.
pub fn propose(graph: &AllowGraph, env: &Env<'_>) -> (Suite, usize) {
    let (mut tests, left) = only_from(graph);
    tests.extend(cannot(graph));
    tests.push(test(
        "everybody resolves names".into(),
        Claim::Can(vec!["any -> dns".into()], Matching::All),
    ));
    let suite = Suite {
        file: "proposal".into(),
        groups: BTreeMap::new(),
        tests,
    };
    let holds: Vec<bool> = check(graph, env, &suite)
        .outcomes
        .iter()
        .map(|o| o.status == Status::Passed)
        .collect();
    let tests = suite
        .tests
        .into_iter()
        .zip(holds)
        .filter(|(_, holds)| *holds)
        .map(|(t, _)| t)
        .collect();
    (Suite { tests, ..suite }, left)
}

/// The ports of some traffic as an endpoint names them; `None` if it is more than single ports and
/// ranges.
fn ports(traffic: &TrafficSet) -> Option<String> {
    let ports = traffic.pieces().map(port).collect::<Option<Vec<_>>>();
    ports.map(|p| p.join(","))
}

/// One port or range as an endpoint names it.
fn port(piece: TrafficRange) -> Option<String> {
    match piece {
        TrafficRange::Ports(_, 1, u16::MAX)
        | TrafficRange::Messages(..)
        | TrafficRange::OtherProtocols => None,
        TrafficRange::Ports(protocol, a, b) => {
            let range = if a == b {
                a.to_string()
            } else {
                format!("{a}-{b}")
            };
            Some(if protocol == Protocol::Tcp {
                range
            } else {
                format!("{range}/{}", protocol.name().to_lowercase())
            })
        }
    }
}

/// The largest number of destinations and ports that are proposed. Those with the fewest sources
/// say the most.
const LIMIT: usize = 300;

/// `only-from` claims about governed destinations, and how many are left out.
fn only_from(graph: &AllowGraph) -> (Vec<PolicyTest>, usize) {
    let cluster = &graph.environment().cluster;
    let mut destinations: BTreeMap<(WorkloadId, String), BTreeSet<WorkloadId>> = BTreeMap::new();
    let listing = each(graph, &Filter::default(), &mut |entry| {
        if let (Party::Workload(from), Party::Workload(to)) = (&entry.source, &entry.destination)
            && entry.allowed.is_exact()
            && !entry.differs
            && let Some(ports) = ports(&entry.allowed.must)
        {
            destinations.entry((*to, ports)).or_default().insert(*from);
        }
        ControlFlow::Continue(())
    });
    let has = |list: &[WorkloadId], id: &WorkloadId| list.binary_search(id).is_ok();
    destinations.retain(|(to, _), _| !has(&listing.open_in, to) && !has(&listing.host_network, to));
    let mut named: BTreeMap<(String, String), BTreeSet<WorkloadId>> = BTreeMap::new();
    for ((to, ports), from) in destinations {
        named
            .entry((cluster.workload_name(to), ports))
            .or_default()
            .extend(from);
    }
    let mut named: Vec<_> = named.into_iter().collect();
    let left = named.len().saturating_sub(LIMIT);
    if left > 0 {
        named.sort_by_key(|(_, from)| from.len());
        named.truncate(LIMIT);
        named.sort();
    }
    let mut tests = Vec::new();
    for ((to, ports), from) in named {
        let from: BTreeSet<String> = from
            .into_iter()
            .map(|id| cluster.workload_name(id))
            .collect();
        let names = from.into_iter().collect::<Vec<_>>();
        let name = format!("only {} may reach {to}:{ports}", names.join(" and "));
        let spec = OnlyFrom {
            to: format!("{to}:{ports}"),
            from: Several::Many(names),
            exactly: false,
        };
        tests.push(test(name, Claim::OnlyFrom(spec)));
    }
    (tests, left)
}

/// The largest number of namespaces that are compared with each other.
const NAMESPACES: usize = 30;

/// `cannot` claims about all pairs of namespaces; only those that hold are kept.
fn cannot(graph: &AllowGraph) -> Vec<PolicyTest> {
    let cluster = &graph.environment().cluster;
    let used: BTreeSet<NamespaceId> = cluster.workloads().map(|(_, w)| w.namespace).collect();
    if used.len() > NAMESPACES {
        return Vec::new();
    }
    let name = |id: &NamespaceId| cluster.namespace(*id).name.to_string();
    let pairs = used
        .iter()
        .flat_map(|a| used.iter().filter(move |b| a != *b).map(move |b| (a, b)));
    let propose = |(a, b): (&NamespaceId, &NamespaceId)| {
        let (from, to) = (name(a), name(b));
        let claim = Claim::Cannot(vec![format!("ns/{from} -> ns/{to}")]);
        test(format!("nothing in {from} talks to {to}"), claim)
    };
    pairs.map(propose).collect()
}
