//! Proofs: z3 finds no cluster, no traffic and no address for which the allow-graph and the
//! specification differ.
//!
//! The specification is translated to SMT-LIB from the sentences of `docs/semantics.md`, without
//! any set of the program: policies of the kinds of Kubernetes are read from their manifests
//! (`smt/written.rs`), those of other dialects, whose plugins read them under options, from the
//! rules that they were lowered into (`smt/lowered.rs`). Of these the proof covers layers, tiers,
//! matching and sets; the cases of each dialect cover the lowering. What is not told is a variable
//! (`smt/world.rs`); `smt/matching.rs`, `smt/identities.rs` and `smt/spec.rs` are the sentences,
//! and `smt/proof.rs` asks z3.
//!
//! `NETPAL_PROVE=200 cargo test --test smt` proves so many random clusters of each kind and every
//! recorded case; without it some. Skipped where z3 is not installed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

#[path = "common/antrea_objects.rs"]
mod antrea_objects;
#[path = "common/cilium_objects.rs"]
mod cilium_objects;
#[path = "common/layer_objects.rs"]
mod layer_objects;
#[path = "common/random.rs"]
mod random;
#[path = "smt/mod.rs"]
mod smt;

use netpal::{
    CNI_PROFILES, CniProfile, CompileOptions, HostNetwork, Input, IpSet, LayerSettings,
    LoadOptions, Plugin, Source,
};
use random::{Random, documents, on_all_cores, text};
use serde_json::{Value, json};
use smt::proof::{Proved, Prover, Subject, Tally, compiled};
use std::path::{Path, PathBuf};

/// How many random clusters are proved without `NETPAL_PROVE`.
const CLUSTERS: u64 = 60;

/// Clusters with layers have ten times the policies: of these so much fewer.
const FEWER_LAYERS: u64 = 5;

/// How many random clusters are proved, and whether all else is.
fn asked_for() -> (u64, bool) {
    let asked = std::env::var("NETPAL_PROVE").ok();
    let asked = asked.map(|n| n.parse().expect("a number"));
    (asked.unwrap_or(CLUSTERS), asked.is_some())
}

fn options(random: &mut Random) -> CompileOptions {
    let cidrs = |list: &[&str]| IpSet::from_cidrs(list.iter().map(|c| c.parse().unwrap()));
    CompileOptions {
        host_network: *random.pick(&[HostNetwork::Unknown, HostNetwork::Node, HostNetwork::Pod]),
        blocks_match_pods: random.chance(75),
        own_node_egress: random.chance(75),
        pod_cidrs: random
            .chance(25)
            .then(|| cidrs(&["10.0.0.0/24", "fd00::/8"])),
        node_cidrs: if random.chance(25) {
            cidrs(&["192.168.1.0/24"])
        } else {
            IpSet::empty()
        },
        ..CompileOptions::default()
    }
}

fn loaded(documents: &[Value]) -> Input {
    loaded_with(documents, &LoadOptions::default())
}

fn loaded_with(documents: &[Value], options: &LoadOptions) -> Input {
    let source = Source::Text("random.yaml".into(), text(documents).into());
    netpal::load_sources(&[source], &[], options).unwrap()
}

/// What some proofs come to: no counterexample.
fn judged(name: &str, proofs: Vec<Option<Proved>>) -> Tally {
    let (mut total, mut refuted) = (Tally::default(), Vec::new());
    for proof in proofs.into_iter().flatten() {
        total += proof.tally;
        refuted.extend(proof.refuted.into_iter().map(|refuted| refuted.text));
    }
    println!("{name}: {total:?}");
    refuted.truncate(20);
    assert!(refuted.is_empty(), "{}", refuted.join("\n"));
    total
}

/// Proves random clusters: what a seed gives, and the options of its graph.
fn random_clusters(
    name: &str,
    fewer: u64,
    make: impl Fn(&mut Random) -> (Input, CompileOptions) + Sync,
) {
    let (count, thorough) = asked_for();
    let first = std::env::var("NETPAL_SEED").map_or(0, |n| n.parse().unwrap());
    let count = if thorough { count } else { count / fewer };
    let proofs = on_all_cores(first..first + count, |seed| {
        let (input, options) = make(&mut Random::new(seed));
        let graph = compiled(&input, &options);
        let mut prover = Prover::start(thorough)?;
        let name = format!("seed {seed}");
        let (name, input, graph) = (name.as_str(), &input, &graph);
        prover.graph(&Subject { name, input, graph });
        Some(prover.done())
    });
    judged(name, proofs);
}

#[test]
fn clusters_of_kubernetes_are_answered_as_the_specification_says() {
    random_clusters("clusters of Kubernetes", 1, |random| {
        let mut all = documents(random);
        if random.chance(40) {
            all.push(service(random));
        }
        (loaded(&all), options(random))
    });
}

/// What random clusters hardly have: a port name that only a pod on its node's network declares.
const NAME_OF_A_NODE: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: shop, labels: {app: a}}
spec: {nodeName: n2, containers: [{name: c, image: i}]}
status: {phase: Running, podIP: 10.0.0.1}
---
apiVersion: v1
kind: Pod
metadata: {name: h, namespace: shop, labels: {app: h}}
spec:
  hostNetwork: true
  nodeName: n1
  containers: [{name: c, image: i, ports: [{name: http, containerPort: 8080}]}]
status: {phase: Running, podIP: 192.168.1.1}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: shop}
spec:
  podSelector: {matchLabels: {app: a}}
  policyTypes: [Egress]
  egress: [{ports: [{port: http}]}]
";

#[test]
fn a_name_of_a_pod_that_is_its_node_is_no_port() {
    for host_network in [HostNetwork::Unknown, HostNetwork::Node, HostNetwork::Pod] {
        let input = netpal::load_str(NAME_OF_A_NODE);
        let graph = compiled(
            &input,
            &CompileOptions::default().host_network(host_network),
        );
        let Some(mut prover) = Prover::start(true) else {
            return;
        };
        let (name, input, graph) = ("a name", &input, &graph);
        prover.graph(&Subject { name, input, graph });
        let total = judged(name, vec![Some(prover.done())]);
        assert_eq!(total.from_manifest, 1);
    }
}

/// A Service, which tells a family of the cluster's pods (S65).
fn service(random: &mut Random) -> Value {
    let family = random.pick(&["IPv4", "IPv6"]);
    let spec = json!({"selector": {"app": "web"}, "ipFamilies": [family], "ports": [{"port": 80}]});
    let metadata = json!({"name": "web", "namespace": "a"});
    json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})
}

/// The options of a network plugin, or sometimes others about pods on their node's network.
fn options_under(profile: &CniProfile, random: &mut Random) -> CompileOptions {
    let mut options = profile.apply(CompileOptions::default());
    options.source_port = random.chance(20).then_some(80);
    if random.chance(20) {
        options.host_network = *random.pick(&[HostNetwork::Unknown, HostNetwork::Pod]);
    }
    options
}

#[test]
fn clusters_of_antrea_are_answered_as_the_specification_says() {
    random_clusters("clusters of Antrea", 1, |random| {
        let mut all = documents(random);
        all.extend(antrea_objects::objects(random));
        let profile = CniProfile::find("antrea").unwrap();
        (loaded(&all), options_under(profile, random))
    });
}

#[test]
fn clusters_of_cilium_are_answered_as_the_specification_says() {
    random_clusters("clusters of Cilium", 1, |random| {
        let mut all = documents(random);
        all.extend(cilium_objects::policies(random));
        let profile = CniProfile::find("cilium").unwrap();
        let mut options = options_under(profile, random);
        let settings = cilium_objects::settings(random);
        options.plugin = Plugin::Cilium(Box::new(settings.clone()));
        let cilium = Some(settings);
        let input = loaded_with(
            &all,
            &LoadOptions {
                cilium,
                ..LoadOptions::default()
            },
        );
        (input, options)
    });
}

#[test]
fn clusters_with_layers_are_answered_as_the_specification_says() {
    random_clusters("clusters with layers", FEWER_LAYERS, |random| {
        let mut all = documents(random);
        layer_objects::meshed(&mut all, random);
        all.extend(layer_objects::policies(random));
        let layers: LayerSettings = layer_objects::settings(random);
        let input = loaded_with(
            &all,
            &LoadOptions {
                layers,
                ..LoadOptions::default()
            },
        );
        let profile = random.pick(CNI_PROFILES);
        (input, options_under(profile, random))
    });
}

/// The documents without one of their policies, if there is one.
fn without_one(documents: &[Value], random: &mut Random) -> Option<Vec<Value>> {
    let is_policy = |document: &Value| {
        let kinds = [
            "NetworkPolicy",
            "AdminNetworkPolicy",
            "ClusterNetworkPolicy",
        ];
        kinds.iter().any(|kind| document["kind"] == *kind)
    };
    let policies = (0..documents.len()).filter(|at| is_policy(&documents[*at]));
    let policies: Vec<usize> = policies.collect();
    if policies.is_empty() {
        return None;
    }
    let gone = *random.pick(&policies);
    let mut kept = documents.to_vec();
    kept.remove(gone);
    Some(kept)
}

#[test]
fn diffs_are_proved() {
    let (count, thorough) = asked_for();
    let proofs = on_all_cores(0..count * 2, |seed| {
        let mut random = Random::new(seed);
        let documents = documents(&mut random);
        let fewer = without_one(&documents, &mut random)?;
        let options = options(&mut random);
        let inputs = [loaded(&documents), loaded(&fewer)];
        let graphs = inputs.each_ref().map(|input| compiled(input, &options));
        let name = format!("seed {seed}");
        let subject = |at: usize| Subject {
            name: &name,
            input: &inputs[at],
            graph: &graphs[at],
        };
        let mut prover = Prover::start(thorough)?;
        prover.diff([&subject(0), &subject(1)]);
        Some(prover.done())
    });
    let total = judged("diffs", proofs);
    assert!(total.inputs == 0 || total.equal > 0 && total.changes > 0);
}

/// A graph that lacks a policy is refuted: the proof can fail, and its counterexample is a flow on
/// which the two graphs differ.
#[test]
fn a_wrong_graph_is_refuted() {
    let mut refuted = 0;
    for seed in 0..20 {
        let mut random = Random::new(seed);
        let documents = documents(&mut random);
        let Some(fewer) = without_one(&documents, &mut random) else {
            continue;
        };
        let options = CompileOptions::default();
        let inputs = [loaded(&documents), loaded(&fewer)];
        let [right, wrong] = inputs.each_ref().map(|input| compiled(input, &options));
        let Some(mut prover) = Prover::start(false) else {
            return;
        };
        prover.claims(&inputs[0], &right, &wrong);
        for found in prover.done().refuted {
            refuted += 1;
            let [right, wrong] = [&right, &wrong].map(|graph| graph.verdict(&found.flow));
            assert!(right != wrong, "seed {seed}: {}", found.text);
        }
    }
    assert!(refuted > 20, "{refuted}");
}

/// The folders in a folder, sorted.
fn folders(at: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(at).into_iter().flatten();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.is_dir());
    found.sort();
    found
}

/// The recorded inputs: the cases of suites, and whole repositories.
fn recorded() -> Vec<PathBuf> {
    let variable = |name: &str| std::env::var(name).ok().map(PathBuf::from);
    let (cases, corpus) = (variable("NETPAL_CASES"), variable("NETPAL_CORPUS"));
    let dialects = variable("NETPAL_DIALECTS");
    let suites = [cases, dialects.as_ref().map(|root| root.join("cases"))];
    let suites = suites.into_iter().flatten().flat_map(|root| folders(&root));
    let own = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/semantics"));
    let repositories = [corpus, dialects.map(|root| root.join("corpus"))];
    let repositories = repositories.into_iter().flatten();
    let all = suites.chain(repositories).chain([own]);
    all.flat_map(|suite| folders(&suite)).collect()
}

/// The options of the plugin that a suite is about.
fn options_of(case: &Path) -> CompileOptions {
    let path = case.to_string_lossy();
    let plugins = ["calico", "cilium", "antrea"];
    let plugin = plugins.iter().find(|plugin| path.contains(*plugin));
    let profile = plugin.and_then(|plugin| CniProfile::find(plugin));
    profile.map_or_else(CompileOptions::default, |profile| {
        profile.apply(CompileOptions::default())
    })
}

/// Larger inputs are left aside.
const MOST_WORKLOADS: usize = 60;

#[test]
fn recorded_inputs_are_answered_as_the_specification_says() {
    let (_, thorough) = asked_for();
    let all = recorded();
    if all.is_empty() {
        println!("skipped: no recorded inputs");
        return;
    }
    let step = if thorough { 1 } else { 10 };
    let asked = (0..all.len() as u64).step_by(step);
    let proofs = on_all_cores(asked, |at| {
        let case = &all[usize::try_from(at).unwrap()];
        let source = Source::Path(case.display().to_string().into());
        let input = netpal::load_sources(&[source], &[], &LoadOptions::default()).ok()?;
        if input.cluster.workloads().len() > MOST_WORKLOADS {
            return None;
        }
        let graph = netpal::AllowGraph::compile(&input, &options_of(case)).ok()?;
        let mut prover = Prover::start(thorough)?;
        let name = case.display().to_string();
        let (name, input, graph) = (name.as_str(), &input, &graph);
        prover.graph(&Subject { name, input, graph });
        Some(prover.done())
    });
    judged("recorded inputs", proofs);
}
