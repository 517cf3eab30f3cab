//! The engines against the specification: both graphs, their traffic, explanations and rows.

use netpal::internals::spec::evaluate;
use netpal::{
    AllowGraph, Allowed, CompileOptions, DiffSide, Endpoint, Environment, Flow, Input, Protocol,
    Traffic, Truth, diff, explain,
};

/// What a graph says of one piece of the traffic between two ends.
pub fn contained(allowed: &Allowed, traffic: Traffic) -> Truth {
    Truth::of(
        allowed.may.contains(traffic),
        !allowed.must.contains(traffic),
    )
}

/// Addresses that are no pod's, some of them in blocks that random policies name.
pub const OUTSIDE: [&str; 5] = [
    "10.0.0.9",
    "8.8.8.8",
    "192.0.2.9",
    "192.168.7.7",
    "2001:db8::9",
];

/// Ports over TCP, and an echo request.
pub fn tcp_and_echo(ports: &[u16]) -> Vec<Traffic> {
    let tcp = ports.iter().map(|port| Traffic {
        protocol: Protocol::Tcp,
        port: *port,
    });
    let echo = Traffic {
        protocol: Protocol::Icmp,
        port: 0x0800,
    };
    tcp.chain([echo]).collect()
}

/// Every traffic between every two ends, of which at least one is a pod.
pub fn flows(input: &Input, outside: &[&str], traffics: &[Traffic]) -> Vec<Flow> {
    let is_pod = |end: Endpoint| matches!(end, Endpoint::Pod(_));
    let pods = input.cluster.pods().map(|(id, _)| Endpoint::Pod(id));
    let outside = outside
        .iter()
        .map(|a| Endpoint::Address(a.parse().unwrap()));
    let ends: Vec<Endpoint> = pods.chain(outside).collect();
    let pairs = ends.iter().flat_map(|s| ends.iter().map(move |d| (*s, *d)));
    let pairs = pairs.filter(|(s, d)| is_pod(*s) || is_pod(*d));
    let flow = |((source, destination), traffic)| Flow {
        source,
        destination,
        traffic,
    };
    let each = pairs.flat_map(|pair| traffics.iter().map(move |traffic| (pair, *traffic)));
    each.map(flow).collect()
}

/// Everything about one flow, by every engine.
pub fn agrees(env: &Environment, graphs: &[AllowGraph; 2], flow: &Flow, seed: u64) -> Truth {
    let want = evaluate(env, flow);
    for graph in graphs {
        let explained = explain(graph, flow);
        let context = || {
            format!(
                "seed {seed}, classes {}: {flow:?}: egress {:?} {:?}, ingress {:?} {:?}, other {:?}",
                graph.environment().options.classes,
                explained.egress.allowed,
                explained.egress.reason,
                explained.ingress.allowed,
                explained.ingress.reason,
                explained.other.as_ref().map(|other| other.allowed())
            )
        };
        assert_eq!(graph.verdict(flow), want, "verdict, {}", context());
        let allowed = graph.allowed(flow.source, flow.destination);
        assert_eq!(
            contained(&allowed, flow.traffic),
            want,
            "allowed, {}",
            context()
        );
        assert_eq!(explained.allowed, want, "explanation, {}", context());
        let kind = match want {
            Truth::Yes => "ALLOW_",
            Truth::No => "DENY_",
            Truth::Maybe => "UNKNOWN_",
        };
        let code = explained.reason().code();
        assert!(code.starts_with(kind), "{code}, {}", context());
    }
    want
}

/// Without classes every pod is its own class, so that a row says exactly what passes between pods.
pub fn rows_agree(graph: &AllowGraph, seed: u64) {
    let space = graph.space();
    for destination in space.indexes() {
        let row = graph.row(destination);
        for source in space.indexes() {
            let (from, to) = (
                space.representative(source),
                space.representative(destination),
            );
            let env = graph.environment();
            let is_governed = |end: Endpoint| env.governed(end).is_some();
            if source == destination || !(is_governed(from) || is_governed(to)) {
                continue;
            }
            let found = row.iter().find(|part| part.sources.contains(source));
            let found = found.map(|part| part.allowed.clone()).unwrap_or_default();
            assert_eq!(
                found,
                graph.allowed(from, to),
                "seed {seed}: row {from:?} -> {to:?}"
            );
        }
    }
}

/// What was compared over many clusters.
#[derive(Debug, Default)]
pub struct Tally {
    /// Flows by their verdict: no, unknown, yes.
    pub flows: [usize; 3],
    /// Diffs that are not empty.
    pub changed: usize,
    /// Clusters.
    pub clusters: usize,
}

impl Tally {
    /// Compares every engine on some flows of a state, and the diff from the state before.
    pub fn of(
        (before, after): (&Input, &Input),
        options: &CompileOptions,
        flows: impl IntoIterator<Item = Flow>,
        seed: u64,
    ) -> Self {
        let mut tally = Self::default();
        let compile = |input: &Input, classes: bool| {
            let graph = AllowGraph::compile(input, &options.clone().classes(classes)).unwrap();
            graph.verify();
            graph
        };
        let graphs = [compile(after, true), compile(after, false)];
        // what secondary networks with policies carry is known to a compiled graph alone
        let networks = after.policies.plugin.networks.as_ref();
        let env = if networks.is_some_and(|plan| !plan.policies.is_empty()) {
            graphs[0].environment().clone()
        } else {
            Environment::new(after, options)
        };
        for flow in flows {
            tally.flows[agrees(&env, &graphs, &flow, seed) as usize] += 1;
        }
        rows_agree(&graphs[1], seed);
        let old = compile(before, true);
        tally.changed = usize::from(compared(before, after, &graphs[0], &old, seed));
        tally.clusters = 1;
        tally
    }

    /// The sum of what was compared.
    pub fn sum(all: Vec<Self>) -> Self {
        all.into_iter().fold(Self::default(), |sum, one| Self {
            flows: std::array::from_fn(|i| sum.flows[i] + one.flows[i]),
            changed: sum.changed + one.changed,
            clusters: sum.clusters + one.clusters,
        })
    }

    /// What was compared, in words.
    pub fn words(&self) -> String {
        let [no, maybe, yes] = self.flows;
        let all = yes + no + maybe;
        let changed = self.changed;
        format!("{all} flows: {yes} yes, {no} no, {maybe} unknown; {changed} diffs with changes")
    }
}

/// Whether something passes otherwise than before; a diff that does not tell it is a fault.
fn compared(before: &Input, after: &Input, new: &AllowGraph, old: &AllowGraph, seed: u64) -> bool {
    let side = |input, graph| DiffSide { input, graph };
    let found = diff(side(before, old), side(after, new));
    let pods = after.cluster.pods();
    let pods: Vec<Endpoint> = pods.map(|(id, _)| Endpoint::Pod(id)).collect();
    let mut pairs = pods.iter().flat_map(|s| pods.iter().map(move |d| (*s, *d)));
    let differ = pairs.any(|(s, d)| s != d && old.allowed(s, d) != new.allowed(s, d));
    if differ {
        let is_told = !found.changes.is_empty();
        assert!(is_told, "seed {seed}: a change is not told");
    }
    differ
}
