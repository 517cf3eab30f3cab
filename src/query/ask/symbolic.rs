//! Which addresses a word such as `internet` stands for: those of the families that the pods on the
//! other end have (S65).
//!
//! An IPv4 cluster does not fail a question about the internet because it has no IPv6. Where the
//! families of a pod are not told, the word stands for IPv4, and for IPv6 as well where some of it
//! gets through: what could be said wrongly is that nothing passes.

use crate::graph::AllowGraph;
use crate::model::PodId;
use crate::policy::Direction;
use crate::query::ask::resolved::End;
use crate::set::{Family, IpSet};
use crate::spec::{Endpoint, FamilySet};

/// The addresses of an end, in one direction of the pods on the other end: of a block all, of a
/// word those that are meant with these pods.
pub(crate) fn addresses_of(
    graph: &AllowGraph,
    (set, symbolic): (&IpSet, bool),
    other: &End,
    direction: Direction,
) -> IpSet {
    match other {
        End::Pods { pods, .. } if symbolic => addresses_meant(graph, set, pods, direction),
        _ => set.clone(),
    }
}

/// The addresses that a word stands for, between pods and the addresses in one direction of the
/// pods; all of them if the pods have no family of theirs. O(pods), and an edge query per pod and
/// atom where families are not told.
pub(crate) fn addresses_meant(
    graph: &AllowGraph,
    set: &IpSet,
    pods: &[PodId],
    direction: Direction,
) -> IpSet {
    let meant: FamilySet = Family::ALL
        .into_iter()
        .filter(|family| {
            pods.iter()
                .any(|pod| is_meant(graph, *pod, *family, set, direction))
        })
        .collect();
    let kept = meant.addresses(set);
    if kept.is_empty() { set.clone() } else { kept }
}

/// Whether a word stands for addresses of a family where it is asked about with a pod.
fn is_meant(
    graph: &AllowGraph,
    pod: PodId,
    family: Family,
    set: &IpSet,
    direction: Direction,
) -> bool {
    let families = graph.environment().end_families(Endpoint::Pod(pod));
    match families.told() {
        Some(told) => told.contains(family),
        None => family == Family::V4 || some_passes(graph, pod, &set.only(family), direction),
    }
}

fn some_passes(graph: &AllowGraph, pod: PodId, set: &IpSet, direction: Direction) -> bool {
    let atoms = &graph.space().atoms;
    let each = atoms.overlapping(set);
    each.points()
        .filter_map(|atom| atoms.addresses(atom).intersection(set).first())
        .any(|address| {
            let (pod, address) = (Endpoint::Pod(pod), Endpoint::Address(address));
            let allowed = match direction {
                Direction::Egress => graph.allowed(pod, address),
                Direction::Ingress => graph.allowed(address, pod),
            };
            !allowed.may.is_empty()
        })
}

/// Whether a pod has, or may have, the family of an address that a word stands for: an address of
/// another family is not meant.
pub(crate) fn meets(graph: &AllowGraph, a: Endpoint, b: Endpoint) -> bool {
    let places = [a, b].map(|end| graph.space().index_of(end));
    !graph.space().family_use(places[0], places[1]).is_none()
}
