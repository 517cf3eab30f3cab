//! The doors at the ends of a search: where the internet comes in.
//!
//! A search from the internet starts at the workloads behind open doors, which are one hop away; a
//! search for who gets to a workload ends at the doors that lead to it, or to something on the way.
//! Where policies would admit the internet and no door leads, that is said apart. Cost: the doors,
//! and one search of one hop.

use crate::doors::{DoorLine, DoorList, DoorStatus};
use crate::graph::AllowGraph;
use crate::model::{Cluster, PodId, WorkloadId};
use crate::query::reach::search::{ReachQuery, Way};
use crate::query::reach::tree::{Reach, reach};
use crate::set::{IpSet, TrafficSet};
use std::collections::BTreeSet;

/// Doors by which the internet comes in.
#[derive(Debug, Clone, Default)]
pub struct DoorEnds {
    /// Those that are open, each with the number of hops from the internet to the workload that
    /// was asked about, or to the workload behind it.
    pub open: Vec<(DoorLine, u32)>,
    /// Those of which it is not told whether they are open.
    pub maybe: Vec<(DoorLine, u32)>,
    /// Workloads that policies would let the internet reach, and no door leads to.
    pub admitted: Vec<WorkloadId>,
    /// Kinds that may open further doors and are not read.
    pub unread: Vec<(Box<str>, usize)>,
}

impl DoorEnds {
    /// The doors from which a search from the internet goes on; `None` where the input has no door,
    /// so that only policies tell who may come in.
    pub fn from_internet(graph: &AllowGraph, list: &DoorList, addresses: &IpSet) -> Option<Self> {
        if list.lines.is_empty() && list.is_complete() {
            return None;
        }
        let cluster = &graph.environment().cluster;
        let mut ends = Self::all(cluster, list);
        let direct = ReachQuery {
            way: Way::Forward,
            pods: BTreeSet::new(),
            addresses: addresses.clone(),
            asked: TrafficSet::all(),
            hops: Some(1),
        };
        let behind = ends.workloads(cluster);
        let admitted = reach(graph, &direct).found.into_keys();
        ends.admitted = admitted.filter(|w| !behind.contains(w)).collect();
        Some(ends)
    }

    /// All doors that lead somewhere.
    pub fn all(cluster: &Cluster, list: &DoorList) -> Self {
        Self::sorted(cluster, list, |_| Some(1))
    }

    /// The doors that lead to some workloads, or to others from which these can be reached.
    pub fn leading_to(
        cluster: &Cluster,
        list: &DoorList,
        roots: &BTreeSet<WorkloadId>,
        found: &Reach,
    ) -> Self {
        Self::sorted(cluster, list, |workload| {
            if roots.contains(&workload) {
                return Some(1);
            }
            found.found.get(&workload).map(|hops| hops + 1)
        })
    }

    /// The lines that lead somewhere, by status.
    fn sorted(
        cluster: &Cluster,
        list: &DoorList,
        hops: impl Fn(WorkloadId) -> Option<u32>,
    ) -> Self {
        let mut ends = Self {
            unread: list.unread.clone(),
            ..Self::default()
        };
        for line in &list.lines {
            let workloads = line.workloads(cluster).into_iter();
            let Some(hops) = workloads.filter_map(&hops).min() else {
                continue;
            };
            match line.passage.status {
                DoorStatus::Open => ends.open.push((line.clone(), hops)),
                DoorStatus::Unknown => ends.maybe.push((line.clone(), hops)),
                _ => {}
            }
        }
        ends.open.sort_by_key(|(_, hops)| *hops);
        ends
    }

    /// The workloads behind the doors, whether these are surely open or perhaps.
    pub fn workloads(&self, cluster: &Cluster) -> BTreeSet<WorkloadId> {
        let all = self.open.iter().chain(&self.maybe);
        all.flat_map(|(line, _)| line.workloads(cluster)).collect()
    }

    /// The pods behind the doors that are open.
    pub fn pods(&self) -> BTreeSet<PodId> {
        pods(&self.open)
    }

    /// The first door, of those that are open or may be, that leads to one of some pods.
    pub fn door_of(&self, pods: &BTreeSet<PodId>) -> Option<&DoorLine> {
        let mut all = self.open.iter().chain(&self.maybe).map(|(line, _)| line);
        all.find(|line| line.pods().iter().any(|pod| pods.contains(pod)))
    }

    /// The pods behind the doors of which it is not told whether they are open.
    pub fn maybe_pods(&self) -> BTreeSet<PodId> {
        pods(&self.maybe)
    }
}

fn pods(lines: &[(DoorLine, u32)]) -> BTreeSet<PodId> {
    let behind = lines.iter().flat_map(|(line, _)| line.pods());
    behind.copied().collect()
}
