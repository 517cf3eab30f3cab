//! Who can get where, over any number of hops: the closure of the allow-graph over workloads.
//!
//! A hop is a connection to anything that accepts one, on any port; hops go through pods only. The closure is computed on
//! [`Unit`]s: the pods of one class (and, where pods on their node's network make a difference, of one node), never pod by
//! pod. Forward it goes by the rows of all units, backward by the rows of those that are reached.
//!
//! Soundness: a pod is among the found ones within `n` hops iff a chain of at most `n` flows that `allowed` calls sure
//! (or possible) leads there. Cost: one row per class, and of each row only what is not found yet: a class is met once for
//! every way to it that nothing passes, and once more.

use crate::compile::peers::Runs;
use crate::compile::rows::Part;
use crate::compile::{AllowGraph, Allowed, Endpoint};
use crate::model::{PodId, Truth};
use crate::set::{IpSet, TrafficSet};
use std::collections::{BTreeMap, BTreeSet};

/// Up to how many pods the nodes they run on are told apart; beyond, what holds on some nodes only is unknown, unless both
/// ends are single pods.
const APART: usize = 2_000;

/// In which direction to follow connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the roots on.
    Forward,
    /// Back from the roots.
    Backward,
}

/// What to follow.
#[derive(Debug, Clone)]
pub struct Trip {
    /// The direction.
    pub way: Way,
    /// The pods to start at.
    pub pods: BTreeSet<PodId>,
    /// The outside addresses to start at.
    pub addresses: IpSet,
    /// Backward: what the last hop must carry some of.
    pub asked: TrafficSet,
    /// The most hops; any number when `None`.
    pub hops: Option<u32>,
}

/// Pods that no rule and no node tells apart.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Their class.
    pub class: u32,
    /// The pods, without those the trip starts at.
    pub pods: Vec<PodId>,
    /// Whether they share their node's network.
    pub host: bool,
}

/// How a unit was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// After how many hops.
    pub hops: u32,
    /// From which unit; `None` from a root.
    pub parent: Option<usize>,
    /// What passes on that hop.
    pub traffic: TrafficSet,
}

/// The units of a graph with what leads from one to the other.
pub struct Links<'g> {
    graph: &'g AllowGraph,
    /// The units, by class.
    pub units: Vec<Unit>,
    of_class: Vec<Vec<usize>>,
    rows: BTreeMap<u32, Vec<Part>>,
    roots: Vec<Endpoint>,
    trip: Trip,
    /// Whether nodes are told apart.
    apart: bool,
}

impl<'g> Links<'g> {
    /// Prepares a trip.
    pub fn new(graph: &'g AllowGraph, trip: &Trip) -> Self {
        let line = graph.line();
        let cluster = &graph.world().cluster;
        let mut units = Vec::new();
        let mut of_class = Vec::new();
        let apart = !line.hosts.is_empty() && cluster.pods().len() <= APART;
        for class in 0..line.classes.len() {
            let mut by_node: BTreeMap<Option<&str>, Vec<PodId>> = BTreeMap::new();
            for pod in line.classes.members(class) {
                let node = if apart { cluster.pod(*pod).node.as_deref() } else { None };
                by_node.entry(node).or_default().push(*pod);
            }
            let host = line.classes.get(class).host;
            let first = units.len();
            units.extend(by_node.into_values().map(|pods| Unit { class, pods, host }));
            of_class.push((first..units.len()).collect());
        }
        let pods = trip.pods.iter().map(|p| Endpoint::Pod(*p));
        let roots = pods.chain(super::edit::ends(graph, &BTreeSet::new(), &trip.addresses)).collect();
        let mut links = Self { graph, units, of_class, rows: BTreeMap::new(), roots, trip: trip.clone(), apart };
        links.units.iter_mut().for_each(|u| u.pods.retain(|p| !trip.pods.contains(p)));
        if trip.way == Way::Forward {
            links.every_row();
        }
        links
    }

    fn every_row(&mut self) {
        use rayon::prelude::*;
        let graph = self.graph;
        let classes: Vec<u32> = (0..graph.line().classes.len()).collect();
        self.rows = classes.into_par_iter().map(|c| (c, graph.row(c))).collect();
    }

    fn row(&mut self, place: u32) -> &[Part] {
        let graph = self.graph;
        self.rows.entry(place).or_insert_with(|| graph.row(place))
    }

    /// What leads from one end to another unit (forward), or from another unit to it (backward): in the order of units.
    pub fn next(&mut self, from: Endpoint) -> Vec<(usize, Allowed)> {
        let all = self.graph.line().pods();
        self.next_among(from, &all)
    }

    /// [`Self::next`], of the units of some classes only.
    fn next_among(&mut self, from: Endpoint, classes: &Runs) -> Vec<(usize, Allowed)> {
        let place = self.graph.line().place(from);
        let mut found: Vec<(u32, Allowed)> = Vec::new();
        match self.trip.way {
            Way::Forward => {
                let has = |class: u32| {
                    let row = self.rows.get(&class)?;
                    row.iter().find(|p| p.sources.contains(place)).map(|p| (class, p.allowed.clone()))
                };
                found.extend(classes.points().filter_map(has));
            }
            Way::Backward => {
                for part in self.row(place) {
                    let sources = part.sources.intersection(classes);
                    found.extend(sources.points().map(|s| (s, part.allowed.clone())));
                }
                found.sort_by_key(|(s, _)| *s);
            }
        }
        let units = found.into_iter().flat_map(|(class, allowed)| {
            self.of_class[class as usize].iter().map(move |u| (*u, allowed.clone())).collect::<Vec<_>>()
        });
        let units: Vec<(usize, Allowed)> = units.filter(|(u, _)| !self.units[*u].pods.is_empty()).collect();
        units.into_iter().filter_map(|(u, allowed)| self.exact(from, u, allowed)).collect()
    }

    /// A class stands for pods of several nodes; where that leaves a flow open, the unit's own pods are asked.
    fn exact(&self, from: Endpoint, unit: usize, allowed: Allowed) -> Option<(usize, Allowed)> {
        let pods = &self.units[unit].pods;
        let other = pods.iter().find(|p| Endpoint::Pod(**p) != from)?;
        let host = |p: PodId| self.graph.world().cluster.pod(p).host_network;
        let near = host(*other) || matches!(from, Endpoint::Pod(p) if host(p)) || matches!(from, Endpoint::Address(_));
        let told = self.apart || (pods.len() == 1 && self.stands_alone(from));
        if !near || !told || allowed.unknown.is_empty() {
            return Some((unit, allowed));
        }
        let exact = match self.trip.way {
            Way::Forward => self.graph.allowed(from, Endpoint::Pod(*other)),
            Way::Backward => self.graph.allowed(Endpoint::Pod(*other), from),
        };
        (!exact.sure.is_empty() || !exact.unknown.is_empty()).then_some((unit, exact))
    }

    /// Whether an end stands for nothing but itself: where a trip starts, or the only pod of its unit.
    fn stands_alone(&self, end: Endpoint) -> bool {
        let Endpoint::Pod(pod) = end else { return true };
        let units = &self.of_class[self.graph.line().place(end) as usize];
        self.trip.pods.contains(&pod) || units.iter().any(|u| self.units[*u].pods == [pod])
    }

    /// One end for all of a unit.
    pub fn representative(&self, unit: usize) -> Option<Endpoint> {
        self.units[unit].pods.first().map(|p| Endpoint::Pod(*p))
    }

    /// Of these classes, those all of whose units are found.
    fn all_found(&self, classes: Vec<u32>, found: &BTreeMap<usize, Found>) -> Runs {
        let is_found = |unit: &usize| found.contains_key(unit) || self.units[*unit].pods.is_empty();
        let whole = classes.into_iter().filter(|class| self.of_class[*class as usize].iter().all(is_found));
        whole.map(|class| class..=class).collect()
    }

    /// Every unit that is found, by surely allowed flows or by possible ones.
    pub fn closure(&mut self, least: Truth) -> BTreeMap<usize, Found> {
        let asked = if self.trip.way == Way::Backward { self.trip.asked.clone() } else { TrafficSet::all() };
        let mut found: BTreeMap<usize, Found> = BTreeMap::new();
        let mut level: Vec<(Option<usize>, Endpoint)> = self.roots.iter().map(|r| (None, *r)).collect();
        let mut hops = 0;
        let mut left = self.graph.line().pods();
        while !level.is_empty() && self.trip.hops.is_none_or(|most| hops < most) {
            hops += 1;
            let mut next = Vec::new();
            for (parent, from) in std::mem::take(&mut level) {
                let mut met = Vec::new();
                for (unit, allowed) in self.next_among(from, &left) {
                    let mut traffic = passing(&allowed, least);
                    if parent.is_none() {
                        traffic = traffic.intersection(&asked);
                    }
                    if traffic.is_empty() || found.contains_key(&unit) {
                        continue;
                    }
                    found.insert(unit, Found { hops, parent, traffic });
                    next.push(unit);
                    met.push(self.units[unit].class);
                }
                left = left.difference(&self.all_found(met, &found));
            }
            level = next.into_iter().filter_map(|u| Some((Some(u), self.representative(u)?))).collect();
        }
        found
    }
}

/// What surely passes, or may.
pub fn passing(allowed: &Allowed, least: Truth) -> TrafficSet {
    if least == Truth::Yes { allowed.sure.clone() } else { allowed.sure.union(&allowed.unknown) }
}
