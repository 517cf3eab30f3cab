//! Random clusters as `kubectl get -o json` shows them: pods with addresses and nodes, pods on
//! their node's network, Services of every type, what is listed for those without selectors, and
//! policies about all of it.

use crate::questions::Dice;
use serde_json::{Value, json};

const NODES: usize = 3;
const SPACES: [&str; 3] = ["shop", "data", "edge"];
const APPS: [&str; 5] = ["web", "api", "db", "job", "proxy"];

/// A cluster of a seed, as a List.
pub fn cluster(seed: u64) -> Value {
    let mut dice = Dice::new(seed);
    // of some clusters addresses are told, of some in part, of some both families
    let told = dice.roll(3);
    let dual = dice.roll(3) == 0;
    let placed = dice.roll(4) > 0;
    let mut items = Vec::new();
    for space in SPACES {
        items.push(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space, "labels": {"team": space}}}));
    }
    if dice.roll(4) > 0 {
        for n in 0..NODES {
            items.push(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": format!("node-{n}")},
                "status": {"addresses": [{"type": "InternalIP", "address": format!("10.0.0.{n}")}]}}));
        }
    }
    for i in 0..6 + dice.roll(8) {
        let mut pod = pod(&mut dice, i, told, dual);
        if !placed {
            pod["spec"]["nodeName"].take();
        }
        items.push(pod);
    }
    for i in 0..dice.roll(3) {
        items.push(controller(&mut dice, i));
    }
    if placed {
        replicas(&mut dice, told, &mut items);
    }
    for i in 0..dice.roll(4) {
        items.push(tiered(&mut dice, i));
    }
    for i in 0..2 + dice.roll(6) {
        service(&mut dice, i, &mut items);
    }
    for i in 0..2 + dice.roll(6) {
        items.push(policy(&mut dice, i));
    }
    if seed.is_multiple_of(3) {
        calico(&mut dice, &mut items);
    }
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}

/// A host endpoint, and a policy of Calico that is asked there and at pods.
fn calico(dice: &mut Dice, items: &mut Vec<Value>) {
    let version = "projectcalico.org/v3";
    items.push(json!({"apiVersion": version, "kind": "HostEndpoint", "metadata": {"name": "node-0-eth0", "labels": {"host": "yes"}},
        "spec": {"node": "node-0", "interfaceName": "eth0", "expectedIPs": ["10.0.0.0"]}}));
    let selector = one(dice, &["host == 'yes'", "all()", "app == 'web'"]);
    let action = one(dice, &["Allow", "Deny"]);
    items.push(json!({"apiVersion": version, "kind": "GlobalNetworkPolicy", "metadata": {"name": "at-hosts"},
        "spec": {"selector": selector, "order": 1, "applyOnForward": true, "types": ["Ingress", "Egress"],
            "ingress": [{"action": action, "source": {"nets": ["10.0.0.0/16", "203.0.113.0/24"]}}], "egress": [{"action": "Allow"}]}}));
}

fn one<'a>(dice: &mut Dice, list: &[&'a str]) -> &'a str {
    list[dice.roll(list.len())]
}

fn containers(dice: &mut Dice) -> Value {
    let ports = [
        json!([]),
        json!([{"name": "http", "containerPort": 8080}]),
        json!([{"name": "http", "containerPort": 80}, {"name": "dns", "containerPort": 53, "protocol": "UDP"}]),
        json!([{"containerPort": 5432}]),
    ];
    json!([{"name": "c", "ports": ports[dice.roll(ports.len())]}])
}

fn pod(dice: &mut Dice, i: usize, told: usize, dual: bool) -> Value {
    let app = one(dice, &APPS);
    let (host, node) = (dice.roll(6) == 0, dice.roll(NODES));
    let mut spec = json!({"containers": containers(dice)});
    if dice.roll(4) > 0 {
        spec["nodeName"] = json!(format!("node-{node}"));
    }
    if host {
        spec["hostNetwork"] = json!(true);
    }
    if app == "db" {
        spec["hostname"] = json!(format!("db-{i}"));
        spec["subdomain"] = json!("db");
    }
    let mut status = json!({"phase": "Running"});
    if told > 0 && (told > 1 || dice.roll(2) == 0) {
        let own = if host {
            format!("10.0.0.{node}")
        } else {
            format!("10.244.{node}.{i}")
        };
        status["podIP"] = json!(own);
        status["podIPs"] = json!([{"ip": own}]);
        if dual && !host && dice.roll(2) == 0 {
            status["podIPs"] = json!([{"ip": own}, {"ip": format!("fd00:1::{i}")}]);
        }
        let ready = if dice.roll(6) == 0 { "False" } else { "True" };
        status["conditions"] = json!([{"type": "Ready", "status": ready}]);
    }
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": format!("{app}-{i}"), "namespace": one(dice, &SPACES), "labels": {"app": app, "n": format!("{}", i % 3)}},
        "spec": spec, "status": status})
}

/// Pods of a controller as they run: each with an address of its own, alike but for their names.
fn replicas(dice: &mut Dice, told: usize, items: &mut Vec<Value>) {
    let (app, space) = (one(dice, &APPS), one(dice, &SPACES));
    let containers = containers(dice);
    let kind = one(dice, &["StatefulSet", "ReplicaSet"]);
    for i in 0..dice.roll(4) {
        let mut status = json!({"phase": "Running"});
        if told > 0 {
            status["podIP"] = json!(format!("10.244.9.{i}"));
        }
        let owner = json!({"apiVersion": "apps/v1", "kind": kind, "name": app, "controller": true, "uid": "u"});
        items.push(json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": format!("{app}-{i}"), "namespace": space, "labels": {"app": app, "n": format!("{}", i % 2)}, "ownerReferences": [owner]},
            "spec": {"containers": containers, "nodeName": format!("node-{}", i % NODES)}, "status": status}));
    }
}

/// A policy of the cluster, before or behind those of namespaces.
fn tiered(dice: &mut Dice, i: usize) -> Value {
    let subject = match dice.roll(2) {
        0 => json!({"namespaces": {}}),
        _ => {
            json!({"pods": {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": one(dice, &APPS)}}}})
        }
    };
    let rule = |dice: &mut Dice, way: &str| {
        let action = one(dice, &["Accept", "Deny", "Pass"]);
        let peer = json!({"namespaces": {"matchLabels": {"team": one(dice, &SPACES)}}});
        let mut rule = json!({"name": "r", "action": action, way: [peer]});
        if dice.roll(2) == 0 {
            rule["protocols"] = json!([{"tcp": {"destinationPort": {"number": 8080}}}]);
        }
        rule
    };
    let (ingress, egress) = (rule(dice, "from"), rule(dice, "to"));
    let tier = one(dice, &["Admin", "Baseline"]);
    json!({"apiVersion": "policy.networking.k8s.io/v1alpha2", "kind": "ClusterNetworkPolicy", "metadata": {"name": format!("t{i}")},
        "spec": {"tier": tier, "priority": i, "subject": subject, "ingress": [ingress], "egress": [egress]}})
}

fn controller(dice: &mut Dice, i: usize) -> Value {
    let app = one(dice, &APPS);
    let kind = one(dice, &["Deployment", "StatefulSet", "DaemonSet"]);
    json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": if i == 0 { app.to_owned() } else { format!("{app}{i}") }, "namespace": one(dice, &SPACES)},
        "spec": {"replicas": 1 + dice.roll(3), "serviceName": "db", "selector": {"matchLabels": {"app": app}},
            "template": {"metadata": {"labels": {"app": app, "n": "9"}}, "spec": {"containers": containers(dice), "hostNetwork": dice.roll(6) == 0}}}})
}

fn service(dice: &mut Dice, i: usize, items: &mut Vec<Value>) {
    let (app, space) = (one(dice, &APPS), one(dice, &SPACES));
    let name = if dice.roll(2) == 0 {
        app.to_owned()
    } else {
        format!("{app}-svc-{i}")
    };
    let target = [json!(8080), json!("http"), json!(80)][dice.roll(3)].clone();
    let mut port = json!({"name": "main", "port": 80, "targetPort": target});
    let mut spec = json!({"selector": {"app": app}});
    match dice.roll(8) {
        0 => spec["clusterIP"] = json!("None"),
        1 => spec["type"] = json!("NodePort"),
        2 => {
            spec["type"] = json!("LoadBalancer");
            spec["externalIPs"] = json!(["203.0.113.80"]);
        }
        3 => {
            let outside = one(dice, &["pay.example.com", "web.shop.svc.cluster.local"]);
            spec = json!({"type": "ExternalName", "externalName": outside});
        }
        4 => {
            spec = json!({});
            items.push(json!({"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": name, "namespace": space},
                "subsets": [{"addresses": [{"ip": "10.244.1.2"}, {"ip": "192.0.2.7"}], "ports": [{"name": "main", "port": 9000}]}]}));
        }
        5 | 6 => spec["internalTrafficPolicy"] = json!("Local"),
        _ => {}
    }
    if dice.roll(2) == 0 && spec.get("clusterIP").is_none() {
        spec["clusterIP"] = json!(format!("10.96.0.{}", 10 + i));
    }
    if dice.roll(3) == 0 {
        port["nodePort"] = json!(30000 + i);
    }
    if dice.roll(4) == 0 && spec.get("type") != Some(&json!("ExternalName")) {
        let families = [json!(["IPv4"]), json!(["IPv6"]), json!(["IPv4", "IPv6"])];
        spec["ipFamilies"] = families[dice.roll(3)].clone();
    }
    let more = json!({"name": "other", "port": 5432, "targetPort": 5432});
    spec["ports"] = if dice.roll(2) == 0 {
        json!([port, more])
    } else {
        json!([port])
    };
    items.push(json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": space}, "spec": spec}));
}

fn policy(dice: &mut Dice, i: usize) -> Value {
    let blocks = [
        "0.0.0.0/0",
        "10.96.0.0/16",
        "10.244.0.0/16",
        "10.0.0.0/24",
        "10.0.0.1/32",
        "192.0.2.0/24",
        "::/0",
        "fd00:1::/64",
    ];
    let mut rules = |word: &str| {
        let rule = |dice: &mut Dice| {
            let peer = match dice.roll(4) {
                0 => json!({"podSelector": {"matchLabels": {"app": one(dice, &APPS)}}}),
                1 => json!({"namespaceSelector": {"matchLabels": {"team": one(dice, &SPACES)}}}),
                2 => {
                    json!({"namespaceSelector": {}, "podSelector": {"matchLabels": {"n": format!("{}", dice.roll(3))}}})
                }
                _ => json!({"ipBlock": {"cidr": blocks[dice.roll(blocks.len())]}}),
            };
            let ports = [
                json!([{"port": 8080}]),
                json!([{"port": "http"}]),
                json!([{"port": 53, "protocol": "UDP"}]),
                json!([{"port": 80}, {"port": 5000, "endPort": 6000}]),
            ];
            let mut rule = json!({word: [peer]});
            if dice.roll(3) > 0 {
                rule["ports"] = ports[dice.roll(ports.len())].clone();
            }
            rule
        };
        let many = dice.roll(3);
        (0..many).map(|_| rule(dice)).collect::<Vec<_>>()
    };
    let (ingress, egress) = (rules("from"), rules("to"));
    let mut spec = json!({"podSelector": {}});
    if dice.roll(3) > 0 {
        spec["podSelector"] = json!({"matchLabels": {"app": one(dice, &APPS)}});
    }
    let way = dice.roll(3);
    if way != 1 {
        spec["ingress"] = json!(ingress);
    }
    if way != 0 {
        spec["egress"] = json!(egress);
    }
    spec["policyTypes"] = [
        json!(["Ingress"]),
        json!(["Egress"]),
        json!(["Ingress", "Egress"]),
    ][way]
        .clone();
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": format!("p{i}"), "namespace": one(dice, &SPACES)}, "spec": spec})
}
