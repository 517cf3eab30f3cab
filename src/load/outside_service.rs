//! What a Service has outside the cluster: its ports at the nodes, its load balancer, its external
//! addresses (DO40 to DO48).

use crate::load::doors::fields::{annotation, at, items, text, texts};
use crate::model::{BalancerAddress, BalancerTargets, OutsideService};
use crate::tree::SyntaxNode;
use std::net::IpAddr;

/// Annotations that ask for a load balancer of a private network, with the values that do; any
/// other value asks for one of the internet. Where no value is listed every value does.
const INTERNAL: [(&str, &[&str]); 11] = [
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
    (
        "service.beta.kubernetes.io/cce-load-balancer-internal-vpc",
        &["true"],
    ),
    (
        "service.kubernetes.io/qcloud-loadbalancer-internal-subnetid",
        &[],
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
        by_aws_controller: is_by_aws_controller(node),
        targets: targets(node),
    })
}

/// The class of load balancers that AWS's controller makes (DO48).
const AWS_CLASS: &str = "service.k8s.aws/nlb";

/// The annotation that says who makes a load balancer of AWS, and of which type.
const AWS_TYPE: &str = "service.beta.kubernetes.io/aws-load-balancer-type";

/// The annotation that says what AWS's controller has a load balancer call.
const AWS_TARGETS: &str = "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type";

/// The annotation with attributes of what it calls.
const AWS_ATTRIBUTES: &str = "service.beta.kubernetes.io/aws-load-balancer-target-group-attributes";

/// Whether AWS's controller makes the load balancer.
fn is_by_aws_controller(node: &SyntaxNode) -> bool {
    let kind = annotation(node, AWS_TYPE);
    text(node, &["spec", "loadBalancerClass"]).as_deref() == Some(AWS_CLASS)
        || matches!(kind.as_deref(), Some("external" | "nlb-ip"))
}

/// What the load balancer calls: of others than AWS's controller nothing is told (DO91).
fn targets(node: &SyntaxNode) -> BalancerTargets {
    let asks = |key: &str, value: &str| annotation(node, key).as_deref() == Some(value);
    let to_pods = asks(AWS_TARGETS, "ip") || asks(AWS_TYPE, "nlb-ip");
    if !to_pods || !is_by_aws_controller(node) {
        return BalancerTargets::Nodes;
    }
    let attributes = annotation(node, AWS_ATTRIBUTES).unwrap_or_default();
    let keeps = |a: &str| {
        a.trim()
            .eq_ignore_ascii_case("preserve_client_ip.enabled=true")
    };
    if attributes.split(',').any(keeps) {
        BalancerTargets::PodsAsCaller
    } else {
        BalancerTargets::Pods
    }
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
        Some(values.is_empty() || values.contains(&&*value))
    })
}
