//! Laws that hold for every cluster: asked of random ones, of every example, and of every
//! ground-truth case.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

#[allow(dead_code)] // each test uses a part of it
#[path = "common/random.rs"]
mod random;

use netpal::internals::policy::tier::kubernetes;
use netpal::{
    Action, AllowGraph, Allowed, CompileOptions, Direction, Endpoint, Input, Namespaces, Peers,
    PodId, Policy, PolicySet, Ports, Rule, Selector, Subject,
};
use random::Random;
use serde::Deserialize;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many random clusters each law is asked of.
const CLUSTERS: u64 = 30;

/// Every world as its documents: random ones, the examples, the cases.
fn worlds() -> Vec<(String, Vec<Value>)> {
    let mut worlds: Vec<(String, Vec<Value>)> = (0..CLUSTERS)
        .map(|seed| {
            (
                format!("seed {seed}"),
                random::documents(&mut Random::new(seed)),
            )
        })
        .collect();
    let examples = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/examples"));
    let cases = std::env::var("NETPAL_CASES").map(PathBuf::from).ok();
    let suites = ["spec_corner", "knp_np", "knp_anp", "conformance"];
    let roots = suites
        .iter()
        .filter_map(|s| Some(cases.as_ref()?.join(s)))
        .chain([examples]);
    for folder in roots.filter(|r| r.is_dir()).flat_map(|r| folders(&r)) {
        let documents = documents(&folder);
        if !documents.is_empty() {
            worlds.push((folder.display().to_string(), documents));
        }
    }
    worlds
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(of).unwrap().map(|e| e.unwrap().path());
    let mut folders: Vec<PathBuf> = entries.filter(|p| p.is_dir()).collect();
    folders.sort();
    folders
}

fn documents(folder: &Path) -> Vec<Value> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    let yaml = files
        .iter()
        .filter(|f| f.extension().is_some_and(|e| e == "yaml"));
    let texts = yaml.map(|f| std::fs::read_to_string(f).unwrap());
    texts
        .flat_map(|t| {
            serde_yaml::Deserializer::from_str(&t)
                .map_while(|d| Value::deserialize(d).ok())
                .collect::<Vec<_>>()
        })
        .collect()
}

fn graph(input: &Input, options: &CompileOptions) -> AllowGraph {
    let graph = AllowGraph::compile(input, options).unwrap();
    graph.verify();
    graph
}

fn load(documents: &[Value]) -> Input {
    netpal::load_str(&random::text(documents))
}

fn with_law(input: &Input, change: impl FnOnce(&mut PolicySet)) -> Input {
    let mut law = (*input.policies).clone();
    change(&mut law);
    Input {
        policies: Arc::new(law),
        ..input.clone()
    }
}

fn pods(input: &Input) -> Vec<Endpoint> {
    input
        .cluster
        .pods()
        .map(|(id, _)| Endpoint::Pod(id))
        .collect()
}

/// Every pair of ends with a pod.
fn pairs(input: &Input) -> Vec<(Endpoint, Endpoint)> {
    let pods = pods(input);
    let outside = ["8.8.8.8", "10.0.0.1", "192.168.1.1", "fd00::1"]
        .map(|a| Endpoint::Address(a.parse().unwrap()));
    let between = pods.iter().flat_map(|s| pods.iter().map(move |d| (*s, *d)));
    let across = pods
        .iter()
        .flat_map(|p| outside.iter().flat_map(move |a| [(*p, *a), (*a, *p)]));
    between.chain(across).collect()
}

/// Whether everything that passes, or may pass, in `narrow` does so in `wide`.
fn within(narrow: &Allowed, wide: &Allowed) -> bool {
    narrow.must.is_subset(&wide.must) && narrow.may.is_subset(&wide.may)
}

fn all_within(name: &str, narrow: &AllowGraph, wide: &AllowGraph, pairs: &[(Endpoint, Endpoint)]) {
    for (s, d) in pairs {
        let (n, w) = (narrow.allowed(*s, *d), wide.allowed(*s, *d));
        assert!(
            within(&n, &w),
            "{name}: {s:?} -> {d:?}: {n:?} is not within {w:?}"
        );
    }
}

fn allow_all() -> Rule {
    Rule {
        action: Action::Allow,
        peers: Peers::Any,
        ports: Ports::Any,
        name: None,
        subjects: Peers::Any,
        qualifiers: Vec::new(),
    }
}

#[test]
fn classes_change_no_answer() {
    let worlds = worlds();
    for (name, documents) in &worlds {
        let input = load(documents);
        let [on, off] = [true, false].map(|c| graph(&input, &CompileOptions::default().classes(c)));
        for (s, d) in pairs(&input) {
            assert_eq!(
                on.allowed(s, d),
                off.allowed(s, d),
                "{name}: {s:?} -> {d:?}"
            );
        }
    }
    println!("{} worlds", worlds.len());
}

/// S19. A Baseline tier may deny what a rule-free isolation lets through (the own node, S55), so it
/// is left out.
#[test]
fn an_isolation_without_rules_never_adds_an_edge() {
    let mut count = 0;
    for (name, documents) in worlds() {
        let input = with_law(&load(&documents), |law| {
            law.policies.retain(|p| p.tier != kubernetes::BASELINE);
        });
        let before = graph(&input, &CompileOptions::default());
        for (_, namespace) in input.cluster.namespaces().take(2) {
            let shape = netpal::load_str(
                "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: isolation}\nspec: {policyTypes: [Ingress, Egress]}\n",
            );
            let subject = Subject {
                namespaces: Namespaces::Named(namespace.name.clone()),
                pods: Selector::everything(),
            };
            let isolation = Policy {
                subject,
                ..shape.policies.policies[0].clone()
            };
            let after = graph(
                &with_law(&input, |law| law.policies.push(isolation)),
                &CompileOptions::default(),
            );
            all_within(&name, &after, &before, &pairs(&input));
            count += 1;
        }
    }
    println!("{count} isolations");
    let with_cases = std::env::var_os("NETPAL_CASES").is_some();
    assert!(count > if with_cases { 100 } else { 40 });
}

/// S19: inside the Network tier a rule can only widen.
#[test]
fn a_rule_more_only_widens() {
    let mut count = 0;
    for (name, documents) in worlds() {
        let input = load(&documents);
        let before = graph(&input, &CompileOptions::default());
        let borrowed = input
            .policies
            .policies
            .iter()
            .filter(|p| p.tier == kubernetes::NETWORK)
            .flat_map(|p| p.rules.iter().flatten());
        let rules: Vec<Rule> = borrowed.take(1).cloned().chain([allow_all()]).collect();
        let network = input
            .policies
            .iter()
            .filter(|(_, p)| p.tier == kubernetes::NETWORK)
            .take(3);
        for (id, direction) in network.flat_map(|(id, _)| Direction::ALL.map(|d| (id, d))) {
            for rule in &rules {
                let more = |law: &mut PolicySet| {
                    law.policies[id.0 as usize].rules[direction.index()].push(rule.clone());
                };
                let after = graph(&with_law(&input, more), &CompileOptions::default());
                all_within(&name, &before, &after, &pairs(&input));
                count += 1;
            }
        }
    }
    println!("{count} rules added");
    assert!(count > 100);
}

/// S68: names of pods and policies carry no meaning. (A `StatefulSet`'s pods carry theirs in a
/// label, which no selector here looks at; pods that name their owner are told by its name.)
#[test]
fn renaming_pods_renames_answers() {
    let mut count = 0;
    let is_owned = |d: &Value| d["metadata"]["ownerReferences"].is_array();
    let worlds = worlds()
        .into_iter()
        .filter(|(_, all)| !all.iter().any(is_owned));
    for (name, documents) in worlds {
        let renamed: Vec<Value> = documents
            .iter()
            .cloned()
            .map(|mut d| {
                // of a custom resource the name is a label of its pods
                let is_custom = matches!(d["kind"].as_str(), Some("Cluster" | "Dragonfly"));
                if let Some(Value::String(name)) =
                    d.get_mut("metadata").and_then(|m| m.get_mut("name"))
                    && !matches!(
                        documents_kind(&documents, name),
                        Some("Namespace" | "Node" | "BaselineAdminNetworkPolicy")
                    )
                    && !is_custom
                {
                    *name = format!("x{name}");
                }
                d
            })
            .collect();
        let (input, other) = (load(&documents), load(&renamed));
        let [a, b] = [&input, &other].map(|i| graph(i, &CompileOptions::default()));
        assert_eq!(
            input.cluster.pods().len(),
            other.cluster.pods().len(),
            "{name}"
        );
        for (s, d) in pairs(&input) {
            assert_eq!(a.allowed(s, d), b.allowed(s, d), "{name}: {s:?} -> {d:?}");
            count += 1;
        }
    }
    println!("{count} pairs");
}

/// The kind of the document of this name, when all of that name agree.
fn documents_kind<'a>(documents: &'a [Value], name: &str) -> Option<&'a str> {
    let named = |d: &&Value| d["metadata"]["name"] == name;
    let fixed = |d: &&Value| {
        matches!(
            d["kind"].as_str(),
            Some("Namespace" | "Node" | "BaselineAdminNetworkPolicy")
        )
    };
    documents
        .iter()
        .filter(named)
        .find(fixed)
        .and_then(|d| d["kind"].as_str())
}

#[test]
fn the_order_of_documents_changes_no_answer() {
    for (name, documents) in worlds() {
        let backwards: Vec<Value> = documents.iter().rev().cloned().collect();
        let (input, other) = (load(&documents), load(&backwards));
        if input
            .diagnostics
            .iter()
            .any(|d| d.code == netpal::DiagnosticCode::DuplicateObject)
        {
            continue; // of two objects of one name the last counts
        }
        let [a, b] = [&input, &other].map(|i| graph(i, &CompileOptions::default()));
        let same = |end: Endpoint| match end {
            Endpoint::Pod(id) => Endpoint::Pod(counterpart(&input, &other, id)),
            Endpoint::Address(_) => end,
        };
        for (s, d) in pairs(&input) {
            assert_eq!(
                a.allowed(s, d),
                b.allowed(same(s), same(d)),
                "{name}: {s:?} -> {d:?}"
            );
        }
    }
}

fn counterpart(input: &Input, other: &Input, id: PodId) -> PodId {
    let key = |input: &Input, id: PodId| {
        (
            input.cluster.pod_namespace(id).name.clone(),
            input.cluster.pod(id).name.clone(),
        )
    };
    let wanted = key(input, id);
    other
        .cluster
        .pods()
        .find(|(o, _)| key(other, *o) == wanted)
        .unwrap()
        .0
}
