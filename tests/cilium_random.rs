//! Cilium on random clusters: the specification, both graphs, rows, explanations, lists and diffs
//! agree about every flow, with policies of Cilium beside those of Kubernetes.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

#[allow(dead_code)]
mod common {
    pub mod cilium_objects;
    pub mod engines;
    pub mod random;
}

use common::cilium_objects::{policies, settings};
use common::engines::{self, OUTSIDE, Tally};
use common::random::{self, PORTS, Random};
use netpal::{
    AllowGraph, CiliumSettings, CniProfile, CompileOptions, DiffSide, Endpoint, Flow, HostNetwork,
    Input, LoadOptions, Plugin, Protocol, Source, Traffic, Truth, diff,
};
use serde_json::Value;

const CLUSTERS: u64 = 6;

fn load(documents: &[Value]) -> Input {
    let options = LoadOptions {
        cilium: Some(CiliumSettings::default()),
        ..LoadOptions::default()
    };
    let text = Source::Text("t.yaml".into(), random::text(documents).into());
    netpal::load_sources(&[text], &[], &options).unwrap()
}

fn flows(input: &Input) -> Vec<Flow> {
    let mut outside = OUTSIDE.to_vec();
    outside.extend(["192.168.1.1", "203.0.113.1"]); // of nodes
    engines::flows(input, &outside, &engines::tcp_and_echo(&PORTS))
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
