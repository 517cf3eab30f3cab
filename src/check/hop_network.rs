//! The workloads between two ends, and what leads from one to another: where every path leads
//! through, and the fewest workloads at which all paths are cut.
//!
//! A workload is an edge from where traffic enters it to where it leaves, with room for one path;
//! everything else has room for all. So a maximum flow is the number of paths that share no
//! workload, and a minimum cut the smallest set of workloads that separates the ends (Menger).
//! Classes and templates are nodes of their own, so that the size is O(workloads + classes + parts
//! of rows), not the number of pairs. Cost: one row per template on the way; linear for
//! [`HopNetwork::chokepoints`], linear for each path of the flow for [`HopNetwork::cut`].

use crate::check::paths::{PathQuery, Paths, by_own_node, by_row, incoming, is_single};
use crate::compile::endpoint_index::EndpointIx;
use crate::compile::peer_sets::EndpointSet;
use crate::graph::for_rows::DestinationClassIx;
use crate::graph::{Allowed, RowCache};
use crate::model::{PodId, WorkloadId};
use crate::set::TrafficSet;
use crate::set::hashed::HashMap;
use petgraph::algo::dominators::simple_fast;
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The nodes of the ends; those of the workloads follow.
const SOURCE: usize = 0;
const SINK: usize = 1;

/// The room of an edge that cannot be cut.
const UNBOUNDED: u32 = u32::MAX / 2;

/// An edge of the flow network; the next one, or the one before, is its reverse.
struct FlowEdge {
    to: usize,
    room: u32,
}

/// What leads from one workload to another.
pub(crate) struct HopNetwork {
    workloads: Vec<WorkloadId>,
    edges: Vec<FlowEdge>,
    /// For each node, the edges that leave it, reverse ones included.
    leaving: Vec<Vec<usize>>,
}

impl HopNetwork {
    /// The network of the workloads that lie between the ends of a query.
    pub(crate) fn new(
        query: &PathQuery<'_>,
        paths: &Paths,
        pass: fn(&Allowed) -> TrafficSet,
    ) -> Self {
        let between = between(query, paths);
        let numbers: BTreeSet<WorkloadId> = between.values().flatten().copied().collect();
        let workloads: Vec<WorkloadId> = numbers.into_iter().collect();
        let mut network = Self {
            edges: Vec::new(),
            leaving: Vec::new(),
            workloads,
        };
        network
            .leaving
            .resize_with(2 + 2 * network.workloads.len(), Vec::new);
        for number in 0..network.workloads.len() {
            network.connect(enter(number), leave(number), 1);
        }
        network.come_by_doors(query, &between);
        NetworkBuilder::new(&mut network, query, &between).lead(query, pass);
        network
    }

    /// Adds what doors lead to: a target, or a workload between.
    fn come_by_doors(
        &mut self,
        query: &PathQuery<'_>,
        between: &BTreeMap<EndpointIx, BTreeSet<WorkloadId>>,
    ) {
        let cluster = &query.graph.environment().cluster;
        for (pod, (index, is_target)) in &query.doors {
            let workload = cluster.pod(*pod).workload;
            let is_between = between
                .get(index)
                .is_some_and(|some| some.contains(&workload));
            if *is_target {
                self.connect(SOURCE, SINK, UNBOUNDED);
            } else if let (true, Ok(number)) = (is_between, self.workloads.binary_search(&workload))
            {
                self.connect(SOURCE, enter(number), UNBOUNDED);
            }
        }
    }

    /// The workloads that every path leads through, from the source on; none where no path is.
    pub(crate) fn chokepoints(&self) -> Vec<WorkloadId> {
        let mut graph: DiGraph<(), ()> = DiGraph::new();
        for _ in &self.leaving {
            graph.add_node(());
        }
        for (from, edges) in self.leaving.iter().enumerate() {
            for edge in edges.iter().filter(|edge| *edge % 2 == 0) {
                let to = NodeIndex::new(self.edges[*edge].to);
                graph.add_edge(NodeIndex::new(from), to, ());
            }
        }
        let dominators = simple_fast(&graph, NodeIndex::new(SOURCE));
        let before = dominators.strict_dominators(NodeIndex::new(SINK));
        let mut found: Vec<WorkloadId> = before
            .into_iter()
            .flatten()
            .filter_map(|node| self.entered(node.index()))
            .collect();
        found.reverse();
        found
    }

    /// The fewest workloads at which every path is cut; `None` where a path leads through none.
    pub(crate) fn cut(mut self) -> Option<Vec<WorkloadId>> {
        loop {
            let by = self.reached();
            if !by.contains_key(&SINK) {
                let cut = (0..self.workloads.len())
                    .filter(|n| by.contains_key(&enter(*n)) && !by.contains_key(&leave(*n)))
                    .map(|number| self.workloads[number]);
                return Some(cut.collect());
            }
            let mut way = Vec::new();
            let mut node = SINK;
            while let Some(Some(edge)) = by.get(&node) {
                way.push(*edge);
                node = self.edges[*edge ^ 1].to;
            }
            let room = way.iter().map(|edge| self.edges[*edge].room).min();
            let room = room.filter(|room| *room < UNBOUNDED)?;
            for edge in way {
                self.edges[edge].room -= room;
                self.edges[edge ^ 1].room += room;
            }
        }
    }

    /// The nodes that the source reaches along edges with room, each with the edge by which it was
    /// reached first.
    fn reached(&self) -> BTreeMap<usize, Option<usize>> {
        let mut by = BTreeMap::from([(SOURCE, None)]);
        let mut queue = VecDeque::from([SOURCE]);
        while let Some(node) = queue.pop_front() {
            for edge in &self.leaving[node] {
                let FlowEdge { to, room } = self.edges[*edge];
                if room > 0 && !by.contains_key(&to) {
                    by.insert(to, Some(*edge));
                    queue.push_back(to);
                }
            }
        }
        by
    }

    /// The workload that is entered at a node.
    fn entered(&self, node: usize) -> Option<WorkloadId> {
        let number = node.checked_sub(2).filter(|n| n % 2 == 0)? / 2;
        self.workloads.get(number).copied()
    }

    fn node(&mut self) -> usize {
        self.leaving.push(Vec::new());
        self.leaving.len() - 1
    }

    fn connect(&mut self, from: usize, to: usize, room: u32) {
        self.leaving[from].push(self.edges.len());
        self.edges.push(FlowEdge { to, room });
        self.leaving[to].push(self.edges.len());
        self.edges.push(FlowEdge { to: from, room: 0 });
    }
}

/// Where traffic enters a workload.
fn enter(number: usize) -> usize {
    2 + 2 * number
}

/// Where traffic leaves a workload.
fn leave(number: usize) -> usize {
    3 + 2 * number
}

/// The classes that paths lead through, each with its workloads that belong to neither end.
fn between(query: &PathQuery<'_>, paths: &Paths) -> BTreeMap<EndpointIx, BTreeSet<WorkloadId>> {
    let (space, cluster) = (query.graph.space(), &query.graph.environment().cluster);
    let through = query
        .through
        .keys()
        .filter(|class| space.is_class(**class) && paths.next.contains_key(class));
    let mut found: BTreeMap<EndpointIx, BTreeSet<WorkloadId>> = BTreeMap::new();
    for class in through {
        let pods = space.classes.members(*class).iter();
        let is_way = |pod: &&PodId| {
            query.nodes || !cluster.pod(**pod).host_network || query.doors.contains_key(*pod)
        };
        let workloads = pods.filter(is_way).map(|pod| cluster.pod(*pod).workload);
        let free = workloads.filter(|workload| !query.ends.contains(workload));
        found.insert(*class, free.collect());
    }
    found
}

/// The nodes at which classes are left and entered, while a network is built.
struct NetworkBuilder<'n> {
    network: &'n mut HopNetwork,
    left: BTreeMap<EndpointIx, usize>,
    entered: BTreeMap<EndpointIx, usize>,
}

impl<'n> NetworkBuilder<'n> {
    fn new(
        network: &'n mut HopNetwork,
        query: &PathQuery<'_>,
        between: &BTreeMap<EndpointIx, BTreeSet<WorkloadId>>,
    ) -> Self {
        let (mut left, mut entered) = (BTreeMap::new(), BTreeMap::new());
        for class in query.sources.keys() {
            let out = network.node();
            network.connect(SOURCE, out, UNBOUNDED);
            left.insert(*class, out);
        }
        for (class, workloads) in between {
            let out = *left.entry(*class).or_insert_with(|| network.node());
            let into = network.node();
            entered.insert(*class, into);
            for workload in workloads {
                let Ok(number) = network.workloads.binary_search(workload) else {
                    continue;
                };
                network.connect(leave(number), out, UNBOUNDED);
                network.connect(into, enter(number), UNBOUNDED);
            }
        }
        Self {
            network,
            left,
            entered,
        }
    }

    /// Adds what passes: to the targets, and from class to class.
    fn lead(mut self, query: &PathQuery<'_>, pass: fn(&Allowed) -> TrafficSet) {
        let sources: EndpointSet = self.left.keys().copied().collect();
        let mut rows = RowCache::new(query.graph);
        for target in query.targets.keys() {
            let asked = query.asked(*target);
            let into = incoming(&mut rows, *target, &asked, pass, [&sources; 2]).into_iter();
            let others =
                into.filter(|(source, _)| source != target || !is_single(query.graph, *target));
            self.link(others.map(|(source, _)| source), SINK);
        }
        let all = TrafficSet::all();
        let mut templates: HashMap<DestinationClassIx, usize> = HashMap::default();
        for (class, into) in self.entered.clone() {
            let template = rows.template(class);
            let node = if let Some(known) = templates.get(&template) {
                *known
            } else {
                let node = self.network.node();
                templates.insert(template, node);
                let found = by_row(&mut rows, class, &all, pass, &sources);
                self.link(found.into_iter().map(|(source, _)| source), node);
                node
            };
            self.network.connect(node, into, UNBOUNDED);
            let near = by_own_node(&mut rows, class, &all, pass, &sources);
            self.link(near.into_iter().map(|(source, _)| source), into);
        }
    }

    fn link(&mut self, sources: impl Iterator<Item = EndpointIx>, to: usize) {
        for source in sources {
            if let Some(from) = self.left.get(&source) {
                self.network.connect(*from, to, UNBOUNDED);
            }
        }
    }
}
