//! Ground truth of the other policy APIs: a kind that is recognized and not modelled never leads to
//! a wrong yes or no. *Unknown* is right until its kind is modelled, and is counted.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

#[path = "common/ground_truth.rs"]
mod ground_truth;

use ground_truth::{Judged, Line, endpoint, lines, load_object, meta, missed, refusal, root};
use netpal::{
    AllowGraph, CiliumSettings, CniProfile, CompileOptions, Direction, Endpoint, EnforcementMode,
    Flow, HostNetwork, Input, IpSet, LoadOptions, MatchMode, Plugin, Protocol, Source, Traffic,
    Truth,
};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Cases left aside: the address of a Service on a network of its own.
const OWN_READING: [&str; 1] = ["e2e-services"];

/// A recognized kind of which netpal leaves more unknown: whether the annotation moves the policy
/// away depends on the cluster.
const UNKNOWN_TOO: [&str; 1] = ["gke-networkpolicy-of-other-network"];

fn is_left_aside(case: &Path) -> bool {
    OWN_READING.iter().any(|name| case.ends_with(name))
}

/// The cases of a suite but for those left aside.
fn cases(root: &str, suite: &str) -> Vec<PathBuf> {
    let mut all = ground_truth::cases(root, suite);
    all.retain(|case| !is_left_aside(case));
    all
}

fn compiled(case: &Path, profile: &str) -> (Input, AllowGraph) {
    let input = netpal::load([case]).unwrap();
    let profile = CniProfile::find(profile).unwrap();
    let options = profile
        .apply(CompileOptions::default())
        .host_network(HostNetwork::Node);
    let graph = AllowGraph::compile(&input, &options).unwrap();
    (input, graph)
}

/// The suites of Cilium, with the most lines that may be unknown: what is conditional, and what
/// the implementation leaves open.
const CILIUM_SUITES: [(&str, usize); 4] = [
    ("cilium_cli", 10),
    ("cilium_corner", 6),
    ("cilium_docs", 0),
    ("cilium_engine", 2),
];

/// The settings of Cilium's agent that a case presupposes.
fn cilium_settings(case: &Path) -> (CiliumSettings, Vec<IpAddr>) {
    let options = &meta(case)["options"];
    let listed = |value: &serde_json::Value, word: &str| {
        let list = value.as_array();
        list.is_some_and(|list| list.iter().any(|w| w == word)) || *value == word
    };
    let reserved = options["reserved"].as_object().into_iter().flatten();
    let settings = CiliumSettings {
        enforcement: match options["mode"].as_str() {
            Some("always") => Some(EnforcementMode::Always),
            Some("never") => Some(EnforcementMode::Never),
            _ => None,
        },
        match_mode: Some(MatchMode {
            nodes: listed(&options["cidr_match"], "nodes"),
            pods: listed(&options["cidr_match"], "pods"),
        }),
        host_firewall: options["host_firewall"].as_bool(),
        node_labels: options["node_labels"].as_bool(),
        local_cluster: options["local_cluster"].as_bool(),
        cluster: options["cluster"].as_str().map(Into::into),
        dual_stack: options["dual"].as_bool(),
        cluster_network_policy: options["kcnp"].as_bool(),
        reserved: reserved
            .map(|(address, kind)| (address.parse().unwrap(), kind.as_str().unwrap().into()))
            .collect(),
        ..CiliumSettings::default()
    };
    let servers = options["apiserver"].as_array().into_iter().flatten();
    let servers = servers.map(|a| a.as_str().unwrap().parse().unwrap());
    (settings, servers.collect())
}

/// A case of Cilium under its settings, with classes and without.
fn cilium_graphs(case: &Path) -> (Input, [AllowGraph; 2]) {
    let (settings, servers) = cilium_settings(case);
    let options = LoadOptions {
        cilium: Some(settings.clone()),
        ..LoadOptions::default()
    };
    let source = Source::Path(case.display().to_string().into());
    let input = netpal::load_sources(&[source], &[], &options).unwrap();
    let profile = CniProfile::find("cilium").unwrap();
    let options = CompileOptions {
        plugin: Plugin::Cilium(Box::new(settings)),
        api_servers: IpSet::from_cidrs(servers.into_iter().map(Into::into)),
        ..profile.apply(CompileOptions::default())
    };
    let graphs = [true, false].map(|classes| {
        let graph = AllowGraph::compile(&input, &options.clone().classes(classes)).unwrap();
        graph.verify();
        graph
    });
    (input, graphs)
}

#[test]
fn cilium_is_answered_to_the_letter() {
    let Some(root) = root() else { return };
    let mut wrong = Vec::new();
    for (suite, most) in CILIUM_SUITES {
        let (cases, mut judged) = (cases(&root, suite), Judged::default());
        for case in &cases {
            let (input, graphs) = cilium_graphs(case);
            for file in ["expected.csv", "expected_icmp.csv", "conditional.csv"] {
                for line in lines(case, file, &input) {
                    judged.add(case, &line, &graphs);
                }
            }
        }
        wrong.extend(judged.of_suite(suite, cases.len(), most));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Real repositories with policies of Cilium: every fact that is told of them.
const CILIUM_SETS: [&str; 12] = [
    "biohazard",
    "bjw-s-home-ops",
    "cilium-example-es",
    "cilium-in-action",
    "cilium-up-and-running-closed",
    "cilium-up-and-running-open",
    "cozystack-hosts",
    "cozystack-hosts-off",
    "cozystack-tenants",
    "gardener-cilium",
    "giantswarm-operator",
    "teutonet-base-cluster",
];

#[test]
fn facts_of_repositories_with_cilium_hold() {
    let Some(root) = root() else { return };
    let mut judged = Judged::default();
    for set in CILIUM_SETS {
        let case = PathBuf::from(format!("{root}/corpus/{set}"));
        let (input, graphs) = cilium_graphs(&case);
        for line in lines(&case, "facts.csv", &input) {
            judged.add(&case, &line, &graphs);
        }
    }
    let Judged {
        count,
        unknown,
        wrong,
    } = judged;
    println!("{count} facts, unknown:\n{}", unknown.join("\n"));
    assert!(wrong.is_empty() && count > 100, "{}", wrong.join("\n"));
}

/// What is wrong with the answer to an object of `cilium_validation`, if anything.
fn misjudged(case: &serde_json::Value) -> Option<String> {
    let options = LoadOptions {
        cilium: Some(CiliumSettings {
            node_labels: case["options"]["node_labels"].as_bool(),
            ..CiliumSettings::default()
        }),
        ..LoadOptions::default()
    };
    let input = load_object(&case["object"], &options);
    if case["expect"] == "accept" {
        return refusal(&input);
    }
    let field = case["field"].as_str().unwrap();
    let missed = missed(&input, &[field]);
    if missed.is_some() {
        return missed;
    }
    let effect = !input.policies.taints.is_empty()
        || input
            .policies
            .policies
            .iter()
            .any(|p| Direction::ALL.iter().any(|d| p.governs(*d)));
    let nodes = case["name"] == "nodes-without-option"; // by the option, when a graph is compiled
    (case["by"] == "agent" && effect && !nodes && !field.contains("operator"))
        .then(|| "an object that the agent refuses has an effect".to_owned())
}

#[test]
fn objects_that_cilium_refuses_are_told_with_the_field_at_fault() {
    let Some(root) = root() else { return };
    let text = std::fs::read_to_string(format!("{root}/cases/cilium_validation/cases.yaml"));
    let cases: serde_json::Value = serde_yaml::from_str(&text.unwrap()).unwrap();
    let cases = cases.as_array().unwrap();
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| Some(format!("{}: {}", case["name"], misjudged(case)?)))
        .collect();
    assert!(wrong.is_empty() && cases.len() > 50, "{}", wrong.join("\n"));
}

/// Whether a line that was conditional is decided since its kind is modelled, by what the README of
/// the cases says of it: pods are denied, and of GKE's names a port that no rule has.
fn is_decided_now(case: &Path, line: &Line) -> bool {
    let to_pod = matches!(line.flow.destination, Endpoint::Pod(_));
    let is_web = line.text.starts_with("app/web,");
    is_web && (case.ends_with("aws-application-egress") && to_pod || case.ends_with("gke-fqdn"))
}

/// A kind that is recognized makes unknown what it can touch, and leaves everything else decided.
#[test]
fn a_recognized_kind_touches_what_it_can_and_nothing_else() {
    let Some(root) = root() else { return };
    let mut wrong = Vec::new();
    for case in &cases(&root, "recognition") {
        let (input, graph) = compiled(case, "generic");
        let decided = lines(case, "expected.csv", &input);
        for line in decided
            .into_iter()
            .chain(lines(case, "conditional.csv", &input))
        {
            let got = graph.verdict(&line.flow);
            if is_decided_now(case, &line) && got == Truth::No {
                continue;
            }
            let wide = UNKNOWN_TOO.iter().any(|name| case.ends_with(name));
            if got != line.want && !(wide && got == Truth::Maybe) {
                wrong.push(format!("{}: {} -> {got:?}", case.display(), line.text));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

const NODE_AND_PODS: &str = "
apiVersion: v1
kind: Node
metadata: {name: rack-1, labels: {rack: a}}
status: {addresses: [{type: InternalIP, address: 192.0.2.21}]}
---
apiVersion: v1
kind: Node
metadata: {name: rack-2, labels: {rack: b}}
status: {addresses: [{type: InternalIP, address: 192.0.2.22}]}
---
apiVersion: v1
kind: Pod
metadata: {name: exporter, namespace: ops}
spec: {nodeName: rack-1, hostNetwork: true, containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: till, namespace: shop}
spec: {nodeName: rack-2, containers: [{name: c, image: i}]}
status: {podIP: 10.0.0.9}
---
";

/// An object that polices nodes leaves open what enters or leaves a node and the pods on its
/// network, in its directions, and nothing of other pods.
#[test]
fn what_polices_nodes_is_unknown_at_nodes_alone() {
    use Truth::{Maybe, Yes};
    let objects = [
        (
            "{apiVersion: crd.projectcalico.org/v1, kind: HostEndpoint, metadata: {name: h}, \
             spec: {node: rack-1, interfaceName: eth0}}",
            [Maybe, Maybe, Yes],
        ),
        (
            // Cilium's host firewall is off unless someone says that it is on
            "{apiVersion: cilium.io/v2, kind: CiliumClusterwideNetworkPolicy, metadata: {name: h}, \
             spec: {nodeSelector: {matchLabels: {rack: a}}, egress: [{toEntities: [all]}]}}",
            [Yes, Yes, Yes],
        ),
        (
            "{apiVersion: crd.antrea.io/v1beta1, kind: ClusterNetworkPolicy, metadata: {name: h}, \
             spec: {priority: 1, appliedTo: [{nodeSelector: {matchLabels: {rack: a}}}], \
             ingress: [{action: Drop}]}}",
            [Maybe, Yes, Yes],
        ),
        (
            "{apiVersion: ingressnodefirewall.openshift.io/v1alpha1, kind: IngressNodeFirewall, \
             metadata: {name: h}, spec: {nodeSelector: {matchLabels: {rack: a}}}}",
            [Maybe, Yes, Yes],
        ),
    ];
    for (object, [into, out_of, between]) in objects {
        let input = netpal::load_str(&format!("{NODE_AND_PODS}{object}\n"));
        let options = CompileOptions::default().host_network(HostNetwork::Node);
        let graph = AllowGraph::compile(&input, &options).unwrap();
        let verdict = |from: &str, to: &str| {
            let [source, destination] = [from, to].map(|end| endpoint(&input, end).unwrap());
            let traffic = Traffic {
                protocol: Protocol::Tcp,
                port: 9100,
            };
            graph.verdict(&Flow {
                source,
                destination,
                traffic,
            })
        };
        for node in ["192.0.2.21", "ops/exporter"] {
            assert_eq!(verdict("198.51.100.7", node), into, "into {node}: {object}");
            assert_eq!(
                verdict(node, "198.51.100.7"),
                out_of,
                "out of {node}: {object}"
            );
        }
        if !object.contains("HostEndpoint") {
            assert_eq!(verdict("198.51.100.7", "shop/till"), between, "{object}");
        }
        if object.contains("rack: a") && !object.contains("cilium") {
            assert_eq!(
                verdict("198.51.100.7", "192.0.2.22"),
                Yes,
                "another node: {object}"
            );
        }
    }
}
