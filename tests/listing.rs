//! The listing against a plain list, made pair by pair, on random clusters; and every filter of it.
//!
//! With classes off every pod is a class, so the plain list asks [`AllowGraph::allowed`] of every
//! pair of ends; with classes on it reads every pair out of [`AllowGraph::row`], which knows of
//! nodes only what holds for a whole class.
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
use netpal::internals::query::list::listing::{each, summary};
use netpal::internals::query::list::matrix::MatrixSide;
use netpal::internals::set::Ix;
use netpal::{
    AllowGraph, Allowed, CompileOptions, Endpoint, Flow, HostNetwork, IpSet, ListEntry as Entry,
    ListFilter as Filter, ListParty as Party, MatrixBy as By, Protocol, Traffic, TrafficSet,
    WorkloadId, list, matrix,
};
use random::Random;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// What passes between two places of the line.
type Between<'a> = &'a dyn Fn(EndpointIx, EndpointIx) -> Allowed;

fn possible(a: &Allowed) -> TrafficSet {
    a.may.clone()
}

/// One line from what passes between each pair: what passes between all, or between some where they
/// differ.
fn line_of(pairs: &[Allowed]) -> Option<(Allowed, bool)> {
    let differs = pairs.iter().any(|a| *a != pairs[0]);
    let sure = pairs
        .iter()
        .fold(TrafficSet::empty(), |all, a| all.union(&a.must));
    let unknown = pairs
        .iter()
        .fold(TrafficSet::empty(), |all, a| all.union(&a.unknown()))
        .difference(&sure);
    let nothing = sure.is_empty() && unknown.is_empty();
    (!nothing).then_some((
        Allowed {
            may: sure.union(&unknown),
            must: sure,
        },
        differs,
    ))
}

/// The plain list: every pair of ends asked.
struct Plain<'a> {
    graph: &'a AllowGraph,
    filter: &'a Filter,
    between: Between<'a>,
    open_in: Vec<WorkloadId>,
    open_out: Vec<WorkloadId>,
}

type Line = (Party, Party, Allowed, bool);

impl Plain<'_> {
    fn classes(&self, workload: WorkloadId) -> Vec<EndpointIx> {
        let of_pod = &self.graph.space().classes.of_pod;
        self.graph
            .environment()
            .cluster
            .workload(workload)
            .pods
            .iter()
            .map(|p| of_pod[*p])
            .collect()
    }

    fn atoms(&self) -> impl Iterator<Item = (EndpointIx, IpSet)> {
        let space = self.graph.space();
        let atoms = AtomIx::first(space.atoms.len());
        atoms.map(move |atom| (space.of_atom(atom), space.atoms.addresses(atom)))
    }

    /// Per destination class one row of atoms by what they may send; the same for every class, or
    /// not.
    fn outside_sources(&self, to: WorkloadId, lines: &mut Vec<Line>) {
        let mut rows: Vec<BTreeMap<Allowed, IpSet>> = Vec::new();
        for class in self.classes(to) {
            let mut row: BTreeMap<Allowed, IpSet> = BTreeMap::new();
            for (place, set) in self.atoms() {
                let allowed = (self.between)(place, class);
                if !possible(&allowed).is_empty() {
                    let so_far = row.entry(allowed).or_insert(IpSet::empty());
                    *so_far = so_far.union(&set);
                }
            }
            rows.push(row);
        }
        let differs = rows.iter().any(|row| *row != rows[0]);
        let mut all: BTreeMap<Allowed, IpSet> = BTreeMap::new();
        for (allowed, set) in rows.into_iter().flatten() {
            let so_far = all.entry(allowed).or_insert(IpSet::empty());
            *so_far = so_far.union(&set);
        }
        lines.extend(
            all.into_iter()
                .map(|(a, set)| (Party::Addresses(set), Party::Workload(to), a, differs)),
        );
    }

    fn outside_destinations(&self, from: WorkloadId, lines: &mut Vec<Line>) {
        let mut all: BTreeMap<(Allowed, bool), IpSet> = BTreeMap::new();
        for (place, set) in self.atoms() {
            let pairs: Vec<Allowed> = self
                .classes(from)
                .iter()
                .map(|c| (self.between)(*c, place))
                .collect();
            if let Some(line) = line_of(&pairs) {
                let so_far = all.entry(line).or_insert(IpSet::empty());
                *so_far = so_far.union(&set);
            }
        }
        lines.extend(
            all.into_iter()
                .map(|((a, d), set)| (Party::Workload(from), Party::Addresses(set), a, d)),
        );
    }

    fn lines(&self) -> Vec<Line> {
        let workloads: Vec<WorkloadId> = self
            .graph
            .environment()
            .cluster
            .workloads()
            .map(|(id, _)| id)
            .collect();
        let has = |list: &Option<Vec<WorkloadId>>, w: &WorkloadId| {
            list.as_ref().is_none_or(|list| list.contains(w))
        };
        let mut lines = Vec::new();
        for to in workloads
            .iter()
            .copied()
            .filter(|w| has(&self.filter.to, w))
        {
            let skip = !self.filter.all && self.open_in.contains(&to);
            if !skip && self.filter.from.is_none() {
                self.outside_sources(to, &mut lines);
            }
            for from in workloads
                .iter()
                .copied()
                .filter(|w| *w != to && has(&self.filter.from, w))
            {
                if skip && self.open_out.contains(&from) {
                    continue;
                }
                let pairs: Vec<Allowed> = (self.classes(from).iter())
                    .flat_map(|s| {
                        self.classes(to)
                            .into_iter()
                            .map(|d| (self.between)(*s, d))
                            .collect::<Vec<_>>()
                    })
                    .collect();
                if let Some((allowed, differs)) = line_of(&pairs) {
                    lines.push((Party::Workload(from), Party::Workload(to), allowed, differs));
                }
            }
        }
        if self.filter.to.is_none() {
            let governed = |w: &WorkloadId| self.filter.all || !self.open_out.contains(w);
            for from in workloads
                .iter()
                .copied()
                .filter(|w| governed(w) && has(&self.filter.from, w))
            {
                self.outside_destinations(from, &mut lines);
            }
        }
        lines
    }
}

fn options(random: &mut Random) -> CompileOptions {
    CompileOptions {
        classes: random.chance(50),
        host_network: *random.pick(&[HostNetwork::Unknown, HostNetwork::Node, HostNetwork::Pod]),
        blocks_match_pods: random.chance(75),
        own_node_egress: random.chance(75),
        ..CompileOptions::default()
    }
}

fn filter(random: &mut Random, graph: &AllowGraph) -> Filter {
    let workloads: Vec<WorkloadId> = graph
        .environment()
        .cluster
        .workloads()
        .map(|(id, _)| id)
        .collect();
    let mut some = |percent| {
        random.chance(percent).then(|| {
            workloads
                .iter()
                .copied()
                .filter(|_| random.chance(50))
                .collect::<Vec<_>>()
        })
    };
    Filter {
        from: some(25),
        to: some(25),
        all: some(30).is_some(),
    }
}

/// The example of an entry shows it: its ends are ends of the line, and some of the traffic may
/// pass.
fn shows(graph: &AllowGraph, entry: &Entry) -> bool {
    let cluster = &graph.environment().cluster;
    let is = |party: &Party, end: Endpoint| match (party, end) {
        (Party::Workload(w), Endpoint::Pod(pod)) => cluster.pod(pod).workload == *w,
        (Party::Addresses(set), Endpoint::Address(address)) => set.contains(address),
        _ => false,
    };
    let Flow {
        source,
        destination,
        traffic,
    } = entry.example;
    let row = graph.row(graph.space().index_of(destination));
    let place = graph.space().index_of(source);
    let passes = |t: Traffic| {
        row.iter()
            .any(|p| p.sources.contains(place) && possible(&p.allowed).contains(t))
    };
    let any = Traffic {
        protocol: Protocol::Tcp,
        port: 1,
    };
    is(&entry.source, source)
        && is(&entry.destination, destination)
        && (passes(traffic) || traffic == any)
}

fn compare(seed: u64) -> usize {
    let mut random = Random::new(seed);
    let input = netpal::load_str(&random::text(&random::documents(&mut Random::new(seed))));
    let graph = AllowGraph::compile(&input, &options(&mut random)).unwrap();
    let filter = filter(&mut random, &graph);
    let line = graph.space();
    let rows: Vec<_> = line.indexes().map(|place| graph.row(place)).collect();
    let in_row = |s: EndpointIx, d: EndpointIx| {
        let part = rows[d.index()].iter().find(|p| p.sources.contains(s));
        part.map(|p| p.allowed.clone()).unwrap_or_default()
    };
    let asked = |s: EndpointIx, d: EndpointIx| {
        graph.allowed(line.representative(s), line.representative(d))
    };
    let between: Between<'_> = if graph.environment().options.classes {
        &in_row
    } else {
        &asked
    };
    let listing = summary(&graph, &filter);
    let (open_in, open_out) = (listing.open_in, listing.open_out);
    let plain = Plain {
        graph: &graph,
        filter: &filter,
        between,
        open_in,
        open_out,
    };
    let entries = list(&graph, &filter).entries;
    for entry in &entries {
        assert!(
            shows(&graph, entry),
            "seed {seed}: the example of {entry:?} shows nothing"
        );
    }
    let got: Vec<Line> = entries
        .into_iter()
        .map(|e| (e.source, e.destination, e.allowed, e.differs))
        .collect();
    let want = plain.lines();
    let wrong = got.iter().zip(&want).find(|(g, w)| g != w);
    assert!(
        got == want,
        "seed {seed}: {} lines, wanted {}; the first that differs: {wrong:#?}",
        got.len(),
        want.len()
    );
    got.len()
}

#[test]
fn the_listing_is_the_plain_list() {
    let lines: usize = (0..400).map(compare).sum();
    assert!(lines > 4_000, "only {lines} lines were compared");
}

#[test]
fn a_listing_stops_where_it_is_told_to() {
    let input = netpal::load_str(&random::text(&random::documents(&mut Random::new(7))));
    let graph = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
    let all = list(&graph, &Filter::default()).entries.len();
    for most in 1..=all {
        let mut lines = 0;
        each(&graph, &Filter::default(), &mut |_| {
            lines += 1;
            if lines < most {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        assert_eq!(lines, most);
    }
}

/// The square the long way: every line into its cell, then every open source with every open
/// destination.
fn plain_square(graph: &AllowGraph, sides: &[MatrixSide]) -> BTreeMap<(usize, usize), Allowed> {
    let (cluster, listing) = (
        &graph.environment().cluster,
        list(graph, &Filter::default()),
    );
    let place = |party: &Party| {
        sides.iter().position(|side| match (side, party) {
            (MatrixSide::Workload(of), Party::Workload(w)) => of == w,
            (MatrixSide::Namespace(of), Party::Workload(w)) => {
                *of == cluster.workload(*w).namespace
            }
            (MatrixSide::Internet, Party::Addresses(set)) => !set.is_disjoint(&IpSet::internet()),
            _ => false,
        })
    };
    let mut cells: BTreeMap<(usize, usize), Allowed> = BTreeMap::new();
    let mut add = |from: usize, to: usize, allowed: &Allowed| {
        let cell = cells.entry((from, to)).or_default();
        cell.must = cell.must.union(&allowed.must);
        cell.may = cell.may.union(&allowed.may);
    };
    for entry in &listing.entries {
        if let (Some(from), Some(to)) = (place(&entry.source), place(&entry.destination)) {
            add(from, to, &entry.allowed);
        }
    }
    let outside = sides.len() - 1;
    let places = |list: &[WorkloadId]| {
        let workloads = list.iter().filter_map(|w| place(&Party::Workload(*w)));
        workloads
            .chain([outside])
            .collect::<std::collections::BTreeSet<_>>()
    };
    let all = Allowed {
        must: TrafficSet::all(),
        may: TrafficSet::all(),
    };
    for from in places(&listing.open_out) {
        for to in places(&listing.open_in)
            .into_iter()
            .filter(|to| (from, *to) != (outside, outside))
        {
            add(from, to, &all);
        }
    }
    cells
}

#[test]
fn the_square_is_the_plain_square() {
    let mut met = 0;
    for seed in 0..200 {
        let input = netpal::load_str(&random::text(&random::documents(&mut Random::new(seed))));
        let graph = AllowGraph::compile(&input, &options(&mut Random::new(seed))).unwrap();
        for by in [By::Namespace, By::Workload] {
            let square = matrix(&graph, by);
            let plain = plain_square(&graph, &square.sides);
            let got: BTreeMap<(usize, usize), Allowed> =
                square.cells().map(|(at, a)| (at, a.clone())).collect();
            assert_eq!(got, plain, "seed {seed}");
            let sides = 0..square.sides.len();
            let pairs = sides
                .clone()
                .flat_map(|from| sides.clone().map(move |to| (from, to)));
            assert!(
                pairs
                    .into_iter()
                    .all(|(from, to)| square.cell(from, to) == plain.get(&(from, to))),
                "seed {seed}"
            );
            met += got.len();
        }
    }
    assert!(met > 4_000, "only {met} cells");
}
