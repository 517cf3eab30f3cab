//! From the answers of every policy to what may come out of one side, tier by tier, as the
//! specification does.
//!
//! Every way the side may end is a [`Outcome`]; every peer, subject or taint that keeps more than
//! one of them open is a doubt. One kind of road left: that is the verdict, and the last road is
//! the sure one. Several: unknown, and the first doubt is the reason. Invariant: the roads together
//! are `evaluate::side`.

use crate::model::{PodId, Truth};
use crate::policy::{Action, PolicySet, RuleRef, TaintEffect, TaintReason};
use crate::query::explain::explanation::{
    Mismatch, PeerTrace, PolicyTrace, Reason, RuleTrace, Side, TierTrace,
};
use crate::spec::evaluate;
use crate::spec::evaluate::{Case, ConnectionOrigin};
use crate::spec::{Environment, Possible};

/// One way a side may end.
struct Outcome {
    possible: Possible,
    reason: Reason,
    by: Option<RuleRef>,
}

struct Outcomes<'a> {
    env: &'a Environment,
    ends: Vec<Outcome>,
    doubts: Vec<Reason>,
    /// The peers that cannot be told.
    peers: Vec<PeerTrace>,
}

/// Draws the conclusion: fills in everything but the tiers of a side.
pub(crate) fn conclude(env: &Environment, side: &mut Side, pod: PodId, case: &Case) {
    let taint = evaluate::taints(env, pod, side.direction, case);
    if taint.anything {
        let reason = blame(env, side, pod, case, TaintEffect::Anything);
        return side.decide(Possible::UNKNOWN, reason, None);
    }
    let mut roads = Outcomes {
        env,
        ends: Vec::new(),
        doubts: Vec::new(),
        peers: Vec::new(),
    };
    let tainted = taint
        .network
        .then(|| blame(env, side, pod, case, TaintEffect::NetworkTier));
    roads.walk(side, pod, case, tainted);
    roads.settle(side);
    if side.possible != Possible::UNKNOWN {
        side.taints.clear();
    }
    if taint.only_deny && side.possible == Possible::ALLOW {
        let reason = blame(env, side, pod, case, TaintEffect::OnlyDeny);
        side.decide(Possible::UNKNOWN, reason, None);
    }
}

/// Notes the unmodelled policies of one effect that touch the side, and names the reason they are.
fn blame(
    env: &Environment,
    side: &mut Side,
    pod: PodId,
    case: &Case,
    effect: TaintEffect,
) -> Reason {
    let taints = &env.policies.taints;
    let touches = |t: &crate::policy::Taint| {
        t.effect == effect && evaluate::taint_touches(env, t, pod, side.direction, case.mode)
    };
    side.taints = (0..taints.len()).filter(|i| touches(&taints[*i])).collect();
    match side.taints.first().map(|i| taints[*i].reason) {
        Some(TaintReason::Broken) => Reason::UnknownBrokenPolicy,
        _ => Reason::UnknownUnsupportedKind,
    }
}

impl Outcomes<'_> {
    fn walk(&mut self, side: &mut Side, pod: PodId, case: &Case, tainted: Option<Reason>) {
        let tiers = std::mem::take(&mut side.tiers);
        let reached = self.through(&tiers, side, pod, case, tainted);
        side.tiers = tiers;
        side.tiers
            .iter_mut()
            .skip(reached)
            .for_each(|t| t.reached = false);
    }

    /// Asks the tiers in order; how many were asked.
    fn through(
        &mut self,
        tiers: &[TierTrace],
        side: &mut Side,
        pod: PodId,
        case: &Case,
        tainted: Option<Reason>,
    ) -> usize {
        let [admin, network, baseline] = tiers else {
            return 0;
        };
        if !self.ordered(admin, [Reason::AllowAdmin, Reason::DenyAdmin]) {
            return 1;
        }
        if !self.network(network, side, pod, case, tainted) {
            return 2;
        }
        if self.ordered(baseline, [Reason::AllowBaseline, Reason::DenyBaseline]) {
            self.road(Possible::ALLOW, Reason::AllowDefault, None);
        }
        3
    }

    fn road(&mut self, possible: Possible, reason: Reason, by: Option<RuleRef>) {
        self.ends.push(Outcome {
            possible,
            reason,
            by,
        });
    }

    /// An ordered tier (S72, S73, S102, S103); whether anything may go on to the next one.
    fn ordered(&mut self, tier: &TierTrace, [allow, deny]: [Reason; 2]) -> bool {
        let law = &self.env.policies;
        let mut passes = false;
        for group in tier
            .policies
            .chunk_by(|a, b| law.get(a.policy).priority == law.get(b.policy).priority)
        {
            let each: Vec<First> = group.iter().map(|p| first(law, p)).collect();
            if disagree(&each) {
                self.doubts.push(Reason::UnknownPriority);
            }
            let mut seen: Vec<Action> = Vec::new();
            for (action, at) in each.iter().flat_map(|f| &f.matches) {
                passes |= *action == Action::Pass;
                match action {
                    _ if seen.contains(action) => {}
                    Action::Allow => self.road(Possible::ALLOW, allow, Some(*at)),
                    Action::Deny => self.road(Possible::DENY, deny, Some(*at)),
                    Action::Pass => {}
                }
                seen.push(*action);
            }
            let ends = each.iter().any(|f| !f.none);
            for doubts in each {
                self.doubts.extend(doubts.doubts);
                self.peers.extend(doubts.peers);
            }
            if ends {
                return passes;
            }
        }
        true
    }

    /// The Network tier (S10-S14, S55); whether the baseline may be asked (S90, S123).
    fn network(
        &mut self,
        tier: &TierTrace,
        side: &mut Side,
        pod: PodId,
        case: &Case,
        tainted: Option<Reason>,
    ) -> bool {
        side.isolated_by = tier.policies.iter().map(|p| p.policy).collect();
        let may = Truth::from(tainted.is_some()).and(Truth::Maybe);
        let isolated = tier
            .policies
            .iter()
            .map(|p| p.selects)
            .max()
            .unwrap_or(Truth::No)
            .or(may);
        if !isolated.possible() {
            return true;
        }
        let rules: Vec<(Truth, &RuleTrace)> = tier
            .policies
            .iter()
            .flat_map(|p| p.rules.iter().map(|r| (p.selects.and(r.matched), r)))
            .collect();
        let best = rules.iter().map(|(t, _)| *t).max().unwrap_or(Truth::No);
        let own = case.call.spared(self.env, pod, side.peer, case.mode);
        let matched = best.or(own).or(may);
        if best.possible() && best >= own {
            let by = rules
                .iter()
                .find(|(t, _)| *t == best)
                .map(|(_, r)| matching_peer(r));
            self.road(Possible::ALLOW, Reason::AllowRule, by);
        } else if matched.possible() {
            let own_service = matches!(case.call, ConnectionOrigin::OwnService { .. });
            let reason = if own_service {
                Reason::AllowSelf
            } else {
                Reason::AllowFromOwnNode
            };
            self.road(Possible::ALLOW, reason, None);
        }
        if matched != Truth::Yes {
            let all: Vec<&RuleTrace> = rules.iter().map(|(_, r)| *r).collect();
            side.near = nearest(&all);
            self.road(Possible::DENY, denial(side.near.as_ref()), None);
            self.unsure(&rules, own, tainted);
        }
        if isolated != Truth::Yes {
            self.doubts
                .push(tainted.unwrap_or(Reason::UnknownNamespaceLabels));
        }
        isolated != Truth::Yes
    }

    /// What keeps the Network tier from being told.
    fn unsure(&mut self, rules: &[(Truth, &RuleTrace)], own: Truth, tainted: Option<Reason>) {
        for (_, rule) in rules.iter().filter(|(t, _)| *t == Truth::Maybe) {
            let peers = doubtful(rule);
            self.doubts.push(
                peers
                    .first()
                    .map_or(Reason::UnknownNamespaceLabels, doubt_reason),
            );
            self.peers.extend(peers);
        }
        if own == Truth::Maybe {
            self.doubts.push(Reason::UnknownNode);
        }
        self.doubts.extend(tainted);
    }

    fn settle(self, side: &mut Side) {
        let possible = self
            .ends
            .iter()
            .map(|r| r.possible)
            .reduce(Possible::either);
        let possible = possible.unwrap_or(Possible::ALLOW);
        match self.ends.last() {
            Some(road) if possible != Possible::UNKNOWN => {
                side.decide(possible, road.reason, road.by)
            }
            _ => {
                let reason = self
                    .doubts
                    .first()
                    .copied()
                    .unwrap_or(Reason::UnknownNamespaceLabels);
                side.decide(possible, reason, None);
                side.doubts = self.peers;
            }
        }
    }
}

/// What the first matching rule of a policy does, and every one before it that may match.
struct First {
    matches: Vec<(Action, RuleRef)>,
    /// Whether it may be that none matches.
    none: bool,
    doubts: Vec<Reason>,
    peers: Vec<PeerTrace>,
}

fn first(law: &PolicySet, policy: &PolicyTrace) -> First {
    let mut first = First {
        matches: Vec::new(),
        none: true,
        doubts: Vec::new(),
        peers: Vec::new(),
    };
    if !policy.selects.possible() {
        return first;
    }
    for rule in policy.rules.iter().filter(|r| r.matched.possible()) {
        first
            .matches
            .push((law.rule(rule.at).action, matching_peer(rule)));
        if policy.selects == Truth::Maybe {
            first.doubts.push(Reason::UnknownNamespaceLabels);
        }
        if rule.matched == Truth::Yes {
            first.none = policy.selects != Truth::Yes;
            return first;
        }
        let peers = doubtful(rule);
        first
            .doubts
            .push(peers.first().map_or(Reason::UnknownNode, doubt_reason));
        first.peers.extend(peers);
    }
    first
}

/// Whether policies of equal priority surely match with different actions (S73, S103).
fn disagree(each: &[First]) -> bool {
    let mut sure = each
        .iter()
        .filter(|f| !f.none)
        .filter_map(|f| f.matches.last().map(|m| m.0));
    let first = sure.next();
    sure.any(|action| Some(action) != first)
}

fn matching_peer(rule: &RuleTrace) -> RuleRef {
    rule.peers
        .iter()
        .find(|p| p.matched == rule.matched)
        .map_or(rule.at, |p| p.at)
}

/// The peers of a rule that may match, where its ports do.
fn doubtful(rule: &RuleTrace) -> Vec<PeerTrace> {
    let peers = rule
        .peers
        .iter()
        .filter(|p| rule.ports && p.matched == Truth::Maybe);
    peers.cloned().collect()
}

fn doubt_reason(peer: &PeerTrace) -> Reason {
    match peer.mismatches.first() {
        Some(Mismatch::AddressUnknown) => Reason::UnknownIpblockPod,
        Some(Mismatch::DomainUnknown(_)) => Reason::UnknownDomainName,
        Some(Mismatch::NodesUnknown | Mismatch::NotANode) => Reason::UnknownNode,
        _ => Reason::UnknownNamespaceLabels,
    }
}

/// Why no rule of the Network tier matches, by the rule that came closest.
fn denial(near: Option<&RuleTrace>) -> Reason {
    let admitted =
        |r: &RuleTrace| r.peers.is_empty() || r.peers.iter().any(|p| p.matched == Truth::Yes);
    match near {
        None => Reason::DenyNoRules,
        Some(rule) if !rule.ports && admitted(rule) => Reason::DenyPort,
        Some(_) => Reason::DenyNoRuleMatches,
    }
}

/// The rule that came closest: fewest things wrong with its ports and its best peer, and the right
/// peer before the right port.
fn nearest(rules: &[&RuleTrace]) -> Option<RuleTrace> {
    let wrong = |r: &RuleTrace| {
        let each = r.peers.iter().map(|p| {
            if p.matched == Truth::Yes {
                0
            } else {
                p.mismatches.len().max(1)
            }
        });
        let peers = each.min().unwrap_or(0);
        (peers + usize::from(!r.ports), peers)
    };
    rules
        .iter()
        .min_by_key(|r| (wrong(r), r.at))
        .map(|r| (*r).clone())
}
