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

use ground_truth::endpoint;
use netpal::{
    AllowGraph, CiliumSettings, CniProfile, CompileOptions, Direction, EnforcementMode, Flow,
    HostNetwork, Input, IpSet, LoadOptions, MatchMode, Plugin, Protocol, Source, Traffic, Truth,
};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Cases left aside: the address of a Service on a network of its own.
const OWN_READING: [&str; 1] = ["e2e-services"];

/// Recognized kinds that touch some peers only: netpal leaves more unknown than they can touch.
/// Whether the annotation of the last one moves the policy away depends on the cluster.
const UNKNOWN_TOO: [&str; 2] = [
    "openshift-netnamespaces",
    "gke-networkpolicy-of-other-network",
];

fn is_left_aside(case: &Path) -> bool {
    OWN_READING.iter().any(|name| case.ends_with(name))
}

/// The suites, each with the network plugin that its lines presuppose.
const SUITES: [(&str, &str); 1] = [("antrea", "antrea")];

struct Line {
    text: String,
    flow: Flow,
    want: Truth,
}

/// The lines of a file that can be asked: both ends are in the input, and it names a port.
fn lines(case: &Path, file: &str, input: &Input) -> Vec<Line> {
    let Ok(text) = std::fs::read_to_string(case.join(file)) else {
        return Vec::new();
    };
    let line = |line: &str| {
        let f: Vec<&str> = line.split(',').collect();
        let number: u16 = f[3].parse().ok()?;
        let traffic = match f[2] {
            "ICMP" => Traffic {
                protocol: Protocol::Icmp,
                port: number << 8,
            },
            "ICMPv6" => Traffic {
                protocol: Protocol::IcmpV6,
                port: number << 8,
            },
            protocol => Traffic {
                protocol: Protocol::from_api(protocol)?,
                port: number,
            },
        };
        Some(Line {
            text: line.to_owned(),
            flow: Flow {
                source: endpoint(input, f[0])?,
                destination: endpoint(input, f[1])?,
                traffic,
            },
            want: match f[4] {
                "allow" => Truth::Yes,
                "deny" => Truth::No,
                _ => Truth::Maybe,
            },
        })
    };
    text.lines()
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
        .filter_map(line)
        .collect()
}

fn cases(suite: &str) -> Option<Vec<PathBuf>> {
    let root = std::env::var("NETPAL_DIALECTS").ok()?;
    let mut found: Vec<PathBuf> = std::fs::read_dir(format!("{root}/cases/{suite}"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_dir() && !is_left_aside(p))
        .collect();
    found.sort();
    Some(found)
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
    let text = std::fs::read_to_string(case.join("meta.json")).unwrap_or_default();
    let meta: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let options = &meta["options"];
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
    let (mut wrong, mut unknown) = (Vec::new(), Vec::new());
    for (suite, most) in CILIUM_SUITES {
        let Some(cases) = cases(suite) else {
            println!("skipped: NETPAL_DIALECTS is not set");
            return;
        };
        let (mut lines_of_suite, mut open) = (0, 0);
        for case in &cases {
            let (input, graphs) = cilium_graphs(case);
            let expected = lines(case, "expected.csv", &input).into_iter();
            let expected = expected.chain(lines(case, "expected_icmp.csv", &input));
            for line in expected.chain(lines(case, "conditional.csv", &input)) {
                let got = graphs[0].verdict(&line.flow);
                let text = format!("{}: {} -> {got:?}", case.display(), line.text);
                assert_eq!(
                    got,
                    graphs[1].verdict(&line.flow),
                    "without classes: {text}"
                );
                lines_of_suite += 1;
                if got == line.want {
                    continue;
                }
                if got == Truth::Maybe {
                    open += 1;
                    unknown.push(text);
                } else {
                    wrong.push(text);
                }
            }
        }
        println!(
            "{suite}: {} cases, {lines_of_suite} lines, {open} unknown",
            cases.len()
        );
        if open > most {
            wrong.push(format!("{suite}: {open} lines are unknown, and not {most}"));
        }
    }
    println!("unknown:\n{}", unknown.join("\n"));
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
    let Ok(root) = std::env::var("NETPAL_DIALECTS") else {
        println!("skipped: NETPAL_DIALECTS is not set");
        return;
    };
    let (mut wrong, mut facts, mut open) = (Vec::new(), 0, 0);
    for set in CILIUM_SETS {
        let case = PathBuf::from(format!("{root}/corpus/{set}"));
        let (input, graphs) = cilium_graphs(&case);
        for line in lines(&case, "facts.csv", &input) {
            let got = graphs[0].verdict(&line.flow);
            facts += 1;
            if got == line.want {
                continue;
            }
            if got == Truth::Maybe {
                open += 1;
                println!("unknown: {set}: {}", line.text);
            } else {
                wrong.push(format!("{set}: {} -> {got:?}", line.text));
            }
        }
    }
    println!("{facts} facts, {open} unknown");
    assert!(wrong.is_empty() && facts > 100, "{}", wrong.join("\n"));
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
    let text = Source::Text("t.yaml".into(), case["object"].to_string().into());
    let input = netpal::load_sources(&[text], &[], &options).unwrap();
    let is_error = |d: &&netpal::Diagnostic| d.severity == netpal::DiagnosticSeverity::Error;
    let mut errors = input.diagnostics.iter().filter(is_error);
    if case["expect"] == "accept" {
        return errors.next().map(|e| format!("refused: {}", e.message));
    }
    let field = case["field"].as_str().unwrap();
    let names_it = |e: &netpal::Diagnostic| match &e.place {
        netpal::Place::Origin(origin) => origin.path.to_string().starts_with(field),
        _ => false,
    };
    if !errors.any(names_it) {
        return Some(format!("no error at {field}: {:?}", input.diagnostics));
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
    let Ok(root) = std::env::var("NETPAL_DIALECTS") else {
        println!("skipped: NETPAL_DIALECTS is not set");
        return;
    };
    let text = std::fs::read_to_string(format!("{root}/cases/cilium_validation/cases.yaml"));
    let cases: serde_json::Value = serde_yaml::from_str(&text.unwrap()).unwrap();
    let cases = cases.as_array().unwrap();
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| Some(format!("{}: {}", case["name"], misjudged(case)?)))
        .collect();
    assert!(wrong.is_empty() && cases.len() > 50, "{}", wrong.join("\n"));
}

#[test]
fn no_line_of_another_api_is_answered_wrong() {
    let mut wrong = Vec::new();
    for (suite, profile) in SUITES {
        let Some(cases) = cases(suite) else {
            println!("skipped: NETPAL_DIALECTS is not set");
            return;
        };
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for case in &cases {
            let (input, graph) = compiled(case, profile);
            for line in lines(case, "expected.csv", &input) {
                let got = graph.verdict(&line.flow);
                let kind = match got {
                    Truth::Maybe => "unknown",
                    _ if got == line.want => "right",
                    _ => "wrong",
                };
                *counts.entry(kind).or_default() += 1;
                if kind == "wrong" {
                    wrong.push(format!("{}: {} -> {got:?}", case.display(), line.text));
                }
            }
        }
        println!("{suite}: {} cases, {counts:?}", cases.len());
    }
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// A kind that is recognized makes unknown what it can touch, and leaves everything else decided.
#[test]
fn a_recognized_kind_touches_what_it_can_and_nothing_else() {
    let Some(cases) = cases("recognition") else {
        println!("skipped: NETPAL_DIALECTS is not set");
        return;
    };
    let mut wrong = Vec::new();
    for case in &cases {
        let (input, graph) = compiled(case, "generic");
        let decided = lines(case, "expected.csv", &input);
        for line in decided
            .into_iter()
            .chain(lines(case, "conditional.csv", &input))
        {
            let got = graph.verdict(&line.flow);
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
