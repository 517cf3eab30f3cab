//! Pods that are not loaded and may be meshed, as Servers tell them apart.

use crate::model::{Cluster, ContainerPort, PodId};
use crate::policy::istio::settings::Meshed;
use crate::policy::linkerd::member::LinkerdMesh;
use crate::policy::linkerd::written::{LinkerdContent, LinkerdObject, ServerForm};
use crate::policy::lowered::Checks;
use crate::policy::mesh_pods::{PodToCome, labels_for, with_pods};
use crate::policy::validate;
use crate::set::Protocol;
use crate::source::Path;
use std::collections::BTreeSet;

/// The port behind a name that a Server is for: which one it is of a pod to come is not told.
const NAMED_PORT: u16 = 20_000;

/// The cluster with pods that may be meshed, for Servers that are for no pod that is loaded; none
/// where there are no such Servers.
pub fn with_possible_pods(mesh: &LinkerdMesh<'_>, objects: &[LinkerdObject]) -> Option<Cluster> {
    if mesh.settings.meshed == Some(Meshed::None) {
        return None;
    }
    let all = mesh.cluster.pods().map(|(id, _)| id);
    let members: Vec<PodId> = all.filter(|id| mesh.is_member(*id).possible()).collect();
    let mut pods: BTreeSet<PodToCome> = BTreeSet::new();
    for object in objects {
        let LinkerdContent::Server(form) = &object.content else {
            continue;
        };
        let selected = selected(object, form);
        let is_there = members.iter().any(|id| selected.is_like(mesh.cluster, *id));
        if !is_there {
            pods.extend([PodToCome::of(&object.namespace), selected]);
        }
    }
    let pods = Vec::from_iter(pods);
    (!pods.is_empty()).then(|| with_pods(mesh.cluster, &pods))
}

/// A pod that a Server selects, with its port.
fn selected(object: &LinkerdObject, form: &ServerForm) -> PodToCome {
    let mut checks = Checks::default();
    let selector = form.pod_selector.as_ref();
    let selector = selector.map(|s| validate::selector(s, &Path::root(), &mut checks));
    let named = form.port.as_ref().and_then(|port| port.as_str());
    let port = |name: &str| ContainerPort {
        name: Some(name.into()),
        protocol: Protocol::Tcp,
        port: NAMED_PORT,
    };
    PodToCome {
        labels: selector.map(|s| labels_for(&s)).unwrap_or_default(),
        ports: named.map(port).into_iter().collect(),
        ..PodToCome::of(&object.namespace)
    }
}
