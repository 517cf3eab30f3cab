//! Pods of a mesh that may exist, where those that its objects are for are not loaded.
//!
//! What policies of a mesh mean depends on the proxies of pods. Without any, the policies would
//! mean nothing, whatever they say; so that they speak of the pods to come, a pod of each kind that
//! they tell apart is put into a copy of the cluster while their objects are taken up.

use crate::model::{
    Cluster, ContainerPort, Labels, Pod, PodId, Requirement, Selector, Workload, WorkloadKind,
};
use crate::set::Ix;
use crate::source::Origin;
use std::sync::Arc;

/// A pod that may exist: what the objects of a mesh tell it by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PodToCome {
    /// Its namespace.
    pub namespace: Box<str>,
    /// Its labels.
    pub labels: Labels,
    /// Its container ports.
    pub ports: Vec<ContainerPort>,
}

impl PodToCome {
    /// A pod of a namespace without labels and ports.
    pub fn of(namespace: &str) -> Self {
        Self {
            namespace: namespace.into(),
            labels: Labels::default(),
            ports: Vec::new(),
        }
    }

    /// Whether a pod of a cluster is in its namespace and has all its labels.
    pub fn is_like(&self, cluster: &Cluster, pod: PodId) -> bool {
        let own = cluster.pod_labels(pod);
        let has = |(key, value)| own.get(key) == Some(value);
        *cluster.pod_namespace(pod).name == *self.namespace && self.labels.iter().all(has)
    }
}

/// Which pods of a cluster are loaded; those behind them may exist.
#[derive(Debug, Clone, Copy)]
pub struct LoadedPods(usize);

impl LoadedPods {
    /// Those of this cluster.
    pub fn of(cluster: &Cluster) -> Self {
        Self(cluster.pods().len())
    }

    /// Whether a pod is none of them.
    pub fn may_exist(self, pod: PodId) -> bool {
        pod.index() >= self.0
    }
}

/// The cluster with these pods besides its own.
pub fn with_pods(cluster: &Cluster, pods: &[PodToCome]) -> Cluster {
    let mut with = cluster.clone();
    for pod in pods {
        let namespace = with.namespace_named(&pod.namespace);
        let labels = with.intern(pod.labels.clone());
        let workload = with.add_workload(Workload {
            kind: WorkloadKind::Pod,
            name: "".into(),
            namespace,
            pods: Vec::new(),
            alternatives: false,
            own_labels: Arc::default(),
            made: None,
            origin: Origin::nowhere(),
        });
        with.add_pod(Pod {
            name: "".into(),
            namespace,
            workload,
            labels,
            ports: pod.ports.clone().into(),
            host_ports: Box::default(),
            host_network: false,
            rare: None,
            node: None,
            own_network: false,
            addresses: Box::default(),
            ready: true,
            dns_name: None,
            replicas: 1,
            origin: Origin::nowhere(),
        });
    }
    with
}

/// Labels that a selector selects, as far as it asks for values or for keys.
pub fn labels_for(selector: &Selector) -> Labels {
    let wanted = selector.requirements().iter();
    let wanted = wanted.filter_map(|requirement| match requirement {
        Requirement::In(key, values) => Some((&**key, &**values.first()?)),
        Requirement::Exists(key) => Some((&**key, "")),
        _ => None,
    });
    wanted.collect()
}
