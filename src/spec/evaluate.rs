//! The executable specification: one flow, every rule, no tables (S130, S131). Plain, never
//! optimized.
//!
//! A decision is a set of outcomes that are possible given what is known. Where everything is known
//! the set has one member; a peer that may or may not match keeps both outcomes open. Unknown is then
//! simply "both allow and deny are possible", and no three-valued logic is needed beyond single
//! matches.
//!
//! Phases: [`evaluate`] takes the best of the families and what all modes of host-network pods agree
//! on; [`side`] decides one direction by asking each layer ([`layer`]); a layer asks its tiers in
//! order ([`ordered_tier`], [`unordered_tier`]). Whether a rule matches is in [`super::matching`].
//!
//! Cost: O(policies x rules) for one flow. The compiled graph must agree with this file on every
//! flow.

use crate::model::{PodId, Truth};
use crate::policy::tier::{LayerIx, Tier, TierEnd, TierIx, TierMode, Ties};
use crate::policy::{Action, Direction, Policy, PolicyId, RuleRef, Taint, TaintEffect};
use crate::set::Family;
use crate::spec::environment::{Endpoint, Environment, Flow, HostNetworkMode};
use crate::spec::matching::{rule_matches, selects, subject_selects};
use crate::spec::trace::{Doubt, Ground, Trace};
use std::collections::BTreeMap;

/// Decides one flow.
pub fn evaluate(env: &Environment, flow: &Flow) -> Truth {
    if is_self(env, flow) {
        return Truth::Yes; // S53
    }
    evaluate_from(env, flow, ConnectionOrigin::Direct)
}

/// Whether a pod reaches itself: one running pod, not two replicas of one template (S53).
pub fn is_self(env: &Environment, flow: &Flow) -> bool {
    match (flow.source, flow.destination) {
        (Endpoint::Pod(a), Endpoint::Pod(b)) => a == b && env.cluster.pod(a).is_single(),
        (Endpoint::Address(a), Endpoint::Address(b)) => a == b,
        _ => false,
    }
}

/// Decides a flow that came about in some way: a pod's call to itself through a Service (S54, S122),
/// or a connection whose source is the address of a node that took the caller's place (S41, S63).
/// Where the modes of host-network pods differ, both outcomes are possible (S56).
pub fn evaluate_from(env: &Environment, flow: &Flow, origin: ConnectionOrigin) -> Truth {
    let each = env
        .host_network_modes()
        .iter()
        .map(|&mode| in_mode(env, flow, mode, origin));
    each.reduce(Truth::either).unwrap_or(Truth::Maybe)
}

/// A connection uses one family; it is reachable if one family lets it through both ways (S65).
fn in_mode(
    env: &Environment,
    flow: &Flow,
    mode: HostNetworkMode,
    origin: ConnectionOrigin,
) -> Truth {
    let families = families(env, flow.source, flow.destination);
    let each = families.into_iter().map(|family| {
        let case = Case {
            origin,
            ..Case::new(mode, family)
        };
        in_family(env, flow, &case)
    });
    each.fold(Truth::No, Truth::or)
}

/// The families a connection between the two could use. Between pods every family that either end
/// has: whether the other end has an address of it too is not a matter of policy, and may change
/// with the next restart.
pub fn families(env: &Environment, source: Endpoint, destination: Endpoint) -> Vec<Family> {
    let has = |family: Family| match (source, destination) {
        (Endpoint::Address(a), Endpoint::Address(b)) => {
            Family::of(a) == family && Family::of(b) == family
        }
        (Endpoint::Address(a), Endpoint::Pod(_)) | (Endpoint::Pod(_), Endpoint::Address(a)) => {
            Family::of(a) == family
        }
        (Endpoint::Pod(a), Endpoint::Pod(b)) => {
            env.has_family(env.cluster.pod(a), family) || env.has_family(env.cluster.pod(b), family)
        }
    };
    Family::ALL.into_iter().filter(|f| has(*f)).collect()
}

/// What is fixed while one connection is decided.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// How host-network pods behave.
    pub mode: HostNetworkMode,
    /// The connection's address family.
    pub family: Family,
    /// How the connection came about.
    pub origin: ConnectionOrigin,
}

impl Case {
    /// A connection straight to the destination's own address.
    pub fn new(mode: HostNetworkMode, family: Family) -> Self {
        Self {
            mode,
            family,
            origin: ConnectionOrigin::Direct,
        }
    }
}

/// How a connection came about, where that changes which policies decide it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ConnectionOrigin {
    /// To the destination's own address, as far as policies see.
    #[default]
    Direct,
    /// A pod calls itself through its own Service. `NetworkPolicies` allow it (S54),
    /// `ClusterNetworkPolicies` are asked (S122), and of some kinds the API does not say.
    OwnService {
        /// Whether the kinds are asked of which the API does not say.
        undefined_are_asked: bool,
    },
    /// The source is the address of a node, which may be the pod's own (S41, S55).
    ByNode,
}

impl ConnectionOrigin {
    /// Whether a policy of an ordered tier is asked about such a connection.
    pub fn asks(self, policy: &Policy) -> bool {
        let Self::OwnService {
            undefined_are_asked,
        } = self
        else {
            return true;
        };
        match policy.sees_own_service {
            Truth::Yes => true,
            Truth::Maybe => undefined_are_asked,
            Truth::No => false,
        }
    }

    /// Whether a tier that exempts the own node lets a connection through whatever its rules say
    /// (S54, S55).
    pub fn exempt(
        self,
        env: &Environment,
        pod: PodId,
        peer: Endpoint,
        mode: HostNetworkMode,
    ) -> Truth {
        let pod = env.cluster.pod(pod);
        match (self, peer) {
            (Self::OwnService { .. }, _) => Truth::Yes,
            (Self::ByNode, Endpoint::Address(address)) => env.is_own_of_nodes(pod, address),
            _ => env.is_own_node(pod, peer, mode),
        }
    }
}

/// The source's egress and the destination's ingress must both allow (S18).
fn in_family(env: &Environment, flow: &Flow, case: &Case) -> Truth {
    side(env, flow, Direction::Egress, case, &mut ()).and(side(
        env,
        flow,
        Direction::Ingress,
        case,
        &mut (),
    ))
}

/// What may come out on one side of a flow, while the mode of host-network pods and the family are
/// fixed: every layer must allow.
pub fn side(
    env: &Environment,
    flow: &Flow,
    direction: Direction,
    case: &Case,
    trace: &mut impl Trace,
) -> Truth {
    let (Endpoint::Pod(pod), peer) = side_of(flow, direction) else {
        return Truth::Yes; // nobody governs an outside address
    };
    let taint = taints(env, pod, direction, case);
    if taint.anything {
        trace.doubt(Doubt::Taint(TaintEffect::Anything));
        return Truth::Maybe;
    }
    let question = Question {
        env,
        flow,
        pod,
        peer,
        direction,
        case,
        taint,
    };
    let layers = env.layers.iter();
    let allowed = layers
        .map(|(_, tiers)| layer(&question, tiers, trace))
        .fold(Truth::Yes, Truth::and);
    if taint.only_deny && allowed.possible() {
        trace.doubt(Doubt::Taint(TaintEffect::OnlyDeny));
        return Truth::Maybe;
    }
    allowed
}

/// The governed end and the other end of a flow in one direction.
pub fn side_of(flow: &Flow, direction: Direction) -> (Endpoint, Endpoint) {
    match direction {
        Direction::Egress => (flow.source, flow.destination),
        Direction::Ingress => (flow.destination, flow.source),
    }
}

/// One direction of one flow, while it is decided.
pub struct Question<'a> {
    /// The cluster, the policies and the options.
    pub env: &'a Environment,
    /// The flow.
    pub flow: &'a Flow,
    /// The governed pod.
    pub pod: PodId,
    /// The other end.
    pub peer: Endpoint,
    /// The direction.
    pub direction: Direction,
    /// What is fixed meanwhile.
    pub case: &'a Case,
    /// What policies may do that are not among the rules.
    taint: Tainted,
}

/// What a policy, a group of equal priority or a tier may do with a flow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Outcomes {
    allow: bool,
    deny: bool,
    pass: bool,
    /// No rule decides.
    none: bool,
}

/// Asks the tiers of a layer in order; what none decides is allowed (S70, S100, S106, S130).
fn layer(question: &Question<'_>, tiers: &[TierIx], trace: &mut impl Trace) -> Truth {
    let policies = &question.env.policies;
    let (mut allow, mut deny) = (false, false);
    let mut reached = vec![false; tiers.len() + 1];
    reached[0] = true;
    for (at, ix) in tiers.iter().enumerate() {
        if !reached[at] {
            continue;
        }
        trace.tier(*ix);
        let tier = &policies.tiers[ix.index()];
        let outcomes = match tier.mode {
            TierMode::Ordered(ties) => ordered_tier(question, *ix, ties, trace),
            TierMode::Unordered => unordered_tier(question, *ix, trace),
        };
        allow |= outcomes.allow;
        deny |= outcomes.deny;
        reached[at + 1] |= outcomes.none;
        if outcomes.pass {
            let to = tier
                .pass_to
                .and_then(|to| tiers.iter().position(|t| *t == to));
            reached[to.filter(|to| *to > at).unwrap_or(at + 1)] = true;
        }
    }
    if reached[tiers.len()] {
        trace.outcome(true, Ground::Default);
        allow = true;
    }
    let allowed = Truth::of(allow, deny);
    trace.layer(allowed);
    allowed
}

/// The policies of a tier that are asked about a flow.
fn policies_of<'a>(
    question: &'a Question<'_>,
    tier: TierIx,
) -> impl Iterator<Item = (PolicyId, &'a Policy)> {
    let of_tier =
        move |(_, p): &(PolicyId, &Policy)| p.tier == tier && p.governs(question.direction);
    question.env.policies.iter().filter(of_tier)
}

/// Policies in order of priority; policies of equal priority that disagree leave every one of their
/// outcomes possible where the tier does not order them (S73, S103). What no rule decides passes on,
/// or is denied for the pods that the tier isolates.
fn ordered_tier(
    question: &Question<'_>,
    ix: TierIx,
    ties: Ties,
    trace: &mut impl Trace,
) -> Outcomes {
    let mut groups: BTreeMap<(i32, &str), Vec<(PolicyId, &Policy)>> = BTreeMap::new();
    let asked = |p: &Policy| question.case.origin.asks(p);
    for (id, policy) in policies_of(question, ix).filter(|(_, p)| asked(p)) {
        let name = if ties == Ties::ByName {
            &*policy.name
        } else {
            ""
        };
        groups
            .entry((policy.priority, name))
            .or_default()
            .push((id, policy));
    }
    let mut total = Outcomes {
        none: true,
        ..Outcomes::default()
    };
    for policies in groups.values() {
        if !total.none {
            return total;
        }
        let each = policies.iter().map(|(id, p)| first_match(question, *id, p));
        group(&each.collect::<Vec<_>>(), ix, &mut total, trace);
    }
    if total.none {
        isolated_end(question, ix, &mut total, trace);
    }
    total
}

/// The rules of one policy that may be the first to match, and whether it may be that none does.
struct FirstMatch {
    selects: Truth,
    rules: Vec<(RuleRef, Action, Truth)>,
    none: bool,
}

/// The rules of one policy in order, the first that matches decides (S72, S102).
fn first_match(question: &Question<'_>, id: PolicyId, policy: &Policy) -> FirstMatch {
    let selects = selects(question.env, policy, question.pod, question.case.mode);
    let mut found = FirstMatch {
        selects,
        rules: Vec::new(),
        none: true,
    };
    if !selects.possible() {
        return found;
    }
    for (at, rule) in policy.rules(question.direction).iter().enumerate() {
        let matched = rule_matches(question, policy, rule);
        if matched.possible() {
            let at = RuleRef::rule(id, question.direction, at);
            found.rules.push((at, rule.action, matched));
        }
        if matched == Truth::Yes {
            found.none = selects != Truth::Yes;
            break;
        }
    }
    found
}

/// Adds what policies of equal priority may do.
fn group(each: &[FirstMatch], ix: TierIx, total: &mut Outcomes, trace: &mut impl Trace) {
    if disagree(each) {
        trace.doubt(Doubt::Priority);
    }
    let mut seen: Vec<Action> = Vec::new();
    for (at, action, _) in each.iter().flat_map(|found| &found.rules) {
        if seen.contains(action) {
            continue;
        }
        seen.push(*action);
        match action {
            Action::Allow => total.allow = true,
            Action::Deny => total.deny = true,
            Action::Pass => total.pass = true,
        }
        if *action != Action::Pass {
            trace.outcome(*action == Action::Allow, Ground::Rule(ix, *at));
        }
    }
    for found in each {
        for (at, _, matched) in &found.rules {
            if found.selects == Truth::Maybe {
                trace.doubt(Doubt::Selection);
            }
            if *matched == Truth::Maybe {
                trace.doubt(Doubt::Rule(*at));
            }
        }
    }
    total.none = each.iter().all(|found| found.none);
}

/// Whether policies of equal priority certainly match with different actions (S73, S103).
fn disagree(each: &[FirstMatch]) -> bool {
    let certain = each.iter().filter(|found| !found.none);
    let mut actions = certain.filter_map(|found| found.rules.last().map(|(_, action, _)| *action));
    let first = actions.next();
    actions.any(|action| Some(action) != first)
}

/// What no rule of an ordered tier decides is denied for the pods that the tier isolates.
fn isolated_end(question: &Question<'_>, ix: TierIx, total: &mut Outcomes, trace: &mut impl Trace) {
    if question.env.policies.tiers[ix.index()].end == TierEnd::Pass {
        return;
    }
    let isolating = policies_of(question, ix).filter(|(_, p)| p.isolates(question.direction));
    let isolated = isolating
        .map(|(_, p)| selects(question.env, p, question.pod, question.case.mode))
        .fold(Truth::No, Truth::or);
    if isolated.possible() {
        total.deny = true;
        trace.outcome(false, Ground::NoRule(ix));
    }
    if isolated == Truth::Maybe {
        trace.doubt(Doubt::Selection);
    }
    total.none = isolated != Truth::Yes;
}

/// Isolation, then the union of the rules (S10-S14), where a rule that denies wins; the own node is
/// exempt where the tier says so (S55), and so is a pod's connection to itself (S54). What the tier
/// does not isolate goes on (S90, S123).
fn unordered_tier(question: &Question<'_>, ix: TierIx, trace: &mut impl Trace) -> Outcomes {
    let tier = &question.env.policies.tiers[ix.index()];
    let tainted = question.taint.unordered && tier.layer == LayerIx::CLUSTER_NETWORK;
    let may = Truth::from(tainted).and(Truth::Maybe);
    let (mut isolated, mut denied, mut allowed) = (may, Truth::No, Truth::No);
    let mut allows: Vec<(Truth, RuleRef)> = Vec::new();
    let mut denies: Vec<(Truth, RuleRef)> = Vec::new();
    for (id, policy) in policies_of(question, ix) {
        let selected = selects(question.env, policy, question.pod, question.case.mode);
        if policy.isolates(question.direction) {
            isolated = isolated.or(selected);
        }
        for (at, rule) in policy.rules(question.direction).iter().enumerate() {
            let matched = selected.and(rule_matches(question, policy, rule));
            let at = RuleRef::rule(id, question.direction, at);
            match rule.action {
                Action::Deny => {
                    denied = denied.or(matched);
                    denies.push((matched, at));
                }
                Action::Allow | Action::Pass => {
                    allowed = allowed.or(matched);
                    allows.push((matched, at));
                }
            }
        }
    }
    let mut outcomes = Outcomes::default();
    if denied.possible() {
        outcomes.deny = true;
        record(&denies, denied, false, ix, trace);
        let maybe = denies
            .iter()
            .filter(|(matched, _)| *matched == Truth::Maybe);
        maybe.for_each(|(_, at)| trace.doubt(Doubt::Rule(*at)));
    }
    if denied == Truth::Yes {
        return outcomes;
    }
    if !isolated.possible() && !allowed.possible() {
        outcomes.none = true;
        return outcomes;
    }
    let exempt = exemption(question, tier);
    let matched = allowed.or(exempt).or(may);
    if allowed.possible() && allowed >= exempt {
        record(&allows, allowed, true, ix, trace);
    } else if matched.possible() {
        let own_service = matches!(question.case.origin, ConnectionOrigin::OwnService { .. });
        let ground = if own_service {
            Ground::OwnService(ix)
        } else {
            Ground::OwnNode(ix)
        };
        trace.outcome(true, ground);
    }
    outcomes.allow = matched.possible();
    outcomes.none = isolated != Truth::Yes && allowed != Truth::Yes;
    if matched != Truth::Yes && isolated.possible() {
        outcomes.deny = true;
        trace.outcome(false, Ground::NoRule(ix));
        let maybe = allows
            .iter()
            .filter(|(matched, _)| *matched == Truth::Maybe);
        maybe.for_each(|(_, at)| trace.doubt(Doubt::Rule(*at)));
        if exempt == Truth::Maybe {
            trace.doubt(Doubt::OwnNode);
        }
        if tainted {
            trace.doubt(Doubt::Taint(TaintEffect::UnorderedTier));
        }
    }
    if isolated == Truth::Maybe {
        let doubt = if tainted {
            Doubt::Taint(TaintEffect::UnorderedTier)
        } else {
            Doubt::Selection
        };
        trace.doubt(doubt);
    }
    outcomes
}

/// Whether the tier lets the connection through whatever its rules say.
fn exemption(question: &Question<'_>, tier: &Tier) -> Truth {
    if !tier.exempts_own_node {
        return Truth::No;
    }
    let Question {
        env,
        pod,
        peer,
        case,
        ..
    } = *question;
    case.origin.exempt(env, pod, peer, case.mode)
}

/// Records the first rule that matches as certainly as any.
fn record(
    rules: &[(Truth, RuleRef)],
    best: Truth,
    allow: bool,
    ix: TierIx,
    trace: &mut impl Trace,
) {
    if let Some((_, at)) = rules.iter().find(|(matched, _)| *matched == best) {
        trace.outcome(allow, Ground::Rule(ix, *at));
    }
}

/// What unmodelled or broken policies may do to a pod in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Tainted {
    /// Allow or deny anything.
    pub anything: bool,
    /// Isolate or allow in an unordered tier of the network plugin.
    pub unordered: bool,
    /// Deny.
    pub only_deny: bool,
}

/// Collects the taints on a pod.
pub fn taints(env: &Environment, pod: PodId, direction: Direction, case: &Case) -> Tainted {
    let mut tainted = Tainted::default();
    if !env.options.taints {
        return tainted;
    }
    for taint in env
        .policies
        .taints
        .iter()
        .filter(|t| taint_touches(env, t, pod, direction, case.mode))
    {
        match taint.effect {
            TaintEffect::Anything => tainted.anything = true,
            TaintEffect::UnorderedTier => tainted.unordered = true,
            TaintEffect::OnlyDeny => tainted.only_deny = true,
        }
    }
    tainted
}

/// Whether a policy that could not be modelled may govern the pod.
pub fn taint_touches(
    env: &Environment,
    taint: &Taint,
    pod: PodId,
    direction: Direction,
    mode: HostNetworkMode,
) -> bool {
    taint.directions[direction.index()]
        && !Environment::is_node(env.cluster.pod(pod), mode)
        && subject_selects(env, &taint.subject, pod).possible()
}
