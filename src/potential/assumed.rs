//! Pods that surely exist and that nobody loads, as a configuration lists them: an ingress
//! controller, the monitoring (S147).
//!
//! Invariant: what is loaded outweighs them: pods of the namespace with the labels, and the labels
//! of a namespace whose object is loaded.

use crate::input::Input;
use crate::model::{Cluster, Labels, Pod, Selector, Workload, WorkloadKind};
use crate::source::Origin;
use std::sync::Arc;

/// Some pods that are assumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumedPods {
    /// What they are called.
    pub name: Box<str>,
    /// Their namespace.
    pub namespace: Box<str>,
    /// The labels of the namespace, besides its name.
    pub namespace_labels: Labels,
    /// Their labels.
    pub labels: Labels,
    /// Whether they share their node's network.
    pub host_network: bool,
}

/// The input with the pods that are assumed and not loaded; their names are returned too.
pub fn with_assumed(input: &Input, assumed: &[AssumedPods]) -> (Input, Vec<Box<str>>) {
    let mut cluster: Cluster = (*input.cluster).clone();
    let mut added = Vec::new();
    for pods in assumed
        .iter()
        .filter(|pods| !is_loaded(&input.cluster, pods))
    {
        add(&mut cluster, pods);
        added.push(pods.name.clone());
    }
    let laid = Input {
        cluster: Arc::new(cluster),
        ..input.clone()
    };
    (laid, added)
}

fn is_loaded(cluster: &Cluster, assumed: &AssumedPods) -> bool {
    let Some(here) = cluster.find_namespace(&assumed.namespace) else {
        return false;
    };
    let labels = assumed.labels.iter();
    let wanted = labels.map(|(key, value)| Selector::label(key, value));
    let wanted: Vec<Selector> = wanted.collect();
    let mut pods = cluster.pods();
    pods.any(|(id, pod)| {
        pod.namespace == here && wanted.iter().all(|s| s.matches(cluster.pod_labels(id)))
    })
}

fn add(cluster: &mut Cluster, assumed: &AssumedPods) {
    let namespace = cluster.namespace_named(&assumed.namespace);
    if cluster.namespace(namespace).declared.is_none() {
        let labels = assumed.namespace_labels.clone();
        cluster.declare_namespace(&assumed.namespace, labels, Origin::nowhere());
    }
    let workload = cluster.add_workload(Workload {
        kind: WorkloadKind::Deployment,
        name: assumed.name.clone(),
        namespace,
        pods: Vec::new(),
        alternatives: false,
        own_labels: Arc::default(),
        origin: Origin::nowhere(),
    });
    let labels = cluster.intern(assumed.labels.clone());
    cluster.add_pod(Pod {
        name: assumed.name.clone(),
        namespace,
        workload,
        labels,
        ports: Arc::default(),
        host_network: assumed.host_network,
        node: None,
        addresses: Box::default(),
        ready: true,
        dns_name: None,
        replicas: 2,
        origin: Origin::nowhere(),
    });
}
