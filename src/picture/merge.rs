//! Twins: workloads of one namespace (or whole namespaces) that nothing in the picture can tell
//! apart become one node.
//!
//! Two places are twins when every third place sees the same of both, and their marks are equal;
//! towards each other they are either silent or send the same both ways. The two sorts of twins
//! never overlap, so one union of sets is enough. Cost: O(flows log flows).

use crate::picture::facts::{
    DrawnChange, Openness, PassingId, PassingTraffic, PictureFacts, PlaceId, PlaceKind, SpaceId,
    WorkloadDoubt,
};
use std::collections::BTreeMap;

/// Places drawn as one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceGroup {
    /// Its places, in order.
    pub members: Vec<PlaceId>,
    /// The namespace all of them are in.
    pub space: Option<SpaceId>,
    /// What passes between its members.
    pub inside: Option<PassingId>,
}

/// What one place sees: direction, other end, what passes.
type FlowsSeen = Vec<(u8, PlaceId, PassingId)>;

/// What merged workloads must share besides their flows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Marks {
    space: Option<SpaceId>,
    open: [Openness; 2],
    doubt: [Option<WorkloadDoubt>; 2],
    change: [Option<DrawnChange>; 2],
    deny: Option<([bool; 2], [bool; 4])>,
    /// What passes inside a namespace.
    inside: Option<PassingTraffic>,
}

fn marks(facts: &PictureFacts, id: PlaceId) -> Option<Marks> {
    let place = facts.place(id);
    let (deny, inside) = match &place.what {
        PlaceKind::Workload { .. } => (None, None),
        PlaceKind::Namespace { summary: s, .. } => {
            let [into, out] = s.open;
            (
                Some((
                    s.deny,
                    [into > 0, into == s.workloads, out > 0, out == s.workloads],
                )),
                s.inside.clone(),
            )
        }
        _ => return None,
    };
    Some(Marks {
        space: place.space(),
        open: place.open,
        doubt: place.doubt,
        change: place.change,
        deny,
        inside,
    })
}

/// Groups the places; those in `apart` stay alone.
pub fn groups(facts: &PictureFacts, apart: &[PlaceId]) -> Vec<PlaceGroup> {
    let seen = seen(facts);
    let mut sets: Vec<usize> = (0..facts.places.len()).collect();
    let mut first: BTreeMap<(Marks, FlowsSeen), usize> = BTreeMap::new();
    for (id, _) in facts.all().filter(|(id, _)| !apart.contains(id)) {
        let Some(marks) = marks(facts, id) else {
            continue;
        };
        let i = id.0 as usize;
        for signature in signatures(facts, id, &seen[i]) {
            let twin = *first.entry((marks.clone(), signature)).or_insert(i);
            unite(&mut sets, i, twin);
        }
    }
    let mut groups: BTreeMap<usize, Vec<PlaceId>> = BTreeMap::new();
    for (id, _) in facts.all() {
        groups
            .entry(root(&sets, id.0 as usize))
            .or_default()
            .push(id);
    }
    groups
        .into_values()
        .map(|members| group(facts, members, &seen))
        .collect()
}

fn group(facts: &PictureFacts, members: Vec<PlaceId>, seen: &[FlowsSeen]) -> PlaceGroup {
    let space = members.first().and_then(|id| facts.place(*id).space());
    let inside = match members.as_slice() {
        [a, b, ..] => seen[a.0 as usize]
            .iter()
            .find(|(_, other, _)| other == b)
            .map(|(_, _, passing)| *passing),
        _ => None,
    };
    PlaceGroup {
        members,
        space,
        inside,
    }
}

fn seen(facts: &PictureFacts) -> Vec<FlowsSeen> {
    let mut seen: Vec<FlowsSeen> = vec![Vec::new(); facts.places.len()];
    for flow in &facts.flows {
        seen[flow.from.0 as usize].push((1, flow.to, flow.passing));
        seen[flow.to.0 as usize].push((0, flow.from, flow.passing));
    }
    seen.iter_mut().for_each(|s| s.sort_unstable());
    seen
}

/// What a place sees; and, for each thing it exchanges both ways with a neighbour, the same as if
/// it saw itself so.
fn signatures(facts: &PictureFacts, id: PlaceId, seen: &FlowsSeen) -> Vec<FlowsSeen> {
    let near = |other: PlaceId| facts.place(other).space() == facts.place(id).space();
    let mut mutual: Vec<PassingId> = seen
        .iter()
        .filter(|(d, other, t)| {
            *d == 0 && near(*other) && seen.binary_search(&(1, *other, *t)).is_ok()
        })
        .map(|(_, _, t)| *t)
        .collect();
    mutual.sort_unstable();
    mutual.dedup();
    let closed = mutual.into_iter().map(|t| {
        let mut closed = seen.clone();
        closed.extend([(0, id, t), (1, id, t)]);
        closed.sort_unstable();
        closed
    });
    std::iter::once(seen.clone()).chain(closed).collect()
}

fn root(sets: &[usize], mut i: usize) -> usize {
    while sets[i] != i {
        i = sets[i];
    }
    i
}

fn unite(sets: &mut [usize], a: usize, b: usize) {
    let (a, b) = (root(sets, a), root(sets, b));
    let (low, high) = (a.min(b), a.max(b));
    sets[high] = low;
}
