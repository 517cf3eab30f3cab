//! Who can get where, over any number of hops: the closure of the allow-graph over workloads.
//!
//! A hop is a connection to anything that accepts one, on any port; hops go through pods only. The closure is computed on
//! [`Unit`]s: the pods of one class (and, where pods on their node's network make a difference, of one node), never pod by
//! pod. Breadth first; backward by the rows of the units that are reached, forward by those of all templates.
//!
//! Soundness: a pod is among the found ones within `n` hops iff a chain of at most `n` flows that `allowed` calls sure
//! (or possible) leads there. Cost: destinations share their rows ([`Rows`]), so a template is followed once: backward
//! where it is first reached ([`Links::back`]), forward per level from the first unit that leads to it
//! ([`Links::first_to`]); a template whose way in admits nobody who is left is not looked at, and own nodes only while
//! host-network pods are left. Besides, a unit costs a look at its template. Where nodes are told apart (small clusters)
//! every unit is followed by itself.

use crate::compile::peers::Runs;
use crate::compile::rows::with_own;
use crate::compile::{AllowGraph, Allowed, Endpoint, Part, Rows};
use crate::model::{PodId, Truth};
use crate::set::hashed::{HashMap, HashSet};
use crate::set::{IpSet, TrafficSet};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

/// Up to how many pods the nodes they run on are told apart; beyond, what holds on some nodes only is unknown, unless both
/// ends are single pods.
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
pub struct Unit<'g> {
    /// Their class.
    pub class: u32,
    /// The pods, without those the trip starts at.
    pub pods: Cow<'g, [PodId]>,
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
    pub traffic: Arc<TrafficSet>,
}

/// What leads to a unit, or from it.
pub type Link = (usize, Arc<Allowed>);

/// The units of a graph with what leads from one to the other.
pub struct Links<'g> {
    graph: &'g AllowGraph,
    /// The units, by class.
    pub units: Vec<Unit<'g>>,
    of_class: Vec<Range<usize>>,
    rows: Rows<'g>,
    /// The classes of each template (forward).
    templates: Vec<Runs>,
    roots: Vec<Endpoint>,
    trip: Trip,
    /// Whether nodes are told apart.
    apart: bool,
    /// The classes of which the trip leaves one pod, which is then asked for itself.
    rest: Runs,
    /// The templates of the ends whose outside sources were asked for.
    asked_outside: HashSet<u32>,
}

impl<'g> Links<'g> {
    /// Prepares a trip.
    pub fn new(graph: &'g AllowGraph, trip: &Trip) -> Self {
        let line = graph.line();
        let apart = !line.hosts.is_empty() && graph.world().cluster.pods().len() <= APART;
        let (mut units, of_class) = units(graph, apart);
        let mut rest = Vec::new();
        for pod in &trip.pods {
            let class = line.place(Endpoint::Pod(*pod));
            for unit in &mut units[of_class[class as usize].clone()] {
                unit.pods.to_mut().retain(|p| !trip.pods.contains(p));
                rest.extend((unit.pods.len() == 1).then_some(class..=class));
            }
        }
        let pods = trip.pods.iter().map(|p| Endpoint::Pod(*p));
        let roots = pods.chain(super::edit::ends(graph, &BTreeSet::new(), &trip.addresses)).collect();
        let mut rows = Rows::new(graph);
        let mut templates = Vec::new();
        if trip.way == Way::Forward {
            templates = graph.templates().into_iter().map(|t| classes(graph, &t.destinations)).collect();
            rows.make_all();
        }
        let rest = rest.into_iter().collect();
        let (trip, asked_outside) = (trip.clone(), HashSet::default());
        Self { graph, units, of_class, rows, templates, roots, trip, apart, rest, asked_outside }
    }

    /// What leads from one end to another unit (forward), or from another unit to it (backward): in the order of units, of
    /// some classes.
    pub fn next(&mut self, from: Endpoint, classes: std::ops::RangeInclusive<u32>) -> Vec<Link> {
        let classes = Runs::from(classes).intersection(&self.graph.line().pods());
        match self.trip.way {
            Way::Forward => {
                let mut templates: Vec<usize> = classes.points().map(|c| self.rows.template(c) as usize).collect();
                templates.sort_unstable();
                templates.dedup();
                self.forth(from, &templates, &classes)
            }
            Way::Backward => {
                let parts = self.rows.parts(self.graph.line().place(from));
                self.back(from, &parts, &classes, &classes)
            }
        }
    }

    /// The outside addresses that may send to an end, by what they may; asked `once`, `None` where an end with the same
    /// answer was asked about so before.
    pub fn outside(&mut self, end: Endpoint, once: bool) -> Option<Vec<Part>> {
        let line = self.graph.line();
        let place = line.place(end);
        let atoms = line.full().difference(&line.pods());
        let own: Vec<(u32, Arc<Allowed>)> =
            self.rows.beside(place).into_iter().filter(|(source, _)| !line.is_class(*source)).collect();
        if once && !self.asked_outside.insert(self.rows.template(place)) && own.is_empty() {
            return None;
        }
        let parts: Vec<Part> = self.rows.parts(place).iter().filter_map(|part| part.among(&atoms)).collect();
        Some(with_own(&parts, &own))
    }

    /// What leads to an end, whose row this is, from units of some classes; as far as own nodes decide, of classes near,
    /// which hold those.
    fn back(&mut self, from: Endpoint, parts: &[Part], among: &Runs, near: &Runs) -> Vec<Link> {
        let own = self.rows.beside_among(self.graph.line().place(from), near);
        let beside: Runs = own.iter().map(|(source, _)| *source..=*source).collect();
        let mut found: Vec<(u32, Arc<Allowed>)> = Vec::new();
        for part in parts {
            let sources = part.sources.intersection(among).difference(&beside);
            let allowed = if sources.is_empty() { Arc::default() } else { Arc::new(part.allowed.clone()) };
            found.extend(sources.points().map(|s| (s, Arc::clone(&allowed))));
        }
        self.linked(from, found, own, near)
    }

    /// What leads from an end to units of some templates; as far as own nodes decide, of any. Only classes that are left.
    fn forth(&mut self, from: Endpoint, templates: &[usize], left: &Runs) -> Vec<Link> {
        let place = self.graph.line().place(from);
        let own = self.rows.beside_of_source(place);
        let beside: Runs = own.iter().map(|(destination, _)| *destination..=*destination).collect();
        let mut found: Vec<(u32, Arc<Allowed>)> = Vec::new();
        for template in templates {
            let classes = self.templates[*template].intersection(left);
            let Some(first) = classes.first() else { continue };
            let parts = self.rows.parts(first);
            if let Some(part) = parts.iter().find(|part| part.sources.contains(place)) {
                let allowed = Arc::new(part.allowed.clone());
                found.extend(classes.difference(&beside).points().map(|d| (d, Arc::clone(&allowed))));
            }
        }
        self.linked(from, found, own, left)
    }

    /// Classes as units, in order, with what own nodes change of those that are near.
    fn linked(
        &self,
        from: Endpoint,
        mut found: Vec<(u32, Arc<Allowed>)>,
        own: Vec<(u32, Arc<Allowed>)>,
        near: &Runs,
    ) -> Vec<Link> {
        found.extend(own.into_iter().filter(|(class, allowed)| !allowed.is_nothing() && near.contains(*class)));
        found.sort_unstable_by_key(|(class, _)| *class);
        let mut links = Vec::with_capacity(found.len());
        for (class, allowed) in found {
            for unit in self.of_class[class as usize].clone() {
                links.extend(self.exact(from, unit, &allowed).map(|allowed| (unit, allowed)));
            }
        }
        links
    }

    /// A class stands for pods of several nodes; where that leaves a flow open, the unit's own pods are asked.
    fn exact(&self, from: Endpoint, unit: usize, allowed: &Arc<Allowed>) -> Option<Arc<Allowed>> {
        let Unit { pods, class, .. } = &self.units[unit];
        if pods.is_empty() {
            return None;
        }
        if allowed.unknown.is_empty() || self.is_lone(*class) && self.is_lone(self.graph.line().place(from)) {
            return pods.iter().any(|p| Endpoint::Pod(*p) != from).then(|| Arc::clone(allowed));
        }
        let other = pods.iter().find(|p| Endpoint::Pod(**p) != from)?;
        let host = |p: PodId| self.graph.world().cluster.pod(p).host_network;
        let near = host(*other) || matches!(from, Endpoint::Pod(p) if host(p)) || matches!(from, Endpoint::Address(_));
        let told = self.apart || (pods.len() == 1 && self.stands_alone(from));
        if !near || !told {
            return Some(Arc::clone(allowed));
        }
        let exact = match self.trip.way {
            Way::Forward => self.graph.allowed(from, Endpoint::Pod(*other)),
            Way::Backward => self.graph.allowed(Endpoint::Pod(*other), from),
        };
        (!exact.is_nothing()).then(|| Arc::new(exact))
    }

    /// Whether a place stands for one pod, or for addresses: then its row is exact.
    fn is_lone(&self, place: u32) -> bool {
        let line = self.graph.line();
        !line.is_class(place) || line.classes.members(place).len() == 1
    }

    /// Whether an end stands for nothing but itself: where a trip starts, or the only pod of its unit.
    fn stands_alone(&self, end: Endpoint) -> bool {
        let Endpoint::Pod(pod) = end else { return true };
        let units = self.of_class[self.graph.line().place(end) as usize].clone();
        self.trip.pods.contains(&pod) || units.into_iter().any(|u| *self.units[u].pods == [pod])
    }

    /// One end for all of a unit.
    pub fn representative(&self, unit: usize) -> Option<Endpoint> {
        self.units[unit].pods.first().map(|p| Endpoint::Pod(*p))
    }

    /// Of these classes, those all of whose units are found.
    fn all_found(&self, classes: Vec<u32>, found: &[Option<Found>]) -> Runs {
        let is_found = |unit: usize| found[unit].is_some() || self.units[unit].pods.is_empty();
        let whole = classes.into_iter().filter(|class| self.of_class[*class as usize].clone().all(is_found));
        whole.map(|class| class..=class).collect()
    }

    /// Every unit that is found, by surely allowed flows or by possible ones.
    pub fn closure(&mut self, least: Truth) -> BTreeMap<usize, Found> {
        let asked = if self.trip.way == Way::Backward { self.trip.asked.clone() } else { TrafficSet::all() };
        let mut found: Vec<Option<Found>> = vec![None; self.units.len()];
        let mut level: Vec<(Option<usize>, Endpoint)> = self.roots.iter().map(|r| (None, *r)).collect();
        let mut hops = 0;
        let mut left = self.graph.line().pods();
        let mut done = HashSet::default();
        while !level.is_empty() && !left.is_empty() && self.trip.hops.is_none_or(|most| hops < most) {
            hops += 1;
            let mut next = Vec::new();
            let mut leads = self.first_to(&level, &left, least);
            for (at, (parent, from)) in std::mem::take(&mut level).into_iter().enumerate() {
                let links = match self.trip.way {
                    Way::Forward => self.forth(from, &leads.remove(&at).unwrap_or_default(), &left),
                    Way::Backward => self.back_once(from, parent, &left, &mut done),
                };
                if links.is_empty() {
                    continue;
                }
                let mut carried = Carried { least, asked: parent.is_none().then_some(&asked), last: None };
                let mut met = Vec::new();
                for (unit, allowed) in links {
                    let traffic = carried.by(&allowed);
                    if !traffic.is_empty() && found[unit].is_none() {
                        found[unit] = Some(Found { hops, parent, traffic });
                        next.push(unit);
                        met.push(self.units[unit].class);
                    }
                }
                if !met.is_empty() {
                    left = left.difference(&self.all_found(met, &found));
                }
            }
            level = next.into_iter().filter_map(|u| Some((Some(u), self.representative(u)?))).collect();
        }
        found.into_iter().enumerate().filter_map(|(unit, how)| Some((unit, how?))).collect()
    }

    /// Whether an end is followed like every other of its class: not where the trip starts, nor where nodes are told apart,
    /// nor the one pod that the trip leaves of a class.
    fn is_common(&self, from: Endpoint, parent: Option<usize>) -> bool {
        parent.is_some() && !self.apart && !self.rest.contains(self.graph.line().place(from))
    }

    /// [`Self::back`], of each template only once: what it leads to is found then, but for own nodes and single rests of
    /// classes.
    fn back_once(&mut self, from: Endpoint, parent: Option<usize>, left: &Runs, done: &mut HashSet<u32>) -> Vec<Link> {
        let place = self.graph.line().place(from);
        if !self.is_common(from, parent) {
            let parts = if self.rows.may_admit(place, left) { self.rows.parts(place) } else { Arc::default() };
            return self.back(from, &parts, left, left);
        }
        let again = !done.insert(self.rows.template(place));
        let among = if again { Cow::Owned(left.intersection(&self.rest)) } else { Cow::Borrowed(left) };
        let parts = self.rows.parts_among(place, &among);
        self.back(from, &parts, &among, left)
    }

    /// Forward: which templates each end of a level has to be followed to. An end that is followed like every other leads
    /// to a template only if no end before it does: what there is to find in the template is found then.
    fn first_to(
        &mut self,
        level: &[(Option<usize>, Endpoint)],
        left: &Runs,
        least: Truth,
    ) -> HashMap<usize, Vec<usize>> {
        let mut leads: HashMap<usize, Vec<usize>> = HashMap::default();
        if self.trip.way == Way::Backward {
            return leads;
        }
        let line = self.graph.line();
        let (mut order, mut special) = (Vec::new(), Vec::new());
        for (at, (parent, from)) in level.iter().enumerate() {
            if self.is_common(*from, *parent) { order.push((line.place(*from), at)) } else { special.push(at) }
        }
        let places: Runs = order.iter().map(|(place, _)| *place..=*place).collect();
        let at_place: HashMap<u32, usize> = order.iter().copied().collect();
        for template in 0..self.templates.len() {
            let classes = self.templates[template].intersection(left);
            let Some(first) = classes.first() else { continue };
            special.iter().for_each(|at| leads.entry(*at).or_default().push(template));
            if !classes.is_disjoint(&self.rest) {
                order.iter().for_each(|(_, at)| leads.entry(*at).or_default().push(template));
                continue;
            }
            let parts = self.rows.parts(first);
            let passes = |part: &&Part| !passing(&part.allowed, least).is_empty();
            let sources = parts.iter().filter(passes).map(|part| part.sources.intersection(&places));
            let sources = Runs::union_of(&sources.collect::<Vec<_>>());
            if let Some(at) = earliest(&sources, &order, &at_place) {
                leads.entry(at).or_default().push(template);
            }
        }
        leads
    }
}

/// What links carry: neighbours mostly share it.
struct Carried<'a> {
    least: Truth,
    /// Of what some has to pass, next to a root.
    asked: Option<&'a TrafficSet>,
    last: Option<(Arc<Allowed>, Arc<TrafficSet>)>,
}

impl Carried<'_> {
    fn by(&mut self, allowed: &Arc<Allowed>) -> Arc<TrafficSet> {
        if let Some((_, traffic)) = self.last.as_ref().filter(|(known, _)| Arc::ptr_eq(known, allowed)) {
            return Arc::clone(traffic);
        }
        let traffic = passing(allowed, self.least);
        let traffic = Arc::new(self.asked.map_or_else(|| traffic.clone(), |asked| traffic.intersection(asked)));
        self.last = Some((Arc::clone(allowed), Arc::clone(&traffic)));
        traffic
    }
}

/// The first in a list of places that is one of these. O(square root of the list), if its order says nothing of them.
fn earliest(places: &Runs, order: &[(u32, usize)], at: &HashMap<u32, usize>) -> Option<usize> {
    let many = usize::try_from(places.count()).unwrap_or(usize::MAX);
    if many.saturating_mul(many) > order.len() {
        return order.iter().find(|(place, _)| places.contains(*place)).map(|(_, at)| *at);
    }
    places.points().filter_map(|place| at.get(&place).copied()).min()
}

fn classes(graph: &AllowGraph, places: &[u32]) -> Runs {
    places.iter().filter(|p| graph.line().is_class(**p)).map(|p| *p..=*p).collect()
}

/// The units of all classes, and which are those of each.
fn units(graph: &AllowGraph, apart: bool) -> (Vec<Unit<'_>>, Vec<Range<usize>>) {
    let (line, cluster) = (graph.line(), &graph.world().cluster);
    let mut units = Vec::with_capacity(line.classes.list.len());
    let mut of_class = Vec::with_capacity(line.classes.list.len());
    for class in 0..line.classes.len() {
        let (members, first, host) = (line.classes.members(class), units.len(), line.classes.get(class).host);
        if apart {
            let mut by_node: BTreeMap<Option<&str>, Vec<PodId>> = BTreeMap::new();
            members.iter().for_each(|p| by_node.entry(cluster.pod(*p).node.as_deref()).or_default().push(*p));
            units.extend(by_node.into_values().map(|pods| Unit { class, pods: Cow::Owned(pods), host }));
        } else {
            units.push(Unit { class, pods: Cow::Borrowed(members), host });
        }
        of_class.push(first..units.len());
    }
    (units, of_class)
}

/// What surely passes, or may.
pub fn passing(allowed: &Allowed, least: Truth) -> TrafficSet {
    if least == Truth::Yes { allowed.sure.clone() } else { allowed.sure.union(&allowed.unknown) }
}
