//! Random objects of Antrea: tiers, groups, Services and policies.

use super::random::{APPS, NAMESPACES, PORTS, Random};
use serde_json::{Value, json};

/// Tiers, groups, Services and policies.
pub fn objects(random: &mut Random) -> Vec<Value> {
    let api = "crd.antrea.io/v1beta1";
    let mut all = vec![
        json!({"apiVersion": api, "kind": "Tier", "metadata": {"name": "first"},
            "spec": {"priority": 20, "description": "asked first"}}),
        json!({"apiVersion": api, "kind": "Tier", "metadata": {"name": "late"},
            "spec": {"priority": 240}}),
        json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "web", "namespace": "a"},
            "spec": {"selector": {"app": "web"}, "clusterIP": "192.168.7.7",
                "ports": [{"port": 80, "targetPort": 8080}]}}),
        json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "untold", "namespace": "a"},
            "spec": {"selector": {"app": "db"}, "ports": [{"port": 5432}]}}),
    ];
    for (kind, namespace) in [("ClusterGroup", None), ("Group", Some("a"))] {
        for (name, spec) in groups(random) {
            let mut metadata = json!({"name": name});
            if let Some(namespace) = namespace {
                metadata["namespace"] = json!(namespace);
            }
            let is_of_cluster = spec.get("nodeSelector").is_some();
            if namespace.is_none() || !is_of_cluster {
                all.push(
                    json!({"apiVersion": api, "kind": kind, "metadata": metadata,
                    "spec": spec}),
                );
            }
        }
    }
    for i in 0..=random.below(6) {
        all.push(policy(random, i));
    }
    all
}

const GROUPS: [&str; 6] = ["pods", "blocks", "nodes", "behind", "parent", "nowhere"];

fn groups(random: &mut Random) -> Vec<(&'static str, Value)> {
    vec![
        ("pods", json!({"podSelector": pods(random)})),
        (
            "blocks",
            json!({"ipBlocks": [{"cidr": "8.8.8.0/24"}, {"cidr": "10.0.0.0/24", "except": ["10.0.0.2/32"]}]}),
        ),
        (
            "nodes",
            json!({"nodeSelector": {"matchLabels": {"kubernetes.io/os": "linux"}}}),
        ),
        (
            "behind",
            json!({"serviceReference": {"name": "web", "namespace": "a"}}),
        ),
        (
            "parent",
            json!({"childGroups": ["pods", "blocks", "nowhere"]}),
        ),
    ]
}

fn pods(random: &mut Random) -> Value {
    match random.below(4) {
        0 => json!({}),
        1 => json!({"matchExpressions": [{"key": "app", "operator": "Exists"}]}),
        2 => json!({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["db"]}]}),
        _ => json!({"matchLabels": {"app": random.pick(&APPS)}}),
    }
}

fn namespaces(random: &mut Random) -> Value {
    match random.below(3) {
        0 => json!({}),
        1 => json!({"matchExpressions": [{"key": "team", "operator": "Exists"}]}),
        _ => json!({"matchLabels": {"kubernetes.io/metadata.name": random.pick(&NAMESPACES)}}),
    }
}

fn policy(random: &mut Random, i: usize) -> Value {
    let own = random.chance(45);
    let kind = if own {
        "NetworkPolicy"
    } else {
        "ClusterNetworkPolicy"
    };
    let version = *random.pick(&["crd.antrea.io/v1beta1", "crd.antrea.io/v1alpha1"]);
    let mut metadata = json!({"name": format!("antrea-{i}")});
    if own {
        metadata["namespace"] = json!(random.pick(&NAMESPACES));
    }
    // few priorities, so that many are equal
    let mut spec = json!({"priority": random.pick(&[1.0, 1.0, 5.0, 5.5])});
    let mut tier = "application";
    if random.chance(50) {
        let all = [
            "first",
            "late",
            "emergency",
            "securityops",
            "baseline",
            "gone",
        ];
        tier = *random.pick(&all);
        spec["tier"] = json!(tier);
    }
    let in_rules = random.chance(25);
    if !in_rules {
        spec["appliedTo"] = applied_to(random, own);
    }
    for list in ["ingress", "egress"] {
        if random.chance(70) {
            let rules = (0..=random.below(3)).map(|_| {
                let mut rule = rule(random, own, list == "egress", tier);
                if in_rules {
                    rule["appliedTo"] = applied_to(random, own);
                }
                rule
            });
            spec[list] = rules.collect();
        }
    }
    json!({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec})
}

fn applied_to(random: &mut Random, own: bool) -> Value {
    let entries = (0..=random.below(2)).map(|_| match random.below(if own { 7 } else { 9 }) {
        0 => json!({}),
        1 => json!({"group": random.pick(&GROUPS)}),
        2 => json!({"serviceAccount": {"name": "default", "namespace": random.pick(&NAMESPACES)}}),
        3 => json!({"service": {"name": "web", "namespace": "a"}}),
        4..7 => json!({"podSelector": pods(random)}),
        7 => json!({"namespaceSelector": namespaces(random)}),
        _ => json!({"podSelector": pods(random), "namespaceSelector": namespaces(random)}),
    });
    entries.collect()
}

fn rule(random: &mut Random, own: bool, egress: bool, tier: &str) -> Value {
    let actions = ["Allow", "Allow", "Drop", "Drop", "Reject", "Pass"];
    let action = *random.pick(&actions);
    let action = if tier == "baseline" && action == "Pass" {
        "Drop"
    } else {
        action
    };
    let mut rule = json!({"action": action, "enableLogging": true});
    if egress && random.chance(12) {
        let name = random.pick(&["web", "untold", "missing"]);
        rule["toServices"] = json!([{"name": name, "namespace": "a"}]);
        return rule;
    }
    if random.chance(70) {
        let word = if egress { "to" } else { "from" };
        let peers = (0..=random.below(2)).map(|_| peer(random, own, egress));
        rule[word] = peers.collect();
    }
    if random.chance(50) {
        rule["ports"] = (0..=random.below(2)).map(|_| port(random)).collect();
    }
    if random.chance(15) {
        let all = [
            json!({"icmp": {}}),
            json!({"icmp": {"icmpType": 8}}),
            json!({"igmp": {}}),
        ];
        rule["protocols"] = json!([random.pick(&all)]);
    }
    if action == "Allow" && random.chance(10) {
        rule["l7Protocols"] = json!([{"http": {"method": "GET"}}]);
    }
    rule
}

fn port(random: &mut Random) -> Value {
    let mut port = json!({"protocol": random.pick(&["TCP", "TCP", "UDP"])});
    match random.below(4) {
        0 => {}
        1 => port["port"] = json!(random.pick(&["http", "dns", "metrics"])),
        2 => {
            port["port"] = json!(1);
            port["endPort"] = json!(100);
        }
        _ => port["port"] = json!(random.pick(&PORTS)),
    }
    if random.chance(20) {
        port["sourcePort"] = json!(1);
        port["sourceEndPort"] = json!(random.pick(&[80, 60_000]));
    }
    port
}

fn peer(random: &mut Random, own: bool, egress: bool) -> Value {
    let mut peer = match random.below(if own { 9 } else { 12 }) {
        0 => json!({}),
        1 => json!({"group": random.pick(&GROUPS)}),
        2 => json!({"serviceAccount": {"name": "default", "namespace": random.pick(&NAMESPACES)}}),
        3 => json!({"nodeSelector": {}}),
        4 if egress => json!({"fqdn": "*.example.com"}),
        4 => json!({"externalEntitySelector": {}}),
        5 => json!({"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.0.2/32"]}}),
        6 => {
            json!({"ipBlock": {"cidr": random.pick(&["8.8.8.0/24", "192.168.0.0/16", "2001:db8::/32"])}})
        }
        7 => json!({"podSelector": pods(random)}),
        8 => json!({"podSelector": pods(random), "namespaceSelector": namespaces(random)}),
        9 => json!({"namespaces": {"match": "Self"}}),
        10 => json!({"namespaces": {"match": "Self"}, "podSelector": pods(random)}),
        _ => json!({"namespaces": {"sameLabels": ["team"]}}),
    };
    if random.chance(5) {
        peer["scope"] = json!("ClusterSet");
    }
    peer
}
