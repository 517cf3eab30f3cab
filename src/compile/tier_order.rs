//! [`TierOrder`]: the tiers of all layers in the order in which they are asked.
//!
//! The order is a property of the policy set, the same for every class; what governs a class fills
//! copies of these empty tiers. Cost: O(tiers).

use crate::compile::compiled_policy::CompiledPolicy;
use crate::compile::effective_policy::EffectiveTier;
use crate::model::Truth;
use crate::policy::tier::{HostPods, LayerIx, TierEnd, TierIx, TierMode, Ties};
use crate::policy::{Direction, Policy, Priority};
use crate::spec::environment::Environment;
use std::collections::BTreeSet;

/// The tiers in the order in which they are asked, each as it stands where nothing of it governs.
#[derive(Debug)]
pub struct TierOrder {
    /// By the order of asking.
    pub tiers: Vec<EffectiveTier>,
    /// The place in that order, by tier index.
    pub(super) place: Vec<usize>,
    ties: Vec<Ties>,
}

impl TierOrder {
    /// The order of the tiers of an environment.
    pub(super) fn new(env: &Environment) -> Self {
        let mut order = Self {
            tiers: Vec::new(),
            place: vec![0; env.policies.tiers.len()],
            ties: Vec::new(),
        };
        for (layer, tiers) in env.layers.iter() {
            for (rank, ix) in (0_u16..).zip(tiers) {
                let tier = &env.policies.tiers[ix.index()];
                let to = tier
                    .pass_to
                    .and_then(|to| tiers.iter().position(|t| *t == to));
                let to = to
                    .and_then(|to| u16::try_from(to).ok())
                    .filter(|to| *to > rank);
                order.place[ix.index()] = order.tiers.len();
                order.ties.push(match tier.mode {
                    TierMode::Ordered(ties) => ties,
                    TierMode::Unordered => Ties::Undefined,
                });
                order.tiers.push(EffectiveTier {
                    tier: *ix,
                    layer: *layer,
                    rank,
                    pass_rank: to.unwrap_or(rank.saturating_add(1)),
                    ordered: tier.is_ordered(),
                    overlooks_nodes: tier.host_pods == HostPods::Undefined,
                    exempts_own_node: false,
                    ends_last: tier.end == TierEnd::DenyIsolatedLast,
                    groups: Vec::new(),
                    isolating: Vec::new(),
                    isolated: Truth::No,
                    others: Vec::new(),
                    unsure: Vec::new(),
                    allows: Vec::new(),
                    denies: Vec::new(),
                });
            }
        }
        order
    }

    /// Where the tier of a policy stands in the order.
    pub(super) fn place(&self, policy: &Policy) -> usize {
        self.place[policy.tier.index()]
    }

    /// What orders a compiled policy among those of its tier: equal ranks are asked together.
    pub fn rank<'p>(
        &self,
        policy: &'p Policy,
        compiled: &CompiledPolicy,
    ) -> (Priority, Option<&'p str>, Option<u32>) {
        let by_name = self.ties[self.place(policy)] == Ties::ByName;
        let name = by_name.then_some(policy.tie());
        (policy.priority, name, compiled.position)
    }

    /// The ranks that several policies share of tiers that ask these rule by rule.
    pub(super) fn shared_ranks(&self, env: &Environment) -> BTreeSet<(TierIx, Priority)> {
        let (mut seen, mut shared) = (BTreeSet::new(), BTreeSet::new());
        for policy in &env.policies.policies {
            let rank = (policy.tier, policy.priority);
            if self.ties[self.place(policy)] == Ties::ByPosition && !seen.insert(rank) {
                shared.insert(rank);
            }
        }
        shared
    }
}

/// A policy that could not be read may isolate in every unordered tier of the network plugin.
pub fn add_tainted(
    env: &Environment,
    order: &TierOrder,
    direction: Direction,
    tiers: &mut Vec<EffectiveTier>,
) {
    let unordered = order
        .tiers
        .iter()
        .filter(|t| !t.ordered && t.layer == LayerIx::CLUSTER_NETWORK);
    for empty in unordered {
        let known = tiers.iter_mut().find(|t| t.tier == empty.tier);
        if let Some(tier) = known {
            tier.isolated = tier.isolated.or(Truth::Maybe);
            tier.unsure.clear();
        } else {
            let own_node = env.policies.tiers[empty.tier.index()].own_node;
            tiers.push(EffectiveTier {
                exempts_own_node: own_node.exempts(direction),
                isolated: Truth::Maybe,
                ..empty.clone()
            });
        }
    }
    tiers.sort_by_key(|t| order.place[t.tier.index()]);
}
