//! Exposure: pods that do not exist yet and would be admitted by a rule as it is written.
//!
//! Phases:
//! 1. For every ingress rule with the action Allow and every peer of it that selects pods by
//!    labels, instantiate a potential pod in a copy of the cluster: a pod in a namespace of its own
//!    (or in the one that is named) with just the labels that the peer requires
//!    (`instantiate_peers`).
//! 2. Compile the copy once, and read off the graph what the potential pods may send, so that the
//!    rules of every tier count (`exposure`).
//!
//! Invariant: potential pods are never mixed with workloads that exist. Cost: one compilation.

use crate::graph::{AllowGraph, CompileError};
use crate::input::Input;
use crate::model::{Cluster, Labels, NamespaceId, PodId, Requirement, Selector, Truth, WorkloadId};
use crate::policy::{Action, Direction, Namespaces, Peer, Peers, PolicyId, RuleRef};
use crate::potential::pods::add_pod;
use crate::set::{Family, TrafficSet};
use crate::source::Origin;
use crate::spec::matching;
use crate::spec::question::Case;
use crate::spec::{Endpoint, HostNetworkMode};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A pod that does not exist yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PotentialPod {
    /// The peer that admits it; `None` if nothing isolates the destination.
    pub because: Option<RuleRef>,
    /// Whether it stands for any pod.
    pub everyone: bool,
    /// What it may send.
    pub traffic: TrafficSet,
    /// The number of existing workloads that the peer matches.
    pub today: usize,
}

/// The potential pods that would be admitted to a pod.
///
/// # Errors
/// When the copy of the cluster is too large to compile.
pub fn exposure(
    input: &Input,
    graph: &AllowGraph,
    pod: PodId,
    asked: &TrafficSet,
) -> Result<Vec<PotentialPod>, CompileError> {
    let end = Endpoint::Pod(pod);
    let Some(effective) = graph.effective(end, Direction::Ingress) else {
        return Ok(Vec::new());
    };
    if effective.is_open() {
        return Ok(vec![PotentialPod {
            because: None,
            everyone: true,
            traffic: asked.clone(),
            today: 0,
        }]);
    }
    let policies: BTreeSet<PolicyId> = effective
        .selections()
        .filter(|s| s.certain)
        .map(|s| graph.policy_of(s.policy))
        .collect();
    let mut cluster: Cluster = (*input.cluster).clone();
    let drafts = instantiate_peers(graph, policies, &mut cluster);
    if drafts.is_empty() {
        return Ok(Vec::new());
    }
    let extended = Input {
        cluster: Arc::new(cluster),
        ..input.clone()
    };
    let after = AllowGraph::compile(&extended, &graph.environment().options)?;
    let mut potential = Vec::new();
    for draft in drafts {
        let traffic = after
            .allowed_on(Direction::Ingress, Endpoint::Pod(draft.pod), end)
            .must
            .intersection(asked);
        if !traffic.is_empty() {
            potential.push(PotentialPod {
                because: Some(draft.peer),
                everyone: draft.everyone,
                traffic,
                today: matched_workloads(graph, draft.peer, Some(pod)).len(),
            });
        }
    }
    Ok(potential)
}

/// A pod in the copy of the cluster, with the peer that it is instantiated for.
struct Draft {
    peer: RuleRef,
    pod: PodId,
    everyone: bool,
}

/// Instantiates a pod for every peer of the ingress rules of some policies that allow.
fn instantiate_peers(
    graph: &AllowGraph,
    policies: BTreeSet<PolicyId>,
    cluster: &mut Cluster,
) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = Vec::new();
    for id in policies {
        let rules = graph
            .environment()
            .policies
            .get(id)
            .rules(Direction::Ingress);
        for (i, rule) in rules.iter().enumerate() {
            if rule.action != Action::Allow {
                continue;
            }
            let at = RuleRef::rule(id, Direction::Ingress, i);
            match &rule.peers {
                Peers::Any => {
                    let pod = instantiate(
                        cluster,
                        &Namespaces::Matching(Selector::everything()),
                        &Selector::everything(),
                        drafts.len(),
                    );
                    drafts.extend(pod.map(|pod| Draft {
                        peer: at,
                        pod,
                        everyone: true,
                    }));
                }
                Peers::Of(peers) => {
                    for (p, peer) in peers.iter().enumerate() {
                        let Peer::Pods(namespaces, pods) = peer else {
                            continue;
                        };
                        let pod = instantiate(cluster, namespaces, pods, drafts.len());
                        drafts.extend(pod.map(|pod| Draft {
                            peer: at.with_peer(p),
                            pod,
                            everyone: false,
                        }));
                    }
                }
            }
        }
    }
    drafts
}

/// The existing workloads that a peer matches, relative to a pod that its policy governs; all
/// workloads if `at` names no peer.
pub fn matched_workloads(
    graph: &AllowGraph,
    at: RuleRef,
    subject: Option<PodId>,
) -> Vec<WorkloadId> {
    let env = graph.environment();
    let policy = env.policies.get(at.policy);
    let case = Case::new(HostNetworkMode::Node, Family::V4);
    let rule = env.policies.rule(at);
    let matches = |id: PodId| match (&rule.peers, at.peer) {
        (Peers::Of(list), Some(i)) => list.get(i as usize).is_some_and(|peer| {
            let subject = subject.unwrap_or(id);
            matching::peer_matches(env, policy, peer, subject, Endpoint::Pod(id), &case)
                == Truth::Yes
        }),
        _ => true,
    };
    let workloads = env.cluster.workloads();
    workloads
        .filter(|(_, w)| w.pods.iter().any(|p| matches(*p)))
        .map(|(id, _)| id)
        .collect()
}

/// Adds a pod to the cluster that exactly these selectors select; `None` if no pod can.
fn instantiate(
    cluster: &mut Cluster,
    namespaces: &Namespaces,
    pods: &Selector,
    number: usize,
) -> Option<PodId> {
    let namespace = namespace_for(cluster, namespaces, number)?;
    let labels = labels_for(pods)?;
    let name = format!("not-there-yet-{number}");
    add_pod(cluster, &name, namespace, labels, Arc::default())
}

/// A namespace that the peer matches: the one it names, or a new one with the labels it requires.
/// In an existing namespace the pod might be governed by egress policies; a new one shows what the
/// rule alone admits.
fn namespace_for(
    cluster: &mut Cluster,
    namespaces: &Namespaces,
    number: usize,
) -> Option<NamespaceId> {
    match namespaces {
        Namespaces::Named(name) => Some(cluster.namespace_named(name)),
        Namespaces::Matching(selector) => {
            let named = selector
                .requirements()
                .iter()
                .find(|r| r.key() == crate::model::NAMESPACE_NAME_LABEL);
            if let Some(Requirement::In(_, names)) = named {
                return names.first().map(|n| cluster.namespace_named(n));
            }
            let labels = labels_for(selector)?;
            let origin = Origin::nowhere();
            Some(cluster.declare_namespace(&format!("not-there-yet-{number}"), labels, origin))
        }
        Namespaces::SameLabels(_) | Namespaces::NotSameLabels(_) => None,
    }
}

/// The fewest labels that a selector matches; `None` if it contradicts itself.
fn labels_for(selector: &Selector) -> Option<Labels> {
    let required = |r: &Requirement| match r {
        Requirement::In(key, values) => {
            Some((key.clone(), values.first().cloned().unwrap_or_default()))
        }
        Requirement::Exists(key) => Some((key.clone(), "any".into())),
        Requirement::Like(key, pattern) => Some((key.clone(), pattern.part().into())),
        Requirement::NotIn(..)
        | Requirement::DoesNotExist(_)
        | Requirement::AnyOf(_)
        | Requirement::Not(_) => None,
    };
    let labels: Labels = selector
        .requirements()
        .iter()
        .filter_map(required)
        .collect();
    selector.matches(&labels).then_some(labels)
}
