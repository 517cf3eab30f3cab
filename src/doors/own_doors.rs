//! The doors that lead to a controller itself: the first hop of whoever comes in behind it.
//!
//! The line of an Ingress speaks of the packet behind the controller and takes the controller's own
//! door for open. Where the input shows the controller's pods, and every door that leads to them is
//! internal, closed or missing, the line says so (DO98). Cost: one look at each line.

use crate::doors::line::{DoorLine, DoorStatus, OwnDoors};
use crate::model::PodId;
use crate::set::hashed::HashMap;

/// Looks for the own doors of whoever serves each line that lets somebody in, or may, where it is
/// told of their pods which doors lead to them.
pub fn look_at_own_doors(lines: &mut [DoorLine], is_told: impl Fn(PodId) -> bool) {
    let mut best: HashMap<PodId, DoorStatus> = HashMap::default();
    for line in lines.iter().filter(|line| !line.door.kind.is_object()) {
        for pod in line.pods() {
            let status = best.entry(*pod).or_insert(line.passage.status);
            *status = (*status).max(line.passage.status);
        }
    }
    for line in lines {
        let own = line.callers.iter().map(|pod| match best.get(pod) {
            _ if !is_told(*pod) => None,
            Some(DoorStatus::Open | DoorStatus::Unknown) => None,
            Some(DoorStatus::ClosedByPolicy) => Some(OwnDoors::Closed),
            Some(DoorStatus::Internal) => Some(OwnDoors::Internal),
            Some(DoorStatus::NoBackend | DoorStatus::Refused) | None => Some(OwnDoors::Missing),
        });
        let lets_in = matches!(line.passage.status, DoorStatus::Open | DoorStatus::Unknown);
        let all: Option<Vec<OwnDoors>> = own.collect();
        line.own_doors = all
            .filter(|_| lets_in)
            .and_then(|own| own.into_iter().max());
    }
}
