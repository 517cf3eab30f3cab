//! The form of the rules, proved by a dialect that nothing in `src/` knows: one file
//! (`tests/toy/dialect.rs`) and its rows in the table of dialects are all that it takes to be
//! evaluated, compiled, listeded and compared.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

#[allow(dead_code)]
mod common {
    pub mod engines;
    pub mod random;
}
mod toy {
    pub mod dialect;
}

use common::engines::Tally;
use common::random::{self, PORTS, Random};
use netpal::internals::policy::dialects::add_for_tests;
use netpal::{CompileOptions, Endpoint, Flow, Input, Protocol, Traffic};
use serde_json::{Value, json};

const CLUSTERS: u64 = 18;
/// Of the first seeds fewer clusters have something that is not told.
const FIRST: u64 = 44;

fn toys(random: &mut Random) -> Vec<Value> {
    let count = 1 + random.below(4);
    (0..count)
        .map(|i| {
            let kind = *random.pick(&["ToyPolicy", "ToyPolicy", "ToyShield"]);
            let mut spec = json!({
                "priority": random.below(3),
                "select": select(random),
            });
            if random.chance(20) {
                spec["open"] = json!(true);
            }
            for direction in ["ingress", "egress"] {
                if random.chance(60) {
                    let rules = random.below(3);
                    spec[direction] = (0..rules).map(|_| rule(random)).collect();
                }
            }
            json!({"apiVersion": "toy.example/v1", "kind": kind,
                "metadata": {"name": format!("toy-{i}")}, "spec": spec})
        })
        .collect()
}

fn select(random: &mut Random) -> Value {
    match random.below(6) {
        0 => json!({}),
        1 => json!({"app": "we*"}),
        2 => json!({"any": [{"app": "web"}, {"tier": "front"}]}),
        3 => json!({"not": {"app": "db"}}),
        4 => json!({"not": {"any": [{"app": "job"}, {"env": "pro*"}]}}),
        _ => json!({"app": *random.pick(&["web", "db", "job"])}),
    }
}

fn peer(random: &mut Random) -> Value {
    match random.below(6) {
        0 => json!({"not": [{"select": select(random)}]}),
        1 => json!({"not": [{"cidr": "10.0.0.0/8"}, {"namespace": "a", "select": {}}]}),
        2 => json!({"cidr": *random.pick(&["10.0.0.0/24", "0.0.0.0/0", "8.8.8.0/24", "::/0"])}),
        3 => json!({"world": true}),
        _ => json!({"namespace": *random.pick(&["a", "b", "c"]), "select": select(random)}),
    }
}

fn rule(random: &mut Random) -> Value {
    let mut rule = json!({"action": *random.pick(&["Allow", "Allow", "Deny", "Pass"])});
    if random.chance(80) {
        let count = 1 + random.below(2);
        rule["peers"] = (0..count).map(|_| peer(random)).collect();
    }
    if random.chance(50) {
        let ports = [json!(80), json!(8080), json!("http"), json!("icmp")];
        rule["ports"] = json!([random.pick(&ports)]);
    }
    if random.chance(10) {
        rule["method"] = json!("GET");
    }
    rule
}

fn load(documents: &[Value]) -> Input {
    netpal::load_str(&random::text(documents))
}

fn endpoints(input: &Input) -> Vec<Endpoint> {
    let pods = input.cluster.pods().map(|(id, _)| Endpoint::Pod(id));
    let outside = ["10.0.0.9", "8.8.8.8", "192.168.7.7", "2001:db8::1"];
    pods.chain(outside.map(|a| Endpoint::Address(a.parse().unwrap())))
        .collect()
}

fn flows(input: &Input) -> Vec<Flow> {
    let ends = endpoints(input);
    let pairs = ends.iter().flat_map(|s| ends.iter().map(move |d| (*s, *d)));
    let pairs =
        pairs.filter(|(s, d)| matches!(s, Endpoint::Pod(_)) || matches!(d, Endpoint::Pod(_)));
    let traffics = PORTS.map(|port| Traffic {
        protocol: Protocol::Tcp,
        port,
    });
    pairs
        .flat_map(|(source, destination)| {
            traffics.map(|traffic| Flow {
                source,
                destination,
                traffic,
            })
        })
        .collect()
}

#[test]
fn a_dialect_of_its_own_tier_and_one_of_its_own_layer() {
    add_for_tests(toy::dialect::TOYS);
    let first = std::env::var("NETPAL_SEED").map_or(FIRST, |n| n.parse().unwrap());
    let clusters = std::env::var("NETPAL_CLUSTERS").map_or(CLUSTERS, |n| n.parse().unwrap());
    let tallies = random::on_all_cores(first..first + clusters, |seed| {
        let mut random = Random::new(seed);
        let documents = random::documents(&mut random);
        let mut with_toys = documents.clone();
        with_toys.extend(toys(&mut random));
        if std::env::var_os("NETPAL_SHOW").is_some() {
            println!("{}", random::text(&with_toys));
        }
        let (before, after) = (load(&documents), load(&with_toys));
        let policies = &after.policies;
        assert!(
            policies.tiers.len() > 3
                && policies.taints.is_empty() == before.policies.taints.is_empty()
        );
        let options = CompileOptions::default();
        Tally::of((&before, &after), &options, flows(&after), seed)
    });
    let tally = Tally::sum(tallies);
    println!("{}", tally.words());
    let all: usize = tally.flows.iter().sum();
    assert!(tally.flows.iter().all(|n| n * 20 > all) && tally.changed * 3 > tally.clusters);
}
