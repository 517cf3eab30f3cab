//! Kinds that open doors in ways that netpal does not read, and custom resources whose operators
//! publish what they make of them (DO106). An input that holds one is
//! never answered "no door".

use crate::tree::SyntaxNode;

/// Groups and kinds; a kind of `*` is every kind of the group.
const KINDS: [(&str, &str); 31] = [
    ("traefik.io", "IngressRoute"),
    ("traefik.io", "IngressRouteTCP"),
    ("traefik.io", "IngressRouteUDP"),
    ("traefik.containo.us", "IngressRoute"),
    ("traefik.containo.us", "IngressRouteTCP"),
    ("traefik.containo.us", "IngressRouteUDP"),
    ("projectcontour.io", "HTTPProxy"),
    ("k8s.nginx.org", "VirtualServer"),
    ("k8s.nginx.org", "TransportServer"),
    ("configuration.konghq.com", "TCPIngress"),
    ("configuration.konghq.com", "UDPIngress"),
    ("getambassador.io", "Mapping"),
    ("getambassador.io", "TCPMapping"),
    ("gateway.solo.io", "VirtualService"),
    ("gateway.solo.io", "TcpGateway"),
    ("apisix.apache.org", "ApisixRoute"),
    ("serving.knative.dev", "Service"),
    ("serving.knative.dev", "DomainMapping"),
    ("networking.internal.knative.dev", "Ingress"),
    ("elbv2.k8s.aws", "TargetGroupBinding"),
    ("networking.gke.io", "MultiClusterIngress"),
    ("multicluster.x-k8s.io", "ServiceExport"),
    ("multicluster.x-k8s.io", "ServiceImport"),
    ("net.gke.io", "ServiceExport"),
    ("net.gke.io", "ServiceImport"),
    ("networking.gke.io", "MultiClusterService"),
    ("gateway.networking.k8s.io", "ListenerSet"),
    ("gateway.networking.x-k8s.io", "XListenerSet"),
    ("networking.cfargotunnel.com", "TunnelBinding"),
    ("ingress.k8s.ngrok.com", "*"),
    ("ngrok.k8s.ngrok.com", "*"),
];

/// Fields of custom resources by which their operators publish what they make, where they say so.
const PUBLISHING: [&str; 14] = [
    "ingress",
    "ingresses",
    "route",
    "routes",
    "loadbalancer",
    "nodeport",
    "nodeports",
    "exposeservices",
    "exposeprimary",
    "exposereplicas",
    "externalaccess",
    "enablemasterloadbalancer",
    "enablereplicaloadbalancer",
    "externalservice",
];

/// Fields that say of which type a Service is that is made, or a listener.
const TYPES: [&str; 2] = ["type", "servicetype"];

/// Their values that open doors.
const OPENING: [&str; 4] = ["loadbalancer", "nodeport", "ingress", "route"];

/// Kinds whose operators open a door unless they are told not to, by this field.
const BY_DEFAULT: [(&str, &str, [&str; 2]); 1] =
    [("k8s.keycloak.org", "Keycloak", ["ingress", "enabled"])];

/// Whether what an operator makes of an object may be published: a field says so, or nothing says
/// that it is not.
pub fn may_be_published(group: &str, kind: &str, node: &SyntaxNode) -> bool {
    let spec = node.get("spec");
    let mut by_default = BY_DEFAULT.iter();
    let by_default = by_default.any(|(of, one, [section, field])| {
        let told = spec.and_then(|spec| spec.get(section)?.get(field)?.as_bool());
        (*of, *one) == (group, kind) && told != Some(false)
    });
    by_default || spec.is_some_and(publishes)
}

/// Whether a field of a tree publishes something. What stands in policies and in pod templates says
/// nothing of Services.
fn publishes(node: &SyntaxNode) -> bool {
    let here = node.entries().iter().any(|entry| {
        let key = entry.key.to_ascii_lowercase();
        let text = entry
            .value
            .as_str()
            .unwrap_or_default()
            .to_ascii_lowercase();
        if key.starts_with("networkpolic") || key == "template" || key == "containers" {
            return false;
        }
        PUBLISHING.contains(&&*key) && is_on(&entry.value)
            || TYPES.contains(&&*key) && OPENING.contains(&&*text)
            || publishes(&entry.value)
    });
    here || node.items().iter().any(publishes)
}

/// Whether a field asks for something.
fn is_on(value: &SyntaxNode) -> bool {
    if value.get("enabled").and_then(SyntaxNode::as_bool) == Some(false) {
        return false;
    }
    let empty = value.entries().is_empty() && value.items().is_empty();
    match value.as_bool() {
        Some(on) => on,
        None => !(value.is_null() || empty && value.as_str().is_none_or(str::is_empty)),
    }
}

/// How the names of `ConfigMaps` end that have the ports which ingress-nginx passes on.
pub const PORTS_OF_NGINX: [&str; 2] = ["tcp-services", "udp-services"];

/// The field of a tunnel's settings that names it.
pub const TUNNEL: &str = "tunnel:";

/// Whether a `ConfigMap` leads callers in: the ports that ingress-nginx passes on, and the ingress
/// rules of a tunnel.
pub fn leads_in(node: &SyntaxNode) -> bool {
    let name = node.get("metadata").and_then(|m| m.get("name")?.as_str());
    let of_nginx = name.is_some_and(|n| PORTS_OF_NGINX.iter().any(|end| n.ends_with(end)));
    let data = node
        .get("data")
        .map(SyntaxNode::entries)
        .unwrap_or_default();
    let of_tunnel = |text: &str| text.contains(TUNNEL) && text.contains("ingress:");
    let mut texts = data.iter().filter_map(|entry| entry.value.as_str());
    of_nginx && !data.is_empty() || texts.any(of_tunnel)
}

/// Whether objects of a kind open doors.
pub fn opens_doors(group: &str, kind: &str) -> bool {
    let is_meant = |row: &&(&str, &str)| row.0 == group && (row.1 == kind || row.1 == "*");
    KINDS.iter().any(|row| is_meant(&row))
}
