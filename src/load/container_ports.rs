//! The ports that the containers of a pod declare.

use crate::model::{ContainerPort, HostPort};
use crate::set::Protocol;
use crate::tree::SyntaxNode;
use std::net::IpAddr;
use std::sync::Arc;

/// Containers, and init containers that keep running (sidecars).
pub fn containers(spec: Option<&SyntaxNode>) -> impl Iterator<Item = &SyntaxNode> {
    let list = |key: &str| {
        let list = spec.and_then(|s| s.get(key)).map(SyntaxNode::items);
        list.unwrap_or_default().iter()
    };
    list("containers").chain(list("initContainers").filter(|c| is_sidecar(c)))
}

/// Whether an init container keeps running.
fn is_sidecar(container: &SyntaxNode) -> bool {
    let policy = container.get("restartPolicy");
    policy.and_then(SyntaxNode::as_str) == Some("Always")
}

/// The ports that containers list.
fn listed_ports(spec: Option<&SyntaxNode>) -> impl Iterator<Item = &SyntaxNode> {
    containers(spec).flat_map(|c| c.get("ports").map(SyntaxNode::items).unwrap_or_default())
}

/// Declared ports.
pub fn ports(spec: Option<&SyntaxNode>) -> Arc<[ContainerPort]> {
    let mut ports: Vec<ContainerPort> = listed_ports(spec).filter_map(port).collect();
    ports.sort();
    ports.dedup();
    ports.into()
}

/// The ports with names of the init containers that end before the pod runs.
pub fn init_ports(spec: Option<&SyntaxNode>) -> Arc<[ContainerPort]> {
    let list = spec.and_then(|s| s.get("initContainers"));
    let ends = |c: &&SyntaxNode| !is_sidecar(c);
    let ending = list
        .map(SyntaxNode::items)
        .unwrap_or_default()
        .iter()
        .filter(ends);
    let mut ports: Vec<ContainerPort> = ending.flat_map(container_ports).collect();
    ports.retain(|port| port.name.is_some());
    ports.sort();
    ports.dedup();
    ports.into()
}

/// The ports that one container declares.
pub fn container_ports(container: &SyntaxNode) -> Vec<ContainerPort> {
    let declared = container.get("ports").map(SyntaxNode::items);
    declared
        .unwrap_or_default()
        .iter()
        .filter_map(port)
        .collect()
}

/// The ports of the node that lead to containers (DO50).
pub fn host_ports(spec: &SyntaxNode) -> Box<[HostPort]> {
    listed_ports(Some(spec)).filter_map(host_port).collect()
}

fn host_port(node: &SyntaxNode) -> Option<HostPort> {
    let number = node.get("hostPort")?.as_i64()?;
    let container = port(node)?;
    let address = node
        .get("hostIP")
        .and_then(|ip| ip.as_str()?.parse::<IpAddr>().ok());
    Some(HostPort {
        port: u16::try_from(number).ok().filter(|port| *port > 0)?,
        address: address.filter(|ip| !ip.is_unspecified()),
        container: container.port,
        protocol: container.protocol,
    })
}

fn port(node: &SyntaxNode) -> Option<ContainerPort> {
    let number = u16::try_from(node.get("containerPort")?.as_i64()?)
        .ok()
        .filter(|p| *p > 0)?;
    let protocol = node
        .get("protocol")
        .and_then(SyntaxNode::as_str)
        .map_or(Some(Protocol::Tcp), Protocol::from_api)?;
    let name = node
        .get("name")
        .and_then(SyntaxNode::as_str)
        .filter(|n| !n.is_empty())
        .map(Into::into);
    Some(ContainerPort {
        name,
        protocol,
        port: number,
    })
}
