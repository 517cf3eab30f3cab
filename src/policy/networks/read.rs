//! Reads objects of networks.

use crate::model::Labels;
use crate::policy::layer_object::LayerObject;
use crate::policy::lowered::{Checks, Header, Lowered};
use crate::policy::networks::written::{
    AttachmentConfig, NetworkConnection, NetworkContent, NetworkObject, Topology,
};
use crate::policy::unmodelled::{self, label_selector};
use crate::policy::validate::check_metadata;
use crate::source::Path;
use crate::tree::SyntaxNode;
use serde_json::Value as Json;

/// Reads a `UserDefinedNetwork` (NW11).
pub fn own(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    let mut checks = Checks::default();
    let spec = node.get("spec");
    let topology = topology(spec, &Path::root().key("spec"), &mut checks);
    let content = topology.map(NetworkContent::Own);
    object(node, header, "UserDefinedNetwork", content, checks)
}

/// Reads a `ClusterUserDefinedNetwork` (NW13).
pub fn shared(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    let mut checks = Checks::default();
    let spec = node.get("spec");
    let network = spec.and_then(|spec| spec.get("network"));
    let at = Path::root().key("spec").key("network");
    let content = topology(network, &at, &mut checks).map(|topology| NetworkContent::Shared {
        namespaces: label_selector(spec.and_then(|spec| spec.get("namespaceSelector"))),
        labels: labels(node),
        topology,
    });
    object(node, header, "ClusterUserDefinedNetwork", content, checks)
}

/// Reads a `NetworkAttachmentDefinition` (NW14, NW62, NW63).
pub fn attachment(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    let mut checks = Checks::default();
    let config = node
        .get("spec")
        .and_then(|spec| spec.get("config")?.as_str());
    let at = Path::root().key("spec").key("config");
    let content = match config.map(serde_json::from_str::<Json>) {
        None => Some(AttachmentConfig::default()),
        Some(Ok(json)) => Some(config_of(&json)),
        Some(Err(_)) => {
            checks.invalid(&at, "the configuration is not JSON");
            None
        }
    };
    let content = content.map(NetworkContent::Attachment);
    object(node, header, "NetworkAttachmentDefinition", content, checks)
}

/// Reads a `ClusterNetworkConnect` (NW50).
pub fn connect(node: &SyntaxNode, header: Header<'_>) -> Lowered {
    let checks = Checks::default();
    let spec = node.get("spec");
    let mut connection = NetworkConnection::default();
    let selectors = spec.and_then(|spec| spec.get("networkSelectors"));
    for item in selectors.map(SyntaxNode::items).unwrap_or_default() {
        let inner = |field: &str, selector: &str| item.get(field)?.get(selector);
        match item
            .get("networkSelectionType")
            .and_then(SyntaxNode::as_str)
        {
            Some("ClusterUserDefinedNetworks") => {
                let of = inner("clusterUserDefinedNetworkSelector", "networkSelector");
                connection.networks.push(label_selector(of));
            }
            Some("PrimaryUserDefinedNetworks") => {
                let of = inner("primaryUserDefinedNetworkSelector", "namespaceSelector");
                connection.namespaces.push(label_selector(of));
            }
            _ => connection.unread = true,
        }
    }
    let kinds = spec.and_then(|spec| spec.get("connectivity"));
    let kinds = kinds.map(SyntaxNode::items).unwrap_or_default();
    let has = |word| kinds.iter().any(|kind| kind.as_str() == Some(word));
    connection.pods = has("PodNetwork");
    connection.services = has("ServiceNetwork");
    let content = Some(NetworkContent::Connect(connection));
    object(node, header, "ClusterNetworkConnect", content, checks)
}

fn object(
    node: &SyntaxNode,
    header: Header<'_>,
    kind: &str,
    content: Option<NetworkContent>,
    mut checks: Checks,
) -> Lowered {
    let namespaced = !kind.starts_with("Cluster");
    check_metadata(&header, namespaced, &mut checks);
    let broken = content.is_none() || checks.0.iter().any(|i| i.doubt);
    let object = content.map(|content| {
        LayerObject::Network(NetworkObject {
            name: header.name.into(),
            namespace: if namespaced {
                header.namespace.into()
            } else {
                Box::default()
            },
            document: header.document,
            content,
        })
    });
    Lowered {
        layer: object.filter(|_| !broken).map(Box::new),
        reaches: broken.then(|| unmodelled::reach_of(kind, node)),
        invalid: checks.0,
        ..Lowered::default()
    }
}

fn labels(node: &SyntaxNode) -> Labels {
    let labels = node.get("metadata").and_then(|m| m.get("labels"));
    let entries = labels.map(SyntaxNode::entries).unwrap_or_default().iter();
    entries
        .filter_map(|e| Some((&*e.key, e.value.as_str()?)))
        .collect()
}

/// NW13, NW16.
fn topology(node: Option<&SyntaxNode>, at: &Path, checks: &mut Checks) -> Option<Topology> {
    let layers = ["layer2", "layer3", "localnet"];
    let found = layers
        .iter()
        .find_map(|layer| Some((*layer, node?.get(layer)?)));
    let role = found.and_then(|(_, fields)| fields.get("role")?.as_str());
    let primary = match role {
        Some("Primary") => true,
        Some("Secondary") => false,
        _ => {
            let help = "a network has a role in `layer2`, `layer3` or `localnet`";
            checks.invalid_help(at, "neither Primary nor Secondary", help);
            return None;
        }
    };
    let subnets = found.and_then(|(_, fields)| fields.get("subnets"));
    Some(Topology {
        primary,
        localnet: found.is_some_and(|(layer, _)| layer == "localnet"),
        subnets: subnets.is_some_and(|list| !list.items().is_empty()),
    })
}

/// The configuration of one plugin, or that of the first one of a list.
fn config_of(json: &Json) -> AttachmentConfig {
    let first = json["plugins"].as_array().and_then(|list| list.first());
    let own = first.unwrap_or(json);
    let text = |of: &Json, key: &str| -> Box<str> { of[key].as_str().unwrap_or_default().into() };
    let plugin = text(own, "type");
    AttachmentConfig {
        ovn: *plugin == *"ovn-k8s-cni-overlay",
        plugin,
        name: text(json, "name"),
        topology: Topology {
            primary: *text(own, "role") == *"primary",
            localnet: *text(own, "topology") == *"localnet",
            subnets: !text(own, "subnets").is_empty(),
        },
    }
}
