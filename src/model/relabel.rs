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

fn changed(labels: &Labels, change: &LabelChange) -> Labels {
    let (LabelChange::Set(key, _) | LabelChange::Remove(key)) = change;
    let kept = labels.iter().filter(|(k, _)| *k != &**key);
    let new = match change {
        LabelChange::Set(key, value) => Some((&**key, &**value)),
        LabelChange::Remove(_) => None,
    };
    kept.chain(new).collect()
}

/// The cluster with other labels; a namespace that is relabelled counts as declared.
pub fn relabelled(cluster: &Cluster, changes: &[Relabel]) -> Cluster {
    let mut new = cluster.clone();
    for change in changes {
        match change {
            Relabel::Namespace(id, change) => {
                let namespace = new.namespace(*id);
                let labels = changed(&namespace.labels, change);
                if labels == namespace.labels {
                    continue;
                }
                let (name, origin) = (namespace.name.clone(), namespace.declared.clone());
                new.declare_namespace(&name, labels, origin.unwrap_or(Origin::nowhere()));
            }
            Relabel::Pod(id, change) => {
                let labels = changed(new.pod_labels(*id), change);
                new.put_labels(*id, labels);
            }
        }
    }
    new
}
