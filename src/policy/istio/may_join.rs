//! Pods that are not loaded and may be a part of the mesh, as its objects tell them apart.

use crate::model::{Cluster, PodId};
use crate::policy::istio::member::Mesh;
use crate::policy::istio::modes::selector;
use crate::policy::istio::settings::Meshed;
use crate::policy::istio::written::{IstioContent, IstioObject};
use crate::policy::mesh_pods::{PodToCome, labels_for, with_pods};
use std::collections::BTreeSet;

/// The cluster with pods that may be a part of the mesh, for objects that mean something to no pod
/// that is loaded; none where there are no such objects.
pub fn with_possible_pods(mesh: &Mesh<'_>, objects: &[IstioObject]) -> Option<Cluster> {
    if mesh.settings.meshed == Some(Meshed::None) {
        return None;
    }
    let all = mesh.cluster.pods();
    let members: Vec<PodId> = all
        .filter_map(|(id, _)| mesh.member(id).map(|_| id))
        .collect();
    let root = mesh.settings.root();
    let mut pods: BTreeSet<PodToCome> = BTreeSet::new();
    for object in objects {
        let is_peer = matches!(object.spec, IstioContent::Peer(_));
        if members.is_empty() && *object.namespace == *root {
            let all = mesh.cluster.namespaces();
            pods.extend(all.map(|(_, namespace)| PodToCome::of(&namespace.name)));
        }
        let is_new = |pod: &PodToCome| !members.iter().any(|id| pod.is_like(mesh.cluster, *id));
        if members.is_empty() || is_peer {
            pods.extend(of_object(object).into_iter().filter(is_new));
        }
    }
    let pods = Vec::from_iter(pods);
    (!pods.is_empty()).then(|| with_pods(mesh.cluster, &pods))
}

/// Any pod of an object's namespace, and one that it selects.
fn of_object(object: &IstioObject) -> [PodToCome; 2] {
    let labels = match &object.spec {
        IstioContent::Authorization(policy) => &policy.selector,
        IstioContent::Peer(policy) => &policy.selector,
    };
    let any = PodToCome::of(&object.namespace);
    let selected = PodToCome {
        labels: labels_for(&selector(labels)),
        ..any.clone()
    };
    [any, selected]
}
