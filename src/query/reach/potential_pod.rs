//! Exposure: pods that do not exist yet and would be let in by a rule as it is written.
//!
//! For every Allow rule on the way in and every peer of it that selects pods by labels, a
//! [`PotentialPod`] is made: a pod in a namespace of its own (or the one that is named) with just
//! the labels the peer asks for. All ghosts are put into a copy of the cluster, that copy is
//! compiled once, and what passes their way in is read off the graph, so that rules of every tier
//! have their say. Ghosts are never mixed with workloads that exist.

use crate::graph::{AllowGraph, CompileError};
use crate::input::Input;
use crate::model::{
    Cluster, Labels, NamespaceId, Pod, PodId, Requirement, Selector, Truth, Workload, WorkloadId,
    WorkloadKind,
};
use crate::policy::{Action, Direction, Namespaces, Peer, Peers, PolicyId, RuleRef};
use crate::set::{Family, TrafficSet};
use crate::source::{DocumentId, Origin};
use crate::spec::evaluate::Case;
use crate::spec::matching;
use crate::spec::{Endpoint, HostNetworkMode};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A pod that is not there yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PotentialPod {
    /// The peer that lets it in; `None` where nothing isolates the pod.
    pub because: Option<RuleRef>,
    /// Whether it stands for everybody.
    pub everyone: bool,
    /// What it may send.
    pub traffic: TrafficSet,
    /// How many workloads of today the peer means.
    pub today: usize,
}

/// The ghosts that would be let into a pod.
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
    let Some(profile) = graph.effective(end, Direction::Ingress) else {
        return Ok(Vec::new());
    };
    if profile.is_open() {
        return Ok(vec![PotentialPod {
            because: None,
            everyone: true,
            traffic: asked.clone(),
            today: 0,
        }]);
    }
    let policies: BTreeSet<PolicyId> = profile
        .selections()
        .filter(|s| s.certain)
        .map(|s| graph.policy_of(s.policy))
        .collect();
    let mut cluster: Cluster = (*input.cluster).clone();
    let mut drafts: Vec<(RuleRef, PodId, bool)> = Vec::new();
    for id in policies {
        for (i, rule) in graph
            .environment()
            .policies
            .get(id)
            .rules(Direction::Ingress)
            .iter()
            .enumerate()
        {
            if rule.action != Action::Allow {
                continue;
            }
            let at = RuleRef::rule(id, Direction::Ingress, i);
            match &rule.peers {
                Peers::Any => {
                    let ghost = instantiate(
                        &mut cluster,
                        &Namespaces::Matching(Selector::everything()),
                        &Selector::everything(),
                        drafts.len(),
                    );
                    drafts.extend(ghost.map(|g| (at, g, true)));
                }
                Peers::Of(peers) => {
                    for (p, peer) in peers.iter().enumerate() {
                        let Peer::Pods(namespaces, pods) = peer else {
                            continue;
                        };
                        let ghost = instantiate(&mut cluster, namespaces, pods, drafts.len());
                        drafts.extend(ghost.map(|g| (at.with_peer(p), g, false)));
                    }
                }
            }
        }
    }
    if drafts.is_empty() {
        return Ok(Vec::new());
    }
    let haunted = Input {
        cluster: Arc::new(cluster),
        ..input.clone()
    };
    let after = AllowGraph::compile(&haunted, &graph.environment().options)?;
    let ghosts = drafts.into_iter().filter_map(|(at, ghost, everyone)| {
        let traffic = after
            .allowed_on(Direction::Ingress, Endpoint::Pod(ghost), end)
            .must
            .intersection(asked);
        let today = meant(graph, at, Some(pod)).len();
        (!traffic.is_empty()).then_some(PotentialPod {
            because: Some(at),
            everyone,
            traffic,
            today,
        })
    });
    Ok(ghosts.collect())
}

/// The workloads of today that a peer means, seen from a pod that its policy governs; every one
/// where it names no peer.
pub fn meant(graph: &AllowGraph, at: RuleRef, subject: Option<PodId>) -> Vec<WorkloadId> {
    let env = graph.environment();
    let policy = env.policies.get(at.policy);
    let case = Case::new(HostNetworkMode::Node, Family::V4);
    let rule = env.policies.rule(at);
    let means = |id: PodId| match (&rule.peers, at.peer) {
        (Peers::Of(list), Some(i)) => list.get(i as usize).is_some_and(|peer| {
            let seen_from = subject.unwrap_or(id);
            matching::peer_matches(env, policy, peer, seen_from, Endpoint::Pod(id), &case)
                == Truth::Yes
        }),
        _ => true,
    };
    let workloads = env.cluster.workloads();
    workloads
        .filter(|(_, w)| w.pods.iter().any(|p| means(*p)))
        .map(|(id, _)| id)
        .collect()
}

/// Puts a pod into the cluster that just these selectors select; `None` where none can.
fn instantiate(
    cluster: &mut Cluster,
    namespaces: &Namespaces,
    pods: &Selector,
    number: usize,
) -> Option<PodId> {
    let namespace = place(cluster, namespaces, number)?;
    let labels = labels_for(pods)?;
    let labels = cluster.intern(labels);
    let origin = Origin::document(DocumentId(u32::MAX));
    let name: Box<str> = format!("not-there-yet-{number}").into();
    let workload: WorkloadId = cluster.add_workload(Workload {
        kind: WorkloadKind::Pod,
        name: name.clone(),
        namespace,
        pods: Vec::new(),
        origin: origin.clone(),
    });
    Some(cluster.add_pod(Pod {
        name,
        namespace,
        workload,
        labels,
        ports: std::sync::Arc::default(),
        host_network: false,
        node: None,
        addresses: Box::default(),
        replicas: 1,
        origin,
    }))
}

/// A namespace that the peer means: the one it names, or a new one with the labels it asks for. In
/// a namespace that exists the ghost might be governed by its policies on the way out; a new one
/// shows what the rule alone lets in.
fn place(cluster: &mut Cluster, namespaces: &Namespaces, number: usize) -> Option<NamespaceId> {
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
            let origin = Origin::document(DocumentId(u32::MAX));
            Some(cluster.declare_namespace(&format!("not-there-yet-{number}"), labels, origin))
        }
        Namespaces::SameLabels(_) | Namespaces::NotSameLabels(_) => None,
    }
}

/// The fewest labels that a selector selects; `None` where it contradicts itself.
fn labels_for(selector: &Selector) -> Option<Labels> {
    let one = |r: &Requirement| match r {
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
    let labels: Labels = selector.requirements().iter().filter_map(one).collect();
    selector.matches(&labels).then_some(labels)
}
