//! Whether an object's `apiVersion` and `kind` are exactly those of a kind that the API serves.
//!
//! A policy under a group or version that is not exactly right is refused by the API server, and
//! its author believes that it holds: it is an error, and the verdicts it could touch are unknown.
//! The same holds for the objects of the cluster: a Deployment without `apiVersion` makes no pods.
//! A kind that another group has as well (Knative's Service, Calico's `NetworkPolicy`) is decided
//! by group and kind together.

use crate::model::WorkloadKind;
use crate::policy::dialects;
use crate::policy::lowered::Invalid;
use crate::policy::unmodelled;
use crate::source::Path;
use crate::tree::SyntaxNode;

/// An object whose `apiVersion` or `kind` is not right.
#[derive(Debug)]
pub struct Misidentified {
    /// What is wrong, and what to write.
    pub invalid: Invalid,
    /// The kind that is meant, if it is a policy.
    pub policy: Option<&'static str>,
}

/// The kinds of the cluster that are no workloads.
const OTHER_KINDS: [&str; 3] = ["Namespace", "Node", "Service"];

/// Policy kinds of other groups whose names have no other meaning.
const DISTINCTIVE: [&str; 18] = [
    "CiliumNetworkPolicy",
    "CiliumClusterwideNetworkPolicy",
    "GlobalNetworkPolicy",
    "ApplicationNetworkPolicy",
    "FQDNNetworkPolicy",
    "SecurityGroupPolicy",
    "EgressFirewall",
    "EgressNetworkPolicy",
    "UserDefinedNetwork",
    "ClusterUserDefinedNetwork",
    "AuthorizationPolicy",
    "PeerAuthentication",
    "ServerAuthorization",
    "ServiceIntentions",
    "MeshTrafficPermission",
    "TrafficTarget",
    "NvSecurityRule",
    "NvClusterSecurityRule",
];

/// The groups all of whose policies are modelled, with the other kinds that they have.
const MODELLED_GROUPS: [(&str, &[&str]); 2] = [
    (
        "networking.k8s.io",
        &[
            "Ingress",
            "IngressClass",
            "IPAddress",
            "ServiceCIDR",
            "ClusterCIDR",
        ],
    ),
    ("policy.networking.k8s.io", &[]),
];

/// Checks an object's group, version and kind; `None` if they are right, or if the object is of no
/// kind that netpal reads.
pub fn check(node: &SyntaxNode, api_version: &str, kind: &str) -> Option<Misidentified> {
    if cluster_versions(kind).contains(&api_version) {
        return None; // most objects
    }
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    if dialects::find(api_version, kind).is_some() || unmodelled::find(group, kind).is_some() {
        return None;
    }
    if let Some(meant) = policy_kind(group, kind) {
        return Some(policy(node, api_version, kind, meant));
    }
    if let Some(found) = in_modelled_group(group, api_version, kind) {
        return Some(found);
    }
    let meant = cluster_kind(kind)?;
    if !is_builtin(group) {
        return None; // another group's kind of that name
    }
    let right = cluster_versions(meant).first().copied().unwrap_or("v1");
    if meant != kind {
        let message = format!("`{kind}` is not a kind; the API has `{meant}`");
        return Some(other("kind", message, &format!("write kind: {meant}")));
    }
    Some(wrong_version(node, api_version, kind, right))
}

fn wrong_version(node: &SyntaxNode, api_version: &str, kind: &str, right: &str) -> Misidentified {
    let message = match (node.get("apiVersion"), api_version) {
        (None, _) => format!("{kind} without an apiVersion: the API server refuses it"),
        (Some(n), "") => format!("apiVersion is {}, not a string", n.kind_name()),
        (_, other) => format!("the API has no {kind} in `{other}`"),
    };
    let key = if node.get("apiVersion").is_some() {
        "apiVersion"
    } else {
        "kind"
    };
    other(key, message, &format!("write apiVersion: {right}"))
}

fn other(key: &str, message: String, help: &str) -> Misidentified {
    Misidentified {
        invalid: Invalid {
            path: Path::root().key(key),
            message,
            help: Some(help.to_owned()),
            doubt: true,
            unknown_field: false,
            in_force: false,
        },
        policy: None,
    }
}

/// A policy kind under a wrong group or version, or written wrongly.
fn policy(node: &SyntaxNode, api_version: &str, kind: &str, meant: &'static str) -> Misidentified {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    let right = dialects::DIALECTS
        .iter()
        .find(|d| d.kind == meant)
        .map(|d| d.api_version.to_owned())
        .or_else(|| {
            let row = unmodelled::KINDS.iter().find(|k| k.kind == meant)?;
            Some(format!("{}/{}", row.group, current_version(row.group)))
        })
        .unwrap_or_default();
    let in_group = right.split_once('/').is_some_and(|(g, _)| g == group)
        || unmodelled::find(group, meant).is_some();
    let mut found = if kind != meant && in_group {
        let message = format!("`{kind}` is not a kind; the API has `{meant}`");
        other("kind", message, &format!("write kind: {meant}"))
    } else {
        wrong_version(node, api_version, meant, &right)
    };
    found.policy = Some(meant);
    found
}

/// The version of a group that is written today.
fn current_version(group: &str) -> &'static str {
    match group {
        "cilium.io" => "v2",
        "projectcalico.org" => "v3",
        "policy.linkerd.io" => "v1beta3",
        "crd.antrea.io" => "v1beta1",
        "networking.k8s.aws" | "networking.gke.io" | "kuma.io" => "v1alpha1",
        "consul.hashicorp.com" => "v1alpha1",
        "vpcresources.k8s.aws" => "v1beta1",
        "access.smi-spec.io" => "v1alpha3",
        _ => "v1",
    }
}

/// A kind that a group does not have although netpal knows all of its kinds.
fn in_modelled_group(group: &str, api_version: &str, kind: &str) -> Option<Misidentified> {
    let (_, others) = MODELLED_GROUPS
        .iter()
        .find(|(g, _)| g.eq_ignore_ascii_case(group))?;
    if others.contains(&kind) || kind.ends_with("List") {
        return None;
    }
    let kinds: Vec<&str> = dialects::DIALECTS
        .iter()
        .filter(|d| d.api_version.starts_with(group))
        .map(|d| d.kind)
        .collect();
    let meant = crate::tree::decode::nearest(kind, &kinds);
    let message = format!("the API has no kind `{kind}` in `{api_version}`");
    let help = format!("write kind: {}", meant.unwrap_or("NetworkPolicy"));
    let mut found = other("kind", message, &help);
    found.policy = Some("NetworkPolicy");
    Some(found)
}

/// How the kinds end whose names say that they are policies, whatever their group.
const SPEAKING: [&str; 6] = [
    "Policy",
    "Firewall",
    "Authentication",
    "Authorization",
    "UserDefinedNetwork",
    "NetworkConnect",
];

/// The policy kind that is meant: the same word, whatever its case, in the singular or plural. A
/// kind whose name says nothing of policies (a `Server`, an `HTTPRoute`) is one in its own group.
fn policy_kind(group: &str, kind: &str) -> Option<&'static str> {
    let speaks = |kind: &str| SPEAKING.iter().any(|end| kind.ends_with(end));
    let is_of_group = |version: &str| version.split_once('/').is_some_and(|(g, _)| g == group);
    let modelled = dialects::DIALECTS.iter();
    let modelled = modelled.filter(|d| speaks(d.kind) || is_of_group(d.api_version));
    let mut known = modelled.map(|d| d.kind).chain(DISTINCTIVE);
    known.find(|k| is_form_of(kind, k))
}

fn is_form_of(word: &str, kind: &str) -> bool {
    let word = word.trim();
    let same = |text: &str| text.eq_ignore_ascii_case(kind);
    same(word)
        || word.strip_suffix(['s', 'S']).is_some_and(same)
        || kind.strip_suffix('y').is_some_and(|stem| {
            let split = word.len().checked_sub("ies".len());
            split
                .and_then(|at| word.split_at_checked(at))
                .is_some_and(|(head, tail)| {
                    head.eq_ignore_ascii_case(stem) && tail.eq_ignore_ascii_case("ies")
                })
        })
}

/// The kind of the cluster that is meant.
fn cluster_kind(kind: &str) -> Option<&'static str> {
    let workloads = WorkloadKind::TABLE.iter().map(|row| row.1);
    let mut known = workloads.chain(OTHER_KINDS);
    known.find(|k| is_form_of(kind, k))
}

/// Whether a kind is one of the cluster's, in any spelling.
pub fn is_cluster_kind(kind: &str) -> bool {
    cluster_kind(kind).is_some()
}

/// Whether a group is one of Kubernetes' own, so that no other API adds kinds to it.
fn is_builtin(group: &str) -> bool {
    matches!(
        group,
        "" | "apps" | "batch" | "extensions" | "apps.openshift.io"
    )
}

/// The versions of a kind of the cluster, the one to write first.
fn cluster_versions(kind: &str) -> &'static [&'static str] {
    match kind {
        "Deployment" => &[
            "apps/v1",
            "apps/v1beta2",
            "apps/v1beta1",
            "extensions/v1beta1",
        ],
        "ReplicaSet" | "DaemonSet" => &["apps/v1", "apps/v1beta2", "extensions/v1beta1"],
        "StatefulSet" => &["apps/v1", "apps/v1beta2", "apps/v1beta1"],
        "Job" => &["batch/v1"],
        "CronJob" => &["batch/v1", "batch/v1beta1", "batch/v2alpha1"],
        "DeploymentConfig" => &["apps.openshift.io/v1", "v1"],
        "Pod" | "Namespace" | "Node" | "Service" | "ReplicationController" => &["v1"],
        _ => &[],
    }
}
