//! `EndpointSlice` and `Endpoints` objects -> the endpoints of a Service.
//!
//! They tell where the API server listens (`default/kubernetes`), and where a Service without
//! selector leads. Slices that the cluster made from a Service's own selector are not read: they
//! say what the selector says. Cost: O(addresses x ports) of the object, as the API has it.

use crate::model::{EndpointSource, ServiceEndpoint};
use crate::set::Protocol;
use crate::tree::SyntaxNode;
use std::net::IpAddr;

/// The label that names the Service of an `EndpointSlice`.
const SERVICE_LABEL: &str = "kubernetes.io/service-name";

/// The label that tells who keeps an `EndpointSlice`.
const KEEPER_LABEL: &str = "endpointslice.kubernetes.io/managed-by";

/// Who keeps the slices of Services with a selector.
const OF_SELECTORS: &str = "endpointslice-controller.k8s.io";

/// The endpoints that one object lists for a Service of its namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedEndpoints {
    /// The name of the Service.
    pub service: Box<str>,
    /// The kind of object.
    pub source: EndpointSource,
    /// The endpoints that take connections.
    pub endpoints: Box<[ServiceEndpoint]>,
    /// Of slices those that are not ready.
    pub unready: Box<[ServiceEndpoint]>,
}

impl ListedEndpoints {
    /// Reads an object, if it is one that lists endpoints.
    pub fn new(group: &str, kind: &str, name: &str, node: &SyntaxNode) -> Option<Self> {
        let labels = node.get("metadata").and_then(|m| m.get("labels"));
        let label = |key: &str| labels.and_then(|labels| labels.get(key)?.as_str());
        match (group, kind) {
            ("discovery.k8s.io", "EndpointSlice") if label(KEEPER_LABEL) != Some(OF_SELECTORS) => {
                Some(Self {
                    service: label(SERVICE_LABEL).unwrap_or(name).into(),
                    source: EndpointSource::Slice,
                    endpoints: of_slice(node, true).into(),
                    unready: of_slice(node, false).into(),
                })
            }
            ("", "Endpoints") => Some(Self {
                service: name.into(),
                source: EndpointSource::Endpoints,
                endpoints: items(node, "subsets").iter().flat_map(of_subset).collect(),
                unready: Box::default(),
            }),
            _ => None,
        }
    }
}

fn items<'n>(node: &'n SyntaxNode, key: &str) -> &'n [SyntaxNode] {
    node.get(key).map(SyntaxNode::items).unwrap_or_default()
}

/// The endpoints of a slice that are ready, or those that are not.
fn of_slice(slice: &SyntaxNode, ready: bool) -> Vec<ServiceEndpoint> {
    let is_ready = |endpoint: &&SyntaxNode| {
        let told = endpoint.get("conditions").and_then(|c| c.get("ready"));
        (told.and_then(SyntaxNode::as_bool) != Some(false)) == ready
    };
    let wanted = items(slice, "endpoints").iter().filter(is_ready);
    let addresses = wanted.flat_map(|endpoint| items(endpoint, "addresses"));
    listening(addresses.filter_map(SyntaxNode::as_str), slice)
}

fn of_subset(subset: &SyntaxNode) -> Vec<ServiceEndpoint> {
    let addresses = items(subset, "addresses").iter();
    listening(addresses.filter_map(|a| a.get("ip")?.as_str()), subset)
}

/// Every address with every port that is listed beside them.
fn listening<'n>(
    addresses: impl Iterator<Item = &'n str>,
    beside: &SyntaxNode,
) -> Vec<ServiceEndpoint> {
    let ports: Vec<ServiceEndpoint> = items(beside, "ports").iter().filter_map(port).collect();
    let addresses = addresses.filter_map(|address| address.parse::<IpAddr>().ok());
    addresses
        .flat_map(|address| {
            let at = move |port: &ServiceEndpoint| ServiceEndpoint {
                address,
                ..port.clone()
            };
            ports.iter().map(at)
        })
        .collect()
}

/// A port, at an address that is yet to be filled in.
fn port(node: &SyntaxNode) -> Option<ServiceEndpoint> {
    let number = u16::try_from(node.get("port")?.as_i64()?).ok();
    let name = node.get("name").and_then(SyntaxNode::as_str);
    let protocol = node.get("protocol").and_then(SyntaxNode::as_str);
    Some(ServiceEndpoint {
        address: IpAddr::from([0, 0, 0, 0]),
        name: name.unwrap_or_default().into(),
        protocol: protocol.map_or(Some(Protocol::Tcp), Protocol::from_api)?,
        port: number.filter(|port| *port > 0)?,
    })
}
