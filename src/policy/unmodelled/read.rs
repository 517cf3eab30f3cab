//! How far single objects reach: a function for each family of kinds.

use crate::model::{Requirement, Selector};
use crate::policy::taint::TaintEffect::{self, Anything, OnlyDeny, UnorderedTier};
use crate::policy::unmodelled::fields::{by_rules, field, has, is_no_list, items, spec, text};
use crate::policy::unmodelled::meshes;
use crate::policy::unmodelled::nodes;
use crate::policy::unmodelled::selectors::{calico, cilium, label_selector};
use crate::policy::unmodelled::taint_reach::{
    BOTH, IN, OUT, TaintNamespaces, TaintPods, TaintReach,
};
use crate::tree::SyntaxNode;

pub(super) fn unless_none(reach: TaintReach) -> Vec<TaintReach> {
    if reach.directions == [false, false] {
        Vec::new()
    } else {
        vec![reach]
    }
}

/// Both directions of everything, before all tiers.
pub fn anything(_: &SyntaxNode) -> Vec<TaintReach> {
    vec![TaintReach::own(Anything, BOTH)]
}

/// Both directions of everything, deny only.
pub fn deny(_: &SyntaxNode) -> Vec<TaintReach> {
    vec![TaintReach::own(OnlyDeny, BOTH)]
}

/// Egress of everything.
pub fn anything_egress(_: &SyntaxNode) -> Vec<TaintReach> {
    vec![TaintReach::own(Anything, OUT)]
}

/// Cilium: `spec` and every one of `specs`; a policy of nodes leaves pods alone.
pub fn of_cilium(node: &SyntaxNode) -> Vec<TaintReach> {
    if is_no_list(node, "specs") {
        return anything(node);
    }
    let all = spec(node).into_iter().chain(items(node, &["specs"]));
    all.flat_map(|rule| {
        let directions = by_rules(rule, &["ingress", "ingressDeny"], &["egress", "egressDeny"]);
        unless_none(match rule.get("endpointSelector") {
            None if rule.get("nodeSelector").is_some() => {
                TaintReach::nodes(directions, nodes::any_node())
            }
            pods => TaintReach::own(Anything, directions).labelled(cilium(pods)),
        })
    })
    .collect()
}

/// Cilium's Envoy configuration: the pods behind the Services it takes over.
pub fn of_envoy_config(node: &SyntaxNode) -> Vec<TaintReach> {
    let services = items(node, &["spec", "services"]).iter();
    services
        .filter_map(|service| {
            let reach = TaintReach::own(OnlyDeny, IN);
            let pods = TaintPods::Behind(service.get("name")?.as_str()?.into());
            Some(
                match service.get("namespace").and_then(SyntaxNode::as_str) {
                    Some(namespace) => reach.named([namespace]).pods(pods),
                    None => reach.pods(pods),
                },
            )
        })
        .collect()
}

/// Calico's host endpoint: its node, and where policies apply to what is forwarded, every pod.
pub fn of_host_endpoint(node: &SyntaxNode) -> Vec<TaintReach> {
    vec![
        TaintReach::own(OnlyDeny, BOTH),
        TaintReach::nodes(BOTH, nodes::host_endpoint(node)),
    ]
}

/// Calico: `types` with its defaults, `selector`, `namespaceSelector`.
pub fn of_calico(node: &SyntaxNode) -> Vec<TaintReach> {
    let Some(spec) = spec(node) else {
        return anything(node);
    };
    let set = |key: &str| spec.get(key).and_then(SyntaxNode::as_bool) == Some(true);
    if (set("doNotTrack") || set("preDNAT")) && set("applyOnForward") {
        return Vec::new(); // host endpoints only
    }
    let types = items(spec, &["types"]);
    let named = |word: &str| types.iter().any(|t| t.as_str() == Some(word));
    let stored = text(node, &["apiVersion"]).is_none_or(|v| v.starts_with("crd."));
    let directions = if is_no_list(spec, "types") || types.is_empty() && stored {
        BOTH // what reached the store without types is enforced in both directions
    } else if types.is_empty() {
        let egress = spec.get("egress").is_some_and(|e| !e.is_null());
        [has(spec, "ingress") || !has(spec, "egress"), egress]
    } else {
        [named("Ingress"), named("Egress")]
    };
    let mut reach =
        TaintReach::own(Anything, directions).labelled(calico(text(spec, &["selector"])));
    if let Some(selector) = text(spec, &["namespaceSelector"]).filter(|s| !s.trim().is_empty()) {
        reach = reach.namespaces(TaintNamespaces::Matching(calico(Some(selector))));
    }
    unless_none(reach)
}

/// Antrea: `appliedTo` of the policy or of each rule.
pub fn of_antrea(node: &SyntaxNode) -> Vec<TaintReach> {
    let Some(spec) = spec(node) else {
        return anything(node);
    };
    if spec.get("ingress").is_none() && spec.get("egress").is_none() {
        return anything(node);
    }
    let mut all = Vec::new();
    let whole = items(spec, &["appliedTo"]);
    for (key, directions) in [("ingress", IN), ("egress", OUT)] {
        if is_no_list(spec, key) || is_no_list(spec, "appliedTo") {
            all.push(TaintReach::own(Anything, directions));
        }
        for rule in items(spec, &[key]) {
            all.extend(of_rule(rule, whole, directions));
        }
    }
    all.dedup();
    all
}

/// What a rule may govern: its own `appliedTo`, else that of its policy, else everything there is.
fn of_rule(rule: &SyntaxNode, whole: &[SyntaxNode], directions: [bool; 2]) -> Vec<TaintReach> {
    let own = items(rule, &["appliedTo"]);
    let targets = if own.is_empty() { whole } else { own };
    if targets.is_empty() {
        return vec![TaintReach::own(Anything, directions)];
    }
    let each = targets.iter();
    each.filter_map(|t| applied_to(t, Anything, directions))
        .collect()
}

/// An item of `appliedTo`; `None` where it is no pod.
fn applied_to(
    target: &SyntaxNode,
    effect: TaintEffect,
    directions: [bool; 2],
) -> Option<TaintReach> {
    let of_nodes = target.get("nodeSelector");
    if let Some(selector) = of_nodes.filter(|_| target.get("podSelector").is_none()) {
        let nodes = nodes::selected(Some(selector));
        return Some(TaintReach::nodes(directions, nodes));
    }
    let other = ["externalEntitySelector", "vmSelector"];
    if other.iter().any(|key| target.get(key).is_some()) && target.get("podSelector").is_none() {
        return None;
    }
    let reach = TaintReach::own(effect, directions);
    if target.get("podSelector").is_none() && target.get("namespaceSelector").is_none() {
        return Some(reach); // a group, an account, a Service
    }
    let reach = reach.labelled(label_selector(target.get("podSelector")));
    Some(match target.get("namespaceSelector") {
        Some(selector) => {
            reach.namespaces(TaintNamespaces::Matching(label_selector(Some(selector))))
        }
        None => reach,
    })
}

/// Antrea's `TrafficControl`: what it redirects may not arrive.
pub fn of_traffic_control(node: &SyntaxNode) -> Vec<TaintReach> {
    if text(node, &["spec", "action"]) == Some("Mirror") {
        return Vec::new();
    }
    let directions = match text(node, &["spec", "direction"]) {
        Some("Ingress") => IN,
        Some("Egress") => OUT,
        _ => BOTH,
    };
    match field(node, &["spec", "appliedTo"]) {
        Some(target) => applied_to(target, OnlyDeny, directions)
            .into_iter()
            .collect(),
        None => vec![TaintReach::own(OnlyDeny, directions)],
    }
}

/// A multicluster import: a policy of the whole cluster, if it is one.
pub fn of_resource_import(node: &SyntaxNode) -> Vec<TaintReach> {
    match text(node, &["spec", "kind"]) {
        Some(kind) if !kind.contains("Policy") => Vec::new(),
        _ => vec![TaintReach::own(Anything, BOTH).namespaces(TaintNamespaces::All)],
    }
}

/// `podSelector` and `policyTypes`, as in a `NetworkPolicy`.
pub fn of_pod_selector(node: &SyntaxNode) -> Vec<TaintReach> {
    let Some(spec) = spec(node) else {
        return vec![TaintReach::own(UnorderedTier, BOTH)];
    };
    let (directions, pods) = of_bare_spec(spec);
    unless_none(TaintReach::own(UnorderedTier, directions).labelled(pods))
}

/// The directions and pods of the spec of a `NetworkPolicy`.
pub fn of_bare_spec(spec: &SyntaxNode) -> ([bool; 2], Selector) {
    let types = items(spec, &["policyTypes"]);
    let named = |word: &str| types.iter().any(|t| t.as_str() == Some(word));
    let directions = if is_no_list(spec, "policyTypes") {
        BOTH
    } else if types.is_empty() {
        [true, has(spec, "egress")]
    } else {
        [named("Ingress"), named("Egress")]
    };
    (directions, label_selector(spec.get("podSelector")))
}

/// `podSelector`, and egress by domain names.
pub fn of_domain_names(node: &SyntaxNode) -> Vec<TaintReach> {
    let typed = field(node, &["spec", "policyTypes"]).is_some_and(|t| !t.items().is_empty());
    if typed {
        return of_pod_selector(node);
    }
    let pods = label_selector(field(node, &["spec", "podSelector"]));
    vec![TaintReach::own(UnorderedTier, OUT).labelled(pods)]
}

/// The subject of an administrators' policy.
pub fn of_subject(node: &SyntaxNode) -> Vec<TaintReach> {
    let Some(spec) = spec(node) else {
        return anything(node);
    };
    let reach = TaintReach::own(Anything, by_rules(spec, &["ingress"], &["egress"]));
    let reach = if let Some(namespaces) = field(spec, &["subject", "namespaces"]) {
        reach.namespaces(TaintNamespaces::Matching(label_selector(Some(namespaces))))
    } else if let Some(pods) = field(spec, &["subject", "pods"]) {
        reach
            .labelled(label_selector(pods.get("podSelector")))
            .namespaces(TaintNamespaces::Matching(label_selector(
                pods.get("namespaceSelector"),
            )))
    } else {
        reach
    };
    unless_none(reach)
}

/// Security groups of a cloud, bound by `podSelector`; `serviceAccountSelector` is not read.
pub fn of_security_group(node: &SyntaxNode) -> Vec<TaintReach> {
    let pods = label_selector(field(node, &["spec", "podSelector"]));
    vec![TaintReach::own(OnlyDeny, BOTH).labelled(pods)]
}

/// Alibaba's `PodNetworking`: `selector.podSelector` and `selector.namespaceSelector`.
pub fn of_pod_networking(node: &SyntaxNode) -> Vec<TaintReach> {
    let selector = field(node, &["spec", "selector"]);
    let part = |key: &str| label_selector(selector.and_then(|s| s.get(key)));
    let namespaces = TaintNamespaces::Matching(part("namespaceSelector"));
    let reach = TaintReach::own(OnlyDeny, BOTH).labelled(part("podSelector"));
    vec![reach.namespaces(namespaces)]
}

/// The label of namespaces whose pods have another primary network.
pub const PRIMARY_NETWORK_LABEL: &str = "k8s.ovn.org/primary-user-defined-network";

/// A user-defined primary network: its pods have other addresses there, and reach only each other.
fn primary(namespaces: &Selector) -> Vec<TaintReach> {
    let labelled = Requirement::Exists(PRIMARY_NETWORK_LABEL.into());
    let all = namespaces.requirements().iter().cloned().chain([labelled]);
    let namespaces = TaintNamespaces::Matching(Selector::new(all));
    vec![TaintReach::own(Anything, BOTH).namespaces(namespaces)]
}

fn is_primary(network: &SyntaxNode) -> bool {
    ["layer2", "layer3", "localnet"]
        .iter()
        .any(|layer| text(network, &[layer, "role"]) == Some("Primary"))
}

fn own_namespace(node: &SyntaxNode) -> Selector {
    match text(node, &["metadata", "namespace"]) {
        Some(name) => Selector::label(crate::model::NAMESPACE_NAME_LABEL, name),
        None => Selector::everything(),
    }
}

/// OVN-Kubernetes: `UserDefinedNetwork`.
pub fn of_network(node: &SyntaxNode) -> Vec<TaintReach> {
    if spec(node).is_none_or(is_primary) {
        primary(&own_namespace(node))
    } else {
        Vec::new()
    }
}

/// OVN-Kubernetes: `ClusterUserDefinedNetwork`.
pub fn of_cluster_network(node: &SyntaxNode) -> Vec<TaintReach> {
    if field(node, &["spec", "network"]).is_none_or(is_primary) {
        primary(&label_selector(field(node, &["spec", "namespaceSelector"])))
    } else {
        Vec::new()
    }
}

/// A network attachment whose configuration makes it the primary network.
pub fn of_attachment(node: &SyntaxNode) -> Vec<TaintReach> {
    let config = text(node, &["spec", "config"]).unwrap_or_default();
    let words: String = config.chars().filter(|c| !c.is_whitespace()).collect();
    if words.contains("\"role\":\"primary\"") {
        primary(&own_namespace(node))
    } else {
        Vec::new()
    }
}

/// The namespace in which Istio's control plane lives by default: policies there hold for the
/// whole mesh.
const ISTIO_ROOT: &str = "istio-system";

/// Istio: `selector`; the whole mesh from the root namespace.
pub fn of_istio(node: &SyntaxNode) -> Vec<TaintReach> {
    if text(node, &["spec", "action"]) == Some("AUDIT") {
        return Vec::new();
    }
    let targeted = ["targetRef", "targetRefs"]
        .iter()
        .any(|key| field(node, &["spec", key]).is_some());
    let reach = TaintReach::own(OnlyDeny, IN);
    let reach = match field(node, &["spec", "selector"]).filter(|_| !targeted) {
        Some(selector) => reach.labelled(label_selector(Some(selector))),
        None => reach,
    };
    if text(node, &["metadata", "namespace"]) == Some(ISTIO_ROOT) {
        vec![reach.namespaces(TaintNamespaces::All)]
    } else {
        vec![reach]
    }
}

/// Istio's `Sidecar`: what a client knows, where it goes to nothing else (IS60).
pub fn of_sidecar(node: &SyntaxNode) -> Vec<TaintReach> {
    let mode = text(node, &["spec", "outboundTrafficPolicy", "mode"]);
    if mode != Some("REGISTRY_ONLY") {
        return Vec::new();
    }
    let reach = meshes::deny_egress(node);
    let labels = field(node, &["spec", "workloadSelector", "labels"]);
    let reach = match labels.map(SyntaxNode::entries) {
        Some(entries) => {
            let label = |e: &crate::tree::Entry| {
                let value = e.value.as_str().unwrap_or_default();
                Requirement::In(e.key.clone(), vec![value.into()])
            };
            reach.labelled(Selector::new(entries.iter().map(label)))
        }
        None => reach,
    };
    if text(node, &["metadata", "namespace"]) == Some(ISTIO_ROOT) {
        return vec![reach.namespaces(TaintNamespaces::All)];
    }
    vec![reach]
}

/// Linkerd's `Server`: `podSelector`.
pub fn of_linkerd_server(node: &SyntaxNode) -> Vec<TaintReach> {
    let pods = label_selector(field(node, &["spec", "podSelector"]));
    vec![TaintReach::own(OnlyDeny, IN).labelled(pods)]
}

/// NSX: `appliedTo` of the policy or of each rule, `direction` of each rule.
pub fn of_nsx(node: &SyntaxNode) -> Vec<TaintReach> {
    let Some(spec) = spec(node) else {
        return anything(node);
    };
    if spec.get("rules").is_none() {
        return anything(node);
    }
    let whole = items(spec, &["appliedTo"]);
    let mut all = Vec::new();
    for rule in items(spec, &["rules"]) {
        let directions = match text(rule, &["direction"])
            .map(str::to_ascii_lowercase)
            .as_deref()
        {
            Some("in" | "ingress") => IN,
            Some("out" | "egress") => OUT,
            _ => BOTH,
        };
        all.extend(of_rule(rule, whole, directions));
    }
    all.dedup();
    all
}

/// Whether a `NetworkPolicy` is written as Kubernetes' own, and not as another group's.
pub fn is_plain(node: &SyntaxNode) -> bool {
    let other = [
        "selector",
        "types",
        "order",
        "appliedTo",
        "priority",
        "tier",
    ];
    spec(node).is_some_and(|spec| other.iter().all(|key| spec.get(key).is_none()))
}
