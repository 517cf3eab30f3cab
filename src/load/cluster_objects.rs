//! Trees -> nodes and services.

use crate::load::doors::fields::carrying;
use crate::load::outside_service;
use crate::load::workloads;
use crate::model::{NamespaceId, Node, Selector, Service, ServicePort, TargetPort};
use crate::set::{Family, Protocol};
use crate::source::Origin;
use crate::tree::SyntaxNode;
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

/// A service; its namespace is still to be looked up. One that stands for an external name has
/// no pods; its ports mean something to proxies alone (DO63).
pub fn service(name: &str, node: &SyntaxNode) -> Service {
    let field = |key: &str| node.get("spec").and_then(|s| s.get(key));
    let kind = field("type").and_then(SyntaxNode::as_str);
    let service = Service {
        name: name.into(),
        namespace: NamespaceId(0),
        labels: workloads::labels(node),
        selector: None,
        ports: Vec::new(),
        addresses: Box::default(),
        outside_addresses: Box::default(),
        headless: false,
        publishes_not_ready: false,
        only_own_node: false,
        families: Box::default(),
        takes_calls_at_nodes: false,
        outside: None,
        external_name: None,
        origin: Origin::nowhere(),
    };
    if kind == Some("ExternalName") {
        let external_name = field("externalName").and_then(SyntaxNode::as_str);
        return Service {
            external_name: Some(external_name.unwrap_or_default().into()),
            ports: listed(field("ports")).filter_map(service_port).collect(),
            ..service
        };
    }
    let cluster_ips = || listed(field("clusterIPs")).chain(field("clusterIP"));
    Service {
        selector: selector(field("selector")),
        ports: listed(field("ports")).filter_map(service_port).collect(),
        addresses: parsed(cluster_ips().filter_map(SyntaxNode::as_str)),
        outside_addresses: parsed(outside_addresses(node, kind)),
        headless: cluster_ips().any(|ip| ip.as_str() == Some("None")),
        publishes_not_ready: field("publishNotReadyAddresses").and_then(SyntaxNode::as_bool)
            == Some(true),
        only_own_node: field("internalTrafficPolicy").and_then(SyntaxNode::as_str) == Some("Local"),
        families: families(node.get("spec")),
        takes_calls_at_nodes: takes_calls_at_nodes(node.get("spec")),
        outside: outside_service::read(node, kind).map(Box::new),
        ..service
    }
}

/// The families of a Service: those that it lists, else those of its cluster addresses. Where it
/// may get the other one besides they are not told.
fn families(spec: Option<&SyntaxNode>) -> Box<[Family]> {
    let field = |key: &str| spec.and_then(|spec| spec.get(key));
    let told = sorted(listed(field("ipFamilies")).filter_map(family));
    let told = if told.is_empty() {
        let addresses = listed(field("clusterIPs")).chain(field("clusterIP"));
        let addresses = addresses.filter_map(|address| address.as_str()?.parse().ok());
        sorted(addresses.map(|address: IpAddr| Family::of(address)))
    } else {
        told
    };
    let policy = field("ipFamilyPolicy").and_then(SyntaxNode::as_str);
    match policy {
        Some("RequireDualStack") => [Family::V4, Family::V6].into(),
        Some("PreferDualStack") if told.len() == 1 => Box::default(),
        _ => told,
    }
}

fn listed(list: Option<&SyntaxNode>) -> std::slice::Iter<'_, SyntaxNode> {
    list.map(SyntaxNode::items).unwrap_or_default().iter()
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Box<[T]> {
    let mut items: Vec<T> = items.collect();
    items.sort_unstable();
    items.dedup();
    items.into()
}

fn parsed<'n>(addresses: impl Iterator<Item = &'n str>) -> Box<[IpAddr]> {
    sorted(addresses.filter_map(|address| address.parse().ok()))
}

/// The pods behind a Service; none are where its selector is empty.
fn selector(node: Option<&SyntaxNode>) -> Option<Selector> {
    let node = node.filter(|node| !node.entries().is_empty())?;
    Some(carrying(node))
}

/// What outsiders dial: external addresses, and those that the status gives a load balancer.
fn outside_addresses<'n>(
    node: &'n SyntaxNode,
    kind: Option<&str>,
) -> impl Iterator<Item = &'n str> {
    let external = node.get("spec").and_then(|spec| spec.get("externalIPs"));
    let balancer = node
        .get("status")
        .filter(|_| kind == Some("LoadBalancer"))
        .and_then(|status| status.get("loadBalancer")?.get("ingress"));
    let balanced = listed(balancer).filter_map(|at| at.get("ip")?.as_str());
    listed(external)
        .filter_map(SyntaxNode::as_str)
        .chain(balanced)
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
        app_protocol: node
            .get("appProtocol")
            .and_then(SyntaxNode::as_str)
            .map(Into::into),
    })
}
