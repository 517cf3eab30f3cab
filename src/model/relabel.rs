//! A cluster with other labels: what would change if a pod or a namespace had other labels.
//!
//! The cluster is copied with the changes laid on; ids stay as they are. O(cluster).

use crate::model::cluster::Cluster;
use crate::model::ids::{NamespaceId, PodId};
use crate::model::labels::Labels;
use crate::source::Origin;

/// A change to one label set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelChange {
    /// Sets a label.
    Set(Box<str>, Box<str>),
    /// Takes a label away.
    Remove(Box<str>),
}

/// A change to the labels of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relabel {
    /// Of a pod.
    Pod(PodId, LabelChange),
    /// Of a namespace.
    Namespace(NamespaceId, LabelChange),
}

fn changed<'a>(labels: &Labels, changes: impl Iterator<Item = &'a LabelChange>) -> Labels {
    let mut pairs: Vec<(Box<str>, Box<str>)> =
        labels.iter().map(|(k, v)| (k.into(), v.into())).collect();
    for change in changes {
        match change {
            LabelChange::Set(key, value) => {
                pairs.retain(|(k, _)| k != key);
                pairs.push((key.clone(), value.clone()));
            }
            LabelChange::Remove(key) => pairs.retain(|(k, _)| k != key),
        }
    }
    pairs.into_iter().collect()
}

/// The cluster with other labels; a namespace that is relabelled counts as declared.
pub fn relabelled(cluster: &Cluster, changes: &[Relabel]) -> Cluster {
    let mut new = Cluster::default();
    for (id, namespace) in cluster.namespaces() {
        let changes_here = changes.iter().filter_map(|c| {
            if let Relabel::Namespace(n, c) = c {
                (*n == id).then_some(c)
            } else {
                None
            }
        });
        let labels = changed(&namespace.labels, changes_here);
        let nowhere = Origin::nowhere();
        if namespace.declared.is_none() && labels == namespace.labels {
            new.namespace_named(&namespace.name);
        } else {
            new.declare_namespace(
                &namespace.name,
                labels,
                namespace.declared.clone().unwrap_or(nowhere),
            );
        }
    }
    for (_, node) in cluster.nodes() {
        new.add_node(node.clone());
    }
    new.list_as(cluster);
    for (_, service) in cluster.services() {
        new.add_service(service.clone());
    }
    for (_, workload) in cluster.workloads() {
        new.add_workload(crate::model::Workload {
            pods: Vec::new(),
            ..workload.clone()
        });
    }
    for (id, pod) in cluster.pods() {
        let changes_here = changes.iter().filter_map(|c| {
            if let Relabel::Pod(p, c) = c {
                (*p == id).then_some(c)
            } else {
                None
            }
        });
        let labels = new.intern(changed(cluster.labels(pod.labels), changes_here));
        new.add_pod(crate::model::Pod {
            labels,
            ..pod.clone()
        });
    }
    new
}
