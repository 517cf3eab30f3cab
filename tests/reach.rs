//! Closures are what following every flow by hand gives: on random clusters, pod by pod, forward
//! and backward.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

#[allow(dead_code)]
#[path = "common/random.rs"]
mod random;

use netpal::internals::query::reach::closure::{PodGroup, Steps, passing};
use netpal::internals::set::Ix;
use netpal::{
    AllowGraph, CompileOptions, Endpoint, HostNetwork, IpSet, PodId, Protocol, ReachQuery,
    TrafficSet, Truth, Way,
};
use random::Random;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// A random cluster; two of three know no policy but `NetworkPolicy`, which closures follow on a
/// shorter way.
fn cluster(random: &mut Random, seed: u64) -> Vec<serde_json::Value> {
    let mut documents = random::documents(random);
    documents.extend(random::documents(random)); // more pods, more policies
    if !seed.is_multiple_of(3) {
        let is_plain = |document: &serde_json::Value| {
            let kind = document["kind"].as_str().unwrap_or_default();
            kind == "NetworkPolicy" && document["apiVersion"] == "networking.k8s.io/v1"
                || !kind.ends_with("Policy")
        };
        documents.retain(is_plain);
    }
    if seed.is_multiple_of(4) {
        // one family only
        for pod in documents
            .iter_mut()
            .filter_map(|d| d["status"]["podIPs"].as_array_mut())
        {
            pod.retain(|ip| {
                ip["ip"]
                    .as_str()
                    .is_some_and(|ip| ip.contains(':') == seed.is_multiple_of(8))
            });
        }
    }
    documents
}

/// Follows every allowed flow from pod to pod, one at a time.
fn by_hand(graph: &AllowGraph, trip: &ReachQuery, least: Truth) -> BTreeMap<PodId, u32> {
    let pods: Vec<PodId> = graph
        .environment()
        .cluster
        .pods()
        .map(|(id, _)| id)
        .collect();
    let mut hops: BTreeMap<PodId, u32> = BTreeMap::new();
    let mut level: Vec<(PodId, bool)> = trip.pods.iter().map(|p| (*p, true)).collect();
    let mut n = 0;
    while !level.is_empty() && trip.hops.is_none_or(|most| n < most) {
        n += 1;
        let mut next = Vec::new();
        for (from, root) in level {
            for to in pods
                .iter()
                .filter(|p| **p != from && !trip.pods.contains(p))
            {
                let (a, b) = if trip.way == Way::Forward {
                    (from, *to)
                } else {
                    (*to, from)
                };
                let traffic = passing(&graph.allowed(Endpoint::Pod(a), Endpoint::Pod(b)), least);
                let asked = if root && trip.way == Way::Backward {
                    trip.asked.clone()
                } else {
                    TrafficSet::all()
                };
                if !traffic.is_disjoint(&asked) && !hops.contains_key(to) {
                    hops.insert(*to, n);
                    next.push((*to, false));
                }
            }
        }
        level = next;
    }
    hops
}

/// The same through units. A unit is found whole.
fn by_units(graph: &AllowGraph, trip: &ReachQuery, least: Truth) -> BTreeMap<PodId, u32> {
    let mut links = Steps::new(graph, trip);
    let found = links.closure(least);
    let pods = found
        .iter()
        .flat_map(|(u, f)| links.pod_groups[u].pods.iter().map(|p| (*p, f.hops)));
    pods.collect()
}

#[test]
fn closures_equal_following_every_flow() {
    let (mut trips, mut found, mut deepest) = (0, 0, 0);
    for seed in 0..240 {
        let mut random = Random::new(seed);
        let documents = cluster(&mut random, seed);
        let input = netpal::load_str(&random::text(&documents));
        let host = *random.pick(&[HostNetwork::Unknown, HostNetwork::Node, HostNetwork::Pod]);
        let options = CompileOptions {
            taints: seed % 2 == 0,
            ..CompileOptions::default()
        }
        .host_network(host);
        let graph = AllowGraph::compile(&input, &options).unwrap();
        let all: Vec<PodId> = input.cluster.pods().map(|(id, _)| id).collect();
        if all.is_empty() {
            continue;
        }
        for _ in 0..6 {
            let pods: BTreeSet<PodId> = (0..=random.below(2)).map(|_| *random.pick(&all)).collect();
            let port = *random.pick(&random::PORTS);
            let trip = ReachQuery {
                way: if random.chance(50) {
                    Way::Forward
                } else {
                    Way::Backward
                },
                pods,
                addresses: IpSet::empty(),
                asked: if random.chance(50) {
                    TrafficSet::all()
                } else {
                    TrafficSet::ports(Protocol::Tcp, port, port)
                },
                hops: if random.chance(60) {
                    None
                } else {
                    Some(1 + u32::try_from(random.below(3)).unwrap())
                },
            };
            for least in [Truth::Yes, Truth::Maybe] {
                let (hand, units) = (
                    by_hand(&graph, &trip, least),
                    by_units(&graph, &trip, least),
                );
                assert_eq!(units, hand, "seed {seed}, {trip:?}, {least:?}");
                found += hand.len();
                deepest = deepest.max(hand.values().copied().max().unwrap_or(0));
            }
            trips += 1;
        }
    }
    println!("{trips} trips, {found} pods found, up to {deepest} hops away");
    assert!(
        found > 1000 && deepest > 1,
        "the clusters have something to find"
    );
}

/// The closure of a cluster so large that nodes are not told apart, unit after unit, every row read
/// by itself.
fn by_rows(
    graph: &AllowGraph,
    trip: &ReachQuery,
    units: &[PodGroup<'_>],
    least: Truth,
) -> BTreeMap<usize, u32> {
    let (line, cluster) = (graph.space(), &graph.environment().cluster);
    let rows: Vec<_> = line
        .classes
        .list
        .indexes()
        .map(|class| graph.row(class))
        .collect();
    let host = |p: PodId| cluster.pod(p).host_network;
    let link = |from: PodId, alone: bool, unit: &PodGroup<'_>| {
        let other = *unit.pods.iter().find(|p| **p != from)?;
        let place = line.index_of(Endpoint::Pod(from));
        let ((s, d), ends) = match trip.way {
            Way::Forward => (
                (place, unit.class),
                (Endpoint::Pod(from), Endpoint::Pod(other)),
            ),
            Way::Backward => (
                (unit.class, place),
                (Endpoint::Pod(other), Endpoint::Pod(from)),
            ),
        };
        let allowed = rows[d.index()]
            .iter()
            .find(|p| p.sources.contains(s))?
            .allowed
            .clone();
        let told = unit.pods.len() == 1 && alone && (host(from) || host(other));
        let exact = if told && !allowed.unknown().is_empty() {
            graph.allowed(ends.0, ends.1)
        } else {
            allowed
        };
        Some(passing(&exact, least))
    };
    let mut found: BTreeMap<usize, u32> = BTreeMap::new();
    let mut level: Vec<(PodId, bool, bool)> = trip.pods.iter().map(|p| (*p, true, true)).collect();
    let mut n = 0;
    while !level.is_empty() && trip.hops.is_none_or(|most| n < most) {
        n += 1;
        let mut next = Vec::new();
        for (from, alone, root) in level {
            for (i, unit) in units.iter().enumerate().filter(|(_, u)| !u.pods.is_empty()) {
                let asked = if root && trip.way == Way::Backward {
                    trip.asked.clone()
                } else {
                    TrafficSet::all()
                };
                let passes =
                    link(from, alone, unit).is_some_and(|traffic| !traffic.is_disjoint(&asked));
                if passes && !found.contains_key(&i) {
                    found.insert(i, n);
                    next.push((unit.pods[0], unit.pods.len() == 1, false));
                }
            }
        }
        level = next;
    }
    found
}

#[test]
fn large_clusters_are_followed_template_by_template() {
    let filler = |i: usize| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": format!("filler-{i}"), "namespace": "filler"},
               "spec": {"containers": [{"name": "c"}]}})
    };
    let (mut trips, mut found, mut deepest) = (0, 0, 0);
    for seed in 900..960 {
        let mut random = Random::new(seed);
        let mut documents = cluster(&mut random, seed);
        documents
            .push(json!({"apiVersion": "v1", "kind": "List", "items": (0..2_001).map(filler).collect::<Vec<_>>()}));
        let input = netpal::load_str(&random::text(&documents));
        let graph = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
        let all: Vec<PodId> = input.cluster.pods().map(|(id, _)| id).collect();
        for _ in 0..8 {
            let pods: BTreeSet<PodId> = (0..=random.below(3))
                .map(|_| all[random.below(all.len().min(40))])
                .collect();
            let way = if random.chance(60) {
                Way::Forward
            } else {
                Way::Backward
            };
            let port = *random.pick(&random::PORTS);
            let asked = if random.chance(50) {
                TrafficSet::all()
            } else {
                TrafficSet::ports(Protocol::Tcp, port, port)
            };
            let hops = if random.chance(70) { None } else { Some(2) };
            let trip = ReachQuery {
                way,
                pods,
                addresses: IpSet::empty(),
                asked,
                hops,
            };
            for least in [Truth::Yes, Truth::Maybe] {
                let mut links = Steps::new(&graph, &trip);
                let closure: BTreeMap<usize, u32> = links
                    .closure(least)
                    .iter()
                    .map(|(u, f)| (u, f.hops))
                    .collect();
                let plain = by_rows(&graph, &trip, &links.pod_groups, least);
                assert_eq!(closure, plain, "seed {seed}, {trip:?}, {least:?}");
                found += plain.len();
                deepest = deepest.max(plain.values().copied().max().unwrap_or(0));
            }
            trips += 1;
        }
    }
    println!("{trips} trips, {found} units found, up to {deepest} hops away");
    assert!(
        found > 1000 && deepest > 1,
        "the clusters have something to find"
    );
}

#[test]
fn ways_are_shortest_and_every_hop_is_allowed() {
    let (mut asked, mut ways) = (0, 0);
    for seed in 500..650 {
        let mut random = Random::new(seed);
        let documents = cluster(&mut random, seed);
        let input = netpal::load_str(&random::text(&documents));
        let graph = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
        let all: Vec<PodId> = input.cluster.pods().map(|(id, _)| id).collect();
        for _ in 0..all.len().min(8) {
            let (start, goal) = (*random.pick(&all), *random.pick(&all));
            if start == goal {
                continue;
            }
            let port = *random.pick(&random::PORTS);
            let wanted = TrafficSet::ports(Protocol::Tcp, port, port);
            let back = ReachQuery {
                way: Way::Backward,
                pods: [goal].into(),
                addresses: IpSet::empty(),
                asked: wanted.clone(),
                hops: None,
            };
            let trip = ReachQuery {
                way: Way::Forward,
                pods: [start].into(),
                ..back.clone()
            };
            for least in [Truth::Yes, Truth::Maybe] {
                let hand = by_hand(&graph, &back, least).get(&start).copied();
                let way = netpal::path(&graph, &trip, &back.pods, &wanted, least);
                let hops = way.as_ref().map(|w| u32::try_from(w.len()).unwrap());
                assert_eq!(hops, hand, "seed {seed}: {start:?} to {goal:?} on {port}");
                let mut at = Endpoint::Pod(start);
                for (i, hop) in way.iter().flatten().enumerate() {
                    let passes =
                        passing(&graph.allowed(hop.flow.source, hop.flow.destination), least);
                    assert_eq!(hop.flow.source, at, "the chain holds");
                    assert!(!passes.is_empty(), "seed {seed}: hop {i}");
                    assert!(
                        !hop.traffic.is_empty() && hop.traffic.is_subset(&passes),
                        "seed {seed}: hop {i}"
                    );
                    at = hop.flow.destination;
                    ways += 1;
                }
                assert!(way.is_none() || at == Endpoint::Pod(goal));
            }
            asked += 1;
        }
    }
    println!("{asked} pairs, {ways} hops");
    assert!(asked > 100 && ways > 100);
}

/// A cluster of over two thousand pods: two agents on their nodes' network, a relay that only its
/// own node reaches, a store that the relay reaches, and a crowd that only agents reach, each those
/// of its node.
fn crowd() -> netpal::Input {
    let pod = |name: &str, node: &str, host: bool| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: app, labels: {{app: {}}}}}\n\
             spec: {{nodeName: {node}, hostNetwork: {host}, containers: [{{name: c, ports: [{{containerPort: 80}}]}}]}}\n---\n",
            name.split('-').next().unwrap()
        )
    };
    let mut text = String::new();
    for (name, node, host) in [
        ("agent-1", "n1", true),
        ("agent-2", "n2", true),
        ("relay-1", "n1", false),
        ("store-1", "n2", false),
    ] {
        text += &pod(name, node, host);
    }
    (0..2_100).for_each(|i| {
        text += &pod(
            &format!("crowd-{i}"),
            if i % 2 == 0 { "n1" } else { "n2" },
            false,
        );
    });
    text += "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: closed, namespace: app}\n\
             spec: {podSelector: {}, policyTypes: [Ingress]}\n---\n\
             apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: relayed, namespace: app}\n\
             spec: {podSelector: {matchLabels: {app: store}}, \
             ingress: [{from: [{podSelector: {matchLabels: {app: relay}}}], ports: [{port: 80}]}]}\n";
    netpal::load_str(&text)
}

#[test]
fn ways_in_a_crowd_are_sure_where_they_are_said_to_be() {
    let input = crowd();
    let options = CompileOptions::default().host_network(HostNetwork::Node);
    let graph = AllowGraph::compile(&input, &options).unwrap();
    let named = |name: &str| {
        input
            .cluster
            .pods()
            .find(|(_, p)| *p.name == *name)
            .map(|(id, _)| id)
            .unwrap()
    };
    let port = TrafficSet::ports(Protocol::Tcp, 80, 80);
    let trip = |pod: PodId| ReachQuery {
        way: Way::Forward,
        pods: [pod].into(),
        addresses: IpSet::empty(),
        asked: port.clone(),
        hops: None,
    };
    let way = |from: &str, to: &str, least: Truth| {
        let (from, to) = (named(from), named(to));
        let found = netpal::path(&graph, &trip(from), &[to].into(), &port, least)?;
        let mut at = Endpoint::Pod(from);
        for hop in &found {
            assert_eq!(hop.flow.source, at, "the chain holds");
            at = hop.flow.destination;
            if least == Truth::Yes {
                assert!(graph.verdict(&hop.flow) == netpal::Truth::Yes, "{hop:?}");
            }
        }
        assert_eq!(at, Endpoint::Pod(to));
        Some(found.len())
    };
    assert_eq!(way("relay-1", "store-1", Truth::Yes), Some(1));
    assert_eq!(
        way("agent-1", "store-1", Truth::Yes),
        Some(2),
        "by the relay on its own node"
    );
    assert_eq!(
        way("agent-2", "store-1", Truth::Yes),
        Some(1),
        "the store is on its own node"
    );
    assert_eq!(
        way("crowd-5", "store-1", Truth::Yes),
        Some(2),
        "nothing isolates an agent"
    );
    assert_eq!(way("store-1", "relay-1", Truth::Yes), Some(2));
    // only the agent of its own node gets to one of the crowd
    assert_eq!(way("agent-1", "crowd-5", Truth::Yes), Some(2));
    assert_eq!(way("agent-1", "crowd-5", Truth::Maybe), Some(2));
    assert_eq!(way("agent-2", "crowd-5", Truth::Yes), Some(1));
}

/// Pods that have addresses of one family only, in a cluster where a block of addresses holds for
/// that family.
fn one_family(six: bool) -> String {
    let address = |i: usize| {
        if six {
            format!("fd00::{}", i + 1)
        } else {
            format!("10.0.0.{}", i + 1)
        }
    };
    let block = if six { "fd00::/16" } else { "10.0.0.0/16" };
    let mut text = String::new();
    for (i, name) in ["r", "d1", "d2", "s", "t"].into_iter().enumerate() {
        text += &format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: n, labels: {{app: {name}}}}}\n\
             spec: {{containers: [{{name: c, image: i}}]}}\nstatus: {{podIPs: [{{ip: '{}'}}]}}\n---\n",
            address(i)
        );
    }
    let policy = |name: &str, types: &str, rules: &str| {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: {name}, namespace: n}}\n\
             spec: {{podSelector: {{matchLabels: {{app: {name}}}}}, policyTypes: [{types}], {rules}}}\n---\n"
        )
    };
    let of = |names: &str| {
        format!(
            "podSelector: {{matchExpressions: [{{key: app, operator: In, values: [{names}]}}]}}"
        )
    };
    text += &policy(
        "r",
        "Ingress",
        &format!("ingress: [{{from: [{{{}}}]}}]", of("d1, d2")),
    );
    let narrow = "{from: [{podSelector: {}}], ports: [{port: 81}]}";
    text += &policy(
        "d1",
        "Ingress",
        &format!("ingress: [{narrow}, {{from: [{{ipBlock: {{cidr: '{block}'}}}}]}}]"),
    );
    text += &policy("d2", "Ingress", "ingress: [{from: [{podSelector: {}}]}]");
    text += &policy(
        "s",
        "Egress",
        &format!("egress: [{{to: [{{{}}}]}}]", of("d2")),
    );
    text += &policy(
        "t",
        "Egress",
        &format!(
            "egress: [{{to: [{{{}}}], ports: [{{port: 81}}]}}]",
            of("d1")
        ),
    );
    text
}

#[test]
fn pods_of_one_family_are_followed_whatever_other_rules_look_at() {
    for six in [false, true] {
        let input = netpal::load_str(&one_family(six));
        assert!(!input.has_errors(), "{:?}", input.diagnostics);
        for (way, name) in [
            (Way::Backward, "r"),
            (Way::Forward, "s"),
            (Way::Forward, "t"),
            (Way::Backward, "d1"),
        ] {
            let graph = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
            let pods = input
                .cluster
                .pods()
                .filter(|(_, p)| *p.name == *name)
                .map(|(id, _)| id)
                .collect();
            let trip = ReachQuery {
                way,
                pods,
                addresses: IpSet::empty(),
                asked: TrafficSet::all(),
                hops: None,
            };
            for least in [Truth::Yes, Truth::Maybe] {
                let (hand, units) = (
                    by_hand(&graph, &trip, least),
                    by_units(&graph, &trip, least),
                );
                assert_eq!(units, hand, "{name}, {way:?}, {least:?}, family six: {six}");
                assert!(
                    name != "r" || hand.len() == 4,
                    "everybody gets to r: {hand:?}"
                );
            }
        }
    }
}

/// The ghosts let into `data/db`, each as the path of the peer, or of the rule where it names none.
fn ghosts(policies: &str) -> Vec<String> {
    let world = "apiVersion: v1
kind: Namespace
metadata: {name: data}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: data, labels: {app: db}}
spec: {containers: [{name: c, image: i}]}
---
";
    let input = netpal::load_str(&format!("{world}{policies}"));
    assert!(!input.has_errors(), "{:?}", input.diagnostics);
    let graph = AllowGraph::compile(&input, &CompileOptions::default()).unwrap();
    let found = netpal::exposure(&input, &graph, PodId(0), &TrafficSet::all()).unwrap();
    let path = |g: &netpal::PotentialPod| match g.because {
        Some(at) => input.policies.get(at.policy).rule_path(at).to_string(),
        None => "default".to_owned(),
    };
    found.iter().map(path).collect()
}

const PEERS: &str = "apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: data}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - from:
    - podSelector: {matchLabels: {role: admin}}
    - namespaceSelector: {matchLabels: {team: shop}}
    - namespaceSelector: {}
      podSelector: {matchExpressions: [{key: a, operator: Exists}, {key: a, operator: DoesNotExist}]}
    - ipBlock: {cidr: 203.0.113.0/24}
    ports: [{port: 5432}]
";

#[test]
fn ghosts_are_the_pods_that_rules_would_let_in() {
    assert_eq!(ghosts(""), ["default"]);
    // a selector that contradicts itself means nobody, and a block means no pod
    assert_eq!(ghosts(PEERS), ["ingress[0].from[0]", "ingress[0].from[1]"]);
    let rule = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: all, namespace: data}\n\
                spec: {podSelector: {}, ingress: [{}]}\n";
    assert_eq!(ghosts(rule), ["ingress[0]"]);
}

#[test]
fn rules_of_every_tier_have_their_say_about_ghosts() {
    let deny = "---
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: not-the-shop}
spec:
  tier: Admin
  priority: 1
  subject: {namespaces: {}}
  ingress:
  - {action: Deny, from: [{namespaces: {matchLabels: {team: shop}}}]}
";
    assert_eq!(ghosts(&format!("{PEERS}{deny}")), ["ingress[0].from[0]"]);
}

#[test]
fn what_a_ghost_may_send_out_is_not_asked() {
    let closed = "---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: nothing-out, namespace: data}
spec: {podSelector: {}, policyTypes: [Egress]}
";
    assert_eq!(
        ghosts(&format!("{PEERS}{closed}")),
        ghosts(PEERS),
        "as the rule is written"
    );
}
