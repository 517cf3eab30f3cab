//! Which objects are policies: the dialects that are read, and the kinds that are known but not
//! modelled.
//!
//! Dispatch is on group and kind together: Calico, Antrea and AWS reuse kind names. A kind listed
//! in [`UNMODELLED`] taints the verdicts it could touch; a kind in neither table is no policy as
//! far as netpal knows.

use crate::policy::antrea;
use crate::policy::aws_application;
use crate::policy::aws_cluster;
use crate::policy::calico;
use crate::policy::cilium;
use crate::policy::gke_fqdn;
use crate::policy::istio;
use crate::policy::linkerd;
use crate::policy::lowered::{Header, Lowered};
use crate::policy::networks;
use crate::policy::{admin_v1alpha1, cluster_network_policy, egress_firewall, network_policy};
use crate::tree::SyntaxNode;
use std::sync::OnceLock;

/// One policy API: group and version, kind, whether its objects live in namespaces, and how it is
/// read.
pub struct Dialect {
    /// `group/version`.
    pub api_version: &'static str,
    /// The kind.
    pub kind: &'static str,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// Reads and lowers one object.
    pub lower: fn(&SyntaxNode, Header<'_>) -> Lowered,
}

/// Every policy API that is modelled.
pub static DIALECTS: &[Dialect] = &[
    Dialect {
        api_version: "networking.k8s.io/v1",
        kind: "NetworkPolicy",
        namespaced: true,
        lower: network_policy::read,
    },
    Dialect {
        api_version: "policy.networking.k8s.io/v1alpha1",
        kind: "AdminNetworkPolicy",
        namespaced: false,
        lower: admin_v1alpha1::read_admin,
    },
    Dialect {
        api_version: "policy.networking.k8s.io/v1alpha1",
        kind: "BaselineAdminNetworkPolicy",
        namespaced: false,
        lower: admin_v1alpha1::read_baseline,
    },
    Dialect {
        api_version: "policy.networking.k8s.io/v1alpha2",
        kind: "ClusterNetworkPolicy",
        namespaced: false,
        lower: cluster_network_policy::read_cluster,
    },
    Dialect {
        api_version: "networking.k8s.aws/v1alpha1",
        kind: "ApplicationNetworkPolicy",
        namespaced: true,
        lower: aws_application::read,
    },
    Dialect {
        api_version: "networking.k8s.aws/v1alpha1",
        kind: "ClusterNetworkPolicy",
        namespaced: false,
        lower: aws_cluster::read,
    },
    Dialect {
        api_version: "networking.gke.io/v1alpha1",
        kind: "FQDNNetworkPolicy",
        namespaced: true,
        lower: gke_fqdn::read,
    },
    Dialect {
        api_version: "networking.gke.io/v1alpha3",
        kind: "FQDNNetworkPolicy",
        namespaced: true,
        lower: gke_fqdn::read,
    },
    Dialect {
        api_version: "cilium.io/v2",
        kind: "CiliumNetworkPolicy",
        namespaced: true,
        lower: cilium::read::namespaced,
    },
    Dialect {
        api_version: "cilium.io/v2",
        kind: "CiliumClusterwideNetworkPolicy",
        namespaced: false,
        lower: cilium::read::clusterwide,
    },
    Dialect {
        api_version: "k8s.ovn.org/v1",
        kind: "EgressFirewall",
        namespaced: true,
        lower: egress_firewall::read,
    },
    Dialect {
        api_version: "network.openshift.io/v1",
        kind: "EgressNetworkPolicy",
        namespaced: true,
        lower: egress_firewall::read_legacy,
    },
    Dialect {
        api_version: "security.istio.io/v1",
        kind: "AuthorizationPolicy",
        namespaced: true,
        lower: istio::read::authorization,
    },
    Dialect {
        api_version: "security.istio.io/v1",
        kind: "PeerAuthentication",
        namespaced: true,
        lower: istio::read::peer_authentication,
    },
    Dialect {
        api_version: "security.istio.io/v1beta1",
        kind: "AuthorizationPolicy",
        namespaced: true,
        lower: istio::read::authorization,
    },
    Dialect {
        api_version: "security.istio.io/v1beta1",
        kind: "PeerAuthentication",
        namespaced: true,
        lower: istio::read::peer_authentication,
    },
    Dialect {
        api_version: "policy.linkerd.io/v1beta1",
        kind: "Server",
        namespaced: true,
        lower: linkerd::read::server,
    },
    Dialect {
        api_version: "policy.linkerd.io/v1beta2",
        kind: "Server",
        namespaced: true,
        lower: linkerd::read::server,
    },
    Dialect {
        api_version: "policy.linkerd.io/v1beta3",
        kind: "Server",
        namespaced: true,
        lower: linkerd::read::server,
    },
    Dialect {
        api_version: "policy.linkerd.io/v1beta1",
        kind: "ServerAuthorization",
        namespaced: true,
        lower: linkerd::read::legacy,
    },
    Dialect {
        api_version: "policy.linkerd.io/v1alpha1",
        kind: "AuthorizationPolicy",
        namespaced: true,
        lower: linkerd::read::authorization,
    },
    Dialect {
        api_version: "policy.linkerd.io/v1alpha1",
        kind: "MeshTLSAuthentication",
        namespaced: true,
        lower: linkerd::read::identities,
    },
    Dialect {
        api_version: "policy.linkerd.io/v1alpha1",
        kind: "NetworkAuthentication",
        namespaced: true,
        lower: linkerd::read::networks,
    },
    Dialect {
        api_version: "policy.linkerd.io/v1alpha1",
        kind: "HTTPRoute",
        namespaced: true,
        lower: linkerd::read::route,
    },
    Dialect {
        api_version: "policy.linkerd.io/v1beta1",
        kind: "HTTPRoute",
        namespaced: true,
        lower: linkerd::read::route,
    },
    Dialect {
        api_version: "policy.linkerd.io/v1beta2",
        kind: "HTTPRoute",
        namespaced: true,
        lower: linkerd::read::route,
    },
    Dialect {
        api_version: "policy.linkerd.io/v1beta3",
        kind: "HTTPRoute",
        namespaced: true,
        lower: linkerd::read::route,
    },
    Dialect {
        api_version: "k8s.ovn.org/v1",
        kind: "UserDefinedNetwork",
        namespaced: true,
        lower: networks::read::own,
    },
    Dialect {
        api_version: "k8s.ovn.org/v1",
        kind: "ClusterUserDefinedNetwork",
        namespaced: false,
        lower: networks::read::shared,
    },
    Dialect {
        api_version: "k8s.ovn.org/v1",
        kind: "ClusterNetworkConnect",
        namespaced: false,
        lower: networks::read::connect,
    },
    Dialect {
        api_version: "k8s.cni.cncf.io/v1",
        kind: "NetworkAttachmentDefinition",
        namespaced: true,
        lower: networks::read::attachment,
    },
    Dialect {
        api_version: "k8s.cni.cncf.io/v1beta1",
        kind: "MultiNetworkPolicy",
        namespaced: true,
        lower: networks::multi_policy::read,
    },
    Dialect {
        api_version: "k8s.cni.cncf.io/v1beta2",
        kind: "MultiNetworkPolicy",
        namespaced: true,
        lower: networks::multi_policy::read,
    },
    Dialect {
        api_version: "crd.antrea.io/v1beta1",
        kind: "NetworkPolicy",
        namespaced: true,
        lower: antrea::read::namespaced,
    },
    Dialect {
        api_version: "crd.antrea.io/v1beta1",
        kind: "ClusterNetworkPolicy",
        namespaced: false,
        lower: antrea::read::cluster,
    },
    Dialect {
        api_version: "crd.antrea.io/v1alpha1",
        kind: "NetworkPolicy",
        namespaced: true,
        lower: antrea::read::namespaced,
    },
    Dialect {
        api_version: "crd.antrea.io/v1alpha1",
        kind: "ClusterNetworkPolicy",
        namespaced: false,
        lower: antrea::read::cluster,
    },
    Dialect {
        api_version: "projectcalico.org/v3",
        kind: "NetworkPolicy",
        namespaced: true,
        lower: calico::read::namespaced,
    },
    Dialect {
        api_version: "projectcalico.org/v3",
        kind: "GlobalNetworkPolicy",
        namespaced: false,
        lower: calico::read::global,
    },
    Dialect {
        api_version: "projectcalico.org/v3",
        kind: "StagedNetworkPolicy",
        namespaced: true,
        lower: calico::read::staged_namespaced,
    },
    Dialect {
        api_version: "projectcalico.org/v3",
        kind: "StagedGlobalNetworkPolicy",
        namespaced: false,
        lower: calico::read::staged_global,
    },
    Dialect {
        api_version: "crd.projectcalico.org/v1",
        kind: "NetworkPolicy",
        namespaced: true,
        lower: calico::read::namespaced,
    },
    Dialect {
        api_version: "crd.projectcalico.org/v1",
        kind: "GlobalNetworkPolicy",
        namespaced: false,
        lower: calico::read::global,
    },
    Dialect {
        api_version: "crd.projectcalico.org/v1",
        kind: "StagedNetworkPolicy",
        namespaced: true,
        lower: calico::read::staged_namespaced,
    },
    Dialect {
        api_version: "crd.projectcalico.org/v1",
        kind: "StagedGlobalNetworkPolicy",
        namespaced: false,
        lower: calico::read::staged_global,
    },
    Dialect {
        api_version: "projectcalico.org/v3",
        kind: "StagedKubernetesNetworkPolicy",
        namespaced: true,
        lower: calico::read::staged_kubernetes,
    },
    Dialect {
        api_version: "crd.projectcalico.org/v1",
        kind: "StagedKubernetesNetworkPolicy",
        namespaced: true,
        lower: calico::read::staged_kubernetes,
    },
];

static FURTHER: OnceLock<&'static [Dialect]> = OnceLock::new();

/// Adds dialects to the table, once per process: for tests that prove what a dialect has to bring.
#[doc(hidden)]
pub fn add_for_tests(dialects: &'static [Dialect]) {
    let _ = FURTHER.set(dialects);
}

/// The dialect of an object, if it is a policy that is modelled.
pub fn find(api_version: &str, kind: &str) -> Option<&'static Dialect> {
    let further = FURTHER.get().copied().unwrap_or_default();
    DIALECTS
        .iter()
        .chain(further)
        .find(|d| d.api_version == api_version && d.kind == kind)
}

/// The dialect of a kind in some version of a group, if it is modelled.
pub fn of_group(group: &str, kind: &str) -> Option<&'static Dialect> {
    let is_of_group = |version: &str| version.split_once('/').is_some_and(|(g, _)| g == group);
    let mut dialects = DIALECTS.iter();
    dialects.find(|d| d.kind == kind && is_of_group(d.api_version))
}

pub use crate::policy::unmodelled::KINDS as UNMODELLED;

/// Whether a modelled dialect has a kind of this name, in whatever group.
pub fn is_modelled_kind(kind: &str) -> bool {
    DIALECTS.iter().any(|d| d.kind == kind)
}

/// Whether a kind of this name is, in some group, a policy: for documents that cannot be read any
/// further.
pub fn may_be_policy_kind(kind: &str) -> bool {
    is_modelled_kind(kind) || UNMODELLED.iter().any(|u| u.kind == kind)
}
