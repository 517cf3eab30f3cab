//! The tiers of the specification: what a layer does with one direction of one flow.
//!
//! [`layer`] asks its tiers in order ([`ordered_tier`], [`unordered_tier`]); every outcome that is
//! possible is kept, and reported to a [`Trace`]. Plain, never optimized. Cost: O(rules of the
//! layer).

use crate::model::Truth;
use crate::policy::tier::{LayerIx, OwnNode, Tier, TierEnd, TierIx, TierMode, Ties};
use crate::policy::{Action, Policy, PolicyId, Priority, RuleRef, TaintEffect};
use crate::spec::gathered::{Gathered, policies_of};
use crate::spec::matching::{rule_matches, selects};
use crate::spec::question::{ConnectionOrigin, DirectionQuestion};
use crate::spec::trace::{Doubt, Ground, Trace};
use std::collections::BTreeMap;
use std::ops::Range;

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
pub(crate) fn layer(
    question: &DirectionQuestion<'_>,
    tiers: &[TierIx],
    trace: &mut impl Trace,
) -> Truth {
    let policies = &question.env.policies;
    if let Some(ix) = tiers.first().filter(|ix| is_led_past(question, **ix)) {
        trace.tier(*ix);
        let ground = match question.case.origin {
            ConnectionOrigin::ByNode => Ground::Default,
            _ => Ground::OwnService(*ix),
        };
        trace.outcome(true, ground);
        trace.layer(Truth::Yes);
        return Truth::Yes;
    }
    let (mut allow, mut deny) = (false, false);
    let mut reached = vec![false; tiers.len() + 1];
    reached[0] = true;
    let mut deferred = None;
    for (at, ix) in tiers.iter().enumerate() {
        if !reached[at] {
            continue;
        }
        trace.tier(*ix);
        let tier = &policies.tiers[ix.index()];
        let is_last = at + 1 == tiers.len();
        let outcomes = match tier.mode {
            TierMode::Ordered(ties) => ordered_tier(question, *ix, ties, trace),
            TierMode::Unordered if tier.end == TierEnd::DenyIsolatedLast && !is_last => {
                deferred = Some(*ix);
                rules_of_tier(question, *ix, trace)
            }
            TierMode::Unordered => {
                unordered_tier(question, *ix, Gathered::new(question, *ix), trace)
            }
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
    if let Some(ix) = deferred.filter(|_| reached[tiers.len()]) {
        let ends = Gathered {
            allows: Vec::new(),
            denies: Vec::new(),
            requests: Vec::new(),
            ..Gathered::new(question, ix)
        };
        let outcomes = unordered_tier(question, ix, ends, trace);
        allow |= outcomes.allow;
        deny |= outcomes.deny;
        reached[tiers.len()] = outcomes.none;
    }
    if reached[tiers.len()] {
        trace.outcome(true, Ground::Default);
        allow = true;
    }
    let allowed = Truth::of(allow, deny);
    trace.layer(allowed);
    allowed
}

/// Whether a connection never meets the tiers of a layer: what a pod sends itself through its own
/// Service those of Cilium (CI160), and what a node forwards to a Service those of networks (NW42).
fn is_led_past(question: &DirectionQuestion<'_>, ix: TierIx) -> bool {
    let layer = question.env.policies.tiers[ix.index()].layer;
    match question.case.origin {
        ConnectionOrigin::OwnService { .. } => {
            question.env.cilium.is_some() && layer == LayerIx::CLUSTER_NETWORK
        }
        ConnectionOrigin::ByNode => layer == LayerIx::NETWORKS,
        _ => false,
    }
}

/// Policies in order of priority; those of equal priority that disagree leave all their outcomes
/// possible where the tier does not order them (S73, S103). What is left passes on, or is denied.
fn ordered_tier(
    question: &DirectionQuestion<'_>,
    ix: TierIx,
    ties: Ties,
    trace: &mut impl Trace,
) -> Outcomes {
    let mut groups: BTreeMap<(Priority, &str, u32), Vec<RulesAsked<'_>>> = BTreeMap::new();
    let asked = |p: &Policy| question.case.origin.asks(p);
    for (id, policy) in policies_of(question, ix).filter(|(_, p)| asked(p)) {
        let name = if ties == Ties::ByName {
            policy.tie()
        } else {
            ""
        };
        let all = 0..policy.rules(question.direction).len();
        let pieces = match ties {
            Ties::ByPosition => policy.positions(question.direction),
            Ties::ByName | Ties::Undefined => vec![(0, all)],
        };
        for (position, rules) in pieces {
            let place = (policy.priority, name, position);
            groups.entry(place).or_default().push((id, policy, rules));
        }
    }
    let mut total = Outcomes {
        none: true,
        ..Outcomes::default()
    };
    exempted(question, ix, &mut total, trace);
    let mut settled: Vec<PolicyId> = Vec::new(); // where they select
    for policies in groups.values() {
        if !total.none {
            return total;
        }
        let open = policies.iter().filter(|(id, ..)| !settled.contains(id));
        let each: Vec<FirstMatch> = open.map(|asked| first_match(question, asked)).collect();
        settled.extend(each.iter().filter_map(FirstMatch::settled));
        group(&each, ix, &mut total, trace);
    }
    if total.none {
        isolated_end(question, ix, &mut total, trace);
    }
    total
}

/// Lets through what an ordered tier exempts before it asks its policies, where any governs the
/// pod (S55).
fn exempted(
    question: &DirectionQuestion<'_>,
    ix: TierIx,
    total: &mut Outcomes,
    trace: &mut impl Trace,
) {
    let exempt = exemption(question, &question.env.policies.tiers[ix.index()]);
    if !exempt.possible() {
        return;
    }
    let governs = |p: &Policy| selects(question.env, p, question.pod, question.case.mode);
    if !policies_of(question, ix).any(|(_, p)| governs(p).possible()) {
        return;
    }
    total.allow = true;
    total.none = exempt != Truth::Yes;
    trace.outcome(true, exempt_ground(question, ix));
    if exempt == Truth::Maybe {
        trace.doubt(Doubt::OwnNode);
    }
}

/// The rules of a policy that are asked together.
type RulesAsked<'p> = (PolicyId, &'p Policy, Range<usize>);

/// The rules of one policy that may be the first to match, and whether it may be that none does.
struct FirstMatch {
    selects: Truth,
    rules: Vec<(RuleRef, Action, Truth)>,
    none: bool,
}

impl FirstMatch {
    /// The policy, if one of its rules certainly matches: none behind it is asked where it selects.
    fn settled(&self) -> Option<PolicyId> {
        let (at, _, matched) = self.rules.last()?;
        (*matched == Truth::Yes).then_some(at.policy)
    }
}

/// The rules of one policy in order, the first that matches decides (S72, S102).
fn first_match(
    question: &DirectionQuestion<'_>,
    (id, policy, asked): &RulesAsked<'_>,
) -> FirstMatch {
    let selects = selects(question.env, policy, question.pod, question.case.mode);
    let mut found = FirstMatch {
        selects,
        rules: Vec::new(),
        none: true,
    };
    if !selects.possible() {
        return found;
    }
    let rules = policy.rules(question.direction).iter().enumerate();
    for (at, rule) in rules.skip(asked.start).take(asked.len()) {
        let matched = rule_matches(question, policy, rule);
        if matched.possible() {
            let at = RuleRef::rule(*id, question.direction, at);
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
                trace.doubt(Doubt::Selection(at.policy));
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
fn isolated_end(
    question: &DirectionQuestion<'_>,
    ix: TierIx,
    total: &mut Outcomes,
    trace: &mut impl Trace,
) {
    if question.env.policies.tiers[ix.index()].end == TierEnd::Pass {
        return;
    }
    let isolating = policies_of(question, ix).filter(|(_, p)| p.isolates(question.direction));
    let isolating: Vec<(PolicyId, Truth)> = isolating
        .map(|(id, p)| {
            (
                id,
                selects(question.env, p, question.pod, question.case.mode),
            )
        })
        .collect();
    let isolated = isolating
        .iter()
        .fold(Truth::No, |so_far, (_, selects)| so_far.or(*selects));
    if isolated.possible() {
        total.deny = true;
        trace.outcome(false, Ground::NoRule(ix));
    }
    if isolated == Truth::Maybe {
        doubt_selections(&isolating, trace);
    }
    total.none = isolated != Truth::Yes;
}

/// Records every policy that only possibly selects the pod as a doubt.
fn doubt_selections(policies: &[(PolicyId, Truth)], trace: &mut impl Trace) {
    let maybe = policies
        .iter()
        .filter(|(_, selects)| *selects == Truth::Maybe);
    maybe.for_each(|(id, _)| trace.doubt(Doubt::Selection(*id)));
}

/// The rules of a tier whose end comes after the tiers behind it: what they do not decide goes on
/// to these.
fn rules_of_tier(question: &DirectionQuestion<'_>, ix: TierIx, trace: &mut impl Trace) -> Outcomes {
    let rules = Gathered {
        isolated: Truth::No,
        unmatched: false,
        isolating: Vec::new(),
        ..Gathered::new(question, ix)
    };
    let (denied, allowed) = (any(&rules.denies), any(&rules.allows));
    if denied.possible() {
        record(&rules.denies, denied, false, ix, trace);
        doubt_rules(&rules.denies, trace);
    }
    let mut outcomes = Outcomes {
        deny: denied.possible(),
        ..Outcomes::default()
    };
    if denied == Truth::Yes {
        return outcomes;
    }
    let tier = &question.env.policies.tiers[ix.index()];
    outcomes.deny |= may_fail(&rules, allowed, exemption(question, tier), ix, trace);
    let tainted = question.taint.unordered && tier.layer == LayerIx::CLUSTER_NETWORK;
    if allowed.possible() {
        record(&rules.allows, allowed, true, ix, trace);
        doubt_rules(&rules.allows, trace);
    }
    if tainted {
        trace.doubt(Doubt::Taint(TaintEffect::UnorderedTier));
    }
    outcomes.allow = allowed.possible() || tainted;
    outcomes.none = allowed != Truth::Yes;
    outcomes
}

fn any(rules: &[(Truth, RuleRef)]) -> Truth {
    let each = rules.iter().map(|(matched, _)| *matched);
    each.max().unwrap_or(Truth::No)
}

/// Isolation, then the union of the rules (S10-S14), where a rule that denies wins; the own node is
/// exempt where the tier says so (S55), and so is a pod's connection to itself (S54). What the tier
/// does not isolate goes on (S90, S123).
fn unordered_tier(
    question: &DirectionQuestion<'_>,
    ix: TierIx,
    rules: Gathered,
    trace: &mut impl Trace,
) -> Outcomes {
    let tier = &question.env.policies.tiers[ix.index()];
    let tainted = question.taint.unordered && tier.layer == LayerIx::CLUSTER_NETWORK;
    let may = Truth::from(tainted).and(Truth::Maybe);
    let isolated = rules.isolated.or(may);
    let (denied, allowed) = (any(&rules.denies), any(&rules.allows));
    let mut outcomes = Outcomes::default();
    if denied.possible() {
        outcomes.deny = true;
        record(&rules.denies, denied, false, ix, trace);
        doubt_rules(&rules.denies, trace);
    }
    if denied == Truth::Yes {
        return outcomes;
    }
    if !isolated.possible() && !allowed.possible() {
        outcomes.none = true;
        return outcomes;
    }
    let exempt = exemption(question, tier);
    outcomes.deny |= may_fail(&rules, allowed, exempt, ix, trace);
    let matched = allowed.or(exempt).or(may);
    if allowed.possible() && allowed >= exempt {
        record(&rules.allows, allowed, true, ix, trace);
    } else if matched.possible() {
        trace.outcome(true, exempt_ground(question, ix));
    }
    outcomes.allow = matched.possible();
    outcomes.none = isolated != Truth::Yes && allowed != Truth::Yes;
    let taint = Doubt::Taint(TaintEffect::UnorderedTier);
    if matched != Truth::Yes && (rules.unmatched || tainted) {
        outcomes.deny = true;
        trace.outcome(false, Ground::NoRule(ix));
        doubt_rules(&rules.allows, trace);
        if exempt == Truth::Maybe {
            trace.doubt(Doubt::OwnNode);
        }
        if tainted {
            trace.doubt(taint);
        }
    }
    if isolated == Truth::Maybe {
        if tainted {
            trace.doubt(taint);
        } else {
            doubt_selections(&rules.isolating, trace);
        }
    }
    outcomes
}

/// Whether a request may be asked for that is not made, where nothing else allows.
fn may_fail(
    rules: &Gathered,
    allowed: Truth,
    exempt: Truth,
    ix: TierIx,
    trace: &mut impl Trace,
) -> bool {
    let asked = any(&rules.requests);
    let fails = asked.possible() && allowed.or(exempt) != Truth::Yes;
    if fails {
        record(&rules.requests, asked, false, ix, trace);
        doubt_rules(&rules.requests, trace);
    }
    fails
}

fn exempt_ground(question: &DirectionQuestion<'_>, ix: TierIx) -> Ground {
    match question.case.origin {
        ConnectionOrigin::OwnService { .. } => Ground::OwnService(ix),
        ConnectionOrigin::Direct
        | ConnectionOrigin::ByNode
        | ConnectionOrigin::OfNode(_)
        | ConnectionOrigin::Untold
        | ConnectionOrigin::Identity => Ground::OwnNode(ix),
    }
}

/// Records every rule that only possibly matches as a doubt.
fn doubt_rules(rules: &[(Truth, RuleRef)], trace: &mut impl Trace) {
    let maybe = rules.iter().filter(|(matched, _)| *matched == Truth::Maybe);
    maybe.for_each(|(_, at)| trace.doubt(Doubt::Rule(*at)));
}

/// Whether the tier lets the connection through whatever its rules say.
fn exemption(question: &DirectionQuestion<'_>, tier: &Tier) -> Truth {
    let is_hairpin = matches!(question.case.origin, ConnectionOrigin::OwnService { .. });
    if !tier.own_node.exempts(question.direction) || is_hairpin && tier.own_node != OwnNode::Exempt
    {
        return Truth::No;
    }
    let DirectionQuestion {
        env,
        pod,
        peer,
        case,
        direction,
        ..
    } = *question;
    case.origin.exempt(env, pod, peer, case.mode, direction)
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
