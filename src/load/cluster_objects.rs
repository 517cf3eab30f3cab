//! Trees -> nodes and services.

use crate::load::workloads;
use crate::model::{NamespaceId, Node, Requirement, Selector, Service, ServicePort, TargetPort};
use crate::set::{Family, Protocol};
use crate::source::Origin;
use crate::tree::{Entry, SyntaxNode};
use std::net::IpAddr;

/// A node.
pub fn node(name: &str, node: &SyntaxNode) -> Node {
    let status = node
        .get("status")
        .and_then(|s| s.get("addresses"))
        .map(SyntaxNode::items)
        .unwrap_or_default();
    let addresses: Vec<IpAddr> = status
        .iter()
        .filter_map(|a| a.get("address")?.as_str()?.parse().ok())
        .collect();
    Node {
        name: name.into(),
        labels: workloads::labels(node),
        addresses: addresses.into(),
        origin: Origin::nowhere(),
    }
}

/// A label that the pods behind a Service carry.
fn requirement(entry: &Entry) -> Requirement {
    let value = entry.value.as_str().unwrap_or_default().into();
    Requirement::In(entry.key.clone(), vec![value])
}

/// A service; its namespace is still to be looked up.
pub fn service(name: &str, node: &SyntaxNode) -> Service {
    let spec = node.get("spec");
    let field = |key: &str| spec.and_then(|s| s.get(key));
    let selector = field("selector")
        .map(SyntaxNode::entries)
        .filter(|e| !e.is_empty())
        .map(|entries| Selector::new(entries.iter().map(requirement)));
    let many = field("clusterIPs")
        .map(SyntaxNode::items)
        .unwrap_or_default()
        .iter()
        .filter_map(SyntaxNode::as_str);
    let one = field("clusterIP").and_then(SyntaxNode::as_str);
    let mut addresses: Vec<IpAddr> = many.chain(one).filter_map(|s| s.parse().ok()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    let families = field("ipFamilies")
        .map(SyntaxNode::items)
        .unwrap_or_default();
    let mut families: Vec<Family> = families.iter().filter_map(family).collect();
    families.sort_unstable();
    families.dedup();
    Service {
        name: name.into(),
        namespace: NamespaceId(0),
        selector,
        ports: field("ports")
            .map(SyntaxNode::items)
            .unwrap_or_default()
            .iter()
            .filter_map(service_port)
            .collect(),
        addresses: addresses.into(),
        families: families.into(),
        takes_calls_at_nodes: takes_calls_at_nodes(spec),
        external_name: field("externalName")
            .and_then(SyntaxNode::as_str)
            .map(Into::into),
        origin: Origin::nowhere(),
    }
}

fn family(name: &SyntaxNode) -> Option<Family> {
    match name.as_str()? {
        "IPv4" => Some(Family::V4),
        "IPv6" => Some(Family::V6),
        _ => None,
    }
}

/// Whether a Service's spec lets callers in at the nodes, and does not keep their address (S41,
/// S63).
fn takes_calls_at_nodes(spec: Option<&SyntaxNode>) -> bool {
    let field = |key: &str| spec.and_then(|s| s.get(key));
    let kind = field("type").and_then(SyntaxNode::as_str);
    let outside = matches!(kind, Some("NodePort" | "LoadBalancer"))
        || field("externalIPs").is_some_and(|list| !list.items().is_empty());
    outside && field("externalTrafficPolicy").and_then(SyntaxNode::as_str) != Some("Local")
}

fn service_port(node: &SyntaxNode) -> Option<ServicePort> {
    let number = |n: &SyntaxNode| u16::try_from(n.as_i64()?).ok().filter(|p| *p > 0);
    let port = number(node.get("port")?)?;
    let target = match node.get("targetPort") {
        Some(n) if n.as_str().is_some() => TargetPort::Name(n.as_str()?.into()),
        Some(n) => TargetPort::Number(number(n).unwrap_or(port)),
        None => TargetPort::Number(port),
    };
    let protocol = node
        .get("protocol")
        .and_then(SyntaxNode::as_str)
        .map_or(Some(Protocol::Tcp), Protocol::from_api)?;
    Some(ServicePort {
        name: node
            .get("name")
            .and_then(SyntaxNode::as_str)
            .map(Into::into),
        protocol,
        port,
        target,
        node: node.get("nodePort").and_then(number),
    })
}
