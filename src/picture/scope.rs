//! What of the facts is drawn: what is hidden (and counted, so that the caption can say so), the
//! neighbourhood of a focus, only what changed, and namespaces as single places. Changes are never
//! hidden.

use crate::picture::drawing::DetailLevel;
use crate::picture::facts::{
    Difference, DrawnChange, Openness, PassingId, PassingTraffic, PictureDoor, PictureFacts,
    PictureFlow, PicturePlace, PlaceId, PlaceKind, Summary, WorkloadDoubt,
};
use crate::set::{Ix, Protocol, TrafficSet};
use std::collections::{BTreeMap, BTreeSet};

/// What is left out unless asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hide {
    /// Flows on the DNS port.
    pub dns: bool,
    /// Flows from what collects metrics to many workloads.
    pub monitoring: bool,
    /// Flows with outside addresses.
    pub internet: bool,
}

impl Default for Hide {
    fn default() -> Self {
        Self {
            dns: true,
            monitoring: true,
            internet: false,
        }
    }
}

/// How many flows were left out, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hidden {
    /// On the DNS port.
    pub dns: usize,
    /// From each collector of metrics.
    pub monitoring: BTreeMap<String, usize>,
    /// With outside addresses.
    pub internet: usize,
    /// Unknown, because of what one end is.
    pub unknown: usize,
    /// With pods that are not in the input, where there are too many to be seen.
    pub potential: usize,
    /// Away from the focus.
    pub unfocused: usize,
    /// The same as before.
    pub unchanged: usize,
    /// How many edges there are at a level, where they are too many.
    pub dense: Option<(DetailLevel, usize)>,
}

/// Most flows of a picture that also shows pods that are not in the input.
const DENSE: usize = 3_000;

/// Fewest flows of one collector that are worth hiding.
const FAN: usize = 4;

fn dns_traffic() -> TrafficSet {
    TrafficSet::ports(Protocol::Udp, 53, 53).union(&TrafficSet::ports(Protocol::Tcp, 53, 53))
}

/// Takes out what is to be hidden.
pub fn hide(facts: &mut PictureFacts, hide: Hide, hidden: &mut Hidden) {
    let dns = dns_traffic();
    let mut fans: BTreeMap<PlaceId, usize> = BTreeMap::new();
    facts
        .flows
        .iter()
        .for_each(|f| *fans.entry(f.from).or_default() += 1);
    let mut flows = std::mem::take(&mut facts.flows);
    flows.retain(|flow| {
        let (from, to, passing) = (
            facts.place(flow.from),
            facts.place(flow.to),
            facts.passing(flow.passing),
        );
        let doubted = [from.doubt[1], to.doubt[0]]
            .into_iter()
            .flatten()
            .any(|d| d != WorkloadDoubt::Deny);
        if passing.change.is_some() {
            return true;
        } else if passing.sure.is_empty() && doubted {
            hidden.unknown += 1;
        } else if hide.dns && passing.sure.union(&passing.unknown).is_subset(&dns) {
            hidden.dns += 1;
        } else if hide.monitoring && from.monitor && fans.get(&flow.from).is_some_and(|n| *n >= FAN)
        {
            *hidden.monitoring.entry(from.key.clone()).or_default() += 1;
        } else if hide.internet && (from.space().is_none() || to.space().is_none()) {
            hidden.internet += 1;
        } else {
            return true;
        }
        false
    });
    facts.flows = flows;
    if hide.internet {
        let before = facts.doors.len();
        facts.doors.retain(|door| door.change.is_some());
        hidden.internet += before - facts.doors.len();
    }
}

/// Leaves out pods that are not in the input where loaded workloads have more flows than anybody
/// can see.
pub fn drop_potential_where_dense(facts: &mut PictureFacts, hidden: &mut Hidden) {
    if facts.flows.len() <= DENSE {
        return;
    }
    let is_potential = |p: &PicturePlace| matches!(p.what, PlaceKind::Potential { .. });
    let before = facts.flows.len();
    keep(facts, |_, place| !is_potential(place));
    hidden.potential = before - facts.flows.len();
}

/// Keeps what changed.
pub fn only_changed(facts: &mut PictureFacts, hidden: &mut Hidden) {
    let before = facts.flows.len();
    let kept: Vec<PictureFlow> = facts
        .flows
        .iter()
        .copied()
        .filter(|f| facts.passing(f.passing).change.is_some())
        .collect();
    facts.flows = kept;
    hidden.unchanged = before - facts.flows.len();
    facts.doors.retain(|door| door.change.is_some());
    let ends = facts.ends();
    keep(facts, |id, place| {
        ends.contains(&id) || place.change.iter().any(Option::is_some)
    });
}

/// Keeps the neighbourhood of some places, up to so many flows away in either direction.
pub fn focus(facts: &mut PictureFacts, keys: &[String], hops: u32, hidden: &mut Hidden) {
    let mut near: BTreeSet<PlaceId> = facts
        .all()
        .filter(|(_, p)| keys.contains(&p.key))
        .map(|(id, _)| id)
        .collect();
    let mut kept: BTreeSet<PictureFlow> = BTreeSet::new();
    for _ in 0..hops {
        let touching = facts
            .flows
            .iter()
            .filter(|f| near.contains(&f.from) || near.contains(&f.to));
        let touching: Vec<PictureFlow> = touching.copied().collect();
        let doors = facts.doors.iter().filter(|door| near.contains(&door.to));
        let internet: Vec<PlaceId> = doors.map(|door| door.from).collect();
        near.extend(touching.iter().flat_map(|f| [f.from, f.to]));
        near.extend(internet);
        kept.extend(touching);
    }
    facts.doors.retain(|door| near.contains(&door.to));
    hidden.unfocused = facts.flows.len() - kept.len();
    facts.flows = kept.into_iter().collect();
    keep(facts, |id, _| near.contains(&id));
}

/// Drops outside places that no flow touches.
pub fn drop_idle_addresses(facts: &mut PictureFacts) {
    let ends = facts.ends();
    keep(facts, |id, place| ends.contains(&id) || !is_outside(place));
}

/// Whether only flows make it worth drawing: pods that policies close off are a fact themselves.
fn is_outside(p: &PicturePlace) -> bool {
    match p.what {
        PlaceKind::Workload { .. } | PlaceKind::Namespace { .. } => false,
        PlaceKind::Potential { closed, .. } => closed == [false; 2],
        _ => true,
    }
}

fn keep(facts: &mut PictureFacts, wanted: impl Fn(PlaceId, &PicturePlace) -> bool) {
    let mut new: Vec<Option<PlaceId>> = Vec::new();
    let mut places = Vec::new();
    for (id, place) in facts.all() {
        new.push(wanted(id, place).then(|| PlaceId::bounded(places.len())));
        if wanted(id, place) {
            places.push(place.clone());
        }
    }
    let at = |id: PlaceId| new[id.0 as usize];
    let flows = facts.flows.iter().filter_map(|f| {
        Some(PictureFlow {
            from: at(f.from)?,
            to: at(f.to)?,
            passing: f.passing,
        })
    });
    facts.flows = flows.collect();
    let doors = std::mem::take(&mut facts.doors).into_iter();
    let doors = doors.filter_map(|door| {
        Some(PictureDoor {
            from: at(door.from)?,
            to: at(door.to)?,
            ..door
        })
    });
    facts.doors = doors.collect();
    facts.places = places;
}

/// Several flows: how many, and the distinct things that pass.
#[derive(Debug, Default)]
struct MergedFlows {
    flows: usize,
    passing: BTreeSet<PassingId>,
}

/// The same with each namespace as one place.
pub fn by_namespace(facts: &PictureFacts) -> PictureFacts {
    let mut out = PictureFacts {
        tally: facts.tally,
        compared: facts.compared,
        ..PictureFacts::default()
    };
    let mut inside: BTreeMap<usize, MergedFlows> = BTreeMap::new();
    let mut between: BTreeMap<(usize, usize), MergedFlows> = BTreeMap::new();
    let spaces = facts.spaces.len();
    let is_block = |p: &PicturePlace| matches!(p.what, PlaceKind::Blocks(_));
    let blocks = facts.places.iter().filter(|p| is_block(p)).count();
    let alone = |p: &PicturePlace| p.space().is_none() && (blocks < 2 || !is_block(p));
    let outside: Vec<PlaceId> = facts
        .all()
        .filter(|(_, p)| alone(p))
        .map(|(id, _)| id)
        .collect();
    let at = |id: PlaceId| match facts.place(id).space() {
        Some(space) => space.index(),
        // several blocks are one place, after the others
        None => spaces + outside.binary_search(&id).unwrap_or(outside.len()),
    };
    for flow in &facts.flows {
        let (from, to) = (at(flow.from), at(flow.to));
        let several = if from == to {
            inside.entry(from).or_default()
        } else {
            between.entry((from, to)).or_default()
        };
        several.flows += 1;
        several.passing.insert(flow.passing);
    }
    let mut members: Vec<Vec<&PicturePlace>> = vec![Vec::new(); facts.spaces.len()];
    facts
        .places
        .iter()
        .filter_map(|p| Some((p.space()?, p)))
        .for_each(|(s, p)| members[s.0 as usize].push(p));
    for (i, list) in members.iter().enumerate() {
        out.places.push(namespace(
            facts,
            i,
            list,
            inside.get(&i).map(|p| joined(facts, p, usize::MAX)),
        ));
    }
    out.places
        .extend(outside.iter().map(|id| facts.place(*id).clone()));
    if let (2.., Some(first)) = (blocks, facts.places.iter().find(|p| is_block(p))) {
        let what = format!("{blocks} blocks of addresses");
        out.places.push(PicturePlace {
            key: what.clone(),
            what: PlaceKind::Blocks(what),
            ..first.clone()
        });
    }
    let joint = spaces + outside.len();
    let size = |i: usize| {
        if i == joint {
            blocks
        } else {
            members.get(i).map_or(1, Vec::len)
        }
    };
    for ((from, to), several) in between {
        let passing = out.intern(joined(facts, &several, size(from) * size(to)));
        out.flows.push(PictureFlow {
            from: PlaceId::bounded(from),
            to: PlaceId::bounded(to),
            passing,
        });
    }
    let doors = facts.doors.iter().cloned().map(|door| PictureDoor {
        from: PlaceId::bounded(at(door.from)),
        to: PlaceId::bounded(at(door.to)),
        ..door
    });
    out.doors = joined_doors(doors);
    out
}

/// Doors of one name that lead to one place are one.
fn joined_doors(doors: impl Iterator<Item = PictureDoor>) -> Vec<PictureDoor> {
    let mut joined: BTreeMap<(String, PlaceId), PictureDoor> = BTreeMap::new();
    for door in doors {
        let key = (door.name.clone(), door.to);
        let Some(known) = joined.get_mut(&key) else {
            joined.insert(key, door);
            continue;
        };
        known.traffic = known.traffic.union(&door.traffic);
        known.certain |= door.certain;
        known.stands = [0, 1].map(|side| known.stands[side] || door.stands[side]);
        known.change = combined(known.change.into_iter().chain(door.change));
    }
    joined.into_values().collect()
}

fn namespace(
    facts: &PictureFacts,
    index: usize,
    members: &[&PicturePlace],
    inside: Option<PassingTraffic>,
) -> PicturePlace {
    let space = &facts.spaces[index];
    let open = [0, 1].map(|d| members.iter().filter(|p| p.open[d].is_open()).count());
    let doubt = |d: usize| -> Option<WorkloadDoubt> {
        let first = members.first().and_then(|p| p.doubt[d]);
        first.filter(|_| members.iter().all(|p| p.doubt[d].is_some()))
    };
    let changes = |d: usize| combined(members.iter().filter_map(|p| p.change[d]));
    PicturePlace {
        key: space.name.clone(),
        what: PlaceKind::Namespace {
            name: space.name.clone(),
            summary: Summary {
                workloads: members.len(),
                open,
                deny: space.deny,
                policies: space.policies,
                inside,
            },
        },
        open: [
            all_open(open, members.len(), 0),
            all_open(open, members.len(), 1),
        ],
        doubt: [doubt(0), doubt(1)],
        dns: members.iter().any(|p| p.dns),
        monitor: members.iter().any(|p| p.monitor),
        change: [changes(0), changes(1)],
    }
}

fn all_open(open: [usize; 2], members: usize, d: usize) -> Openness {
    if open[d] == members && open[d] > 0 {
        Openness::Default
    } else {
        Openness::No
    }
}

fn combined(changes: impl Iterator<Item = DrawnChange>) -> Option<DrawnChange> {
    changes.reduce(|a, b| if a == b { a } else { DrawnChange::Moved })
}

/// All that passes over several flows; only some of it for each pair, unless all pairs are there
/// and agree.
fn joined(facts: &PictureFacts, several: &MergedFlows, pairs: usize) -> PassingTraffic {
    let list: Vec<&PassingTraffic> = several.passing.iter().map(|p| facts.passing(*p)).collect();
    let gone = list
        .iter()
        .all(|p| p.change.as_ref().is_some_and(|d| d.gone));
    // what is gone is shown only where nothing else passes
    let shown = || {
        list.iter()
            .filter(|p| gone || !p.change.as_ref().is_some_and(|d| d.gone))
    };
    let fold = |f: fn(&PassingTraffic) -> &TrafficSet| {
        shown().fold(TrafficSet::empty(), |set, p| set.union(f(p)))
    };
    let sure = fold(|p| &p.sure);
    let unknown = fold(|p| &p.unknown).difference(&sure);
    let before = |p: &PassingTraffic| {
        p.change
            .as_ref()
            .map_or_else(|| p.sure.union(&p.unknown), |d| d.past.clone())
    };
    let past = list
        .iter()
        .fold(TrafficSet::empty(), |set, p| set.union(&before(p)));
    let change = combined(
        list.iter()
            .filter_map(|p| p.change.as_ref())
            .map(|d| d.change),
    );
    let change = change.map(|change| Difference { change, past, gone });
    let names: BTreeSet<&String> = list.iter().flat_map(|p| &p.port_names).collect();
    PassingTraffic {
        port_names: names.into_iter().cloned().collect(),
        sure,
        unknown,
        some: several.flows < pairs || list.len() > 1 || list.iter().any(|p| p.some),
        change,
    }
}
