//! From a listing to [`PictureFacts`]: one line a pair of workloads, never a pair of pods.
//!
//! Cost: O(lines of the listing); of each line a few numbers are held, while what passes and the
//! blocks of addresses are held once ([`CompactListing`]).

use crate::graph::AllowGraph;
use crate::model::{Cluster, Pod, WorkloadId};
use crate::picture::blocks::Splitting;
use crate::picture::compact::{CompactListing, SOME, block, merge_lines, together};
use crate::picture::facts::{
    Dns, Openness, PassingId, PictureFacts, PictureFlow, PicturePlace, PictureTally, PlaceId,
    PlaceKind, Space, SpaceId, WorkloadDoubt,
};
use crate::picture::open;
use crate::picture::surroundings::{self, Surroundings};
use crate::policy::Direction;
use crate::query::list::listing;
use crate::query::list::listing::{Filter, Listing};
use crate::set::Ix;
use crate::set::hashed::HashMap;
use crate::spec::question::Tainted;
use crate::spec::{Endpoint, HostNetwork};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

impl PictureFacts {
    /// The facts of one state.
    pub fn new(graph: &AllowGraph, dns: &Dns, around: Surroundings<'_>) -> Self {
        let mut lines = CompactListing::default();
        let listing = listing::each(graph, &Filter::default(), &mut |entry| {
            lines.add(&entry);
            ControlFlow::Continue(())
        });
        Self::of(graph, &listing, lines, (dns, around))
    }

    /// The same from a listing that is held already.
    pub fn of_listing(
        graph: &AllowGraph,
        listing: &Listing,
        dns: &Dns,
        around: Surroundings<'_>,
    ) -> Self {
        let mut lines = CompactListing::default();
        listing.entries.iter().for_each(|entry| lines.add(entry));
        Self::of(graph, listing, lines, (dns, around))
    }

    fn of(
        graph: &AllowGraph,
        listing: &Listing,
        lines: CompactListing,
        (dns, around): (&Dns, Surroundings<'_>),
    ) -> Self {
        let mut reading = FactsReader {
            graph,
            listing,
            dns,
            facts: Self::default(),
            workloads: BTreeMap::new(),
        };
        reading.spaces(&lines);
        reading.workloads();
        reading.flows(lines);
        let cluster = &graph.environment().cluster;
        surroundings::add(&mut reading.facts, cluster, &reading.workloads, around);
        let mut facts = reading.facts;
        open::by_rule(&mut facts);
        facts
    }
}

struct FactsReader<'a> {
    graph: &'a AllowGraph,
    listing: &'a Listing,
    dns: &'a Dns,
    facts: PictureFacts,
    workloads: BTreeMap<WorkloadId, PlaceId>,
}

impl FactsReader<'_> {
    fn cluster(&self) -> &Cluster {
        &self.graph.environment().cluster
    }

    fn spaces(&mut self, lines: &CompactListing) {
        let env = self.graph.environment();
        let mut spaces: BTreeMap<&str, Space> = BTreeMap::new();
        for (_, workload) in env.cluster.workloads() {
            let name = &*env.cluster.namespace(workload.namespace).name;
            let new = || Space {
                name: name.to_owned(),
                deny: [false; 2],
                policies: 0,
            };
            spaces.entry(name).or_insert_with(new);
        }
        for (_, policy) in env.policies.iter() {
            let Some(space) = policy.namespace.as_deref().and_then(|n| spaces.get_mut(n)) else {
                continue;
            };
            space.policies += 1;
            if !policy.shape.has_actions && policy.subject.pods.is_everything() {
                Direction::ALL
                    .into_iter()
                    .for_each(|d| space.deny[d.index()] |= policy.isolates(d));
            }
        }
        self.facts.tally = PictureTally {
            workloads: env.cluster.workloads().len(),
            namespaces: env.cluster.namespaces().len(),
            policies: env.policies.count(),
            flows: lines.allowed,
            unknown: lines.lines.len() - lines.allowed,
            open: [self.listing.open_in.len(), self.listing.open_out.len()],
            ..PictureTally::default()
        };
        self.facts.spaces = spaces.into_values().collect();
    }

    fn workloads(&mut self) {
        let mut found: Vec<(WorkloadId, PicturePlace)> = self
            .cluster()
            .workloads()
            .map(|(id, _)| (id, self.workload(id)))
            .collect();
        found.sort_by(|a, b| (&a.1.what, a.0).cmp(&(&b.1.what, b.0)));
        for (id, place) in found {
            self.workloads
                .insert(id, PlaceId::bounded(self.facts.places.len()));
            self.facts.places.push(place);
        }
    }

    fn workload(&self, id: WorkloadId) -> PicturePlace {
        let cluster = self.cluster();
        let workload = cluster.workload(id);
        let namespace = &*cluster.namespace(workload.namespace).name;
        let space = self
            .facts
            .spaces
            .binary_search_by(|s| (*s.name).cmp(namespace))
            .unwrap_or(0);
        let pods = || workload.pods.iter().map(|p| cluster.pod(*p));
        let serves = |p: &Pod| self.dns.1.matches(cluster.labels(p.labels));
        let named = |p: &Pod| {
            ["app", "app.kubernetes.io/name"]
                .iter()
                .any(|k| cluster.labels(p.labels).get(k) == Some("prometheus"))
        };
        PicturePlace {
            key: PictureFacts::key(cluster, id),
            what: PlaceKind::Workload {
                space: SpaceId::bounded(space),
                name: workload.name.to_string(),
                kind: workload.kind_name().to_owned(),
            },
            open: [
                openness(&self.listing.open_in, id),
                openness(&self.listing.open_out, id),
            ],
            doubt: Direction::ALL.map(|d| self.doubt(id, d)),
            dns: *namespace == *self.dns.0 && pods().any(serves),
            monitor: workload.name.contains("prometheus") || pods().any(named),
            change: [None; 2],
        }
    }

    fn doubt(&self, id: WorkloadId, direction: Direction) -> Option<WorkloadDoubt> {
        let undecided = self.graph.environment().options.host_network == HostNetwork::Unknown;
        if undecided && self.listing.host_network.binary_search(&id).is_ok() {
            return Some(WorkloadDoubt::HostNetwork);
        }
        let pods = self.cluster().workload(id).pods.iter();
        let taints = pods
            .filter_map(|p| self.graph.effective(Endpoint::Pod(*p), direction))
            .map(|p| p.taint);
        taints.filter_map(doubt_of).min()
    }

    /// Lines as flows between places, in their own memory; equal pairs are merged.
    fn flows(&mut self, listed: CompactListing) {
        let split = Splitting::of(listed.blocks.iter());
        let blocks: Vec<Vec<(PlaceKind, bool)>> =
            listed.blocks.iter().map(|set| split.places(set)).collect();
        let mut lines = listed.lines;
        let mut others = Vec::new();
        lines.retain_mut(|[source, destination, passing]| {
            if block(*source).is_none() && block(*destination).is_none() {
                let ends = [*source, *destination].map(|end| self.workloads.get(&WorkloadId(end)));
                let [Some(from), Some(to)] = ends else {
                    return false;
                };
                (*source, *destination) = (from.0, to.0);
                return true;
            }
            for (from, some_from) in self.ends(*source, &blocks) {
                for (to, some_to) in self.ends(*destination, &blocks) {
                    others.push([
                        from.0,
                        to.0,
                        *passing | if some_from || some_to { SOME } else { 0 },
                    ]);
                }
            }
            false
        });
        lines.append(&mut others);
        lines.sort_unstable();
        let mut merged = merge_lines(&mut lines).into_iter().peekable();
        let mut known: HashMap<u32, PassingId> = HashMap::default();
        let mut flows = Vec::with_capacity(lines.len());
        for line in lines {
            let [from, to, single] = line;
            let facts = &mut self.facts;
            let passing = match merged.next_if(|(first, _)| *first == line) {
                Some((_, all)) => facts.intern(together(&listed.passing, &all)),
                None => *known
                    .entry(single)
                    .or_insert_with(|| facts.intern(together(&listed.passing, &[single]))),
            };
            flows.push(PictureFlow {
                from: PlaceId(from),
                to: PlaceId(to),
                passing,
            });
        }
        self.facts.flows = flows;
    }

    /// The places of an end, and whether only some of each is meant.
    fn ends(&mut self, end: u32, blocks: &[Vec<(PlaceKind, bool)>]) -> Vec<(PlaceId, bool)> {
        match block(end) {
            None => self
                .workloads
                .get(&WorkloadId(end))
                .map(|p| (*p, false))
                .into_iter()
                .collect(),
            Some(set) => blocks[set]
                .iter()
                .map(|(what, some)| (self.facts.outside(what.clone()), *some))
                .collect(),
        }
    }
}

fn openness(open: &[WorkloadId], id: WorkloadId) -> Openness {
    if open.binary_search(&id).is_ok() {
        Openness::Default
    } else {
        Openness::No
    }
}

fn doubt_of(taint: Tainted) -> Option<WorkloadDoubt> {
    match (taint.anything || taint.unordered, taint.only_deny) {
        (true, _) => Some(WorkloadDoubt::Policy),
        (false, true) => Some(WorkloadDoubt::Deny),
        (false, false) => None,
    }
}
