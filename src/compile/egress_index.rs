//! Egress from the other side: for one destination, which sources may leave to it.
//!
//! An effective policy says what governs one source; a row asks about all sources, so here the
//! policies are kept by rule: each distinct rule of an unordered tier once, with the classes that
//! it certainly and possibly governs, and the ordered tiers with their subjects. A destination sees
//! only the rules whose peers contain it ([`EgressIndex::seen`]): small peer sets are listed at
//! their endpoints, the few large ones are asked.
//!
//! Invariant: the tiers are those of the effective policies, in the same order. Cost to build:
//! O(rules + sum of the subjects' classes).

use crate::compile::compiled_policy::{CompiledPolicyIx, CompiledRule, EgressRuleIx};
use crate::compile::effective_policies::CompiledPolicySet;
use crate::compile::effective_policy::{EffectiveIx, EffectivePolicy, EffectiveTier, Selection};
use crate::compile::endpoint_bounds::EndpointBounds;
use crate::compile::endpoint_space::{EndpointIx, EndpointSet, EndpointSpace};
use crate::compile::peer_sets::{PeerSet, PeerSetIx};
use crate::compile::port_sets::PortSetIx;
use crate::policy::tier::{LayerIx, TierEnd};
use crate::policy::{Action, Direction, Policy};
use crate::set::Table;
use crate::set::hashed::{IndexMap, room_for};
use crate::spec::environment::{Environment, HostNetworkMode};
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

/// Peer sets of more endpoints than this are asked instead of listed.
const LISTED: u64 = 64;

/// A distinct rule of an unordered tier, and whom it governs.
#[derive(Debug, Clone)]
pub struct EgressRule {
    /// Its tier, by its place in [`EgressIndex::tiers`].
    pub tier: usize,
    /// Whether it denies.
    pub denies: bool,
    /// Whether it asks for a request.
    pub asks: bool,
    /// Its peers.
    pub peers: PeerSetIx,
    /// Its ports.
    pub ports: PortSetIx,
    /// The classes that a policy with this rule governs.
    pub subjects: EndpointBounds,
    /// Whether its peers are certain, and the same ones in all scenarios: an endpoint that is one
    /// of them certainly is.
    pub plain: bool,
}

/// One tier, by rule.
#[derive(Debug, Clone)]
pub struct EgressTier {
    /// The tier as it stands where nothing of it governs: its layer, ranks and flags.
    pub tier: EffectiveTier,
    /// Compiled policies of equal priority, in order; none in an unordered tier.
    pub groups: Vec<Vec<CompiledPolicyIx>>,
    /// The classes that it isolates, per scenario.
    pub isolated: Vec<EndpointBounds>,
    /// Of an unordered tier: the policies that only may select some classes that they isolate, and
    /// these classes. Such a policy allows what it allows whenever it isolates.
    pub unsure: Vec<(CompiledPolicyIx, EndpointSet)>,
    /// Whether it may decide about classes that it does not isolate: it has an order, a rule that
    /// denies, or a policy that does not isolate.
    pub exceeds_isolation: bool,
}

/// The policies of egress, by rule.
#[derive(Debug, Clone, Default)]
pub struct EgressIndex {
    /// The distinct rules of the unordered tiers.
    pub rules: Table<EgressRuleIx, EgressRule>,
    /// Per endpoint, the rules of small peer sets that contain it.
    at: Table<EndpointIx, Vec<EgressRuleIx>>,
    /// The rules of large peer sets.
    large: Vec<EgressRuleIx>,
    /// The tiers in which a policy governs somebody's egress, in order, layer after layer.
    pub tiers: Vec<EgressTier>,
    /// The classes that unmodelled policies may touch: with anything, in an unordered tier, by
    /// denying. Per scenario.
    pub tainted: Vec<[EndpointSet; 3]>,
    /// The distinct peers of the ordered tiers' rules.
    pub ordered_peers: Vec<PeerSetIx>,
    /// Of each effective policy the first one that decides alike.
    pub contents: Table<EffectiveIx, EffectiveIx>,
    /// Whether at most one tier speaks, by allows for whom it isolates, and no unmodelled policy.
    is_additive: bool,
}

impl EgressIndex {
    /// Turns the effective policies around.
    pub fn new(
        env: &Environment,
        space: &EndpointSpace,
        peers: &Table<PeerSetIx, PeerSet>,
        compiled: &CompiledPolicySet,
    ) -> Self {
        let tainted = tainted(compiled);
        let governing = governing(env, compiled);
        let mut index = Self {
            at: Table::first(space.len(), |_| Vec::new()),
            tiers: tiers(env, space, compiled, &governing, !tainted[1].is_empty()),
            contents: contents(&compiled.effective),
            ..Self::default()
        };
        // INVARIANT: compiling refused more rules than can be numbered
        index.rules = Table::of_bounded(rules(compiled, peers, &index.tiers, &governing));
        for rule in index.rules.iter().filter(|rule| rule.denies) {
            index.tiers[rule.tier].exceeds_isolation = true;
        }
        for (number, rule) in index.rules.enumerated() {
            let scenarios = peers[rule.peers].0.iter();
            let endpoints = EndpointSet::union_of(scenarios.map(|m| &*m.may));
            if endpoints.count() > LISTED {
                index.large.push(number);
            } else {
                endpoints.points().for_each(|p| index.at[p].push(number));
            }
        }
        for scenario in &space.scenarios {
            let hidden = hidden(space, scenario.mode);
            let visible = tainted.each_ref().map(|set| set.difference(&hidden));
            index.tainted.push(visible);
        }
        let ordered = index.ordered_rules(compiled).map(|r| r.peers);
        index.ordered_peers = ordered.collect();
        index.ordered_peers.sort_unstable();
        index.ordered_peers.dedup();
        index.is_additive = index.tainted.iter().flatten().all(EndpointSet::is_empty)
            && index.tiers.len() <= 1
            && index
                .tiers
                .iter()
                .all(|tier| !tier.exceeds_isolation && tier.unsure.is_empty());
        index
    }

    /// The rules whose peers may contain an endpoint, in order.
    pub fn seen(
        &self,
        peers: &Table<PeerSetIx, PeerSet>,
        endpoint: EndpointIx,
    ) -> Vec<EgressRuleIx> {
        let holds = |rule: &&EgressRuleIx| {
            let rule = &self.rules[**rule];
            let scenarios = &peers[rule.peers].0;
            let count = if rule.plain { 1 } else { scenarios.len() };
            let mut scenarios = scenarios.iter().take(count);
            scenarios.any(|m| m.may.contains(endpoint))
        };
        let mut seen = self.at[endpoint].clone();
        seen.extend(self.large.iter().filter(holds));
        seen
    }

    /// The tier that isolates, where nothing but its allows speaks of anybody's egress, and no
    /// unmodelled policy; `Some(None)` where nothing speaks at all.
    #[allow(clippy::option_option)] // two questions: whether, and which
    pub fn additive(&self) -> Option<Option<&EgressTier>> {
        self.is_additive.then(|| self.tiers.first())
    }

    /// Whether two scenarios decide egress from the same sets; in different modes of host-network
    /// pods only if no tier that overlooks nodes governs more than it isolates.
    pub fn same_scenarios(&self, a: usize, b: usize, same_mode: bool) -> bool {
        let same = |tier: &EgressTier| {
            let sees_mode = tier.tier.overlooks_nodes && tier.exceeds_isolation;
            tier.isolated[a] == tier.isolated[b] && (same_mode || !sees_mode)
        };
        self.tainted[a] == self.tainted[b] && self.tiers.iter().all(same)
    }

    /// The ports of the ordered tiers' egress rules.
    pub fn ordered_ports<'a>(
        &'a self,
        compiled: &'a CompiledPolicySet,
    ) -> impl Iterator<Item = PortSetIx> + 'a {
        self.ordered_rules(compiled).map(|r| r.ports)
    }

    fn ordered_rules<'a>(
        &'a self,
        compiled: &'a CompiledPolicySet,
    ) -> impl Iterator<Item = &'a CompiledRule> + 'a {
        let policies = self.tiers.iter().flat_map(|t| t.groups.iter().flatten());
        policies.flat_map(|policy| egress_rules(compiled, *policy))
    }
}

/// The egress rules of a compiled policy.
pub fn egress_rules(compiled: &CompiledPolicySet, policy: CompiledPolicyIx) -> &[CompiledRule] {
    compiled.policies[policy].rules(Direction::Egress)
}

/// The classes that some tiers do not see in a mode of host-network pods (S56).
fn hidden(space: &EndpointSpace, mode: HostNetworkMode) -> EndpointSet {
    match mode {
        HostNetworkMode::Node => space.hosts.clone(),
        HostNetworkMode::Pod => EndpointSet::empty(),
    }
}

/// The tiers that have a say in anybody's egress; with the unordered ones of the network plugin
/// where an unmodelled policy may be one of theirs.
fn tiers(
    env: &Environment,
    space: &EndpointSpace,
    compiled: &CompiledPolicySet,
    governing: &[Governing<'_>],
    tainted: bool,
) -> Vec<EgressTier> {
    let mut tiers = Vec::new();
    for template in &compiled.order.tiers {
        let governing = &governing[template.tier.index()];
        let tainted = tainted && !template.ordered && template.layer == LayerIx::CLUSTER_NETWORK;
        if governing.is_empty() && !tainted {
            continue;
        }
        let mut tier = template.clone();
        let ends = env.policies.tiers[tier.tier.index()].end != TierEnd::Pass;
        let isolating = governing
            .iter()
            .filter(|(_, policy, _)| ends && policy.isolates(Direction::Egress));
        let isolating: Vec<(CompiledPolicyIx, &EndpointBounds)> = isolating
            .map(|(number, _, subjects)| (*number, *subjects))
            .collect();
        let subjects: Vec<&EndpointBounds> = isolating.iter().map(|(_, s)| *s).collect();
        let isolated = EndpointBounds::union_of(&subjects);
        let unsure = isolating
            .iter()
            .filter(|(_, s)| !tier.ordered && !s.is_exact());
        let unsure = unsure.map(|(number, s)| (*number, s.may.difference(&s.must)));
        let unsure = unsure.collect();
        let per_scenario = space.scenarios.iter().map(|scenario| {
            if tier.overlooks_nodes {
                isolated.without(&hidden(space, scenario.mode))
            } else {
                isolated.clone()
            }
        });
        let per_scenario = per_scenario.collect();
        let mut groups: BTreeMap<_, Vec<CompiledPolicyIx>> = BTreeMap::new();
        for (number, policy, _) in governing {
            if tier.ordered {
                let rank = compiled.order.rank(policy, &compiled.policies[*number]);
                groups.entry(rank).or_default().push(*number);
            } else if !policy.isolates(Direction::Egress) {
                tier.others.push(Selection {
                    policy: *number,
                    certain: false,
                });
            }
        }
        tiers.push(EgressTier {
            exceeds_isolation: tier.ordered || !tier.others.is_empty(),
            tier,
            groups: groups.into_values().collect(),
            isolated: per_scenario,
            unsure,
        });
    }
    tiers
}

type Governing<'a> = Vec<(CompiledPolicyIx, &'a Policy, &'a EndpointBounds)>;

/// Of each tier the compiled policies that govern somebody's egress.
fn governing<'a>(env: &'a Environment, compiled: &'a CompiledPolicySet) -> Vec<Governing<'a>> {
    let mut governing: Vec<Governing<'_>> = vec![Vec::new(); env.policies.tiers.len()];
    for ((index, compiled), subjects) in compiled.policies.enumerated().zip(&compiled.subjects) {
        let policy = env.policies.get(compiled.policy);
        if policy.governs(Direction::Egress) {
            governing[policy.tier.index()].push((index, policy, subjects));
        }
    }
    governing
}

fn rules(
    compiled: &CompiledPolicySet,
    sets: &Table<PeerSetIx, PeerSet>,
    tiers: &[EgressTier],
    governing: &[Governing<'_>],
) -> Vec<EgressRule> {
    let mut by: IndexMap<EgressKey, Vec<&EndpointBounds>> = IndexMap::default();
    for (at, tier) in tiers.iter().enumerate().filter(|(_, t)| !t.tier.ordered) {
        for (number, _, subjects) in &governing[tier.tier.tier.index()] {
            if subjects.may.is_empty() {
                continue;
            }
            for rule in egress_rules(compiled, *number) {
                for denies in [rule.action == Action::Deny, true] {
                    let kind = (denies, rule.asks && !denies);
                    let key = (at, kind, rule.peers, rule.ports);
                    by.entry(key).or_default().push(*subjects);
                    if !rule.binds {
                        break;
                    }
                }
            }
        }
    }
    let rules = by.into_iter();
    rules
        .map(|(key, subjects)| egress_rule(key, &subjects, sets))
        .collect()
}

/// A rule's tier, whether it denies, whether it asks for a request, its peers and its ports.
type EgressKey = (usize, (bool, bool), PeerSetIx, PortSetIx);

fn egress_rule(
    (tier, (denies, asks), peers, ports): EgressKey,
    subjects: &[&EndpointBounds],
    sets: &Table<PeerSetIx, PeerSet>,
) -> EgressRule {
    let scenarios = &sets[peers].0;
    EgressRule {
        tier,
        denies,
        asks,
        peers,
        ports,
        subjects: EndpointBounds::union_of(subjects),
        plain: scenarios.iter().all(|m| m.is_exact() && *m == scenarios[0]),
    }
}

/// An effective policy that is equal to another that decides alike.
struct ByContent<'a>(&'a EffectivePolicy);

impl Hash for ByContent<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let tiers = self.0.tiers.iter();
        tiers.for_each(|tier| tier.content().hash(state));
        self.0.taint.hash(state);
    }
}

impl PartialEq for ByContent<'_> {
    fn eq(&self, other: &Self) -> bool {
        let content = |policy: &Self| policy.0.tiers.iter().map(EffectiveTier::content);
        self.0.taint == other.0.taint && content(self).eq(content(other))
    }
}

impl Eq for ByContent<'_> {}

/// Of each effective policy the first one that decides by the same content.
fn contents(effective: &Table<EffectiveIx, EffectivePolicy>) -> Table<EffectiveIx, EffectiveIx> {
    let mut seen = room_for(effective.len());
    let mut first = effective.map(|_| EffectiveIx::OPEN);
    for (index, policy) in effective.enumerated() {
        first[index] = *seen.entry(ByContent(policy)).or_insert(index);
    }
    first
}

fn tainted(compiled: &CompiledPolicySet) -> [EndpointSet; 3] {
    let mut lists = [const { Vec::new() }; 3];
    for (class, effective) in compiled.governed(Direction::Egress).enumerated() {
        let taint = compiled.effective[*effective].taint;
        let touched = [taint.anything, taint.unordered, taint.only_deny];
        for (list, touched) in lists.iter_mut().zip(touched) {
            if touched {
                list.push(class);
            }
        }
    }
    lists.map(|list| list.into_iter().collect())
}
