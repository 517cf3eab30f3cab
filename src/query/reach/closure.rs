//! Who can get where, over any number of hops: the closure of the allow-graph over workloads.
//!
//! A hop is a connection to anything that accepts one, on any port; hops go through pods only. The
//! closure is computed on [`PodGroup`]s, never pod by pod, breadth first; what leads from one to
//! the other is [`crate::query::reach::steps`]' to say.
//!
//! Soundness: a pod is among the found ones within `n` hops iff a chain of at most `n` flows that
//! `allowed` calls sure (or possible) leads there. Cost: destinations share their rows
//! ([`crate::graph::RowCache`]), so between plain classes a template is followed once: backward
//! where it is first reached, forward per level from the first unit that leads to it; each time
//! with the sources that are left, or of that level, only. Pods on their node's network are asked
//! about only while some of them are left, in large clusters once per template too. A template from
//! which nothing more can be found is spent; a unit of it costs a look.

use crate::compile::peer_sets::EndpointSet;
use crate::graph::allowed_sources::Narrowed;
use crate::model::Truth;
use crate::query::list::first_match::FirstMatch;
pub use crate::query::reach::steps::{APART, PodGroup, ReachQuery, Steps, Way, passing};
use crate::set::hashed::{HashMap, HashSet};
use crate::spec::Endpoint;
use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

/// How a unit was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// After how many hops.
    pub hops: u32,
    /// From which unit; `None` from a root.
    pub parent: Option<usize>,
}

/// The units that are found.
#[derive(Debug, Clone, Default)]
pub struct Closure(Vec<Option<Found>>);

impl Closure {
    /// How a unit was found, if it was.
    pub fn get(&self, unit: usize) -> Option<&Found> {
        self.0.get(unit)?.as_ref()
    }

    /// The units, in order. O(units of the graph).
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Found)> {
        self.0
            .iter()
            .enumerate()
            .filter_map(|(unit, how)| Some((unit, how.as_ref()?)))
    }
}

/// Where a search stands: where the trip starts, or at a unit.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SearchNode {
    Root(Endpoint),
    PodGroup(usize),
}

impl SearchNode {
    fn unit(self) -> Option<usize> {
        if let Self::PodGroup(unit) = self {
            Some(unit)
        } else {
            None
        }
    }
}

/// The classes that are left to be found.
#[derive(Default)]
struct Left {
    plain: EndpointSet,
    hosts: Rc<EndpointSet>,
    /// Both, once somebody asks.
    all: Option<Rc<EndpointSet>>,
}

impl Left {
    fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.hosts.is_empty()
    }

    fn all(&mut self) -> Rc<EndpointSet> {
        Rc::clone(
            self.all
                .get_or_insert_with(|| Rc::new(self.plain.union(&self.hosts))),
        )
    }

    /// These are found. O(ranges left).
    fn take(&mut self, found: &EndpointSet) {
        if found.is_empty() {
            return;
        }
        self.plain = self.plain.difference(found);
        if !self.hosts.is_disjoint(found) {
            self.hosts = Rc::new(self.hosts.difference(found));
        }
        self.all = None;
    }
}

/// A search on its way.
struct Search {
    least: Truth,
    hops: u32,
    found: Vec<Option<Found>>,
    left: Left,
    /// The next level.
    next: Vec<SearchNode>,
    /// The templates that were followed back: from plain classes, and by their rows. Of those, the
    /// sources that were left then and that an own node may let through; `None` for any.
    plain: HashSet<u32>,
    by_rows: HashMap<u32, Option<EndpointSet>>,
    /// Per template, whether it leads back to nobody any more.
    spent: Vec<bool>,
    /// What is left of peer sets.
    narrowed: Narrowed,
}

impl Search {
    fn spend(&mut self, template: u32) {
        if self.spent.len() <= template as usize {
            self.spent.resize(template as usize + 1, false);
        }
        self.spent[template as usize] = true;
    }
}

impl Steps<'_> {
    /// Every unit that is found, by surely allowed flows or by possible ones.
    pub fn closure(&mut self, least: Truth) -> Closure {
        let space = self.graph.space();
        let mut search = Search {
            least,
            hops: 0,
            found: vec![None; self.units.len()],
            left: Left {
                plain: space.pods().difference(&space.hosts),
                hosts: Rc::new(space.hosts.clone()),
                all: None,
            },
            next: self
                .roots
                .iter()
                .map(|root| SearchNode::Root(*root))
                .collect(),
            plain: HashSet::default(),
            by_rows: HashMap::default(),
            spent: Vec::new(),
            narrowed: Narrowed::default(),
        };
        while !search.next.is_empty()
            && !search.left.is_empty()
            && self.trip.hops.is_none_or(|most| search.hops < most)
        {
            search.hops += 1;
            let level = std::mem::take(&mut search.next);
            match self.trip.way {
                Way::Forward => self.forward(&level, &mut search),
                Way::Backward => level
                    .into_iter()
                    .for_each(|stand| self.backward(stand, &mut search)),
            }
        }
        Closure(search.found)
    }

    /// Notes the units that are met from a place for the first time, which come in order.
    fn meet(&self, stand: SearchNode, units: Vec<usize>, search: &mut Search) {
        let new = self.note(stand, units, search);
        let is_found =
            |unit: usize| search.found[unit].is_some() || self.units[unit].pods.is_empty();
        let classes = new.into_iter().map(|unit| self.units[unit].class);
        let whole: EndpointSet = classes
            .filter(|class| self.of(*class).all(is_found))
            .map(|class| class..=class)
            .collect();
        search.left.take(&whole);
    }

    /// [`Self::meet`], without taking their classes from what is left; those that are new.
    fn note(&self, stand: SearchNode, mut units: Vec<usize>, search: &mut Search) -> Vec<usize> {
        let how = Found {
            hops: search.hops,
            parent: stand.unit(),
        };
        units.retain(|unit| search.found[*unit].is_none());
        units
            .iter()
            .for_each(|unit| search.found[*unit] = Some(how));
        search
            .next
            .extend(units.iter().map(|unit| SearchNode::PodGroup(*unit)));
        units
    }

    /// Finds what leads to a place.
    fn backward(&mut self, stand: SearchNode, search: &mut Search) {
        let place = self.index_of(stand);
        if let SearchNode::Root(root) = stand {
            let left = search.left.all();
            let parts = self.rows.parts(place);
            let near = self.near(place, &left, search.least);
            let links = self.back(root, &parts, &left, near.as_ref().unwrap_or(&left));
            let units = self.open(links, search.least, Some(&self.trip.asked));
            return self.meet(stand, units, search);
        }
        let template = self.rows.template(place);
        if search.spent.get(template as usize) == Some(&true) {
            return;
        }
        let is_plain = self.is_plain(stand);
        let mut plain = Vec::new();
        if is_plain && search.plain.insert(template) && !search.left.plain.is_empty() {
            let sources = self.graph.allowed_sources(
                place,
                &search.left.plain,
                search.least,
                &search.narrowed,
            );
            search.left.take(&sources);
            plain = self.units_of(&sources);
        }
        let by_rows = !is_plain || !search.left.hosts.is_empty();
        let others = if by_rows {
            self.back_by_rows(stand, template, search)
        } else {
            Vec::new()
        };
        if others.is_empty() {
            self.note(stand, plain, search);
        } else {
            self.meet(stand, merged(plain, others), search);
        }
        if is_plain && search.left.hosts.is_empty() {
            search.spend(template);
        }
    }

    /// Of some classes those that an own node may let through to a place; `None` for any.
    fn near(&self, place: u32, left: &EndpointSet, least: Truth) -> Option<EndpointSet> {
        let is_pod = self.graph.space().is_class(place);
        if is_pod && least == Truth::Yes {
            self.graph.sources_needing_own_node(place, left)
        } else {
            None
        }
    }

    /// The units that lead to an end, by its row; if that is plain, units of pods on their node's
    /// network. Of each template only once, as far as that says it of all: but for own nodes and,
    /// where something is unknown, nodes that are told apart and single rests of classes.
    fn back_by_rows(
        &mut self,
        stand: SearchNode,
        template: u32,
        search: &mut Search,
    ) -> Vec<usize> {
        let (place, is_plain, is_common) = (
            self.index_of(stand),
            self.is_plain(stand),
            self.is_common(stand),
        );
        let left = if is_plain {
            Rc::clone(&search.left.hosts)
        } else {
            search.left.all()
        };
        let again = search.by_rows.contains_key(&template);
        let near = search
            .by_rows
            .entry(template)
            .or_insert_with(|| self.near(place, &left, search.least));
        let near = near.as_ref().map_or_else(
            || Cow::Borrowed(&*left),
            |near| Cow::Owned(near.intersection(&left)),
        );
        if near.is_empty() {
            search.spend(template);
        }
        let among = match (again, near.is_empty()) {
            (false, _) => Cow::Borrowed(&*left),
            (true, true) => return Vec::new(),
            (true, false) if is_common => Cow::Owned(near.intersection(&self.rest)),
            (true, false) => near.clone(),
        };
        let Some(from) = self.end(stand) else {
            return Vec::new();
        };
        let parts = if among.is_empty() || !self.rows.may_admit(place, &among) {
            Arc::default()
        } else if is_plain {
            self.few.parts(place)
        } else if is_common {
            self.rows.parts_among(place, &among)
        } else {
            self.rows.parts(place)
        };
        let links = self.back(from, &parts, &among, &near);
        self.open(links, search.least, None)
    }

    /// Finds what the places of a level lead to, each where it is first found.
    fn forward(&mut self, level: &[SearchNode], search: &mut Search) {
        let mut leads = self.first_to(level, search);
        for (at, stand) in level.iter().enumerate() {
            let Some(from) = self.end(*stand) else {
                continue;
            };
            let leads = leads.remove(&at).unwrap_or_default();
            let mut units = Vec::new();
            for template in &leads.plain {
                units.append(
                    &mut self.units_of(&self.templates[*template].intersection(&search.left.plain)),
                );
            }
            if !leads.by_rows.is_empty() || !search.left.hosts.is_empty() || !self.is_plain(*stand)
            {
                let links = self.forth(from, &leads.by_rows, &search.left.all());
                units.append(&mut self.open(links, search.least, None));
            }
            units.sort_unstable();
            self.meet(*stand, units, search);
        }
    }

    /// Which templates each place of a level has to be followed to. One that is followed like every
    /// other leads to a template only if none before it does: what there is to find in the template
    /// is found then.
    fn first_to(&mut self, level: &[SearchNode], search: &mut Search) -> HashMap<usize, Leads> {
        let mut leads: HashMap<usize, Leads> = HashMap::default();
        let ends = Ends::new(self, level);
        let (left, narrowed) = (search.left.all(), Narrowed::default());
        for template in 0..self.templates.len() {
            let classes = self.templates[template].intersection(&left);
            let Some(first) = classes.first() else {
                continue;
            };
            let is_host = self.graph.space().is_host(first);
            let (alike, single) = if is_host {
                (&ends.all, &ends.single)
            } else {
                (&ends.hosts, &ends.few)
            };
            let mut lead = |at: usize| leads.entry(at).or_default().by_rows.push(template);
            single.iter().for_each(|at| lead(*at));
            if !classes.is_disjoint(&self.rest) {
                alike.list.iter().for_each(|(_, at)| lead(*at));
            } else if !alike.list.is_empty() {
                let parts = if is_host {
                    self.rows.parts(first)
                } else {
                    self.few.parts(first)
                };
                let passes = parts
                    .iter()
                    .filter(|part| !passing(&part.allowed, search.least).is_empty());
                let sources = passes.map(|part| part.sources.intersection(&alike.places));
                alike
                    .earliest(&EndpointSet::union_of(&sources.collect::<Vec<_>>()))
                    .into_iter()
                    .for_each(lead);
            }
            if !is_host && !ends.plain.list.is_empty() {
                let sources =
                    self.graph
                        .allowed_sources(first, &ends.plain.places, search.least, &narrowed);
                let earliest = ends.plain.earliest(&sources);
                earliest
                    .into_iter()
                    .for_each(|at| leads.entry(at).or_default().plain.push(template));
            }
        }
        leads
    }
}

/// Both, in order.
fn merged(mut some: Vec<usize>, mut others: Vec<usize>) -> Vec<usize> {
    some.append(&mut others);
    some.sort_unstable();
    some
}

/// The templates that one place of a level is followed to.
#[derive(Default)]
struct Leads {
    /// Between plain classes: these it leads to.
    plain: Vec<usize>,
    /// These it may lead to.
    by_rows: Vec<usize>,
}

/// The places of a level by how they are followed.
#[derive(Default)]
struct Ends {
    /// To plain classes: plain ones; pods on their node's network that are like others; the others,
    /// one by one.
    plain: FirstMatch,
    hosts: FirstMatch,
    few: Vec<usize>,
    /// To pods on their node's network: those that are like others; the others, one by one.
    all: FirstMatch,
    single: Vec<usize>,
}

impl Ends {
    fn new(links: &Steps<'_>, level: &[SearchNode]) -> Self {
        let mut ends = Self::default();
        let (mut plain, mut hosts, mut all) = (Vec::new(), Vec::new(), Vec::new());
        for (at, stand) in level.iter().enumerate() {
            let place = links.index_of(*stand);
            let is_common = links.is_common(*stand);
            if links.is_plain(*stand) {
                plain.push((place, at));
            } else if is_common {
                hosts.push((place, at));
            } else {
                ends.few.push(at);
            }
            if is_common {
                all.push((place, at));
            } else {
                ends.single.push(at);
            }
        }
        (ends.plain, ends.hosts, ends.all) = (
            FirstMatch::new(plain),
            FirstMatch::new(hosts),
            FirstMatch::new(all),
        );
        ends
    }
}
