//! Where the API server listens: the addresses and ports of the endpoints of `default/kubernetes`,
//! which every cluster keeps (API `EndpointSlice`, `Endpoints`).

use crate::tree::SyntaxNode;
use std::net::{IpAddr, SocketAddr};

/// The Service of the API server, in namespace `default`.
const SERVICE: &str = "kubernetes";

/// The label that names the Service of an `EndpointSlice`.
const SERVICE_LABEL: &str = "kubernetes.io/service-name";

/// Where the API server listens, if an object tells.
pub fn addresses(
    kind: &str,
    name: &str,
    namespace: Option<&str>,
    node: &SyntaxNode,
) -> Option<Vec<SocketAddr>> {
    let label = node
        .get("metadata")
        .and_then(|m| m.get("labels")?.get(SERVICE_LABEL));
    let service = label.and_then(SyntaxNode::as_str).unwrap_or(name);
    if namespace != Some("default") || service != SERVICE {
        return None;
    }
    match kind {
        "EndpointSlice" => Some(of_slice(node)),
        "Endpoints" => Some(items(node, "subsets").iter().flat_map(of_subset).collect()),
        _ => None,
    }
}

fn items<'n>(node: &'n SyntaxNode, key: &str) -> &'n [SyntaxNode] {
    node.get(key).map(SyntaxNode::items).unwrap_or_default()
}

fn of_slice(slice: &SyntaxNode) -> Vec<SocketAddr> {
    let is_ready = |endpoint: &&SyntaxNode| {
        let ready = endpoint.get("conditions").and_then(|c| c.get("ready"));
        ready.and_then(SyntaxNode::as_bool) != Some(false)
    };
    let ready = items(slice, "endpoints").iter().filter(is_ready);
    let addresses = ready.flat_map(|endpoint| items(endpoint, "addresses"));
    listening(addresses.filter_map(SyntaxNode::as_str), slice)
}

fn of_subset(subset: &SyntaxNode) -> Vec<SocketAddr> {
    let addresses = items(subset, "addresses").iter();
    listening(addresses.filter_map(|a| a.get("ip")?.as_str()), subset)
}

/// Every address with every port that is listed beside them.
fn listening<'n>(addresses: impl Iterator<Item = &'n str>, beside: &SyntaxNode) -> Vec<SocketAddr> {
    let ports = items(beside, "ports").iter();
    let ports: Vec<u16> = ports
        .filter_map(|port| u16::try_from(port.get("port")?.as_i64()?).ok())
        .collect();
    let addresses = addresses.filter_map(|address| address.parse::<IpAddr>().ok());
    addresses
        .flat_map(|address| {
            ports
                .iter()
                .map(move |port| SocketAddr::new(address, *port))
        })
        .collect()
}
