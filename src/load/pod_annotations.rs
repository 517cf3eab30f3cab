//! What a pod says besides its labels and ports that binds it to policies of other dialects:
//! annotations, containers that are proxies, and probes.

use crate::load::container_ports::{container_ports, containers};
use crate::policy::linkerd::member::PROBE;
use crate::policy::object_facts::CONTAINER;
use crate::tree::SyntaxNode;

/// Annotations that bind a pod to policies of other dialects.
const BINDING: [&str; 15] = [
    "linkerd.io/inject",
    "sidecar.istio.io/inject",
    "ambient.istio.io/bypass-inbound-capture",
    "ovn.kubernetes.io/security_groups",
    "consul.hashicorp.com/connect-inject",
    "consul.hashicorp.com/connect-service",
    "kuma.io/sidecar-injection",
    "kuma.io/service",
    "linkerd.io/service",
    "networking.gke.io/interfaces",
    "k8s.v1.cni.cncf.io/networks",
    "k8s.v1.cni.cncf.io/network-status",
    "v1.multus-cni.io/default-network",
    "k8s.ovn.org/open-default-ports",
    "k8s.ovn.org/pod-networks",
];

/// How annotations begin that say by what a proxy goes.
const OF_PROXIES: [&str; 2] = ["config.linkerd.io/", "traffic.sidecar.istio.io/"];

fn is_of_proxy(key: &str) -> bool {
    OF_PROXIES.iter().any(|start| key.starts_with(start))
}

/// The annotations of an object that a layer goes by, and what of its pod a layer goes by.
pub fn annotations(node: Option<&SyntaxNode>) -> Box<[(Box<str>, Box<str>)]> {
    let all = node.and_then(|n| n.get("metadata")?.get("annotations"));
    let bound = all.map(SyntaxNode::entries).unwrap_or_default().iter();
    bound
        .filter(|e| BINDING.contains(&&*e.key) || is_of_proxy(&e.key))
        .filter_map(|e| Some((e.key.clone(), e.value.as_str()?.into())))
        .chain(proxies(node))
        .chain(probes(node))
        .collect()
}

/// The containers of a pod that are proxies of a mesh.
fn proxies(node: Option<&SyntaxNode>) -> impl Iterator<Item = (Box<str>, Box<str>)> {
    let spec = node.and_then(|n| n.get("spec"));
    let of = |field: &str| spec.and_then(|s| s.get(field)).map(SyntaxNode::items);
    let lists = [of("containers"), of("initContainers")];
    let containers = lists.into_iter().flatten().flatten();
    let names = containers.filter_map(|c| c.get("name")?.as_str());
    let proxies = names.filter(|name| PROXIES.contains(name));
    proxies.map(|name| (format!("{CONTAINER}{name}").into(), Box::default()))
}

/// The ports on which probes of a pod ask for a path.
fn probes(node: Option<&SyntaxNode>) -> impl Iterator<Item = (Box<str>, Box<str>)> {
    let each = containers(node.and_then(|n| n.get("spec"))).flat_map(|container| {
        let probes = PROBES.iter().filter_map(|probe| container.get(probe));
        let ports = probes.filter_map(|probe| probe.get("httpGet")?.get("port"));
        ports.flat_map(|port| numbers(port, container))
    });
    each.map(|number| (format!("{PROBE}{number}").into(), Box::default()))
}

/// The numbers of a port of a probe; a name is one of its container.
fn numbers(port: &SyntaxNode, container: &SyntaxNode) -> Vec<i64> {
    let text = port.as_str();
    if let Some(number) = port.as_i64().or_else(|| text?.parse().ok()) {
        return vec![number];
    }
    let declared = container_ports(container).into_iter();
    let named = declared.filter(|declared| declared.name.as_deref() == text);
    named.map(|declared| i64::from(declared.port)).collect()
}

/// The probes of a container.
const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];

/// The names of containers that are proxies of a mesh.
const PROXIES: [&str; 4] = [
    "istio-proxy",
    "linkerd-proxy",
    "kuma-sidecar",
    "consul-dataplane",
];

#[cfg(test)]
mod tests {
    use super::{BINDING, OF_PROXIES};
    use crate::tree::binds;

    /// Long lists of pods are read without what no reader asks for; annotations that bind stay.
    #[test]
    fn what_binds_a_pod_is_kept_of_long_lists() {
        for key in BINDING.iter().chain(&OF_PROXIES) {
            assert!(binds(key), "{key}");
        }
    }
}
