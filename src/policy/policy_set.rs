//! [`PolicySet`]: every policy that was read, the taints, and the tiers.

use crate::policy::plugin::PluginObjects;
use crate::policy::rule::{Policy, Rule};
use crate::policy::rule_ref::{PolicyId, RuleRef};
use crate::policy::taint::Taint;
use crate::policy::tier::{LayerIx, Tier, TierIx, kubernetes};
use crate::set::Ix;

/// Every policy that was read, every one that could not be, and the tiers they are asked in.
#[derive(Debug, Clone)]
pub struct PolicySet {
    /// The policies, in input order.
    pub policies: Vec<Policy>,
    /// Policies that may have an effect and are not among them.
    pub taints: Vec<Taint>,
    /// The tiers, by index.
    pub tiers: Vec<Tier>,
    /// What the network plugin's own objects say besides policies.
    pub plugin: PluginObjects,
}

impl Default for PolicySet {
    fn default() -> Self {
        Self {
            policies: Vec::new(),
            taints: Vec::new(),
            tiers: kubernetes::tiers(),
            plugin: PluginObjects::default(),
        }
    }
}

impl PolicySet {
    /// The index of a tier, which is added where the table does not have it; `None` where the table
    /// is full.
    pub fn tier(&mut self, tier: Tier) -> Option<TierIx> {
        let known = self.tiers.iter().position(|t| *t == tier);
        let index = u16::try_from(known.unwrap_or(self.tiers.len())).ok()?;
        if known.is_none() {
            self.tiers.push(tier);
        }
        Some(TierIx(index))
    }

    /// Whether a tier is of a layer.
    pub fn has_layer(&self, layer: LayerIx) -> bool {
        self.tiers.iter().any(|tier| tier.layer == layer)
    }

    /// Leaves the policies of a layer without effect.
    pub fn leave_out(&mut self, layer: LayerIx) {
        let is_of = |policy: &&mut Policy| self.tiers[policy.tier.index()].layer == layer;
        let policies = self.policies.iter_mut().filter(is_of);
        policies.for_each(|policy| policy.applies = [false, false]);
    }

    /// The tier that a policy is asked in.
    pub fn tier_of(&self, policy: &Policy) -> &Tier {
        &self.tiers[policy.tier.index()]
    }

    /// Whether a tier is asked before another one of its layer.
    pub fn is_before(&self, tier: TierIx, other: TierIx) -> bool {
        let key = |ix: TierIx| (self.tiers[ix.index()].order, ix);
        let layer = |ix: TierIx| self.tiers[ix.index()].layer;
        layer(tier) == layer(other) && key(tier) < key(other)
    }

    /// Whether the policies of a policy's tier have an order, so that its rules say what they do.
    pub fn is_ordered(&self, policy: &Policy) -> bool {
        self.tier_of(policy).is_ordered()
    }

    /// The tiers of each layer in the order in which they are asked.
    pub fn layers(&self) -> Vec<(LayerIx, Vec<TierIx>)> {
        let mut all: Vec<TierIx> = (0..=u16::MAX).map(TierIx).take(self.tiers.len()).collect();
        let layer = |ix: &TierIx| self.tiers[ix.index()].layer;
        all.sort_by_key(|ix| (layer(ix), self.tiers[ix.index()].order, *ix));
        let chunks = all.chunk_by(|a, b| layer(a) == layer(b));
        chunks
            .filter_map(|tiers| Some((layer(tiers.first()?), tiers.to_vec())))
            .collect()
    }

    /// How many policies there are, without those that stand at the interfaces of nodes once more.
    pub fn count(&self) -> usize {
        let of_hosts = |policy: &&Policy| self.tier_of(policy).layer.is_of_hosts();
        let all = self.policies.iter();
        all.filter(|policy| !of_hosts(policy)).count()
    }

    /// A policy by id.
    pub fn get(&self, id: PolicyId) -> &Policy {
        &self.policies[id.0 as usize]
    }

    /// The policies with their ids.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (PolicyId, &Policy)> {
        self.policies
            .iter()
            .enumerate()
            .map(|(i, p)| (PolicyId::bounded(i), p))
    }

    /// The rule a reference points at.
    pub fn rule(&self, at: RuleRef) -> &Rule {
        &self.get(at.policy).rules(at.direction)[at.rule as usize]
    }
}
