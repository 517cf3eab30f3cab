//! Antrea on random clusters: the specification, both graphs, rows, explanations and diffs agree
//! about every flow, with policies of Antrea beside those of Kubernetes; a `NetworkPolicy` and its
//! equivalent in Antrea have the same verdicts.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

#[allow(dead_code)]
mod common {
    pub mod antrea_objects;
    pub mod engines;
    pub mod random;
}

use common::antrea_objects::objects;
use common::engines::{self, OUTSIDE, Tally};
use common::random::{self, PORTS, Random};
use netpal::{
    AllowGraph, CniProfile, CompileOptions, Endpoint, Flow, HostNetwork, Input, Protocol, Traffic,
};
use serde_json::{Value, json};

const CLUSTERS: u64 = 6;

fn options(random: &mut Random) -> CompileOptions {
    let profile = CniProfile::find("antrea").unwrap();
    let mut options = profile.apply(CompileOptions::default());
    options.source_port = random.chance(40).then(|| *random.pick(&PORTS));
    if random.chance(10) {
        options.host_network = *random.pick(&[HostNetwork::Unknown, HostNetwork::Pod]);
    }
    options
}

fn flows(input: &Input) -> Vec<Flow> {
    let traffics = engines::tcp_and_echo(&[53, 80, 5432, 8080]);
    engines::flows(input, &OUTSIDE, &traffics)
}

/// The first seed and the number of clusters.
fn seeds() -> std::ops::Range<u64> {
    let first = std::env::var("NETPAL_SEED").map_or(0, |n| n.parse().unwrap());
    let clusters = std::env::var("NETPAL_CLUSTERS").map_or(CLUSTERS, |n| n.parse().unwrap());
    first..first + clusters
}

#[test]
fn policies_of_antrea_mean_the_same_to_every_engine() {
    let compared = random::on_all_cores(seeds(), |seed| {
        let mut random = Random::new(seed + 80_000);
        let mut documents = random::documents(&mut random);
        // without most policies of Kubernetes, which close nearly everything
        let is_kept = |d: &Value| !d["kind"].as_str().unwrap().ends_with("Policy");
        if random.chance(60) {
            documents.retain(is_kept);
        }
        let mut with_antrea = documents.clone();
        with_antrea.extend(objects(&mut random));
        let options = options(&mut random);
        if std::env::var_os("NETPAL_SHOW").is_some() {
            println!("{}\n{options:?}", random::text(&with_antrea));
        }
        let [before, after] =
            [&documents, &with_antrea].map(|all| netpal::load_str(&random::text(all)));
        let is_own = |d: &&netpal::Diagnostic| d.message.contains("antrea-");
        assert_eq!(after.diagnostics.iter().find(is_own), None, "seed {seed}");
        let kinds = after.policies.policies.iter().map(|p| p.shape.api_version);
        let policies = kinds.filter(|v| v.starts_with("crd.antrea.io/")).count();
        let tally = Tally::of((&before, &after), &options, flows(&after), seed);
        (tally, policies)
    });
    let policies: usize = compared.iter().map(|(_, policies)| policies).sum();
    let tally = Tally::sum(compared.into_iter().map(|(tally, _)| tally).collect());
    println!("{policies} policies, {}", tally.words());
    let [no, _, yes] = tally.flows;
    assert!(tally.changed * 4 > tally.clusters && yes > 0 && no > 0 && policies > 0);
}

/// A `NetworkPolicy` as Antrea would have it written: what it lets through, and behind all that the
/// others let through what it closes.
fn in_antrea(policy: &Value, number: usize) -> Vec<Value> {
    let spec = &policy["spec"];
    let told = spec["policyTypes"]
        .as_array()
        .filter(|list| !list.is_empty());
    let has_egress = spec["egress"]
        .as_array()
        .is_some_and(|list| !list.is_empty());
    let governs = |word: &str| match told {
        Some(types) => types.contains(&json!(word)),
        None => word == "Ingress" || has_egress,
    };
    let applied = json!([{"podSelector": spec["podSelector"].clone()}]);
    let made = |name: String, priority: usize, spec: Value| {
        let mut spec = spec;
        spec["priority"] = json!(priority);
        spec["appliedTo"] = applied.clone();
        json!({"apiVersion": "crd.antrea.io/v1beta1", "kind": "NetworkPolicy",
            "metadata": {"name": name, "namespace": policy["metadata"]["namespace"]},
            "spec": spec})
    };
    let (mut opening, mut closing) = (json!({}), json!({}));
    for (word, list) in [("Ingress", "ingress"), ("Egress", "egress")] {
        if !governs(word) {
            continue;
        }
        let rules = spec[list].as_array().into_iter().flatten();
        opening[list] = rules.map(allowing).collect();
        closing[list] = json!([{"action": "Drop"}]);
    }
    vec![
        made(format!("opens-{number}"), 1, opening),
        made(format!("closes-{number}"), 2, closing),
    ]
}

fn allowing(rule: &Value) -> Value {
    let mut rule = rule.clone();
    rule["action"] = json!("Allow");
    rule
}

/// Whether what a pod sends its own node may be asked, which a `NetworkPolicy` never closes.
fn may_go_to_own_node(input: &Input, flow: &Flow) -> bool {
    match flow.destination {
        Endpoint::Pod(pod) => input.cluster.pod(pod).host_network,
        Endpoint::Address(_) => true,
    }
}

#[test]
fn a_network_policy_and_its_equivalent_in_antrea_mean_the_same() {
    let (mut policies, mut compared) = (0, 0);
    for seed in seeds() {
        let mut random = Random::new(seed + 7_000);
        let documents = random::documents(&mut random);
        let is_policy = |d: &Value| d["kind"] == "NetworkPolicy";
        policies += documents.iter().filter(|d| is_policy(d)).count();
        let all = documents.iter().enumerate();
        let made = all.flat_map(|(i, d)| {
            if is_policy(d) {
                in_antrea(d, i)
            } else {
                vec![d.clone()]
            }
        });
        let made: Vec<Value> = made.collect();
        let profile = CniProfile::find("antrea").unwrap();
        let options = profile.apply(CompileOptions::default());
        let [written, translated] = [&documents, &made].map(|all| {
            let input = netpal::load_str(&random::text(all));
            let graph = AllowGraph::compile(&input, &options).unwrap();
            (input, graph)
        });
        let is_of_admin = |d: &Value| d["kind"].as_str().unwrap().ends_with("NetworkPolicy");
        if !written.0.policies.taints.is_empty()
            || documents.iter().any(|d| is_of_admin(d) && !is_policy(d))
        {
            continue; // it may do anything, or is asked between the two
        }
        for flow in flows(&written.0) {
            if may_go_to_own_node(&written.0, &flow) {
                continue;
            }
            compared += 1;
            let [a, b] = [&written.1, &translated.1].map(|graph| graph.verdict(&flow));
            assert_eq!(a, b, "seed {seed}: {flow:?}\n{}", random::text(&made));
        }
    }
    println!("{policies} policies, {compared} flows");
    assert!(policies > 0 && compared > 0);
}

#[test]
fn a_flow_from_the_own_node_is_never_closed() {
    let text = "
apiVersion: v1
kind: Node
metadata: {name: rack}
status: {addresses: [{type: InternalIP, address: 192.0.2.21}]}
---
apiVersion: v1
kind: Pod
metadata: {name: till, namespace: shop}
spec: {nodeName: rack, containers: [{name: c, image: i}]}
status: {podIP: 10.0.0.9}
---
apiVersion: crd.antrea.io/v1beta1
kind: ClusterNetworkPolicy
metadata: {name: closed}
spec: {priority: 1, appliedTo: [{podSelector: {}}], ingress: [{action: Drop}], egress: [{action: Drop}]}
";
    let input = netpal::load_str(text);
    let graph = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
    let (pod, _) = input.cluster.pods().next().unwrap();
    let node = Endpoint::Address("192.0.2.21".parse().unwrap());
    let verdict = |source, destination| {
        let traffic = Traffic {
            protocol: Protocol::Tcp,
            port: 80,
        };
        graph.verdict(&Flow {
            source,
            destination,
            traffic,
        })
    };
    assert_eq!(verdict(node, Endpoint::Pod(pod)), netpal::Truth::Yes);
    assert_eq!(verdict(Endpoint::Pod(pod), node), netpal::Truth::No);
}
