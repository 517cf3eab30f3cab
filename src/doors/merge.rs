//! Lines of one door under several parents, made one.
//!
//! A route may be attached to several Gateways, and have several backends and mirrors. Where they
//! give lines of one target, the status that counts is the last of [`DoorStatus`].

use crate::doors::line::{DoorLine, DoorStatus, DoorTarget};
use crate::set::hashed::IndexMap;

type LinePlace = (Box<str>, Box<str>, Option<Box<str>>);

/// One line for each target, of the lines of each parent. Where some parent serves the door, those
/// that do not only count if they leave it open whether more callers get through.
pub fn merged(parents: Vec<Vec<DoorLine>>) -> Vec<DoorLine> {
    let is_served = |lines: &Vec<DoorLine>| {
        let mut lines = lines.iter();
        lines.any(|line| {
            line.target != DoorTarget::Nothing || line.passage.status == DoorStatus::NoBackend
        })
    };
    let (served, stopped): (Vec<_>, Vec<_>) = parents.into_iter().partition(is_served);
    let mut merged = if served.is_empty() {
        return best(stopped.into_iter().flatten());
    } else {
        best(served.into_iter().flatten())
    };
    let mut doubts = stopped.into_iter().flatten();
    if let Some(doubt) = doubts.find(|line| line.passage.status == DoorStatus::Unknown) {
        for line in &mut merged {
            if line.passage.status < DoorStatus::Unknown {
                line.passage.clone_from(&doubt.passage);
            }
        }
    }
    merged
}

/// The best line of each target; a line without a target goes where another of its place has one.
fn best(lines: impl Iterator<Item = DoorLine>) -> Vec<DoorLine> {
    let mut places: IndexMap<LinePlace, Vec<DoorLine>> = IndexMap::default();
    for line in lines {
        let (host, path) = (line.door.host.clone(), line.door.path.clone());
        let here = places
            .entry((host, path, line.service.clone()))
            .or_default();
        let same = |other: &&mut DoorLine| same_target(&other.target, &line.target);
        match here.iter_mut().find(same) {
            Some(known) if known.passage.status < line.passage.status => *known = line,
            Some(_) => {}
            None => here.push(line),
        }
    }
    for here in places.values_mut() {
        let leads = |line: &DoorLine| line.target != DoorTarget::Nothing;
        if here.iter().any(leads) {
            here.retain(leads);
        }
    }
    places.into_values().flatten().collect()
}

/// Whether two lines are about the same pods: pods of one workload that fare alike are together, so
/// the first tells.
fn same_target(a: &DoorTarget, b: &DoorTarget) -> bool {
    match (a, b) {
        (DoorTarget::Pods(_, some, _, _), DoorTarget::Pods(_, others, _, _)) => {
            some.first() == others.first() && a.traffic() == b.traffic()
        }
        _ => a == b,
    }
}
