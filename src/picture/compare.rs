//! Two states laid over each other, so that before and after share one picture and nothing jumps.
//!
//! Flows between open ends are implied, not listed; what passed before or passes after is therefore
//! asked of the marks too: a workload that stops being open narrows the flows that stay, and its
//! own mark says that the rest went away.

use crate::picture::facts::{
    Difference, DrawnChange, Openness, PassingTraffic, PictureDoor, PictureFacts, PictureFlow,
    PicturePlace, PlaceId, PlaceKind, Space, SpaceId,
};
use crate::picture::open::implied;
use crate::set::{Ix, TrafficSet};
use std::collections::BTreeMap;

impl PictureFacts {
    /// Lays two states over each other: every place and flow of either, marked with how it differs.
    pub fn compare(before: &Self, after: &Self) -> Self {
        compare(before, after)
    }
}

/// Every place and flow of either state, marked with how it differs.
fn compare(before: &PictureFacts, after: &PictureFacts) -> PictureFacts {
    let mut both = PictureFacts {
        tally: after.tally,
        compared: true,
        ..PictureFacts::default()
    };
    let spaces = spaces(before, after, &mut both);
    let places_by_key = places(before, after, &spaces, &mut both);
    let flows = [before, after].map(|facts| flows_of(facts, &places_by_key));
    let mut pairs: Vec<(PlaceId, PlaceId)> = flows.iter().flat_map(|f| f.keys().copied()).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let index = [before, after].map(by_key);
    for (from, to) in pairs {
        let keys = [from, to].map(|id| both.place(id).key.as_str());
        let [old, new] = [(before, 0), (after, 1)].map(|(facts, i)| {
            let listed = flows[i].get(&(from, to)).map(|p| (*p).clone());
            if is_implied(facts, &index[i], keys) {
                Some(everything())
            } else {
                listed
            }
        });
        if let Some(passing) = changed(old.as_ref(), new.as_ref()) {
            let passing = both.intern(passing);
            both.flows.push(PictureFlow { from, to, passing });
        }
    }
    both.doors = doors([before, after], &places_by_key);
    both
}

/// Whether a state implies that everything passes between two of its places.
fn is_implied(facts: &PictureFacts, index: &BTreeMap<&str, PlaceId>, keys: [&str; 2]) -> bool {
    let ids = keys.map(|key| index.get(key).copied());
    matches!(ids, [Some(from), Some(to)] if implied(facts, from, to))
}

fn everything() -> PassingTraffic {
    PassingTraffic {
        sure: TrafficSet::all(),
        ..PassingTraffic::default()
    }
}

fn by_key(facts: &PictureFacts) -> BTreeMap<&str, PlaceId> {
    facts.all().map(|(id, p)| (p.key.as_str(), id)).collect()
}

fn spaces<'a>(
    before: &'a PictureFacts,
    after: &'a PictureFacts,
    both: &mut PictureFacts,
) -> BTreeMap<&'a str, SpaceId> {
    let all: BTreeMap<&str, &Space> = before
        .spaces
        .iter()
        .chain(&after.spaces)
        .map(|s| (s.name.as_str(), s))
        .collect();
    both.spaces = all.values().map(|s| (*s).clone()).collect();
    all.keys()
        .enumerate()
        .map(|(i, name)| (*name, SpaceId::bounded(i)))
        .collect()
}

/// Lists the places of both states in one order, and returns where each key went.
fn places(
    before: &PictureFacts,
    after: &PictureFacts,
    spaces: &BTreeMap<&str, SpaceId>,
    both: &mut PictureFacts,
) -> BTreeMap<String, PlaceId> {
    let mut all: BTreeMap<&str, (Option<&PicturePlace>, Option<&PicturePlace>)> = BTreeMap::new();
    before
        .places
        .iter()
        .for_each(|p| all.entry(&p.key).or_default().0 = Some(p));
    after
        .places
        .iter()
        .for_each(|p| all.entry(&p.key).or_default().1 = Some(p));
    let mut merged: Vec<PicturePlace> = Vec::new();
    for (old, new) in all.into_values() {
        let Some(shown) = new.or(old) else { continue };
        let mut place = shown.clone();
        if let PlaceKind::Workload { space, .. } = &mut place.what {
            let facts = if new.is_some() { after } else { before };
            *space = spaces
                .get(facts.space(*space).name.as_str())
                .copied()
                .unwrap_or(*space);
        }
        place.change = [0, 1].map(|d| {
            let open = |p: Option<&PicturePlace>| p.is_some_and(|p| p.open[d] != Openness::No);
            DrawnChange::of(open(new) && !open(old), open(old) && !open(new))
        });
        merged.push(place);
    }
    merged.sort_by(|a, b| a.what.cmp(&b.what));
    let keys = merged
        .iter()
        .enumerate()
        .map(|(i, p)| (p.key.clone(), PlaceId::bounded(i)))
        .collect();
    both.places = merged;
    keys
}

/// The doors of either state, each marked with how it differs.
fn doors(states: [&PictureFacts; 2], keys: &BTreeMap<String, PlaceId>) -> Vec<PictureDoor> {
    let [old, mut all] = states.map(|facts| {
        let at = |id: PlaceId| keys.get(&facts.place(id).key).copied();
        let placed = facts.doors.iter().filter_map(|door| {
            let (from, to) = (at(door.from)?, at(door.to)?);
            let placed = PictureDoor {
                from,
                to,
                ..door.clone()
            };
            Some(((door.name.clone(), to), placed))
        });
        placed.collect::<BTreeMap<_, _>>()
    });
    for (key, door) in &mut all {
        let known = old.get(key);
        let past = known.map_or_else(TrafficSet::empty, |door| door.traffic.clone());
        let (wider, narrower) = (
            !door.traffic.is_subset(&past),
            !past.is_subset(&door.traffic),
        );
        door.change = DrawnChange::of(wider, narrower);
        door.stands[0] = known.is_some();
    }
    for (key, door) in old {
        all.entry(key).or_insert(PictureDoor {
            change: Some(DrawnChange::Narrowed),
            stands: [true, false],
            ..door
        });
    }
    all.into_values().collect()
}

fn flows_of<'f>(
    facts: &'f PictureFacts,
    keys: &BTreeMap<String, PlaceId>,
) -> BTreeMap<(PlaceId, PlaceId), &'f PassingTraffic> {
    let at = |id: PlaceId| keys.get(&facts.place(id).key).copied();
    facts
        .flows
        .iter()
        .filter_map(|f| Some(((at(f.from)?, at(f.to)?), facts.passing(f.passing))))
        .collect()
}

/// What is drawn of a flow: what passes after, or what passed before where nothing does any more.
fn changed(
    before: Option<&PassingTraffic>,
    after: Option<&PassingTraffic>,
) -> Option<PassingTraffic> {
    let nothing = PassingTraffic::default();
    let (old, new) = (before.unwrap_or(&nothing), after.unwrap_or(&nothing));
    let (past, now) = (old.sure.union(&old.unknown), new.sure.union(&new.unknown));
    let shown = if now.is_empty() { old } else { new };
    let change = DrawnChange::of(!now.is_subset(&past), !past.is_subset(&now));
    let change = change.map(|change| Difference {
        change,
        past,
        gone: now.is_empty(),
    });
    (before.is_some() || after.is_some()).then(|| PassingTraffic {
        change,
        ..shown.clone()
    })
}
