//! Egress of many sources at once: of those asked about, who may leave to one destination.
//!
//! The tiers are walked as [`super::tiers`] walks them for one subject, but from the side of the
//! rules ([`EgressIndex`](crate::compile::egress_index::EgressIndex)): a rule is asked once whether
//! the destination is among its peers, and decides for all classes that it governs.
//!
//! Invariant: [`AllowGraph::egress_sources`] decides for every source what the walk of its
//! effective policy decides, apart from the own node (S55), which rows add. Cost: O(rules seen) set
//! operations on what is asked.

use crate::compile::compiled_policy::{CompiledPolicyIx, EgressRuleIx};
use crate::compile::egress_index::{EgressRule, EgressTier, egress_rules};
use crate::compile::endpoint_index::EndpointIx;
use crate::compile::peer_sets::{EndpointBounds, EndpointSet, PeerSetIx};
use crate::compile::port_sets::PortSetIx;
use crate::graph::allow_graph::AllowGraph;
use crate::graph::tiers::Settled;
use crate::model::Truth;
use crate::policy::Action;
use crate::policy::tier::LayerIx;
use crate::set::{Bounds, Lattice};
use std::sync::Arc;

/// One question to the egress of many sources.
pub struct EgressQuery<'a> {
    /// The destination.
    pub destination: EndpointIx,
    /// Of the rules it sees, those whose ports cover the traffic asked about.
    pub seen: &'a [EgressRuleIx],
    /// The scenario.
    pub scenario: usize,
    /// Whether the traffic asked about is on these ports.
    pub covers: &'a dyn Fn(PortSetIx) -> bool,
}

/// What may become of the sources that a tier is asked about.
struct SourceOutcomes {
    allow: EndpointSet,
    deny: EndpointSet,
    pass: EndpointSet,
    none: EndpointSet,
}

impl AllowGraph {
    /// Of the sources asked about: those that certainly may leave to the destination, and those
    /// that possibly may.
    pub(crate) fn egress_sources(
        &self,
        query: &EgressQuery<'_>,
        asked: &EndpointSet,
    ) -> EndpointBounds {
        let index = self.egress_index();
        match index.additive() {
            Some(None) => return EndpointBounds::exactly(asked.clone()),
            Some(Some(tier)) => return self.additive_egress(query, tier, asked),
            None => {}
        }
        let [anything, unordered_taint, only_deny] = &index.tainted[query.scenario];
        let layers = index.tiers.chunk_by(|a, b| a.tier.layer == b.tier.layer);
        let mut first = 0;
        let mut by_layers: Option<Bounds<EndpointSet>> = None;
        for tiers in layers {
            let of_layer = self.layer_egress(query, tiers, first, unordered_taint, asked);
            by_layers = Some(match by_layers {
                Some(before) => before.and(&of_layer),
                None => of_layer, // what passes the only layer, mostly
            });
            first += tiers.len();
        }
        let mut passing = by_layers.unwrap_or_else(|| Bounds::exact(asked.clone()));
        let doubt = anything.union(only_deny);
        if !doubt.is_empty() {
            passing.must = passing.must.difference(&doubt);
            passing.may = passing.may.union(&asked.intersection(anything));
        }
        EndpointBounds::from(passing)
    }

    /// A single tier in which allows add up: whoever it does not isolate, and whom a rule lets out.
    fn additive_egress(
        &self,
        query: &EgressQuery<'_>,
        tier: &EgressTier,
        asked: &EndpointSet,
    ) -> EndpointBounds {
        let isolated = &tier.isolated[query.scenario];
        let open = asked.difference(&isolated.must);
        let allowed = self.rules_egress(query, asked, |_| true);
        let possible = open.union(&allowed.may);
        if isolated.is_exact() && allowed.is_exact() {
            return EndpointBounds::exactly(possible);
        }
        let must = asked.difference(&isolated.may).union(&allowed.must);
        EndpointBounds::of(must, possible)
    }

    /// The tiers of one layer in order; what none decides is allowed.
    fn layer_egress(
        &self,
        query: &EgressQuery<'_>,
        tiers: &[EgressTier],
        first: usize,
        tainted: &EndpointSet,
        asked: &EndpointSet,
    ) -> Bounds<EndpointSet> {
        let (mut allow, mut deny) = (EndpointSet::empty(), EndpointSet::empty());
        let mut reached = vec![EndpointSet::empty(); tiers.len() + 1];
        reached[0] = asked.clone();
        let mut deferred = None;
        for (at, tier) in tiers.iter().enumerate() {
            let here = std::mem::take(&mut reached[at]);
            if here.is_empty() {
                continue;
            }
            let outcomes = if tier.tier.ordered {
                self.ordered_egress(query, tier, here)
            } else if tier.tier.ends_last && at + 1 < tiers.len() {
                deferred = Some(tier);
                self.unordered_egress(query, tier, first + at, tainted, here, false)
            } else {
                self.unordered_egress(query, tier, first + at, tainted, here, true)
            };
            allow.add(outcomes.allow);
            deny.add(outcomes.deny);
            reached[at + 1].add(outcomes.none);
            if !outcomes.pass.is_empty() {
                let next = tiers
                    .iter()
                    .position(|t| t.tier.rank >= tier.tier.pass_rank);
                let next = next.unwrap_or(tiers.len()).max(at + 1);
                reached[next].add(outcomes.pass);
            }
        }
        let mut undecided = reached.pop().unwrap_or_default();
        if let Some(tier) = deferred {
            let isolated = &tier.isolated[query.scenario];
            let by_taint = undecided.intersection(tainted);
            deny.add(undecided.intersection(&isolated.may).union(&by_taint));
            allow.add(by_taint);
            undecided = undecided.difference(&isolated.must);
        }
        allow.add(undecided);
        Bounds::of_outcomes(allow, &deny)
    }

    /// An unordered tier: a deny wins, allows add up, and whom the tier isolates needs an allow,
    /// unless its end comes later.
    fn unordered_egress(
        &self,
        query: &EgressQuery<'_>,
        tier: &EgressTier,
        number: usize,
        tainted: &EndpointSet,
        here: EndpointSet,
        ends: bool,
    ) -> SourceOutcomes {
        let plugin = tier.tier.layer == LayerIx::CLUSTER_NETWORK;
        let isolated = &tier.isolated[query.scenario];
        let nothing = EndpointSet::empty;
        let by_taint = if plugin && !tainted.is_empty() {
            here.intersection(tainted)
        } else {
            nothing()
        };
        if !tier.exceeds_isolation && ends {
            let mut needs_allow = here.intersection(&isolated.may);
            needs_allow.add(by_taint.clone());
            let allowed = self.rules_egress(query, &needs_allow, |rule| rule.tier == number);
            let mut deny = needs_allow.difference(&allowed.must);
            if !tier.unsure.is_empty() {
                let asked = needs_allow.difference(&by_taint);
                deny = deny.difference(&self.never_denied_egress(query, tier, &asked));
            }
            let mut allow = Arc::unwrap_or_clone(allowed.may);
            allow.add(by_taint);
            return SourceOutcomes {
                allow,
                deny,
                pass: nothing(),
                none: here.difference(&isolated.must),
            };
        }
        let overlooked = tier.tier.overlooks_nodes && self.hides_hosts(query.scenario);
        let seen = if overlooked {
            here.difference(&self.space().hosts)
        } else {
            here.clone()
        };
        let mine =
            |denies: bool| move |rule: &EgressRule| rule.tier == number && rule.denies == denies;
        let denied = self.rules_egress(query, &seen, mine(true));
        let allowed = self.rules_egress(query, &seen, mine(false));
        let open = seen.difference(&denied.must);
        let undecided = open.difference(&allowed.must);
        let asked = self.rules_egress(query, &undecided, |rule| rule.tier == number && rule.asks);
        let may_fail = undecided.intersection(&asked.may);
        let denied_may = seen.intersection(&denied.may).union(&may_fail);
        let by_taint = by_taint.intersection(&open);
        if !ends {
            return SourceOutcomes {
                allow: open.intersection(&allowed.may).union(&by_taint),
                deny: denied_may,
                pass: nothing(),
                none: undecided.union(&here.difference(&seen)),
            };
        }
        let needs_allow = undecided.intersection(&isolated.may);
        let settled = self.never_denied_egress(query, tier, &needs_allow);
        let needs_allow = needs_allow.difference(&settled);
        let needs_allow = needs_allow.union(&undecided.intersection(&by_taint));
        SourceOutcomes {
            allow: open.intersection(&allowed.may).union(&by_taint),
            deny: denied_may.union(&needs_allow),
            pass: nothing(),
            none: undecided
                .difference(&isolated.must)
                .union(&here.difference(&seen)),
        }
    }

    /// Of these sources, those whom each policy lets out that may be the one to isolate them.
    fn never_denied_egress(
        &self,
        query: &EgressQuery<'_>,
        tier: &EgressTier,
        sources: &EndpointSet,
    ) -> EndpointSet {
        if tier.unsure.is_empty() {
            return EndpointSet::empty();
        }
        let unsure = sources.difference(&tier.isolated[query.scenario].must);
        let closing = tier.unsure.iter();
        let closing = closing.filter(|(policy, _)| !self.lets_out(query, *policy));
        closing.fold(unsure, |left, (_, subjects)| left.difference(subjects))
    }

    /// Whether a policy certainly lets its subjects out to the destination.
    fn lets_out(&self, query: &EgressQuery<'_>, policy: CompiledPolicyIx) -> bool {
        let mut rules = egress_rules(&self.compiled, policy).iter();
        rules.any(|rule| {
            let matched = self.matched(rule.peers, query.scenario);
            rule.action == Action::Allow
                && (query.covers)(rule.ports)
                && matched.truth(query.destination) == Truth::Yes
        })
    }

    /// Of these sources, whom some of the rules seen certainly match, and whom they possibly do.
    fn rules_egress(
        &self,
        query: &EgressQuery<'_>,
        sources: &EndpointSet,
        wanted: impl Fn(&EgressRule) -> bool,
    ) -> EndpointBounds {
        if sources.is_empty() {
            return EndpointBounds::default();
        }
        let truth = |rule: &EgressRule| {
            let matched = self.matched(rule.peers, query.scenario);
            matched.truth(query.destination)
        };
        let index = self.egress_index();
        let rules = || {
            let seen = query.seen.iter().map(|number| &index.rules[*number]);
            seen.filter(|rule| wanted(rule))
        };
        let (mut may, mut exact) = (Vec::new(), true);
        for rule in rules() {
            let truth = truth(rule);
            if truth.possible() {
                exact &= truth == Truth::Yes && rule.subjects.is_exact();
                may.push(sources.intersection(&rule.subjects.may));
            }
        }
        let may = EndpointSet::union_of(&may);
        if exact {
            return EndpointBounds::exactly(may);
        }
        let certain = rules().filter(|rule| truth(rule) == Truth::Yes);
        let must = certain.map(|rule| sources.intersection(&rule.subjects.must));
        EndpointBounds::of(EndpointSet::union_of(&must.collect::<Vec<_>>()), may)
    }

    /// An ordered tier: as [`super::tiers::Walk`] walks it, over all subjects at once.
    fn ordered_egress(
        &self,
        query: &EgressQuery<'_>,
        tier: &EgressTier,
        here: EndpointSet,
    ) -> SourceOutcomes {
        let nothing = EndpointSet::empty;
        let mut total = SourceOutcomes {
            allow: nothing(),
            deny: nothing(),
            pass: nothing(),
            none: here,
        };
        let mut settled = Settled(Vec::new());
        let overlooked = tier.tier.overlooks_nodes && self.hides_hosts(query.scenario);
        for group in &tier.groups {
            let mut undecided = total.none.clone();
            if overlooked {
                undecided = undecided.difference(&self.space().hosts);
            }
            for policy in group {
                let compiled = &self.compiled.policies[*policy];
                let asked = settled.open(compiled, &undecided);
                let decided = self.first_match_egress(query, *policy, &asked, &mut total);
                settled.add(compiled, decided);
            }
        }
        let isolated = &tier.isolated[query.scenario];
        if !isolated.may.is_empty() {
            total.deny = total.deny.union(&total.none.intersection(&isolated.may));
            total.none = total.none.difference(&isolated.must);
        }
        total
    }

    /// Whose traffic a rule of the policy decides, as far as it selects them.
    fn first_match_egress(
        &self,
        query: &EgressQuery<'_>,
        policy: CompiledPolicyIx,
        undecided: &EndpointSet,
        total: &mut SourceOutcomes,
    ) -> EndpointSet {
        let subjects = &self.compiled.subjects[policy];
        let mine = undecided.intersection(&subjects.may);
        if mine.is_empty() {
            return mine;
        }
        for rule in egress_rules(&self.compiled, policy) {
            let truth = self
                .matched(rule.peers, query.scenario)
                .truth(query.destination);
            if truth == Truth::No || !(query.covers)(rule.ports) {
                continue;
            }
            let into = match rule.action {
                Action::Allow => &mut total.allow,
                Action::Deny => &mut total.deny,
                Action::Pass => &mut total.pass,
            };
            into.add(mine.clone());
            if truth == Truth::Yes {
                total.none = total.none.difference(&subjects.must);
                return mine;
            }
        }
        EndpointSet::empty()
    }

    /// Whether two peer sets, seen from an endpoint, answer alike in two scenarios.
    pub(crate) fn same_truth(
        &self,
        peers: PeerSetIx,
        endpoint: EndpointIx,
        a: usize,
        b: usize,
    ) -> bool {
        let set = &self.peers[peers].0;
        set[a] == set[b] || set[a].truth(endpoint) == set[b].truth(endpoint)
    }
}
