//! The vocabulary of a snapshot's lines: how workloads, addresses and traffic are written.
//!
//! Invariant: a name is a single word, traffic is a sequence of words, and neither contains control
//! characters. Cost: O(workloads) for all names.

use crate::graph::AllowGraph;
use crate::set::traffic::{TrafficRange, messages};
use crate::set::{Family, IpSet, Protocol, TrafficSet};
use crate::words::is_unsafe;
use std::collections::BTreeMap;

/// `namespace/name` of every workload, with the kind in between where two workloads would share a
/// name. Each name is a single word.
pub fn names(graph: &AllowGraph) -> Vec<String> {
    let cluster = &graph.environment().cluster;
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (id, _) in cluster.workloads() {
        *seen.entry(cluster.workload_name(id)).or_default() += 1;
    }
    let mut names = Vec::new();
    for (id, _) in cluster.workloads() {
        let short = cluster.workload_name(id);
        let is_shared = seen.get(&short).is_some_and(|count| *count > 1);
        names.push(single_word(&if is_shared {
            cluster.long_workload_name(id)
        } else {
            short
        }));
    }
    names
}

/// The text with every blank and control character replaced.
pub fn single_word(text: &str) -> String {
    text.chars()
        .map(|c| {
            if is_unsafe(c) || c.is_whitespace() {
                '_'
            } else {
                c
            }
        })
        .collect()
}

/// A block of addresses as a single word: its well-known name, or its CIDR blocks; nearly all
/// addresses of a family as those that are missing, `0.0.0.0/0-except-192.0.2.1/32`.
pub fn addresses(set: &IpSet) -> String {
    if *set == IpSet::full() {
        return "outside".into();
    }
    if *set == IpSet::internet() {
        return "internet".into();
    }
    let families = [("0.0.0.0/0", Family::V4), ("::/0", Family::V6)];
    let families = families.map(|(all, family)| {
        let [part, whole] = [set, &IpSet::full()].map(|set| set.only(family));
        (all, part, whole)
    });
    let listed =
        |set: &IpSet| -> Vec<String> { set.to_cidrs().iter().map(ToString::to_string).collect() };
    let words = families.iter().filter(|(_, part, _)| !part.is_empty());
    let words = words.map(|(all, part, whole)| {
        let (has, lacks) = (listed(part), listed(&whole.difference(part)));
        if lacks.is_empty() || has.len() <= lacks.len() {
            has.join(",")
        } else {
            format!("{all}-except-{}", lacks.join(","))
        }
    });
    words.collect::<Vec<_>>().join(",")
}

/// Traffic in words, for example `TCP 80,8000-8010 UDP 53`.
pub fn words(set: &TrafficSet) -> String {
    if set.is_all() {
        return "ALL".into();
    }
    let range = |a: u16, b: u16| match (a, b) {
        (1, u16::MAX) => "all".to_owned(),
        (a, b) if a == b => a.to_string(),
        (a, b) => format!("{a}-{b}"),
    };
    let mut parts = Vec::new();
    for protocol in Protocol::ALL {
        let ranges = set.pieces().filter_map(|p| match p {
            TrafficRange::Ports(q, a, b) if q == protocol => Some(range(a, b)),
            _ => None,
        });
        let ranges: Vec<String> = ranges.collect();
        if !ranges.is_empty() {
            parts.push(format!("{protocol} {}", ranges.join(",")));
        }
    }
    parts.extend(set.pieces().filter_map(|piece| match piece {
        TrafficRange::Messages(protocol, a, b) => Some(messages(protocol, a, b)),
        _ => None,
    }));
    if set.pieces().any(|p| p == TrafficRange::OtherProtocols) {
        parts.push("other".into());
    }
    parts.join(" ")
}
