//! Whether a workload differs in anything that a policy can see: the labels of its namespace, and
//! labels, ports, host network, node and addresses of its pods.
//!
//! Pods are compared as a set, in their order first, since they mostly are in the same order on
//! both sides.

use crate::model::{Cluster, ContainerPort, Labels, LabelsId, Pod, PodId, WorkloadId};
use std::net::IpAddr;
use std::sync::Arc;

/// Compares the workloads of both sides.
pub struct PodComparer<'a> {
    before: &'a Cluster,
    after: &'a Cluster,
    /// The last two label sets that were equal; pods of one workload have the same.
    last: Option<(LabelsId, LabelsId)>,
}

/// What a policy can see of a pod.
type VisiblePod<'a> = (
    &'a Labels,
    &'a [ContainerPort],
    bool,
    Option<&'a str>,
    &'a [IpAddr],
);

fn visible<'a>(cluster: &'a Cluster, pod: &'a Pod) -> VisiblePod<'a> {
    (
        cluster.labels(pod.labels),
        &pod.ports,
        pod.host_network,
        pod.node.as_deref(),
        &pod.addresses,
    )
}

impl<'a> PodComparer<'a> {
    /// Compares the workloads of these clusters.
    pub fn new(before: &'a Cluster, after: &'a Cluster) -> Self {
        Self {
            before,
            after,
            last: None,
        }
    }

    /// Whether a workload's pods or its namespace differ in anything a policy can see.
    pub fn differs(&mut self, before: WorkloadId, after: WorkloadId) -> bool {
        let (was, is) = (self.before.workload(before), self.after.workload(after));
        let namespaces = (
            self.before.namespace(was.namespace),
            self.after.namespace(is.namespace),
        );
        namespaces.0.labels != namespaces.1.labels
            || namespaces.0.declared.is_some() != namespaces.1.declared.is_some()
            || !self.equal_in_order(&was.pods, &is.pods)
                && sorted(self.before, &was.pods) != sorted(self.after, &is.pods)
    }

    fn equal_in_order(&mut self, before: &[PodId], after: &[PodId]) -> bool {
        before.len() == after.len() && before.iter().zip(after).all(|(b, a)| self.equal(*b, *a))
    }

    fn equal(&mut self, before: PodId, after: PodId) -> bool {
        let (was, is) = (self.before.pod(before), self.after.pod(after));
        let labels = (was.labels, is.labels);
        if self.last != Some(labels) {
            if self.before.labels(was.labels) != self.after.labels(is.labels) {
                return false;
            }
            self.last = Some(labels);
        }
        let rest = |pod: &'a Pod| (pod.host_network, pod.node.as_deref(), &pod.addresses);
        rest(was) == rest(is) && (Arc::ptr_eq(&was.ports, &is.ports) || was.ports == is.ports)
    }
}

/// The distinct pods of a workload in one canonical order.
fn sorted<'a>(cluster: &'a Cluster, ids: &[PodId]) -> Vec<VisiblePod<'a>> {
    let mut pods: Vec<VisiblePod<'a>> = ids
        .iter()
        .map(|id| visible(cluster, cluster.pod(*id)))
        .collect();
    pods.sort_unstable();
    pods.dedup();
    pods
}
