//! Snapshots against plain ones, made pair by pair of pods and addresses, on random clusters.
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
use netpal::internals::spec::evaluate;
use netpal::{
    AllowGraph, Allowed, CompileOptions, Direction, Endpoint, Environment, Flow, HostNetwork,
    Input, IpSet, LineEnd, PolicySet, Protocol, Snapshot, Traffic, TrafficSet, WorkloadId, World,
    load_str, potential_rows,
};
use random::Random;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

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
    /// All pods and one address of each block, with its place.
    ends: Vec<(Endpoint, EndpointIx)>,
    /// By destination and source, what passes and what is admitted.
    passes: Vec<Table>,
    admits: Vec<Table>,
    open_out: Vec<bool>,
    lines: Lines,
}

type Lines = BTreeSet<String>;
type Table = Vec<Allowed>;

impl<'a> Taker<'a> {
    fn new(graph: &'a AllowGraph) -> Self {
        let line = graph.space();
        let pods = graph.environment().cluster.pods();
        let pods = pods.map(|(id, _)| Endpoint::Pod(id));
        let atoms = AtomIx::first(line.atoms.len()).map(|a| line.representative(line.of_atom(a)));
        let ends: Vec<_> = pods
            .chain(atoms)
            .map(|end| (end, line.index_of(end)))
            .collect();
        let mut taker = Self {
            graph,
            names: names(graph),
            ends,
            passes: Vec::new(),
            admits: Vec::new(),
            open_out: Vec::new(),
            lines: BTreeSet::new(),
        };
        taker.passes = taker.table(|s, d| graph.allowed(s, d));
        taker.admits = taker.table(|s, d| graph.allowed_on(Direction::Ingress, s, d));
        taker.open_out = taker.open_out();
        taker
    }

    fn table(&self, between: impl Fn(Endpoint, Endpoint) -> Allowed) -> Vec<Table> {
        let row = |d: Endpoint| self.ends.iter().map(|(s, _)| between(*s, d)).collect();
        self.ends.iter().map(|(d, _)| row(*d)).collect()
    }

    fn is_pod(&self, end: usize) -> bool {
        matches!(self.ends[end].0, Endpoint::Pod(_))
    }

    fn is_host(&self, end: usize) -> bool {
        self.graph.space().hosts.contains(self.ends[end].1)
    }

    /// Per end whether its own policies keep it from nothing. What a pod may send to another like
    /// it counts also where there is no other.
    fn open_out(&self) -> Vec<bool> {
        let mut open = vec![true; self.ends.len()];
        for to in (0..self.ends.len()).filter(|to| !self.is_host(*to)) {
            for (from, open) in open.iter_mut().enumerate() {
                let (passes, admits) = if from == to && self.is_pod(to) {
                    let place = self.ends[to].1;
                    let of = |row: Vec<SourcesTraffic>| {
                        let part = row.into_iter().find(|p| p.sources.contains(place));
                        part.map(|p| p.allowed).unwrap_or_default()
                    };
                    (of(self.graph.row(place)), of(self.graph.admits(place)))
                } else {
                    (self.passes[to][from].clone(), self.admits[to][from].clone())
                };
                let outside = !self.is_pod(to) && !self.is_pod(from);
                *open &= outside || passes == admits;
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
            let ends = self.ends_of(id);
            if hosts_unknown && ends.iter().any(|p| self.is_host(*p)) {
                self.lines
                    .insert(format!("unknown {} hostNetwork", self.name(id)));
                continue;
            }
            if ends.iter().all(|p| self.open_out[*p]) {
                self.lines.insert(format!("open-out {}", self.name(id)));
            }
            self.destination(id, &ends);
        }
        self.outside();
        self.between_addresses();
        self.lines
    }

    /// What addresses send to those that policies govern, and these to all others.
    fn between_addresses(&mut self) {
        let space = &self.graph.space().atoms;
        let atoms: Vec<(AtomIx, usize)> = AtomIx::first(space.len())
            .zip(self.first_atom()..)
            .collect();
        let mut blocks: BTreeMap<(bool, usize, Allowed), IpSet> = BTreeMap::new();
        for (to_atom, to) in &atoms {
            for (from_atom, from) in atoms.iter().filter(|(_, from)| from != to) {
                let allowed = self.passes[*to][*from].clone();
                let (into, end, other) = if self.is_governed(*to, Direction::Ingress) {
                    (true, *to, from_atom)
                } else if self.is_governed(*from, Direction::Egress) {
                    (false, *from, to_atom)
                } else {
                    continue;
                };
                let set = blocks.entry((into, end, allowed)).or_default();
                *set = set.union(&space.addresses(*other));
            }
        }
        for ((into, end, allowed), set) in blocks {
            let itself = atoms.iter().find(|(_, at)| *at == end);
            let itself = itself.map(|(atom, _)| addresses(&space.addresses(*atom)));
            let (itself, others) = (itself.unwrap(), addresses(&set));
            let (from, to) = if into {
                (others, itself)
            } else {
                (itself, others)
            };
            Self::facts(
                &mut self.lines,
                &from,
                &to,
                &[&allowed],
                &TrafficSet::empty(),
            );
        }
    }

    fn name(&self, id: WorkloadId) -> &str {
        self.names.get(id.0 as usize).map_or("", String::as_str)
    }

    fn ends_of(&self, id: WorkloadId) -> Vec<usize> {
        let pods = &self.graph.environment().cluster.workload(id).pods;
        pods.iter().map(|p| p.index()).collect()
    }

    /// Everything that may reach a workload.
    fn destination(&mut self, id: WorkloadId, ends: &[usize]) {
        let open = self.open_in(ends);
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
        self.sources(id, &to, ends, &open);
    }

    /// What every source may send, host-network pods aside.
    /// Whether the two may have an address family in common: each has addresses of its own, or the
    /// input does not tell.
    fn connects(&self, from: usize, to: usize) -> bool {
        let env = self.graph.environment();
        let policies: Arc<PolicySet> = Arc::default();
        let open = Environment {
            layers: policies.layers().into(),
            policies,
            ..env.clone()
        };
        let flow = Flow {
            source: self.ends[from].0,
            destination: self.ends[to].0,
            traffic: Traffic {
                protocol: Protocol::Tcp,
                port: 80,
            },
        };
        from == to || evaluate(&open, &flow).possible()
    }

    fn open_in(&self, to: &[usize]) -> OpenIn {
        let all = |pods: bool| {
            let mut common = TrafficSet::all();
            let ends = (0..self.ends.len()).filter(|end| self.is_pod(*end) == pods);
            for from in ends.filter(|end| !self.is_host(*end)) {
                for to in to.iter().filter(|to| pods || self.connects(from, **to)) {
                    common = common.intersection(&self.admits[*to][from].must);
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

    fn sources(&mut self, id: WorkloadId, to: &str, at: &[usize], open: &OpenIn) {
        let (graph, cluster) = (self.graph, &self.graph.environment().cluster);
        let line = graph.space();
        let hosts_unknown = graph.environment().options.host_network == HostNetwork::Unknown;
        for (source, _) in cluster
            .workloads()
            .filter(|(s, w)| *s != id && !w.pods.is_empty())
        {
            let ends = self.ends_of(source);
            if hosts_unknown && ends.iter().any(|p| self.is_host(*p)) {
                continue;
            }
            let cells: Vec<&Allowed> = ends
                .iter()
                .flat_map(|from| at.iter().map(|to| &self.passes[*to][*from]))
                .collect();
            let implied = if ends.iter().all(|p| self.open_out[*p]) {
                &open.cluster
            } else {
                &TrafficSet::empty()
            };
            let from = self.name(source).to_owned();
            Self::facts(&mut self.lines, &from, to, &cells, implied);
        }
        let mut blocks: BTreeMap<((Allowed, Allowed), bool), IpSet> = BTreeMap::new();
        for (atom, from) in AtomIx::first(line.atoms.len()).zip(self.first_atom()..) {
            let cells: Vec<&Allowed> = at.iter().map(|to| &self.passes[*to][from]).collect();
            let governed = self.is_governed(from, Direction::Egress);
            let set = blocks.entry((bounds(&cells), governed)).or_default();
            *set = set.union(&line.atoms.addresses(atom));
        }
        let nothing = TrafficSet::empty();
        for (((least, most), governed), set) in blocks {
            let implied = if governed { &nothing } else { &open.anyone };
            let cells = [&least, &most];
            Self::facts(&mut self.lines, &addresses(&set), to, &cells, implied);
        }
    }

    /// Whether policies govern what an end sends or receives.
    fn is_governed(&self, end: usize, direction: Direction) -> bool {
        let effective = self.graph.effective(self.ends[end].0, direction);
        effective.is_some_and(|effective| !effective.is_open())
    }

    fn first_atom(&self) -> usize {
        self.graph.environment().cluster.pods().len()
    }

    /// The lines about one pair.
    fn facts(lines: &mut Lines, from: &str, to: &str, cells: &[&Allowed], implied: &TrafficSet) {
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
                lines.insert(format!("{word}{from} -> {to} {}", words(traffic)));
            }
        }
    }

    /// Where governed workloads may go outside.
    fn outside(&mut self) {
        let (graph, cluster) = (self.graph, &self.graph.environment().cluster);
        let line = graph.space();
        let hosts_unknown = graph.environment().options.host_network == HostNetwork::Unknown;
        for (source, _) in cluster.workloads().filter(|(_, w)| !w.pods.is_empty()) {
            let ends = self.ends_of(source);
            let host = hosts_unknown && ends.iter().any(|p| self.is_host(*p));
            if host {
                continue;
            }
            let open = ends.iter().all(|p| self.open_out[*p]);
            let mut blocks: BTreeMap<(Allowed, Allowed), IpSet> = BTreeMap::new();
            for (atom, to) in AtomIx::first(line.atoms.len()).zip(self.first_atom()..) {
                if open && !self.is_governed(to, Direction::Ingress) {
                    continue;
                }
                let cells: Vec<&Allowed> =
                    ends.iter().map(|from| &self.passes[to][*from]).collect();
                let set = blocks.entry(bounds(&cells)).or_default();
                *set = set.union(&line.atoms.addresses(atom));
            }
            let from = self.name(source).to_owned();
            for ((least, most), set) in blocks {
                Self::facts(
                    &mut self.lines,
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

/// Two replicas of which a policy opens one: what reaches one of them from outside is written down,
/// and another range is a change.
#[test]
fn what_reaches_some_replicas_from_outside_is_a_line() {
    let lines = |cidr: &str| {
        let text = format!(
            "apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: db, namespace: a}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: db}}}}
  template:
    metadata: {{labels: {{app: db}}}}
    spec: {{containers: [{{name: c}}]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: closed, namespace: a}}
spec: {{podSelector: {{}}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: first, namespace: a}}
spec:
  podSelector: {{matchLabels: {{statefulset.kubernetes.io/pod-name: db-0}}}}
  ingress: [{{from: [{{ipBlock: {{cidr: {cidr}}}}}], ports: [{{port: 5432}}]}}]
"
        );
        let graph = AllowGraph::compile(&load_str(&text), &CompileOptions::default()).unwrap();
        Snapshot::new(&graph).lines
    };
    let told = lines("192.0.2.0/24");
    let line = "some 192.0.2.0/24 -> a/db TCP 5432";
    assert!(told.iter().any(|told| told == line), "{told:?}");
    assert_ne!(told, lines("198.51.100.0/24"));
}

/// A line about pods that are not loaded names those that are meant, whatever loaded pods there are
/// beside them; a selector that changes is a line that changes.
#[test]
fn a_line_about_pods_that_may_come_names_no_others() {
    let input = |role: &str| {
        load_str(&format!(
            "apiVersion: v1
kind: Pod
metadata: {{name: db, namespace: a, labels: {{app: db}}}}
spec: {{containers: [{{name: c}}]}}
---
apiVersion: v1
kind: Pod
metadata: {{name: redis, namespace: a, labels: {{app: redis}}}}
spec: {{containers: [{{name: c}}]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: db, namespace: a}}
spec:
  podSelector: {{matchLabels: {{app: db}}}}
  policyTypes: [Ingress, Egress]
  ingress: [{{from: [{{podSelector: {{matchLabels: {{role: {role}}}}}}}], ports: [{{port: 5432}}]}}]
  egress:
  - {{to: [{{podSelector: {{matchLabels: {{role: sink}}}}}}], ports: [{{port: 80}}]}}
  - {{to: [{{ipBlock: {{cidr: 0.0.0.0/0}}}}], ports: [{{port: 53, protocol: UDP}}]}}
"
        ))
    };
    let lines = |input: &Input| {
        let options = CompileOptions::default();
        let rows = potential_rows(input, &options, World::Open).unwrap();
        let end = |end: &LineEnd| end.parts(addresses).join("; ");
        let told = rows.lines(&input.cluster).into_iter().map(|line| {
            let doubt = if line.certain { "" } else { " ?" };
            let (from, to) = (end(&line.source), end(&line.destination));
            format!("{from} -> {to} {}{doubt}", words(&line.traffic))
        });
        told.collect::<Vec<String>>()
    };
    let told = lines(&input("web"));
    assert!(
        told.contains(&"pods role=web,!app in namespace a -> a/db TCP 5432".to_owned()),
        "{told:?}"
    );
    assert!(
        told.contains(&"a/db -> pods role=sink,!app in namespace a TCP 80".to_owned()),
        "{told:?}"
    );
    let perhaps = |line: &&String| line.contains("role=sink") && line.ends_with("UDP 53 ?");
    assert_eq!(told.iter().filter(perhaps).count(), 1, "{told:?}");
    assert!(
        told.iter()
            .all(|line| !line.contains("any other pod in namespace a")),
        "{told:?}"
    );
    assert_ne!(told, lines(&input("attacker")));
}
