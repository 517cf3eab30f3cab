//! The smallest selector that means these pods and no others, and peers and ports as the API writes
//! them.

use crate::model::{Labels, NAMESPACE_NAME_LABEL, PodId};
use crate::policy::validate::{is_label_value, is_qualified_name};
use crate::query::ask::resolve::End;
use crate::set::traffic::TrafficRange;
use crate::set::{Family, IpSet, TrafficSet};
use crate::spec::Environment;
use ipnet::IpNet;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// Keys that people name workloads by, the best first.
const NAMING: [&str; 7] = [
    "app.kubernetes.io/name",
    "app",
    "k8s-app",
    "name",
    "app.kubernetes.io/component",
    "component",
    "app.kubernetes.io/instance",
];

/// Keys that controllers write, and that mean one pod or one rollout.
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

/// How many labels are combined before all of them are taken.
const COMBINED: usize = 3;

/// A selector of some pods of one namespace, as the API writes it. It means no other pod of the
/// namespace as long as labels can tell them apart.
pub(crate) fn pod_selector(env: &Environment, pods: &BTreeSet<PodId>) -> Json {
    let cluster = &env.cluster;
    let Some(first) = pods.first() else {
        return json!({});
    };
    let namespace = cluster.pod(*first).namespace;
    let own: Vec<&Labels> = pods.iter().map(|p| cluster.pod_labels(*p)).collect();
    let others: Vec<&Labels> = cluster
        .pods()
        .filter(|(id, p)| p.namespace == namespace && !pods.contains(id) && !p.host_network)
        .map(|(_, p)| cluster.labels(p.labels))
        .collect();
    let common = common_labels(&own);
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
    let still: Vec<&Labels> = others.into_iter().filter(|o| has_all(o, &chosen)).collect();
    let mut selector = json!({});
    if !chosen.is_empty() {
        let labels = chosen
            .iter()
            .map(|(k, v)| ((*k).to_owned(), Json::from(*v)));
        selector["matchLabels"] = labels.collect::<serde_json::Map<_, _>>().into();
    }
    let absent = absent_keys(&own, &still);
    if !absent.is_empty() {
        let one = |key: &&str| json!({"key": key, "operator": "DoesNotExist"});
        selector["matchExpressions"] = absent.iter().map(one).collect();
    }
    selector
}

/// The labels all of them carry, those that name things first.
fn common_labels<'l>(own: &[&'l Labels]) -> Vec<(&'l str, &'l str)> {
    let Some((first, rest)) = own.split_first() else {
        return Vec::new();
    };
    // what is only known at run time cannot be selected by
    let everywhere = |(k, v): &(&str, &str)| {
        is_qualified_name(k) && is_label_value(v) && rest.iter().all(|l| l.get(k) == Some(v))
    };
    let mut common: Vec<(&str, &str)> = first.iter().filter(everywhere).collect();
    let rank = |key: &str| {
        let place = NAMING
            .iter()
            .position(|n| *n == key)
            .unwrap_or(NAMING.len());
        if UNSTABLE.contains(&key) {
            NAMING.len() + 1
        } else {
            place
        }
    };
    common.sort_by_key(|(k, _)| (rank(k), *k));
    common
}

fn has_all(labels: &Labels, wanted: &[(&str, &str)]) -> bool {
    wanted.iter().all(|(k, v)| labels.get(k) == Some(v))
}

/// The fewest of the labels that are enough; one of them where there is no other pod, all of them
/// where even all do not suffice.
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

/// Keys that every remaining other pod has at least one of, and none of ours has any.
fn absent_keys<'l>(own: &[&Labels], others: &[&'l Labels]) -> Vec<&'l str> {
    let mut keys: Vec<&str> = Vec::new();
    for other in others {
        let foreign = |k: &&str| own.iter().all(|l| l.get(k).is_none());
        let mut candidates = other.iter().map(|(k, _)| k).filter(foreign);
        if other.iter().any(|(k, _)| keys.contains(&k)) {
            continue;
        }
        keys.extend(candidates.next());
    }
    keys
}

/// The peers that mean one end, seen from a policy of `namespace`; none where the API has no way to
/// say it.
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
    let own = pods
        .first()
        .map(|p| &*env.cluster.pod_namespace(*p).name)
        .unwrap_or_default();
    if own == namespace {
        return json!({"podSelector": selector});
    }
    let which = json!({"matchLabels": {NAMESPACE_NAME_LABEL: own}});
    json!({"namespaceSelector": which, "podSelector": selector})
}

/// Address blocks that make up a set: per family the blocks themselves, or one block with
/// exceptions where that is shorter.
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

/// The smallest block that holds all of these.
fn cover(cidrs: &[IpNet]) -> Option<IpNet> {
    let first = cidrs.first()?;
    let mut block = *first;
    while !cidrs.iter().all(|c| block.contains(c)) {
        block = block.supernet()?;
    }
    Some(block)
}

/// The `ports` of a rule for some traffic; `None` for all traffic, which needs no such field, and
/// for what the API cannot name.
pub(crate) fn ports(traffic: &TrafficSet) -> Option<Vec<Json>> {
    if traffic.is_all() {
        return None;
    }
    let one = |piece: TrafficRange| match piece {
        TrafficRange::Ports(protocol, 1, u16::MAX) => Some(json!({"protocol": protocol.name()})),
        TrafficRange::Ports(protocol, a, b) if a == b => {
            Some(json!({"port": a, "protocol": protocol.name()}))
        }
        TrafficRange::Ports(protocol, a, b) => {
            Some(json!({"port": a, "endPort": b, "protocol": protocol.name()}))
        }
        TrafficRange::OtherProtocols => None,
    };
    Some(traffic.pieces().filter_map(one).collect())
}
