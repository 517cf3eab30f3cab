//! Pods that surely exist and that nobody loads, as a configuration lists them: an ingress
//! controller, the monitoring (S147).
//!
//! Invariant: what is loaded outweighs them: pods of the namespace with the labels, and the labels
//! of a namespace whose object is loaded.

use crate::input::Input;
use crate::model::{Cluster, Labels, Requirement, Selector};
use crate::potential::pods::{PodNetwork, add_pods};
use crate::potential::stand_in;
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

/// Whether pods that carry all the labels are loaded in the namespace.
fn is_loaded(cluster: &Cluster, assumed: &AssumedPods) -> bool {
    let label = |(key, value): (&str, &str)| Requirement::In(key.into(), vec![value.into()]);
    let labels = Selector::new(assumed.labels.iter().map(label));
    stand_in::is_loaded(cluster, &assumed.namespace, &labels)
}

fn add(cluster: &mut Cluster, assumed: &AssumedPods) {
    let namespace = cluster.namespace_named(&assumed.namespace);
    if cluster.namespace(namespace).declared.is_none() {
        let labels = assumed.namespace_labels.clone();
        cluster.declare_namespace(&assumed.namespace, labels, Origin::nowhere());
    }
    let network = if assumed.host_network {
        PodNetwork::Node
    } else {
        PodNetwork::Own
    };
    let (name, labels) = (&assumed.name, &assumed.labels);
    add_pods(cluster, name, namespace, labels, &[Arc::default()], network);
}
