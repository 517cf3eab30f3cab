//! What passes between all places of the endpoint space: a row for each destination.
//!
//! Where a place is a node, or shares a node's network, what passes depends on which node a pod
//! runs on (S55), and pods of one class may run on several: there each kind of pair is asked, and
//! what they do not agree on is not told. Cost: a row for each place; an edge query for each place
//! and each node beside it.

use crate::compile::endpoint_index::EndpointIx;
use crate::graph::AllowGraph;
use crate::model::PodId;
use crate::policy::Direction;
use crate::render::report::ask::addresses::hexadecimal;
use crate::render::report::ask::interned::{Interned, NOT_TOLD, NOTHING};
use crate::set::{Family, Ix};
use crate::spec::environment::HostNetworkMode;
use crate::spec::{Endpoint, FamilySet};
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The most numbers that the rows may have on a page.
const MOST_NUMBERS: usize = 150_000;

/// The most places that are compared with each other.
const MOST_PLACES: usize = 6_000;

/// The most pairs of places that are asked about by their nodes.
const MOST_ASKED: usize = 200_000;

/// The most nodes whose pods stand for a class.
const MOST_NODES: usize = 12;

/// What passes between places.
#[derive(Debug, Serialize)]
pub(crate) struct PassingRows {
    /// Of each class of pods: its families, 1 for IPv4, 2 for IPv6, 0 where they are not told; what
    /// passes between a pod and itself, where it stands for several; and what passes between one
    /// and itself by way of a Service.
    classes: Vec<(u8, usize, usize)>,
    /// Where the atoms begin.
    atoms: (Vec<u32>, Vec<String>),
    /// The atoms of addresses that policies govern.
    governed: Vec<usize>,
    /// What passes to each place.
    into: RowsInto,
    /// The same for questions that name a pod by its address, or a Service that has one family: of
    /// IPv4, of IPv6; `None` where it is the same. Empty where neither is told.
    by_family: Vec<Option<RowsInto>>,
    /// The rows: what passes from each place, how many places.
    distinct: Vec<Vec<usize>>,
}

/// What passes to each place: the number of a row, and the exceptions to it, which are beside the
/// place on a node: from where, what passes.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct RowsInto(Vec<usize>, BTreeMap<usize, Vec<usize>>);

impl PassingRows {
    /// The rows of a graph, if they are not too many.
    pub(crate) fn new(graph: &AllowGraph, interned: &mut Interned) -> Option<Self> {
        let space = graph.space();
        if space.len() as usize > MOST_PLACES {
            return None;
        }
        let places = Places::new(graph);
        let into = places.rows(interned)?;
        let cluster = &graph.environment().cluster;
        let (mut pods, mut services) = (cluster.pods(), cluster.services());
        let mut by_family = Vec::new();
        if pods.any(|(_, pod)| !pod.host_network && !pod.addresses.is_empty())
            || services.any(|(_, service)| !service.families.is_empty())
        {
            for family in Family::ALL {
                let graph = graph.asking(FamilySet::only(family));
                let asked = Places::new(&graph).rows(interned)?;
                by_family.push((asked != into).then_some(asked));
            }
        }
        let classes = space.indexes().filter(|at| space.is_class(*at));
        let classes = classes.map(|at| places.class(at, interned)).collect();
        let atoms = space.indexes().filter_map(|at| space.atom_at(at));
        let mut starts = (Vec::new(), Vec::new());
        for atom in atoms {
            match space.atoms.representative(atom) {
                IpAddr::V4(first) => starts.0.push(u32::from(first)),
                IpAddr::V6(first) => starts.1.push(hexadecimal(u128::from(first))),
            }
        }
        let governed = graph.environment().governed_addresses.keys();
        let governed = governed.map(|a| space.atoms.of(*a).index()).collect();
        Some(Self {
            classes,
            atoms: starts,
            governed,
            into,
            by_family,
            distinct: Vec::new(),
        })
    }

    /// With all rows that were made.
    pub(crate) fn finish(self, interned: &mut Interned) -> Self {
        Self {
            distinct: interned.rows(),
            ..self
        }
    }
}

/// Up to two pods of a class on each node; where none is told, under `None`.
type StandingPods<'g> = BTreeMap<Option<&'g str>, Vec<PodId>>;

/// The places of a graph, with the pods that stand for each class.
pub(super) struct Places<'g> {
    graph: &'g AllowGraph,
    standing: Vec<StandingPods<'g>>,
}

impl<'g> Places<'g> {
    pub(super) fn new(graph: &'g AllowGraph) -> Self {
        let space = graph.space();
        let classes = space.indexes().filter(|at| space.is_class(*at));
        Self {
            graph,
            standing: classes.map(|at| standing(graph, at)).collect(),
        }
    }

    /// What passes to each place, if that is not too much.
    fn rows(&self, interned: &mut Interned) -> Option<RowsInto> {
        let (mut into, mut asked) = (RowsInto::default(), 0);
        for to in self.graph.space().indexes() {
            let cells = self.row(to, interned);
            let near = self.near(to, &cells, &mut asked, interned);
            into.0.push(interned.row(&cells));
            interned.size += near.len();
            if !near.is_empty() {
                into.1.insert(to.index(), near);
            }
            if interned.size > MOST_NUMBERS {
                return None;
            }
        }
        Some(into)
    }

    /// What passes to a place from each place, but for those beside it on a node.
    fn row(&self, to: EndpointIx, interned: &mut Interned) -> Vec<usize> {
        let space = self.graph.space();
        let mut cells = vec![NOTHING; space.len() as usize];
        for part in self.graph.shared_parts(to, true, None) {
            let allowed = interned.allowed(part.allowed);
            for from in part.sources.points() {
                cells[from.index()] = allowed;
            }
        }
        if !space.is_class(to) {
            // nobody asks what passes outside
            let outside = space
                .indexes()
                .filter(|from| !self.graph.may_be_governed(*from));
            outside.for_each(|from| cells[from.index()] = NOTHING);
        }
        cells
    }

    /// What passes from the places beside a place where that differs: from where, what passes.
    fn near(
        &self,
        to: EndpointIx,
        cells: &[usize],
        asked: &mut usize,
        interned: &mut Interned,
    ) -> Vec<usize> {
        let mut near = Vec::new();
        for (from, _) in self.graph.own_node_sources(to, true) {
            *asked += 1;
            let cell = if *asked > MOST_ASKED {
                NOT_TOLD
            } else {
                let pairs = self.pairs(from, to).into_iter();
                agreed(pairs.map(|(a, b)| interned.allowed(self.graph.allowed(a, b))))
            };
            if cell != cells[from.index()] {
                near.extend([from.index(), cell]);
            }
        }
        near
    }

    /// The kinds of pairs at two places: on one node, on two, and where it is not told.
    fn pairs(&self, from: EndpointIx, to: EndpointIx) -> Vec<(Endpoint, Endpoint)> {
        let one = |at| self.graph.space().representative(at);
        match [from, to].map(|at| self.standing.get(at.index())) {
            [Some(sources), Some(destinations)] => pairs_of_pods(sources, destinations),
            [Some(sources), None] => {
                let pods = self.by_nearness(sources, one(to)).into_iter();
                pods.map(|pod| (Endpoint::Pod(pod), one(to))).collect()
            }
            [None, Some(destinations)] => {
                let pods = self.by_nearness(destinations, one(from)).into_iter();
                pods.map(|pod| (one(from), Endpoint::Pod(pod))).collect()
            }
            [None, None] => vec![(one(from), one(to))],
        }
    }

    /// Of some pods one for which an address is that of their node, one for which it is not, and
    /// one for which that is not told, as far as there are such.
    fn by_nearness(&self, pods: &StandingPods<'_>, address: Endpoint) -> Vec<PodId> {
        let env = self.graph.environment();
        let mut found = BTreeMap::new();
        for pod in pods.values().filter_map(|here| here.first()) {
            let (mode, way) = (HostNetworkMode::Pod, Direction::Ingress);
            let near = env.is_own_node(env.cluster.pod(*pod), address, mode, way);
            found.entry(near).or_insert(*pod);
        }
        found.into_values().collect()
    }

    /// The endpoints that stand for a place, if they are not too many.
    pub(super) fn endpoints(&self, at: EndpointIx) -> Option<Vec<Endpoint>> {
        let Some(pods) = self.standing.get(at.index()) else {
            return Some(vec![self.graph.space().representative(at)]);
        };
        let all = pods.values().flatten().map(|pod| Endpoint::Pod(*pod));
        (pods.len() <= MOST_NODES).then(|| all.collect())
    }

    fn class(&self, at: EndpointIx, interned: &mut Interned) -> (u8, usize, usize) {
        let (graph, space) = (self.graph, self.graph.space());
        let told = space.end_families(at).told();
        let bit = |family, n| told.map_or(0, |told| u8::from(told.contains(family)) * n);
        // 4 where it is told that there is none
        let families = bit(Family::V4, 1) + bit(Family::V6, 2);
        let families = if told.is_some() && families == 0 {
            4
        } else {
            families
        };
        let pods = || self.standing[at.index()].values().flatten();
        let cluster = &graph.environment().cluster;
        let members = space.classes.members(at).iter();
        let several = members.filter(|pod| !cluster.pod(**pod).is_single());
        // what decides of itself is whether its node is told
        let several: BTreeMap<bool, &PodId> = several
            .map(|pod| (cluster.pod(*pod).node.is_some(), pod))
            .collect();
        let itself = agreed(several.into_values().map(|pod| {
            let end = Endpoint::Pod(*pod);
            interned.allowed(graph.allowed(end, end))
        }));
        let first = pods().next().into_iter();
        let led = first.map(|pod| interned.allowed(graph.allowed_to_itself(*pod)));
        let led = agreed(led);
        (families, itself, led)
    }
}

/// What all say; nothing is said of none.
pub(super) fn agreed(mut all: impl Iterator<Item = usize>) -> usize {
    let Some(first) = all.next() else {
        return NOTHING;
    };
    if all.all(|other| other == first) {
        first
    } else {
        NOT_TOLD
    }
}

/// Pairs of different pods: on one node, on two, and where it is not told, as far as there are
/// such.
fn pairs_of_pods(
    sources: &StandingPods<'_>,
    destinations: &StandingPods<'_>,
) -> Vec<(Endpoint, Endpoint)> {
    let told = |pods: &StandingPods<'_>| -> Vec<Option<String>> {
        let names = pods.keys().filter(|node| node.is_some());
        names.map(|node| node.map(str::to_owned)).collect()
    };
    let (from, to) = (told(sources), told(destinations));
    let mut nodes: Vec<(Option<&str>, Option<&str>)> = Vec::new();
    nodes.extend(to.first().map(|node| (None, node.as_deref())));
    nodes.extend(from.first().map(|node| (node.as_deref(), None)));
    nodes.push((None, None));
    let of_class = |pods: &StandingPods<'_>, node: Option<&str>| pods.get(&node).cloned();
    let pair = |(a, b): (Option<&str>, Option<&str>)| {
        let (each, others) = (of_class(sources, a)?, of_class(destinations, b)?);
        each.into_iter().find_map(|source| {
            let other = others.iter().find(|other| **other != source)?;
            Some((Endpoint::Pod(source), Endpoint::Pod(*other)))
        })
    };
    let mut same = from.iter().filter(|node| to.contains(node));
    let on_one = same.find_map(|node| pair((node.as_deref(), node.as_deref())));
    let few = |list: &[Option<String>]| list.iter().take(2).cloned().collect::<Vec<_>>();
    let (from, to) = (few(&from), few(&to));
    for a in &from {
        let others = to.iter().filter(|b| *b != a);
        nodes.extend(others.map(|b| (a.as_deref(), b.as_deref())));
    }
    on_one
        .into_iter()
        .chain(nodes.into_iter().filter_map(pair))
        .collect()
}

/// Up to two pods of a class on each node.
fn standing(graph: &AllowGraph, at: EndpointIx) -> StandingPods<'_> {
    let cluster = &graph.environment().cluster;
    let mut by_node = StandingPods::new();
    for id in graph.space().classes.members(at) {
        let here = by_node.entry(cluster.pod(*id).node.as_deref()).or_default();
        if here.len() < 2 {
            here.push(*id);
        }
    }
    by_node
}
