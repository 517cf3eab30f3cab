//! Closures are what following every flow by hand gives: on random clusters, pod by pod, forward and backward.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[allow(dead_code)]
#[path = "common/random.rs"]
mod random;

use netpal::compile::{Endpoint, HostNetwork};
use netpal::model::{PodId, Truth};
use netpal::query::closure::{Links, Trip, Way, passing};
use netpal::set::{IpSet, Protocol, TrafficSet};
use netpal::{AllowGraph, CompileOptions};
use random::Random;
use std::collections::{BTreeMap, BTreeSet};

/// Follows every allowed flow from pod to pod, one at a time.
fn by_hand(graph: &AllowGraph, trip: &Trip, least: Truth) -> BTreeMap<PodId, u32> {
    let pods: Vec<PodId> = graph.world().cluster.pods().map(|(id, _)| id).collect();
    let mut hops: BTreeMap<PodId, u32> = BTreeMap::new();
    let mut level: Vec<(PodId, bool)> = trip.pods.iter().map(|p| (*p, true)).collect();
    let mut n = 0;
    while !level.is_empty() && trip.hops.is_none_or(|most| n < most) {
        n += 1;
        let mut next = Vec::new();
        for (from, root) in level {
            for to in pods.iter().filter(|p| **p != from && !trip.pods.contains(p)) {
                let (a, b) = if trip.way == Way::Forward { (from, *to) } else { (*to, from) };
                let traffic = passing(&graph.allowed(Endpoint::Pod(a), Endpoint::Pod(b)), least);
                let asked = if root && trip.way == Way::Backward { trip.asked.clone() } else { TrafficSet::all() };
                if !traffic.is_disjoint(&asked) && !hops.contains_key(to) {
                    hops.insert(*to, n);
                    next.push((*to, false));
                }
            }
        }
        level = next;
    }
    hops
}

/// The same through units. A unit is found whole.
fn by_units(graph: &AllowGraph, trip: &Trip, least: Truth) -> BTreeMap<PodId, u32> {
    let mut links = Links::new(graph, trip);
    let found = links.closure(least);
    let pods = found.iter().flat_map(|(u, f)| links.units[*u].pods.iter().map(|p| (*p, f.hops)));
    pods.collect()
}

#[test]
fn closures_equal_following_every_flow() {
    let (mut trips, mut found, mut deepest) = (0, 0, 0);
    for seed in 0..100 {
        let mut random = Random::new(seed);
        let mut documents = random::documents(&mut random);
        documents.extend(random::documents(&mut random)); // more pods, more policies
        let input = netpal::load_str(&random::text(&documents));
        let host = *random.pick(&[HostNetwork::Unknown, HostNetwork::Node, HostNetwork::Pod]);
        let options = CompileOptions { taints: seed % 2 == 0, ..CompileOptions::default() }.host_network(host);
        let graph = AllowGraph::compile(&input, &options).unwrap();
        let all: Vec<PodId> = input.cluster.pods().map(|(id, _)| id).collect();
        if all.is_empty() {
            continue;
        }
        for _ in 0..6 {
            let pods: BTreeSet<PodId> = (0..=random.below(2)).map(|_| *random.pick(&all)).collect();
            let port = *random.pick(&random::PORTS);
            let trip = Trip {
                way: if random.chance(50) { Way::Forward } else { Way::Backward },
                pods,
                addresses: IpSet::empty(),
                asked: if random.chance(50) { TrafficSet::all() } else { TrafficSet::ports(Protocol::Tcp, port, port) },
                hops: if random.chance(60) { None } else { Some(1 + u32::try_from(random.below(3)).unwrap()) },
            };
            for least in [Truth::Yes, Truth::Maybe] {
                let (hand, units) = (by_hand(&graph, &trip, least), by_units(&graph, &trip, least));
                assert_eq!(units, hand, "seed {seed}, {trip:?}, {least:?}");
                found += hand.len();
                deepest = deepest.max(hand.values().copied().max().unwrap_or(0));
            }
            trips += 1;
        }
    }
    println!("{trips} trips, {found} pods found, up to {deepest} hops away");
    assert!(found > 1000 && deepest > 1, "the clusters have something to find");
}
