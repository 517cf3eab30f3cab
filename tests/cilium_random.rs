//! Cilium on random clusters: the specification, both graphs, rows, explanations, lists and diffs
//! agree about every flow, with policies of Cilium beside those of Kubernetes.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

#[allow(dead_code)]
mod common {
    pub mod engines;
    pub mod random;
}

use common::engines::{self, OUTSIDE, Tally};
use common::random::{self, APPS, NAMESPACES, PORTS, Random};
use netpal::{
    AllowGraph, CiliumSettings, CniProfile, CompileOptions, DiffSide, Endpoint, EnforcementMode,
    Flow, HostNetwork, Input, LoadOptions, MatchMode, Plugin, Protocol, Source, Traffic, Truth,
    diff,
};
use serde_json::{Value, json};

const CLUSTERS: u64 = 10;

/// Policies of both kinds, a group, nodes and a Service.
fn policies(random: &mut Random) -> Vec<Value> {
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

fn settings(random: &mut Random) -> CiliumSettings {
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
        host_firewall: random.chance(15).then_some(true),
        ..CiliumSettings::default()
    }
}

fn load(documents: &[Value]) -> Input {
    let options = LoadOptions {
        cilium: Some(CiliumSettings::default()),
        ..LoadOptions::default()
    };
    let text = Source::Text("t.yaml".into(), random::text(documents).into());
    netpal::load_sources(&[text], &[], &options).unwrap()
}

fn flows(input: &Input) -> Vec<Flow> {
    engines::flows(input, &OUTSIDE, &engines::tcp_and_echo(&PORTS))
}

#[test]
fn policies_of_cilium_mean_the_same_to_every_engine() {
    let first = std::env::var("NETPAL_SEED").map_or(0, |n| n.parse().unwrap());
    let clusters = std::env::var("NETPAL_CLUSTERS").map_or(CLUSTERS, |n| n.parse().unwrap());
    let tallies = random::on_all_cores(first..first + clusters, |seed| {
        let mut random = Random::new(seed);
        let documents = random::documents(&mut random);
        let mut with_cilium = documents.clone();
        with_cilium.extend(policies(&mut random));
        let settings = settings(&mut random);
        if std::env::var_os("NETPAL_SHOW").is_some() {
            println!("{}\n{settings:?}", random::text(&with_cilium));
        }
        let (before, after) = (load(&documents), load(&with_cilium));
        let profile = CniProfile::find("cilium").unwrap();
        let mut options = profile.apply(CompileOptions::default());
        options.plugin = Plugin::Cilium(Box::new(settings));
        if random.chance(20) {
            options.host_network = *random.pick(&[HostNetwork::Unknown, HostNetwork::Pod]);
        }
        Tally::of((&before, &after), &options, flows(&after), seed)
    });
    let tally = Tally::sum(tallies);
    println!("{}", tally.words());
    assert!(tally.changed * 4 > tally.clusters);
}

/// A pod, a policy that names a group and a Service, and both.
fn served(block: &str, app: &str) -> Input {
    netpal::load_str(&format!(
        "
apiVersion: v1
kind: Namespace
metadata: {{name: shop}}
---
apiVersion: v1
kind: Pod
metadata: {{name: web, namespace: shop, labels: {{app: web}}}}
spec: {{nodeName: n1, containers: [{{name: c, image: i}}]}}
---
apiVersion: v1
kind: Pod
metadata: {{name: db, namespace: shop, labels: {{app: db}}}}
spec: {{nodeName: n1, containers: [{{name: c, image: i}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: store, namespace: shop}}
spec: {{selector: {{app: {app}}}, ports: [{{port: 80}}]}}
---
apiVersion: cilium.io/v2
kind: CiliumCIDRGroup
metadata: {{name: partners}}
spec: {{externalCIDRs: [\"{block}\"]}}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {{name: web, namespace: shop}}
spec:
  endpointSelector: {{matchLabels: {{app: web}}}}
  egress:
  - toCIDRSet: [{{cidrGroupRef: partners}}]
  - toServices: [{{k8sService: {{serviceName: store, namespace: shop}}}}]
"
    ))
}

/// Policies that are the same to the letter mean something else where what they name changes.
#[test]
fn a_group_or_a_service_that_changes_is_a_change() {
    let before = served("198.51.100.0/24", "db");
    let old = AllowGraph::compile(&before, &CompileOptions::default()).unwrap();
    for (block, app, changes) in [
        ("198.51.100.0/24", "db", false),
        ("203.0.113.0/24", "db", true),
        ("198.51.100.0/24", "nobody", true),
    ] {
        let after = served(block, app);
        let new = AllowGraph::compile(&after, &CompileOptions::default()).unwrap();
        let sides = [(&before, &old), (&after, &new)];
        let [before, after] = sides.map(|(input, graph)| DiffSide { input, graph });
        assert_eq!(
            !diff(before, after).changes.is_empty(),
            changes,
            "{block} {app}"
        );
    }
}

/// Options of the agent are read from the input, however its objects are written.
#[test]
fn options_in_the_input_count() {
    let closed = "
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, image: i}]}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web, namespace: shop}
spec: {endpointSelector: {}, ingress: [{}]}
---
";
    let block = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: cilium-config\ndata:\n  enable-policy: never\n";
    let flow = "{apiVersion: v1, kind: ConfigMap, metadata: {name: cilium-config}, data: {enable-policy: never}}\n";
    let beside = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cilium-config}\ndata: {enable-policy: never}\n";
    let node = "{apiVersion: cilium.io/v2, kind: CiliumNodeConfig, metadata: {name: a}, spec: {nodeSelector: {}, defaults: {enable-policy: never}}}\n";
    let one = "{apiVersion: cilium.io/v2, kind: CiliumNodeConfig, metadata: {name: a}, spec: {nodeSelector: {matchLabels: {a: b}}, defaults: {enable-policy: never}}}\n";
    for (object, open) in [
        ("", false),
        (block, true),
        (flow, true),
        (beside, true),
        (node, true),
        (one, false),
    ] {
        let input = netpal::load_str(&format!("{closed}{object}"));
        let graph = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
        let (pod, _) = input.cluster.pods().next().unwrap();
        let flow = Flow {
            source: Endpoint::Address("198.51.100.7".parse().unwrap()),
            destination: Endpoint::Pod(pod),
            traffic: Traffic {
                protocol: Protocol::Tcp,
                port: 80,
            },
        };
        assert_eq!(graph.verdict(&flow) == Truth::Yes, open, "{object}");
    }
}
