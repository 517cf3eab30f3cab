//! What leads from one end to the pods of another, in either direction: the steps of a closure
//! ([`crate::query::reach::closure`]).
//!
//! Pods are taken together as [`PodGroup`]s: those of one class (and, where pods on their node's
//! network make a difference, of one node). *Plain* classes are those of pods that do not share
//! their node's network. Between plain classes no node plays a part, so a yes or no is all a search
//! needs ([`AllowGraph::allowed_sources`]); what passes is told afterwards, of the links that
//! somebody wants to see ([`Steps::traffic`]). Where either end is a pod on its node's network, or
//! where a trip starts, rows are read and own nodes asked (S55).

use crate::compile::peer_sets::EndpointSet;
use crate::graph::row::with_own;
use crate::graph::{AllowGraph, Allowed, RowCache, SourcesTraffic};
use crate::model::{PodId, Truth};
use crate::query::reach::closure::{Found, SearchNode};
use crate::set::hashed::HashSet;
use crate::set::{IpSet, TrafficSet};
use crate::spec::Endpoint;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// Up to how many pods the nodes they run on are told apart; beyond, what holds on some nodes only
/// is unknown, unless both ends are single pods.
pub const APART: usize = 2_000;

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
pub struct ReachQuery {
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
pub struct PodGroup<'g> {
    /// Their class.
    pub class: u32,
    /// The pods, without those the trip starts at.
    pub pods: Cow<'g, [PodId]>,
    /// Whether they share their node's network.
    pub host: bool,
}

/// What leads to a unit, or from it.
pub type Link = (usize, Arc<Allowed>);

/// The units of a graph with what leads from one to the other.
pub struct Steps<'g> {
    pub(crate) graph: &'g AllowGraph,
    /// The units, by class.
    pub units: Vec<PodGroup<'g>>,
    /// Which are those of each class, where that may be several.
    of_class: Vec<Range<usize>>,
    pub(crate) rows: RowCache<'g>,
    /// The rows of the sources that are asked about one by one: where the trip starts, and pods on
    /// their node's network.
    pub(crate) few: RowCache<'g>,
    /// The classes of each template (forward).
    pub(crate) templates: Vec<EndpointSet>,
    pub(crate) roots: Vec<Endpoint>,
    pub(crate) trip: ReachQuery,
    /// Whether nodes are told apart.
    pub(crate) apart: bool,
    /// The classes of which the trip leaves one pod, which is then asked for itself.
    pub(crate) rest: EndpointSet,
    /// The templates of the ends whose outside sources were asked for.
    asked_outside: HashSet<u32>,
}

impl<'g> Steps<'g> {
    /// Prepares a trip.
    pub fn new(graph: &'g AllowGraph, trip: &ReachQuery) -> Self {
        let space = graph.space();
        let apart = !space.hosts.is_empty() && graph.environment().cluster.pods().len() <= APART;
        let (mut units, of_class) = units(graph, apart);
        let mut rest = Vec::new();
        for pod in &trip.pods {
            let class = space.index_of(Endpoint::Pod(*pod));
            for unit in &mut units[range(&of_class, class)] {
                unit.pods.to_mut().retain(|p| !trip.pods.contains(p));
                rest.extend((unit.pods.len() == 1).then_some(class..=class));
            }
        }
        let pods = trip.pods.iter().map(|p| Endpoint::Pod(*p));
        let roots: Vec<Endpoint> = pods
            .chain(crate::query::suggest::trial::ends(
                graph,
                &BTreeSet::new(),
                &trip.addresses,
            ))
            .collect();
        let mut templates = Vec::new();
        if trip.way == Way::Forward {
            templates = graph
                .templates()
                .into_iter()
                .map(|t| classes(graph, &t.destinations))
                .collect();
        }
        let rest = rest.into_iter().collect();
        let few_sources: EndpointSet = roots
            .iter()
            .map(|root| space.index_of(*root))
            .map(|place| place..=place)
            .collect();
        let (rows, few) = (
            RowCache::new(graph),
            RowCache::among(graph, few_sources.union(&space.hosts)),
        );
        let (trip, asked_outside) = (trip.clone(), HashSet::default());
        Self {
            graph,
            units,
            of_class,
            rows,
            few,
            templates,
            roots,
            trip,
            apart,
            rest,
            asked_outside,
        }
    }

    /// What leads from one end to another unit (forward), or from another unit to it (backward): in
    /// the order of units, of some classes.
    pub fn next(&mut self, from: Endpoint, classes: std::ops::RangeInclusive<u32>) -> Vec<Link> {
        let classes = EndpointSet::from(classes).intersection(&self.graph.space().pods());
        match self.trip.way {
            Way::Forward => {
                let mut templates: Vec<usize> = classes
                    .points()
                    .map(|c| self.rows.template(c) as usize)
                    .collect();
                templates.sort_unstable();
                templates.dedup();
                self.forth(from, &templates, &classes)
            }
            Way::Backward => {
                let parts = self.rows.parts(self.graph.space().index_of(from));
                self.back(from, &parts, &classes, &classes)
            }
        }
    }

    /// The outside addresses that may send to an end, by what they may; asked `once`, `None` where
    /// an end with the same answer was asked about so before.
    pub fn outside(&mut self, end: Endpoint, once: bool) -> Option<Vec<SourcesTraffic>> {
        let space = self.graph.space();
        let place = space.index_of(end);
        let atoms = space.full().difference(&space.pods());
        let own: Vec<(u32, Arc<Allowed>)> = self
            .rows
            .own_node_sources(place)
            .into_iter()
            .filter(|(source, _)| !space.is_class(*source))
            .collect();
        if once && !self.asked_outside.insert(self.rows.template(place)) && own.is_empty() {
            return None;
        }
        let parts: Vec<SourcesTraffic> = self
            .rows
            .parts(place)
            .iter()
            .filter_map(|part| part.among(&atoms))
            .collect();
        Some(with_own(&parts, &own))
    }

    /// What passes on the hop that a unit was found by, in a search for what surely passes or for
    /// what may.
    pub fn traffic(&mut self, unit: usize, how: &Found, least: Truth) -> TrafficSet {
        let from = how.parent.and_then(|parent| self.representative(parent));
        let roots = if from.is_some() {
            Vec::new()
        } else {
            self.roots.clone()
        };
        let (space, class) = (self.graph.space(), self.units[unit].class);
        for from in from.into_iter().chain(roots) {
            let place = space.index_of(from);
            let allowed = match self.trip.way {
                Way::Forward => self.rows.one(place, class),
                Way::Backward => self.rows.one(class, place),
            };
            let Some(allowed) = self.exact(from, unit, &allowed) else {
                continue;
            };
            let mut traffic = passing(&allowed, least);
            if how.parent.is_none() && self.trip.way == Way::Backward {
                traffic = traffic.intersection(&self.trip.asked);
            }
            if !traffic.is_empty() {
                return traffic;
            }
        }
        TrafficSet::empty()
    }

    /// The units of a class.
    pub(crate) fn of(&self, class: u32) -> Range<usize> {
        range(&self.of_class, class)
    }

    /// One end for all of a unit.
    pub fn representative(&self, unit: usize) -> Option<Endpoint> {
        self.units[unit].pods.first().map(|p| Endpoint::Pod(*p))
    }

    /// What leads to an end, whose row this is, from units of some classes; as far as own nodes
    /// decide, or where nothing surely passes, only of those that are near.
    pub(crate) fn back(
        &mut self,
        from: Endpoint,
        parts: &[SourcesTraffic],
        among: &EndpointSet,
        near: &EndpointSet,
    ) -> Vec<Link> {
        let own = self
            .rows
            .own_node_sources_among(self.graph.space().index_of(from), near);
        let own_node_sources: EndpointSet =
            own.iter().map(|(source, _)| *source..=*source).collect();
        let mut found: Vec<(u32, Arc<Allowed>)> = Vec::new();
        for part in parts {
            let mut sources = part.sources.intersection(among);
            if part.allowed.must.is_empty() {
                sources = sources.intersection(near);
            }
            let sources = sources.difference(&own_node_sources);
            let allowed = if sources.is_empty() {
                Arc::default()
            } else {
                Arc::new(part.allowed.clone())
            };
            found.extend(sources.points().map(|s| (s, Arc::clone(&allowed))));
        }
        self.linked(from, found, own, near)
    }

    /// What leads from an end to units of some templates; as far as own nodes decide, of any. Only
    /// classes that are left.
    pub(crate) fn forth(
        &mut self,
        from: Endpoint,
        templates: &[usize],
        left: &EndpointSet,
    ) -> Vec<Link> {
        let space = self.graph.space();
        let place = space.index_of(from);
        let own = self.rows.own_node_destinations(place);
        let own_node_sources: EndpointSet = own
            .iter()
            .map(|(destination, _)| *destination..=*destination)
            .collect();
        let is_one_of_few = self.few.tells_of(place);
        let mut found: Vec<(u32, Arc<Allowed>)> = Vec::new();
        for template in templates {
            let classes = self.templates[*template].intersection(left);
            let Some(first) = classes.first() else {
                continue;
            };
            let few = is_one_of_few && !space.is_host(first);
            let parts = if few {
                self.few.parts(first)
            } else {
                self.rows.parts(first)
            };
            if let Some(part) = parts.iter().find(|part| part.sources.contains(place)) {
                let allowed = Arc::new(part.allowed.clone());
                found.extend(
                    classes
                        .difference(&own_node_sources)
                        .points()
                        .map(|d| (d, Arc::clone(&allowed))),
                );
            }
        }
        self.linked(from, found, own, left)
    }

    /// Classes as units, in order, with what own nodes change of those that are near.
    fn linked(
        &mut self,
        from: Endpoint,
        mut found: Vec<(u32, Arc<Allowed>)>,
        own: Vec<(u32, Arc<Allowed>)>,
        near: &EndpointSet,
    ) -> Vec<Link> {
        found.extend(
            own.into_iter()
                .filter(|(class, allowed)| !allowed.is_nothing() && near.contains(*class)),
        );
        found.sort_unstable_by_key(|(class, _)| *class);
        let mut links = Vec::with_capacity(found.len());
        for (class, allowed) in found {
            for unit in self.of(class) {
                links.extend(
                    self.exact(from, unit, &allowed)
                        .map(|allowed| (unit, allowed)),
                );
            }
        }
        links
    }

    /// A class stands for pods of several nodes; where that leaves a flow open, the unit's own pods
    /// are asked.
    fn exact(
        &mut self,
        from: Endpoint,
        unit: usize,
        allowed: &Arc<Allowed>,
    ) -> Option<Arc<Allowed>> {
        let PodGroup { pods, class, .. } = &self.units[unit];
        if pods.is_empty() {
            return None;
        }
        if allowed.unknown().is_empty()
            || self.is_lone(*class) && self.is_lone(self.graph.space().index_of(from))
        {
            return pods
                .iter()
                .any(|p| Endpoint::Pod(*p) != from)
                .then(|| Arc::clone(allowed));
        }
        let other = pods.iter().find(|p| Endpoint::Pod(**p) != from)?;
        let host = |p: PodId| self.graph.environment().cluster.pod(p).host_network;
        let near = host(*other)
            || matches!(from, Endpoint::Pod(p) if host(p))
            || matches!(from, Endpoint::Address(_));
        let told = self.apart || (pods.len() == 1 && self.stands_alone(from));
        if !near || !told {
            return Some(Arc::clone(allowed));
        }
        let exact = match self.trip.way {
            Way::Forward => self.rows.exact(from, Endpoint::Pod(*other)),
            Way::Backward => self.rows.exact(Endpoint::Pod(*other), from),
        };
        exact.filter(|exact| !exact.is_nothing())
    }

    /// Whether a place stands for one pod, or for addresses: then its row is exact.
    fn is_lone(&self, place: u32) -> bool {
        let space = self.graph.space();
        !space.is_class(place) || space.classes.members(place).len() == 1
    }

    /// Whether an end stands for nothing but itself: where a trip starts, or the only pod of its
    /// unit.
    fn stands_alone(&self, end: Endpoint) -> bool {
        let Endpoint::Pod(pod) = end else { return true };
        let units = self.of(self.graph.space().index_of(end));
        self.trip.pods.contains(&pod) || units.into_iter().any(|u| *self.units[u].pods == [pod])
    }

    /// Where a search stands, on the line.
    pub(crate) fn index_of(&self, stand: SearchNode) -> u32 {
        match stand {
            SearchNode::Root(root) => self.graph.space().index_of(root),
            SearchNode::PodGroup(unit) => self.units[unit].class,
        }
    }

    /// Where a search stands: one end for all of a unit.
    pub(crate) fn end(&self, stand: SearchNode) -> Option<Endpoint> {
        match stand {
            SearchNode::Root(root) => Some(root),
            SearchNode::PodGroup(unit) => self.representative(unit),
        }
    }

    /// Whether a search stands at a unit of a plain class.
    pub(crate) fn is_plain(&self, stand: SearchNode) -> bool {
        matches!(stand, SearchNode::PodGroup(unit) if !self.units[unit].host)
    }

    /// Whether a place is followed like every other of its class, own nodes aside: not where the
    /// trip starts, nor where nodes are told apart, nor the one pod that the trip leaves of a
    /// class.
    pub(crate) fn is_common(&self, stand: SearchNode) -> bool {
        matches!(stand, SearchNode::PodGroup(unit) if !self.apart && !self.rest.contains(self.units[unit].class))
    }

    /// The units of some classes in which the trip leaves any pods, in order.
    pub(crate) fn units_of(&self, classes: &EndpointSet) -> Vec<usize> {
        let units = classes.points().flat_map(|class| self.of(class));
        units
            .filter(|unit| !self.units[*unit].pods.is_empty())
            .collect()
    }

    /// The units to which something passes that was asked about.
    pub(crate) fn open(
        &self,
        links: Vec<Link>,
        least: Truth,
        asked: Option<&TrafficSet>,
    ) -> Vec<usize> {
        let mut last: Option<(Arc<Allowed>, bool)> = None; // neighbours mostly share what they may
        let mut passes = |allowed: Arc<Allowed>| match &last {
            Some((known, passes)) if Arc::ptr_eq(known, &allowed) => *passes,
            _ => {
                let traffic = passing(&allowed, least);
                let passes = asked.map_or(!traffic.is_empty(), |asked| !traffic.is_disjoint(asked));
                last = Some((allowed, passes));
                passes
            }
        };
        links
            .into_iter()
            .filter_map(|(unit, allowed)| passes(allowed).then_some(unit))
            .collect()
    }
}

fn range(of_class: &[Range<usize>], class: u32) -> Range<usize> {
    of_class
        .get(class as usize)
        .cloned()
        .unwrap_or(class as usize..class as usize + 1)
}

fn classes(graph: &AllowGraph, places: &[u32]) -> EndpointSet {
    places
        .iter()
        .filter(|p| graph.space().is_class(**p))
        .map(|p| *p..=*p)
        .collect()
}

/// The units of all classes, and which are those of each where nodes are told apart.
fn units(graph: &AllowGraph, apart: bool) -> (Vec<PodGroup<'_>>, Vec<Range<usize>>) {
    let (space, cluster) = (graph.space(), &graph.environment().cluster);
    let mut units = Vec::with_capacity(space.classes.list.len());
    let mut of_class = Vec::new();
    let mut by_node: Vec<(Option<&str>, usize)> = Vec::new();
    for class in 0..space.classes.len() {
        let (members, first, host) = (
            space.classes.members(class),
            units.len(),
            space.classes.get(class).host,
        );
        if apart && members.len() > 1 {
            by_node.clear();
            by_node.extend(
                members
                    .iter()
                    .enumerate()
                    .map(|(i, p)| (cluster.pod(*p).node.as_deref(), i)),
            );
            by_node.sort();
            units.extend(by_node.chunk_by(|a, b| a.0 == b.0).map(|same| {
                let pods = match same {
                    [(_, one)] => Cow::Borrowed(&members[*one..=*one]),
                    many => many.iter().map(|(_, i)| members[*i]).collect(),
                };
                PodGroup { class, pods, host }
            }));
        } else {
            units.push(PodGroup {
                class,
                pods: Cow::Borrowed(members),
                host,
            });
        }
        if apart {
            of_class.push(first..units.len());
        }
    }
    (units, of_class)
}

/// What surely passes, or may.
pub fn passing(allowed: &Allowed, least: Truth) -> TrafficSet {
    if least == Truth::Yes {
        allowed.must.clone()
    } else {
        allowed.may.clone()
    }
}
