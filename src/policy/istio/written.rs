//! Istio's objects as they are written: the typed form of their fields, and nothing that they mean.

use crate::source::DocumentId;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// An object of Istio that was read.
#[derive(Debug)]
pub struct IstioObject {
    /// Its name.
    pub name: Box<str>,
    /// Its namespace.
    pub namespace: Box<str>,
    /// Its document.
    pub document: DocumentId,
    /// What it says.
    pub spec: IstioContent,
}

/// What an object says.
#[derive(Debug)]
pub enum IstioContent {
    /// An `AuthorizationPolicy`.
    Authorization(Authorization),
    /// A `PeerAuthentication`.
    Peer(PeerAuthentication),
}

/// What an `AuthorizationPolicy` does with what its rules match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorizationAction {
    /// Lets it through, and nothing else that no other policy lets through (IS21, IS22).
    Allow,
    /// Stops it (IS20).
    Deny,
    /// Writes it down (IS13).
    Audit,
    /// Asks someone else (IS14).
    Custom,
}

/// An `AuthorizationPolicy`.
#[derive(Debug)]
pub struct Authorization {
    /// What it does.
    pub action: AuthorizationAction,
    /// The labels of the workloads it is for.
    pub selector: BTreeMap<String, String>,
    /// Whether it is for waypoints or gateways (IS12).
    pub targeted: bool,
    /// The gateways among these, by their names.
    pub gateways: Vec<Box<str>>,
    /// Whether it is only tried (IS15).
    pub dry_run: bool,
    /// Whom a policy of action CUSTOM asks.
    pub provider: Option<Box<str>>,
    /// Its rules.
    pub rules: Vec<RuleOfIstio>,
}

/// A `PeerAuthentication`.
#[derive(Debug)]
pub struct PeerAuthentication {
    /// The labels of the workloads it is for; none for one of a namespace or of the mesh.
    pub selector: BTreeMap<String, String>,
    /// The mode; none where it inherits (IS40).
    pub mode: Option<MtlsMode>,
    /// The modes of single ports of the workload.
    pub ports: BTreeMap<u16, Option<MtlsMode>>,
    /// When it was made, as the cluster prints it (IS43).
    pub created: Option<Box<str>>,
}

/// What a workload takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MtlsMode {
    /// Plain text, without identities where a sidecar is asked.
    Disable,
    /// Both.
    Permissive,
    /// Nothing without an identity (IS45).
    Strict,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Object")]
#[allow(dead_code)] // every field is known, not every one matters
pub(super) struct AuthorizationObject {
    pub api_version: String,
    pub kind: String,
    pub metadata: ObjectMeta,
    pub spec: AuthorizationForm,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Spec")]
pub(super) struct AuthorizationForm {
    pub selector: Option<WorkloadForm>,
    pub target_ref: Option<TargetForm>,
    pub target_refs: Option<Vec<TargetForm>>,
    pub rules: Option<Vec<Option<RuleOfIstio>>>,
    pub action: Option<String>,
    pub provider: Option<ProviderForm>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Selector")]
pub(super) struct WorkloadForm {
    pub match_labels: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "TargetRef")]
#[allow(dead_code)] // whom it names is the waypoint's matter
pub(super) struct TargetForm {
    pub group: Option<String>,
    pub kind: Option<String>,
    pub name: Option<String>,
    pub namespace: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "Provider")]
pub(super) struct ProviderForm {
    pub name: Option<String>,
}

/// A rule: whom, which operations, under which conditions (IS24).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "Rule")]
pub struct RuleOfIstio {
    /// From where.
    pub from: Option<Vec<FromForm>>,
    /// What.
    pub to: Option<Vec<ToForm>>,
    /// Under which conditions.
    pub when: Option<Vec<ConditionForm>>,
}

/// An entry of `from`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "From")]
pub struct FromForm {
    /// Its fields.
    pub source: Option<SourceForm>,
}

/// Who calls: fields are anded, values ored.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Source")]
#[allow(missing_docs)] // the fields of the API
pub struct SourceForm {
    pub principals: Option<Vec<String>>,
    pub not_principals: Option<Vec<String>>,
    pub request_principals: Option<Vec<String>>,
    pub not_request_principals: Option<Vec<String>>,
    pub namespaces: Option<Vec<String>>,
    pub not_namespaces: Option<Vec<String>>,
    pub service_accounts: Option<Vec<String>>,
    pub not_service_accounts: Option<Vec<String>>,
    pub ip_blocks: Option<Vec<String>>,
    pub not_ip_blocks: Option<Vec<String>>,
    pub remote_ip_blocks: Option<Vec<String>>,
    pub not_remote_ip_blocks: Option<Vec<String>>,
}

/// An entry of `to`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "To")]
pub struct ToForm {
    /// Its fields.
    pub operation: Option<OperationForm>,
}

/// What is asked for: fields are anded, values ored.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Operation")]
#[allow(missing_docs)] // the fields of the API
pub struct OperationForm {
    pub hosts: Option<Vec<String>>,
    pub not_hosts: Option<Vec<String>>,
    pub ports: Option<Vec<String>>,
    pub not_ports: Option<Vec<String>>,
    pub methods: Option<Vec<String>>,
    pub not_methods: Option<Vec<String>>,
    pub paths: Option<Vec<String>>,
    pub not_paths: Option<Vec<String>>,
}

/// A condition.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Condition")]
#[allow(missing_docs)] // the fields of the API
pub struct ConditionForm {
    pub key: String,
    pub values: Option<Vec<String>>,
    pub not_values: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Object")]
#[allow(dead_code)] // every field is known, not every one matters
pub(super) struct PeerObject {
    pub api_version: String,
    pub kind: String,
    pub metadata: ObjectMeta,
    pub spec: PeerForm,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Spec")]
pub(super) struct PeerForm {
    pub selector: Option<WorkloadForm>,
    pub mtls: Option<MtlsForm>,
    pub port_level_mtls: Option<BTreeMap<String, Option<MtlsForm>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "Mtls")]
pub(super) struct MtlsForm {
    pub mode: Option<Json>,
}
