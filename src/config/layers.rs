//! Settings of layers besides the network plugin's policies: egress firewalls, service meshes,
//! networks.

use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of `OpenShift`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct OpenshiftSpec {
    /// The namespaces that `EgressNetworkPolicies` leave alone, besides default.
    pub global_namespaces: Vec<String>,
}
