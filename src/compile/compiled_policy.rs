//! [`CompiledPolicy`]: a policy whose rules are indexes of peer sets and port lists.

use crate::compile::peer_sets::PeerSetIx;
use crate::compile::port_sets::PortSetIx;
use crate::policy::{Action, Direction, Policy, PolicyId};
use crate::set::index_type;
use std::collections::BTreeMap;

index_type! {
    /// Index of a compiled policy.
    pub struct CompiledPolicyIx;
    /// Index of a distinct egress rule, of which there are no more than of compiled rules.
    pub struct EgressRuleIx;
}

/// One rule, compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CompiledRule {
    /// What it does.
    pub action: Action,
    /// Whether what it allows is held to its condition whatever other rules say: then it may deny.
    pub binds: bool,
    /// Whether it asks for a request ([`crate::policy::Rule::asks_for_request`]).
    pub asks: bool,
    /// Its peers.
    pub peers: PeerSetIx,
    /// Its ports.
    pub ports: PortSetIx,
}

/// A policy, compiled for one subject namespace where its peers are relative, for all otherwise.
#[derive(Debug, Clone)]
pub struct CompiledPolicy {
    /// The policy.
    pub policy: PolicyId,
    /// Its rules, per direction.
    pub rules: [Vec<CompiledRule>; 2],
    /// Where its rules stand, if those of one place are asked apart from others (AN6).
    pub position: Option<u32>,
}

impl CompiledPolicy {
    /// The parts of it that are asked one after the other, by the places of its rules.
    pub fn by_position(self, policy: &Policy) -> Vec<Self> {
        let mut parts: BTreeMap<u32, Self> = BTreeMap::new();
        for direction in Direction::ALL {
            for (position, rules) in policy.positions(direction) {
                let part = parts.entry(position).or_insert_with(|| Self {
                    policy: self.policy,
                    rules: [Vec::new(), Vec::new()],
                    position: Some(position),
                });
                let here = self.rules(direction).iter();
                let here = here.skip(rules.start).take(rules.len());
                part.rules[direction.index()].extend(here.copied());
            }
        }
        parts.into_values().collect()
    }

    /// Its rules of one direction.
    pub fn rules(&self, direction: Direction) -> &[CompiledRule] {
        &self.rules[direction.index()]
    }
}
