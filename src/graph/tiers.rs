//! The tiers, once, over any domain of what is still undecided.
//!
//! A point question asks of one flow (`bool`), an edge asks of all traffic between two ends
//! ([`TrafficSet`]), a row asks of all sources at once ([`EndpointSet`]). The order of tiers,
//! groups and rules is the same; only the algebra differs. What the walk computes is what
//! `evaluate` computes: which outcomes are possible.
//!
//! Cost: O(distinct rules of the profile) set operations. Soundness: for `D = bool` this is
//! `evaluate::decide_tiers` on one class. Road not taken: walking the Network tier policy by
//! policy; its rules have no order, so each distinct one is asked once, however many policies
//! repeat it.

use crate::compile::peer_sets::{EndpointSet, PeerSetId};
use crate::model::Truth;
use crate::policy::{Action, PolicyId};
use crate::set::TrafficSet;
use std::borrow::Cow;

/// A set of whatever a question ranges over.
pub trait Domain: Clone {
    /// Nothing.
    fn none() -> Self;
    /// Either.
    fn or(&self, other: &Self) -> Self;
    /// Both.
    fn and(&self, other: &Self) -> Self;
    /// The first without the second.
    fn minus(&self, other: &Self) -> Self;
    /// Whether nothing is left.
    fn is_none(&self) -> bool;
    /// All that surely matches one of these, and all that may. The flag says whether a hit counts
    /// as sure at all.
    fn gather<'a>(
        own: &Hit<'a, Self>,
        hits: impl Iterator<Item = (bool, Hit<'a, Self>)>,
    ) -> (Self, Self)
    where
        Self: 'a;
}

impl Domain for bool {
    fn none() -> Self {
        false
    }
    fn or(&self, other: &Self) -> Self {
        *self || *other
    }
    fn and(&self, other: &Self) -> Self {
        *self && *other
    }
    fn minus(&self, other: &Self) -> Self {
        *self && !*other
    }
    fn is_none(&self) -> bool {
        !*self
    }
    fn gather<'a>(
        own: &Hit<'a, Self>,
        hits: impl Iterator<Item = (bool, Hit<'a, Self>)>,
    ) -> (Self, Self) {
        let (mut sure, mut maybe) = (*own.sure, *own.maybe);
        for (counts, hit) in hits {
            sure |= counts && *hit.sure;
            maybe |= *hit.maybe;
            if sure {
                break;
            }
        }
        (sure, maybe)
    }
}

impl Domain for TrafficSet {
    fn none() -> Self {
        Self::empty()
    }
    fn or(&self, other: &Self) -> Self {
        self.union(other)
    }
    fn and(&self, other: &Self) -> Self {
        self.intersection(other)
    }
    fn minus(&self, other: &Self) -> Self {
        self.difference(other)
    }
    fn is_none(&self) -> bool {
        self.is_empty()
    }
    fn gather<'a>(
        own: &Hit<'a, Self>,
        hits: impl Iterator<Item = (bool, Hit<'a, Self>)>,
    ) -> (Self, Self) {
        let mut total = (own.sure.as_ref().clone(), own.maybe.as_ref().clone());
        for (counts, hit) in hits {
            if counts && !hit.sure.is_empty() {
                total.0 = total.0.union(&hit.sure);
            }
            if !hit.maybe.is_empty() {
                total.1 = total.1.union(&hit.maybe);
            }
        }
        total
    }
}

impl Domain for EndpointSet {
    fn none() -> Self {
        Self::empty()
    }
    fn or(&self, other: &Self) -> Self {
        self.union(other)
    }
    fn and(&self, other: &Self) -> Self {
        self.intersection(other)
    }
    fn minus(&self, other: &Self) -> Self {
        self.difference(other)
    }
    fn is_none(&self) -> bool {
        self.is_empty()
    }
    fn gather<'a>(
        own: &Hit<'a, Self>,
        hits: impl Iterator<Item = (bool, Hit<'a, Self>)>,
    ) -> (Self, Self) {
        let hits: Vec<_> = hits.filter(|(_, hit)| !hit.maybe.is_empty()).collect();
        let maybe = Self::union_of(
            hits.iter()
                .map(|(_, h)| h.maybe.as_ref())
                .chain([own.maybe.as_ref()]),
        );
        if own.is_exact() && hits.iter().all(|(counts, hit)| *counts && hit.is_exact()) {
            return (maybe.clone(), maybe);
        }
        let sure = hits
            .iter()
            .filter(|(counts, _)| *counts)
            .map(|(_, h)| h.sure.as_ref());
        (Self::union_of(sure.chain([own.sure.as_ref()])), maybe)
    }
}

/// One rule, compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CompiledRule {
    /// What it does.
    pub action: Action,
    /// Its peers.
    pub peers: PeerSetId,
    /// Its ports.
    pub ports: u32,
}

/// One distinct rule of the Network tier, and whether a policy that has it surely selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NetworkRule {
    /// Its peers.
    pub peers: PeerSetId,
    /// Its ports.
    pub ports: u32,
    /// Whether it surely applies.
    pub sure: bool,
}

/// A policy that governs a class, and how surely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Selection {
    /// Index of the compiled policy.
    pub policy: u32,
    /// Whether it surely selects the class.
    pub sure: bool,
}

/// Everything that governs a class in one direction.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct EffectivePolicy {
    /// The Admin tier: groups of equal priority, in order.
    pub admin: Vec<Vec<Selection>>,
    /// The Network tier: the policies that isolate in this direction.
    pub network: Vec<Selection>,
    /// Whether one of them surely selects.
    pub surely: bool,
    /// The distinct rules of those policies, sorted.
    pub network_rules: Vec<NetworkRule>,
    /// The Baseline tier.
    pub baseline: Vec<Vec<Selection>>,
    /// What unmodelled policies may do.
    pub taint: crate::spec::evaluate::Tainted,
}

impl EffectivePolicy {
    /// Whether the Network tier isolates the class.
    pub fn isolated(&self) -> Truth {
        let told = if self.surely {
            Truth::Yes
        } else {
            Truth::from(!self.network.is_empty()).and(Truth::Maybe)
        };
        if self.taint.network {
            told.or(Truth::Maybe)
        } else {
            told
        }
    }

    /// Whether nothing governs the class in this direction, so that everything is allowed by
    /// default.
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }

    /// Whether only the Network tier speaks, and no unmodelled policy.
    pub fn is_network_only(&self) -> bool {
        self.admin.is_empty()
            && self.baseline.is_empty()
            && self.taint == crate::spec::evaluate::Tainted::default()
    }

    /// The policies of the ordered tiers.
    pub fn ordered(&self) -> impl Iterator<Item = &Selection> {
        self.admin.iter().chain(&self.baseline).flatten()
    }
}

/// A policy, compiled for one subject namespace where its peers are relative, for all otherwise.
#[derive(Debug, Clone)]
pub struct CompiledPolicy {
    /// The policy.
    pub policy: PolicyId,
    /// Its rules, per direction.
    pub rules: [Vec<CompiledRule>; 2],
}

/// What surely matches a rule, and what may.
#[derive(Debug, Clone)]
pub struct Hit<'a, D: Clone> {
    /// Surely.
    pub sure: Cow<'a, D>,
    /// Surely or maybe.
    pub maybe: Cow<'a, D>,
}

impl<D: Domain> Hit<'_, D> {
    /// Whether nothing is in doubt, as far as that can be told without comparing: nothing may
    /// match, or both are one and the same set in memory.
    fn is_exact(&self) -> bool {
        self.maybe.is_none() || std::ptr::eq(self.sure.as_ref(), self.maybe.as_ref())
    }

    /// From two values.
    pub fn of(sure: D, maybe: D) -> Self {
        Self {
            sure: Cow::Owned(sure),
            maybe: Cow::Owned(maybe),
        }
    }
}

/// A question put to one profile.
pub struct Walk<'a, D: Clone, H> {
    /// The compiled policies.
    pub policies: &'a [CompiledPolicy],
    /// The direction's index.
    pub direction: usize,
    /// Everything asked about.
    pub all: D,
    /// What of it these peers and ports match.
    pub hit: H,
    /// What of it comes from, or goes to, the subject's own node (S55).
    pub own_node: Hit<'a, D>,
    /// Whether the Network tier sees the subject at all: not if it behaves as its node (S56).
    pub subject_visible: bool,
}

/// What may be allowed and what may be denied.
#[derive(Debug, Clone)]
pub struct Outcome<D> {
    /// May be allowed.
    pub allow: D,
    /// May be denied.
    pub deny: D,
}

struct Decided<D> {
    allow: D,
    deny: D,
    pass: D,
    none: D,
}

impl<'a, D: Domain + 'a, H: Fn(PeerSetId, u32) -> Hit<'a, D>> Walk<'a, D, H> {
    /// Walks the tiers of a profile.
    pub fn decide(&self, profile: &EffectivePolicy) -> Outcome<D> {
        self.decide_with(profile, &profile.network_rules)
    }

    /// Walks the tiers of a profile, of whose Network tier only these rules can match what is
    /// asked.
    pub fn decide_with(&self, profile: &EffectivePolicy, rules: &[NetworkRule]) -> Outcome<D> {
        if self.subject_visible && profile.taint.anything {
            return Outcome {
                allow: self.all.clone(),
                deny: self.all.clone(),
            };
        }
        let outcome = if profile.admin.is_empty() && profile.baseline.is_empty() {
            let (network, further) = self.network(profile, rules, self.all.clone());
            Outcome {
                allow: network.allow.or(&further),
                deny: network.deny,
            }
        } else {
            self.all_tiers(profile, rules)
        };
        let may_deny = self.subject_visible && profile.taint.only_deny;
        Outcome {
            allow: outcome.allow,
            deny: if may_deny {
                self.all.clone()
            } else {
                outcome.deny
            },
        }
    }

    fn all_tiers(&self, profile: &EffectivePolicy, rules: &[NetworkRule]) -> Outcome<D> {
        let admin = self.ordered(&profile.admin, self.all.clone());
        let (network, further) = self.network(profile, rules, admin.pass.or(&admin.none));
        let base = self.ordered(&profile.baseline, further);
        let allow = admin
            .allow
            .or(&network.allow)
            .or(&base.allow)
            .or(&base.pass)
            .or(&base.none);
        let deny = admin.deny.or(&network.deny).or(&base.deny);
        Outcome { allow, deny }
    }

    fn ordered(&self, groups: &[Vec<Selection>], asked: D) -> Decided<D> {
        let mut total = Decided {
            allow: D::none(),
            deny: D::none(),
            pass: D::none(),
            none: asked,
        };
        for group in groups {
            if total.none.is_none() {
                break;
            }
            let undecided = total.none.clone();
            for selecting in group {
                let left = self.first_match(*selecting, &undecided, &mut total);
                total.none = total.none.and(&left);
            }
        }
        total
    }

    fn first_match(&self, selecting: Selection, undecided: &D, total: &mut Decided<D>) -> D {
        let mut open = undecided.clone();
        for rule in &self.policies[selecting.policy as usize].rules[self.direction] {
            let hit = (self.hit)(rule.peers, rule.ports);
            if hit.maybe.is_none() {
                continue;
            }
            let matched = open.and(&hit.maybe);
            let into = match rule.action {
                Action::Allow => &mut total.allow,
                Action::Deny => &mut total.deny,
                Action::Pass => &mut total.pass,
            };
            *into = into.or(&matched);
            open = open.minus(&hit.sure);
            if open.is_none() {
                break;
            }
        }
        if selecting.sure {
            open
        } else {
            undecided.clone()
        }
    }

    /// The Network tier on what reaches it; also what goes on to the Baseline tier.
    fn network(
        &self,
        profile: &EffectivePolicy,
        rules: &[NetworkRule],
        asked: D,
    ) -> (Outcome<D>, D) {
        let isolated = if self.subject_visible {
            profile.isolated()
        } else {
            Truth::No
        };
        if isolated == Truth::No || asked.is_none() {
            return (
                Outcome {
                    allow: D::none(),
                    deny: D::none(),
                },
                asked,
            );
        }
        let hits = rules
            .iter()
            .map(|rule| (rule.sure, (self.hit)(rule.peers, rule.ports)));
        let (sure, mut maybe) = D::gather(&self.own_node, hits);
        if profile.taint.network {
            maybe = self.all.clone();
        }
        let outcome = Outcome {
            allow: asked.and(&maybe),
            deny: asked.minus(&sure),
        };
        (
            outcome,
            if isolated == Truth::Yes {
                D::none()
            } else {
                asked
            },
        )
    }
}
