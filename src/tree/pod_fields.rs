//! [`KeptFields`]: which fields of a pod become part of its tree.
//!
//! Most of what kubectl prints of a pod decides no verdict. Those fields are checked to be JSON and
//! then dropped, which saves most of the memory of a large cluster.

const METADATA: &[&str] = &[
    "name",
    "generateName",
    "namespace",
    "labels",
    "uid",
    "resourceVersion",
];

const SPEC: &[&str] = &[
    "hostNetwork",
    "nodeName",
    "serviceAccountName",
    "serviceAccount",
    "hostname",
    "subdomain",
];

/// Which part of an object is being read, as far as that decides what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeptFields {
    /// Everything is kept.
    Whole,
    /// An object that has said `kind: Pod`.
    Pod,
    /// The metadata of a pod.
    Metadata,
    /// The annotations of a pod.
    Annotations,
    /// The owners of a pod, or one of them.
    Owners,
    /// The spec of a pod.
    Spec,
    /// The containers of a pod, or one of them.
    Containers,
    /// A probe of a container.
    Probe,
    /// What a probe asks for.
    HttpGet,
    /// The status of a pod.
    Status,
    /// The conditions of a pod, or one of them.
    Conditions,
}

impl KeptFields {
    /// How the value under a key is read; `None` when it is left out.
    pub(super) fn of(self, key: &str) -> Option<Self> {
        let within = |kept: &[&str]| kept.contains(&key).then_some(Self::Whole);
        match (self, key) {
            (Self::Whole, _) => Some(Self::Whole),
            (Self::Pod, "metadata") => Some(Self::Metadata),
            (Self::Pod, "spec") => Some(Self::Spec),
            (Self::Pod, "status") => Some(Self::Status),
            (Self::Pod, _) => Some(Self::Whole),
            (Self::Metadata, "ownerReferences") => Some(Self::Owners),
            (Self::Metadata, "annotations") => Some(Self::Annotations),
            (Self::Metadata, _) => within(METADATA),
            (Self::Annotations, _) => binds(key).then_some(Self::Whole),
            (Self::Owners, _) => within(&["kind", "name", "controller"]),
            (Self::Spec, "containers" | "initContainers") => Some(Self::Containers),
            (Self::Spec, _) => within(SPEC),
            (Self::Containers, "livenessProbe" | "readinessProbe" | "startupProbe") => {
                Some(Self::Probe)
            }
            (Self::Containers, _) => within(&["name", "image", "ports", "restartPolicy"]),
            (Self::Probe, "httpGet") => Some(Self::HttpGet),
            (Self::Probe, _) => None,
            (Self::HttpGet, _) => within(&["port"]),
            (Self::Status, "conditions") => Some(Self::Conditions),
            (Self::Status, _) => within(&["phase", "podIP", "podIPs", "hostIP", "hostIPs"]),
            (Self::Conditions, _) => within(&["type", "status"]),
        }
    }
}

/// Whether an annotation binds pods to policies of a network plugin or a service mesh.
pub fn binds(annotation: &str) -> bool {
    let prefix = annotation.split('/').next().unwrap_or_default();
    matches!(
        prefix,
        "linkerd.io"
            | "config.linkerd.io"
            | "sidecar.istio.io"
            | "traffic.sidecar.istio.io"
            | "ambient.istio.io"
            | "consul.hashicorp.com"
            | "kuma.io"
            | "networking.gke.io"
            | "ovn.kubernetes.io"
            | "k8s.v1.cni.cncf.io"
            | "v1.multus-cni.io"
            | "k8s.ovn.org"
    )
}
