//! Random objects of Cilium: policies of both kinds, a group and a Service; and settings of its
//! agent.

use super::random::{APPS, NAMESPACES, Random};
use netpal::{CiliumSettings, EnforcementMode, MatchMode};
use serde_json::{Value, json};

/// Policies of both kinds, a group, nodes and a Service.
pub fn policies(random: &mut Random) -> Vec<Value> {
    let mut all = vec![
        json!({"apiVersion": "cilium.io/v2", "kind": "CiliumCIDRGroup",
            "metadata": {"name": "partners", "labels": {"zone": "out"}},
            "spec": {"externalCIDRs": ["8.8.8.0/24", "10.0.0.0/24"]}}),
        json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "web", "namespace": "a", "labels": {"tier": "front"}},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}),
    ];
    for i in 0..=random.below(4) {
        let own = random.chance(60);
        let kind = if own {
            "CiliumNetworkPolicy"
        } else {
            "CiliumClusterwideNetworkPolicy"
        };
        let mut metadata = json!({"name": format!("cilium-{i}")});
        if own {
            metadata["namespace"] = json!(random.pick(&NAMESPACES));
        }
        let mut policy = json!({"apiVersion": "cilium.io/v2", "kind": kind, "metadata": metadata});
        if random.chance(25) {
            policy["specs"] = json!([rule(random), rule(random)]);
        } else {
            policy["spec"] = rule(random);
        }
        if !own && random.chance(30) && policy["specs"].is_null() {
            let mut of_nodes = policy["spec"].take();
            let selector = json!({"matchLabels": {"zone": random.pick(&["z1", "z2"])}});
            let selectors = [json!({}), selector];
            of_nodes.as_object_mut().unwrap().remove("endpointSelector");
            of_nodes["nodeSelector"] = random.pick(&selectors).clone();
            policy["spec"] = of_nodes;
        }
        all.push(policy);
    }
    all
}

fn rule(random: &mut Random) -> Value {
    let mut rule = json!({"endpointSelector": selector(random)});
    for (list, deny) in [
        ("ingress", false),
        ("egress", false),
        ("ingressDeny", true),
        ("egressDeny", true),
    ] {
        if random.chance(if deny { 25 } else { 60 }) {
            let count = 1 + random.below(2);
            let egress = list.starts_with("egress");
            rule[list] = (0..count).map(|_| entry(random, egress, deny)).collect();
        }
    }
    if ["ingress", "egress", "ingressDeny", "egressDeny"]
        .iter()
        .all(|list| rule[list].is_null())
    {
        rule["ingress"] = json!([{}]);
    }
    if random.chance(30) {
        let direction = *random.pick(&["ingress", "egress"]);
        rule["enableDefaultDeny"] = json!({direction: random.chance(30)});
    }
    rule
}

fn entry(random: &mut Random, egress: bool, deny: bool) -> Value {
    let field = |word: &str| format!("{}{word}", if egress { "to" } else { "from" });
    let mut entry = json!({});
    match random.below(8) {
        0 => {}
        1 | 2 => {
            let count = 1 + random.below(2);
            let items: Vec<Value> = (0..count).map(|_| selector(random)).collect();
            entry[field("Endpoints")] = json!(items);
        }
        3 | 4 => {
            let entities = [
                "all",
                "world",
                "cluster",
                "host",
                "remote-node",
                "kube-apiserver",
                "none",
                "health",
            ];
            let count = 1 + random.below(2);
            let items: Vec<&str> = (0..count).map(|_| *random.pick(&entities)).collect();
            entry[field("Entities")] = json!(items);
        }
        5 => {
            let blocks = [
                "10.0.0.0/24",
                "0.0.0.0/0",
                "8.8.8.0/24",
                "192.0.2.0/24",
                "::/0",
            ];
            entry[field("CIDR")] = json!([random.pick(&blocks)]);
        }
        6 => {
            let items = [
                json!({"cidr": "10.0.0.0/8", "except": ["10.0.0.0/24"]}),
                json!({"cidrGroupRef": "partners"}),
                json!({"cidrGroupSelector": {"matchLabels": {"zone": "out"}}}),
                json!({"cidrGroupSelector": {}}),
            ];
            entry[field("CIDRSet")] = json!([random.pick(&items)]);
        }
        _ if egress && !deny && random.chance(50) => {
            entry["toFQDNs"] = json!([{"matchPattern": "*.example.com"}]);
        }
        _ if egress => {
            let name = *random.pick(&["web", "nobody"]);
            entry["toServices"] = json!([{"k8sService": {"serviceName": name, "namespace": "a"}}]);
        }
        _ => entry[field("Endpoints")] = json!([{}]),
    }
    match random.below(6) {
        0 | 1 => {
            let ports = [
                json!({"port": "80", "protocol": "TCP"}),
                json!({"port": "8080"}),
                json!({"port": "http"}),
                json!({"port": "http", "endPort": 90}),
                json!({"port": "80", "endPort": 8080, "protocol": "TCP"}),
                json!({"port": "0", "protocol": "ANY"}),
            ];
            entry["toPorts"] = json!([{"ports": [random.pick(&ports)]}]);
        }
        2 if !deny => {
            let mut ports = json!({"ports": [{"port": "80", "protocol": "TCP"}]});
            if random.chance(60) {
                ports["rules"] = json!({"http": [{"method": "GET"}]});
            } else if random.chance(50) {
                ports["serverNames"] = json!(["api.example.com"]);
            }
            entry["toPorts"] = json!([ports]);
        }
        3 => entry["icmps"] = json!([{"fields": [{"type": 8}]}]),
        _ => {}
    }
    if !deny && random.chance(10) {
        entry["authentication"] =
            json!({"mode": *random.pick(&["required", "disabled", "test-always-fail"])});
    }
    entry
}

fn selector(random: &mut Random) -> Value {
    let app = *random.pick(&APPS);
    match random.below(9) {
        0 | 1 => json!({}),
        2 => json!({"matchLabels": {"k8s:io.kubernetes.pod.namespace": random.pick(&NAMESPACES)}}),
        3 => json!({"matchExpressions": [
            {"key": "io.kubernetes.pod.namespace", "operator": "NotIn", "values": ["a"]},
            {"key": "app", "operator": "NotIn", "values": [app]}]}),
        4 => json!({"matchExpressions": [
            {"key": "reserved:host", "operator": "DoesNotExist"}]}),
        5 => json!({"matchLabels": {"io.cilium.k8s.namespace.labels.team": "blue", "app": app}}),
        6 => {
            json!({"matchExpressions": [{"key": "pod-template-hash", "operator": "DoesNotExist"}]})
        }
        _ => json!({"matchLabels": {"app": app}}),
    }
}

pub fn settings(random: &mut Random) -> CiliumSettings {
    CiliumSettings {
        enforcement: random
            .chance(15)
            .then(|| *random.pick(&[EnforcementMode::Always, EnforcementMode::Never])),
        match_mode: random.chance(25).then(|| MatchMode {
            nodes: random.chance(60),
            pods: random.chance(40),
        }),
        local_cluster: random.chance(25).then_some(false),
        dual_stack: random.chance(20).then_some(true),
        host_firewall: random.chance(40).then_some(true),
        ..CiliumSettings::default()
    }
}
