//! Options of Cilium's agent where the input shows them: the `ConfigMap` `cilium-config`, and a
//! `CiliumNodeConfig` for every node.

use crate::policy::cilium::options::{CiliumSettings, EnforcementMode, MatchMode};
use crate::tree::SyntaxNode;

/// The name of the `ConfigMap` that the agent reads.
pub const CONFIG_MAP: &str = "cilium-config";

/// The settings of a `ConfigMap` of the agent.
pub fn of_config_map(node: &SyntaxNode) -> CiliumSettings {
    of_options(node.get("data"))
}

/// Options that change what policies mean and are not modelled, where the agent has other values
/// than by default: the labels of identities (CI21), and kinds of policies that are not read.
pub fn unmodelled_option(node: &SyntaxNode) -> Option<&'static str> {
    const ON: [&str; 4] = [
        "enable-non-default-deny-policies",
        "enable-k8s-networkpolicy",
        "enable-cilium-network-policy",
        "enable-cilium-clusterwide-network-policy",
    ];
    let data = node
        .get("data")
        .or_else(|| node.get("spec")?.get("defaults"))?;
    let word = |key: &str| data.get(key).and_then(SyntaxNode::as_str);
    let off = ON.into_iter().find(|key| word(key) == Some("false"));
    let labels = word("labels").is_some_and(|labels| !labels.trim().is_empty());
    off.or(labels.then_some("labels"))
}

/// Whether a `CiliumNodeConfig` sets options that change verdicts on some nodes alone.
pub fn is_of_some_nodes(node: &SyntaxNode) -> bool {
    let options = node.get("spec").and_then(|spec| spec.get("defaults"));
    is_narrow(node) && of_options(options) != CiliumSettings::default()
}

/// The settings of a `CiliumNodeConfig`, if it is for every node.
pub fn of_node_config(node: &SyntaxNode) -> CiliumSettings {
    if is_narrow(node) {
        return CiliumSettings::default();
    }
    of_options(node.get("spec").and_then(|spec| spec.get("defaults")))
}

fn is_narrow(node: &SyntaxNode) -> bool {
    let selector = node.get("spec").and_then(|spec| spec.get("nodeSelector"));
    let labels = ["matchLabels", "matchExpressions"];
    selector.is_some_and(|selector| {
        let asks = |key: &&str| {
            let part = selector.get(key);
            part.is_some_and(|p| !p.entries().is_empty() || !p.items().is_empty())
        };
        labels.iter().any(asks)
    })
}

fn of_options(options: Option<&SyntaxNode>) -> CiliumSettings {
    let word = |key: &str| options?.get(key)?.as_str();
    let flag = |key: &str| match word(key)? {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    };
    let (four, six) = (flag("enable-ipv4"), flag("enable-ipv6"));
    CiliumSettings {
        enforcement: word("enable-policy").and_then(|mode| match mode {
            "default" => Some(EnforcementMode::Default),
            "always" => Some(EnforcementMode::Always),
            "never" => Some(EnforcementMode::Never),
            _ => None,
        }),
        match_mode: word("policy-cidr-match-mode").map(|list| {
            let has = |mode| list.split([',', ' ']).any(|word| word == mode);
            MatchMode {
                nodes: has("nodes"),
                pods: has("pods"),
            }
        }),
        host_firewall: flag("enable-host-firewall"),
        node_labels: flag("enable-node-selector-labels"),
        local_cluster: flag("policy-default-local-cluster"),
        cluster: word("cluster-name").map(Into::into),
        allow_localhost: word("allow-localhost").map(|when| when != "policy"),
        dual_stack: six.map(|six| six && four.unwrap_or(true)),
        cluster_network_policy: flag("enable-k8s-cluster-network-policy"),
        ..CiliumSettings::default()
    }
}
