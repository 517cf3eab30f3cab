//! Pods that stand in for what is not loaded: several of them may be one pod, of which only one is
//! true, and several namespaces may be one under different assumptions about its labels.
//!
//! What alternatives do not agree on is unknown, where for pods that all exist it is partly so.

use crate::model::{Cluster, PodId};
use crate::query::ask::resolve::End;
use crate::spec::Endpoint;

/// Whether the pods of an end are what one pod may be, of which one is true.
pub(crate) fn is_alternatives(cluster: &Cluster, end: &End) -> bool {
    let of_one = |pod: &PodId| cluster.workload(cluster.pod(*pod).workload).alternatives;
    matches!(end, End::Pods { pods, .. } if pods.iter().any(of_one))
}

/// Whether two pods are in one namespace under two assumptions about its labels: no flow has both.
pub(crate) fn is_one_namespace_twice(
    cluster: &Cluster,
    source: Endpoint,
    destination: Endpoint,
) -> bool {
    let (Endpoint::Pod(from), Endpoint::Pod(to)) = (source, destination) else {
        return false;
    };
    let (from, to) = (cluster.pod(from).namespace, cluster.pod(to).namespace);
    let assumed = [from, to].map(|id| cluster.namespace(id));
    let [a, b] = assumed;
    from != to && a.name == b.name && assumed.iter().all(|n| n.declared.is_some())
}
