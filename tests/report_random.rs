//! Controls of random clusters: what is met holds of every flow that the graph knows, and rests on
//! nothing that is unknown.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

#[path = "common/random.rs"]
#[allow(dead_code)]
mod random;

use netpal::{
    AllowGraph, Assessment, AuditProfile, AuditScope, AuditSubject, Bearing, CompileOptions,
    ControlResult, Declared, DoorList, Endpoint, HostNetwork, Input, ListFilter, Listing, PodId,
    PotentialRows, WorkloadId, World, assess, list, load_str, potential_rows,
};
use random::Random;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Addresses of the internet: some of the pools of random rules, some of nobody's.
const OUTSIDE: [&str; 5] = [
    "8.8.8.8",
    "1.0.0.1",
    "93.184.216.34",
    "223.255.255.254",
    "2606:4700::1111",
];

struct Case {
    input: Input,
    graph: AllowGraph,
    world: World,
    doors: DoorList,
    listing: Listing,
    potential: PotentialRows,
}

/// A cluster without what cannot be read, with few policies, that denies by default.
fn tidy(random: &mut Random, documents: Vec<Value>) -> Vec<Value> {
    let is_read = |document: &Value| !load_str(&document.to_string()).has_errors();
    let mut kept: Vec<Value> = documents
        .into_iter()
        .filter(is_read)
        .filter(|document| document["kind"] != "NetworkPolicy" || random.chance(40))
        .collect();
    kept.extend(random::NAMESPACES.map(|namespace| {
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"name": "deny", "namespace": namespace},
            "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}})
    }));
    kept
}

impl Case {
    fn of(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut documents = random::documents(&mut random);
        if random.chance(60) {
            documents = tidy(&mut random, documents);
        }
        let input = load_str(&random::text(&documents));
        let host_network =
            *random.pick(&[HostNetwork::Unknown, HostNetwork::Node, HostNetwork::Pod]);
        let options = CompileOptions {
            host_network,
            ..CompileOptions::default()
        };
        let world = *random.pick(&[World::Open, World::Namespaces, World::Closed]);
        let graph = AllowGraph::compile(&input, &options).unwrap();
        Self {
            doors: DoorList::of_input(&input, &graph).unwrap(),
            listing: list(&graph, &ListFilter::default()),
            potential: potential_rows(&input, &options, world).unwrap(),
            input,
            graph,
            world,
        }
    }

    fn assess(&self, profile: AuditProfile, scope: &AuditScope) -> Vec<Assessment> {
        let subject = AuditSubject {
            input: &self.input,
            graph: &self.graph,
            doors: &self.doors,
            listing: &self.listing,
            potential: &self.potential,
            world: self.world,
            plugin: None,
            declared: &Declared::default(),
            scope,
        };
        assess(profile, &subject, &mut |_| {}).unwrap()
    }

    fn pods(&self, workload: WorkloadId) -> &[PodId] {
        &self.graph.environment().cluster.workload(workload).pods
    }

    /// Whether anything at all may pass between two ends.
    fn may(&self, source: Endpoint, destination: Endpoint) -> bool {
        !self.graph.allowed(source, destination).may.is_empty()
    }
}

fn is_met(assessments: &[Assessment], id: &str) -> bool {
    let found = assessments.iter().find(|a| a.control.id == id).unwrap();
    found.result == ControlResult::Met
}

/// Nothing that a control which is met rests on is open, unknown or to be confirmed, and every
/// result is one that the control can have.
fn consistent(seed: u64, assessments: &[Assessment]) {
    for Assessment {
        control,
        result,
        facts,
    } in assessments
    {
        assert!(
            control.possible.contains(result),
            "seed {seed}: {} {result:?}",
            control.id
        );
        let worst = facts.iter().map(|fact| fact.bearing).max();
        match result {
            ControlResult::Met => {
                assert_eq!(worst, Some(Bearing::Shown), "seed {seed}: {}", control.id);
            }
            ControlResult::NotMet => {
                assert_eq!(worst, Some(Bearing::Against), "seed {seed}: {}", control.id);
            }
            _ => {}
        }
        let sorted = facts.is_sorted_by(|a, b| (b.bearing, &a.text) <= (a.bearing, &b.text));
        assert!(sorted, "seed {seed}: {}", control.id);
    }
}

/// What the controls of one workload say holds of every flow.
fn holds(seed: u64, case: &Case, workload: WorkloadId) -> [usize; 3] {
    let scope = AuditScope {
        name: Some("one".into()),
        workloads: BTreeSet::from([workload]),
        doubtful: BTreeSet::new(),
    };
    let pci = case.assess(AuditProfile::Pci, &scope);
    consistent(seed, &pci);
    let cluster = &case.graph.environment().cluster;
    let name = cluster.workload_name(workload);
    let outside: Vec<Endpoint> = OUTSIDE
        .iter()
        .map(|text| Endpoint::Address(text.parse::<IpAddr>().unwrap()))
        .collect();
    let mut met = [0; 3];
    for pod in case.pods(workload).iter().map(|pod| Endpoint::Pod(*pod)) {
        for (i, (id, inward, outward)) in [
            ("1.4.4", true, false),
            ("1.4.1", true, true),
            ("1.3.1", true, false),
        ]
        .into_iter()
        .enumerate()
        {
            if !is_met(&pci, id) {
                continue;
            }
            met[i] += 1;
            for other in &outside {
                assert!(
                    !inward || !case.may(*other, pod),
                    "seed {seed}: {id} of {name}, from {other:?}"
                );
                assert!(
                    !outward || !case.may(pod, *other),
                    "seed {seed}: {id} of {name}, to {other:?}"
                );
            }
        }
        if is_met(&pci, "1.3.1") {
            // no test declares a flow, so that nothing may get in
            for (other, _) in cluster
                .pods()
                .filter(|(other, _)| Endpoint::Pod(*other) != pod)
            {
                assert!(
                    !case.may(Endpoint::Pod(other), pod),
                    "seed {seed}: 1.3.1 of {name}, from {other:?}"
                );
            }
        }
    }
    met
}

#[test]
fn what_is_met_holds_of_every_flow() {
    let first: u64 = std::env::var("NETPAL_SEED").map_or(0, |seed| seed.parse().unwrap());
    let mut met = [0; 3];
    let mut results = BTreeSet::new();
    for seed in first..first + 150 {
        let case = Case::of(seed);
        let cluster = case.graph.environment().cluster.clone();
        for (workload, _) in cluster.workloads() {
            let found = holds(seed, &case, workload);
            met.iter_mut().zip(found).for_each(|(sum, n)| *sum += n);
        }
        for profile in AuditProfile::ALL {
            let whole = case.assess(profile, &AuditScope::whole(&cluster));
            consistent(seed, &whole);
            results.extend(whole.iter().map(|a| a.result));
        }
    }
    println!("met: {met:?}, results of whole inputs: {results:?}");
    assert!(
        met.iter().all(|n| *n > 3),
        "clusters meet something: {met:?}"
    );
}
