//! What a state shows, by the questions that a review starts with: who comes in from the internet
//! and by which door, what a workload that was taken over gets to, who reaches the data stores, who
//! may leave, what is isolated, and what is not known.
//!
//! Everything here is also what another command says: `doors`, `reach internet --hops any`, `who`,
//! and `list`. Cost: one pass over the flows, one search from the doors, and a row for each of the
//! first data stores.

use crate::doors::DoorList;
use crate::graph::AllowGraph;
use crate::model::{PodId, Truth, WorkloadId};
use crate::policy::Direction;
use crate::query::list::entry::ListEntry;
use crate::query::list::listing::{Listing, Party};
use crate::query::reach::door_ends::DoorEnds;
use crate::query::reach::search::{ReachQuery, Way};
use crate::query::reach::tree::{Reach, reach};
use crate::query::reach::workload_role::is_store;
use crate::set::{IpSet, TrafficSet};
use crate::spec::Endpoint;
use crate::spec::question::Tainted;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Most data stores that are looked at one by one.
const MOST_STORES: usize = 20;

/// Where clouds serve the metadata and the credentials of a node.
const METADATA: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(169, 254, 169, 254));

/// What a state shows.
#[derive(Debug, Clone, Default)]
pub struct Overview {
    /// The workloads behind open doors, with what the doors are called.
    pub entered: BTreeMap<WorkloadId, BTreeSet<String>>,
    /// Workloads behind doors of which it is not told whether they are open.
    pub perhaps_entered: BTreeSet<WorkloadId>,
    /// Whether the input has any door.
    pub has_doors: bool,
    /// Workloads that policies would let the internet reach, and no door leads to.
    pub admitted: Vec<WorkloadId>,
    /// What gets on from the workloads that the internet comes to, or may come to.
    pub behind: Spread,
    /// The data stores, the first of them with who reaches them.
    pub stores: Vec<(WorkloadId, Option<DirectSources>)>,
    /// Workloads that may send to the internet.
    pub leaving: BTreeSet<WorkloadId>,
    /// Workloads that may send to the metadata service of a cloud.
    pub to_metadata: BTreeSet<WorkloadId>,
    /// Workloads of which it is not known whether they may send to the internet, and to the
    /// metadata service.
    pub perhaps_leaving: [BTreeSet<WorkloadId>; 2],
    /// The number of workloads that policies isolate in both directions, in one, and in none.
    pub isolated: [usize; 3],
    /// The number of workloads of which it is not known what isolates them.
    pub perhaps_isolated: usize,
    /// Flows that are not known for certain, in whole or on some ports: those with an end on its
    /// node's network, and others.
    pub unknown: [usize; 2],
}

/// How far something gets.
#[derive(Debug, Clone, Default)]
pub struct Spread {
    /// Workloads that are reached for certain, over any number of hops.
    pub found: BTreeSet<WorkloadId>,
    /// Workloads that may be reached besides.
    pub unknown: usize,
    /// Workloads that it could have been.
    pub others: usize,
}

/// Who reaches a workload directly.
#[derive(Debug, Clone, Default)]
pub struct DirectSources {
    /// Workloads that do for certain.
    pub workloads: BTreeSet<WorkloadId>,
    /// Workloads that may.
    pub unknown: usize,
}

impl Overview {
    /// Of a graph with its doors and its flows, which `each_flow` goes through.
    pub fn new(
        graph: &AllowGraph,
        doors: &DoorList,
        listing: &Listing,
        each_flow: &mut dyn FnMut(&mut dyn FnMut(&ListEntry)),
    ) -> Self {
        let on_node: BTreeSet<WorkloadId> = listing.host_network.iter().copied().collect();
        let (isolated, perhaps_isolated) = isolated(graph, listing, &on_node);
        let mut overview = Self {
            isolated,
            perhaps_isolated,
            ..Self::default()
        };
        overview.enter(graph, doors);
        overview.find_stores(graph);
        let open = listing.open_out.iter().copied();
        overview.leaving = open.clone().collect();
        overview.to_metadata = open.collect();
        let internet = IpSet::internet();
        each_flow(&mut |entry| overview.take(entry, &internet, &on_node));
        let [leaving, to_metadata] = &mut overview.perhaps_leaving;
        leaving.retain(|w| !overview.leaving.contains(w));
        to_metadata.retain(|w| !overview.to_metadata.contains(w));
        overview
    }

    fn enter(&mut self, graph: &AllowGraph, doors: &DoorList) {
        let ends = DoorEnds::from_internet(graph, doors, &IpSet::internet());
        self.has_doors = ends.is_some();
        let mut start = BTreeSet::new();
        if let Some(ends) = ends {
            for (line, _) in &ends.open {
                let Some(workload) = line.target.workload() else {
                    continue;
                };
                let of_workload = self.entered.entry(workload).or_default();
                of_workload.insert(line.door.title());
            }
            let maybe = ends.maybe.iter();
            let cluster = &graph.environment().cluster;
            self.perhaps_entered = maybe
                .flat_map(|(line, _)| line.workloads(cluster))
                .collect();
            self.perhaps_entered
                .retain(|w| !self.entered.contains_key(w));
            self.admitted.clone_from(&ends.admitted);
            start.extend(ends.pods());
            start.extend(ends.maybe_pods());
        } else {
            let direct = followed(graph, Way::Forward, BTreeSet::new(), Some(1));
            self.admitted = direct.found.into_keys().collect();
            let cluster = &graph.environment().cluster;
            let pods = self
                .admitted
                .iter()
                .flat_map(|w| &cluster.workload(*w).pods);
            start.extend(pods);
        }
        if !start.is_empty() {
            let on = followed(graph, Way::Forward, start, None);
            self.behind = Spread {
                unknown: on.unknown.len(),
                others: on.others,
                found: on.found.into_keys().collect(),
            };
        }
    }

    fn find_stores(&mut self, graph: &AllowGraph) {
        let cluster = &graph.environment().cluster;
        let workloads = cluster.workloads().map(|(id, _)| id);
        let stores: Vec<WorkloadId> = workloads.filter(|id| is_store(cluster, *id)).collect();
        for (i, store) in stores.into_iter().enumerate() {
            let sources = (i < MOST_STORES).then(|| {
                let pods = cluster.workload(store).pods.iter().copied().collect();
                let found = followed(graph, Way::Backward, pods, Some(1));
                DirectSources {
                    unknown: found.unknown.len(),
                    workloads: found.found.into_keys().collect(),
                }
            });
            self.stores.push((store, sources));
        }
    }

    fn take(&mut self, entry: &ListEntry, internet: &IpSet, on_node: &BTreeSet<WorkloadId>) {
        let is_on_node = |party: &Party| matches!(party, Party::Workload(w) if on_node.contains(w));
        let is_sure = !entry.allowed.must.is_empty();
        if !entry.allowed.is_exact() {
            let elsewhere = !is_on_node(&entry.source) && !is_on_node(&entry.destination);
            self.unknown[usize::from(elsewhere)] += 1;
        }
        if let (Party::Workload(from), Party::Addresses(to)) = (&entry.source, &entry.destination) {
            let [perhaps_leaving, perhaps_to_metadata] = &mut self.perhaps_leaving;
            let (leaving, to_metadata) = if is_sure {
                (&mut self.leaving, &mut self.to_metadata)
            } else {
                (perhaps_leaving, perhaps_to_metadata)
            };
            if !to.is_disjoint(internet) {
                leaving.insert(*from);
            }
            if to.contains(METADATA) {
                to_metadata.insert(*from);
            }
        }
    }
}

/// What is found from pods, or from the internet where there are none.
fn followed(graph: &AllowGraph, way: Way, pods: BTreeSet<PodId>, hops: Option<u32>) -> Reach {
    let query = ReachQuery {
        way,
        addresses: if pods.is_empty() {
            IpSet::internet()
        } else {
            IpSet::empty()
        },
        pods,
        asked: TrafficSet::all(),
        hops,
    };
    reach(graph, &query)
}

/// How many workloads are isolated in both directions, in one, and in none; and of how many that is
/// not known.
fn isolated(
    graph: &AllowGraph,
    listing: &Listing,
    on_node: &BTreeSet<WorkloadId>,
) -> ([usize; 3], usize) {
    let cluster = &graph.environment().cluster;
    let open_in: BTreeSet<WorkloadId> = listing.open_in.iter().copied().collect();
    let open_out: BTreeSet<WorkloadId> = listing.open_out.iter().copied().collect();
    let (mut counts, mut unknown) = ([0; 3], 0);
    for (id, _) in cluster.workloads().filter(|(id, _)| !on_node.contains(id)) {
        if is_in_doubt(graph, id) {
            unknown += 1;
            continue;
        }
        let open = usize::from(open_in.contains(&id)) + usize::from(open_out.contains(&id));
        counts[open] += 1;
    }
    (counts, unknown)
}

/// Whether it is not known if something isolates a workload.
fn is_in_doubt(graph: &AllowGraph, workload: WorkloadId) -> bool {
    let pods = &graph.environment().cluster.workload(workload).pods;
    let doubtful = |pod: &PodId, direction| {
        let effective = graph.effective(Endpoint::Pod(*pod), direction);
        effective.is_some_and(|e| e.isolated() == Truth::Maybe || e.taint != Tainted::default())
    };
    let mut each = pods.iter();
    each.any(|pod| Direction::ALL.into_iter().any(|way| doubtful(pod, way)))
}
