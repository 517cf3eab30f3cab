//! Which addresses a word such as `internet` stands for: those of the families that the pods on the
//! other end have (S65).
//!
//! An IPv4 cluster does not fail a question about the internet because it has no IPv6. Where the
//! families of a pod are not told, the word stands for IPv4, and for IPv6 as well where some of it
//! gets through: what could be said wrongly is that nothing passes.

use crate::graph::AllowGraph;
use crate::model::PodId;
use crate::policy::Direction;
use crate::set::{Family, IpSet};
use crate::spec::{EndFamilies, Endpoint, FamilySet};

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
    let kept = meant
        .iter()
        .fold(IpSet::empty(), |all, family| all.union(&set.only(family)));
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
    match graph.environment().end_families(Endpoint::Pod(pod)) {
        EndFamilies::Told(told) => told.contains(family),
        EndFamilies::Untold => {
            family == Family::V4 || some_passes(graph, pod, &set.only(family), direction)
        }
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
    let families = [a, b].map(|end| graph.environment().end_families(end));
    match families {
        [EndFamilies::Told(a), EndFamilies::Told(b)] => !a.intersection(b).is_empty(),
        _ => true,
    }
}
