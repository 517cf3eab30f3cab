//! The tiers, walked in one place over any lattice of what is still undecided.
//!
//! A point question asks about one flow (`bool`), an edge about all traffic between two ends
//! ([`TrafficSet`](crate::set::TrafficSet)), a row about all sources at once (an endpoint set). The
//! order of layers, tiers, groups and rules is the same; only the algebra differs.
//!
//! Phases of [`Walk::decide`]: taints; then each layer ([`Walk::layer`]), whose tiers are asked in
//! order ([`Walk::ordered`], [`Walk::unordered`]); a flow passes if every layer lets it.
//!
//! Soundness: for `D = bool` this is `spec::evaluate::side` for one class. Cost: O(distinct rules
//! of the effective policy) set operations; where a single tier of allows speaks, as with plain
//! `NetworkPolicies`, the walk is one union. Road not taken: a walk for each kind of answer, which
//! is four places where an order of tiers can be wrong.

use crate::compile::compiled_policy::{CompiledPolicy, CompiledPolicyIx};
use crate::compile::effective_policy::{EffectivePolicy, EffectiveTier, Selection, UnorderedRule};
use crate::compile::peer_sets::{EndpointSet, PeerSetIx};
use crate::compile::port_sets::PortSetIx;
use crate::model::Truth;
use crate::policy::tier::LayerIx;
use crate::policy::{Action, PolicyId};
use crate::set::{Bounds, Lattice, Table, TrafficSet};
use std::borrow::Cow;

/// What of the question certainly matches a rule, and what may.
pub type Hit<'a, D> = Bounds<Cow<'a, D>>;

/// A set that hits can be gathered in.
pub trait Domain: Lattice {
    /// All that certainly matches one of these, and all that may. The flag says whether a hit
    /// counts as certain at all.
    fn gather<'a>(
        exempt: &Hit<'a, Self>,
        hits: impl Iterator<Item = (bool, Hit<'a, Self>)>,
    ) -> Bounds<Self>
    where
        Self: 'a;
}

impl Domain for bool {
    fn gather<'a>(
        exempt: &Hit<'a, Self>,
        hits: impl Iterator<Item = (bool, Hit<'a, Self>)>,
    ) -> Bounds<Self> {
        let (mut must, mut may) = (*exempt.must, *exempt.may);
        for (certain, hit) in hits {
            must |= certain && *hit.must;
            may |= *hit.may;
            if must {
                break;
            }
        }
        Bounds { must, may }
    }
}

impl Domain for TrafficSet {
    fn gather<'a>(
        exempt: &Hit<'a, Self>,
        hits: impl Iterator<Item = (bool, Hit<'a, Self>)>,
    ) -> Bounds<Self> {
        let mut total = Bounds {
            must: exempt.must.as_ref().clone(),
            may: exempt.may.as_ref().clone(),
        };
        for (certain, hit) in hits {
            if certain && !hit.must.is_empty() {
                total.must = total.must.union(&hit.must);
            }
            if !hit.may.is_empty() {
                total.may = total.may.union(&hit.may);
            }
        }
        total
    }
}

impl Domain for EndpointSet {
    fn gather<'a>(
        exempt: &Hit<'a, Self>,
        hits: impl Iterator<Item = (bool, Hit<'a, Self>)>,
    ) -> Bounds<Self> {
        let hits: Vec<_> = hits.filter(|(_, hit)| !hit.may.is_empty()).collect();
        let all = hits.iter().map(|(_, hit)| hit.may.as_ref());
        let may = Self::union_of(all.chain([exempt.may.as_ref()]));
        if exempt.is_shared()
            && hits
                .iter()
                .all(|(certain, hit)| *certain && hit.is_shared())
        {
            return Bounds::exact(may);
        }
        let certain = hits.iter().filter(|(certain, _)| *certain);
        let certain = certain.map(|(_, hit)| hit.must.as_ref());
        Bounds {
            must: Self::union_of(certain.chain([exempt.must.as_ref()])),
            may,
        }
    }
}

impl<'a, D: Lattice> Hit<'a, D> {
    /// From two values.
    pub fn owned(must: D, may: D) -> Self {
        Self {
            must: Cow::Owned(must),
            may: Cow::Owned(may),
        }
    }

    /// From two sets that live elsewhere.
    pub fn borrowed(must: &'a D, may: &'a D) -> Self {
        Self {
            must: Cow::Borrowed(must),
            may: Cow::Borrowed(may),
        }
    }

    /// Whether both are visibly one set, so that no comparison is needed.
    fn is_shared(&self) -> bool {
        self.may.is_none() || std::ptr::eq(self.must.as_ref(), self.may.as_ref())
    }
}

/// A question put to one effective policy.
pub struct Walk<'a, D: Clone, H> {
    /// The compiled policies.
    pub policies: &'a Table<CompiledPolicyIx, CompiledPolicy>,
    /// The direction's index.
    pub direction: usize,
    /// Everything asked about.
    pub all: D,
    /// What of it these peers and ports match.
    pub hit: H,
    /// What of it comes from, or goes to, the subject's own node (S55).
    pub own_node: Hit<'a, D>,
    /// Whether the subject behaves as its node, so that some tiers do not see it (S56).
    pub subject_is_node: bool,
}

/// What may become of what a tier is asked about.
struct TierOutcomes<D> {
    allow: D,
    deny: D,
    pass: D,
    /// No rule decides it.
    none: D,
}

impl<D: Lattice> TierOutcomes<D> {
    fn undecided(asked: D) -> Self {
        Self {
            allow: D::none(),
            deny: D::none(),
            pass: D::none(),
            none: asked,
        }
    }
}

/// What policies whose rules are asked apart decide where they select: their further rules are not
/// asked about it.
pub(crate) struct Settled<D>(pub Vec<(PolicyId, D)>);

impl<D: Lattice> Settled<D> {
    /// What of this the rules of a policy are still asked about.
    pub fn open(&self, policy: &CompiledPolicy, asked: &D) -> D {
        let of_policy = self.0.iter().filter(|(id, _)| *id == policy.policy);
        of_policy.fold(asked.clone(), |open, (_, settled)| open.difference(settled))
    }

    /// Notes what rules of a policy decide.
    pub fn add(&mut self, policy: &CompiledPolicy, decided: D) {
        if policy.position.is_some() && !decided.is_none() {
            self.0.push((policy.policy, decided));
        }
    }
}

impl<'a, D: Domain + 'a, H: Fn(PeerSetIx, PortSetIx) -> Hit<'a, D>> Walk<'a, D, H> {
    /// What passes, of everything asked about.
    pub fn decide(&self, effective: &EffectivePolicy) -> Bounds<D> {
        match effective.additive() {
            Some(Some(tier)) => self.decide_additive(tier, &tier.allows),
            Some(None) => Bounds::exact(self.all.clone()),
            None => self.decide_any(effective),
        }
    }

    /// [`Self::decide`], where only these of the rules of a single additive tier can match.
    pub fn decide_with(&self, effective: &EffectivePolicy, allows: &[UnorderedRule]) -> Bounds<D> {
        match effective.additive() {
            Some(Some(tier)) => self.decide_additive(tier, allows),
            Some(None) => Bounds::exact(self.all.clone()),
            None => self.decide_any(effective),
        }
    }

    /// A single tier in which allows add up (S10-S14).
    fn decide_additive(&self, tier: &EffectiveTier, allows: &[UnorderedRule]) -> Bounds<D> {
        if self.subject_is_node && tier.overlooks_nodes {
            return Bounds::exact(self.all.clone());
        }
        let Bounds { must, may } = self.gathered(tier, allows, true);
        if tier.isolated == Truth::Yes {
            return Bounds {
                must: self.all.intersection(&must),
                may: self.all.intersection(&may),
            };
        }
        let must = must.union(&self.never_denied(tier));
        Bounds {
            must: self.all.intersection(&must),
            may: self.all.clone(),
        }
    }

    /// What every policy allows that may be the one that isolates: where none of them selects,
    /// nothing isolates.
    fn never_denied(&self, tier: &EffectiveTier) -> D {
        let each = tier.unsure.iter();
        let allowed = each.map(|rules| self.gathered(tier, rules, false).must);
        allowed
            .reduce(|all, next| all.intersection(&next))
            .unwrap_or_else(D::none)
    }

    fn decide_any(&self, effective: &EffectivePolicy) -> Bounds<D> {
        let taint = effective.taint;
        if taint.anything && !self.subject_is_node {
            return Bounds {
                must: D::none(),
                may: self.all.clone(),
            };
        }
        let layers = effective.tiers.chunk_by(|a, b| a.layer == b.layer);
        let tainted = taint.unordered;
        let mut passing = layers
            .map(|tiers| self.layer(tiers, tainted))
            .reduce(|a, b| a.and(&b))
            .unwrap_or_else(|| Bounds::exact(self.all.clone()));
        if taint.only_deny && !self.subject_is_node {
            passing.must = D::none();
        }
        passing
    }

    /// The tiers of one layer in order; what none decides is allowed (S70, S100, S106).
    fn layer(&self, tiers: &[EffectiveTier], tainted: bool) -> Bounds<D> {
        let (mut allow, mut deny) = (D::none(), D::none());
        let mut reached = vec![D::none(); tiers.len() + 1];
        reached[0] = self.all.clone();
        let mut deferred = None;
        for (at, tier) in tiers.iter().enumerate() {
            let asked = std::mem::replace(&mut reached[at], D::none());
            if asked.is_none() {
                continue;
            }
            let outcomes = if self.subject_is_node && tier.overlooks_nodes {
                TierOutcomes::undecided(asked)
            } else if tier.ordered {
                self.ordered(tier, asked)
            } else {
                let tainted = tainted && tier.layer == LayerIx::CLUSTER_NETWORK;
                if tier.ends_last && at + 1 < tiers.len() {
                    deferred = Some((tier, tainted));
                    self.rules_of(tier, asked, tainted)
                } else {
                    self.unordered(tier, asked, tainted)
                }
            };
            allow.add(outcomes.allow);
            deny.add(outcomes.deny);
            reached[at + 1].add(outcomes.none);
            if !outcomes.pass.is_none() {
                let next = tiers.iter().position(|t| t.rank >= tier.pass_rank);
                let next = next.unwrap_or(tiers.len()).max(at + 1);
                reached[next].add(outcomes.pass);
            }
        }
        let undecided = reached.pop().unwrap_or_else(D::none);
        let Some((tier, tainted)) = deferred else {
            allow.add(undecided);
            return Bounds::of_outcomes(allow, &deny);
        };
        let outcomes = self.end_of(tier, undecided, tainted);
        allow.add(outcomes.allow);
        allow.add(outcomes.none);
        deny.add(outcomes.deny);
        Bounds::of_outcomes(allow, &deny)
    }

    /// The rules of an unordered tier whose end comes after the tiers behind it.
    fn rules_of(&self, tier: &EffectiveTier, asked: D, tainted: bool) -> TierOutcomes<D> {
        let denied = self.gathered(tier, &tier.denies, false);
        let allowed = self.gathered(tier, &tier.allows, false);
        let open = asked.difference(&denied.must);
        let mut outcomes = TierOutcomes::undecided(open.difference(&allowed.must));
        outcomes.deny = asked.intersection(&denied.may);
        outcomes.deny.add(self.may_fail(tier, &open, &allowed.must));
        outcomes.allow = if tainted {
            open
        } else {
            open.intersection(&allowed.may)
        };
        outcomes
    }

    /// What becomes of that which neither such a tier nor those behind it decided.
    fn end_of(&self, tier: &EffectiveTier, asked: D, tainted: bool) -> TierOutcomes<D> {
        let mut outcomes = TierOutcomes::undecided(D::none());
        if tier.isolated.possible() {
            let exempt = self.exempt(tier);
            outcomes.deny = asked.difference(&exempt.must);
            outcomes.allow = if tainted {
                asked.clone()
            } else {
                asked.intersection(&exempt.may)
            };
        }
        if tier.isolated != Truth::Yes {
            outcomes.none = asked;
        }
        outcomes
    }

    /// An ordered tier: groups of equal priority in order, the first match decides; what none
    /// decides is denied where the tier isolates.
    fn ordered(&self, tier: &EffectiveTier, asked: D) -> TierOutcomes<D> {
        let mut total = if tier.exempts_own_node && !self.own_node.may.is_none() {
            let mut total = TierOutcomes::undecided(asked.difference(&self.own_node.must));
            total.allow = asked.intersection(&self.own_node.may);
            total
        } else {
            TierOutcomes::undecided(asked)
        };
        let mut settled = Settled(Vec::new());
        for group in &tier.groups {
            if total.none.is_none() {
                return total;
            }
            let undecided = total.none.clone();
            for selection in group {
                let left = self.first_match(*selection, &undecided, &mut settled, &mut total);
                total.none = total.none.intersection(&left);
            }
        }
        if tier.isolated.possible() {
            total.deny = total.deny.union(&total.none);
        }
        if tier.isolated == Truth::Yes {
            total.none = D::none();
        }
        total
    }

    fn first_match(
        &self,
        selection: Selection,
        undecided: &D,
        settled: &mut Settled<D>,
        total: &mut TierOutcomes<D>,
    ) -> D {
        let policy = &self.policies[selection.policy];
        let asked = settled.open(policy, undecided);
        let mut open = asked.clone();
        for rule in &policy.rules[self.direction] {
            let hit = (self.hit)(rule.peers, rule.ports);
            if hit.may.is_none() {
                continue;
            }
            let matched = open.intersection(&hit.may);
            let into = match rule.action {
                Action::Allow => &mut total.allow,
                Action::Deny => &mut total.deny,
                Action::Pass => &mut total.pass,
            };
            into.add(matched);
            open = open.difference(&hit.must);
            if open.is_none() {
                break;
            }
        }
        if selection.certain {
            return open;
        }
        settled.add(policy, asked.difference(&open));
        undecided.clone()
    }

    /// An unordered tier: a deny wins, allows add up, and what the tier isolates needs an allow.
    fn unordered(&self, tier: &EffectiveTier, asked: D, tainted: bool) -> TierOutcomes<D> {
        let mut outcomes = TierOutcomes::undecided(D::none());
        if tier.denies.is_empty() && tier.others.is_empty() {
            // whatever a rule allows it isolates, so that it needs no allow where it may not
            let Bounds { must, may } = self.gathered(tier, &tier.allows, true);
            let must = must.union(&self.never_denied(tier));
            outcomes.deny = asked.difference(&must);
            outcomes.allow = if tainted {
                asked.clone()
            } else {
                asked.intersection(&may)
            };
            if tier.isolated != Truth::Yes {
                outcomes.none = asked;
            }
            return outcomes;
        }
        let denied = self.gathered(tier, &tier.denies, false);
        let allowed = self.gathered(tier, &tier.allows, false);
        let open = asked.difference(&denied.must);
        outcomes.deny = asked.intersection(&denied.may);
        outcomes.deny.add(self.may_fail(tier, &open, &allowed.must));
        outcomes.allow = open.intersection(&allowed.may);
        let undecided = open.difference(&allowed.must);
        if tier.isolated.possible() {
            let exempt = self.exempt(tier);
            let may = if tainted {
                open.clone()
            } else {
                open.intersection(&exempt.may)
            };
            outcomes.allow = outcomes.allow.union(&may);
            let denied = undecided.difference(&exempt.must);
            let denied = denied.difference(&self.never_denied(tier));
            outcomes.deny = outcomes.deny.union(&denied);
        }
        if tier.isolated != Truth::Yes {
            outcomes.none = undecided;
        }
        outcomes
    }

    /// What a rule allows that asks for a request, and nothing else does.
    fn may_fail(&self, tier: &EffectiveTier, open: &D, allowed: &D) -> D {
        if !tier.allows.iter().any(|rule| rule.asks) {
            return D::none();
        }
        let asking = tier.allows.iter().filter(|rule| rule.asks);
        let asking: Vec<UnorderedRule> = asking.copied().collect();
        let asked = self.gathered(tier, &asking, false);
        let open = open.difference(allowed);
        let open = open.difference(&self.exempt(tier).must);
        open.intersection(&asked.may)
    }

    /// What these rules match; with what is exempt, where that is wanted.
    fn gathered(&self, tier: &EffectiveTier, rules: &[UnorderedRule], exempt: bool) -> Bounds<D> {
        let hits = rules
            .iter()
            .map(|rule| (rule.certain, (self.hit)(rule.peers, rule.ports)));
        if exempt && tier.exempts_own_node {
            return D::gather(&self.own_node, hits);
        }
        D::gather(&Hit::owned(D::none(), D::none()), hits)
    }

    fn exempt(&self, tier: &EffectiveTier) -> Hit<'a, D> {
        if tier.exempts_own_node {
            self.own_node.clone()
        } else {
            Hit::owned(D::none(), D::none())
        }
    }
}
