//! The words of a snapshot's lines: what ends and traffic are called.
//!
//! Invariant: each is one word, or for traffic a row of words, without control characters. Cost:
//! O(workloads) for all names.

use crate::graph::AllowGraph;
use crate::model::{Workload, WorkloadId};
use crate::set::traffic::TrafficRange;
use crate::set::{IpSet, Protocol, TrafficSet};
use std::collections::BTreeMap;

/// `namespace/name`, with the kind between them where two workloads would share a name; never more
/// than one word.
pub fn names(graph: &AllowGraph) -> Vec<String> {
    let cluster = &graph.environment().cluster;
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (id, _) in cluster.workloads() {
        *seen.entry(cluster.workload_name(id)).or_default() += 1;
    }
    let plain = |text: &str| {
        text.chars()
            .map(|c| {
                if c.is_control() || c.is_whitespace() {
                    '_'
                } else {
                    c
                }
            })
            .collect()
    };
    let name = |(id, w): (WorkloadId, &Workload)| {
        let short = cluster.workload_name(id);
        let long = || {
            format!(
                "{}/{}/{}",
                cluster.namespace(w.namespace).name,
                w.kind.name(),
                w.name
            )
        };
        plain(&if seen.get(&short).is_some_and(|n| *n > 1) {
            long()
        } else {
            short
        })
    };
    cluster.workloads().map(name).collect()
}

/// A block of addresses as one word: its name, or its CIDR blocks.
pub fn addresses(set: &IpSet) -> String {
    if *set == IpSet::full() {
        return "outside".into();
    }
    if *set == IpSet::internet() {
        return "internet".into();
    }
    set.to_cidrs()
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(",")
}

/// `TCP 80,8000-8010 UDP 53`.
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
        let own = set.pieces().filter_map(|p| match p {
            TrafficRange::Ports(q, a, b) if q == protocol => Some(range(a, b)),
            _ => None,
        });
        let own: Vec<String> = own.collect();
        if !own.is_empty() {
            parts.push(format!("{protocol} {}", own.join(",")));
        }
    }
    if set.pieces().any(|p| p == TrafficRange::OtherProtocols) {
        parts.push("other".into());
    }
    parts.join(" ")
}
