//! [`EffectivePolicy`]: everything that governs a class in one direction, as data.
//!
//! Invariant: the tiers are in the order in which they are asked, layer after layer; a tier without
//! a say in the class is left out, which is the same as passing on. `compile::effective_policies`
//! makes them, once for each distinct content; `graph::tiers` walks them.

use crate::compile::compiled_policy::{CompiledPolicy, CompiledPolicyIx};
use crate::compile::peer_sets::PeerSetIx;
use crate::compile::port_sets::PortSetIx;
use crate::model::Truth;
use crate::policy::Direction;
use crate::policy::tier::{LayerIx, TierIx};
use crate::set::{Ix, Table, index_type};
use crate::spec::question::Tainted;
use std::hash::{Hash, Hasher};

index_type! {
    /// Index of an effective policy.
    pub struct EffectiveIx;
}

impl EffectiveIx {
    /// That of what nothing governs.
    pub const OPEN: Self = Self(0);
}

/// A policy that governs a class, and how surely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selection {
    /// The policy.
    pub policy: CompiledPolicyIx,
    /// Whether it certainly selects the class.
    pub certain: bool,
}

impl Hash for Selection {
    /// In one piece: the list of every class is hashed.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let policy = u64::from(self.policy.number());
        state.write_u64(policy << 1 | u64::from(self.certain));
    }
}

/// One distinct rule of an unordered tier, and whether a policy that has it certainly selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnorderedRule {
    /// Its peers.
    pub peers: PeerSetIx,
    /// Its ports.
    pub ports: PortSetIx,
    /// Whether it asks for a request.
    pub asks: bool,
    /// Whether it certainly applies.
    pub certain: bool,
}

/// What one tier says of a class in one direction.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EffectiveTier {
    /// The tier.
    pub tier: TierIx,
    /// Its layer.
    pub layer: LayerIx,
    /// Its rank in its layer, and the rank that Pass leads to.
    pub rank: u16,
    /// The rank of the tier that Pass leads to.
    pub pass_rank: u16,
    /// Whether its policies have an order.
    pub ordered: bool,
    /// Whether it does not see host-network pods that behave as their node (S56).
    pub overlooks_nodes: bool,
    /// Whether the own node is exempt (S55).
    pub exempts_own_node: bool,
    /// Whether what it isolates is denied only when the tiers behind it have not decided.
    pub ends_last: bool,
    /// Of an ordered tier: groups of equal priority, in order.
    pub groups: Vec<Vec<Selection>>,
    /// The policies that isolate the class, where that ends in Deny.
    pub isolating: Vec<Selection>,
    /// Whether they isolate it.
    pub isolated: Truth,
    /// Of an unordered tier that only may isolate the class: what each policy allows that may. It
    /// allows that whenever it isolates, so that what all of them allow is never denied.
    pub unsure: Vec<Vec<UnorderedRule>>,
    /// Of an unordered tier: the policies that govern the class and do not isolate it.
    pub others: Vec<Selection>,
    /// Of an unordered tier: the distinct rules that allow, sorted.
    pub allows: Vec<UnorderedRule>,
    /// Of an unordered tier: the distinct rules that deny, sorted.
    pub denies: Vec<UnorderedRule>,
}

impl EffectiveTier {
    /// The policies that have a say in it, in the order in which they are asked.
    pub fn selections(&self) -> impl Iterator<Item = &Selection> {
        let unordered = self.isolating.iter().chain(&self.others);
        let unordered = unordered.filter(|_| !self.ordered);
        self.groups.iter().flatten().chain(unordered)
    }

    /// What decides in it, without the policies that merely stand behind it: equal contents, equal
    /// answers.
    pub fn content(&self) -> impl std::hash::Hash + Eq + use<'_> {
        let Self {
            tier,
            groups,
            isolated,
            unsure,
            allows,
            denies,
            ..
        } = self;
        (tier, groups, isolated, unsure, allows, denies)
    }
}

/// Everything that governs a class in one direction.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct EffectivePolicy {
    /// The tiers that have a say, in order.
    pub tiers: Vec<EffectiveTier>,
    /// What unmodelled policies may do.
    pub taint: Tainted,
}

impl EffectivePolicy {
    /// Whether a tier isolates the class, so that something has to allow what passes.
    pub fn isolated(&self) -> Truth {
        let each = self.tiers.iter().map(|tier| tier.isolated);
        each.max().unwrap_or(Truth::No)
    }

    /// Whether a tier may deny something to the class that exempts its own node (S55).
    pub fn may_exempt_own_node(&self) -> bool {
        let mut tiers = self.tiers.iter().filter(|tier| tier.exempts_own_node);
        tiers.any(|tier| tier.ordered || tier.isolated.possible())
    }

    /// Whether nothing governs the class in this direction, so that everything is allowed by
    /// default.
    pub fn is_open(&self) -> bool {
        self.tiers.is_empty() && self.taint == Tainted::default()
    }

    /// Whether only allows that add up speak, and no unmodelled policy: the tier that isolates, if
    /// any does.
    #[allow(clippy::option_option)] // two questions: whether, and which
    pub fn additive(&self) -> Option<Option<&EffectiveTier>> {
        if self.taint != Tainted::default() {
            return None;
        }
        match &self.tiers[..] {
            [] => Some(None),
            [only] if !only.ordered && only.denies.is_empty() && only.others.is_empty() => {
                Some(Some(only))
            }
            _ => None,
        }
    }

    /// The tier that isolates the class, where nothing that is asked before it or in another layer
    /// has a say, and no unmodelled policy.
    pub fn isolating_first(&self) -> Option<&EffectiveTier> {
        let first = self.tiers.first()?;
        let alone = self.tiers.iter().all(|tier| tier.layer == first.layer);
        let decides = !first.ends_last || self.tiers.len() == 1;
        let plain = alone && decides && !first.ordered && self.taint == Tainted::default();
        (plain && first.isolated.possible()).then_some(first)
    }

    /// The policies that have a say, in the order in which they are asked.
    pub fn selections(&self) -> impl Iterator<Item = &Selection> {
        self.tiers.iter().flat_map(EffectiveTier::selections)
    }

    /// The policies that isolate the class.
    pub fn isolating(&self) -> impl Iterator<Item = &Selection> {
        self.tiers.iter().flat_map(|tier| &tier.isolating)
    }

    /// The peers and ports of every rule that can decide.
    pub fn rules<'a>(
        &'a self,
        policies: &'a Table<CompiledPolicyIx, CompiledPolicy>,
        direction: Direction,
    ) -> impl Iterator<Item = (PeerSetIx, PortSetIx)> + 'a {
        self.tiers.iter().flat_map(move |tier| {
            let ordered = tier.groups.iter().flatten();
            let ordered = ordered
                .flat_map(move |s| policies[s.policy].rules(direction))
                .map(|rule| (rule.peers, rule.ports));
            let unordered = tier.allows.iter().chain(&tier.denies);
            ordered.chain(unordered.map(|rule| (rule.peers, rule.ports)))
        })
    }
}
