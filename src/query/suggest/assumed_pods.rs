//! Proposes pods to assume: those that policies name in other namespaces and that nobody has
//! loaded, such as an ingress controller or the monitoring (S147).
//!
//! A peer that asks for a namespace and labels is proposed once, whoever names it; what a selector
//! leaves open is left open, so that the proposal is a first list to edit. A peer in the policy's
//! own namespace is none: it is mostly a mistake, and lint says so. Cost: O(peers × pods).

use crate::input::Input;
use crate::model::{Cluster, Labels, NAMESPACE_NAME_LABEL, Requirement, Selector};
use crate::policy::{Namespaces, Peer, Peers, Policy};
use crate::potential::assumed::AssumedPods;
use crate::set::hashed::IndexMap;

/// Keys whose value says what pods are.
const NAME_KEYS: [&str; 4] = ["app.kubernetes.io/name", "app", "k8s-app", "name"];

/// Pods that policies name and that are not loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposedPods {
    /// The pods.
    pub pods: AssumedPods,
    /// The policies that name them, in order.
    pub named_by: Vec<Box<str>>,
}

/// The pods of other namespaces that policies name and that are not loaded.
pub fn proposed_pods(input: &Input) -> Vec<ProposedPods> {
    let mut found: IndexMap<(Box<str>, Labels, Labels), ProposedPods> = IndexMap::default();
    for (_, policy) in input.policies.iter() {
        let peers = policy
            .rules
            .iter()
            .flatten()
            .filter_map(|r| match &r.peers {
                Peers::Of(list) => Some(list),
                Peers::Any => None,
            });
        for peer in peers.flat_map(|list| list.iter()) {
            let Peer::Pods(Namespaces::Matching(namespaces), pods) = peer else {
                continue;
            };
            let Some(pods) = proposal(&input.cluster, namespaces, pods) else {
                continue;
            };
            let key = (
                pods.namespace.clone(),
                pods.namespace_labels.clone(),
                pods.labels.clone(),
            );
            let new = || ProposedPods {
                pods,
                named_by: Vec::new(),
            };
            note(found.entry(key).or_insert_with(new), policy);
        }
    }
    let mut proposed: Vec<ProposedPods> = found.into_values().collect();
    proposed
        .sort_by(|a, b| (&a.pods.namespace, &a.pods.name).cmp(&(&b.pods.namespace, &b.pods.name)));
    distinct_names(&mut proposed);
    proposed
}

fn note(proposed: &mut ProposedPods, policy: &Policy) {
    let name: Box<str> = policy.full_name().into();
    if !proposed.named_by.contains(&name) {
        proposed.named_by.push(name);
    }
}

/// The pods that a peer means, unless some are loaded or it asks for no namespace in particular.
fn proposal(cluster: &Cluster, namespaces: &Selector, pods: &Selector) -> Option<AssumedPods> {
    let asked = asked(namespaces);
    if asked.is_empty() || is_met(cluster, namespaces, pods) {
        return None;
    }
    let labels = self::asked(pods);
    let in_name = |(key, value): (&str, &str)| (key == NAMESPACE_NAME_LABEL).then(|| value.into());
    let loaded = cluster
        .namespaces()
        .find(|(_, n)| namespaces.matches(&n.labels));
    let known: Option<Box<str>> = loaded.map(|(_, n)| n.name.clone());
    let namespace = known
        .or_else(|| asked.iter().find_map(in_name))
        .unwrap_or_else(|| word_of(&asked));
    let namespace_labels = asked.iter().filter(|(key, _)| *key != NAMESPACE_NAME_LABEL);
    Some(AssumedPods {
        name: if labels.is_empty() {
            namespace.clone()
        } else {
            word_of(&labels)
        },
        namespace,
        namespace_labels: namespace_labels.collect(),
        labels,
        host_network: false,
    })
}

/// Whether a loaded pod may be meant.
fn is_met(cluster: &Cluster, namespaces: &Selector, pods: &Selector) -> bool {
    cluster.pods().any(|(id, pod)| {
        namespaces.matches(&cluster.namespace(pod.namespace).labels)
            && pods.selects(cluster.pod_labels(id)).possible()
    })
}

/// The labels that a selector asks for with a value; of several values the first.
fn asked(selector: &Selector) -> Labels {
    let requirements = selector.requirements().iter();
    let with_value = requirements.filter_map(|requirement| match requirement {
        Requirement::In(key, values) => Some((&**key, &**values.first()?)),
        _ => None,
    });
    with_value.collect()
}

/// The value that says what something is: that of a well-known key, else the first.
fn word_of(labels: &Labels) -> Box<str> {
    let known = NAME_KEYS.iter().find_map(|key| labels.get(key));
    let first = || labels.iter().map(|(_, value)| value).next();
    known.or_else(first).unwrap_or("pods").into()
}

/// Numbers the second and later proposals of one name.
fn distinct_names(proposed: &mut [ProposedPods]) {
    let mut seen: IndexMap<Box<str>, usize> = IndexMap::default();
    for one in proposed {
        let count = seen.entry(one.pods.name.clone()).or_default();
        *count += 1;
        if *count > 1 {
            one.pods.name = format!("{}-{count}", one.pods.name).into();
        }
    }
}
