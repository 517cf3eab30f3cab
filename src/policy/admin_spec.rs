//! The fields that the administrators' dialects share, as they are decoded.

use crate::policy::rule::PortMatch;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde::Deserialize;

/// Selects pods by namespace and labels.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodsPeer {
    pub(super) namespace_selector: Option<LabelSelector>,
    pub(super) pod_selector: Option<LabelSelector>,
    // the shape of 2023 (S91)
    pub(super) namespaces: Option<LegacyNamespaces>,
}

/// The namespaces of the legacy shape (S91, S92).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LegacyNamespaces {
    pub(super) namespace_selector: Option<LabelSelector>,
    pub(super) same_labels: Option<Vec<String>>,
    pub(super) not_same_labels: Option<Vec<String>>,
}

/// A namespaces peer: a selector, or the legacy shape; read from the tree because the two overlap.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NamespacesPeer {
    pub(super) match_labels: Option<std::collections::BTreeMap<String, String>>,
    pub(super) match_expressions:
        Option<Vec<k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelectorRequirement>>,
    pub(super) namespace_selector: Option<LabelSelector>,
    pub(super) same_labels: Option<Vec<String>>,
    pub(super) not_same_labels: Option<Vec<String>>,
}

/// The subject of a policy.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct SubjectSpec {
    pub(super) namespaces: Option<LabelSelector>,
    pub(super) pods: Option<PodsPeer>,
}

/// A peer of either direction.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PeerSpec {
    pub(super) namespaces: Option<NamespacesPeer>,
    pub(super) pods: Option<PodsPeer>,
    pub(super) networks: Option<Vec<String>>,
    pub(super) nodes: Option<LabelSelector>,
    pub(super) domain_names: Option<Vec<String>>,
}

/// A rule of either direction; each dialect converts its ports before.
#[derive(Debug, Clone, Default)]
pub struct RuleSpec {
    /// The rule's name.
    pub name: Option<String>,
    /// The action's word.
    pub action: Option<String>,
    /// The peers of its direction.
    pub peers: Option<Vec<PeerSpec>>,
    /// The port entries, lowered.
    pub ports: LoweredPorts,
}

/// Port entries as a dialect lowered them.
pub type LoweredPorts = Option<Vec<PortMatch>>;
