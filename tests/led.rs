//! What a Service leads a connection to (S41, S54, S122): the graph against the specification over
//! every way it may have come about, and the explanation against the graph, on random clusters of
//! every tier, with classes on and off.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

#[path = "common/random.rs"]
mod random;

use netpal::internals::query::ask::via_service::{ViaService, allowed, explain_led};
use netpal::internals::spec::evaluate::{ConnectionOrigin, evaluate_from};
use netpal::{
    AllowGraph, Allowed, CompileOptions, Endpoint, Environment, Family, Flow, IpSet, Protocol,
    Traffic, Truth,
};
use random::Random;

/// What the specification finds possible.
fn specified(env: &Environment, graph: &AllowGraph, led: ViaService, flow: Flow) -> Truth {
    let ways: Vec<(Flow, ConnectionOrigin)> = match led {
        ViaService::ToItself => [true, false]
            .map(|undefined_are_asked| {
                (
                    flow,
                    ConnectionOrigin::OwnService {
                        undefined_are_asked,
                    },
                )
            })
            .to_vec(),
        ViaService::ThroughNode(caller) => {
            let nodes = addresses(graph, &env.may_be_nodes(Family::of(caller)));
            let by_node = nodes.into_iter().map(|node| {
                (
                    Flow {
                        source: node,
                        ..flow
                    },
                    ConnectionOrigin::ByNode,
                )
            });
            by_node
                .chain([(
                    Flow {
                        source: Endpoint::Address(caller),
                        ..flow
                    },
                    ConnectionOrigin::Direct,
                )])
                .collect()
        }
        ViaService::OfNode(own) => vec![(flow, ConnectionOrigin::OfNode(own))],
        ViaService::PolicedNode(_)
        | ViaService::Rewritten(..)
        | ViaService::ByName(_)
        | ViaService::OwnNode(_) => {
            unreachable!("none is made here")
        }
    };
    ways.into_iter()
        .map(|(flow, call)| evaluate_from(env, &flow, call))
        .reduce(Truth::either)
        .unwrap()
}

/// One address of each range of a set that no rule tells apart.
fn addresses(graph: &AllowGraph, set: &IpSet) -> Vec<Endpoint> {
    let atoms = &graph.space().atoms;
    let found = atoms.overlapping(set);
    found
        .points()
        .filter_map(|a| atoms.addresses(a).intersection(set).first())
        .map(Endpoint::Address)
        .collect()
}

fn possible(allowed: &Allowed, traffic: Traffic) -> Truth {
    match (
        allowed.must.contains(traffic),
        allowed.unknown().contains(traffic),
    ) {
        (true, _) => Truth::Yes,
        (_, true) => Truth::Maybe,
        _ => Truth::No,
    }
}

#[derive(Default)]
struct Count {
    flows: usize,
    yes: usize,
    no: usize,
    unknown: usize,
}

#[test]
fn the_graph_is_what_the_specification_says_on_random_clusters() {
    let mut counts = [Count::default(), Count::default()];
    for seed in 0..250 {
        let mut random = Random::new(seed);
        let input = netpal::load_str(&random::text(&random::documents(&mut random)));
        let options = CompileOptions {
            taints: seed % 3 == 0,
            ..CompileOptions::default()
        };
        let env = Environment::new(&input, &options);
        let graphs = [true, false]
            .map(|on| AllowGraph::compile(&input, &options.clone().classes(on)).unwrap());
        for (pod, told) in input.cluster.pods() {
            let caller: std::net::IpAddr = random.pick(&random::ADDRESSES).parse().unwrap();
            let itself = told
                .is_single()
                .then_some((ViaService::ToItself, Endpoint::Pod(pod)));
            for (led, source) in itself
                .into_iter()
                .chain([(ViaService::ThroughNode(caller), Endpoint::Address(caller))])
            {
                let each = graphs
                    .each_ref()
                    .map(|g| allowed(g, Some(led), source, Endpoint::Pod(pod)));
                for _ in 0..6 {
                    let traffic = Traffic {
                        protocol: *random.pick(&Protocol::ALL),
                        port: *random.pick(&random::PORTS),
                    };
                    let flow = Flow {
                        source,
                        destination: Endpoint::Pod(pod),
                        traffic,
                    };
                    let count = &mut counts[usize::from(led == ViaService::ToItself)];
                    for (graph, allowed) in graphs.iter().zip(&each) {
                        let found = possible(allowed, traffic);
                        check(&env, graph, led, flow, found, seed);
                        count.flows += 1;
                        match found {
                            Truth::Maybe => count.unknown += 1,
                            Truth::Yes => count.yes += 1,
                            Truth::No => count.no += 1,
                        }
                    }
                }
            }
        }
    }
    for (what, count) in ["through a node", "to itself"].iter().zip(&counts) {
        println!(
            "{what}: {} flows, {} yes, {} no, {} unknown",
            count.flows, count.yes, count.no, count.unknown
        );
        assert!(
            count.yes > 100 && count.no > 10 && count.unknown > 100,
            "{what}: every answer was met"
        );
    }
}

fn check(
    env: &Environment,
    graph: &AllowGraph,
    led: ViaService,
    flow: Flow,
    found: Truth,
    seed: u64,
) {
    let wanted = specified(env, graph, led, flow);
    assert!(
        wanted == found,
        "seed {seed}: {led:?} {flow:?}: specified {wanted:?}, found {found:?}"
    );
    let told = explain_led(graph, Some(led), &flow);
    assert_eq!(
        told.allowed,
        found,
        "seed {seed}: {led:?} {flow:?}: {:?}",
        told.reason()
    );
    let kind = told.reason().code().split('_').next().unwrap().to_owned();
    let right = match found {
        Truth::Maybe => kind == "UNKNOWN",
        Truth::Yes => kind == "ALLOW",
        Truth::No => kind == "DENY",
    };
    assert!(right, "seed {seed}: {led:?} {flow:?}: {:?}", told.reason());
}
