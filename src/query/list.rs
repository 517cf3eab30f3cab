//! The allow-graph as a table of workloads: who may send what to whom.
//!
//! Flows between two open ends are not listed one by one: an open destination is one entry of its own ("accepts from
//! anyone"). What is listed is every allowed flow with a governed end. Cost follows rows of classes and the output.

use crate::compile::{AllowGraph, Allowed, Endpoint, Flow};
use crate::model::{PodId, WorkloadId};
use crate::policy::Direction;
use crate::set::{IpSet, TrafficSet};
use std::collections::BTreeMap;

/// One end of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Party {
    /// A workload.
    Workload(WorkloadId),
    /// A block of outside addresses.
    Addresses(IpSet),
}

/// One line: a source, a destination, and what passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The source.
    pub source: Party,
    /// The destination.
    pub destination: Party,
    /// What passes between every pod of the one and every pod of the other.
    pub allowed: Allowed,
    /// Whether some pods of the two may send more than that.
    pub differs: bool,
    /// One flow that shows it.
    pub example: Flow,
}

/// The table.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// The lines, by destination and source.
    pub entries: Vec<Entry>,
    /// Workloads that nothing governs on the way in.
    pub open_in: Vec<WorkloadId>,
    /// Workloads that nothing governs on the way out.
    pub open_out: Vec<WorkloadId>,
    /// Workloads on their node's network, whose verdicts are unknown unless told otherwise.
    pub host_network: Vec<WorkloadId>,
    /// The sources it was narrowed to.
    pub from: Option<Vec<WorkloadId>>,
    /// The destinations it was narrowed to.
    pub to: Option<Vec<WorkloadId>>,
}

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only these sources; all when `None`.
    pub from: Option<Vec<WorkloadId>>,
    /// Only these destinations; all when `None`.
    pub to: Option<Vec<WorkloadId>>,
    /// Also flows between two open ends.
    pub all: bool,
}

/// Lists the allow-graph.
pub fn list(graph: &AllowGraph, filter: &Filter) -> Listing {
    let cluster = &graph.world().cluster;
    let mut listing = Listing { from: filter.from.clone(), to: filter.to.clone(), ..Listing::default() };
    for (id, workload) in cluster.workloads() {
        let open = |d: Direction| {
            workload
                .pods
                .iter()
                .all(|p| graph.profile(Endpoint::Pod(*p), d).is_some_and(crate::compile::walk::Profile::is_open))
        };
        if workload.pods.iter().any(|p| cluster.pod(*p).host_network) {
            listing.host_network.push(id);
        }
        if open(Direction::Ingress) {
            listing.open_in.push(id);
        }
        if open(Direction::Egress) {
            listing.open_out.push(id);
        }
    }
    let mut lister = Lister { graph, filter, listing };
    for (id, _) in cluster.workloads().filter(|(id, _)| filter.to.as_ref().is_none_or(|to| to.contains(id))) {
        lister.sources_of(id);
    }
    if filter.to.is_none() {
        lister.outside();
    }
    lister.listing
}

struct Lister<'a> {
    graph: &'a AllowGraph,
    filter: &'a Filter,
    listing: Listing,
}

impl Lister<'_> {
    fn wanted(&self, workload: WorkloadId) -> bool {
        self.filter.from.as_ref().is_none_or(|from| from.contains(&workload))
    }

    /// Every source of one destination workload: per pod class one row, joined per source workload.
    fn sources_of(&mut self, id: WorkloadId) {
        let graph = self.graph;
        let cluster = &graph.world().cluster;
        let line = graph.line();
        let mut classes: Vec<(u32, PodId)> =
            cluster.workload(id).pods.iter().map(|p| (line.classes.of_pod[p.0 as usize], *p)).collect();
        classes.sort_unstable();
        classes.dedup_by_key(|(c, _)| *c);
        let open = self.listing.open_in.binary_search(&id).is_ok();
        let mut found: BTreeMap<Party, Joined> = BTreeMap::new();
        for (class, pod) in &classes {
            for part in graph.row(*class) {
                for source in part.sources.points() {
                    self.collect(&mut found, source, Endpoint::Pod(*pod), &part.allowed);
                }
            }
        }
        for (source, joined) in found {
            let implied = match &source {
                Party::Workload(s) => open && self.listing.open_out.binary_search(s).is_ok(),
                Party::Addresses(_) => open,
            };
            if (implied && !self.filter.all) || source == Party::Workload(id) {
                continue;
            }
            let expected = match &source {
                Party::Workload(s) => cluster.workload(*s).pods.len() * classes.len(),
                Party::Addresses(_) => joined.count,
            };
            self.push(source, Party::Workload(id), joined, expected);
        }
    }

    /// Adds a source place to the sources found so far, per workload; outside blocks of equal traffic melt.
    fn collect(&self, found: &mut BTreeMap<Party, Joined>, source: u32, destination: Endpoint, allowed: &Allowed) {
        let line = self.graph.line();
        if !line.is_class(source) {
            if self.filter.from.is_some() {
                return;
            }
            let addresses = line.atoms.addresses(source - line.classes.len());
            let example = Flow { source: line.representative(source), destination, traffic: sample(allowed) };
            let melted = found
                .iter()
                .find(|(p, j)| matches!(p, Party::Addresses(_)) && j.allowed == *allowed)
                .map(|(p, _)| p.clone());
            let (set, mut joined) = match melted.and_then(|p| found.remove_entry(&p)) {
                Some((Party::Addresses(set), joined)) => (set.union(&addresses), joined),
                _ => (addresses, Joined { allowed: allowed.clone(), most: allowed.clone(), count: 0, example }),
            };
            joined.count += 1;
            found.insert(Party::Addresses(set), joined);
            return;
        }
        let cluster = &self.graph.world().cluster;
        for pod in &line.classes.get(source).members {
            let workload = cluster.pod(*pod).workload;
            if !self.wanted(workload) {
                continue;
            }
            let example = Flow { source: Endpoint::Pod(*pod), destination, traffic: sample(allowed) };
            let new = || Joined { allowed: allowed.clone(), most: allowed.clone(), count: 0, example };
            let joined = found.entry(Party::Workload(workload)).or_insert_with(new);
            joined.add(allowed);
        }
    }

    fn push(&mut self, source: Party, destination: Party, joined: Joined, expected: usize) {
        let everywhere = joined.count >= expected;
        let allowed = if everywhere { joined.allowed.clone() } else { Allowed::default() };
        let differs = !everywhere || joined.allowed != joined.most;
        let shown = if differs { joined.most } else { allowed };
        self.listing.entries.push(Entry { source, destination, allowed: shown, differs, example: joined.example });
    }

    /// Outside addresses as destinations: only sources that are governed on the way out are told.
    fn outside(&mut self) {
        let graph = self.graph;
        let line = graph.line();
        let mut found: BTreeMap<WorkloadId, BTreeMap<Allowed, (IpSet, Flow)>> = BTreeMap::new();
        for atom in 0..line.atoms.len() {
            let place = line.classes.len() + atom;
            let destination = line.representative(place);
            for part in graph.row(place) {
                for source in part.sources.points().filter(|s| line.is_class(*s)) {
                    let class = line.classes.get(source);
                    let workloads: std::collections::BTreeSet<WorkloadId> =
                        class.members.iter().map(|p| graph.world().cluster.pod(*p).workload).collect();
                    for workload in workloads.into_iter().filter(|w| {
                        self.wanted(*w) && (self.filter.all || self.listing.open_out.binary_search(w).is_err())
                    }) {
                        let example = Flow {
                            source: Endpoint::Pod(class.representative),
                            destination,
                            traffic: sample(&part.allowed),
                        };
                        let entry = found
                            .entry(workload)
                            .or_default()
                            .entry(part.allowed.clone())
                            .or_insert((IpSet::empty(), example));
                        entry.0 = entry.0.union(&line.atoms.addresses(atom));
                    }
                }
            }
        }
        for (workload, blocks) in found {
            for (allowed, (set, example)) in blocks {
                self.listing.entries.push(Entry {
                    source: Party::Workload(workload),
                    destination: Party::Addresses(set),
                    allowed,
                    differs: false,
                    example,
                });
            }
        }
    }
}

/// What was found so far between two workloads.
#[derive(Debug, Clone)]
struct Joined {
    allowed: Allowed,
    most: Allowed,
    count: usize,
    example: Flow,
}

impl Joined {
    fn add(&mut self, allowed: &Allowed) {
        self.count += 1;
        let sure = self.allowed.sure.intersection(&allowed.sure);
        let possible = |a: &Allowed| a.sure.union(&a.unknown);
        let unknown = possible(&self.allowed).intersection(&possible(allowed)).difference(&sure);
        let most_sure = self.most.sure.union(&allowed.sure);
        let most_unknown = self.most.unknown.union(&allowed.unknown).difference(&most_sure);
        self.allowed = Allowed { sure, unknown };
        self.most = Allowed { sure: most_sure, unknown: most_unknown };
    }
}

fn sample(allowed: &Allowed) -> crate::set::Traffic {
    let any = crate::set::Traffic { protocol: crate::set::Protocol::Tcp, port: 1 };
    let first = |set: &TrafficSet| set.sample();
    first(&allowed.sure).or_else(|| first(&allowed.unknown)).unwrap_or(any)
}
