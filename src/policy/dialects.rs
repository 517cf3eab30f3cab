//! Which objects are policies: the dialects that are read, and the kinds that are known but not
//! modelled.
//!
//! Dispatch is on group and kind together: Calico, Antrea and AWS reuse kind names. A kind listed
//! in [`UNMODELLED`] taints the verdicts it could touch; a kind in neither table is no policy as
//! far as netpal knows.

use crate::policy::lowered::{Header, Lowered};
use crate::policy::rule::TaintEffect;
use crate::policy::{admin_v1alpha1, cluster_network_policy, network_policy};
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

/// A policy kind that is known but not modelled.
pub struct Unmodelled {
    /// The API group.
    pub group: &'static str,
    /// The kind.
    pub kind: &'static str,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// What it may do to a verdict.
    pub effect: TaintEffect,
    /// In which directions, at the pods it governs: ingress, egress.
    pub directions: [bool; 2],
    /// The field of its spec that selects pods by plain labels, if it has one.
    pub selector: Option<&'static str>,
}

const fn row(
    group: &'static str,
    kind: &'static str,
    namespaced: bool,
    effect: TaintEffect,
    directions: [bool; 2],
    selector: Option<&'static str>,
) -> Unmodelled {
    Unmodelled {
        group,
        kind,
        namespaced,
        effect,
        directions,
        selector,
    }
}

use TaintEffect::{Anything, OnlyDeny};

const BOTH: [bool; 2] = [true, true];
const IN: [bool; 2] = [true, false];
const OUT: [bool; 2] = [false, true];

/// Policy kinds that are known but not modelled.
pub static UNMODELLED: &[Unmodelled] = &[
    row(
        "cilium.io",
        "CiliumNetworkPolicy",
        true,
        Anything,
        BOTH,
        Some("endpointSelector"),
    ),
    row(
        "cilium.io",
        "CiliumClusterwideNetworkPolicy",
        false,
        Anything,
        BOTH,
        Some("endpointSelector"),
    ),
    row(
        "projectcalico.org",
        "NetworkPolicy",
        true,
        Anything,
        BOTH,
        None,
    ),
    row(
        "projectcalico.org",
        "GlobalNetworkPolicy",
        false,
        Anything,
        BOTH,
        None,
    ),
    row(
        "crd.projectcalico.org",
        "NetworkPolicy",
        true,
        Anything,
        BOTH,
        None,
    ),
    row(
        "crd.projectcalico.org",
        "GlobalNetworkPolicy",
        false,
        Anything,
        BOTH,
        None,
    ),
    row("crd.antrea.io", "NetworkPolicy", true, Anything, BOTH, None),
    row(
        "crd.antrea.io",
        "ClusterNetworkPolicy",
        false,
        Anything,
        BOTH,
        None,
    ),
    row(
        "policy.networking.k8s.io",
        "AdminNetworkPolicy",
        false,
        Anything,
        BOTH,
        None,
    ),
    row(
        "policy.networking.k8s.io",
        "BaselineAdminNetworkPolicy",
        false,
        Anything,
        BOTH,
        None,
    ),
    row(
        "policy.networking.k8s.io",
        "ClusterNetworkPolicy",
        false,
        Anything,
        BOTH,
        None,
    ),
    row(
        "networking.k8s.aws",
        "ApplicationNetworkPolicy",
        true,
        Anything,
        BOTH,
        None,
    ),
    row(
        "networking.k8s.aws",
        "ClusterNetworkPolicy",
        false,
        Anything,
        BOTH,
        None,
    ),
    row(
        "networking.gke.io",
        "FQDNNetworkPolicy",
        true,
        Anything,
        OUT,
        None,
    ),
    row("k8s.ovn.org", "EgressFirewall", true, OnlyDeny, OUT, None),
    row(
        "network.openshift.io",
        "EgressNetworkPolicy",
        true,
        OnlyDeny,
        OUT,
        None,
    ),
    row(
        "security.istio.io",
        "AuthorizationPolicy",
        true,
        OnlyDeny,
        IN,
        Some("selector"),
    ),
    row(
        "security.istio.io",
        "PeerAuthentication",
        true,
        OnlyDeny,
        IN,
        Some("selector"),
    ),
    row(
        "policy.linkerd.io",
        "Server",
        true,
        OnlyDeny,
        IN,
        Some("podSelector"),
    ),
    row(
        "policy.linkerd.io",
        "ServerAuthorization",
        true,
        OnlyDeny,
        IN,
        None,
    ),
    row(
        "policy.linkerd.io",
        "AuthorizationPolicy",
        true,
        OnlyDeny,
        IN,
        None,
    ),
];

/// The row of a policy kind that is known but not modelled. Any version of the group counts; a
/// version of a modelled group that is not itself modelled counts too.
pub fn find_unmodelled(api_version: &str, kind: &str) -> Option<&'static Unmodelled> {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    UNMODELLED
        .iter()
        .find(|u| u.group == group && u.kind == kind)
}

/// Whether a modelled dialect has a kind of this name, in whatever group.
pub fn is_modelled_kind(kind: &str) -> bool {
    DIALECTS.iter().any(|d| d.kind == kind)
}

/// Whether a kind of this name is, in some group, a policy: for documents that cannot be read any
/// further.
pub fn may_be_policy_kind(kind: &str) -> bool {
    is_modelled_kind(kind) || UNMODELLED.iter().any(|u| u.kind == kind)
}
