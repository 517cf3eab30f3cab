//! The smallest selector that matches some pods and no others, and peers and ports as the API
//! writes them.
//!
//! Cost: O(pods of the namespace) for each of the combinations of up to [`COMBINED`] labels.

use crate::model::{Labels, NAMESPACE_NAME_LABEL, PodId};
use crate::policy::validate::{is_label_value, is_qualified_name};
use crate::query::ask::resolved::End;
use crate::set::traffic::TrafficRange;
use crate::set::{Family, IpSet, TrafficSet};
use crate::spec::Environment;
use ipnet::IpNet;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// Label keys that workloads are commonly named by, the best first.
const NAMING: [&str; 7] = [
    "app.kubernetes.io/name",
    "app",
    "k8s-app",
    "name",
    "app.kubernetes.io/component",
    "component",
    "app.kubernetes.io/instance",
];

/// Label keys that controllers set, and that identify a single pod or rollout.
const UNSTABLE: [&str; 9] = [
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "job-name",
    "batch.kubernetes.io/job-name",
    "pod-template-hash",
    "controller-revision-hash",
    "pod-template-generation",
    "batch.kubernetes.io/controller-uid",
    "controller-uid",
];

/// The number of labels that are combined before all of them are taken.
const COMBINED: usize = 3;

/// A selector of some pods of one namespace, as the API writes it. It matches no other pod of the
/// namespace if labels can tell them apart.
pub(crate) fn pod_selector(env: &Environment, pods: &BTreeSet<PodId>) -> Json {
    let cluster = &env.cluster;
    let Some(first) = pods.first() else {
        return json!({});
    };
    let namespace = cluster.pod(*first).namespace;
    let wanted: Vec<&Labels> = pods.iter().map(|p| cluster.pod_labels(*p)).collect();
    let others: Vec<&Labels> = cluster
        .pods()
        .filter(|(id, p)| p.namespace == namespace && !pods.contains(id) && !p.host_network)
        .map(|(_, p)| cluster.labels(p.labels))
        .collect();
    let common = common_labels(&wanted);
    let stable: Vec<(&str, &str)> = common
        .iter()
        .filter(|(k, _)| !UNSTABLE.contains(k))
        .copied()
        .collect();
    let enough = |chosen: &[(&str, &str)]| !others.iter().any(|o| has_all(o, chosen));
    let chosen = smallest(&stable, &enough);
    let chosen = if enough(&chosen) {
        chosen
    } else {
        smallest(&common, &enough)
    };
    let remaining: Vec<&Labels> = others.into_iter().filter(|o| has_all(o, &chosen)).collect();
    let mut selector = json!({});
    if !chosen.is_empty() {
        let labels = chosen
            .iter()
            .map(|(k, v)| ((*k).to_owned(), Json::from(*v)));
        selector["matchLabels"] = labels.collect::<serde_json::Map<_, _>>().into();
    }
    let absent = absent_keys(&wanted, &remaining);
    if !absent.is_empty() {
        let requirement = |key: &&str| json!({"key": key, "operator": "DoesNotExist"});
        selector["matchExpressions"] = absent.iter().map(requirement).collect();
    }
    selector
}

/// The labels that all pods have, those that workloads are named by first.
fn common_labels<'l>(wanted: &[&'l Labels]) -> Vec<(&'l str, &'l str)> {
    let Some((first, rest)) = wanted.split_first() else {
        return Vec::new();
    };
    // A value that is only known at run time cannot be selected by.
    let everywhere = |(k, v): &(&str, &str)| {
        is_qualified_name(k) && is_label_value(v) && rest.iter().all(|l| l.get(k) == Some(v))
    };
    let mut common: Vec<(&str, &str)> = first.iter().filter(everywhere).collect();
    common.sort_by_key(|(k, _)| (naming_rank(k), *k));
    common
}

/// How well a label key names a workload; lower is better.
fn naming_rank(key: &str) -> usize {
    if UNSTABLE.contains(&key) {
        return NAMING.len() + 1;
    }
    let position = NAMING.iter().position(|n| *n == key);
    position.unwrap_or(NAMING.len())
}

fn has_all(labels: &Labels, wanted: &[(&str, &str)]) -> bool {
    wanted.iter().all(|(k, v)| labels.get(k) == Some(v))
}

/// The fewest of the labels that are enough; a single one if there is no other pod, and all of them
/// if even these do not suffice.
fn smallest<'l>(
    common: &[(&'l str, &'l str)],
    enough: &dyn Fn(&[(&str, &str)]) -> bool,
) -> Vec<(&'l str, &'l str)> {
    for size in 1..=COMBINED.min(common.len()) {
        if let Some(found) = combination(common, size, enough) {
            return found;
        }
    }
    common.to_vec()
}

fn combination<'l>(
    from: &[(&'l str, &'l str)],
    size: usize,
    enough: &dyn Fn(&[(&str, &str)]) -> bool,
) -> Option<Vec<(&'l str, &'l str)>> {
    fn search<'l>(
        from: &[(&'l str, &'l str)],
        size: usize,
        chosen: &mut Vec<(&'l str, &'l str)>,
        enough: &dyn Fn(&[(&str, &str)]) -> bool,
    ) -> bool {
        if size == 0 {
            return enough(chosen);
        }
        for (i, label) in from.iter().enumerate() {
            chosen.push(*label);
            if search(
                from.get(i + 1..).unwrap_or_default(),
                size - 1,
                chosen,
                enough,
            ) {
                return true;
            }
            chosen.pop();
        }
        false
    }
    let mut chosen = Vec::new();
    search(from, size, &mut chosen, enough).then_some(chosen)
}

/// Keys of which every remaining other pod has at least one, and the wanted pods have none.
fn absent_keys<'l>(wanted: &[&Labels], others: &[&'l Labels]) -> Vec<&'l str> {
    let mut keys: Vec<&str> = Vec::new();
    for other in others {
        let foreign = |k: &&str| wanted.iter().all(|l| l.get(k).is_none());
        let mut candidates = other.iter().map(|(k, _)| k).filter(foreign);
        if other.iter().any(|(k, _)| keys.contains(&k)) {
            continue;
        }
        keys.extend(candidates.next());
    }
    keys
}

/// The peers that match one end, relative to a policy of `namespace`; `None` if the API cannot
/// express them.
pub(crate) fn peers(env: &Environment, end: &End, namespace: &str) -> Option<Vec<Json>> {
    match end {
        End::Addresses { set, .. } => Some(blocks(set)),
        End::Pods { pods, .. } => {
            let (hosts, plain): (Vec<PodId>, Vec<PodId>) = pods
                .iter()
                .copied()
                .partition(|p| env.cluster.pod(*p).host_network);
            let mut found = Vec::new();
            if !plain.is_empty() {
                found.push(pod_peer(env, &plain.into_iter().collect(), namespace));
            }
            if !hosts.is_empty() {
                let addresses: Vec<IpNet> = hosts
                    .iter()
                    .flat_map(|p| {
                        env.addresses(env.cluster.pod(*p))
                            .iter()
                            .map(|a| IpNet::from(*a))
                    })
                    .collect();
                if addresses.is_empty() {
                    return None;
                }
                found.extend(blocks(&IpSet::from_cidrs(addresses)));
            }
            Some(found)
        }
    }
}

fn pod_peer(env: &Environment, pods: &BTreeSet<PodId>, namespace: &str) -> Json {
    let selector = pod_selector(env, pods);
    let of_pods = pods
        .first()
        .map(|p| &*env.cluster.pod_namespace(*p).name)
        .unwrap_or_default();
    if of_pods == namespace {
        return json!({"podSelector": selector});
    }
    let which = json!({"matchLabels": {NAMESPACE_NAME_LABEL: of_pods}});
    json!({"namespaceSelector": which, "podSelector": selector})
}

/// The address blocks of a set: per family the blocks themselves, or one block with exceptions if
/// that is shorter.
fn blocks(set: &IpSet) -> Vec<Json> {
    Family::ALL
        .into_iter()
        .map(|f| set.only(f))
        .filter(|s| !s.is_empty())
        .flat_map(|s| family_blocks(&s))
        .collect()
}

fn family_blocks(set: &IpSet) -> Vec<Json> {
    let plain = set.to_cidrs();
    let cover = cover(&plain);
    let except = cover.map(|c| IpSet::from_cidrs([c]).difference(set).to_cidrs());
    match (cover, except) {
        (Some(cover), Some(except)) if !except.is_empty() && except.len() < plain.len() => {
            let except: Vec<String> = except.iter().map(ToString::to_string).collect();
            vec![json!({"ipBlock": {"cidr": cover.to_string(), "except": except}})]
        }
        _ => plain
            .iter()
            .map(|c| json!({"ipBlock": {"cidr": c.to_string()}}))
            .collect(),
    }
}

/// The smallest block that contains all of these.
fn cover(cidrs: &[IpNet]) -> Option<IpNet> {
    let first = cidrs.first()?;
    let mut block = *first;
    while !cidrs.iter().all(|c| block.contains(c)) {
        block = block.supernet()?;
    }
    Some(block)
}

/// The `ports` of a rule for some traffic; `None` for all traffic, which needs no such field.
/// Traffic that the API cannot name is left out.
pub(crate) fn ports(traffic: &TrafficSet) -> Option<Vec<Json>> {
    if traffic.is_all() {
        return None;
    }
    Some(traffic.pieces().filter_map(port_json).collect())
}

/// One entry of the `ports` of a rule.
fn port_json(piece: TrafficRange) -> Option<Json> {
    match piece {
        TrafficRange::Ports(protocol, 1, u16::MAX) => Some(json!({"protocol": protocol.name()})),
        TrafficRange::Ports(protocol, a, b) if a == b => {
            Some(json!({"port": a, "protocol": protocol.name()}))
        }
        TrafficRange::Ports(protocol, a, b) => {
            Some(json!({"port": a, "endPort": b, "protocol": protocol.name()}))
        }
        TrafficRange::Messages(..) | TrafficRange::OtherProtocols => None,
    }
}
