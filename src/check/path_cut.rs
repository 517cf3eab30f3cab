//! The cheapest set of workloads at which all paths of an isolation claim are cut.
//!
//! A minimum cut by maximum flow, in a network where every class is split into two nodes. Cost: up
//! to [`LIMIT`] classes, and the rows of their templates.

use crate::check::judge::workload;
use crate::check::outcome::Cut;
use crate::check::paths::{PathQuery, Paths, by_own_node, by_row, incoming};
use crate::compile::effective_policy::EffectivePolicy;
use crate::compile::endpoint_index::EndpointIx;
use crate::compile::peer_sets::EndpointSet;
use crate::graph::for_rows::DestinationClassIx;
use crate::graph::{AllowGraph, Allowed, RowCache};
use crate::policy::Direction;
use crate::set::TrafficSet;
use crate::set::hashed::HashMap;
use crate::spec::Endpoint;
use petgraph::algo::ford_fulkerson;
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The costs of cutting a workload. Cutting a governed workload requires editing a rule; cutting an
/// open one only requires a default-deny policy, which is slightly cheaper.
const OPEN: u32 = 10;
const GOVERNED: u32 = 13;
const NEVER: u32 = 1_000_000;

/// The number of classes up to which a cut is computed; a larger one would not be readable.
const LIMIT: usize = 1_000;

/// The cheapest set of workloads at which every path is cut. Empty if a source reaches a target
/// directly, or if paths lead through more than [`LIMIT`] classes.
pub(crate) fn cut(
    query: &PathQuery<'_>,
    paths: &Paths,
    pass: fn(&Allowed) -> TrafficSet,
) -> Vec<Cut> {
    let inner = inner(query, paths);
    if inner.len() > LIMIT {
        return Vec::new();
    }
    let mut network = Network::new(query, inner);
    network.connect(query, pass);
    network.cheapest_cut(query)
}

/// The indices that paths lead through, each with an endpoint.
fn inner(query: &PathQuery<'_>, paths: &Paths) -> Vec<(EndpointIx, Endpoint)> {
    let is_inner = |index: &EndpointIx| {
        !query.sources.contains_key(index)
            && !query.targets.contains_key(index)
            && paths.next.contains_key(index)
    };
    let through = query.through.iter();
    through
        .filter(|(index, _)| is_inner(index))
        .map(|(index, endpoint)| (*index, *endpoint))
        .collect()
}

/// A flow network in which every class that paths lead through is an edge whose capacity is the
/// cost of cutting it.
struct Network {
    graph: DiGraph<(), u32>,
    source: NodeIndex,
    sink: NodeIndex,
    /// For each inner index, the nodes at which traffic enters and leaves it.
    halves: BTreeMap<EndpointIx, (NodeIndex, NodeIndex)>,
}

impl Network {
    /// A network without any connection between classes.
    fn new(query: &PathQuery<'_>, inner: Vec<(EndpointIx, Endpoint)>) -> Self {
        let mut graph: DiGraph<(), u32> = DiGraph::new();
        let (source, sink) = (graph.add_node(()), graph.add_node(()));
        let mut halves = BTreeMap::new();
        for (index, endpoint) in inner {
            let (enter, leave) = (graph.add_node(()), graph.add_node(()));
            let cost = if is_open(query.graph, endpoint) {
                OPEN
            } else {
                GOVERNED
            };
            let members = u32::try_from(members(query.graph, index)).unwrap_or(NEVER);
            graph.add_edge(enter, leave, cost.saturating_mul(members).min(NEVER));
            halves.insert(index, (enter, leave));
        }
        Self {
            graph,
            source,
            sink,
            halves,
        }
    }

    /// Adds an edge for everything that passes: to the targets, and to the inner classes. What the
    /// row of a template lets in leads to each of its classes by way of one node.
    fn connect(&mut self, query: &PathQuery<'_>, pass: fn(&Allowed) -> TrafficSet) {
        let sources = query.sources.keys().chain(self.halves.keys());
        let sources: EndpointSet = sources.copied().collect();
        let mut rows = RowCache::new(query.graph);
        for target in query.targets.keys() {
            let asked = query.asked(*target);
            let into = incoming(&mut rows, *target, &asked, pass, [&sources; 2]);
            self.lead(query, into, self.sink);
        }
        let mut templates: HashMap<DestinationClassIx, NodeIndex> = HashMap::default();
        let all = TrafficSet::all();
        for (index, (enter, _)) in self.halves.clone() {
            let template = rows.template(index);
            let template = if let Some(known) = templates.get(&template) {
                *known
            } else {
                let node = self.graph.add_node(());
                templates.insert(template, node);
                let into = by_row(&mut rows, index, &all, pass, &sources);
                self.lead(query, into, node);
                node
            };
            self.graph.add_edge(template, enter, NEVER);
            let own_node = by_own_node(&mut rows, index, &all, pass, &sources);
            self.lead(query, own_node, enter);
        }
    }

    /// Adds an edge from each of some sources to a node.
    fn lead(
        &mut self,
        query: &PathQuery<'_>,
        sources: Vec<(EndpointIx, TrafficSet)>,
        to: NodeIndex,
    ) {
        for (index, _) in sources {
            let from = if query.sources.contains_key(&index) {
                Some(self.source)
            } else {
                self.halves.get(&index).map(|half| half.1)
            };
            if let Some(from) = from {
                self.graph.add_edge(from, to, NEVER);
            }
        }
    }

    /// The workloads of the cheapest cut; empty if every cut contains an edge that cannot be cut.
    fn cheapest_cut(&self, query: &PathQuery<'_>) -> Vec<Cut> {
        let (total, flows) = ford_fulkerson(&self.graph, self.source, self.sink);
        if total >= NEVER {
            return Vec::new();
        }
        let reached = residual(&self.graph, self.source, &flows);
        let severed = self
            .halves
            .iter()
            .filter(|(_, (enter, leave))| reached.contains(enter) && !reached.contains(leave));
        let mut cuts: Vec<Cut> = severed
            .filter_map(|(index, _)| query.through.get(index))
            .filter_map(|endpoint| {
                Some(Cut {
                    workload: workload(query.graph, *endpoint)?,
                    open: is_open(query.graph, *endpoint),
                })
            })
            .collect();
        cuts.sort_unstable();
        cuts
    }
}

/// The nodes that are still reached from a node when every edge carries its flow.
fn residual(graph: &DiGraph<(), u32>, from: NodeIndex, flows: &[u32]) -> BTreeSet<NodeIndex> {
    use petgraph::visit::EdgeRef;
    let mut reached = BTreeSet::from([from]);
    let mut queue = VecDeque::from([from]);
    while let Some(node) = queue.pop_front() {
        let onward = graph
            .edges(node)
            .filter(|e| flows.get(e.id().index()).is_some_and(|f| f < e.weight()))
            .map(|e| e.target());
        let back = graph.edges_directed(node, petgraph::Direction::Incoming);
        let back = back
            .filter(|e| flows.get(e.id().index()).is_some_and(|f| *f > 0))
            .map(|e| e.source());
        for next in onward.chain(back).collect::<Vec<_>>() {
            if reached.insert(next) {
                queue.push_back(next);
            }
        }
    }
    reached
}

/// The number of workloads behind an index.
fn members(graph: &AllowGraph, index: EndpointIx) -> usize {
    let space = graph.space();
    if !space.is_class(index) {
        return 1;
    }
    let cluster = &graph.environment().cluster;
    space
        .classes
        .members(index)
        .iter()
        .map(|p| cluster.pod(*p).workload)
        .collect::<BTreeSet<_>>()
        .len()
}

/// Whether no policy restricts the ingress of an endpoint.
fn is_open(graph: &AllowGraph, endpoint: Endpoint) -> bool {
    graph
        .effective(endpoint, Direction::Ingress)
        .is_some_and(EffectivePolicy::is_open)
}
