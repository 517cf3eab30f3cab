//! Explanations say what the graph says: on random clusters of every tier, and on the ground truth,
//! verdict and reason of an explanation are those of the graph, and each side is what the
//! specification says of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

#[path = "common/random.rs"]
mod random;

use netpal::internals::spec::evaluate::Case;
use netpal::internals::spec::{HostNetworkMode, evaluate};
use netpal::{
    AllowGraph, CompileOptions, Endpoint, Environment, Explanation, Family, FamilyEffect, Flow,
    Input, Protocol, Reason, Traffic, Truth, explain,
};
use random::Random;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Everything that must hold of one explanation.
fn check(
    env: &Environment,
    graph: &AllowGraph,
    flow: &Flow,
    seen: &mut BTreeMap<&'static str, usize>,
    context: &str,
) {
    let explanation = explain(graph, flow);
    assert_eq!(
        explanation.allowed,
        graph.verdict(flow),
        "{context}: {flow:?}"
    );
    assert_eq!(
        combined(&explanation),
        explanation.allowed,
        "{context}: the sides make the verdict: {flow:?}"
    );
    let reason = explanation.reason();
    let kind = match explanation.allowed {
        Truth::Yes => "ALLOW_",
        Truth::No => "DENY_",
        Truth::Maybe => "UNKNOWN_",
    };
    assert!(
        reason.code().starts_with(kind),
        "{context}: {} for {:?}",
        reason.code(),
        explanation.allowed
    );
    *seen.entry(reason.code()).or_default() += 1;
    if reason != Reason::AllowSelf {
        sides(env, flow, &explanation, context);
    }
}

/// The verdict again, from the sides alone.
fn combined(explanation: &Explanation) -> Truth {
    let shown = match explanation.families {
        Some(FamilyEffect::NoneInCommon) => Truth::No,
        Some(FamilyEffect::Untold(_) | FamilyEffect::PerhapsElsewhere) => Truth::Maybe,
        None => explanation.egress.allowed.and(explanation.ingress.allowed),
    };
    explanation
        .other
        .iter()
        .fold(shown, |p, way| p.either(way.allowed()))
}

/// Both sides are what the specification finds in one and the same case, and their reasons say so.
fn sides(env: &Environment, flow: &Flow, explanation: &Explanation, context: &str) {
    let other = explanation.other.iter().map(|w| [&w.egress, &w.ingress]);
    for pair in std::iter::once(explanation.sides()).chain(other) {
        let mut cases = [HostNetworkMode::Node, HostNetworkMode::Pod]
            .into_iter()
            .flat_map(|mode| Family::ALL.map(|family| Case::new(mode, family)));
        let is_case = |case: &Case| {
            pair.iter()
                .all(|s| evaluate::side(env, flow, s.direction, case, &mut ()) == s.allowed)
        };
        assert!(
            cases.any(|c| is_case(&c)),
            "{context}: {:?} of {flow:?}",
            pair.map(|s| s.allowed)
        );
        for side in pair {
            let kind = match side.allowed {
                Truth::Yes => "ALLOW_",
                Truth::No => "DENY_",
                Truth::Maybe => "UNKNOWN_",
            };
            assert!(
                side.reason.code().starts_with(kind),
                "{context}: {} on {:?}",
                side.reason.code(),
                side.direction
            );
            let named = matches!(
                side.reason,
                Reason::AllowRule | Reason::AllowTier(_) | Reason::DenyRule | Reason::DenyTier(_)
            );
            assert_eq!(
                side.decided_by.is_some(),
                named,
                "{context}: a rule decides where the reason says so"
            );
        }
    }
}

fn ends(input: &Input) -> Vec<Endpoint> {
    let outside = random::ADDRESSES
        .iter()
        .map(|a| Endpoint::Address(a.parse::<IpAddr>().unwrap()));
    input
        .cluster
        .pods()
        .map(|(id, _)| Endpoint::Pod(id))
        .chain(outside)
        .collect()
}

#[test]
fn explanations_agree_with_the_graph_on_random_clusters() {
    let mut seen = BTreeMap::new();
    let mut flows = 0;
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let input = netpal::load_str(&random::text(&random::documents(&mut random)));
        let options = CompileOptions {
            taints: seed % 4 != 0,
            ..CompileOptions::default()
        };
        let graph = AllowGraph::compile(&input, &options).unwrap();
        let env = Environment::new(&input, &options);
        let ends = ends(&input);
        for _ in 0..300 {
            let (source, destination) = (*random.pick(&ends), *random.pick(&ends));
            if matches!(
                (source, destination),
                (Endpoint::Address(_), Endpoint::Address(_))
            ) {
                continue;
            }
            let traffic = Traffic {
                protocol: *random.pick(&Protocol::ALL),
                port: *random.pick(&random::PORTS),
            };
            let flow = Flow {
                source,
                destination,
                traffic,
            };
            check(&env, &graph, &flow, &mut seen, &format!("seed {seed}"));
            flows += 1;
        }
    }
    println!("{flows} flows explained; reasons: {seen:?}");
    let never = [
        Reason::UnknownSnat,        // of a question that names a Service: tests/led.rs
        Reason::UnknownNamedPort,   // of a question, not of a flow: a flow has a number
        Reason::UnknownNoEndpoints, // of a question as well
        Reason::NoBackend,          // of a question that names a Service
        Reason::DenyRule,           // of policies of Cilium: tests/cilium_random.rs
        Reason::UnknownCondition,   // of policies of Cilium as well
    ];
    let missing: Vec<_> = Reason::ALL
        .iter()
        .filter(|r| !never.contains(r) && !seen.contains_key(r.code()))
        .collect();
    assert!(
        missing.is_empty(),
        "every reason a flow can have was met: {missing:?}"
    );
}

#[test]
fn explanations_agree_with_the_graph_on_the_ground_truth() {
    let Ok(root) = std::env::var("NETPAL_CASES") else {
        println!("skipped: NETPAL_CASES is not set");
        return;
    };
    let mut seen = BTreeMap::new();
    let mut cases = 0;
    for suite in [
        "conformance",
        "e2e_netpol",
        "knp_anp",
        "knp_np",
        "spec_corner",
    ] {
        for case in std::fs::read_dir(format!("{root}/{suite}")).unwrap() {
            let case = case.unwrap().path();
            let input = netpal::load([&case]).unwrap();
            for host in [netpal::HostNetwork::Unknown, netpal::HostNetwork::Node] {
                let options = CompileOptions::default().host_network(host);
                let graph = AllowGraph::compile(&input, &options).unwrap();
                let env = Environment::new(&input, &options);
                let pods: Vec<Endpoint> = input
                    .cluster
                    .pods()
                    .map(|(id, _)| Endpoint::Pod(id))
                    .collect();
                for (source, destination) in
                    pods.iter().flat_map(|a| pods.iter().map(move |b| (*a, *b)))
                {
                    for port in [80, 81, 5432] {
                        let flow = Flow {
                            source,
                            destination,
                            traffic: Traffic {
                                protocol: Protocol::Tcp,
                                port,
                            },
                        };
                        check(&env, &graph, &flow, &mut seen, &case.display().to_string());
                    }
                }
            }
            cases += 1;
        }
    }
    println!("{cases} cases; reasons: {seen:?}");
}
