//! Paths over hops: a breadth-first search backward from the targets of an isolation claim.
//!
//! Cost: one row per template on the way, restricted to the sources that are left, and a look-up
//! per class.

use crate::check::judge::workload;
use crate::check::schema::{Isolated, Through};
use crate::check::scope::{ScopedEnds, Trouble};
use crate::compile::endpoint_index::EndpointIx;
use crate::compile::peer_sets::EndpointSet;
use crate::doors::DoorList;
use crate::graph::{AllowGraph, Allowed, CompileError, RowCache};
use crate::input::Input;
use crate::model::{PodId, WorkloadId};
use crate::query::End;
use crate::query::ask::asked_traffic;
use crate::query::reach::door_ends::DoorEnds;
use crate::query::suggest::trial;
use crate::set::hashed::HashSet;
use crate::set::{IpSet, Protocol, Traffic, TrafficSet};
use crate::spec::{Endpoint, Flow};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What is asked: the ends, and what the last hop has to carry.
#[derive(Debug, Clone)]
pub struct PathEnds {
    /// The pods that paths start at.
    pub sources: BTreeSet<PodId>,
    /// The outside addresses that paths start at.
    pub addresses: IpSet,
    /// The doors that paths start at, if any: a first hop that no row of the graph has.
    pub doors: Option<DoorEnds>,
    /// The pods that paths lead to.
    pub targets: BTreeSet<PodId>,
    /// The traffic of which the last hop must carry some.
    pub asked: TrafficSet,
    /// Whether paths may lead through nodes and pods on their node's network.
    pub through_nodes: bool,
}

impl PathEnds {
    /// The same, without doors of which it is not told whether they are open.
    pub(crate) fn by_open_doors(&self) -> Self {
        let mut open = self.clone();
        if let Some(doors) = &mut open.doors {
            doors.maybe.clear();
        }
        open
    }

    /// The same in another state of the input, in which other doors may be open.
    ///
    /// # Errors
    /// When the input with the controllers that are assumed cannot be compiled.
    pub(crate) fn after_a_change(
        &self,
        input: &Input,
        graph: &AllowGraph,
    ) -> Result<Self, CompileError> {
        let mut after = self.clone();
        if let Some(doors) = &mut after.doors {
            *doors = DoorEnds::all(&input.cluster, &DoorList::of_input(input, graph)?);
        }
        Ok(after)
    }
}

/// What an isolation claim asks: the sources, the targets, and what paths may lead through.
pub(crate) struct PathQuery<'a> {
    pub(crate) graph: &'a AllowGraph,
    limit: u32,
    /// The indices of the sources, each with an endpoint.
    pub(crate) sources: BTreeMap<EndpointIx, Endpoint>,
    /// The indices of the targets, each with an endpoint and the traffic that is asked about.
    pub(crate) targets: BTreeMap<EndpointIx, (Endpoint, TrafficSet)>,
    /// The indices that may be passed through, each with an endpoint.
    pub(crate) through: BTreeMap<EndpointIx, Endpoint>,
    /// Whether that may be nodes, and pods on their node's network.
    pub(crate) nodes: bool,
    /// The pods that doors lead to, each with its index and whether it is one of the targets.
    pub(crate) doors: BTreeMap<PodId, (EndpointIx, bool)>,
    /// The workloads of the ends.
    pub(crate) ends: BTreeSet<WorkloadId>,
}

impl<'a> PathQuery<'a> {
    /// Resolves the claim.
    ///
    /// # Errors
    /// When a port of the target cannot be resolved.
    pub(crate) fn new(
        graph: &'a AllowGraph,
        spec: &Isolated,
        from: &ScopedEnds,
        to: &ScopedEnds,
        vias: &[ScopedEnds],
    ) -> Result<Self, Trouble> {
        let space = graph.space();
        let cluster = &graph.environment().cluster;
        let mut targets = BTreeMap::new();
        for endpoint in endpoints(graph, to) {
            let asked = asked_traffic::traffic(cluster, &to.spec, &to.resolved, Some(endpoint))
                .map_err(|e| Trouble::Wrong(e.message))?;
            targets
                .entry(space.index_of(endpoint))
                .or_insert((endpoint, asked.unwrap_or_else(TrafficSet::all)));
        }
        let mut sources = BTreeMap::new();
        for endpoint in endpoints(graph, from) {
            sources.entry(space.index_of(endpoint)).or_insert(endpoint);
        }
        let excepted: BTreeSet<PodId> = vias.iter().flat_map(pods).collect();
        let nodes = spec.through.contains(&Through::Nodes);
        let mut through = classes(graph, &excepted, nodes);
        if spec.through.contains(&Through::Internet) {
            through.extend(
                space
                    .indexes()
                    .skip(space.classes.list.len())
                    .map(|index| (index, space.representative(index))),
            );
        }
        Ok(Self {
            graph,
            limit: spec.hops.limit(),
            ends: workloads(
                graph,
                sources.values().chain(targets.values().map(|t| &t.0)),
            ),
            sources,
            targets,
            through,
            nodes,
            doors: BTreeMap::new(),
        })
    }

    /// Leaves classes out of the way that have no pod of some kind.
    pub(crate) fn only_through(&mut self, wanted: impl Fn(PodId) -> bool) {
        let graph = self.graph;
        self.through.retain(|class, end| {
            if !matches!(end, Endpoint::Pod(pod) if !wanted(*pod)) {
                return true;
            }
            let members = graph.space().classes.members(*class).iter();
            let found = members.copied().find(|pod| wanted(*pod));
            found.map(|pod| *end = Endpoint::Pod(pod)).is_some()
        });
    }

    /// What leads from some ends to pods, through any other pods and any number of hops.
    pub(crate) fn between(graph: &'a AllowGraph, asked: &PathEnds) -> Self {
        let space = graph.space();
        let sources = trial::ends(graph, &asked.sources, &asked.addresses);
        let sources: BTreeMap<EndpointIx, Endpoint> = sources
            .into_iter()
            .rev()
            .map(|end| (space.index_of(end), end))
            .collect();
        let targets = asked.targets.iter().rev().map(|pod| {
            let end = Endpoint::Pod(*pod);
            (space.index_of(end), (end, asked.asked.clone()))
        });
        let pods = asked.sources.iter().chain(&asked.targets);
        let pods: Vec<Endpoint> = pods.map(|pod| Endpoint::Pod(*pod)).collect();
        let behind = asked.doors.iter();
        let behind = behind.flat_map(|doors| &doors.pods() | &doors.maybe_pods());
        let doors: BTreeMap<PodId, (EndpointIx, bool)> = behind
            .map(|pod| {
                let index = space.index_of(Endpoint::Pod(pod));
                (pod, (index, asked.targets.contains(&pod)))
            })
            .collect();
        let mut through = classes(graph, &BTreeSet::new(), asked.through_nodes);
        for (pod, (index, _)) in &doors {
            through.entry(*index).or_insert(Endpoint::Pod(*pod));
        }
        Self {
            graph,
            limit: u32::MAX,
            sources,
            targets: targets.collect(),
            through,
            nodes: asked.through_nodes,
            doors,
            ends: workloads(graph, &pods),
        }
    }

    /// The traffic of which the last hop of a path has to carry some.
    pub(crate) fn asked(&self, target: EndpointIx) -> TrafficSet {
        self.targets
            .get(&target)
            .map(|t| t.1.clone())
            .unwrap_or_default()
    }
}

/// The classes that may be passed through, each with one of its pods that is not excepted.
fn classes(
    graph: &AllowGraph,
    excepted: &BTreeSet<PodId>,
    nodes: bool,
) -> BTreeMap<EndpointIx, Endpoint> {
    let (space, cluster) = (graph.space(), &graph.environment().cluster);
    let is_free = |p: &&PodId| !excepted.contains(*p) && (nodes || !cluster.pod(**p).host_network);
    let free = |class: EndpointIx| {
        let pod = space.classes.members(class).iter().find(is_free)?;
        Some((class, Endpoint::Pod(*pod)))
    };
    space.classes.list.indexes().filter_map(free).collect()
}

/// The workloads of some endpoints.
fn workloads<'e>(
    graph: &AllowGraph,
    endpoints: impl IntoIterator<Item = &'e Endpoint>,
) -> BTreeSet<WorkloadId> {
    let endpoints = endpoints.into_iter();
    endpoints.filter_map(|end| workload(graph, *end)).collect()
}

/// The pods of the ends, and one address of each atom.
fn endpoints(graph: &AllowGraph, ends: &ScopedEnds) -> Vec<Endpoint> {
    let atoms = &graph.space().atoms;
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for end in &ends.resolved.ends {
        match end {
            End::Pods { pods, .. } => endpoints.extend(pods.iter().map(|p| Endpoint::Pod(*p))),
            End::Addresses { set, .. } => {
                let first = |a| atoms.addresses(a).intersection(set).first();
                let addresses = atoms.overlapping(set);
                let addresses = addresses.points().filter_map(first);
                endpoints.extend(addresses.map(Endpoint::Address));
            }
        }
    }
    endpoints
}

/// The pods of the ends.
fn pods(ends: &ScopedEnds) -> Vec<PodId> {
    let mut found: Vec<PodId> = Vec::new();
    for end in &ends.resolved.ends {
        if let End::Pods { pods, .. } = end {
            found.extend(pods);
        }
    }
    found
}

/// Where a path starts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PathStart {
    pub(crate) index: EndpointIx,
    pub(crate) end: Endpoint,
    /// The pod behind a door that it starts at.
    pub(crate) door: Option<PodId>,
}

/// For each index, the next step of a shortest path to a target.
pub(crate) struct Paths {
    /// From an index to the number of hops left, the next index, and what may be sent there.
    pub(crate) next: BTreeMap<EndpointIx, (u32, EndpointIx, TrafficSet)>,
}

impl Paths {
    /// Searches backward from the targets. Cost: one row per template on the way, restricted to the
    /// sources that are left, and a look-up per class.
    pub(crate) fn new(query: &PathQuery<'_>, pass: fn(&Allowed) -> TrafficSet) -> Self {
        let mut next: BTreeMap<EndpointIx, (u32, EndpointIx, TrafficSet)> = BTreeMap::new();
        let mut queue: VecDeque<(EndpointIx, u32)> =
            query.targets.keys().map(|t| (*t, 0)).collect();
        let mut rows = RowCache::new(query.graph);
        let mut left = query.graph.space().full();
        // The templates whose rows were read, and the pods whose rows contained only themselves.
        let (mut read, mut selves) = (HashSet::default(), EndpointSet::empty());
        while let Some((index, hops)) = queue.pop_front() {
            if hops >= query.limit || left.is_empty() {
                continue;
            }
            let again = hops > 0 && !read.insert(rows.template(index));
            let asked = if hops == 0 {
                query.asked(index)
            } else {
                TrafficSet::all()
            };
            let among = if again {
                Cow::Owned(left.intersection(&selves))
            } else {
                Cow::Borrowed(&left)
            };
            let mut found = Vec::new();
            for (source, traffic) in incoming(&mut rows, index, &asked, pass, [&among, &left]) {
                // A pod to itself is not a hop; one pod of a class to another is.
                if source == index && is_single(query.graph, index) {
                    selves = selves.union(&EndpointSet::point(index));
                    continue;
                }
                found.push(source);
                next.entry(source).or_insert((hops + 1, index, traffic));
                if query.through.contains_key(&source) && !query.targets.contains_key(&source) {
                    queue.push_back((source, hops + 1));
                }
            }
            if !found.is_empty() {
                left = left.difference(&found.into_iter().collect());
            }
        }
        Self { next }
    }

    /// Where the shortest path starts: at a source, or at a pod behind a door, which is a hop away.
    pub(crate) fn nearest(&self, query: &PathQuery<'_>) -> Option<PathStart> {
        let left = |index: &EndpointIx| self.next.get(index).map(|next| next.0);
        let sources = query.sources.iter();
        let from_sources = sources.filter_map(|(index, end)| {
            Some((
                left(index)?,
                PathStart {
                    index: *index,
                    end: *end,
                    door: None,
                },
            ))
        });
        let from_doors = query.doors.iter().filter_map(|(pod, (index, is_target))| {
            let hops = if *is_target { 0 } else { left(index)? };
            let start = PathStart {
                index: *index,
                end: Endpoint::Pod(*pod),
                door: Some(*pod),
            };
            Some((hops + 1, start))
        });
        let all = from_sources.chain(from_doors);
        all.min_by_key(|(hops, start)| (*hops, start.index))
            .map(|(_, start)| start)
    }

    /// The flows of the shortest path from where it starts; none where a door leads to the target.
    pub(crate) fn hops(&self, query: &PathQuery<'_>, start: PathStart) -> Vec<Flow> {
        let mut flows = Vec::new();
        let door = start.door.and_then(|pod| query.doors.get(&pod));
        if door.is_some_and(|(_, is_target)| *is_target) {
            return flows;
        }
        let (mut current, mut from) = (start.index, start.end);
        while let Some((left, index, traffic)) = self.next.get(&current) {
            let last = *left == 1;
            let on_the_way = || query.through.get(index).copied();
            let target = query.targets.get(index).filter(|_| last).map(|t| t.0);
            let Some(to) = target.or_else(on_the_way) else {
                break;
            };
            flows.push(Flow {
                source: from,
                destination: to,
                traffic: likely(query.graph, to, traffic),
            });
            if last || flows.len() > 1000 {
                break;
            }
            (current, from) = (*index, to);
        }
        flows
    }

    /// The number of source workloads that reach a target.
    pub(crate) fn pairs(&self, query: &PathQuery<'_>) -> usize {
        let reached = query
            .sources
            .iter()
            .filter(|(index, _)| self.next.contains_key(index));
        let workloads: BTreeSet<Option<WorkloadId>> =
            reached.map(|(_, e)| workload(query.graph, *e)).collect();
        workloads.len()
    }
}

/// Whether an index stands for a single pod.
pub(crate) fn is_single(graph: &AllowGraph, index: EndpointIx) -> bool {
    let space = graph.space();
    space.is_class(index) && {
        let members = space.classes.members(index);
        members.len() == 1
            && members
                .iter()
                .all(|p| graph.environment().cluster.pod(*p).is_single())
    }
}

/// The sources that may send some of the traffic asked about, in order, each with what it may send:
/// those in `among` according to the row, and those in `near` as far as own nodes decide.
pub(crate) fn incoming(
    rows: &mut RowCache<'_>,
    index: EndpointIx,
    asked: &TrafficSet,
    pass: fn(&Allowed) -> TrafficSet,
    [among, near]: [&EndpointSet; 2],
) -> Vec<(EndpointIx, TrafficSet)> {
    let mut found = by_own_node(rows, index, asked, pass, near);
    found.extend(by_row(rows, index, asked, pass, among));
    found.sort_by_key(|f| f.0);
    // INVARIANT: the own node, which comes first, lets through what the row does, and more.
    found.dedup_by_key(|f| f.0);
    found
}

/// The sources among `near` that own nodes decide.
pub(crate) fn by_own_node(
    rows: &mut RowCache<'_>,
    index: EndpointIx,
    asked: &TrafficSet,
    pass: fn(&Allowed) -> TrafficSet,
    near: &EndpointSet,
) -> Vec<(EndpointIx, TrafficSet)> {
    let own_node = rows.own_node_sources_among(index, near).into_iter();
    let traffic = own_node.map(|(source, allowed)| (source, pass(&allowed).intersection(asked)));
    traffic.filter(|(_, traffic)| !traffic.is_empty()).collect()
}

/// The sources in `among` according to the row, which is the same for every index of a template.
pub(crate) fn by_row(
    rows: &mut RowCache<'_>,
    index: EndpointIx,
    asked: &TrafficSet,
    pass: fn(&Allowed) -> TrafficSet,
    among: &EndpointSet,
) -> Vec<(EndpointIx, TrafficSet)> {
    let mut found = Vec::new();
    for part in rows.parts_among(index, among).iter() {
        let traffic = pass(&part.allowed).intersection(asked);
        if !traffic.is_empty() {
            found.extend(
                part.sources
                    .intersection(among)
                    .points()
                    .map(|source| (source, traffic.clone())),
            );
        }
    }
    found
}

/// A piece of the traffic that is likely to be meaningful: a port that the destination declares, if
/// there is one.
fn likely(graph: &AllowGraph, destination: Endpoint, traffic: &TrafficSet) -> Traffic {
    let declared = if let Endpoint::Pod(pod) = destination {
        let ports = graph.environment().cluster.pod(pod).ports.iter();
        ports
            .map(|p| Traffic {
                protocol: p.protocol,
                port: p.port,
            })
            .find(|t| traffic.contains(*t))
    } else {
        None
    };
    declared.or_else(|| traffic.sample()).unwrap_or(Traffic {
        protocol: Protocol::Tcp,
        port: 1,
    })
}
