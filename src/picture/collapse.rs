//! Fewer lines that say the same: an edge to every workload of a namespace ends at its frame, an
//! edge to every namespace at one node, and what is left of many-to-many goes through a hub.
//!
//! Phases: `Collapse::destinations` and `Collapse::sources` turn edges to all nodes of a frame into
//! one to the frame, and frames into everyone; `Collapse::hubs` breaks complete bipartite rests.
//! Every step keeps the meaning: a node that is open or unknown anyway counts as reached, since its
//! own mark says so. Cost: O(edges x log edges).

use crate::picture::facts::{
    PassingId, PassingTraffic, PictureFacts, PicturePlace, PlaceKind, SpaceId, WorkloadDoubt,
};
use crate::picture::merge::PlaceGroup;
use crate::picture::open::implied;
use crate::set::traffic::TrafficRange;
use crate::set::{Ix, index_type};
use std::collections::{BTreeMap, BTreeSet};

index_type! {
    /// Index of a group.
    pub struct GroupId(pub u32);
    /// Index of a hub.
    pub struct HubIx;
}

/// One end of a drawn edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EdgeEnd {
    /// A node.
    Group(GroupId),
    /// Every node of a namespace.
    Space(SpaceId),
    /// Every workload.
    Everyone,
    /// A hub.
    Hub(HubIx),
}

/// Many to many: each of the sources to each of the destinations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hub {
    /// Where the flows start.
    pub sources: Vec<EdgeEnd>,
    /// Where they end.
    pub destinations: Vec<EdgeEnd>,
    /// What passes.
    pub passing: PassingId,
}

/// Fewest pairs that a hub must stand for.
const HUB: usize = 8;

type Edges = BTreeSet<(EdgeEnd, EdgeEnd, PassingId)>;

/// The edges while they are collapsed.
pub struct Collapse<'a> {
    facts: &'a PictureFacts,
    groups: &'a [PlaceGroup],
    /// The nodes of each namespace; a namespace that is one node itself has no id.
    spaces: Vec<(Option<SpaceId>, Vec<GroupId>)>,
    /// For each group its namespace in `spaces`.
    home: Vec<Option<usize>>,
    /// What is left to draw.
    pub edges: Edges,
    /// The hubs.
    pub hubs: Vec<Hub>,
}

impl<'a> Collapse<'a> {
    /// The edges between groups.
    pub fn new(facts: &'a PictureFacts, groups: &'a [PlaceGroup]) -> Self {
        let mut of = vec![GroupId(0); facts.places.len()];
        let mut framed: BTreeMap<SpaceId, Vec<GroupId>> = BTreeMap::new();
        let mut single = Vec::new();
        for (i, group) in groups.iter().enumerate() {
            let id = GroupId::bounded(i);
            group.members.iter().for_each(|p| of[p.0 as usize] = id);
            match (
                group.space,
                group.members.first().map(|p| &facts.place(*p).what),
            ) {
                (Some(space), _) => framed.entry(space).or_default().push(id),
                (None, Some(PlaceKind::Namespace { .. })) => single.push((None, vec![id])),
                _ => {}
            }
        }
        let spaces: Vec<_> = framed
            .into_iter()
            .map(|(space, list)| (Some(space), list))
            .chain(single)
            .collect();
        let mut home = vec![None; groups.len()];
        for (i, (_, list)) in spaces.iter().enumerate() {
            list.iter().for_each(|g| home[g.0 as usize] = Some(i));
        }
        let at = |p: crate::picture::facts::PlaceId| EdgeEnd::Group(of[p.0 as usize]);
        let edges = facts
            .flows
            .iter()
            .map(|f| (at(f.from), at(f.to), f.passing))
            .filter(|(a, b, _)| a != b);
        Self {
            facts,
            groups,
            spaces,
            home,
            edges: edges.collect(),
            hubs: Vec::new(),
        }
    }

    /// Runs the phases.
    pub fn run(mut self) -> Self {
        self.destinations();
        self.sources();
        self.hubs();
        self
    }

    /// Edges of one source with the same traffic that reach a whole frame, or every frame.
    fn destinations(&mut self) {
        self.side(0);
    }

    /// Edges into one destination with the same traffic that come from a whole frame, or from every
    /// frame.
    fn sources(&mut self) {
        self.side(1);
    }

    fn side(&mut self, direction: usize) {
        let mut rows = grouped(self.edges.iter().map(|e| split(direction, e)));
        rows.sort_by_key(|(own, t, _)| {
            (
                *own,
                std::cmp::Reverse(self.width(*t)),
                !self.facts.passing(*t).unknown.is_empty(),
            )
        });
        let mut by_own: BTreeMap<EdgeEnd, Edges> = BTreeMap::new();
        self.edges.iter().for_each(|e| {
            by_own.entry(split(direction, e).0).or_default().insert(*e);
        });
        for (own, passing, ends) in rows {
            let reached = |m: GroupId| {
                let there = EdgeEnd::Group(m);
                let (from, to) = if direction == 0 {
                    (own, there)
                } else {
                    (there, own)
                };
                self.said(from, to)
                    .any(|t| self.says(t, passing, m, direction))
                    || self.marked(own, m, direction)
            };
            let promoted = self.promote(own, &ends, &reached);
            if promoted == ends {
                continue;
            }
            let mine = by_own.entry(own).or_default();
            let (told, mut kept): (Edges, Edges) = mine
                .iter()
                .copied()
                .partition(|e| self.told(split(direction, e), passing, &promoted));
            told.iter().for_each(|e| {
                self.edges.remove(e);
            });
            kept.extend(
                promoted
                    .into_iter()
                    .map(|end| edge(direction, own, end, passing)),
            );
            self.edges.extend(kept.iter().copied());
            *mine = kept;
        }
    }

    /// Whether an edge of the same row is implied by those that were promoted: it ends inside them,
    /// and nothing more passes.
    fn told(
        &self,
        (_, t, end): (EdgeEnd, PassingId, EdgeEnd),
        passing: PassingId,
        promoted: &BTreeSet<EdgeEnd>,
    ) -> bool {
        let EdgeEnd::Group(g) = end else {
            return t == passing;
        };
        let frame = self.groups[g.0 as usize]
            .space
            .is_some_and(|s| promoted.contains(&EdgeEnd::Space(s)));
        let listed = self.home[g.0 as usize].is_some();
        t == passing
            || ((frame || (listed && promoted.contains(&EdgeEnd::Everyone)))
                && self.no_more(t, passing))
    }

    fn no_more(&self, t: PassingId, than: PassingId) -> bool {
        let (t, than) = (self.facts.passing(t), self.facts.passing(than));
        let possible = |p: &PassingTraffic| p.sure.union(&p.unknown);
        let is_named = t.port_names.is_empty() || t.port_names == than.port_names;
        is_named
            && t.change.is_none()
            && t.sure.is_subset(&than.sure)
            && possible(t).is_subset(&possible(than))
    }

    /// How much passes at all, to try wide traffic first.
    fn width(&self, t: PassingId) -> u64 {
        let passing = self.facts.passing(t);
        passing
            .sure
            .union(&passing.unknown)
            .pieces()
            .map(|p| {
                if let TrafficRange::Ports(_, a, b) = p {
                    u64::from(b - a) + 1
                } else {
                    1
                }
            })
            .sum()
    }

    /// Whether one edge says what another would: as much passes, and as surely, unless the node's
    /// own mark says unknown.
    fn says(&self, has: PassingId, wanted: PassingId, member: GroupId, direction: usize) -> bool {
        let (has, wanted) = (self.facts.passing(has), self.facts.passing(wanted));
        let possible = |p: &PassingTraffic| p.sure.union(&p.unknown);
        let doubted = self
            .first(member)
            .is_some_and(|p| p.doubt[direction].is_some());
        let is_named = wanted.port_names.is_empty() || wanted.port_names == has.port_names;
        is_named
            && has.change.is_none()
            && wanted.change.is_none()
            && possible(wanted).is_subset(&possible(has))
            && (doubted || wanted.sure.is_subset(&has.sure))
    }

    /// What the edges say that passes between two units: their own, and those of the frames they
    /// lie in.
    fn said(&self, from: EdgeEnd, to: EdgeEnd) -> impl Iterator<Item = PassingId> + '_ {
        let pairs = self
            .wider(from)
            .flat_map(move |a| self.wider(to).map(move |b| (a, b)));
        let range = |(a, b)| {
            self.edges
                .range((a, b, PassingId(0))..=(a, b, PassingId(u32::MAX)))
        };
        pairs.flat_map(range).map(|(_, _, t)| *t)
    }

    /// A unit, the frame it lies in, and everyone.
    fn wider(&self, unit: EdgeEnd) -> impl Iterator<Item = EdgeEnd> + use<> {
        let space = if let EdgeEnd::Group(g) = unit {
            self.groups[g.0 as usize].space
        } else {
            None
        };
        [
            Some(unit),
            space.map(EdgeEnd::Space),
            space.map(|_| EdgeEnd::Everyone),
        ]
        .into_iter()
        .flatten()
    }

    fn first(&self, group: GroupId) -> Option<&PicturePlace> {
        self.groups[group.0 as usize]
            .members
            .first()
            .map(|p| self.facts.place(*p))
    }

    /// Whether the marks of a node already say what an edge between it and `unit` would: it is
    /// open, or unknown.
    fn marked(&self, unit: EdgeEnd, member: GroupId, direction: usize) -> bool {
        let Some(m) = self.groups[member.0 as usize].members.first() else {
            return false;
        };
        if self.facts.place(*m).doubt[direction].is_some_and(|d| d != WorkloadDoubt::Deny) {
            return true;
        }
        let EdgeEnd::Group(g) = unit else {
            return false;
        };
        let Some(u) = self.groups[g.0 as usize].members.first() else {
            return false;
        };
        if direction == 0 {
            implied(self.facts, *u, *m)
        } else {
            implied(self.facts, *m, *u)
        }
    }

    /// Replaces ends that make up whole frames; only frames with an end in them can be whole.
    fn promote(
        &self,
        own: EdgeEnd,
        ends: &BTreeSet<EdgeEnd>,
        reached: &dyn Fn(GroupId) -> bool,
    ) -> BTreeSet<EdgeEnd> {
        let full = |space: usize| {
            let (id, members) = &self.spaces[space];
            let framed = id.is_some_and(|s| ends.contains(&EdgeEnd::Space(s)));
            let mut others = members.iter().filter(|m| EdgeEnd::Group(**m) != own);
            framed || others.all(|m| ends.contains(&EdgeEnd::Group(*m)) || reached(*m))
        };
        let home = |end: &EdgeEnd| match end {
            EdgeEnd::Group(g) => self.home[g.0 as usize],
            EdgeEnd::Space(s) => self.spaces.iter().position(|(id, _)| *id == Some(*s)),
            EdgeEnd::Everyone | EdgeEnd::Hub(_) => None,
        };
        let touched: BTreeSet<usize> = ends.iter().filter_map(home).collect();
        let whole: BTreeSet<usize> = touched.iter().copied().filter(|s| full(*s)).collect();
        let mut out = ends.clone();
        for (frame, members) in whole
            .iter()
            .filter_map(|s| Some((self.spaces[*s].0?, &self.spaces[*s].1)))
        {
            let others: Vec<EdgeEnd> = members
                .iter()
                .map(|m| EdgeEnd::Group(*m))
                .filter(|m| *m != own)
                .collect();
            if others.iter().filter(|m| ends.contains(m)).count() >= 2 {
                others.iter().for_each(|m| {
                    out.remove(m);
                });
                out.insert(EdgeEnd::Space(frame));
            }
        }
        let every = whole.len() >= 3 && whole.len() == touched.len();
        if every
            && (0..self.spaces.len())
                .filter(|s| !touched.contains(s))
                .all(full)
        {
            out.retain(|u| matches!(u, EdgeEnd::Group(g) if self.home[g.0 as usize].is_none()));
            out.insert(EdgeEnd::Everyone);
        }
        out
    }

    /// Sources with the same destinations and traffic, where a node in the middle saves edges.
    fn hubs(&mut self) {
        loop {
            let mut best: Option<(usize, Hub)> = None;
            for hub in self.candidates() {
                let pairs = hub.sources.len() * hub.destinations.len();
                let saved = pairs.saturating_sub(hub.sources.len() + hub.destinations.len());
                let few =
                    hub.sources.len() < 2 || hub.destinations.len() < 2 || pairs < HUB || saved < 2;
                if !few && best.as_ref().is_none_or(|(most, _)| saved > *most) {
                    best = Some((saved, hub));
                }
            }
            let Some((_, hub)) = best else { return };
            self.take(hub);
        }
    }

    fn take(&mut self, hub: Hub) {
        let id = EdgeEnd::Hub(HubIx::bounded(self.hubs.len()));
        for a in &hub.sources {
            for b in &hub.destinations {
                self.edges.remove(&(*a, *b, hub.passing));
            }
        }
        self.edges
            .extend(hub.sources.iter().map(|a| (*a, id, hub.passing)));
        self.edges
            .extend(hub.destinations.iter().map(|b| (id, *b, hub.passing)));
        self.hubs.push(hub);
    }

    /// Sources by equal sets of destinations; a source that is one of them counts as reaching
    /// itself, which makes "all to all" of what would otherwise differ by one.
    fn candidates(&self) -> Vec<Hub> {
        let plain = self
            .edges
            .iter()
            .filter(|(a, b, _)| !matches!(a, EdgeEnd::Hub(_)) && !matches!(b, EdgeEnd::Hub(_)));
        let rows = grouped(plain.map(|(a, b, t)| (*a, *t, *b)));
        let mut by: BTreeMap<(PassingId, BTreeSet<EdgeEnd>), BTreeSet<EdgeEnd>> = BTreeMap::new();
        for (source, passing, ends) in rows {
            let mut closed = ends.clone();
            closed.insert(source);
            by.entry((passing, ends)).or_default().insert(source);
            by.entry((passing, closed)).or_default().insert(source);
        }
        by.into_iter().map(hub).collect()
    }
}

/// Edges by one end and traffic.
fn grouped(
    edges: impl Iterator<Item = (EdgeEnd, PassingId, EdgeEnd)>,
) -> Vec<(EdgeEnd, PassingId, BTreeSet<EdgeEnd>)> {
    let mut by: BTreeMap<(EdgeEnd, PassingId), BTreeSet<EdgeEnd>> = BTreeMap::new();
    edges.for_each(|(own, passing, end)| {
        by.entry((own, passing)).or_default().insert(end);
    });
    by.into_iter()
        .map(|((own, passing), ends)| (own, passing, ends))
        .collect()
}

fn hub(((passing, ends), sources): ((PassingId, BTreeSet<EdgeEnd>), BTreeSet<EdgeEnd>)) -> Hub {
    Hub {
        sources: sources.into_iter().collect(),
        destinations: ends.into_iter().collect(),
        passing,
    }
}

fn split(
    direction: usize,
    (a, b, t): &(EdgeEnd, EdgeEnd, PassingId),
) -> (EdgeEnd, PassingId, EdgeEnd) {
    if direction == 0 {
        (*a, *t, *b)
    } else {
        (*b, *t, *a)
    }
}

fn edge(
    direction: usize,
    own: EdgeEnd,
    end: EdgeEnd,
    t: PassingId,
) -> (EdgeEnd, EdgeEnd, PassingId) {
    if direction == 0 {
        (own, end, t)
    } else {
        (end, own, t)
    }
}
