//! Lines about calls of Services that rules name: what passes by the name of a Service, where it is
//! not what passes to the pod behind it (AN40).
//!
//! Cost: for each Service that a rule names the pairs of kinds of pods, of each workload those that
//! no rule tells apart once for each node.

use crate::graph::{AllowGraph, Allowed};
use crate::model::{PodId, Service, ServiceId};
use crate::policy::Policy;
use crate::query::ask::asked_traffic::all_behind;
use crate::set::hashed::HashMap;
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
    let sources = told_apart(graph, service, cluster.pods().map(|(id, _)| id));
    let destinations = told_apart(graph, service, cluster.service_pods(id));
    for source in sources {
        let from = Endpoint::Pod(source);
        let Some(called) = graph.calling(id, from) else {
            continue;
        };
        for destination in &destinations {
            let to = Endpoint::Pod(*destination);
            let asked = Allowed::exact(all_behind(cluster, service, Some(to)));
            let [by_name, to_pod] =
                [&called, graph].map(|graph| graph.allowed(from, to).and(&asked));
            if source != *destination && by_name != to_pod {
                found.push((source, *destination, by_name));
            }
        }
    }
    found
}

/// The first two of the pods of each workload that fare alike with a Service; the second is there
/// for the first to call.
fn told_apart(
    graph: &AllowGraph,
    service: &Service,
    pods: impl IntoIterator<Item = PodId>,
) -> Vec<PodId> {
    let is_listed = service.selector.is_none(); // by address
    let cluster = &graph.environment().cluster;
    let mut seen: HashMap<_, usize> = HashMap::default();
    let mut found = Vec::new();
    for id in pods {
        let pod = cluster.pod(id);
        let class = graph.space().index_of(Endpoint::Pod(id));
        let address = is_listed.then_some(&pod.addresses);
        let key = (pod.workload, class, &pod.node, &pod.ports, address);
        let many = seen.entry(key).or_default();
        *many += 1;
        if *many <= 2 {
            found.push(id);
        }
    }
    found
}
