//! Phrases that the messages of several rules share: counts, lists of names, ports.

use crate::model::{Cluster, PodId, WorkloadId};
use crate::set::TrafficSet;
use crate::set::traffic::TrafficRange;

/// `1 pod`, `2 pods`.
pub fn count(n: usize, word: &str) -> String {
    if n == 1 {
        format!("1 {word}")
    } else {
        format!("{n} {}", plural(word))
    }
}

fn plural(word: &str) -> String {
    match word.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o']) => format!("{stem}ies"),
        _ if word.ends_with('s') => format!("{word}es"),
        _ => format!("{word}s"),
    }
}

/// The first few of a list: `a, b, c and 4 more`.
pub fn some(names: &[String]) -> String {
    const SHOWN: usize = 4;
    let shown = names
        .iter()
        .take(SHOWN)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN {
        format!("{shown} and {} more", names.len() - SHOWN)
    } else {
        shown
    }
}

/// The workloads of pods, each once, in order.
pub fn workloads(cluster: &Cluster, pods: &[PodId]) -> Vec<WorkloadId> {
    let mut ids: Vec<WorkloadId> = pods.iter().map(|p| cluster.pod(*p).workload).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The names of the workloads of pods, the first few of them.
pub fn names(cluster: &Cluster, pods: &[PodId]) -> String {
    let names: Vec<String> = workloads(cluster, pods)
        .iter()
        .map(|w| cluster.workload_name(*w))
        .collect();
    some(&names)
}

/// A traffic set as a list of ports: `80/TCP, 8000-8080/TCP`.
pub fn traffic(set: &TrafficSet) -> String {
    let piece = |p: TrafficRange| match p {
        TrafficRange::Ports(protocol, a, b) if a == b => format!("{a}/{protocol}"),
        TrafficRange::Ports(protocol, a, b) => format!("{a}-{b}/{protocol}"),
        TrafficRange::Messages(protocol, a, b) => crate::set::traffic::messages(protocol, a, b),
        TrafficRange::OtherProtocols => "other protocols".to_owned(),
    };
    some(&set.pieces().map(piece).collect::<Vec<_>>())
}

/// The number of letters to add, drop, change or swap to turn one word into the other.
pub fn distance(a: &str, b: &str) -> usize {
    strsim::osa_distance(a, b)
}
