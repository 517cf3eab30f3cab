//! Turns what the specification records while it decides one side into the side's reason.
//!
//! The specification reports every outcome that the side may have and every doubt that keeps more
//! than one of them possible ([`Trace`]). If all outcomes are of one kind, that kind is the verdict
//! and the last outcome is the certain one. If both kinds occur, the verdict is unknown and the
//! first doubt is the reason. Nothing is decided here, so an explanation cannot disagree with the
//! specification.

use crate::model::Truth;
use crate::policy::tier::{LayerIx, TierIx};
use crate::policy::{PolicyId, RuleRef, TaintEffect, TaintReason};
use crate::query::explain::nearest::nearest;
use crate::query::explain::reason_code::Reason;
use crate::query::explain::side::{ExplanationSide, Mismatch, PeerTrace, RuleTrace};
use crate::spec::Flow;
use crate::spec::evaluate;
use crate::spec::question::Case;
use crate::spec::trace::{Doubt, Ground, Trace};
use crate::spec::{Endpoint, Environment};
use std::collections::BTreeSet;

/// What the specification reported while it decided a side, in order.
#[derive(Default)]
struct DecisionRecord {
    tiers: Vec<TierIx>,
    /// The layers that are decided, each with its outcomes.
    layers: Vec<(Truth, Vec<(bool, Ground)>)>,
    /// The outcomes of the layer that is being decided.
    ends: Vec<(bool, Ground)>,
    doubts: Vec<Doubt>,
}

impl DecisionRecord {
    fn ends(&self) -> impl Iterator<Item = &(bool, Ground)> {
        self.layers.iter().flat_map(|(_, ends)| ends)
    }

    /// The outcome that decides a side whose answer is certain: the last one of the last layer with
    /// the same answer. What the interfaces of nodes let through says little of a pod, so that
    /// their layers come last where they allow, unless only they say something.
    fn decisive(&self, env: &Environment, allowed: Truth) -> Option<Ground> {
        let layers = env.layers.iter().map(|(layer, _)| layer.is_of_hosts());
        let agreeing = layers
            .zip(&self.layers)
            .filter(|(_, (truth, _))| *truth == allowed);
        let grounds = agreeing.filter_map(|(of_hosts, (_, ends))| {
            let (_, ground) = ends.last()?;
            Some((of_hosts && allowed == Truth::Yes, *ground))
        });
        let grounds: Vec<(bool, Ground)> = grounds.collect();
        let plain = grounds.iter().rfind(|(of_hosts, _)| !of_hosts);
        let said = |ground: &&(bool, Ground)| ground.1 != Ground::Default;
        let found = plain.filter(said).or_else(|| grounds.iter().rfind(said));
        found
            .or(plain)
            .or(grounds.last())
            .map(|(_, ground)| *ground)
    }
}

impl Trace for DecisionRecord {
    fn tier(&mut self, tier: TierIx) {
        self.tiers.push(tier);
    }

    fn outcome(&mut self, allow: bool, ground: Ground) {
        self.ends.push((allow, ground));
    }

    fn layer(&mut self, allowed: Truth) {
        self.layers.push((allowed, std::mem::take(&mut self.ends)));
    }

    fn doubt(&mut self, doubt: Doubt) {
        self.doubts.push(doubt);
    }
}

/// Decides a side whose tiers and policies are filled in already, and fills in everything else.
pub(crate) fn decide(env: &Environment, side: &mut ExplanationSide, flow: &Flow, case: &Case) {
    let mut record = DecisionRecord::default();
    let governing = governing(side);
    let selecting = Some(&governing[..]);
    side.allowed = evaluate::side_among(env, flow, side.direction, case, selecting, &mut record);
    for tier in &mut side.tiers {
        tier.reached = record.tiers.is_empty() || record.tiers.contains(&tier.tier);
    }
    let isolated = |(_, ground): &(bool, Ground)| matches!(ground, Ground::NoRule(_));
    if record.ends().any(isolated) {
        side.near = nearest(&written_rules(env, side));
    }
    if side.allowed == Truth::Maybe {
        unknown(env, side, case, &record);
    } else if let Some(ground) = record.decisive(env, side.allowed) {
        (side.decided_in, side.decided_by) = (ground.tier(), rule_of(side, ground));
        side.reason = reason(env, side, ground);
    }
    side.isolated_by = isolating(env, side);
}

/// The policies that are filled in, in the order of the policy set.
fn governing(side: &ExplanationSide) -> Vec<PolicyId> {
    let policies = side.tiers.iter().flat_map(|tier| &tier.policies);
    let mut governing: Vec<PolicyId> = policies.map(|p| p.policy).collect();
    governing.sort_unstable();
    governing.dedup();
    governing
}

/// The policies of the evaluated tiers that isolate the subject; those of the interfaces of nodes
/// where such a tier decides, and nowhere else.
fn isolating(env: &Environment, side: &ExplanationSide) -> Vec<PolicyId> {
    let of_hosts = |tier: TierIx| env.policies.tiers[tier.index()].layer.is_of_hosts();
    let at_hosts = side.decided_in.filter(|tier| of_hosts(*tier));
    let counts = |tier: TierIx| match at_hosts {
        Some(decides) => tier == decides,
        None => !of_hosts(tier),
    };
    let tiers = side.tiers.iter().filter(|t| t.reached && counts(t.tier));
    let policies = tiers.flat_map(|tier| &tier.policies).map(|p| p.policy);
    policies
        .filter(|id| env.policies.get(*id).isolates(side.direction))
        .collect()
}

/// Fills in a side of which both outcomes are possible: the first doubt is the reason.
fn unknown(env: &Environment, side: &mut ExplanationSide, case: &Case, record: &DecisionRecord) {
    let (mut peers, mut conditions) = (Vec::new(), Vec::new());
    let mut selections = BTreeSet::new();
    let mut reason = None;
    // Where the tiers allow whatever the unknown facts are, only a further enforcement point can
    // deny.
    let only_deny = Doubt::Taint(TaintEffect::OnlyDeny);
    let by_tiers = |doubt: &&Doubt| **doubt == only_deny || record.ends().any(|(allow, _)| !allow);
    let tainted = record.tiers.is_empty();
    for doubt in record.doubts.iter().filter(|d| tainted || by_tiers(d)) {
        let found = match doubt {
            Doubt::Selection(policy) => {
                selections.insert(*policy);
                doubtful_selection(env, side, *policy)
            }
            Doubt::Priority => Reason::UnknownPriority,
            Doubt::OwnNode => Reason::UnknownNode,
            Doubt::Taint(effect) => blame(env, side, case, *effect),
            Doubt::Rule(rule) if env.policies.get(rule.policy).presence() != Truth::Yes => {
                selections.insert(rule.policy);
                Reason::UnknownGeneratedPolicy
            }
            Doubt::Rule(rule) => {
                let doubtful = side.rule(*rule).map(doubtful_peers).unwrap_or_default();
                let depends = !env.policies.rule(*rule).qualifiers.is_empty();
                if depends && !conditions.contains(rule) {
                    conditions.push(*rule);
                }
                let ordered = env
                    .policies
                    .tier_of(env.policies.get(rule.policy))
                    .is_ordered();
                let otherwise = if depends {
                    Reason::UnknownCondition
                } else if ordered {
                    Reason::UnknownNode
                } else {
                    Reason::UnknownNamespaceLabels
                };
                let reason = doubtful.first().map_or(otherwise, doubt_reason);
                peers.extend(doubtful);
                reason
            }
        };
        reason = reason.or(Some(found));
    }
    side.reason = reason.unwrap_or(Reason::UnknownNamespaceLabels);
    side.doubts = peers;
    side.conditions = conditions;
    side.doubtful_policies = selections.into_iter().collect();
}

/// Why it is not known whether a policy selects the subject: it may not be there, or what it asks
/// about is not known of the pod, or of its namespace.
fn doubtful_selection(env: &Environment, side: &ExplanationSide, policy: PolicyId) -> Reason {
    let policy = env.policies.get(policy);
    let Endpoint::Pod(pod) = side.subject else {
        return Reason::UnknownNamespaceLabels;
    };
    if policy.presence() != Truth::Yes {
        Reason::UnknownGeneratedPolicy
    } else if policy.subject.pods.selects(env.cluster.pod_labels(pod)) == Truth::Maybe {
        Reason::UnknownPodLabels
    } else {
        Reason::UnknownNamespaceLabels
    }
}

/// Fills in the unmodelled policies of one effect that may affect the side, and returns the reason
/// for which they are not modelled.
fn blame(
    env: &Environment,
    side: &mut ExplanationSide,
    case: &Case,
    effect: TaintEffect,
) -> Reason {
    let taints = &env.policies.taints;
    let touches = |t: &crate::policy::Taint| {
        let (end, direction) = (side.subject, side.direction);
        t.effect == effect && evaluate::taint_touches_end(env, t, end, direction, case.mode)
    };
    side.taints = (0..taints.len()).filter(|i| touches(&taints[*i])).collect();
    match side.taints.first().map(|i| taints[*i].reason) {
        Some(TaintReason::Broken) => Reason::UnknownBrokenPolicy,
        _ => Reason::UnknownUnsupportedKind,
    }
}

/// The reason of a side whose answer is certain.
fn reason(env: &Environment, side: &ExplanationSide, ground: Ground) -> Reason {
    let codes = |tier: TierIx| env.policies.tiers[tier.index()].codes;
    match ground {
        Ground::Default => Reason::AllowDefault,
        Ground::OwnNode(_) => Reason::AllowFromOwnNode,
        Ground::OwnService(_) => Reason::AllowSelf,
        Ground::NoRule(_) => denial(side.near.as_ref()),
        Ground::Rule(tier, _) => match (codes(tier), side.allowed) {
            (Some(codes), Truth::Yes) => Reason::AllowTier(codes),
            (Some(codes), _) => Reason::DenyTier(codes),
            (None, Truth::Yes) => Reason::AllowRule,
            (None, _) => Reason::DenyRule,
        },
    }
}

/// The unordered rules of a side of which one may have been meant. What a layer besides the network
/// plugin's does not look at, other protocols than TCP in a mesh, is let through by rules that
/// nobody wrote: these are left out where there are others.
fn written_rules<'s>(env: &Environment, side: &'s ExplanationSide) -> Vec<&'s RuleTrace> {
    let all = side.unordered_rules(env);
    let is_made = |rule: &RuleTrace| {
        let policy = env.policies.get(rule.at.policy);
        let layer = env.policies.tier_of(policy).layer;
        layer != LayerIx::CLUSTER_NETWORK && rule.peers.is_empty() && !rule.ports
    };
    let written: Vec<&RuleTrace> = all.iter().copied().filter(|rule| !is_made(rule)).collect();
    if written.is_empty() { all } else { written }
}

/// The rule of a ground, with the peer that matches.
fn rule_of(side: &ExplanationSide, ground: Ground) -> Option<RuleRef> {
    let Ground::Rule(_, at) = ground else {
        return None;
    };
    Some(side.rule(at).map_or(at, matching_peer))
}

fn matching_peer(rule: &RuleTrace) -> RuleRef {
    rule.peers
        .iter()
        .find(|p| p.matched == rule.matched)
        .map_or(rule.at, |p| p.at)
}

/// The peers of a rule whose ports match that may match themselves.
fn doubtful_peers(rule: &RuleTrace) -> Vec<PeerTrace> {
    let peers = rule
        .peers
        .iter()
        .filter(|p| rule.ports && p.matched == Truth::Maybe);
    peers.cloned().collect()
}

fn doubt_reason(peer: &PeerTrace) -> Reason {
    match peer.mismatches.first() {
        Some(Mismatch::AddressUnknown) => Reason::UnknownIpblockPod,
        Some(Mismatch::PodLabelUnknown(_)) => Reason::UnknownPodLabels,
        Some(Mismatch::DomainUnknown(_)) => Reason::UnknownDomainName,
        Some(Mismatch::NodesUnknown | Mismatch::NotANode) => Reason::UnknownNode,
        _ => Reason::UnknownNamespaceLabels,
    }
}

/// The reason why no rule of an isolating tier matches, judged by the rule that came closest.
fn denial(near: Option<&RuleTrace>) -> Reason {
    let admitted =
        |r: &RuleTrace| r.peers.is_empty() || r.peers.iter().any(|p| p.matched == Truth::Yes);
    match near {
        None => Reason::DenyNoRules,
        Some(rule) if !rule.ports && admitted(rule) => Reason::DenyPort,
        Some(_) => Reason::DenyNoRuleMatches,
    }
}
