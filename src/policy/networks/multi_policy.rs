//! Reads a `MultiNetworkPolicy`: a `NetworkPolicy` in all its fields, for the networks that an
//! annotation lists (NW70-NW75).

use crate::policy::layer_object::LayerObject;
use crate::policy::lowered::{Checks, Header, Lowered};
use crate::policy::network_policy;
use crate::policy::networks::attached::{POLICY_FOR, names};
use crate::policy::networks::written::{NetworkContent, NetworkObject, WrittenMultiPolicy};
use crate::policy::object_meta::check_object_meta;
use crate::policy::rule::{PortMatch, Ports, Qualifier, Rule, Shape};
use crate::policy::unmodelled;
use crate::policy::validate::{check_metadata, decoded};
use crate::tree::SyntaxNode;
use k8s_openapi::api::networking::v1::NetworkPolicySpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

/// How the parts are called.
pub static SHAPE: Shape = Shape {
    kind: "MultiNetworkPolicy",
    api_version: "k8s.cni.cncf.io/v1beta1",
    ..network_policy::SHAPE
};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Object")]
#[allow(dead_code)] // every field is known, not every one matters
struct MultiPolicyObject {
    api_version: String,
    kind: String,
    metadata: ObjectMeta,
    spec: NetworkPolicySpec,
}

/// Reads a `MultiNetworkPolicy`.
pub fn read(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    let (object, problems) = decoded::<MultiPolicyObject>(node);
    let mut checks = Checks::default();
    check_metadata(&header, true, &mut checks);
    check_object_meta(node, &mut checks);
    let spec = object.unwrap_or_default().spec;
    let mut policy = network_policy::lower(&spec, &header, &mut checks);
    policy.shape = &SHAPE;
    policy.rules.iter_mut().flatten().for_each(doubt_names);
    let annotations = node.get("metadata").and_then(|m| m.get("annotations"));
    let listed = annotations.and_then(|a| a.get(POLICY_FOR)?.as_str());
    let definitions = names(listed.unwrap_or_default(), header.namespace);
    let content = NetworkContent::Policy(Box::new(WrittenMultiPolicy {
        policy,
        definitions: definitions.map(|(ns, n)| (ns.into(), n.into())).collect(),
        untyped: spec.policy_types.is_none_or(|types| types.is_empty()),
    }));
    let object = LayerObject::Network(NetworkObject {
        name: header.name.into(),
        namespace: header.namespace.into(),
        document: header.document,
        content,
    });
    Lowered::of_layer(object, problems, checks, || {
        unmodelled::reach_of(SHAPE.kind, node)
    })
}

/// Not everything that enforces these policies knows ports by their names (NW75).
fn doubt_names(rule: &mut Rule) {
    let Ports::Of(list) = &rule.ports else {
        return;
    };
    if list.iter().any(|p| matches!(p, PortMatch::Named(..))) {
        let what = "port names in policies of secondary networks";
        rule.qualifiers.push(Qualifier::Undocumented(what.into()));
    }
}
