//! Coverage: the pods of each namespace that nothing governs, and findings about namespaces, for
//! the rules `NP301` to `NP304` and `NP404`.
//!
//! Cost: O(pods).

use crate::compile::effective_policy::EffectivePolicy;
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
            let pods = context.pods_of(id).iter().copied();
            let open: Vec<PodId> = pods.filter(|p| is_open(context, *p, direction)).collect();
            (id, namespace, open)
        })
}

/// Whether nothing governs a pod in a direction. Pods in their node's network do not count.
fn is_open(context: &LintContext<'_>, pod: PodId, direction: Direction) -> bool {
    let effective = context.graph.effective(Endpoint::Pod(pod), direction);
    !context.cluster.pod(pod).host_network && effective.is_some_and(EffectivePolicy::is_open)
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

/// `40 workloads in namespace x`, and the names of the first few.
pub(crate) fn workloads(
    context: &LintContext<'_>,
    namespace: &Namespace,
    pods: &[PodId],
) -> (String, String) {
    let count = words::workloads(context.cluster, pods).len();
    (
        format!(
            "{} in namespace {}",
            words::count(count, "workload"),
            namespace.name
        ),
        words::names(context.cluster, pods),
    )
}
