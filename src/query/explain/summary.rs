//! What a policy does today, and everything that applies to a workload or a namespace: the facts
//! behind `explain`.
//!
//! Cost: a policy costs its peers times the workloads; a workload costs its effective policies and
//! one row per direction.

use crate::graph::{AllowGraph, CompileError};
use crate::input::Input;
use crate::model::{NamespaceId, PodId, Truth, WorkloadId};
use crate::policy::tier::TierIx;
use crate::policy::{Direction, Peers, Policy, PolicyId, RuleRef};
use crate::query::reach::potential_pod::{PotentialPod, exposure, matched_workloads};
use crate::query::reach::search::{ReachQuery, Way};
use crate::query::reach::tree::{Reach, reach};
use crate::set::{IpSet, TrafficSet};
use crate::spec::matching;
use crate::spec::{Endpoint, Environment};
use std::collections::BTreeSet;

/// A peer of a rule, or anyone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainPeer {
    /// The rule, with the peer if the rule has peers.
    pub at: RuleRef,
    /// The workloads that it matches today.
    pub today: Vec<WorkloadId>,
}

/// A rule with its peers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainRule {
    /// The rule.
    pub at: RuleRef,
    /// Its peers; a single entry without a peer index if the rule applies to anyone.
    pub peers: Vec<PlainPeer>,
}

/// What a policy does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainPolicy {
    /// The policy.
    pub policy: PolicyId,
    /// The workloads that it certainly governs.
    pub governs: Vec<WorkloadId>,
    /// The workloads that it may govern, as far as is known.
    pub may_govern: Vec<WorkloadId>,
    /// Its rules, ingress first.
    pub rules: [Vec<PlainRule>; 2],
}

/// What holds for a workload in one direction.
#[derive(Debug, Clone)]
pub struct PlainSide {
    /// The direction.
    pub direction: Direction,
    /// The policies that govern it, by tier, and whether each certainly does.
    pub policies: Vec<(TierIx, PolicyId, bool)>,
    /// Whether the Network tier isolates it.
    pub isolated: Truth,
    /// Whether nothing governs it.
    pub open: bool,
    /// The endpoints that it talks to directly.
    pub reach: Reach,
}

/// Everything that applies to a workload.
#[derive(Debug, Clone)]
pub struct PlainWorkload {
    /// The workload.
    pub workload: WorkloadId,
    /// Its sides, ingress first.
    pub sides: [PlainSide; 2],
    /// Pods that do not exist yet and would be admitted.
    pub exposure: Vec<PotentialPod>,
}

/// What a namespace holds.
#[derive(Debug, Clone)]
pub struct PlainNamespace {
    /// The namespace.
    pub namespace: NamespaceId,
    /// Its own policies.
    pub policies: Vec<PlainPolicy>,
    /// Its workloads, with whether each is open for ingress and for egress.
    pub workloads: Vec<(WorkloadId, [bool; 2])>,
}

/// The summary of what a name refers to.
#[derive(Debug, Clone)]
pub enum Plain {
    /// A policy.
    Policy(PlainPolicy),
    /// A workload.
    Workload(Box<PlainWorkload>),
    /// A namespace.
    Namespace(PlainNamespace),
    /// Everything that has the name: policies first.
    Several(Vec<Plain>),
}

/// What a policy does.
pub fn policy(graph: &AllowGraph, id: PolicyId) -> PlainPolicy {
    let env = graph.environment();
    let found = env.policies.get(id);
    let selects = |pod: &PodId| selects(env, found, *pod);
    let (mut governs, mut may_govern, mut subject) = (Vec::new(), Vec::new(), None);
    for (workload, w) in env.cluster.workloads() {
        match w.pods.iter().map(selects).max() {
            Some(Truth::Yes) => governs.push(workload),
            Some(Truth::Maybe) => may_govern.push(workload),
            _ => continue,
        }
        subject = subject.or_else(|| w.pods.iter().copied().find(|p| selects(p).possible()));
    }
    let rules = Direction::ALL.map(|direction| {
        let each = found.rules(direction).iter().enumerate();
        each.map(|(i, _)| rule(graph, RuleRef::rule(id, direction, i), subject))
            .collect()
    });
    PlainPolicy {
        policy: id,
        governs,
        may_govern,
        rules,
    }
}

/// Whether a policy selects a pod under every mode of host-network pods.
fn selects(env: &Environment, policy: &Policy, pod: PodId) -> Truth {
    let modes = env.host_network_modes().iter();
    let by_mode = modes.map(|mode| matching::selects(env, policy, pod, *mode));
    by_mode
        .reduce(|a, b| if a == b { a } else { Truth::Maybe })
        .unwrap_or(Truth::No)
}

fn rule(graph: &AllowGraph, at: RuleRef, subject: Option<PodId>) -> PlainRule {
    let count = match &graph.environment().policies.rule(at).peers {
        Peers::Any => 0,
        Peers::Of(list) => list.len(),
    };
    let positions = if count == 0 {
        vec![at]
    } else {
        (0..count).map(|p| at.with_peer(p)).collect()
    };
    let peers = positions.into_iter().map(|at| PlainPeer {
        at,
        today: matched_workloads(graph, at, subject),
    });
    PlainRule {
        at,
        peers: peers.collect(),
    }
}

/// Everything that applies to a workload. Its first pod stands for the others where pods are not
/// told apart.
///
/// # Errors
/// When the copy of the cluster that exposure needs is too large to compile.
pub fn workload(
    input: &Input,
    graph: &AllowGraph,
    id: WorkloadId,
) -> Result<PlainWorkload, CompileError> {
    let cluster = &graph.environment().cluster;
    let pods: BTreeSet<PodId> = cluster.workload(id).pods.iter().copied().collect();
    let sides = [
        side(graph, &pods, Direction::Ingress),
        side(graph, &pods, Direction::Egress),
    ];
    let potential = pods
        .first()
        .map(|p| exposure(input, graph, *p, &TrafficSet::all()))
        .transpose()?;
    Ok(PlainWorkload {
        workload: id,
        sides,
        exposure: potential.unwrap_or_default(),
    })
}

/// What holds for some pods in one direction.
fn side(graph: &AllowGraph, pods: &BTreeSet<PodId>, direction: Direction) -> PlainSide {
    let query = ReachQuery {
        way: match direction {
            Direction::Ingress => Way::Backward,
            Direction::Egress => Way::Forward,
        },
        pods: pods.clone(),
        addresses: IpSet::empty(),
        asked: TrafficSet::all(),
        hops: Some(1),
    };
    let (policies, isolated, open) = governing(graph, pods, direction);
    PlainSide {
        direction,
        policies,
        isolated,
        open,
        reach: reach(graph, &query),
    }
}

/// The policies that govern any of some pods in one direction, and whether each certainly does;
/// whether any of the pods is isolated; and whether all of them are open.
type GoverningPolicies = (Vec<(TierIx, PolicyId, bool)>, Truth, bool);

fn governing(
    graph: &AllowGraph,
    pods: &BTreeSet<PodId>,
    direction: Direction,
) -> GoverningPolicies {
    let mut policies: Vec<(TierIx, PolicyId, bool)> = Vec::new();
    let (mut isolated, mut open) = (Truth::No, true);
    for effective in pods
        .iter()
        .filter_map(|p| graph.effective(Endpoint::Pod(*p), direction))
    {
        isolated = isolated.or(effective.isolated());
        open &= effective.is_open();
        for tier in &effective.tiers {
            for selection in tier.selections() {
                let policy = graph.policy_of(selection.policy);
                let entry = (tier.tier, policy, selection.certain);
                if !policies.contains(&entry) {
                    policies.push(entry);
                }
            }
        }
    }
    let order: Vec<TierIx> = graph
        .environment()
        .layers
        .iter()
        .flat_map(|(_, tiers)| tiers.clone())
        .collect();
    let rank = |tier: &TierIx| order.iter().position(|t| t == tier);
    policies.sort_by_key(|(tier, id, _)| {
        (
            rank(tier),
            graph.environment().policies.get(*id).priority,
            *id,
        )
    });
    (policies, isolated, open)
}

/// What a namespace holds.
pub fn namespace(graph: &AllowGraph, id: NamespaceId) -> PlainNamespace {
    let env = graph.environment();
    let name = &env.cluster.namespace(id).name;
    let policies = env
        .policies
        .iter()
        .filter(|(_, p)| p.namespace.as_ref() == Some(name));
    let workloads = env.cluster.workloads().filter(|(_, w)| w.namespace == id);
    let open = |w: &crate::model::Workload| {
        let pods: BTreeSet<PodId> = w.pods.iter().copied().collect();
        Direction::ALL.map(|d| governing(graph, &pods, d).2)
    };
    PlainNamespace {
        namespace: id,
        policies: policies.map(|(p, _)| policy(graph, p)).collect(),
        workloads: workloads.map(|(w, found)| (w, open(found))).collect(),
    }
}
