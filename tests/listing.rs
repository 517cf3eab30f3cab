//! The listing against a plain list, made pair by pair, on random clusters; and every filter of it.
//!
//! The plain list asks [`AllowGraph::allowed`] of every pair of ends, whether or not pods form
//! classes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

#[allow(dead_code)] // the addresses of questions are not asked here
#[path = "common/random.rs"]
mod random;

use netpal::internals::compile::AtomIx;
use netpal::internals::query::list::listing::{each, summary};
use netpal::internals::query::list::matrix::MatrixSide;
use netpal::internals::set::Ix;
use netpal::{
    AllowGraph, Allowed, CompileOptions, Endpoint, Flow, HostNetwork, IpSet, ListEntry as Entry,
    ListFilter as Filter, ListParty as Party, MatrixBy as By, Protocol, Snapshot, Traffic,
    TrafficSet, WorkloadId, list, matrix,
};
use random::Random;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

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
    open_in: Vec<WorkloadId>,
    open_out: Vec<WorkloadId>,
}

type Line = (Party, Party, Allowed, bool);

impl Plain<'_> {
    fn pods(&self, workload: WorkloadId) -> Vec<Endpoint> {
        let pods = &self.graph.environment().cluster.workload(workload).pods;
        pods.iter().map(|p| Endpoint::Pod(*p)).collect()
    }

    fn atoms(&self) -> impl Iterator<Item = (Endpoint, IpSet)> {
        let space = self.graph.space();
        let atoms = AtomIx::first(space.atoms.len());
        atoms.map(move |atom| {
            let end = space.representative(space.of_atom(atom));
            (end, space.atoms.addresses(atom))
        })
    }

    /// What passes between all of these and all of those, as one line.
    fn line(&self, from: &[Endpoint], to: &[Endpoint]) -> Option<(Allowed, bool)> {
        let pairs = from
            .iter()
            .flat_map(|s| to.iter().map(|d| self.graph.allowed(*s, *d)));
        line_of(&pairs.collect::<Vec<_>>())
    }

    fn outside_sources(&self, to: WorkloadId, lines: &mut Vec<Line>) {
        let mut all: BTreeMap<(Allowed, bool), IpSet> = BTreeMap::new();
        for (end, set) in self.atoms() {
            if let Some(line) = self.line(&[end], &self.pods(to)) {
                let so_far = all.entry(line).or_insert(IpSet::empty());
                *so_far = so_far.union(&set);
            }
        }
        lines.extend(
            all.into_iter()
                .map(|((a, d), set)| (Party::Addresses(set), Party::Workload(to), a, d)),
        );
    }

    fn outside_destinations(&self, from: WorkloadId, lines: &mut Vec<Line>) {
        let mut all: BTreeMap<(Allowed, bool), IpSet> = BTreeMap::new();
        for (end, set) in self.atoms() {
            if let Some(line) = self.line(&self.pods(from), &[end]) {
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
                if let Some((allowed, differs)) = self.line(&self.pods(from), &self.pods(to)) {
                    lines.push((Party::Workload(from), Party::Workload(to), allowed, differs));
                }
            }
        }
        if self.filter.to.is_none() {
            // what an address lets in that policies govern is not implied of anybody
            let told = self.filter.all || !self.graph.environment().governed_addresses.is_empty();
            let governed = |w: &WorkloadId| told || !self.open_out.contains(w);
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
        ports: None,
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
    let passes = |t: Traffic| possible(&graph.allowed(source, destination)).contains(t);
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
    let listing = summary(&graph, &filter);
    let (open_in, open_out) = (listing.open_in, listing.open_out);
    let plain = Plain {
        graph: &graph,
        filter: &filter,
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
fn a_listing_on_some_ports_is_the_listing_cut_to_them() {
    let (mut kept, mut dropped) = (0, 0);
    for seed in 0..200 {
        let mut random = Random::new(seed);
        let input = netpal::load_str(&random::text(&random::documents(&mut Random::new(seed))));
        let graph = AllowGraph::compile(&input, &options(&mut random)).unwrap();
        let filter = filter(&mut random, &graph);
        let asked = TrafficSet::ports(Protocol::Tcp, 80, 443);
        let on_ports = Filter {
            ports: Some(asked.clone()),
            ..filter.clone()
        };
        let mut wanted = list(&graph, &filter).entries;
        let all = wanted.len();
        for entry in &mut wanted {
            entry.allowed = entry.allowed.and(&Allowed::exact(asked.clone()));
        }
        wanted.retain(|entry| !entry.allowed.is_nothing());
        let got = list(&graph, &on_ports).entries;
        let key = |e: &Entry| (e.source.clone(), e.destination.clone(), e.allowed.clone());
        let keys = |entries: &[Entry]| entries.iter().map(key).collect::<Vec<_>>();
        assert_eq!(keys(&got), keys(&wanted), "seed {seed}");
        for entry in &got {
            assert!(shows(&graph, entry), "seed {seed}: {entry:?}");
            assert!(
                asked.contains(entry.example.traffic),
                "seed {seed}: {entry:?}"
            );
        }
        (kept, dropped) = (kept + got.len(), dropped + all - got.len());
    }
    assert!(kept > 500 && dropped > 50, "{kept} kept, {dropped} dropped");
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
    // a workload, or the internet
    let ends = |list: &[WorkloadId]| -> Vec<Option<WorkloadId>> {
        list.iter().copied().map(Some).chain([None]).collect()
    };
    let at = |end: Option<WorkloadId>| match end {
        Some(workload) => place(&Party::Workload(workload)),
        None => Some(outside),
    };
    // what nothing governs passes where both have a family in common
    let meet = |from: Option<WorkloadId>, to: Option<WorkloadId>| {
        let (Some(from), Some(to)) = (from, to) else {
            return true;
        };
        let pods = |w| {
            cluster
                .workload(w)
                .pods
                .iter()
                .map(|pod| Endpoint::Pod(*pod))
        };
        pods(from).any(|a| pods(to).any(|b| !graph.allowed(a, b).may.is_empty()))
    };
    let all = Allowed {
        must: TrafficSet::all(),
        may: TrafficSet::all(),
    };
    for from in ends(&listing.open_out) {
        for to in ends(&listing.open_in) {
            let (Some(row), Some(column)) = (at(from), at(to)) else {
                continue;
            };
            if (row, column) != (outside, outside) && meet(from, to) {
                add(row, column, &all);
            }
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

/// Pods of two nodes that are alike but for the node, an agent on the network of one of them, and
/// a policy that lets nothing in or out.
const TWO_NODES: &str = r#"
{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "left"}, "status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.1"}]}}
---
{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "right"}, "status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.2"}]}}
---
{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "near", "namespace": "shop", "labels": {"app": "cart"}}, "spec": {"nodeName": "left", "containers": [{"name": "c"}]}, "status": {"podIP": "10.1.0.1"}}
---
{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "far", "namespace": "shop", "labels": {"app": "cart"}}, "spec": {"nodeName": "right", "containers": [{"name": "c"}]}, "status": {"podIP": "10.1.0.2"}}
---
{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "astray", "namespace": "shop", "labels": {"app": "cart"}}, "spec": {"containers": [{"name": "c"}]}, "status": {"podIP": "10.1.0.3"}}
---
{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "agent", "namespace": "infra"}, "spec": {"nodeName": "left", "hostNetwork": true, "containers": [{"name": "c"}]}, "status": {"podIP": "192.0.2.1"}}
---
{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "shut", "namespace": "shop"}, "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}}
"#;

/// The lines with names.
fn named(graph: &AllowGraph) -> Vec<(String, String, Allowed, bool)> {
    let name = |party: &Party| match party {
        Party::Workload(w) => graph.environment().cluster.workload_name(*w),
        Party::Addresses(set) => format!("{set:?}"),
    };
    let filter = Filter {
        all: true,
        ..Filter::default()
    };
    let entries = list(graph, &filter).entries.into_iter();
    let line = |e: Entry| (name(&e.source), name(&e.destination), e.allowed, e.differs);
    entries.map(line).collect()
}

#[test]
fn each_pod_has_its_own_node() {
    let input = netpal::load_str(TWO_NODES);
    let compiled = |classes| {
        let options = CompileOptions::default().host_network(HostNetwork::Node);
        AllowGraph::compile(&input, &options.classes(classes)).unwrap()
    };
    let (graph, plain) = (compiled(true), compiled(false));
    let lines = named(&graph);
    assert_eq!(lines, named(&plain));
    assert_eq!(Snapshot::new(&graph).lines, Snapshot::new(&plain).lines);
    let all = Some(Allowed::exact(TrafficSet::all()));
    let perhaps = Some(Allowed {
        must: TrafficSet::empty(),
        may: TrafficSet::all(),
    });
    for (pod, allowed) in [
        ("shop/near", all),
        ("shop/far", None),
        ("shop/astray", perhaps),
    ] {
        for (from, to) in [(pod, "infra/agent"), ("infra/agent", pod)] {
            let line = lines.iter().find(|line| line.0 == from && line.1 == to);
            assert_eq!(line.map(|line| line.2.clone()), allowed, "{from} -> {to}");
        }
    }
}
