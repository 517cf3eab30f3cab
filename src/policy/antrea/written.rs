//! Objects of Antrea as they are written: the forms of their fields for strict decoding, and
//! nothing that they mean; [`super::check`] makes [`super::policy`] of a form.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde::Deserialize;

/// The spec of a policy of either scope.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Spec")]
pub struct AntreaPolicyForm {
    pub tier: Option<String>,
    pub priority: Option<f64>,
    pub applied_to: Option<Vec<AppliedToForm>>,
    pub ingress: Option<Vec<AntreaRuleForm>>,
    pub egress: Option<Vec<AntreaRuleForm>>,
}

/// Whom a policy or a rule is for.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "AppliedTo")]
pub struct AppliedToForm {
    pub pod_selector: Option<LabelSelector>,
    pub namespace_selector: Option<LabelSelector>,
    pub external_entity_selector: Option<LabelSelector>,
    pub group: Option<String>,
    pub service_account: Option<NamedForm>,
    pub service: Option<NamedForm>,
    pub node_selector: Option<LabelSelector>,
}

/// An object by its namespace and name.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "NamespacedName")]
pub struct NamedForm {
    pub namespace: Option<String>,
    pub name: Option<String>,
}

/// A rule.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Rule")]
pub struct AntreaRuleForm {
    pub action: Option<String>,
    pub ports: Option<Vec<AntreaPortForm>>,
    pub protocols: Option<Vec<AntreaProtocolForm>>,
    pub from: Option<Vec<AntreaPeerForm>>,
    pub to: Option<Vec<AntreaPeerForm>>,
    pub to_services: Option<Vec<ServicePeerForm>>,
    pub l7_protocols: Option<Vec<L7Form>>,
    pub name: Option<String>,
    #[allow(dead_code)] // without effect on verdicts (AN71)
    pub enable_logging: Option<bool>,
    #[allow(dead_code)] // without effect on verdicts (AN71)
    pub log_label: Option<String>,
    pub applied_to: Option<Vec<AppliedToForm>>,
}

/// A port, or a range of them.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Port")]
pub struct AntreaPortForm {
    pub protocol: Option<String>,
    pub port: Option<IntOrString>,
    pub end_port: Option<i64>,
    pub source_port: Option<i64>,
    pub source_end_port: Option<i64>,
}

/// A protocol without ports.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "Protocol")]
pub struct AntreaProtocolForm {
    pub icmp: Option<AntreaIcmpForm>,
    pub igmp: Option<IgmpForm>,
}

/// Messages of ICMP.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "ICMPProtocol")]
pub struct AntreaIcmpForm {
    pub icmp_type: Option<i64>,
    pub icmp_code: Option<i64>,
}

/// Messages of IGMP.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "IGMPProtocol")]
#[allow(dead_code)] // no traffic that is asked about is IGMP (AN52)
pub struct IgmpForm {
    pub igmp_type: Option<i64>,
    pub group_address: Option<String>,
}

/// The other side of a rule.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Peer")]
pub struct AntreaPeerForm {
    pub ip_block: Option<IpBlockForm>,
    pub pod_selector: Option<LabelSelector>,
    pub namespace_selector: Option<LabelSelector>,
    pub namespaces: Option<PeerNamespacesForm>,
    pub external_entity_selector: Option<LabelSelector>,
    pub group: Option<String>,
    pub fqdn: Option<String>,
    pub service_account: Option<NamedForm>,
    pub node_selector: Option<LabelSelector>,
    pub scope: Option<String>,
}

/// Namespaces seen from the one of the governed pod.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "PeerNamespaces")]
pub struct PeerNamespacesForm {
    #[serde(rename = "match")]
    pub matching: Option<String>,
    pub same_labels: Option<Vec<String>>,
}

/// An address block.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "IPBlock")]
pub struct IpBlockForm {
    pub cidr: Option<String>,
    pub except: Option<Vec<String>>,
}

/// A Service that is called.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "PeerService")]
pub struct ServicePeerForm {
    pub namespace: Option<String>,
    pub name: Option<String>,
    pub scope: Option<String>,
}

/// Requests of a protocol above TCP.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "L7Protocol")]
pub struct L7Form {
    pub http: Option<AntreaHttpForm>,
    pub tls: Option<TlsForm>,
}

/// Requests of HTTP.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "HTTPProtocol")]
pub struct AntreaHttpForm {
    pub host: Option<String>,
    pub method: Option<String>,
    pub path: Option<String>,
}

/// Handshakes of TLS.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "TLSProtocol")]
pub struct TlsForm {
    pub sni: Option<String>,
}

impl L7Form {
    /// The request in words.
    pub fn words(&self) -> String {
        let mut words = Vec::new();
        if let Some(http) = &self.http {
            let method = http.method.as_deref().unwrap_or("request");
            let host = http.host.as_deref().unwrap_or_default();
            let path = http.path.as_deref().unwrap_or("*");
            words.push(format!("HTTP {method} {host}{path}"));
        }
        if let Some(tls) = &self.tls {
            let name = tls.sni.as_deref().unwrap_or("*");
            words.push(format!("TLS for {name}"));
        }
        words.join(" and ")
    }
}

/// The spec of a Tier.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "Spec")]
pub struct AntreaTierForm {
    pub priority: Option<i64>,
    #[allow(dead_code)] // without effect on verdicts (AN71)
    pub description: Option<String>,
}

/// The spec of a group of either scope.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Spec")]
pub struct GroupForm {
    pub pod_selector: Option<LabelSelector>,
    pub namespace_selector: Option<LabelSelector>,
    pub ip_block: Option<IpBlockForm>,
    pub ip_blocks: Option<Vec<IpBlockForm>>,
    pub service_reference: Option<NamedForm>,
    pub external_entity_selector: Option<LabelSelector>,
    pub node_selector: Option<LabelSelector>,
    pub child_groups: Option<Vec<String>>,
}
