//! The engines against the specification: both graphs, their traffic, explanations and rows.

use netpal::internals::spec::evaluate;
use netpal::{AllowGraph, Allowed, Environment, Flow, Traffic, Truth, explain};

/// What a graph says of one piece of the traffic between two ends.
pub fn contained(allowed: &Allowed, traffic: Traffic) -> Truth {
    Truth::of(
        allowed.may.contains(traffic),
        !allowed.must.contains(traffic),
    )
}

/// Everything about one flow, by every engine.
pub fn agrees(env: &Environment, graphs: &[AllowGraph; 2], flow: &Flow, seed: u64) -> Truth {
    let want = evaluate(env, flow);
    for graph in graphs {
        let explained = explain(graph, flow);
        let context = || {
            format!(
                "seed {seed}, classes {}: {flow:?}: egress {:?} {:?}, ingress {:?} {:?}, other {:?}",
                graph.environment().options.classes,
                explained.egress.allowed,
                explained.egress.reason,
                explained.ingress.allowed,
                explained.ingress.reason,
                explained.other.as_ref().map(|other| other.allowed())
            )
        };
        assert_eq!(graph.verdict(flow), want, "verdict, {}", context());
        let allowed = graph.allowed(flow.source, flow.destination);
        assert_eq!(
            contained(&allowed, flow.traffic),
            want,
            "allowed, {}",
            context()
        );
        assert_eq!(explained.allowed, want, "explanation, {}", context());
        let kind = match want {
            Truth::Yes => "ALLOW_",
            Truth::No => "DENY_",
            Truth::Maybe => "UNKNOWN_",
        };
        let code = explained.reason().code();
        assert!(code.starts_with(kind), "{code}, {}", context());
    }
    want
}

/// Without classes every pod is its own class, so that a row says exactly what passes between pods.
pub fn rows_agree(graph: &AllowGraph, seed: u64) {
    let space = graph.space();
    for destination in space.indexes() {
        let row = graph.row(destination);
        for source in space.indexes() {
            let (from, to) = (
                space.representative(source),
                space.representative(destination),
            );
            if source == destination || !(space.is_class(source) || space.is_class(destination)) {
                continue;
            }
            let found = row.iter().find(|part| part.sources.contains(source));
            let found = found.map(|part| part.allowed.clone()).unwrap_or_default();
            assert_eq!(
                found,
                graph.allowed(from, to),
                "seed {seed}: row {from:?} -> {to:?}"
            );
        }
    }
}
