//! What becomes of calls of Services that rules name: such rules see the call and not the pod
//! behind it, so that the paths to pods do not tell what they do (AN40).
//!
//! Compared are the pods and Services that both sides have, by their names. Cost: for each Service
//! that a rule names the pairs of classes of pods, in the graph of its calls.

use crate::diff::before_after::Side;
use crate::diff::kind::Kind;
use crate::graph::Allowed;
use crate::model::{Cluster, PodId, ServiceId};
use crate::query::ask::asked_traffic::all_behind;
use crate::set::TrafficSet;
use crate::set::hashed::{HashMap, HashSet};
use crate::spec::Endpoint;

/// A change of what a Service's callers get to.
#[derive(Debug, Clone)]
pub struct CallChange {
    /// How the verdict changes.
    pub kind: Kind,
    /// The Service that is called, in the ids of the after side, as everything here.
    pub service: ServiceId,
    /// The first caller.
    pub source: PodId,
    /// The first pod that the call leads to.
    pub destination: PodId,
    /// The traffic at the pod.
    pub traffic: TrafficSet,
    /// How many pairs of pods change so; of pods that no rule tells apart one counts.
    pub pairs: usize,
}

/// A pod or a Service of the after side with its id on both.
type Both<I> = [I; 2];

/// The changes of calls, each kind once for a Service and its traffic.
pub fn call_changes(sides: [Side<'_>; 2]) -> Vec<CallChange> {
    let [was, is] = sides.map(|side| &*side.graph.environment().cluster);
    let mut found: Vec<CallChange> = Vec::new();
    for (id, service) in is.services() {
        let called = [
            is.namespace(service.namespace).name.clone(),
            service.name.clone(),
        ];
        let is_named = |side: &Side<'_>| {
            let mut policies = side.graph.environment().policies.policies.iter();
            policies.any(|policy| policy.sees_calls_of(&called))
        };
        let before = service_called(was, &called).filter(|_| sides.iter().any(is_named));
        if let Some(before) = before {
            of_service(sides, [before, id], &mut found);
        }
    }
    found.sort_by_key(|change| change.kind);
    found
}

/// The Service of a namespace and a name.
fn service_called(cluster: &Cluster, [namespace, name]: &[Box<str>; 2]) -> Option<ServiceId> {
    let namespace = cluster.find_namespace(namespace)?;
    let mut services = cluster.services();
    let found = services.find(|(_, s)| s.namespace == namespace && s.name == *name);
    found.map(|(id, _)| id)
}

/// The pods that both sides have.
fn pods_of_both([was, is]: [&Cluster; 2]) -> Vec<Both<PodId>> {
    let mut known: HashMap<(&str, &str), PodId> = HashMap::default();
    for (id, pod) in was.pods() {
        let namespace = &*was.namespace(pod.namespace).name;
        known.entry((namespace, &pod.name)).or_insert(id);
    }
    let both = is.pods().filter_map(|(id, pod)| {
        let namespace = &*is.namespace(pod.namespace).name;
        known.get(&(namespace, &*pod.name)).map(|old| [*old, id])
    });
    both.collect()
}

/// Adds what changes for the callers of one Service.
fn of_service(sides: [Side<'_>; 2], service: Both<ServiceId>, found: &mut Vec<CallChange>) {
    let clusters = sides.map(|side| &*side.graph.environment().cluster);
    let pods = pods_of_both(clusters);
    let behind = [0, 1].map(|i| clusters[i].service_pods(service[i]));
    let is_behind = |pod: &Both<PodId>| (0..2).all(|i| behind[i].contains(&pod[i]));
    let class =
        |pod: Both<PodId>| [0, 1].map(|i| sides[i].graph.space().index_of(Endpoint::Pod(pod[i])));
    let mut seen = HashSet::default();
    let called = two_of_each(pods.iter().copied().filter(is_behind), class);
    let callers = two_of_each(pods.iter().copied(), class);
    for destination in &called {
        for source in callers.iter().filter(|source| source[1] != destination[1]) {
            if seen.insert((class(*source), class(*destination))) {
                let change = of_pair(sides, service, *source, *destination);
                change.into_iter().for_each(|change| add(found, change));
            }
        }
    }
}

/// The first two pods of each class; the second is there for the first to call.
fn two_of_each<K: Eq + std::hash::Hash>(
    pods: impl Iterator<Item = Both<PodId>>,
    class: impl Fn(Both<PodId>) -> K,
) -> Vec<Both<PodId>> {
    let mut seen: HashMap<K, usize> = HashMap::default();
    let mut found = Vec::new();
    for pod in pods {
        let many = seen.entry(class(pod)).or_default();
        *many += 1;
        if *many <= 2 {
            found.push(pod);
        }
    }
    found
}

/// Adds a change, to one of its kind if there is one.
fn add(found: &mut Vec<CallChange>, change: CallChange) {
    let mut known = found.iter_mut();
    let same = known.find(|one| {
        one.service == change.service && one.kind == change.kind && one.traffic == change.traffic
    });
    match same {
        Some(one) => one.pairs += 1,
        None => found.push(change),
    }
}

/// What changes for calls of a Service by one pod that lead to another; nothing where the path to
/// the pod itself changes alike, because that is told as such.
fn of_pair(
    sides: [Side<'_>; 2],
    service: Both<ServiceId>,
    source: Both<PodId>,
    destination: Both<PodId>,
) -> Option<CallChange> {
    let ends = [0, 1].map(|i| [source[i], destination[i]].map(Endpoint::Pod));
    let ports = [0, 1].map(|i| {
        let cluster = &sides[i].graph.environment().cluster;
        all_behind(cluster, cluster.service(service[i]), Some(ends[i][1]))
    });
    let asked = Allowed::exact(ports[0].intersection(&ports[1]));
    let verdicts =
        |by_name| [0, 1].map(|i| passing(sides[i], (service[i], by_name), ends[i], &asked));
    let calls = verdicts(true);
    if calls[0] == calls[1] || calls == verdicts(false) {
        return None;
    }
    let (kind, traffic) = difference(&calls);
    Some(CallChange {
        kind,
        service: service[1],
        source: source[1],
        destination: destination[1],
        traffic,
        pairs: 1,
    })
}

/// What passes of some traffic between two ends, by the name of a Service or to the pod itself.
fn passing(
    side: Side<'_>,
    (service, by_name): (ServiceId, bool),
    [source, destination]: [Endpoint; 2],
    asked: &Allowed,
) -> Allowed {
    let called = side.graph.calling(service, source).filter(|_| by_name);
    let graph = called.as_ref().unwrap_or(side.graph);
    graph.allowed(source, destination).and(asked)
}

/// The riskiest way in which two verdicts differ, and the traffic that does.
fn difference([was, is]: &[Allowed; 2]) -> (Kind, TrafficSet) {
    let ways = [
        (Kind::Widened, is.must.difference(&was.may)),
        (Kind::Narrowed, was.must.difference(&is.may)),
        (Kind::MayWiden, is.may.difference(&was.may)),
        (Kind::MayWiden, is.must.difference(&was.must)),
        (Kind::MayNarrow, was.must.difference(&is.must)),
    ];
    let found = ways.into_iter().find(|(_, traffic)| !traffic.is_empty());
    found.unwrap_or_else(|| (Kind::MayNarrow, was.may.difference(&is.may)))
}
