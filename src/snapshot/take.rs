//! Taking a snapshot: the facts of an allow-graph as lines.
//!
//! Phases:
//! 1. Find the workloads whose egress policies deny nothing, by comparing the rows of every
//!    template with and without egress policies ([`Restricted`]).
//! 2. For each destination, list what it accepts from anyone and what each source may send beyond
//!    that (`destination`).
//! 3. For each source, list what it may send to outside addresses (`outside`).
//!
//! Cost: two rows per template, the own nodes of every class, and for each destination the sources
//! that a line is about. A pair of open workloads is never visited.

use crate::compile::endpoint_index::EndpointIx;
use crate::compile::peer_sets::EndpointSet;
use crate::graph::external::{ExternalDestinations, ExternalRows};
use crate::graph::for_rows::DestinationClassIx;
use crate::graph::own_node_exemption::SomePods;
use crate::graph::row::SourcesTraffic;
use crate::graph::row_cache::RowCache;
use crate::graph::{AllowGraph, Allowed};
use crate::model::{PodId, Workload, WorkloadId};
use crate::query::list::listing::{addresses as addresses_at, by_home};
use crate::query::list::workload_index::Blocks;
use crate::query::reach::inbound::Destination;
use crate::set::hashed::HashMap;
use crate::set::{TrafficSet, partition};
use crate::snapshot::restricted::Restricted;
use crate::snapshot::words::{addresses, names, words};
use crate::spec::{Endpoint, HostNetwork};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What one destination accepts from anyone.
#[derive(Debug, Clone, Default)]
struct OpenIn {
    anyone: TrafficSet,
    cluster: TrafficSet,
}

/// The kinds of sources that "anyone" stands for: pods that are not on their node's network, and
/// outside addresses.
const KINDS: usize = 2;

/// Which of them are outside addresses.
const OUTSIDE: usize = 1;

/// For each part of a row, how many endpoints of each kind are among its sources.
type KindCounts = Arc<[[u64; KINDS]]>;

pub(crate) struct Taker<'a> {
    graph: &'a AllowGraph,
    names: Vec<String>,
    blocks: Blocks<'a>,
    rows: RowCache<'a>,
    admitted: RowCache<'a>,
    anyone: [EndpointSet; KINDS],
    counts: HashMap<DestinationClassIx, KindCounts>,
    /// The workloads of which the snapshot only says that they are on their node's network.
    on_nodes: Vec<bool>,
    /// The workloads whose egress policies deny nothing.
    open_out: Vec<bool>,
    /// The classes of the workloads that lines are about, and of those the classes with a workload
    /// that is not open.
    reported: [EndpointSet; 2],
    lines: Vec<String>,
}

impl<'a> Taker<'a> {
    pub(crate) fn new(graph: &'a AllowGraph) -> Self {
        let (space, cluster) = (graph.space(), &graph.environment().cluster);
        let mut taker = Self {
            graph,
            names: names(graph),
            blocks: Blocks::new(graph),
            rows: RowCache::new(graph),
            admitted: RowCache::admitted(graph),
            anyone: [
                space.pods().difference(&space.hosts),
                space.full().difference(&space.pods()),
            ],
            counts: HashMap::default(),
            on_nodes: Vec::new(),
            open_out: Vec::new(),
            reported: [EndpointSet::empty(), EndpointSet::empty()],
            lines: Vec::new(),
        };
        let unknown = graph.environment().options.host_network == HostNetwork::Unknown;
        let host = |p: &PodId| space.hosts.contains(space.index_of(Endpoint::Pod(*p)));
        taker.on_nodes = cluster
            .workloads()
            .map(|(_, w)| unknown && w.pods.iter().any(host))
            .collect();
        let restricted = Restricted::new(&mut taker.rows, &mut taker.admitted);
        let open = |w: &Workload| !w.pods.iter().any(|p| restricted.contains(graph, *p));
        taker.open_out = cluster.workloads().map(|(_, w)| open(w)).collect();
        let hidden = taker.blocks.classes(|w| taker.on_nodes[w.0 as usize]);
        let implied = taker.blocks.classes(|w| taker.open_out[w.0 as usize]);
        let reported = space.pods().difference(&hidden);
        taker.reported = [reported.clone(), reported.difference(&implied)];
        taker
    }

    pub(crate) fn take(mut self) -> Vec<String> {
        let cluster = &self.graph.environment().cluster;
        for (id, _) in cluster.workloads().filter(|(_, w)| !w.pods.is_empty()) {
            let name = self.names[id.0 as usize].clone();
            if self.on_nodes[id.0 as usize] {
                self.lines.push(format!("unknown {name} hostNetwork"));
                continue;
            }
            if self.open_out[id.0 as usize] {
                self.lines.push(format!("open-out {name}"));
            }
            self.destination(id, &name);
        }
        self.outside();
        self.between_addresses();
        self.lines
    }

    /// Adds the lines about everything that may reach a workload.
    fn destination(&mut self, id: WorkloadId, name: &str) {
        let destination = Destination::new(self.graph, &mut self.rows, id);
        let open = self.open_in(&destination);
        for (word, traffic) in [
            ("open-in", open.anyone.clone()),
            ("open-in-cluster", open.cluster.difference(&open.anyone)),
        ] {
            if !traffic.is_empty() {
                let ports = if traffic.is_all() {
                    String::new()
                } else {
                    format!(" {}", words(&traffic))
                };
                self.lines.push(format!("{word} {name}{ports}"));
            }
        }
        self.sources(id, name, &destination, &open.cluster);
        self.addresses(name, &destination, &open.anyone);
    }

    /// What every source may send, apart from host-network pods.
    fn open_in(&mut self, destination: &Destination) -> OpenIn {
        let mut common = [TrafficSet::all(), TrafficSet::all()];
        for unit in &destination.units {
            let (parts, own_node) = (
                self.admitted.parts(unit.class),
                self.admitted.own_node_pods(unit.class, unit.home),
            );
            let counts = self.counted(unit.class, &parts);
            let connected = self.graph.connected_sources(unit.class);
            for kind in 0..KINDS {
                // an address without a family of the pod is nobody to it (S65)
                let anyone = if kind == OUTSIDE {
                    self.anyone[kind].intersection(connected)
                } else {
                    self.anyone[kind].clone()
                };
                let own_node: Vec<&(SomePods, Arc<Allowed>)> = own_node
                    .iter()
                    .filter(|(s, _)| anyone.contains(s.class))
                    .collect();
                let mut covered = own_node.len() as u64;
                let mut intersect =
                    |allowed: &Allowed| common[kind] = common[kind].intersection(&allowed.must);
                own_node.iter().for_each(|(_, allowed)| intersect(allowed));
                for (part, counts) in parts.iter().zip(counts.iter()) {
                    let excepted = own_node
                        .iter()
                        .filter(|(s, _)| part.sources.contains(s.class))
                        .count() as u64;
                    if counts[kind] > excepted {
                        covered += counts[kind] - excepted;
                        intersect(&part.allowed);
                    }
                }
                if covered < anyone.count() {
                    common[kind] = TrafficSet::empty();
                }
            }
        }
        let [cluster, outside] = common;
        OpenIn {
            anyone: cluster.intersection(&outside),
            cluster,
        }
    }

    /// The counts of the parts of a row, computed once per template.
    fn counted(&mut self, class: EndpointIx, parts: &[SourcesTraffic]) -> KindCounts {
        let anyone = &self.anyone;
        let count = |part: &SourcesTraffic| {
            anyone
                .each_ref()
                .map(|kind| part.sources.intersection(kind).count())
        };
        let counts = self.counts.entry(self.admitted.template(class));
        Arc::clone(counts.or_insert_with(|| parts.iter().map(count).collect()))
    }

    /// Adds the lines about every source workload. Traffic of an open source is left out where the
    /// `open-in` line of the destination implies it.
    fn sources(&mut self, id: WorkloadId, to: &str, destination: &Destination, open: &TrafficSet) {
        let implied = |a: &Allowed| a.must.is_subset(open) && a.unknown().is_subset(open);
        let mut found = destination.sources(&self.blocks, |allowed| {
            &self.reported[usize::from(implied(allowed))]
        });
        found.retain(|f| f.source.workload != id && !self.on_nodes[f.source.workload.0 as usize]);
        found.sort_by_key(|f| f.source.workload);
        for of_source in found.chunk_by(|a, b| a.source.workload == b.source.workload) {
            let source = of_source[0].source.workload;
            let pairs = self.graph.environment().cluster.workload(source).pods.len()
                * destination.units.len();
            let all = of_source
                .iter()
                .map(|f| f.source.pods * f.units)
                .sum::<usize>()
                == pairs;
            let mut cells: Vec<&Allowed> = of_source.iter().map(|f| f.allowed).collect();
            cells.dedup();
            let (least, most) = bounds(&cells, all);
            let implied = if self.open_out[source.0 as usize] {
                open
            } else {
                &TrafficSet::empty()
            };
            let from = &self.names[source.0 as usize];
            facts(&mut self.lines, from, to, (&least, &most), implied);
        }
    }

    /// Adds the lines about what all classes of a workload accept from outside addresses.
    fn addresses(&mut self, to: &str, destination: &Destination, implied: &TrafficSet) {
        let mut blocks: BTreeMap<(Allowed, Allowed), Vec<EndpointSet>> = BTreeMap::new();
        for piece in destination.outside_sources(&self.anyone[1]) {
            let cells: Vec<&Allowed> = piece.allowed.iter().map(|cell| cell.allowed).collect();
            let units: usize = piece.allowed.iter().map(|cell| cell.units).sum();
            blocks
                .entry(bounds(&cells, units == destination.units.len()))
                .or_default()
                .push(piece.sources);
        }
        let [_, governed] = self.graph.governed_addresses();
        for ((least, most), endpoints) in blocks {
            let all = EndpointSet::union_of(&endpoints);
            // what is let in is implied of everybody whose own way out is not governed
            let nothing = TrafficSet::empty();
            let parts = [
                (all.difference(&governed), implied),
                (all.intersection(&governed), &nothing),
            ];
            for (places, implied) in parts.iter().filter(|(places, _)| !places.is_empty()) {
                let set = addresses_at(self.graph.space(), places);
                let pair = (&least, &most);
                facts(&mut self.lines, &addresses(&set), to, pair, implied);
            }
        }
    }

    /// Adds the lines about what governed workloads may send to outside addresses.
    fn outside(&mut self) {
        let (graph, mut external) = (self.graph, ExternalRows::new(self.graph));
        let workloads = graph.environment().cluster.workloads();
        let [governed, _] = graph.governed_addresses();
        for (id, workload) in workloads.filter(|(_, w)| !w.pods.is_empty()) {
            let open = self.open_out[id.0 as usize];
            if self.on_nodes[id.0 as usize] || open && governed.is_empty() {
                continue;
            }
            let mut rows: Vec<Arc<[ExternalDestinations]>> = Vec::new();
            for (class, home, ..) in by_home(graph, &workload.pods) {
                let row = external.parts_at(class, home);
                if !rows.iter().any(|known| Arc::ptr_eq(known, &row)) {
                    rows.push(row);
                }
            }
            let parts: Vec<&ExternalDestinations> =
                rows.iter().flat_map(|row| row.iter()).collect();
            let sets: Vec<&EndpointSet> = parts.iter().map(|part| &part.destinations).collect();
            let mut blocks: BTreeMap<(Allowed, Allowed), Vec<EndpointSet>> = BTreeMap::new();
            for (endpoints, members) in partition(&sets) {
                let cells: Vec<&Allowed> = members.iter().map(|i| &parts[i].allowed).collect();
                blocks
                    .entry(bounds(&cells, cells.len() == rows.len()))
                    .or_default()
                    .push(endpoints);
            }
            for ((least, most), endpoints) in blocks {
                let mut places = EndpointSet::union_of(&endpoints);
                if open {
                    places = places.intersection(&governed); // elsewhere all is implied
                }
                if places.is_empty() {
                    continue;
                }
                let set = addresses_at(graph.space(), &places);
                let from = &self.names[id.0 as usize];
                facts(
                    &mut self.lines,
                    from,
                    &addresses(&set),
                    (&least, &most),
                    &TrafficSet::empty(),
                );
            }
        }
    }
}

impl Taker<'_> {
    /// Adds the lines about what addresses send to each other: only where policies govern one of
    /// them, as they do with nodes.
    fn between_addresses(&mut self) {
        let (graph, space) = (self.graph, self.graph.space());
        let [into, out] = graph.governed_addresses();
        let outside = space.full().difference(&space.pods());
        let nothing = TrafficSet::empty();
        let mut add = |from: &EndpointSet, to: &EndpointSet, allowed: &Allowed| {
            if !from.is_empty() && !to.is_empty() {
                let [from, to] = [from, to].map(|places| addresses(&addresses_at(space, places)));
                facts(&mut self.lines, &from, &to, (allowed, allowed), &nothing);
            }
        };
        for place in into.points() {
            let itself = EndpointSet::point(place);
            let others = outside.difference(&itself);
            for part in graph.row(place) {
                add(&part.sources.intersection(&others), &itself, &part.allowed);
            }
        }
        let mut external = ExternalRows::new(graph);
        for place in out.points() {
            let itself = EndpointSet::point(place);
            for part in external.parts(place).iter() {
                let others = part.destinations.difference(&itself);
                add(&itself, &others.difference(&into), &part.allowed);
            }
        }
    }
}

/// The least and the most that passes over several pairs of pods. Unless `cells` covers `all`
/// pairs, nothing passes between the others.
fn bounds(cells: &[&Allowed], all: bool) -> (Allowed, Allowed) {
    if let ([single], true) = (cells, all) {
        return ((*single).clone(), (*single).clone());
    }
    let (least, most) = Allowed::least_and_most(cells);
    (if all { least } else { Allowed::default() }, most)
}

/// Adds the lines about one pair of ends, given the least and the most that passes.
fn facts(
    lines: &mut Vec<String>,
    from: &str,
    to: &str,
    (least, most): (&Allowed, &Allowed),
    implied: &TrafficSet,
) {
    let sure = least.must.difference(implied);
    let some = most.must.difference(&least.must).difference(implied);
    let unknown = least
        .unknown()
        .union(&most.unknown())
        .difference(&most.must)
        .difference(implied);
    for (word, traffic) in [("", &sure), ("some ", &some), ("unknown ", &unknown)] {
        if !traffic.is_empty() {
            lines.push(format!("{word}{from} -> {to} {}", words(traffic)));
        }
    }
}
