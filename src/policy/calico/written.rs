//! Objects of Calico as they are written: the forms of their fields for strict decoding, and
//! nothing that they mean.
//!
//! Protocols and ports may be numbers or texts, so they are JSON here; [`super::check`] makes
//! [`super::policy`] of a form.

use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// The spec of a policy of any kind (CA3, CA4, CA11).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Spec")]
pub struct PolicyForm {
    pub tier: Option<String>,
    pub order: Option<f64>,
    pub selector: Option<String>,
    pub service_account_selector: Option<String>,
    pub namespace_selector: Option<String>,
    pub types: Option<Vec<String>>,
    pub ingress: Option<Vec<CalicoRuleForm>>,
    pub egress: Option<Vec<CalicoRuleForm>>,
    pub performance_hints: Option<Vec<String>>,
    pub do_not_track: Option<bool>,
    #[serde(rename = "preDNAT")]
    pub pre_dnat: Option<bool>,
    pub apply_on_forward: Option<bool>,
    pub staged_action: Option<String>,
}

/// A rule (CA5).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Rule")]
pub struct CalicoRuleForm {
    pub action: Option<String>,
    pub ip_version: Option<i64>,
    pub protocol: Option<Json>,
    pub not_protocol: Option<Json>,
    pub icmp: Option<CalicoIcmpForm>,
    #[serde(rename = "notICMP")]
    pub not_icmp: Option<CalicoIcmpForm>,
    pub source: Option<EntityForm>,
    pub destination: Option<EntityForm>,
    pub http: Option<CalicoHttpForm>,
    #[allow(dead_code)] // without effect on verdicts (CA93)
    pub metadata: Option<RuleMetadataForm>,
}

/// Notes on a rule.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "RuleMetadata")]
pub struct RuleMetadataForm {
    #[allow(dead_code)] // without effect on verdicts (CA93)
    pub annotations: Option<BTreeMap<String, String>>,
}

/// Messages of ICMP (CA74).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[serde(rename = "ICMPFields")]
pub struct CalicoIcmpForm {
    #[serde(rename = "type")]
    pub kind: Option<i64>,
    pub code: Option<i64>,
}

/// One side of a rule (CA6).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "EntityRule")]
pub struct EntityForm {
    pub nets: Option<Vec<String>>,
    pub not_nets: Option<Vec<String>>,
    pub selector: Option<String>,
    pub not_selector: Option<String>,
    pub namespace_selector: Option<String>,
    pub service_accounts: Option<AccountsForm>,
    pub services: Option<ServicesForm>,
    pub ports: Option<Vec<Json>>,
    pub not_ports: Option<Vec<Json>>,
}

/// Service accounts of one side.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "ServiceAccountMatch")]
pub struct AccountsForm {
    pub names: Option<Vec<String>>,
    pub selector: Option<String>,
}

/// A Service of one side.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "ServiceMatch")]
pub struct ServicesForm {
    pub name: Option<String>,
    pub namespace: Option<String>,
}

/// Requests of HTTP (CA91).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "HTTPMatch")]
pub struct CalicoHttpForm {
    pub methods: Option<Vec<String>>,
    pub paths: Option<Vec<HttpPathForm>>,
}

impl CalicoHttpForm {
    /// The requests in words.
    pub fn words(&self) -> String {
        let methods: Vec<&str> = self.methods.iter().flatten().map(String::as_str).collect();
        let path = |p: &HttpPathForm| match (&p.exact, &p.prefix) {
            (Some(exact), _) => exact.clone(),
            (None, Some(prefix)) => format!("{prefix}*"),
            (None, None) => "*".to_owned(),
        };
        let paths: Vec<String> = self.paths.iter().flatten().map(path).collect();
        let methods = if methods.is_empty() {
            "request".to_owned()
        } else {
            methods.join(" or ")
        };
        format!("HTTP {methods} {}", paths.join(" or "))
            .trim_end()
            .to_owned()
    }
}

/// A path, or the start of one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "HTTPPath")]
pub struct HttpPathForm {
    pub exact: Option<String>,
    pub prefix: Option<String>,
}

/// The spec of a tier (CA7).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Spec")]
pub struct TierForm {
    pub order: Option<f64>,
    pub default_action: Option<String>,
}

/// The spec of a network set of either kind (CA8).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "Spec")]
pub struct NetworkSetForm {
    pub nets: Option<Vec<String>>,
}

/// The spec of a host endpoint (CA9).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Spec")]
pub struct HostEndpointForm {
    pub node: Option<String>,
    pub interface_name: Option<String>,
    #[serde(rename = "expectedIPs")]
    pub expected_ips: Option<Vec<String>>,
    pub profiles: Option<Vec<String>>,
    pub ports: Option<Vec<EndpointPortForm>>,
}

/// A named port of a host endpoint.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "EndpointPort")]
pub struct EndpointPortForm {
    pub name: Option<String>,
    pub protocol: Option<Json>,
    pub port: Option<i64>,
}

/// The spec of a profile (CA10).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Spec")]
pub struct ProfileForm {
    pub ingress: Option<Vec<CalicoRuleForm>>,
    pub egress: Option<Vec<CalicoRuleForm>>,
    pub labels_to_apply: Option<BTreeMap<String, String>>,
}
