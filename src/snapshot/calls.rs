//! Lines about calls of Services that rules name: what passes by the name of a Service, where it is
//! not what passes to the pod behind it (AN40).
//!
//! Cost: for each Service that a rule names the pairs of pods, of those that no rule tells apart
//! once for each pair of workloads.

use crate::graph::{AllowGraph, Allowed};
use crate::model::{PodId, Service, ServiceId};
use crate::policy::Policy;
use crate::query::ask::asked_traffic::traffic_behind;
use crate::set::TrafficSet;
use crate::snapshot::words;
use crate::spec::Endpoint;
use std::collections::BTreeSet;

/// The lines, such as `call a/p -> svc b/s => b/q 80/TCP`.
pub fn lines(graph: &AllowGraph) -> BTreeSet<String> {
    let env = graph.environment();
    let mut lines = BTreeSet::new();
    if !env.policies.policies.iter().any(Policy::sees_calls) {
        return lines;
    }
    let names = words::names(graph);
    for (id, service) in env.cluster.services() {
        for (source, destination, calls) in calls(graph, id, service) {
            let [from, to] = [source, destination].map(|pod| {
                let workload = env.cluster.pod(pod).workload;
                &names[workload.0 as usize]
            });
            let namespace = &env.cluster.namespace(service.namespace).name;
            let called = words::single_word(&format!("{namespace}/{}", service.name));
            for (word, traffic) in [("call", &calls.must), ("call-unknown", &calls.unknown())] {
                if !traffic.is_empty() || word == "call" && calls.may.is_empty() {
                    let ports = if traffic.is_empty() {
                        "nothing".to_owned()
                    } else {
                        words::words(traffic)
                    };
                    lines.insert(format!("{word} {from} -> svc {called} => {to} {ports}"));
                }
            }
        }
    }
    lines
}

/// What passes by the name of a Service, by the pods that call and are called, where it differs.
fn calls(graph: &AllowGraph, id: ServiceId, service: &Service) -> Vec<(PodId, PodId, Allowed)> {
    let cluster = &graph.environment().cluster;
    let mut found = Vec::new();
    for (source, _) in cluster.pods() {
        let from = Endpoint::Pod(source);
        let Some(called) = graph.calling(id, from) else {
            continue;
        };
        for destination in cluster.service_pods(id) {
            let to = Endpoint::Pod(destination);
            let ports = service.ports.iter();
            let ports = ports.map(|port| traffic_behind(cluster, service, port, Some(to)));
            let asked = ports.fold(TrafficSet::empty(), |all, one| all.union(&one));
            let [by_name, to_pod] = [&called, graph].map(|graph| passing(graph, from, to, &asked));
            if source != destination && by_name != to_pod {
                found.push((source, destination, by_name));
            }
        }
    }
    found
}

/// What passes of some traffic.
fn passing(graph: &AllowGraph, from: Endpoint, to: Endpoint, asked: &TrafficSet) -> Allowed {
    let allowed = graph.allowed(from, to);
    Allowed {
        must: allowed.must.intersection(asked),
        may: allowed.may.intersection(asked),
    }
}
