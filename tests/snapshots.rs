//! Snapshots against plain ones, made pair by pair out of whole rows, on random clusters.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

#[allow(dead_code)] // the addresses of questions are not asked here
#[path = "common/random.rs"]
mod random;

use netpal::internals::compile::{AtomIx, EndpointIx};
use netpal::internals::graph::SourcesTraffic;
use netpal::internals::set::Ix;
use netpal::internals::snapshot::words::{addresses, names, words};
use netpal::{
    AllowGraph, Allowed, CompileOptions, Endpoint, HostNetwork, IpSet, Snapshot, TrafficSet,
    WorkloadId,
};
use random::Random;
use std::collections::{BTreeMap, BTreeSet};

/// Compares the two, and counts the lines by their first word, or the arrow where they begin with a
/// name.
fn same(seed: u64, options: &CompileOptions, met: &mut BTreeMap<String, usize>) {
    let text = random::text(&random::documents(&mut Random::new(seed)));
    let graph = AllowGraph::compile(&netpal::load_str(&text), options).unwrap();
    let (taken, plain) = (Snapshot::new(&graph).lines, Taker::new(&graph).take());
    let differ: Vec<&String> = taken.symmetric_difference(&plain).collect();
    assert!(differ.is_empty(), "seed {seed}, {options:?}: {differ:#?}");
    for line in &taken {
        let word = line
            .split(' ')
            .find(|word| *word == "->" || !word.contains('/'))
            .unwrap();
        *met.entry(word.to_owned()).or_default() += 1;
    }
}

#[test]
fn a_snapshot_is_what_every_pair_says() {
    let mut met = BTreeMap::new();
    for seed in 0..200 {
        let default = CompileOptions::default();
        same(seed, &default, &mut met);
        same(
            seed,
            &default.clone().host_network(HostNetwork::Pod),
            &mut met,
        );
        same(
            seed,
            &default.clone().host_network(HostNetwork::Node),
            &mut met,
        );
        same(seed, &default.classes(false), &mut met);
    }
    for word in [
        "->",
        "some",
        "unknown",
        "open-in",
        "open-out",
        "open-in-cluster",
    ] {
        assert!(
            met.get(word).is_some_and(|n| *n > 20),
            "the clusters say too little: {met:?}"
        );
    }
}

/// What one destination accepts from anyone.
#[derive(Debug, Clone, Default)]
struct OpenIn {
    anyone: TrafficSet,
    cluster: TrafficSet,
}

struct Taker<'a> {
    graph: &'a AllowGraph,
    names: Vec<String>,
    open_out: Vec<bool>,
    lines: BTreeSet<String>,
}

type Table = Vec<Allowed>;

impl<'a> Taker<'a> {
    fn new(graph: &'a AllowGraph) -> Self {
        let mut taker = Self {
            graph,
            names: names(graph),
            open_out: Vec::new(),
            lines: BTreeSet::new(),
        };
        taker.open_out = taker.open_out();
        taker
    }

    /// What every place may send, from the parts of a row.
    fn table(&self, parts: Vec<SourcesTraffic>) -> Table {
        let mut table = vec![Allowed::default(); self.graph.space().indexes().len()];
        for part in parts {
            for place in part.sources.points() {
                if let Some(cell) = table.get_mut(place.index()) {
                    cell.clone_from(&part.allowed);
                }
            }
        }
        table
    }

    fn is_host(&self, place: EndpointIx) -> bool {
        self.graph.space().hosts.contains(place)
    }

    /// Per place whether its own policies keep it from nothing.
    fn open_out(&self) -> Vec<bool> {
        let line = self.graph.space();
        let mut open = vec![true; line.indexes().len()];
        for destination in line.indexes().filter(|p| !self.is_host(*p)) {
            let passes = self.table(self.graph.row(destination));
            let admits = self.table(self.graph.admits(destination));
            for (source, open) in open.iter_mut().enumerate() {
                let outside = !line.is_class(destination) && source >= line.classes.list.len();
                *open &= outside || passes.get(source) == admits.get(source);
            }
        }
        open
    }

    fn take(mut self) -> BTreeSet<String> {
        let cluster = &self.graph.environment().cluster;
        let hosts_unknown = self.graph.environment().options.host_network == HostNetwork::Unknown;
        let workloads: Vec<WorkloadId> = cluster
            .workloads()
            .filter(|(_, w)| !w.pods.is_empty())
            .map(|(id, _)| id)
            .collect();
        for id in workloads {
            let places = self.places(id);
            if hosts_unknown && places.iter().any(|p| self.is_host(*p)) {
                self.lines
                    .insert(format!("unknown {} hostNetwork", self.name(id)));
                continue;
            }
            if places
                .iter()
                .all(|p| self.open_out.get(p.index()).copied().unwrap_or(false))
            {
                self.lines.insert(format!("open-out {}", self.name(id)));
            }
            self.destination(id, &places);
        }
        self.outside();
        self.lines
    }

    fn name(&self, id: WorkloadId) -> &str {
        self.names.get(id.0 as usize).map_or("", String::as_str)
    }

    fn places(&self, id: WorkloadId) -> Vec<EndpointIx> {
        let line = self.graph.space();
        let pods = &self.graph.environment().cluster.workload(id).pods;
        let places: BTreeSet<EndpointIx> = pods
            .iter()
            .map(|p| line.index_of(Endpoint::Pod(*p)))
            .collect();
        places.into_iter().collect()
    }

    /// Everything that may reach a workload.
    fn destination(&mut self, id: WorkloadId, places: &[EndpointIx]) {
        let passes: Vec<Table> = places
            .iter()
            .map(|p| self.table(self.graph.row(*p)))
            .collect();
        let admits: Vec<Table> = places
            .iter()
            .map(|p| self.table(self.graph.admits(*p)))
            .collect();
        let open = self.open_in(&admits);
        let to = self.name(id).to_owned();
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
                self.lines.insert(format!("{word} {to}{ports}"));
            }
        }
        self.sources(id, &to, &passes, &open);
    }

    /// What every source may send, host-network pods aside.
    fn open_in(&self, admits: &[Table]) -> OpenIn {
        let line = self.graph.space();
        let all = |classes: bool| {
            let mut common = TrafficSet::all();
            let places = line.indexes().filter(|p| line.is_class(*p) == classes);
            for place in places.filter(|p| !self.is_host(*p)) {
                for table in admits {
                    let admitted = table
                        .get(place.index())
                        .map(|a| a.must.clone())
                        .unwrap_or_default();
                    common = common.intersection(&admitted);
                }
            }
            common
        };
        let cluster = all(true);
        OpenIn {
            anyone: cluster.intersection(&all(false)),
            cluster,
        }
    }

    fn sources(&mut self, id: WorkloadId, to: &str, passes: &[Table], open: &OpenIn) {
        let (graph, cluster) = (self.graph, &self.graph.environment().cluster);
        let line = graph.space();
        let hosts_unknown = graph.environment().options.host_network == HostNetwork::Unknown;
        for (source, _) in cluster
            .workloads()
            .filter(|(s, w)| *s != id && !w.pods.is_empty())
        {
            let places = self.places(source);
            if hosts_unknown && places.iter().any(|p| self.is_host(*p)) {
                continue;
            }
            let cells: Vec<&Allowed> = places
                .iter()
                .flat_map(|p| passes.iter().filter_map(|t| t.get(p.index())))
                .collect();
            let implied = if places.iter().all(|p| self.open_out[p.index()]) {
                &open.cluster
            } else {
                &TrafficSet::empty()
            };
            let from = self.name(source).to_owned();
            self.facts(&from, to, &cells, implied);
        }
        let mut blocks: BTreeMap<Allowed, IpSet> = BTreeMap::new();
        for atom in AtomIx::first(line.atoms.len()) {
            let place = line.of_atom(atom).index();
            let cells: Vec<&Allowed> = passes.iter().filter_map(|t| t.get(place)).collect();
            let (least, _) = bounds(&cells);
            let set = blocks.entry(least).or_default();
            *set = set.union(&line.atoms.addresses(atom));
        }
        for (allowed, set) in blocks {
            self.facts(&addresses(&set), to, &[&allowed], &open.anyone);
        }
    }

    /// The lines about one pair.
    fn facts(&mut self, from: &str, to: &str, cells: &[&Allowed], implied: &TrafficSet) {
        let (least, most) = bounds(cells);
        let sure = least.must.difference(implied);
        let some = most.must.difference(&least.must).difference(implied);
        let unknown = least
            .unknown()
            .union(&most.unknown())
            .difference(&most.must)
            .difference(implied);
        for (word, traffic) in [("", &sure), ("some ", &some), ("unknown ", &unknown)] {
            if !traffic.is_empty() {
                self.lines
                    .insert(format!("{word}{from} -> {to} {}", words(traffic)));
            }
        }
    }

    /// Where governed workloads may go outside.
    fn outside(&mut self) {
        let (graph, cluster) = (self.graph, &self.graph.environment().cluster);
        let line = graph.space();
        let tables: Vec<Table> = AtomIx::first(line.atoms.len())
            .map(|a| self.table(graph.row(line.of_atom(a))))
            .collect();
        let hosts_unknown = graph.environment().options.host_network == HostNetwork::Unknown;
        for (source, _) in cluster.workloads().filter(|(_, w)| !w.pods.is_empty()) {
            let places = self.places(source);
            let host = hosts_unknown && places.iter().any(|p| self.is_host(*p));
            if host || places.iter().all(|p| self.open_out[p.index()]) {
                continue;
            }
            let mut blocks: BTreeMap<(Allowed, Allowed), IpSet> = BTreeMap::new();
            for (atom, table) in AtomIx::first(line.atoms.len()).zip(&tables) {
                let cells: Vec<&Allowed> =
                    places.iter().filter_map(|p| table.get(p.index())).collect();
                let set = blocks.entry(bounds(&cells)).or_default();
                *set = set.union(&line.atoms.addresses(atom));
            }
            let from = self.name(source).to_owned();
            for ((least, most), set) in blocks {
                self.facts(
                    &from,
                    &addresses(&set),
                    &[&least, &most],
                    &TrafficSet::empty(),
                );
            }
        }
    }
}

/// The least and the most that passes over several pairs of pods.
fn bounds(cells: &[&Allowed]) -> (Allowed, Allowed) {
    let fold = |join: fn(&TrafficSet, &TrafficSet) -> TrafficSet| {
        let sure = cells
            .iter()
            .map(|a| a.must.clone())
            .reduce(|x, y| join(&x, &y))
            .unwrap_or_default();
        let may = cells
            .iter()
            .map(|a| a.may.clone())
            .reduce(|x, y| join(&x, &y))
            .unwrap_or_default();
        Allowed { may, must: sure }
    };
    (fold(TrafficSet::intersection), fold(TrafficSet::union))
}
