//! Isolation over hops: whoever takes over a source starts connections to whatever accepts from it, and goes on from there.
//!
//! Phases: [`Paths::new`] walks backwards from the targets, one row per class, breadth first; the shortest path is read off
//! its steps; [`cut`] finds the fewest workloads at which all paths are cut (maximum flow, with every workload split in
//! two). Certain paths first, then those that rest on something unknown.
//!
//! Model: a hop needs any port; the last one needs a port that was named. Paths lead through workloads on the pod network.
//! Nodes, and pods on their node's network, are passed through only with `through: [nodes]`: a node reaches its own pods
//! whatever the policies say (S55), so they would connect everything with everything. Cost: one row per class on the way.

use super::file::{Isolated, Through};
use super::flows::{Judge, workload};
use super::scope::{Ends, Scopes, Trouble};
use super::{Cut, Example, Verdict};
use crate::compile::walk::Profile;
use crate::compile::{AllowGraph, Allowed, Endpoint, Flow};
use crate::model::{PodId, WorkloadId};
use crate::policy::Direction;
use crate::query::{End, resolve};
use crate::set::{Protocol, Traffic, TrafficSet};
use petgraph::algo::ford_fulkerson;
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Whether no path leads from one end to the other.
pub fn isolated(
    graph: &AllowGraph,
    scopes: &Scopes<'_>,
    judge: &mut Judge<'_>,
    spec: &Isolated,
) -> Result<Verdict, Trouble> {
    let (from, to) = (scopes.text(&spec.from)?, scopes.text(&spec.to)?);
    let vias = spec.except_via.texts().iter().map(|t| scopes.text(t)).collect::<Result<Vec<_>, _>>()?;
    let ask = Ask::new(graph, spec, &from, &to, &vias)?;
    let doubtful = !from.doubtful.is_empty() || !to.doubtful.is_empty();
    for (certain, pass) in [(true, sure as fn(&Allowed) -> TrafficSet), (false, possible)] {
        let paths = Paths::new(&ask, pass);
        let Some(source) = paths.nearest(&ask) else { continue };
        let hops = paths.hops(&ask, source);
        hops.iter().for_each(|flow| judge.exercise(flow));
        let cut = if hops.len() > 1 { cut(&ask, pass) } else { Vec::new() };
        let example = Example::Path { hops, cut, pairs: paths.pairs(&ask) };
        let failed = certain && !doubtful;
        return Ok(if failed { Verdict::failed(example) } else { Verdict::undecided(example) });
    }
    Ok(Verdict::passed())
}

fn sure(allowed: &Allowed) -> TrafficSet {
    allowed.sure.clone()
}

fn possible(allowed: &Allowed) -> TrafficSet {
    allowed.sure.union(&allowed.unknown)
}

/// Which classes are sources, targets and ways through.
struct Ask<'a> {
    graph: &'a AllowGraph,
    limit: u32,
    sources: BTreeMap<u32, Endpoint>,
    targets: BTreeMap<u32, (Endpoint, TrafficSet)>,
    /// For each place that may be passed through, an endpoint of it.
    through: BTreeMap<u32, Endpoint>,
}

impl<'a> Ask<'a> {
    fn new(graph: &'a AllowGraph, spec: &Isolated, from: &Ends, to: &Ends, vias: &[Ends]) -> Result<Self, Trouble> {
        let line = graph.line();
        let cluster = &graph.world().cluster;
        let mut targets = BTreeMap::new();
        for endpoint in endpoints(graph, to) {
            let pod = if let Endpoint::Pod(p) = endpoint { Some(cluster.pod(p)) } else { None };
            let asked =
                resolve::traffic(cluster, &to.spec, &to.resolved, pod).map_err(|e| Trouble::Wrong(e.message))?;
            targets.entry(line.place(endpoint)).or_insert((endpoint, asked.unwrap_or_else(TrafficSet::all)));
        }
        let mut sources = BTreeMap::new();
        for endpoint in endpoints(graph, from) {
            sources.entry(line.place(endpoint)).or_insert(endpoint);
        }
        let excepted: BTreeSet<PodId> = vias.iter().flat_map(pods).collect();
        let nodes = spec.through.contains(&Through::Nodes);
        let mut through = BTreeMap::new();
        for class in 0..line.classes.len() {
            let members = line.classes.members(class);
            let free = members.iter().find(|p| !excepted.contains(p) && (nodes || !cluster.pod(**p).host_network));
            through.extend(free.map(|p| (class, Endpoint::Pod(*p))));
        }
        if spec.through.contains(&Through::Internet) {
            through.extend((line.classes.len()..line.len()).map(|place| (place, line.representative(place))));
        }
        Ok(Self { graph, limit: spec.hops.limit(), sources, targets, through })
    }

    /// What may be sent to a place that is on the way, or a target.
    fn asked(&self, place: u32) -> TrafficSet {
        if self.through.contains_key(&place) {
            return TrafficSet::all();
        }
        self.targets.get(&place).map(|t| t.1.clone()).unwrap_or_default()
    }
}

fn endpoints(graph: &AllowGraph, ends: &Ends) -> Vec<Endpoint> {
    let atoms = &graph.line().atoms;
    let one = |end: &End| match end {
        End::Pods { pods, .. } => pods.iter().map(|p| Endpoint::Pod(*p)).collect::<Vec<_>>(),
        End::Addresses { set, .. } => {
            let first = |a| atoms.addresses(a).intersection(set).first();
            atoms.overlapping(set).points().filter_map(first).map(Endpoint::Address).collect()
        }
    };
    ends.resolved.ends.iter().flat_map(one).collect()
}

fn pods(ends: &Ends) -> Vec<PodId> {
    let one = |end: &End| if let End::Pods { pods, .. } = end { pods.clone() } else { Vec::new() };
    ends.resolved.ends.iter().flat_map(one).collect()
}

/// From each place the next step of a shortest path to a target.
struct Paths {
    /// Place -> hops left, the next place, and what may be sent there.
    next: BTreeMap<u32, (u32, u32, TrafficSet)>,
}

impl Paths {
    /// Walks backwards from the targets.
    fn new(ask: &Ask<'_>, pass: fn(&Allowed) -> TrafficSet) -> Self {
        let mut next: BTreeMap<u32, (u32, u32, TrafficSet)> = BTreeMap::new();
        let mut queue: VecDeque<(u32, u32)> = ask.targets.keys().map(|t| (*t, 0)).collect();
        let mut seen: BTreeSet<u32> = BTreeSet::new();
        while let Some((place, hops)) = queue.pop_front() {
            if hops >= ask.limit {
                continue;
            }
            let asked = if hops == 0 {
                ask.targets.get(&place).map(|t| t.1.clone()).unwrap_or_default()
            } else {
                TrafficSet::all()
            };
            for (source, traffic) in incoming(ask.graph, place, &asked, pass) {
                // a pod with itself is no hop; two pods of one class are
                if source == place && lone(ask.graph, place) {
                    continue;
                }
                next.entry(source).or_insert((hops + 1, place, traffic));
                if ask.through.contains_key(&source) && !ask.targets.contains_key(&source) && seen.insert(source) {
                    queue.push_back((source, hops + 1));
                }
            }
        }
        Self { next }
    }

    /// The source with the shortest path.
    fn nearest(&self, ask: &Ask<'_>) -> Option<u32> {
        let reached = ask.sources.keys().filter_map(|s| self.next.get(s).map(|n| (n.0, *s)));
        reached.min().map(|(_, source)| source)
    }

    fn hops(&self, ask: &Ask<'_>, source: u32) -> Vec<Flow> {
        let mut flows = Vec::new();
        let mut at = source;
        let mut from = ask.sources.get(&source).copied().unwrap_or_else(|| ask.graph.line().representative(source));
        while let Some((left, place, traffic)) = self.next.get(&at) {
            let last = *left == 1;
            let on_the_way = || ask.through.get(place).copied();
            let target = ask.targets.get(place).filter(|_| last).map(|t| t.0);
            let Some(to) = target.or_else(on_the_way) else { break };
            flows.push(Flow { source: from, destination: to, traffic: likely(ask.graph, to, traffic) });
            if last || flows.len() > 1000 {
                break;
            }
            (at, from) = (*place, to);
        }
        flows
    }

    /// How many source workloads reach a target.
    fn pairs(&self, ask: &Ask<'_>) -> usize {
        let reached = ask.sources.iter().filter(|(place, _)| self.next.contains_key(place));
        let workloads: BTreeSet<Option<WorkloadId>> = reached.map(|(_, e)| workload(ask.graph, *e)).collect();
        workloads.len()
    }
}

fn lone(graph: &AllowGraph, place: u32) -> bool {
    let line = graph.line();
    line.is_class(place) && {
        let members = line.classes.members(place);
        members.len() == 1 && members.iter().all(|p| graph.world().cluster.pod(*p).is_single())
    }
}

/// The places that may send something of what is asked, in order, each with what.
fn incoming(
    graph: &AllowGraph,
    place: u32,
    asked: &TrafficSet,
    pass: fn(&Allowed) -> TrafficSet,
) -> Vec<(u32, TrafficSet)> {
    let mut found = Vec::new();
    for part in graph.row(place) {
        let traffic = pass(&part.allowed).intersection(asked);
        if !traffic.is_empty() {
            found.extend(part.sources.points().map(|s| (s, traffic.clone())));
        }
    }
    found.sort_by_key(|f| f.0);
    found
}

/// Of all the traffic a piece that is likely to mean something: a port that the destination declares.
fn likely(graph: &AllowGraph, destination: Endpoint, traffic: &TrafficSet) -> Traffic {
    let declared = |pod: PodId| {
        let ports = graph.world().cluster.pod(pod).ports.iter();
        ports.map(|p| Traffic { protocol: p.protocol, port: p.port }).find(|t| traffic.contains(*t))
    };
    let own = if let Endpoint::Pod(pod) = destination { declared(pod) } else { None };
    own.or_else(|| traffic.sample()).unwrap_or(Traffic { protocol: Protocol::Tcp, port: 1 })
}

/// Cutting a governed workload means editing a rule, an open one only a default deny: slightly cheaper.
const OPEN: u32 = 10;
const GOVERNED: u32 = 13;
const NEVER: u32 = 1_000_000;

/// The fewest workloads at which every path is cut. None where a source reaches a target directly.
fn cut(ask: &Ask<'_>, pass: fn(&Allowed) -> TrafficSet) -> Vec<Cut> {
    let mut graph: DiGraph<(), u32> = DiGraph::new();
    let (source, sink) = (graph.add_node(()), graph.add_node(()));
    let mut halves: BTreeMap<u32, (NodeIndex, NodeIndex)> = BTreeMap::new();
    for (place, endpoint) in
        ask.through.iter().filter(|(p, _)| !ask.sources.contains_key(p) && !ask.targets.contains_key(p))
    {
        let (enter, leave) = (graph.add_node(()), graph.add_node(()));
        let cost = if is_open(ask.graph, *endpoint) { OPEN } else { GOVERNED };
        let members = u32::try_from(members(ask.graph, *place)).unwrap_or(NEVER);
        graph.add_edge(enter, leave, cost.saturating_mul(members).min(NEVER));
        halves.insert(*place, (enter, leave));
    }
    let out = |place: &u32, halves: &BTreeMap<u32, (NodeIndex, NodeIndex)>| {
        if ask.sources.contains_key(place) { Some(source) } else { halves.get(place).map(|h| h.1) }
    };
    let into = halves.iter().map(|(p, h)| (*p, h.0)).chain(ask.targets.keys().map(|t| (*t, sink)));
    for (place, enter) in into.collect::<Vec<_>>() {
        for (from, _) in incoming(ask.graph, place, &ask.asked(place), pass) {
            if let Some(leave) = out(&from, &halves) {
                graph.add_edge(leave, enter, NEVER);
            }
        }
    }
    let (total, flows) = ford_fulkerson(&graph, source, sink);
    if total >= NEVER {
        return Vec::new();
    }
    let reached = residual(&graph, source, &flows);
    let severed = halves.iter().filter(|(_, (enter, leave))| reached.contains(enter) && !reached.contains(leave));
    let mut cuts: Vec<Cut> = severed
        .filter_map(|(place, _)| ask.through.get(place))
        .filter_map(|e| Some(Cut { workload: workload(ask.graph, *e)?, open: is_open(ask.graph, *e) }))
        .collect();
    cuts.sort_unstable();
    cuts
}

/// The nodes that are still reached when every edge carries its flow.
fn residual(graph: &DiGraph<(), u32>, from: NodeIndex, flows: &[u32]) -> BTreeSet<NodeIndex> {
    use petgraph::visit::EdgeRef;
    let mut reached = BTreeSet::from([from]);
    let mut queue = VecDeque::from([from]);
    while let Some(node) = queue.pop_front() {
        let onward =
            graph.edges(node).filter(|e| flows.get(e.id().index()).is_some_and(|f| f < e.weight())).map(|e| e.target());
        let back = graph.edges_directed(node, petgraph::Direction::Incoming);
        let back = back.filter(|e| flows.get(e.id().index()).is_some_and(|f| *f > 0)).map(|e| e.source());
        for next in onward.chain(back).collect::<Vec<_>>() {
            if reached.insert(next) {
                queue.push_back(next);
            }
        }
    }
    reached
}

fn members(graph: &AllowGraph, place: u32) -> usize {
    let line = graph.line();
    if !line.is_class(place) {
        return 1;
    }
    let cluster = &graph.world().cluster;
    line.classes.members(place).iter().map(|p| cluster.pod(*p).workload).collect::<BTreeSet<_>>().len()
}

fn is_open(graph: &AllowGraph, endpoint: Endpoint) -> bool {
    graph.profile(endpoint, Direction::Ingress).is_some_and(Profile::is_open)
}
