//! What a Service has outside the cluster: its ports at the nodes, its load balancer, its external
//! addresses (DO40 to DO48).

use crate::load::doors::fields::{annotation, at, items, text, texts};
use crate::model::{BalancerAddress, OutsideService};
use crate::tree::SyntaxNode;
use std::net::IpAddr;

/// Annotations that ask for a load balancer of a private network, with the values that do; any
/// other value asks for one of the internet.
const INTERNAL: [(&str, &[&str]); 9] = [
    (
        "service.beta.kubernetes.io/aws-load-balancer-scheme",
        &["internal"],
    ),
    (
        "service.beta.kubernetes.io/aws-load-balancer-internal",
        &["true", "0.0.0.0/0"],
    ),
    ("networking.gke.io/load-balancer-type", &["Internal"]),
    (
        "cloud.google.com/load-balancer-type",
        &["Internal", "internal"],
    ),
    (
        "service.beta.kubernetes.io/azure-load-balancer-internal",
        &["true"],
    ),
    (
        "service.beta.kubernetes.io/openstack-internal-load-balancer",
        &["true"],
    ),
    (
        "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type",
        &["private"],
    ),
    (
        "service.beta.kubernetes.io/oci-load-balancer-internal",
        &["true"],
    ),
    (
        "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type",
        &["intranet"],
    ),
];

/// Reads it; `None` where a Service has nothing there.
pub fn read(node: &SyntaxNode, kind: Option<&str>) -> Option<OutsideService> {
    let spec = node.get("spec")?;
    let external: Box<[IpAddr]> = texts(spec, &["externalIPs"])
        .iter()
        .filter_map(|address| address.parse().ok())
        .collect();
    let network_endpoint_group = annotation(node, "cloud.google.com/neg").is_some();
    let balanced = kind == Some("LoadBalancer");
    if !balanced && kind != Some("NodePort") && external.is_empty() && !network_endpoint_group {
        return None;
    }
    let ranges = texts(spec, &["loadBalancerSourceRanges"]);
    let ingress = items(node, &["status", "loadBalancer", "ingress"]).iter();
    Some(OutsideService {
        at_nodes: kind == Some("NodePort") || balanced && allocates(spec),
        balanced,
        balancer: ingress.filter(|_| balanced).filter_map(balancer).collect(),
        balancer_class: text(spec, &["loadBalancerClass"]),
        source_ranges: ranges
            .iter()
            .filter_map(|range| range.trim().parse().ok())
            .collect(),
        external_addresses: external,
        keeps_caller: text(spec, &["externalTrafficPolicy"]).as_deref() == Some("Local"),
        internal: is_internal(node),
        network_endpoint_group,
    })
}

/// Whether a load balancer's Service gets ports at the nodes that are not written (DO44).
fn allocates(spec: &SyntaxNode) -> bool {
    at(spec, &["allocateLoadBalancerNodePorts"]).and_then(SyntaxNode::as_bool) != Some(false)
}

fn balancer(node: &SyntaxNode) -> Option<BalancerAddress> {
    let address = text(node, &["ip"]).and_then(|ip| ip.parse().ok());
    let name = || text(node, &["hostname"]).map(BalancerAddress::Name);
    address.map(BalancerAddress::Ip).or_else(name)
}

fn is_internal(node: &SyntaxNode) -> Option<bool> {
    INTERNAL.iter().find_map(|(key, values)| {
        let value = annotation(node, key)?;
        Some(values.contains(&&*value))
    })
}
