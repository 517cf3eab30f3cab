//! Proposes rows for kinds of custom resources that were passed over, where a Service or a policy
//! seems to mean their pods.
//!
//! A selector means an object if it selects nothing in the input, and a label that it asks for has
//! the object's name as its value or a part of it. What is proposed are the labels of the selector
//! that asks for most of them: a first row to edit, not a judgement. Cost: O(objects x selectors of
//! their namespace).

use crate::input::{Input, PassedOver};
use crate::model::{Requirement, Selector};
use crate::policy::{Namespaces, Peer, Peers};
use crate::set::hashed::IndexMap;
use std::collections::BTreeMap;

/// A kind of custom resource with the labels that its pods seem to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposedKind {
    /// The group of its API.
    pub group: Box<str>,
    /// The kind.
    pub kind: Box<str>,
    /// An object of it: namespace and name.
    pub object: Box<str>,
    /// What means its pods: `Service shop/queue`.
    pub meant_by: Box<str>,
    /// The labels; `{name}` stands for the object's name.
    pub labels: BTreeMap<Box<str>, Box<str>>,
}

/// A selector that selects nothing, and where it stands.
struct Unmet<'i> {
    namespace: Box<str>,
    by: String,
    selector: &'i Selector,
}

/// The kinds that were passed over and that something seems to mean, one proposal each.
pub fn proposed_kinds(input: &Input) -> Vec<ProposedKind> {
    let unmet = unmet(input);
    let mut proposed: IndexMap<(Box<str>, Box<str>), ProposedKind> = IndexMap::default();
    for object in &input.tally.passed_over {
        let here = unmet.iter().filter(|u| u.namespace == object.namespace);
        let found = here.filter_map(|unmet| proposal(object, unmet));
        let Some(best) = found.max_by_key(|proposal| proposal.labels.len()) else {
            continue;
        };
        let key = (object.group.clone(), object.kind.clone());
        proposed.entry(key).or_insert(best);
    }
    proposed.into_values().collect()
}

/// The selectors of Services, subjects and peers of one namespace that select no pod.
fn unmet(input: &Input) -> Vec<Unmet<'_>> {
    let cluster = &input.cluster;
    let mut found: Vec<Unmet<'_>> = Vec::new();
    for (_, service) in cluster.services() {
        if let Some(selector) = &service.selector {
            let namespace = &cluster.namespace(service.namespace).name;
            found.push(Unmet {
                namespace: namespace.clone(),
                by: format!("Service {namespace}/{}", service.name),
                selector,
            });
        }
    }
    for policy in input
        .policies
        .policies
        .iter()
        .filter(|p| p.generated.is_none())
    {
        let subject = (&policy.subject.namespaces, &policy.subject.pods);
        let lists = policy
            .rules
            .iter()
            .flatten()
            .filter_map(|rule| match &rule.peers {
                Peers::Of(list) => Some(list),
                Peers::Any => None,
            });
        let peers = lists
            .flat_map(|list| list.iter())
            .filter_map(|peer| match peer {
                Peer::Pods(namespaces, pods) => Some((namespaces, pods)),
                _ => None,
            });
        for (namespaces, selector) in peers.chain([subject]) {
            if let Namespaces::Named(namespace) = namespaces {
                found.push(Unmet {
                    namespace: namespace.clone(),
                    by: format!("{} {}", policy.shape.kind, policy.full_name()),
                    selector,
                });
            }
        }
    }
    let selects_some = |unmet: &Unmet<'_>| {
        cluster.pods().any(|(id, pod)| {
            cluster.namespace(pod.namespace).name == unmet.namespace
                && unmet.selector.selects(cluster.pod_labels(id)).possible()
        })
    };
    found.retain(|unmet| !selects_some(unmet));
    found
}

/// The labels that a selector asks for, where it means an object.
fn proposal(object: &PassedOver, unmet: &Unmet<'_>) -> Option<ProposedKind> {
    let mut labels = BTreeMap::new();
    let mut is_meant = false;
    for requirement in unmet.selector.requirements() {
        let Requirement::In(key, values) = requirement else {
            continue;
        };
        let [value] = &values[..] else {
            continue;
        };
        let named = !object.name.is_empty() && value.contains(&*object.name);
        is_meant |= named || value.eq_ignore_ascii_case(&object.kind);
        let value = if named {
            value.replace(&*object.name, "{name}").into()
        } else {
            value.clone()
        };
        labels.insert(key.clone(), value);
    }
    is_meant.then(|| ProposedKind {
        group: object.group.clone(),
        kind: object.kind.clone(),
        object: format!("{}/{}", object.namespace, object.name).into(),
        meant_by: (&*unmet.by).into(),
        labels,
    })
}
