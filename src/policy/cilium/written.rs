//! A Cilium policy as it is written: the typed form of its fields, and nothing that they mean.
//!
//! An absent list and a list of null are the same; an empty list is not (CI53), so that lists are
//! optional here. What is only kept to be recognized is JSON. The two directions have fields of
//! different names for the same parts, which [`CiliumEntry`] joins.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// An object of one of the two kinds (CI2).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Object")]
#[allow(dead_code)] // every field is known, not every one matters
pub struct CiliumObject {
    pub api_version: String,
    pub kind: String,
    pub metadata: ObjectMeta,
    pub spec: Option<RuleForm>,
    pub specs: Option<Vec<RuleForm>>,
}

/// The fields of a Rule (CI3).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Rule")]
pub struct RuleForm {
    pub endpoint_selector: Option<WrittenSelector>,
    pub node_selector: Option<WrittenSelector>,
    pub ingress: Option<Vec<Option<IngressForm>>>,
    pub ingress_deny: Option<Vec<Option<IngressForm>>>,
    pub egress: Option<Vec<Option<EgressForm>>>,
    pub egress_deny: Option<Vec<Option<EgressForm>>>,
    pub enable_default_deny: Option<DefaultDenyForm>,
    #[allow(dead_code)] // without effect on verdicts (CI3)
    pub labels: Option<Json>,
    #[allow(dead_code)] // without effect on verdicts (CI3)
    pub description: Option<String>,
    pub log: Option<LogForm>,
}

/// Whether a Rule closes what it does not mention, per direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct DefaultDenyForm {
    pub ingress: Option<bool>,
    pub egress: Option<bool>,
}

/// A word that log lines carry.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct LogForm {
    pub value: Option<String>,
}

/// An entry of `ingress` or `ingressDeny` (CI4).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "IngressRule")]
pub struct IngressForm {
    from_endpoints: Option<Vec<Option<WrittenSelector>>>,
    #[serde(rename = "fromCIDR")]
    from_cidr: Option<Vec<String>>,
    #[serde(rename = "fromCIDRSet")]
    from_cidr_set: Option<Vec<CidrForm>>,
    from_entities: Option<Vec<String>>,
    from_groups: Option<Vec<Json>>,
    from_nodes: Option<Vec<Option<WrittenSelector>>>,
    from_requires: Option<Vec<Json>>,
    to_ports: Option<Vec<PortsForm>>,
    icmps: Option<Vec<IcmpsForm>>,
    authentication: Option<AuthenticationForm>,
}

/// An entry of `egress` or `egressDeny` (CI5).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "EgressRule")]
pub struct EgressForm {
    to_endpoints: Option<Vec<Option<WrittenSelector>>>,
    #[serde(rename = "toCIDR")]
    to_cidr: Option<Vec<String>>,
    #[serde(rename = "toCIDRSet")]
    to_cidr_set: Option<Vec<CidrForm>>,
    to_entities: Option<Vec<String>>,
    to_services: Option<Vec<ServiceForm>>,
    to_groups: Option<Vec<Json>>,
    to_nodes: Option<Vec<Option<WrittenSelector>>>,
    #[serde(rename = "toFQDNs")]
    to_fqdns: Option<Vec<NameForm>>,
    to_requires: Option<Vec<Json>>,
    to_ports: Option<Vec<PortsForm>>,
    icmps: Option<Vec<IcmpsForm>>,
    authentication: Option<AuthenticationForm>,
}

/// A label selector; its keys may name a source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "LabelSelector")]
pub struct WrittenSelector {
    pub match_labels: Option<BTreeMap<String, String>>,
    pub match_expressions: Option<Vec<ExpressionForm>>,
}

/// A condition of a selector.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ExpressionForm {
    pub key: String,
    pub operator: String,
    pub values: Option<Vec<String>>,
}

/// A block of addresses, or groups of blocks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "CIDRRule")]
pub struct CidrForm {
    pub cidr: Option<String>,
    pub cidr_group_ref: Option<String>,
    pub cidr_group_selector: Option<WrittenSelector>,
    pub except: Option<Vec<String>>,
}

/// Services, by name or by label.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[serde(rename = "Service")]
pub struct ServiceForm {
    #[serde(rename = "k8sService")]
    pub by_name: Option<ServiceName>,
    #[serde(rename = "k8sServiceSelector")]
    pub by_label: Option<ServiceLabels>,
}

/// A Service by its name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "K8sService")]
pub struct ServiceName {
    pub service_name: Option<String>,
    pub namespace: Option<String>,
}

/// Services by their labels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[serde(rename = "K8sServiceSelector")]
pub struct ServiceLabels {
    pub selector: WrittenSelector,
    pub namespace: Option<String>,
}

/// A name of the DNS, or a pattern of names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "FQDNSelector")]
pub struct NameForm {
    pub match_name: Option<String>,
    pub match_pattern: Option<String>,
}

/// An entry of `toPorts` (CI6).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "PortRule")]
pub struct PortsForm {
    pub ports: Option<Vec<PortForm>>,
    pub rules: Option<RequestForms>,
    #[serde(rename = "terminatingTLS")]
    pub terminating_tls: Option<Json>,
    #[serde(rename = "originatingTLS")]
    pub originating_tls: Option<Json>,
    pub server_names: Option<Vec<String>>,
    pub listener: Option<Json>,
}

/// A port and its protocol.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "PortProtocol")]
pub struct PortForm {
    pub port: Option<String>,
    pub end_port: Option<i32>,
    pub protocol: Option<String>,
}

/// What requests of an application protocol must look like.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[serde(rename = "L7Rules")]
pub struct RequestForms {
    pub http: Option<Vec<HttpForm>>,
    pub dns: Option<Vec<NameForm>>,
    pub kafka: Option<Vec<Json>>,
    pub l7proto: Option<String>,
    pub l7: Option<Vec<Json>>,
}

/// A request of HTTP.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "PortRuleHTTP")]
pub struct HttpForm {
    pub path: Option<String>,
    pub method: Option<String>,
    pub host: Option<String>,
    pub headers: Option<Vec<String>>,
    pub header_matches: Option<Vec<Json>>,
}

/// An entry of `icmps`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[serde(rename = "ICMPRule")]
pub struct IcmpsForm {
    pub fields: Option<Vec<IcmpForm>>,
}

/// A type of ICMP messages: a number or a name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[serde(rename = "ICMPField")]
pub struct IcmpForm {
    pub family: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<Json>,
}

/// What is asked of the other side's identity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[serde(rename = "Authentication")]
pub struct AuthenticationForm {
    pub mode: Option<String>,
}

/// A Rule with all that it needs to be lowered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenRule {
    /// The namespace of its policy; none of a policy of the cluster.
    pub namespace: Option<Box<str>>,
    /// Whom it governs.
    pub subject: WrittenSubject,
    /// The entries that allow, per direction.
    pub allows: [Option<Vec<CiliumEntry>>; 2],
    /// The entries that deny, per direction.
    pub denies: [Option<Vec<CiliumEntry>>; 2],
    /// Whether it closes what it does not mention.
    pub default_deny: DefaultDenyForm,
}

/// Whom a Rule governs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WrittenSubject {
    /// Endpoints.
    Endpoints(WrittenSelector),
    /// Nodes.
    Nodes(WrittenSelector),
}

/// An entry of one of the four lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CiliumEntry {
    pub endpoints: Option<Vec<Option<WrittenSelector>>>,
    pub cidr: Option<Vec<String>>,
    pub cidr_set: Option<Vec<CidrForm>>,
    pub entities: Option<Vec<String>>,
    pub groups: Option<Vec<Json>>,
    pub nodes: Option<Vec<Option<WrittenSelector>>>,
    pub requires: Option<Vec<Json>>,
    pub services: Option<Vec<ServiceForm>>,
    pub names: Option<Vec<NameForm>>,
    pub to_ports: Option<Vec<PortsForm>>,
    pub icmps: Option<Vec<IcmpsForm>>,
    pub authentication: Option<AuthenticationForm>,
}

impl From<IngressForm> for CiliumEntry {
    fn from(form: IngressForm) -> Self {
        Self {
            endpoints: form.from_endpoints,
            cidr: form.from_cidr,
            cidr_set: form.from_cidr_set,
            entities: form.from_entities,
            groups: form.from_groups,
            nodes: form.from_nodes,
            requires: form.from_requires,
            services: None,
            names: None,
            to_ports: form.to_ports,
            icmps: form.icmps,
            authentication: form.authentication,
        }
    }
}

impl From<EgressForm> for CiliumEntry {
    fn from(form: EgressForm) -> Self {
        Self {
            endpoints: form.to_endpoints,
            cidr: form.to_cidr,
            cidr_set: form.to_cidr_set,
            entities: form.to_entities,
            groups: form.to_groups,
            nodes: form.to_nodes,
            requires: form.to_requires,
            services: form.to_services,
            names: form.to_fqdns,
            to_ports: form.to_ports,
            icmps: form.icmps,
            authentication: form.authentication,
        }
    }
}

/// The fields of an entry, per direction.
#[derive(Debug)]
pub struct EntryFields {
    pub endpoints: &'static str,
    pub cidr: &'static str,
    pub cidr_set: &'static str,
    pub entities: &'static str,
    pub groups: &'static str,
    pub nodes: &'static str,
    pub requires: &'static str,
}

impl EntryFields {
    /// Of `services` and `names` only one direction has any.
    pub const SERVICES: &'static str = "toServices";
    /// See [`Self::SERVICES`].
    pub const NAMES: &'static str = "toFQDNs";
    /// By the index of the direction.
    pub const OF: [Self; 2] = [
        Self {
            endpoints: "fromEndpoints",
            cidr: "fromCIDR",
            cidr_set: "fromCIDRSet",
            entities: "fromEntities",
            groups: "fromGroups",
            nodes: "fromNodes",
            requires: "fromRequires",
        },
        Self {
            endpoints: "toEndpoints",
            cidr: "toCIDR",
            cidr_set: "toCIDRSet",
            entities: "toEntities",
            groups: "toGroups",
            nodes: "toNodes",
            requires: "toRequires",
        },
    ];
}

/// The lists of a Rule, by the index of the direction: those that allow, and those that deny.
pub const LISTS: [[&str; 2]; 2] = [["ingress", "egress"], ["ingressDeny", "egressDeny"]];

impl WrittenRule {
    /// The entries of one list.
    pub fn entries(&self, direction: usize, deny: bool) -> &[CiliumEntry] {
        let lists = if deny { &self.denies } else { &self.allows };
        lists[direction].as_deref().unwrap_or_default()
    }
}
