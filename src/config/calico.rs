//! `cluster.calico`: settings of Calico that change what its policies mean.

use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of Calico; what is left out is as an object of the input says, or as the project's
/// manifests set it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct CalicoSpec {
    /// The version, in quotes: "3.32".
    pub version: Option<String>,
    /// How objects come into the cluster: through the API server or calicoctl (server), or into
    /// custom resources (native-crd).
    pub api: Option<CalicoApiSpec>,
    /// What becomes of traffic from a pod to its own node behind the pod's policies: Accept, Drop
    /// or Return.
    pub endpoint_to_host: Option<EndpointToHostSpec>,
}

/// How objects come into the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CalicoApiSpec {
    /// Through the API server, or calicoctl.
    Server,
    /// Into custom resources of projectcalico.org/v3.
    NativeCrd,
}

/// What becomes of traffic from a pod to its own node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum EndpointToHostSpec {
    /// It passes.
    Accept,
    /// It is dropped.
    Drop,
    /// The node's own firewall decides.
    Return,
}
