//! What the coverage lints (`NP301` to `NP304`) share: which workloads of each namespace nothing
//! isolates.

use crate::diagnostic::Place;
use crate::finding::{Finding, Fingerprint};
use crate::lint::facts::Facts;
use crate::lint::reporter::Reporter;
use crate::lint::words;
use crate::model::{Namespace, NamespaceId, PodId};
use crate::policy::Direction;
use crate::spec::Endpoint;

/// The namespaces that have workloads, with the pods of each that nothing governs in a direction.
pub(crate) fn open<'f>(
    facts: &'f Facts<'_>,
    direction: Direction,
) -> impl Iterator<Item = (NamespaceId, &'f Namespace, Vec<PodId>)> {
    facts
        .cluster
        .namespaces()
        .filter(|(id, _)| !facts.pods_of(*id).is_empty())
        .map(move |(id, namespace)| {
            let free = |p: &PodId| {
                let profile = facts.graph.effective(Endpoint::Pod(*p), direction);
                !facts.cluster.pod(*p).host_network
                    && profile
                        .is_some_and(crate::compile::effective_policies::EffectivePolicy::is_open)
            };
            (
                id,
                namespace,
                facts.pods_of(id).iter().copied().filter(free).collect(),
            )
        })
}

/// A finding about a namespace; it points at the Namespace object, or at its first workload.
pub(crate) fn finding(
    facts: &Facts<'_>,
    found: &Reporter<'_>,
    id: NamespaceId,
    direction: Option<Direction>,
    message: String,
) -> Finding {
    let namespace = facts.cluster.namespace(id);
    let first = facts
        .pods_of(id)
        .first()
        .map(|p| facts.cluster.pod(*p).origin.clone());
    let place = namespace
        .declared
        .clone()
        .or(first)
        .map_or(Place::Input, Place::Origin);
    let about = Fingerprint {
        namespace: namespace.name.clone(),
        path: direction.map_or("", Direction::name).into(),
        ..Fingerprint::default()
    };
    found.anywhere(place, about, message)
}

/// `40 workloads in namespace x`, and who.
pub(crate) fn workloads(
    facts: &Facts<'_>,
    namespace: &Namespace,
    pods: &[PodId],
) -> (String, String) {
    let n = words::workloads(facts.cluster, pods).len();
    (
        format!(
            "{} in namespace {}",
            words::count(n, "workload"),
            namespace.name
        ),
        words::names(facts.cluster, pods),
    )
}
