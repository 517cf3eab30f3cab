//! The tiers, once, over any domain of what is still undecided.
//!
//! A point question asks of one flow (`bool`), an edge asks of all traffic between two ends ([`TrafficSet`]), a row asks
//! of all sources at once ([`Runs`]). The order of tiers, groups and rules is the same; only the algebra differs. What the
//! walk computes is what `evaluate` computes: which outcomes are possible.
//!
//! Cost: O(rules of the profile) set operations. Soundness: for `D = bool` this is `evaluate::decide_tiers` on one class.

use super::peers::{PeerSetId, Runs};
use crate::model::Truth;
use crate::policy::{Action, PolicyId};
use crate::set::TrafficSet;

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
}

macro_rules! domain {
    ($t:ty) => {
        impl Domain for $t {
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
        }
    };
}
domain!(TrafficSet);
domain!(Runs);

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

/// A policy that governs a class, and how surely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Selecting {
    /// Index of the compiled policy.
    pub policy: u32,
    /// Whether it surely selects the class.
    pub sure: bool,
}

/// Everything that governs a class in one direction.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Profile {
    /// The Admin tier: groups of equal priority, in order.
    pub admin: Vec<Vec<Selecting>>,
    /// The Network tier: the policies that isolate in this direction.
    pub network: Vec<Selecting>,
    /// The Baseline tier.
    pub baseline: Vec<Vec<Selecting>>,
    /// What unmodelled policies may do.
    pub taint: super::evaluate::Tainted,
}

impl Profile {
    /// Whether the Network tier isolates the class.
    pub fn isolated(&self) -> Truth {
        let told =
            self.network.iter().map(|s| if s.sure { Truth::Yes } else { Truth::Maybe }).max().unwrap_or(Truth::No);
        if self.taint.network { told.or(Truth::Maybe) } else { told }
    }

    /// Whether nothing governs the class in this direction, so that everything is allowed by default.
    pub fn is_open(&self) -> bool {
        *self == Self::default()
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
pub struct Hit<D> {
    /// Surely.
    pub sure: D,
    /// Surely or maybe.
    pub maybe: D,
}

/// A question put to one profile.
pub struct Walk<'a, D, H> {
    /// The compiled policies.
    pub policies: &'a [CompiledPolicy],
    /// The direction's index.
    pub direction: usize,
    /// Everything asked about.
    pub all: D,
    /// What of it a rule matches.
    pub hit: H,
    /// What of it comes from, or goes to, the subject's own node (S55).
    pub own_node: Hit<D>,
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

impl<D: Domain, H: Fn(&CompiledRule) -> Hit<D>> Walk<'_, D, H> {
    /// Walks the tiers of a profile.
    pub fn decide(&self, profile: &Profile) -> Outcome<D> {
        if self.subject_visible && profile.taint.anything {
            return Outcome { allow: self.all.clone(), deny: self.all.clone() };
        }
        let admin = self.ordered(&profile.admin, self.all.clone());
        let (network, further) = self.network(profile, admin.pass.or(&admin.none));
        let base = self.ordered(&profile.baseline, further);
        let allow = admin.allow.or(&network.allow).or(&base.allow).or(&base.pass).or(&base.none);
        let deny = admin.deny.or(&network.deny).or(&base.deny);
        let may_deny = self.subject_visible && profile.taint.only_deny;
        Outcome { allow, deny: if may_deny { self.all.clone() } else { deny } }
    }

    fn ordered(&self, groups: &[Vec<Selecting>], asked: D) -> Decided<D> {
        let mut total = Decided { allow: D::none(), deny: D::none(), pass: D::none(), none: asked };
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

    fn first_match(&self, selecting: Selecting, undecided: &D, total: &mut Decided<D>) -> D {
        let mut open = undecided.clone();
        for rule in &self.policies[selecting.policy as usize].rules[self.direction] {
            let hit = (self.hit)(rule);
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
        if selecting.sure { open } else { undecided.clone() }
    }

    /// The Network tier on what reaches it; also what goes on to the Baseline tier.
    fn network(&self, profile: &Profile, asked: D) -> (Outcome<D>, D) {
        let isolated = if self.subject_visible { profile.isolated() } else { Truth::No };
        if isolated == Truth::No || asked.is_none() {
            return (Outcome { allow: D::none(), deny: D::none() }, asked);
        }
        let (mut sure, mut maybe) = (self.own_node.sure.clone(), self.own_node.maybe.clone());
        for selecting in &profile.network {
            for rule in &self.policies[selecting.policy as usize].rules[self.direction] {
                let hit = (self.hit)(rule);
                maybe = maybe.or(&hit.maybe);
                if selecting.sure {
                    sure = sure.or(&hit.sure);
                }
            }
        }
        if profile.taint.network {
            maybe = self.all.clone();
        }
        let outcome = Outcome { allow: asked.and(&maybe), deny: asked.minus(&sure) };
        (outcome, if isolated == Truth::Yes { D::none() } else { asked })
    }
}
