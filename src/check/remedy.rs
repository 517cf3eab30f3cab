//! Remedies: the YAML that would make a failed test hold, tried before it is proposed.
//!
//! For a flow that should pass, the remedy is the smallest addition that lets it through and
//! changes nothing else ([`suggest`]); other flows of the test may still be missing. For paths that
//! should not exist, it is a default-deny policy in the namespace of each workload of the cheapest
//! cut, if all of these are open; it is proposed only if the test then holds. What else such a
//! policy closes is for the reader to judge, with `netpal plan`. Cost: a few compilations for each
//! of the first [`TRIED`] failed tests.

use crate::check::{Claim, Env, Example, Outcome, Run, Status, Suite, check};
use crate::graph::AllowGraph;
use crate::input::Input;
use crate::policy::Direction;
use crate::query::ask::answer::Pair;
use crate::query::ask::service_effect::ViaService;
use crate::query::suggest::suggestion::{Suggested, suggest};
use crate::query::suggest::trial::{Addition, AdditionPlace, applied};
use crate::query::{End, Verdict};
use crate::set::{IpSet, TrafficSet};
use crate::spec::{Endpoint, Flow};
use serde_json::json;
use std::collections::BTreeSet;

/// The number of failed tests of a file for which a remedy is computed.
const TRIED: usize = 20;

/// Adds remedies to the failed tests of a file.
pub fn add_remedies(
    input: &Input,
    graph: &AllowGraph,
    env: &Env<'_>,
    suite: &Suite,
    run: &mut Run<'_>,
) {
    let failed = run
        .outcomes
        .iter_mut()
        .filter(|o| o.status == Status::Failed);
    for outcome in failed.take(TRIED) {
        outcome.remedy = remedy(input, graph, env, suite, outcome).unwrap_or_default();
    }
}

fn remedy(
    input: &Input,
    graph: &AllowGraph,
    env: &Env<'_>,
    suite: &Suite,
    outcome: &Outcome<'_>,
) -> Option<Vec<Addition>> {
    match outcome.example.as_ref()? {
        Example::Flow {
            flow,
            wanted: true,
            asked,
            led,
        } => open(input, graph, flow, asked, *led),
        Example::Path { cut, .. } if !cut.is_empty() && cut.iter().all(|c| c.open) => {
            let cluster = &input.cluster;
            let namespaces: BTreeSet<&str> = cut
                .iter()
                .map(|c| {
                    &*cluster
                        .namespace(cluster.workload(c.workload).namespace)
                        .name
                })
                .collect();
            let changes: Vec<Addition> = namespaces.into_iter().map(default_deny).collect();
            let graph =
                AllowGraph::compile(&applied(input, &changes)?, &graph.environment().options)
                    .ok()?;
            holds(&graph, env, suite, outcome).then_some(changes)
        }
        _ => None,
    }
}

/// The smallest addition that lets through all traffic asked about between two workloads.
fn open(
    input: &Input,
    graph: &AllowGraph,
    flow: &Flow,
    asked: &TrafficSet,
    led: Option<ViaService>,
) -> Option<Vec<Addition>> {
    let pair = Pair {
        passing: None,
        parts: Vec::new(),
        led,
        source: end(input, flow.source),
        destination: end(input, flow.destination),
        asked: asked.clone(),
        allowed: graph.allowed(flow.source, flow.destination),
        verdict: Verdict::No,
        example: *flow,
    };
    if let Suggested::Changes(changes) = suggest(input, graph, &pair) {
        Some(changes)
    } else {
        None
    }
}

/// The end that an endpoint belongs to: its whole workload, or the address.
fn end(input: &Input, endpoint: Endpoint) -> End {
    match endpoint {
        Endpoint::Pod(pod) => {
            let workload = input.cluster.pod(pod).workload;
            End::pods(workload, input.cluster.workload(workload).pods.clone())
        }
        Endpoint::Address(address) => End::Addresses {
            name: address.to_string().into(),
            set: IpSet::single(address),
            symbolic: false,
        },
    }
}

/// A policy that isolates a whole namespace for ingress and allows nothing.
fn default_deny(namespace: &str) -> Addition {
    let name = "default-deny-ingress";
    let content = json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
    });
    let place = AdditionPlace::Policy {
        namespace: namespace.into(),
        name: name.into(),
    };
    Addition {
        direction: Direction::Ingress,
        place,
        content,
    }
}

/// Whether a test holds on another graph.
fn holds(graph: &AllowGraph, env: &Env<'_>, suite: &Suite, outcome: &Outcome<'_>) -> bool {
    debug_assert!(
        !matches!(outcome.test.claim, Claim::MatchesSnapshot(_)),
        "a snapshot shows no path"
    );
    let alone = Suite {
        tests: vec![outcome.test.clone()],
        ..suite.clone()
    };
    check(graph, env, &alone)
        .outcomes
        .iter()
        .all(|o| o.status == Status::Passed)
}
