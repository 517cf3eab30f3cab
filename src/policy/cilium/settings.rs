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

/// The settings of a `CiliumNodeConfig`, if it is for every node.
pub fn of_node_config(node: &SyntaxNode) -> CiliumSettings {
    let spec = node.get("spec");
    let selector = spec.and_then(|spec| spec.get("nodeSelector"));
    let labels = ["matchLabels", "matchExpressions"];
    let narrow = selector.is_some_and(|selector| {
        let asks = |key: &&str| {
            let part = selector.get(key);
            part.is_some_and(|p| !p.entries().is_empty() || !p.items().is_empty())
        };
        labels.iter().any(asks)
    });
    if narrow {
        return CiliumSettings::default();
    }
    of_options(spec.and_then(|spec| spec.get("defaults")))
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
