//! What a policy does now, and everything that applies to a workload: the facts behind `explain`.
//!
//! Cost: a policy costs its peers times the workloads; a workload costs its profiles and one row
//! each way.

use crate::graph::{AllowGraph, CompileError};
use crate::input::Input;
use crate::model::{NamespaceId, PodId, Truth, WorkloadId};
use crate::policy::tier::TierIx;
use crate::policy::{Direction, Peers, PolicyId, RuleRef};
use crate::query::reach::closure::{ReachQuery, Way};
use crate::query::reach::potential_pod::{PotentialPod, exposure, meant};
use crate::query::reach::tree::{Reach, reach};
use crate::set::{IpSet, TrafficSet};
use crate::spec::Endpoint;
use std::collections::BTreeSet;

/// A peer of a rule, or "anyone".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainPeer {
    /// The rule, with the peer if it names any.
    pub at: RuleRef,
    /// The workloads it means today.
    pub today: Vec<WorkloadId>,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainRule {
    /// Which one.
    pub at: RuleRef,
    /// Its peers; one without a number where it names none.
    pub peers: Vec<PlainPeer>,
}

/// What a policy does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainPolicy {
    /// The policy.
    pub policy: PolicyId,
    /// The workloads it surely governs.
    pub governs: Vec<WorkloadId>,
    /// Those it may govern, for all that is known.
    pub may_govern: Vec<WorkloadId>,
    /// Its rules, ingress first.
    pub rules: [Vec<PlainRule>; 2],
}

/// What holds for a workload in one direction.
#[derive(Debug, Clone)]
pub struct PlainSide {
    /// The direction.
    pub direction: Direction,
    /// The policies that govern it, by tier.
    pub policies: Vec<(TierIx, PolicyId, bool)>,
    /// Whether the Network tier isolates it.
    pub isolated: Truth,
    /// Whether nothing governs it.
    pub open: bool,
    /// Whom it talks to directly.
    pub reach: Reach,
}

/// Everything that applies to a workload.
#[derive(Debug, Clone)]
pub struct PlainWorkload {
    /// The workload.
    pub workload: WorkloadId,
    /// Its sides, the way in first.
    pub sides: [PlainSide; 2],
    /// Pods that are not there yet and would be let in.
    pub exposure: Vec<PotentialPod>,
}

/// What a namespace holds.
#[derive(Debug, Clone)]
pub struct PlainNamespace {
    /// The namespace.
    pub namespace: NamespaceId,
    /// Its own policies.
    pub policies: Vec<PlainPolicy>,
    /// Its workloads with whether they are open: the way in, the way out.
    pub workloads: Vec<(WorkloadId, [bool; 2])>,
}

/// What was explained.
#[derive(Debug, Clone)]
pub enum Plain {
    /// A policy.
    Policy(PlainPolicy),
    /// A workload.
    Workload(Box<PlainWorkload>),
    /// A namespace.
    Namespace(PlainNamespace),
}

/// What a policy does.
pub fn policy(graph: &AllowGraph, id: PolicyId) -> PlainPolicy {
    let env = graph.environment();
    let found = env.policies.get(id);
    let selects = |p: &PodId| {
        let each = || {
            env.host_network_modes()
                .iter()
                .map(|b| crate::spec::matching::selects(env, found, *p, *b))
        };
        let (least, most) = (
            each().min().unwrap_or(Truth::No),
            each().max().unwrap_or(Truth::No),
        );
        if least == most { most } else { Truth::Maybe }
    };
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

fn rule(graph: &AllowGraph, at: RuleRef, subject: Option<PodId>) -> PlainRule {
    let count = match &graph.environment().policies.rule(at).peers {
        Peers::Any => 0,
        Peers::Of(list) => list.len(),
    };
    let places = if count == 0 {
        vec![at]
    } else {
        (0..count).map(|p| at.with_peer(p)).collect()
    };
    let peers = places.into_iter().map(|at| PlainPeer {
        at,
        today: meant(graph, at, subject),
    });
    PlainRule {
        at,
        peers: peers.collect(),
    }
}

/// Everything that applies to a workload, in the eyes of its first pod for what is not told per
/// pod.
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
    let side = |direction, way| {
        let trip = ReachQuery {
            way,
            pods: pods.clone(),
            addresses: IpSet::empty(),
            asked: TrafficSet::all(),
            hops: Some(1),
        };
        let (policies, isolated, open) = governing(graph, &pods, direction);
        PlainSide {
            direction,
            policies,
            isolated,
            open,
            reach: reach(graph, &trip),
        }
    };
    let sides = [
        side(Direction::Ingress, Way::Backward),
        side(Direction::Egress, Way::Forward),
    ];
    let ghosts = pods
        .first()
        .map(|p| exposure(input, graph, *p, &TrafficSet::all()))
        .transpose()?;
    Ok(PlainWorkload {
        workload: id,
        sides,
        exposure: ghosts.unwrap_or_default(),
    })
}

type Governing = (Vec<(TierIx, PolicyId, bool)>, Truth, bool);

fn governing(graph: &AllowGraph, pods: &BTreeSet<PodId>, direction: Direction) -> Governing {
    let mut policies: Vec<(TierIx, PolicyId, bool)> = Vec::new();
    let (mut isolated, mut open) = (Truth::No, true);
    for profile in pods
        .iter()
        .filter_map(|p| graph.effective(Endpoint::Pod(*p), direction))
    {
        isolated = isolated.or(profile.isolated());
        open &= profile.is_open();
        for tier in &profile.tiers {
            for s in tier.selections() {
                let entry = (tier.tier, graph.policy_of(s.policy), s.certain);
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
    let own = env
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
        policies: own.map(|(p, _)| policy(graph, p)).collect(),
        workloads: workloads.map(|(w, found)| (w, open(found))).collect(),
    }
}
