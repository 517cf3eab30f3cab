//! Effective policies: for each class and direction everything that governs it, stored once per
//! distinct content.
//!
//! Phases: [`compile_policy`] turns rules into indices of peer sets and port lists; [`governed`]
//! asks each policy which classes it governs; [`Lists`] turns the answers around, by class;
//! [`intern`] groups each distinct list once by tier and priority ([`Grouping`]). Cost: O(rules +
//! sum of the subjects' classes).
//!
//! Invariant: the tiers of an [`EffectivePolicy`] are in the order in which they are asked, layer
//! after layer; a tier without a say in the class is left out, which is the same as passing on.
//! Road not taken: keeping an unordered tier policy by policy; its rules have no order, so each
//! distinct one is kept once, however many policies repeat it.

use crate::compile::classes::Classes;
use crate::compile::compiled_policy::{CompiledPolicy, CompiledRule};
use crate::compile::effective_policy::{EffectivePolicy, EffectiveTier, Selection, UnorderedRule};
use crate::compile::peer_sets::{EndpointBounds, EndpointSet, EndpointSpace, PeerSets, SeenFrom};
use crate::compile::port_sets::{PortSet, PortSets};
use crate::compile::tier_order::TierOrder;
use crate::compile::vocabulary::Vocabulary;
use crate::model::{NamespaceId, Truth};
use crate::policy::tier::{HostPods, LayerIx, TierEnd};
use crate::policy::{Action, Direction, Namespaces, Peer, Peers, Policy, PolicyId, Rule};
use crate::set::hashed::{HashMap, IndexSet};
use crate::set::{Family, number};
use crate::spec::environment::{Environment, HostNetworkMode};
use crate::spec::evaluate::taints;
use crate::spec::matching::{namespaces_match, unqualified};
use crate::spec::question::{Case, Tainted};

/// The compiled policies of an environment.
pub struct CompiledPolicySet {
    /// The policies; those with relative peers once per subject namespace.
    pub policies: Vec<CompiledPolicy>,
    /// The classes each of them governs.
    pub subjects: Vec<EndpointBounds>,
    /// The distinct port lists.
    pub ports: Vec<PortSet>,
    /// The distinct effective policies; the first is the open one.
    pub effective: Vec<EffectivePolicy>,
    /// The tiers in the order in which they are asked.
    pub order: TierOrder,
    /// The effective policy of each class, per direction.
    pub of_class: [Vec<u32>; 2],
}

/// Compiles the policies over the classes of an endpoint space.
pub fn compile<'w>(
    env: &'w Environment,
    vocabulary: &Vocabulary<'w>,
    space: &'w EndpointSpace,
    peers: &mut PeerSets<'w>,
) -> CompiledPolicySet {
    let mut ports = PortSets {
        vocabulary,
        known: HashMap::default(),
        sets: IndexSet::default(),
    };
    let (mut policies, mut subjects) = (Vec::new(), Vec::new());
    for (id, policy) in env.policies.iter() {
        for own in owners(env, policy) {
            policies.push(compile_policy(env, (id, policy), own, peers, &mut ports));
            subjects.push(governed(env, policy, own, space, peers));
        }
    }
    let order = TierOrder::new(env);
    let places = policies.iter().map(|p| PolicyPlace::new(env, &order, p));
    let grouping = Grouping {
        env,
        order: &order,
        policies: &policies,
        places: places.collect(),
        subjects: &subjects,
    };
    let mut effective = vec![EffectivePolicy::default()];
    let of_class = Direction::ALL
        .map(|direction| intern(&grouping, &space.classes, direction, &mut effective));
    CompiledPolicySet {
        policies,
        subjects,
        ports: ports.sets.into_iter().collect(),
        effective,
        order,
        of_class,
    }
}

/// The subject namespaces a policy has to be compiled for one by one: all of them where a peer is
/// relative to the subject's namespace (S92), otherwise none in particular.
fn owners(env: &Environment, policy: &Policy) -> Vec<Option<NamespaceId>> {
    let any = |rule: &Rule| matches!(&rule.peers, Peers::Of(list) if list.iter().any(is_relative));
    if !policy.rules.iter().flatten().any(any) {
        return vec![None];
    }
    let all = env.cluster.namespaces().map(|(id, _)| id);
    all.filter(|id| namespaces_match(env, &policy.subject.namespaces, *id, *id).possible())
        .map(Some)
        .collect()
}

fn is_relative(peer: &Peer) -> bool {
    match peer {
        Peer::Pods(Namespaces::SameLabels(_) | Namespaces::NotSameLabels(_), _) => true,
        Peer::NoneOf(peers) => peers.iter().any(is_relative),
        _ => false,
    }
}

fn compile_policy<'w>(
    env: &Environment,
    (id, policy): (PolicyId, &'w Policy),
    own: Option<NamespaceId>,
    peers: &mut PeerSets<'w>,
    ports: &mut PortSets<'w, '_>,
) -> CompiledPolicy {
    let host_pods = env.policies.tier_of(policy).host_pods;
    let seen = |rule: &Rule| SeenFrom {
        own,
        host_pods,
        certain: unqualified(rule) == Truth::Yes,
    };
    let rules = Direction::ALL.map(|direction| {
        let compile = |rule: &'w Rule| CompiledRule {
            action: rule.action,
            peers: peers.peers(&rule.peers, seen(rule)),
            ports: ports.number(&rule.ports, host_pods),
        };
        policy.rules(direction).iter().map(compile).collect()
    });
    CompiledPolicy { policy: id, rules }
}

/// The classes a policy governs.
fn governed<'w>(
    env: &Environment,
    policy: &'w Policy,
    own: Option<NamespaceId>,
    space: &EndpointSpace,
    peers: &mut PeerSets<'w>,
) -> EndpointBounds {
    let mut found = peers.pods_in(&policy.subject.namespaces, &policy.subject.pods, None);
    if env.policies.tier_of(policy).host_pods == HostPods::Excluded {
        found = found.without(&space.hosts);
    }
    if let Some(own) = own {
        let span = &space.classes.spans[space.classes.of_namespace[own.0 as usize] as usize];
        let only = span
            .end
            .checked_sub(1)
            .map_or_else(EndpointSet::empty, |last| {
                EndpointSet::from(span.start..=last)
            });
        let within = |runs: &EndpointSet| runs.intersection(&only).into();
        found = EndpointBounds {
            must: within(&found.must),
            may: within(&found.may),
        };
    }
    found
}

/// For each class the policies that govern it in one direction, in order; one list after the other.
struct Lists {
    entries: Vec<Selection>,
    starts: Vec<u32>,
}

impl Lists {
    /// Counts first, then fills. O(sum of the subjects' classes).
    fn new(grouping: &Grouping<'_>, direction: Direction, classes: usize) -> Self {
        let governs = |(_, (places, _)): &(u32, (&PolicyPlace, &EndpointBounds))| {
            places.governs[direction.index()]
        };
        let subjects = grouping.subjects;
        let each = || {
            (0..)
                .zip(grouping.places.iter().zip(subjects))
                .filter(governs)
        };
        let mut starts = vec![0; classes + 1];
        for (_, (_, found)) in each() {
            found
                .may
                .points()
                .for_each(|class| starts[class as usize + 1] += 1);
        }
        for class in 0..classes {
            starts[class + 1] += starts[class];
        }
        let mut next = starts.clone();
        let nobody = Selection {
            policy: 0,
            certain: false,
        };
        let mut entries = vec![nobody; starts[classes] as usize];
        for (policy, (_, found)) in each() {
            let exact = found.is_exact();
            for class in found.may.points() {
                let at = &mut next[class as usize];
                entries[*at as usize] = Selection {
                    policy,
                    certain: exact || found.must.contains(class),
                };
                *at += 1;
            }
        }
        Self { entries, starts }
    }

    fn of(&self, class: usize) -> &[Selection] {
        &self.entries[self.starts[class] as usize..self.starts[class + 1] as usize]
    }
}

/// The effective policy of each class: one for every distinct list of policies, and what may taint
/// it.
fn intern(
    grouping: &Grouping<'_>,
    classes: &Classes,
    direction: Direction,
    effective: &mut Vec<EffectivePolicy>,
) -> Vec<u32> {
    let env = grouping.env;
    let lists = Lists::new(grouping, direction, classes.list.len());
    let tainted = env.options.taints && !env.policies.taints.is_empty();
    let mut known: HashMap<(&[Selection], Tainted), u32> = HashMap::default();
    known.insert((&[], Tainted::default()), 0);
    let mut of_class = Vec::with_capacity(classes.list.len());
    for class in 0..classes.list.len() {
        let list = lists.of(class);
        let taint = if tainted {
            taint_of(env, classes, class, direction)
        } else {
            Tainted::default()
        };
        of_class.push(*known.entry((list, taint)).or_insert_with(|| {
            effective.push(grouping.grouped(direction, list, taint));
            number(effective.len() - 1)
        }));
    }
    of_class
}

fn taint_of(env: &Environment, classes: &Classes, class: usize, direction: Direction) -> Tainted {
    // host-network pods that behave as their node are not seen by any policy; the walk knows that
    // itself
    let case = Case::new(HostNetworkMode::Pod, Family::V4);
    taints(env, classes.list[class].representative, direction, &case)
}

/// What is looked up of a compiled policy whenever it governs a class, and in which directions.
struct PolicyPlace {
    /// Where its tier stands in the order of asking.
    tier: usize,
    governs: [bool; 2],
    /// Whether its tier denies for whom it isolates, and it does.
    isolates: [bool; 2],
}

impl PolicyPlace {
    fn new(env: &Environment, order: &TierOrder, compiled: &CompiledPolicy) -> Self {
        let policy = env.policies.get(compiled.policy);
        let ends = env.policies.tier_of(policy).end == TierEnd::DenyIsolated;
        Self {
            tier: order.place(policy),
            governs: Direction::ALL.map(|direction| policy.governs(direction)),
            isolates: Direction::ALL.map(|direction| ends && policy.isolates(direction)),
        }
    }
}

/// Makes the effective policies of classes.
struct Grouping<'a> {
    env: &'a Environment,
    order: &'a TierOrder,
    policies: &'a [CompiledPolicy],
    /// Of each compiled policy.
    places: Vec<PolicyPlace>,
    /// The classes that each compiled policy governs.
    subjects: &'a [EndpointBounds],
}

impl Grouping<'_> {
    /// Sorts the policies of a class into tiers and groups of equal priority.
    fn grouped(&self, direction: Direction, list: &[Selection], taint: Tainted) -> EffectivePolicy {
        let place = |s: &Selection| self.places[s.policy as usize].tier;
        let mut sorted = Vec::new();
        let mut by_tier = list;
        if !list.is_sorted_by_key(place) {
            sorted.extend_from_slice(list);
            sorted.sort_by_key(place);
            by_tier = &sorted;
        }
        let mut tiers = Vec::with_capacity(1); // most classes have one
        for entries in by_tier.chunk_by(|a, b| place(a) == place(b)) {
            tiers.extend(entries.first().map(|first| {
                let template = &self.order.tiers[place(first)];
                self.tier(template.clone(), direction, entries)
            }));
        }
        if taint.unordered {
            add_tainted(self.order, &mut tiers);
        }
        EffectivePolicy { tiers, taint }
    }

    /// Fills in a tier, of which these policies govern a class.
    fn tier(
        &self,
        mut tier: EffectiveTier,
        direction: Direction,
        entries: &[Selection],
    ) -> EffectiveTier {
        let isolates = |s: &Selection| self.places[s.policy as usize].isolates[direction.index()];
        if entries.iter().all(isolates) {
            tier.isolating = entries.to_vec(); // in one piece, as nearly always
        } else {
            tier.isolating = entries.iter().copied().filter(isolates).collect();
        }
        tier.isolated = isolation(&tier.isolating);
        if tier.ordered {
            let policy = |s: &Selection| {
                self.env
                    .policies
                    .get(self.policies[s.policy as usize].policy)
            };
            let rank = |s: &Selection| self.order.rank(policy(s));
            let mut ranked = entries.to_vec();
            ranked.sort_by(|a, b| rank(a).cmp(&rank(b)).then(a.cmp(b)));
            let groups = ranked.chunk_by(|a, b| rank(a) == rank(b));
            tier.groups = groups.map(<[Selection]>::to_vec).collect();
        } else {
            tier.others = entries.iter().copied().filter(|s| !isolates(s)).collect();
            [tier.allows, tier.denies] = distinct_rules(self.policies, direction, entries);
        }
        tier
    }
}

fn isolation(isolating: &[Selection]) -> Truth {
    let each = isolating
        .iter()
        .map(|s| Truth::from(s.certain).or(Truth::Maybe));
    each.max().unwrap_or(Truth::No)
}

/// A policy that could not be read may isolate in every unordered tier of the network plugin.
fn add_tainted(order: &TierOrder, tiers: &mut Vec<EffectiveTier>) {
    let unordered = order
        .tiers
        .iter()
        .filter(|t| !t.ordered && t.layer == LayerIx::CLUSTER_NETWORK);
    for empty in unordered {
        let known = tiers.iter_mut().find(|t| t.tier == empty.tier);
        if let Some(tier) = known {
            tier.isolated = tier.isolated.or(Truth::Maybe);
        } else {
            tiers.push(EffectiveTier {
                isolated: Truth::Maybe,
                ..empty.clone()
            });
        }
    }
    tiers.sort_by_key(|t| order.place[t.tier.index()]);
}

/// The distinct rules of the policies that govern a class: those that allow, and those that deny.
fn distinct_rules(
    policies: &[CompiledPolicy],
    direction: Direction,
    selections: &[Selection],
) -> [Vec<UnorderedRule>; 2] {
    let rules_of = |s: &Selection| &policies[s.policy as usize].rules[direction.index()];
    let count = selections.iter().map(|s| rules_of(s).len()).sum();
    let [mut allows, mut denies] = [Vec::with_capacity(count), Vec::new()];
    for selection in selections {
        for rule in rules_of(selection) {
            let rules = if rule.action == Action::Deny {
                &mut denies
            } else {
                &mut allows
            };
            rules.push(UnorderedRule {
                peers: rule.peers,
                ports: rule.ports,
                certain: selection.certain,
            });
        }
    }
    for rules in [&mut allows, &mut denies] {
        // the certain one of two equal rules comes first, and stays
        rules.sort_unstable_by_key(|r| (r.peers, r.ports, !r.certain));
        rules.dedup_by_key(|r| (r.peers, r.ports));
    }
    [allows, denies]
}
