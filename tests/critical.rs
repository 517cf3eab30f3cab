//! Chokepoints and cuts are what taking workloads away one by one gives: on random clusters.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
#[allow(dead_code)]
#[path = "common/random.rs"]
mod random;

use common::netpal_at;
use netpal::{
    AllowGraph, CompileOptions, Critical, DoorEnds, DoorList, Endpoint, HostNetwork, IpSet,
    PathEnds, PodId, RuleCut, TrafficSet, WorkloadId, applied, critical, load_str, rule_cut,
};
use random::Random;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Which workloads lead to which, and which to the target, pod by pod.
struct ByHand {
    leads: BTreeMap<WorkloadId, BTreeSet<WorkloadId>>,
    source: Option<WorkloadId>,
    /// The workloads that doors lead to.
    behind: BTreeSet<WorkloadId>,
    target: WorkloadId,
    last: BTreeSet<WorkloadId>,
}

impl ByHand {
    fn new(graph: &AllowGraph, ends: &PathEnds) -> Self {
        let cluster = &graph.environment().cluster;
        let of = |pod: PodId| cluster.pod(pod).workload;
        let source = ends.sources.first().map(|pod| of(*pod));
        let target = of(*ends.targets.first().unwrap());
        let doors = ends.doors.iter();
        let behind = doors.flat_map(|doors| doors.workloads(cluster)).collect();
        let mut leads: BTreeMap<WorkloadId, BTreeSet<WorkloadId>> = BTreeMap::new();
        let mut last = BTreeSet::new();
        let doors = ends.doors.iter();
        let doors: BTreeSet<PodId> = doors
            .flat_map(|doors| &doors.pods() | &doors.maybe_pods())
            .collect();
        for (from, pod) in cluster.pods() {
            if pod.host_network && !ends.sources.contains(&from) && !doors.contains(&from) {
                continue;
            }
            for (to, other) in cluster.pods() {
                let is_target = ends.targets.contains(&to);
                let is_no_way = other.host_network && !is_target && !doors.contains(&to);
                if from == to && pod.is_single() || is_no_way {
                    continue;
                }
                let may = graph.allowed(Endpoint::Pod(from), Endpoint::Pod(to)).may;
                if is_target && !may.is_disjoint(&ends.asked) {
                    last.insert(of(from));
                }
                if !is_target && !may.is_empty() {
                    leads.entry(of(from)).or_default().insert(of(to));
                }
            }
        }
        Self {
            leads,
            source,
            behind,
            target,
            last,
        }
    }

    /// Whether a path is left without some workloads.
    fn is_open_without(&self, closed: &BTreeSet<WorkloadId>) -> bool {
        if self.behind.contains(&self.target) {
            return true;
        }
        let behind = self.behind.difference(closed).copied();
        let mut queue: Vec<WorkloadId> = self.source.into_iter().chain(behind).collect();
        let mut seen: BTreeSet<WorkloadId> = queue.iter().copied().collect();
        while let Some(one) = queue.pop() {
            if self.last.contains(&one) {
                return true;
            }
            for next in self.leads.get(&one).into_iter().flatten() {
                let is_way = !closed.contains(next) && *next != self.target;
                if is_way && seen.insert(*next) {
                    queue.push(*next);
                }
            }
        }
        false
    }
}

fn ends(random: &mut Random, graph: &AllowGraph) -> Option<PathEnds> {
    let workloads: Vec<_> = graph.environment().cluster.workloads().collect();
    let some = |random: &mut Random| random.pick(&workloads).1.pods.clone();
    let (sources, targets) = (some(random), some(random));
    let host = |pod: &PodId| graph.environment().cluster.pod(*pod).host_network;
    if sources.is_empty() || targets.is_empty() || sources == targets {
        return None;
    }
    if sources.iter().chain(&targets).any(host) {
        return None;
    }
    Some(PathEnds {
        sources: sources.into_iter().collect(),
        addresses: IpSet::empty(),
        doors: None,
        targets: targets.into_iter().collect(),
        asked: TrafficSet::all(),
        through_nodes: false,
    })
}

/// A cluster in which every pod lets in at most two others, so that ways are few.
fn sparse(random: &mut Random) -> Vec<Value> {
    let names = ["a", "b", "c", "d", "e", "f", "g"];
    let pod = |name: &&str| {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": "n", "labels": {"app": name}},
            "spec": {"containers": [{"name": "c"}]},
        })
    };
    let mut documents: Vec<Value> = names.iter().map(pod).collect();
    for name in names {
        let peers: Vec<Value> = (0..random.below(3))
            .map(|_| json!({"podSelector": {"matchLabels": {"app": random.pick(&names)}}}))
            .collect();
        let rules = if peers.is_empty() {
            json!([])
        } else {
            json!([{"from": peers}])
        };
        if random.chance(85) {
            documents.push(json!({
                "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
                "metadata": {"name": name, "namespace": "n"},
                "spec": {"podSelector": {"matchLabels": {"app": name}}, "ingress": rules},
            }));
        }
    }
    for name in names {
        if random.chance(25) {
            documents.push(json!({
                "apiVersion": "v1", "kind": "Service",
                "metadata": {"name": name, "namespace": "n"},
                "spec": {
                    "type": "LoadBalancer", "externalTrafficPolicy": "Local",
                    "selector": {"app": name}, "ports": [{"port": 80}],
                },
            }));
            let policy = documents
                .iter_mut()
                .find(|d| d["kind"] == "NetworkPolicy" && d["metadata"]["name"] == name);
            if let (Some(policy), true) = (policy, random.chance(60)) {
                policy["spec"]["ingress"] = json!([{}]);
            }
        }
    }
    documents
}

/// Whether every set of fewer workloads leaves a path.
fn is_smallest(by_hand: &ByHand, all: &[WorkloadId], size: usize) -> bool {
    let sets = match size {
        0 => return true,
        1 => vec![BTreeSet::new()],
        2 => all.iter().map(|one| BTreeSet::from([*one])).collect(),
        _ => all
            .iter()
            .flat_map(|a| all.iter().map(|b| BTreeSet::from([*a, *b])))
            .collect(),
    };
    sets.iter().all(|set| by_hand.is_open_without(set))
}

#[test]
fn chokepoints_and_cuts_are_those_found_by_hand() {
    let (mut choked, mut cut, mut closed, mut behind) = (0, 0, 0, 0);
    for seed in 0..400 {
        let mut random = Random::new(seed);
        let documents = if seed % 2 == 0 {
            sparse(&mut random)
        } else {
            let mut documents = random::documents(&mut random);
            documents.extend(random::documents(&mut random));
            documents
        };
        let input = load_str(&random::text(&documents));
        let options = CompileOptions {
            host_network: HostNetwork::Node,
            ..CompileOptions::default()
        };
        let graph = AllowGraph::compile(&input, &options).unwrap();
        let Some(mut ends) = ends(&mut random, &graph) else {
            continue;
        };
        if seed % 3 == 0 {
            let doors = DoorList::of_input(&input, &graph).unwrap();
            ends.doors = Some(DoorEnds::all(&input.cluster, &doors));
            ends.sources.clear();
            behind += usize::from(!doors.lines.is_empty());
        }
        let found: Critical = critical(&input, &graph, &ends);
        let by_hand = ByHand::new(&graph, &ends);
        let is_end = |id: &WorkloadId| Some(*id) == by_hand.source || *id == by_hand.target;
        let all: Vec<WorkloadId> = graph
            .environment()
            .cluster
            .workloads()
            .map(|w| w.0)
            .collect();
        let all: Vec<WorkloadId> = all.into_iter().filter(|id| !is_end(id)).collect();
        let is_open = by_hand.is_open_without(&BTreeSet::new());
        assert_eq!(found.path.is_some(), is_open, "seed {seed}");
        let expected: BTreeSet<WorkloadId> = all
            .iter()
            .copied()
            .filter(|one| is_open && !by_hand.is_open_without(&BTreeSet::from([*one])))
            .collect();
        let chokepoints: BTreeSet<WorkloadId> = found.chokepoints.iter().copied().collect();
        assert_eq!(chokepoints, expected, "seed {seed}");
        choked += chokepoints.len();
        let every: BTreeSet<WorkloadId> = all.iter().copied().collect();
        if let Some(set) = &found.cut {
            cut += 1;
            let closed = set.iter().copied().collect();
            assert!(!by_hand.is_open_without(&closed), "seed {seed}: {set:?}");
            let is_smallest = is_smallest(&by_hand, &all, set.len());
            assert!(is_smallest, "seed {seed}: {set:?}");
        } else {
            assert!(!is_open || by_hand.is_open_without(&every), "seed {seed}");
        }
        if !found.closing.is_empty() {
            closed += 1;
            let input = applied(&input, &found.closing).unwrap();
            let after = AllowGraph::compile(&input, &options).unwrap();
            if let Some(doors) = &mut ends.doors {
                let list = DoorList::of_input(&input, &after).unwrap();
                *doors = DoorEnds::all(&input.cluster, &list);
            }
            let left = ByHand::new(&after, &ends).is_open_without(&BTreeSet::new());
            assert!(!left, "seed {seed}: {:?}", found.closing);
        }
    }
    let counts =
        format!("{choked} chokepoints, {cut} cuts, {closed} closed, {behind} behind doors");
    assert!(
        choked > 5 && cut > 5 && closed > 2 && behind > 30,
        "{counts}"
    );
}

/// The rules of the policies among some documents: which document, which rule.
fn rules_of(documents: &[Value]) -> Vec<(usize, usize)> {
    let count = |document: &Value| document["spec"]["ingress"].as_array().map_or(0, Vec::len);
    let each = documents.iter().enumerate();
    each.flat_map(|(at, document)| (0..count(document)).map(move |rule| (at, rule)))
        .collect()
}

/// Whether a path is left when some rules match nobody.
fn is_open_without_rules(documents: &[Value], taken: &[(usize, usize)], ends: &PathEnds) -> bool {
    let mut documents = documents.to_vec();
    for (document, rule) in taken {
        documents[*document]["spec"]["ingress"][*rule]["from"] =
            json!([{"podSelector": {"matchLabels": {"app": "nobody"}}}]);
    }
    let input = load_str(&random::text(&documents));
    let graph = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
    ByHand::new(&graph, ends).is_open_without(&BTreeSet::new())
}

/// A sparse cluster in which every peer is a rule of its own.
fn sparse_rules(random: &mut Random) -> Vec<Value> {
    let mut documents = sparse(random);
    for document in &mut documents {
        let from = document["spec"]["ingress"][0]["from"].clone();
        if let Some(peers) = from.as_array() {
            let rules = peers.iter().map(|peer| json!({"from": [peer]}));
            document["spec"]["ingress"] = rules.collect();
        }
    }
    documents
}

#[test]
fn the_fewest_rules_are_those_found_by_hand() {
    let (mut found, mut resting) = (0, 0);
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let documents = sparse_rules(&mut random);
        let input = load_str(&random::text(&documents));
        let graph = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
        let Some(ends) = ends(&mut random, &graph) else {
            continue;
        };
        let all = rules_of(&documents);
        let is_open = |taken: &[(usize, usize)]| is_open_without_rules(&documents, taken, &ends);
        match rule_cut(&input, &graph, &ends) {
            RuleCut::Rules(rules) => {
                found += usize::from(!rules.is_empty());
                let one_less = match rules.len() {
                    0 => Vec::new(),
                    1 => vec![vec![]],
                    2 => all.iter().map(|a| vec![*a]).collect(),
                    _ => all
                        .iter()
                        .flat_map(|a| all.iter().map(|b| vec![*a, *b]))
                        .collect::<Vec<_>>(),
                };
                assert!(
                    one_less.iter().all(|few| is_open(few)),
                    "seed {seed}: {rules:?}"
                );
                let policies = &graph.environment().policies;
                let place = |rule: &netpal::RuleRef| {
                    let name = &*policies.get(rule.policy).name;
                    let is_it =
                        |d: &Value| d["kind"] == "NetworkPolicy" && d["metadata"]["name"] == name;
                    (
                        documents.iter().position(is_it).unwrap(),
                        rule.rule as usize,
                    )
                };
                let taken: Vec<(usize, usize)> = rules.iter().map(place).collect();
                assert!(!is_open(&taken), "seed {seed}: {rules:?}");
            }
            RuleCut::RestsOnNone => {
                resting += 1;
                assert!(is_open(&all), "seed {seed}");
            }
            RuleCut::TooMany => panic!("seed {seed}"),
        }
    }
    assert!(
        found > 20 && resting > 5,
        "{found} cuts, {resting} that rest on no rule"
    );
}

/// A chain of three: whoever looks for a way is told what every way leads through.
const CHAIN: &str = "
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c}]}
---
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop, labels: {app: api}}
spec: {containers: [{name: c}]}
---
apiVersion: v1
kind: Pod
metadata: {name: postgres, namespace: shop, labels: {app: postgres}}
spec: {containers: [{name: c, image: postgres, ports: [{containerPort: 5432}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec: {podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: postgres, namespace: shop}
spec: {podSelector: {matchLabels: {app: postgres}}, ingress: [{from: [{podSelector: {matchLabels: {app: api}}}]}]}
";

#[test]
fn searches_tell_the_chokepoints_on_their_ways() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("chain.yaml"), CHAIN).unwrap();
    let asked = |arguments: &[&str]| {
        let arguments = [arguments, &["-f", "chain.yaml"]].concat();
        netpal_at(folder.path(), &arguments, "").stdout
    };
    let path = asked(&["reach", "--path", "web", "postgres"]);
    assert!(path.contains("every way leads through shop/api"), "{path}");
    let reach = asked(&["reach", "web", "--hops", "any"]);
    assert!(
        reach.contains("every way to shop/postgres leads through shop/api"),
        "{reach}"
    );
    let who = asked(&["who", "postgres", "--hops", "any", "-o", "json"]);
    let who: Value = serde_json::from_str(&who).unwrap();
    let through: Vec<&str> = who["chokepoints"][0]["through"]
        .as_array()
        .unwrap()
        .iter()
        .map(|w| w["name"].as_str().unwrap())
        .collect();
    assert_eq!(through, ["web", "api"], "{who}");
    // one hop is asked about: there is nothing on the way
    let near = asked(&["who", "postgres"]);
    assert!(!near.contains("every way"), "{near}");
    // an outside end is called as it was asked, never by a stand-in
    let critical = asked(&["critical", "internet", "postgres"]);
    assert!(critical.contains("internet -> shop/web"), "{critical}");
    assert!(!critical.contains("1.0.0.0"), "{critical}");
}
