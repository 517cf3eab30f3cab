//! Taking a snapshot: the facts of an allow-graph as lines.
//!
//! Phases: who is kept from nothing by its own law, from the rows of every template with and
//! without the law of egress; then destination by destination, what it accepts from anyone and what
//! every source may send beyond that; at last, source by source, what leaves to outside addresses.
//! Cost: two rows per template, the own nodes of every class, and for each destination the sources
//! it has facts about; a pair of open ends is never visited.

use crate::compile::peer_sets::EndpointSet;
use crate::graph::external::{ExternalDestinations, ExternalRows};
use crate::graph::row::SourcesTraffic;
use crate::graph::row_cache::RowCache;
use crate::graph::{AllowGraph, Allowed};
use crate::model::{PodId, Workload, WorkloadId};
use crate::query::list::listing::addresses as addresses_at;
use crate::query::list::workload_index::Blocks;
use crate::query::reach::inbound::Destination;
use crate::set::hashed::HashMap;
use crate::set::{TrafficSet, partition};
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

/// The places that "anyone" means: pods that are not on their nodes' network, and outside
/// addresses.
const KINDS: usize = 2;

/// Of each part, how many places of each kind may send it.
type Counts = Arc<[[u64; KINDS]]>;

pub(crate) struct Taker<'a> {
    graph: &'a AllowGraph,
    names: Vec<String>,
    blocks: Blocks<'a>,
    rows: RowCache<'a>,
    admitted: RowCache<'a>,
    anyone: [EndpointSet; KINDS],
    counts: HashMap<u32, Counts>,
    /// The workloads nothing is told of but that they are on their nodes' network.
    on_nodes: Vec<bool>,
    /// The workloads whose own policies keep them from nothing.
    open_out: Vec<bool>,
    /// The classes of workloads something is told of; of those, the ones of which not all workloads
    /// are open.
    told: [EndpointSet; 2],
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
            told: [EndpointSet::empty(), EndpointSet::empty()],
            lines: Vec::new(),
        };
        let unknown = graph.environment().options.host_network == HostNetwork::Unknown;
        let host = |p: &PodId| space.hosts.contains(space.index_of(Endpoint::Pod(*p)));
        taker.on_nodes = cluster
            .workloads()
            .map(|(_, w)| unknown && w.pods.iter().any(host))
            .collect();
        let kept = taker.kept();
        let open = |w: &Workload| {
            !w.pods
                .iter()
                .any(|p| kept.contains(space.index_of(Endpoint::Pod(*p))))
        };
        taker.open_out = cluster.workloads().map(|(_, w)| open(w)).collect();
        let hidden = taker.blocks.classes(|w| taker.on_nodes[w.0 as usize]);
        let implied = taker.blocks.classes(|w| taker.open_out[w.0 as usize]);
        let told = space.pods().difference(&hidden);
        taker.told = [told.clone(), told.difference(&implied)];
        taker
    }

    /// The places whose own policies keep them from something.
    fn kept(&mut self) -> EndpointSet {
        let (space, mut kept) = (self.graph.space(), EndpointSet::empty());
        for template in self.graph.templates() {
            let Some(first) = template
                .destinations
                .first()
                .copied()
                .filter(|d| !space.hosts.contains(*d))
            else {
                continue;
            };
            let (passes, admits) = (self.rows.parts(first), self.admitted.parts(first));
            let differ = differing(&passes, &admits);
            let mut excepted: Option<EndpointSet> = None;
            for destination in template.destinations {
                let own = self.rows.own_node_sources(destination);
                let sources: EndpointSet =
                    own.iter().map(|(source, _)| *source..=*source).collect();
                let admitted: HashMap<u32, Arc<Allowed>> = self
                    .admitted
                    .own_node_sources(destination)
                    .into_iter()
                    .collect();
                let other = |(source, passes): &(u32, Arc<Allowed>)| {
                    let admits = admitted
                        .get(source)
                        .map(AsRef::as_ref)
                        .or_else(|| part_of(&admits, *source));
                    admits.map_or(!passes.is_nothing(), |admits| *admits != **passes)
                };
                let found: EndpointSet = own
                    .iter()
                    .filter(|o| other(o))
                    .map(|(source, _)| *source..=*source)
                    .collect();
                kept = kept.union(&self.governable(destination, found));
                excepted = Some(
                    excepted
                        .map_or_else(|| sources.clone(), |so_far| so_far.intersection(&sources)),
                );
            }
            let differ = differ.difference(&excepted.unwrap_or_default());
            kept = kept.union(&self.governable(first, differ));
        }
        kept
    }

    /// Between outside addresses nothing is told.
    fn governable(&self, destination: u32, sources: EndpointSet) -> EndpointSet {
        let space = self.graph.space();
        if space.is_class(destination) {
            sources
        } else {
            sources.intersection(&space.pods())
        }
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
        self.lines
    }

    /// Everything that may reach a workload.
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

    /// What every source may send, host-network pods aside.
    fn open_in(&mut self, destination: &Destination) -> OpenIn {
        let mut common = [TrafficSet::all(), TrafficSet::all()];
        for (class, _) in &destination.classes {
            let (parts, own) = (
                self.admitted.parts(*class),
                self.admitted.own_node_sources(*class),
            );
            let counts = self.counted(*class, &parts);
            for kind in 0..KINDS {
                let anyone = &self.anyone[kind];
                let own: Vec<&(u32, Arc<Allowed>)> =
                    own.iter().filter(|(s, _)| anyone.contains(*s)).collect();
                let mut covered = own.len() as u64;
                let mut meet =
                    |allowed: &Allowed| common[kind] = common[kind].intersection(&allowed.must);
                own.iter().for_each(|(_, allowed)| meet(allowed));
                for (part, counts) in parts.iter().zip(counts.iter()) {
                    let excepted = own
                        .iter()
                        .filter(|(s, _)| part.sources.contains(*s))
                        .count() as u64;
                    if counts[kind] > excepted {
                        covered += counts[kind] - excepted;
                        meet(&part.allowed);
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

    fn counted(&mut self, class: u32, parts: &[SourcesTraffic]) -> Counts {
        let anyone = &self.anyone;
        let count = |part: &SourcesTraffic| {
            anyone
                .each_ref()
                .map(|kind| part.sources.intersection(kind).count())
        };
        let counts = self.counts.entry(self.admitted.template(class));
        Arc::clone(counts.or_insert_with(|| parts.iter().map(count).collect()))
    }

    /// The lines about every source workload. What an open source sends is left out where it says
    /// no more than the mark.
    fn sources(&mut self, id: WorkloadId, to: &str, destination: &Destination, open: &TrafficSet) {
        let implied = |a: &Allowed| a.must.is_subset(open) && a.unknown().is_subset(open);
        let mut found = destination.found(&self.blocks, |allowed| {
            &self.told[usize::from(implied(allowed))]
        });
        found.retain(|f| f.source.workload != id && !self.on_nodes[f.source.workload.0 as usize]);
        found.sort_by_key(|f| f.source.workload);
        for of_source in found.chunk_by(|a, b| a.source.workload == b.source.workload) {
            let source = of_source[0].source.workload;
            let pairs = self.graph.environment().cluster.workload(source).pods.len()
                * destination.classes.len();
            let all = of_source
                .iter()
                .map(|f| f.source.pods * f.classes)
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

    /// The lines about what all classes of a workload accept from outside addresses.
    fn addresses(&mut self, to: &str, destination: &Destination, implied: &TrafficSet) {
        let rows = destination.rows_outside(self.graph, &self.anyone[1]);
        let parts: Vec<&SourcesTraffic> = rows.iter().flat_map(|(_, row)| row).collect();
        let sets: Vec<&EndpointSet> = parts.iter().map(|p| &p.sources).collect();
        let mut blocks: BTreeMap<Allowed, Vec<EndpointSet>> = BTreeMap::new();
        for (places, members) in partition(&sets) {
            let cells: Vec<&Allowed> = members.iter().map(|i| &parts[i].allowed).collect();
            let (least, _) = bounds(&cells, cells.len() == rows.len());
            blocks.entry(least).or_default().push(places);
        }
        for (allowed, places) in blocks {
            let set = addresses_at(self.graph.space(), &EndpointSet::union_of(&places));
            facts(
                &mut self.lines,
                &addresses(&set),
                to,
                (&allowed, &allowed),
                implied,
            );
        }
    }

    /// Where governed workloads may go outside.
    fn outside(&mut self) {
        let (graph, mut outward) = (self.graph, ExternalRows::new(self.graph));
        for (id, _) in graph
            .environment()
            .cluster
            .workloads()
            .filter(|(_, w)| !w.pods.is_empty())
        {
            if self.on_nodes[id.0 as usize] || self.open_out[id.0 as usize] {
                continue;
            }
            let mut ways: Vec<Arc<[ExternalDestinations]>> = Vec::new();
            for class in self.blocks.classes_of(id).points() {
                let way = outward.parts(class);
                if !ways.iter().any(|known| Arc::ptr_eq(known, &way)) {
                    ways.push(way);
                }
            }
            let outs: Vec<&ExternalDestinations> = ways.iter().flat_map(|way| way.iter()).collect();
            let sets: Vec<&EndpointSet> = outs.iter().map(|out| &out.destinations).collect();
            let mut blocks: BTreeMap<(Allowed, Allowed), Vec<EndpointSet>> = BTreeMap::new();
            for (places, members) in partition(&sets) {
                let cells: Vec<&Allowed> = members.iter().map(|i| &outs[i].allowed).collect();
                blocks
                    .entry(bounds(&cells, cells.len() == ways.len()))
                    .or_default()
                    .push(places);
            }
            for ((least, most), places) in blocks {
                let set = addresses_at(graph.space(), &EndpointSet::union_of(&places));
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

/// What a source may send by these parts, which do not overlap.
fn part_of(parts: &[SourcesTraffic], source: u32) -> Option<&Allowed> {
    parts
        .iter()
        .find(|part| part.sources.contains(source))
        .map(|part| &part.allowed)
}

/// The sources that may send other traffic by one row than by another. Both have one part for each
/// traffic, in order.
fn differing(one: &[SourcesTraffic], other: &[SourcesTraffic]) -> EndpointSet {
    let mut same: Vec<EndpointSet> = Vec::new();
    for part in one {
        if let Ok(i) = other.binary_search_by(|p| p.allowed.cmp(&part.allowed)) {
            same.push(part.sources.intersection(&other[i].sources));
        }
    }
    let met = EndpointSet::union_of(one.iter().chain(other).map(|p| &p.sources));
    met.difference(&EndpointSet::union_of(&same))
}

/// The least and the most that passes over several pairs of pods; unless these are `all` pairs,
/// nothing passes between the others.
fn bounds(cells: &[&Allowed], all: bool) -> (Allowed, Allowed) {
    if let ([one], true) = (cells, all) {
        return ((*one).clone(), (*one).clone());
    }
    let (least, most) = Allowed::least_and_most(cells);
    (if all { least } else { Allowed::default() }, most)
}

/// The lines about one pair of ends, by the least and the most that passes.
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
