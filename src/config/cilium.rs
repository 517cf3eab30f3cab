//! `cluster.cilium`: options of Cilium's agent that change what its policies mean.

use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Options of Cilium's agent; what is left out is as an object of the input says, or as the agent
/// has it by default.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct CiliumSpec {
    /// The version, in quotes: "1.20".
    pub version: Option<String>,
    /// Whom policies are enforced on: default, always or never.
    pub enforcement_mode: Option<EnforcementSpec>,
    /// What address blocks match besides the outside: nodes, pods.
    pub cidr_match_mode: Option<Vec<MatchSpec>>,
    /// Whether policies with a nodeSelector are enforced.
    pub host_firewall: Option<bool>,
    /// Whether nodes can be selected by their labels (fromNodes, toNodes).
    pub node_selector_labels: Option<bool>,
    /// Whether selectors mean the local cluster unless they name another.
    pub policy_default_local_cluster: Option<bool>,
    /// The name of the cluster.
    pub cluster_name: Option<String>,
    /// Whether a pod's own node is always let in.
    pub allow_localhost: Option<LocalhostSpec>,
    /// Whether the cluster has both address families.
    pub dual_stack: Option<bool>,
    /// Whether `ClusterNetworkPolicies` are read.
    pub cluster_network_policy: Option<bool>,
    /// Addresses of Cilium's own endpoints, and what they are: health, init, ingress, unmanaged.
    pub reserved: BTreeMap<String, String>,
}

/// Whom policies are enforced on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EnforcementSpec {
    /// Endpoints that a policy selects.
    Default,
    /// Every endpoint.
    Always,
    /// None.
    Never,
}

/// What address blocks match besides the outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MatchSpec {
    /// Nodes.
    Nodes,
    /// Pods.
    Pods,
}

/// Whether a pod's own node is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LocalhostSpec {
    /// As the agent decides, which is always in Kubernetes.
    Auto,
    /// Always.
    Always,
    /// Where a policy says so.
    Policy,
}
