//! Linkerd's objects as they are written: the typed form of their fields, and nothing that they
//! mean.

use crate::source::DocumentId;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use serde::Deserialize;
use serde_json::Value as Json;

/// An object of Linkerd that was read.
#[derive(Debug)]
pub struct LinkerdObject {
    /// Its name.
    pub name: Box<str>,
    /// Its namespace.
    pub namespace: Box<str>,
    /// Its document.
    pub document: DocumentId,
    /// Its labels, by which a `ServerAuthorization` finds a Server.
    pub labels: crate::model::Labels,
    /// When it was made, as the cluster prints it.
    pub created: Option<Box<str>>,
    /// What it says.
    pub content: LinkerdContent,
}

/// What an object says.
#[derive(Debug)]
pub enum LinkerdContent {
    /// A `Server`.
    Server(ServerForm),
    /// A `ServerAuthorization`.
    Legacy(LegacyForm),
    /// An `AuthorizationPolicy`.
    Authorization(GrantForm),
    /// A `MeshTLSAuthentication`.
    Identities(IdentitiesForm),
    /// A `NetworkAuthentication`.
    Networks(NetworksForm),
    /// A route, with what it is attached to.
    Route(RouteForm),
}

/// An object with its spec.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Object")]
#[allow(dead_code)] // every field is known, not every one matters
pub(super) struct LinkerdForm<T> {
    pub api_version: String,
    pub kind: String,
    pub metadata: ObjectMeta,
    pub spec: T,
}

/// The fields of a `Server` (LD20).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Server")]
#[allow(missing_docs)] // the fields of the API
pub struct ServerForm {
    pub pod_selector: Option<LabelSelector>,
    pub external_workload_selector: Option<LabelSelector>,
    pub port: Option<Json>,
    pub proxy_protocol: Option<String>,
    pub access_policy: Option<String>,
}

/// The fields of a `ServerAuthorization` (LD37).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "ServerAuthorization")]
#[allow(missing_docs)] // the fields of the API
pub struct LegacyForm {
    pub server: LegacyServerForm,
    pub client: LegacyClientForm,
}

/// Which Servers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "Server")]
#[allow(missing_docs)] // the fields of the API
pub struct LegacyServerForm {
    pub name: Option<String>,
    pub selector: Option<LabelSelector>,
}

/// Which clients.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "Client")]
#[allow(missing_docs)] // the fields of the API
pub struct LegacyClientForm {
    pub networks: Option<Vec<NetworkForm>>,
    pub unauthenticated: Option<bool>,
    #[serde(rename = "meshTLS")]
    pub mesh_tls: Option<MeshTlsForm>,
}

/// Which identities.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "MeshTLS")]
#[allow(missing_docs)] // the fields of the API
pub struct MeshTlsForm {
    #[serde(rename = "unauthenticatedTLS")]
    pub unauthenticated_tls: Option<bool>,
    pub identities: Option<Vec<String>>,
    pub service_accounts: Option<Vec<AccountForm>>,
}

/// A service account.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "ServiceAccount")]
#[allow(missing_docs)] // the fields of the API
pub struct AccountForm {
    pub name: String,
    pub namespace: Option<String>,
}

/// A network, without some.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "Network")]
#[allow(missing_docs)] // the fields of the API
pub struct NetworkForm {
    pub cidr: String,
    pub except: Option<Vec<String>>,
}

/// The fields of an `AuthorizationPolicy` (LD31, LD33).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "AuthorizationPolicy")]
#[allow(missing_docs)] // the fields of the API
pub struct GrantForm {
    pub target_ref: RefForm,
    pub required_authentication_refs: Option<Vec<RefForm>>,
}

/// Another object.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Reference")]
#[allow(missing_docs)] // the fields of the API
pub struct RefForm {
    pub group: Option<String>,
    pub kind: String,
    pub name: String,
    pub namespace: Option<String>,
}

/// The group of Linkerd's policies.
pub const GROUP: &str = "policy.linkerd.io";

impl RefForm {
    /// Which of some kinds, each with its group, is meant; none where it is no one of them. The
    /// group that is left out is the core.
    pub fn is_of(&self, kinds: &[(&str, &'static str)]) -> Option<&'static str> {
        let group = match self.group.as_deref() {
            None | Some("core") => "",
            Some(group) => group,
        };
        let mut kinds = kinds.iter();
        let found = kinds.find(|(of, kind)| {
            of.eq_ignore_ascii_case(group) && kind.eq_ignore_ascii_case(&self.kind)
        });
        found.map(|(_, kind)| *kind)
    }
}

/// The kinds that an `AuthorizationPolicy` may be for, each with its group (LD31, LD32).
pub const TARGETS: [(&str, &str); 5] = [
    (GROUP, "Server"),
    ("", "Namespace"),
    (GROUP, "HTTPRoute"),
    ("gateway.networking.k8s.io", "HTTPRoute"),
    ("gateway.networking.k8s.io", "GRPCRoute"),
];

/// The fields of a `MeshTLSAuthentication` (LD41).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "MeshTLSAuthentication")]
#[allow(missing_docs)] // the fields of the API
pub struct IdentitiesForm {
    pub identities: Option<Vec<String>>,
    pub identity_refs: Option<Vec<RefForm>>,
}

/// The fields of a `NetworkAuthentication` (LD42).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(rename = "NetworkAuthentication")]
#[allow(missing_docs)] // the fields of the API
pub struct NetworksForm {
    pub networks: Option<Vec<NetworkForm>>,
}

/// What a route is attached to.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Route")]
#[allow(missing_docs)] // the fields of the API
pub struct RouteForm {
    pub parent_refs: Option<Vec<RefForm>>,
}
