//! Isolation over hops: whoever takes over a source starts connections to whatever accepts from it,
//! and goes on from there.
//!
//! Phases: [`Paths::new`] walks backwards from the targets, breadth first; the shortest path is
//! read off its steps; [`cut`] finds the fewest workloads at which all paths are cut (maximum flow,
//! with every workload split in two). Certain paths first, then those that rest on something
//! unknown.
//!
//! Model: a hop needs any port; the last one needs a port that was named. Paths lead through
//! workloads on the pod network. Nodes, and pods on their node's network, are passed through only
//! with `through: [nodes]`: a node reaches its own pods whatever the policies say (S55), so they
//! would connect everything with everything. Cost: one row of the places that are left per template
//! on the way, and a look per class; for the cut, up to [`MOST`] classes, the rows of their
//! templates.

use crate::check::flows::{Judge, workload};
use crate::check::schema::{Isolated, Through};
use crate::check::scope::{Ends, Scopes, Trouble};
use crate::check::{Cut, Example, Verdict};
use crate::compile::effective_policies::EffectivePolicy;
use crate::compile::peer_sets::EndpointSet;
use crate::graph::{AllowGraph, Allowed, RowCache};
use crate::model::{PodId, WorkloadId};
use crate::policy::Direction;
use crate::query::End;
use crate::query::ask::resolve;
use crate::set::hashed::{HashMap, HashSet};
use crate::set::{Protocol, Traffic, TrafficSet};
use crate::spec::{Endpoint, Flow};
use petgraph::algo::ford_fulkerson;
use petgraph::graph::{DiGraph, NodeIndex};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Whether no path leads from one end to the other.
pub fn isolated(
    graph: &AllowGraph,
    scopes: &Scopes<'_>,
    judge: &mut Judge<'_>,
    spec: &Isolated,
) -> Result<Verdict, Trouble> {
    let (from, to) = (scopes.text(&spec.from)?, scopes.text(&spec.to)?);
    let vias = spec
        .except_via
        .texts()
        .iter()
        .map(|t| scopes.text(t))
        .collect::<Result<Vec<_>, _>>()?;
    let ask = Ask::new(graph, spec, &from, &to, &vias)?;
    let doubtful = !from.doubtful.is_empty() || !to.doubtful.is_empty();
    for (certain, pass) in [
        (true, certain as fn(&Allowed) -> TrafficSet),
        (false, possible),
    ] {
        let paths = Paths::new(&ask, pass);
        let Some(source) = paths.nearest(&ask) else {
            continue;
        };
        let hops = paths.hops(&ask, source);
        hops.iter().for_each(|flow| judge.exercise(flow));
        let cut = if hops.len() > 1 {
            cut(&ask, &paths, pass)
        } else {
            Vec::new()
        };
        let example = Example::Path {
            hops,
            cut,
            pairs: paths.pairs(&ask),
        };
        let failed = certain && !doubtful;
        return Ok(if failed {
            Verdict::failed(example)
        } else {
            Verdict::undecided(example)
        });
    }
    Ok(Verdict::passed())
}

fn certain(allowed: &Allowed) -> TrafficSet {
    allowed.must.clone()
}

fn possible(allowed: &Allowed) -> TrafficSet {
    allowed.may.clone()
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
    fn new(
        graph: &'a AllowGraph,
        spec: &Isolated,
        from: &Ends,
        to: &Ends,
        vias: &[Ends],
    ) -> Result<Self, Trouble> {
        let space = graph.space();
        let cluster = &graph.environment().cluster;
        let mut targets = BTreeMap::new();
        for endpoint in endpoints(graph, to) {
            let pod = if let Endpoint::Pod(p) = endpoint {
                Some(cluster.pod(p))
            } else {
                None
            };
            let asked = resolve::traffic(cluster, &to.spec, &to.resolved, pod)
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
        let mut through = BTreeMap::new();
        for class in 0..space.classes.len() {
            let members = space.classes.members(class);
            let free = members
                .iter()
                .find(|p| !excepted.contains(p) && (nodes || !cluster.pod(**p).host_network));
            through.extend(free.map(|p| (class, Endpoint::Pod(*p))));
        }
        if spec.through.contains(&Through::Internet) {
            through.extend(
                (space.classes.len()..space.len())
                    .map(|place| (place, space.representative(place))),
            );
        }
        Ok(Self {
            graph,
            limit: spec.hops.limit(),
            sources,
            targets,
            through,
        })
    }

    /// What a path has to carry some of on its last hop.
    fn asked(&self, target: u32) -> TrafficSet {
        self.targets
            .get(&target)
            .map(|t| t.1.clone())
            .unwrap_or_default()
    }
}

fn endpoints(graph: &AllowGraph, ends: &Ends) -> Vec<Endpoint> {
    let atoms = &graph.space().atoms;
    let one = |end: &End| match end {
        End::Pods { pods, .. } => pods.iter().map(|p| Endpoint::Pod(*p)).collect::<Vec<_>>(),
        End::Addresses { set, .. } => {
            let first = |a| atoms.addresses(a).intersection(set).first();
            atoms
                .overlapping(set)
                .points()
                .filter_map(first)
                .map(Endpoint::Address)
                .collect()
        }
    };
    ends.resolved.ends.iter().flat_map(one).collect()
}

fn pods(ends: &Ends) -> Vec<PodId> {
    let one = |end: &End| {
        if let End::Pods { pods, .. } = end {
            pods.clone()
        } else {
            Vec::new()
        }
    };
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
        let mut rows = RowCache::new(ask.graph);
        let mut left = ask.graph.space().full();
        // the templates whose rows were read, and the pods that a row told of themselves only
        let (mut read, mut selves) = (HashSet::default(), EndpointSet::empty());
        while let Some((place, hops)) = queue.pop_front() {
            if hops >= ask.limit || left.is_empty() {
                continue;
            }
            let again = hops > 0 && !read.insert(rows.template(place));
            let asked = if hops == 0 {
                ask.asked(place)
            } else {
                TrafficSet::all()
            };
            let among = if again {
                Cow::Owned(left.intersection(&selves))
            } else {
                Cow::Borrowed(&left)
            };
            let mut found = Vec::new();
            for (source, traffic) in incoming(&mut rows, place, &asked, pass, [&among, &left]) {
                // a pod with itself is no hop; two pods of one class are
                if source == place && lone(ask.graph, place) {
                    selves = selves.union(&EndpointSet::point(place));
                    continue;
                }
                found.push(source);
                next.entry(source).or_insert((hops + 1, place, traffic));
                if ask.through.contains_key(&source) && !ask.targets.contains_key(&source) {
                    queue.push_back((source, hops + 1));
                }
            }
            if !found.is_empty() {
                left = left.difference(&found.into_iter().map(|source| source..=source).collect());
            }
        }
        Self { next }
    }

    /// The source with the shortest path.
    fn nearest(&self, ask: &Ask<'_>) -> Option<u32> {
        let reached = ask
            .sources
            .keys()
            .filter_map(|s| self.next.get(s).map(|n| (n.0, *s)));
        reached.min().map(|(_, source)| source)
    }

    fn hops(&self, ask: &Ask<'_>, source: u32) -> Vec<Flow> {
        let mut flows = Vec::new();
        let mut at = source;
        let mut from = ask
            .sources
            .get(&source)
            .copied()
            .unwrap_or_else(|| ask.graph.space().representative(source));
        while let Some((left, place, traffic)) = self.next.get(&at) {
            let last = *left == 1;
            let on_the_way = || ask.through.get(place).copied();
            let target = ask.targets.get(place).filter(|_| last).map(|t| t.0);
            let Some(to) = target.or_else(on_the_way) else {
                break;
            };
            flows.push(Flow {
                source: from,
                destination: to,
                traffic: likely(ask.graph, to, traffic),
            });
            if last || flows.len() > 1000 {
                break;
            }
            (at, from) = (*place, to);
        }
        flows
    }

    /// How many source workloads reach a target.
    fn pairs(&self, ask: &Ask<'_>) -> usize {
        let reached = ask
            .sources
            .iter()
            .filter(|(place, _)| self.next.contains_key(place));
        let workloads: BTreeSet<Option<WorkloadId>> =
            reached.map(|(_, e)| workload(ask.graph, *e)).collect();
        workloads.len()
    }
}

fn lone(graph: &AllowGraph, place: u32) -> bool {
    let space = graph.space();
    space.is_class(place) && {
        let members = space.classes.members(place);
        members.len() == 1
            && members
                .iter()
                .all(|p| graph.environment().cluster.pod(*p).is_single())
    }
}

/// The places that may send something of what is asked, in order, each with what: of the first of
/// these as the row says, of the second as far as own nodes decide.
fn incoming(
    rows: &mut RowCache<'_>,
    place: u32,
    asked: &TrafficSet,
    pass: fn(&Allowed) -> TrafficSet,
    [among, near]: [&EndpointSet; 2],
) -> Vec<(u32, TrafficSet)> {
    let mut found = by_own_node(rows, place, asked, pass, near);
    found.extend(by_row(rows, place, asked, pass, among));
    found.sort_by_key(|f| f.0);
    found.dedup_by_key(|f| f.0); // the own node lets through what the row does, and more
    found
}

fn by_own_node(
    rows: &mut RowCache<'_>,
    place: u32,
    asked: &TrafficSet,
    pass: fn(&Allowed) -> TrafficSet,
    near: &EndpointSet,
) -> Vec<(u32, TrafficSet)> {
    let own = rows.own_node_sources_among(place, near).into_iter();
    let own = own.map(|(source, allowed)| (source, pass(&allowed).intersection(asked)));
    own.filter(|(_, traffic)| !traffic.is_empty()).collect()
}

/// The same for every place of a template.
fn by_row(
    rows: &mut RowCache<'_>,
    place: u32,
    asked: &TrafficSet,
    pass: fn(&Allowed) -> TrafficSet,
    among: &EndpointSet,
) -> Vec<(u32, TrafficSet)> {
    let mut found = Vec::new();
    for part in rows.parts_among(place, among).iter() {
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

/// Of all the traffic a piece that is likely to mean something: a port that the destination
/// declares.
fn likely(graph: &AllowGraph, destination: Endpoint, traffic: &TrafficSet) -> Traffic {
    let declared = |pod: PodId| {
        let ports = graph.environment().cluster.pod(pod).ports.iter();
        ports
            .map(|p| Traffic {
                protocol: p.protocol,
                port: p.port,
            })
            .find(|t| traffic.contains(*t))
    };
    let own = if let Endpoint::Pod(pod) = destination {
        declared(pod)
    } else {
        None
    };
    own.or_else(|| traffic.sample()).unwrap_or(Traffic {
        protocol: Protocol::Tcp,
        port: 1,
    })
}

/// Cutting a governed workload means editing a rule, an open one only a default deny: slightly
/// cheaper.
const OPEN: u32 = 10;
const GOVERNED: u32 = 13;
const NEVER: u32 = 1_000_000;

/// Through how many classes paths may lead for a cut to be looked for: of more, nobody would read
/// it.
const MOST: usize = 1_000;

/// The fewest workloads at which every path is cut. None where a source reaches a target directly,
/// or where paths lead through too many.
fn cut(ask: &Ask<'_>, paths: &Paths, pass: fn(&Allowed) -> TrafficSet) -> Vec<Cut> {
    let is_inner =
        |place: &u32| !ask.sources.contains_key(place) && !ask.targets.contains_key(place);
    let leads = |place: &u32| is_inner(place) && paths.next.contains_key(place);
    let inner: Vec<(u32, Endpoint)> = ask
        .through
        .iter()
        .filter(|(p, _)| leads(p))
        .map(|(p, e)| (*p, *e))
        .collect();
    if inner.len() > MOST {
        return Vec::new();
    }
    let mut graph: DiGraph<(), u32> = DiGraph::new();
    let (source, sink) = (graph.add_node(()), graph.add_node(()));
    let mut halves: BTreeMap<u32, (NodeIndex, NodeIndex)> = BTreeMap::new();
    for (place, endpoint) in inner {
        let (enter, leave) = (graph.add_node(()), graph.add_node(()));
        let cost = if is_open(ask.graph, endpoint) {
            OPEN
        } else {
            GOVERNED
        };
        let members = u32::try_from(members(ask.graph, place)).unwrap_or(NEVER);
        graph.add_edge(enter, leave, cost.saturating_mul(members).min(NEVER));
        halves.insert(place, (enter, leave));
    }
    let out = |place: u32| {
        if ask.sources.contains_key(&place) {
            Some(source)
        } else {
            halves.get(&place).map(|h| h.1)
        }
    };
    let allowed_sources: EndpointSet = ask
        .sources
        .keys()
        .chain(halves.keys())
        .map(|place| *place..=*place)
        .collect();
    let mut rows = RowCache::new(ask.graph);
    let connect = |graph: &mut DiGraph<(), u32>, sources: Vec<(u32, TrafficSet)>, to: NodeIndex| {
        for leave in sources.into_iter().filter_map(|(from, _)| out(from)) {
            graph.add_edge(leave, to, NEVER);
        }
    };
    for target in ask.targets.keys() {
        let into = incoming(
            &mut rows,
            *target,
            &ask.asked(*target),
            pass,
            [&allowed_sources; 2],
        );
        connect(&mut graph, into, sink);
    }
    // what the row of a template lets in leads to each of its places
    let mut templates: HashMap<u32, NodeIndex> = HashMap::default();
    let all = TrafficSet::all();
    for (place, (enter, _)) in &halves {
        let template = *templates.entry(rows.template(*place)).or_insert_with(|| {
            let template = graph.add_node(());
            connect(
                &mut graph,
                by_row(&mut rows, *place, &all, pass, &allowed_sources),
                template,
            );
            template
        });
        graph.add_edge(template, *enter, NEVER);
        let own = by_own_node(&mut rows, *place, &all, pass, &allowed_sources);
        connect(&mut graph, own, *enter);
    }
    let (total, flows) = ford_fulkerson(&graph, source, sink);
    if total >= NEVER {
        return Vec::new();
    }
    let reached = residual(&graph, source, &flows);
    let severed = halves
        .iter()
        .filter(|(_, (enter, leave))| reached.contains(enter) && !reached.contains(leave));
    let mut cuts: Vec<Cut> = severed
        .filter_map(|(place, _)| ask.through.get(place))
        .filter_map(|e| {
            Some(Cut {
                workload: workload(ask.graph, *e)?,
                open: is_open(ask.graph, *e),
            })
        })
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

fn members(graph: &AllowGraph, place: u32) -> usize {
    let space = graph.space();
    if !space.is_class(place) {
        return 1;
    }
    let cluster = &graph.environment().cluster;
    space
        .classes
        .members(place)
        .iter()
        .map(|p| cluster.pod(*p).workload)
        .collect::<BTreeSet<_>>()
        .len()
}

fn is_open(graph: &AllowGraph, endpoint: Endpoint) -> bool {
    graph
        .effective(endpoint, Direction::Ingress)
        .is_some_and(EffectivePolicy::is_open)
}
