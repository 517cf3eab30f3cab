//! What the coverage lints (`NP301` to `NP304`) share: which workloads of each namespace nothing
//! isolates.

use crate::diagnostic::Place;
use crate::finding::{Finding, Fingerprint};
use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::lint::words;
use crate::model::{Namespace, NamespaceId, PodId};
use crate::policy::Direction;
use crate::spec::Endpoint;

/// The namespaces that have workloads, with the pods of each that nothing governs in a direction.
pub(crate) fn open<'f>(
    context: &'f LintContext<'_>,
    direction: Direction,
) -> impl Iterator<Item = (NamespaceId, &'f Namespace, Vec<PodId>)> {
    context
        .cluster
        .namespaces()
        .filter(|(id, _)| !context.pods_of(*id).is_empty())
        .map(move |(id, namespace)| {
            let free = |p: &PodId| {
                let profile = context.graph.effective(Endpoint::Pod(*p), direction);
                !context.cluster.pod(*p).host_network
                    && profile
                        .is_some_and(crate::compile::effective_policies::EffectivePolicy::is_open)
            };
            (
                id,
                namespace,
                context.pods_of(id).iter().copied().filter(free).collect(),
            )
        })
}

/// A finding about a namespace; it points at the Namespace object, or at its first workload.
pub(crate) fn finding(
    context: &LintContext<'_>,
    reporter: &Reporter<'_>,
    id: NamespaceId,
    direction: Option<Direction>,
    message: String,
) -> Finding {
    let namespace = context.cluster.namespace(id);
    let first = context
        .pods_of(id)
        .first()
        .map(|p| context.cluster.pod(*p).origin.clone());
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
    reporter.anywhere(place, about, message)
}

/// `40 workloads in namespace x`, and who.
pub(crate) fn workloads(
    context: &LintContext<'_>,
    namespace: &Namespace,
    pods: &[PodId],
) -> (String, String) {
    let n = words::workloads(context.cluster, pods).len();
    (
        format!(
            "{} in namespace {}",
            words::count(n, "workload"),
            namespace.name
        ),
        words::names(context.cluster, pods),
    )
}
