//! Trees -> objects: what an object adds to the cluster or the policy set, reduced to what is
//! needed, so that its tree can go at once.
//!
//! Lists are opened; what is no plain object is recognized and explained. Everything here looks at
//! one object alone, so it runs on all cores, right behind the reader.

use crate::load::cluster_objects;
use crate::load::object::{Contribution, LoadedItem, LoadedObject, NO_DOCUMENT};
use crate::load::options::LoadOptions;
use crate::load::workloads;
use crate::load::workloads::WorkloadDraft;
use crate::model;
use crate::policy::dialects;
use crate::policy::lowered::Header;
use crate::source::Base;
use crate::tree::{Chunk, SyntaxNode};

/// An object from its tree.
pub fn item(node: &SyntaxNode, chunk: Chunk, base: Base, options: &LoadOptions) -> LoadedItem {
    let at = node
        .entries()
        .first()
        .map_or(node.span.at, |e| e.key_span.at);
    LoadedItem {
        chunk,
        base,
        at,
        object: object(node, options),
    }
}

/// Reads an object. `None` when it is none: no mapping, no kind.
fn object(node: &SyntaxNode, options: &LoadOptions) -> Option<LoadedObject> {
    let text = |key: &str| {
        node.get(key)
            .and_then(SyntaxNode::as_str)
            .unwrap_or_default()
            .into()
    };
    let metadata = node.get("metadata");
    let meta = |key: &str| {
        metadata
            .and_then(|m| m.get(key))
            .and_then(SyntaxNode::as_str)
            .filter(|s| !s.is_empty())
    };
    let name = meta("name")
        .or_else(|| meta("generateName"))
        .unwrap_or_default()
        .into();
    let mut object = LoadedObject {
        api_version: text("apiVersion"),
        kind: text("kind"),
        name,
        namespace: meta("namespace").map(Into::into),
        document: NO_DOCUMENT,
        contribution: Contribution::Nothing,
        refused: Box::default(),
        overlay: false,
    };
    if object.kind.is_empty() {
        return None;
    }
    object.contribution = contribution(&object, node, options);
    if object.is_cluster_object() {
        object.refused = workloads::refused_labels(
            &object.kind,
            &object.name,
            object.workload().map(|w| w.kind),
            node,
        );
    }
    Some(object)
}

fn contribution(object: &LoadedObject, node: &SyntaxNode, options: &LoadOptions) -> Contribution {
    if let Some(kind) = workloads::kind(object.group(), &object.kind) {
        return Contribution::Workload(Box::new(WorkloadDraft::new(kind, node)));
    }
    match (object.group(), &*object.kind) {
        ("", "Namespace") => return Contribution::Namespace(Box::new(workloads::labels(node))),
        ("", "Node") => {
            return Contribution::Node(Box::new(cluster_objects::node(&object.name, node)));
        }
        ("", "Service") => {
            return Contribution::Service(Box::new(cluster_objects::service(&object.name, node)));
        }
        _ => {}
    }
    if let Some(dialect) = dialects::find(&object.api_version, &object.kind) {
        let namespace = object.namespace.as_deref().unwrap_or(&options.namespace);
        let header = Header {
            name: &object.name,
            namespace,
            document: object.document,
        };
        return Contribution::Policy(Box::new((dialect.lower)(node, header)));
    }
    if let Some(row) = dialects::find_unmodelled(&object.api_version, &object.kind) {
        let labels = |field: &str| plain_labels(node.get("spec")?.get(field)?);
        return Contribution::Unmodelled(Box::new(
            row.selector.and_then(labels).unwrap_or_default(),
        ));
    }
    if is_mention(&object.api_version, &object.kind) {
        Contribution::Mention
    } else {
        Contribution::Nothing
    }
}

/// A selector of plain `matchLabels`, in the forms all dialects share; anything else may select
/// every pod.
fn plain_labels(node: &SyntaxNode) -> Option<model::Selector> {
    let plain = |key: &str| {
        !key.contains(':') && !key.starts_with("io.kubernetes.") && !key.starts_with("io.cilium.")
    };
    let only = node.entries().iter().all(|e| &*e.key == "matchLabels");
    let labels = node.get("matchLabels")?.entries();
    if !only
        || !labels
            .iter()
            .all(|e| plain(&e.key) && e.value.as_str().is_some())
    {
        return None;
    }
    let one = |e: &crate::tree::Entry| {
        model::Requirement::In(
            e.key.clone(),
            vec![e.value.as_str().unwrap_or_default().into()],
        )
    };
    Some(model::Selector::new(labels.iter().map(one)))
}

/// The kinds that shows which traffic is intended, by the group of their API.
const MENTIONS: [(&str, &[&str]); 6] = [
    ("networking.k8s.io", &["Ingress", "IngressClass"]),
    (
        "gateway.networking.k8s.io",
        &["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"],
    ),
    ("route.openshift.io", &["Route"]),
    ("monitoring.coreos.com", &["ServiceMonitor", "PodMonitor"]),
    (
        "admissionregistration.k8s.io",
        &[
            "ValidatingWebhookConfiguration",
            "MutatingWebhookConfiguration",
        ],
    ),
    (
        "rbac.authorization.k8s.io",
        &["RoleBinding", "ClusterRoleBinding"],
    ),
];

/// Whether an object of this kind shows which traffic is intended.
pub fn is_mention(api_version: &str, kind: &str) -> bool {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    MENTIONS
        .iter()
        .any(|(g, kinds)| *g == group && kinds.contains(&kind))
}
