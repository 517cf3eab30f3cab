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
use crate::compile::compiled_policy::{
    CompiledPolicy, CompiledPolicyIx, CompiledRule, EgressRuleIx,
};
use crate::compile::effective_policy::{
    EffectiveIx, EffectivePolicy, EffectiveTier, Selection, UnorderedRule,
};
use crate::compile::endpoint_index::EndpointIx;
use crate::compile::peer_sets::{EndpointBounds, EndpointSpace, PeerSets, SeenFrom};
use crate::compile::port_sets::{PortSet, PortSetIx, PortSets};
use crate::compile::subject_parts::{CompiledPart, governed, is_whole, parts};
use crate::compile::tier_order::{TierOrder, add_tainted};
use crate::compile::vocabulary::Vocabulary;
use crate::model::Truth;
use crate::policy::tier::TierEnd;
use crate::policy::{Action, Direction, Policy, PolicyId, Rule};
use crate::set::hashed::{HashMap, room_for};
use crate::set::{Family, Interner, Ix, Table, TooMany};
use crate::spec::environment::{Environment, HostNetworkMode};
use crate::spec::evaluate::taints;
use crate::spec::matching::unqualified;
use crate::spec::question::{Case, Tainted};
use std::collections::hash_map::Entry;

/// The compiled policies of an environment.
pub struct CompiledPolicySet {
    /// The policies; those with relative peers once per subject namespace.
    pub policies: Table<CompiledPolicyIx, CompiledPolicy>,
    /// The classes each of them governs.
    pub subjects: Table<CompiledPolicyIx, EndpointBounds>,
    /// The distinct port lists.
    pub ports: Table<PortSetIx, PortSet>,
    /// The distinct effective policies; the first is the open one.
    pub effective: Table<EffectiveIx, EffectivePolicy>,
    /// The tiers in the order in which they are asked.
    pub order: TierOrder,
    /// The effective policy of each class, per direction; of each place of the line where policies
    /// govern addresses too.
    of_place: [Table<EndpointIx, EffectiveIx>; 2],
}

impl CompiledPolicySet {
    /// What governs a place in one direction; nothing governs an address that no policy names.
    #[inline]
    pub fn governed_by(&self, place: EndpointIx, direction: Direction) -> EffectiveIx {
        let known = self.of_place[direction.index()].get(place.index());
        known.copied().unwrap_or(EffectiveIx::OPEN)
    }

    /// What governs each place in one direction, where anything may.
    pub fn governed(&self, direction: Direction) -> &Table<EndpointIx, EffectiveIx> {
        &self.of_place[direction.index()]
    }
}

/// Compiles the policies over the classes of an endpoint space.
pub fn compile<'w>(
    env: &'w Environment,
    vocabulary: &Vocabulary<'w>,
    space: &'w EndpointSpace,
    peers: &mut PeerSets<'w>,
) -> Result<CompiledPolicySet, TooMany> {
    let mut ports = PortSets {
        vocabulary,
        known: HashMap::default(),
        sets: Interner::default(),
    };
    let count = env.policies.policies.len();
    let (mut policies, mut subjects) = (Table::with_room(count), Table::with_room(count));
    let order = TierOrder::new(env);
    let shared = order.shared_ranks(env);
    let whole = CompiledPart::whole();
    for (id, policy) in env.policies.iter() {
        let by_position = !shared.is_empty() && shared.contains(&(policy.tier, policy.priority));
        let several = if is_whole(policy) {
            None
        } else {
            Some(parts(env, policy, space, peers)?)
        };
        for part in several.as_deref().unwrap_or(std::slice::from_ref(&whole)) {
            let compiled = compile_policy(env, (id, policy), part, peers, &mut ports)?;
            let governed = governed(env, policy, part, space, peers);
            if !by_position {
                policies.push(compiled)?;
                subjects.push(governed)?;
                continue;
            }
            for piece in compiled.by_position(policy) {
                policies.push(piece)?;
                subjects.push(governed.clone())?;
            }
        }
    }
    // each distinct rule of an index of egress is one of these
    EgressRuleIx::new(policies.iter().flat_map(|p| &p.rules).map(Vec::len).sum())?;
    let places = policies.map(|policy| PolicyPlace::new(env, &order, policy));
    let grouping = Grouping {
        env,
        order: &order,
        policies: &policies,
        places,
        subjects: &subjects,
    };
    let mut effective = Table::with_room(count);
    effective.push(EffectivePolicy::default())?; // INVARIANT: at `EffectiveIx::OPEN`
    let mut of_place = [Table::default(), Table::default()];
    for direction in Direction::ALL {
        of_place[direction.index()] = intern(&grouping, space, direction, &mut effective)?;
    }
    Ok(CompiledPolicySet {
        policies,
        subjects,
        ports: ports.sets.into_table(),
        effective,
        order,
        of_place,
    })
}

fn compile_policy<'w>(
    env: &Environment,
    (id, policy): (PolicyId, &'w Policy),
    part: &CompiledPart,
    peers: &mut PeerSets<'w>,
    ports: &mut PortSets<'w, '_>,
) -> Result<CompiledPolicy, TooMany> {
    let host_pods = env.policies.tier_of(policy).host_pods;
    let (own, subject) = part.subjects.seen_from(env);
    let seen = |rule: &Rule| SeenFrom {
        own,
        subject,
        host_pods,
        conditions: unqualified(env, rule),
    };
    let mut rules = [Vec::new(), Vec::new()];
    for direction in Direction::ALL {
        let compiled = &mut rules[direction.index()];
        compiled.reserve_exact(policy.rules(direction).len());
        for (i, rule) in policy.rules(direction).iter().enumerate() {
            let mut matched = peers.peers(&rule.peers, seen(rule))?;
            if let Some(truths) = part.narrowing.get(&(direction.index(), i)) {
                matched = peers.narrowed(matched, truths)?;
            }
            compiled.push(CompiledRule {
                action: rule.action,
                binds: rule.binds(),
                asks: rule.asks_for_request(),
                peers: matched,
                ports: ports.index(&rule.ports, host_pods)?,
            });
        }
    }
    Ok(CompiledPolicy {
        policy: id,
        rules,
        position: None,
    })
}

/// For each place the policies that govern it in one direction, in order; one list after the other.
struct Lists {
    entries: Vec<Selection>,
    /// By class, and the end.
    starts: Vec<usize>,
}

impl Lists {
    /// Counts first, then fills. O(sum of the subjects' classes).
    fn new(grouping: &Grouping<'_>, direction: Direction, places: usize) -> Self {
        let governs = |(_, (places, _)): &(CompiledPolicyIx, (&PolicyPlace, &EndpointBounds))| {
            places.governs[direction.index()]
        };
        let subjects = grouping.subjects;
        let told = || grouping.places.iter().zip(subjects);
        let each = || subjects.indexes().zip(told()).filter(governs);
        let mut starts = vec![0; places + 1];
        for (_, (_, found)) in each() {
            found
                .may
                .points()
                .for_each(|class| starts[class.index() + 1] += 1);
        }
        for class in 0..places {
            starts[class + 1] += starts[class];
        }
        let mut next = starts.clone();
        let nobody = Selection {
            policy: CompiledPolicyIx::from_number(0),
            certain: false,
        };
        let mut entries = vec![nobody; starts[places]];
        for (policy, (_, found)) in each() {
            let exact = found.is_exact();
            for class in found.may.points() {
                let at = &mut next[class.index()];
                entries[*at] = Selection {
                    policy,
                    certain: exact || found.must.contains(class),
                };
                *at += 1;
            }
        }
        Self { entries, starts }
    }

    fn of(&self, class: EndpointIx) -> &[Selection] {
        let class = class.index();
        &self.entries[self.starts[class]..self.starts[class + 1]]
    }
}

/// The effective policy of each class, and where policies govern addresses of each atom: one for
/// every distinct list of policies, and what may taint it.
fn intern(
    grouping: &Grouping<'_>,
    space: &EndpointSpace,
    direction: Direction,
    effective: &mut Table<EffectiveIx, EffectivePolicy>,
) -> Result<Table<EndpointIx, EffectiveIx>, TooMany> {
    let (env, classes) = (grouping.env, &space.classes);
    let count = if env.governed_addresses.is_empty() {
        classes.list.len()
    } else {
        space.indexes().len()
    };
    let lists = Lists::new(grouping, direction, count);
    let tainted = env.options.taints && !env.policies.taints.is_empty();
    let room = grouping.policies.len().min(count); // about as many, in most clusters
    let mut known: HashMap<(&[Selection], Tainted), EffectiveIx> = room_for(room);
    known.insert((&[], Tainted::default()), EffectiveIx::OPEN);
    let mut of_place = Table::with_room(count);
    for place in space.indexes().take(count) {
        let list = lists.of(place);
        let taint = if tainted && space.is_class(place) {
            taint_of(env, classes, place, direction)
        } else {
            Tainted::default() // of what polices nodes the space knows
        };
        of_place.push(match known.entry((list, taint)) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                *new.insert(effective.push(grouping.grouped(direction, list, taint))?)
            }
        })?;
    }
    Ok(of_place)
}

fn taint_of(
    env: &Environment,
    classes: &Classes,
    class: EndpointIx,
    direction: Direction,
) -> Tainted {
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
        let ends = env.policies.tier_of(policy).end != TierEnd::Pass;
        Self {
            tier: order.place(policy),
            governs: Direction::ALL.map(|direction| {
                let says = policy.isolates(direction) || !compiled.rules(direction).is_empty();
                says && policy.governs(direction)
            }),
            isolates: Direction::ALL.map(|direction| ends && policy.isolates(direction)),
        }
    }
}

/// Makes the effective policies of classes.
struct Grouping<'a> {
    env: &'a Environment,
    order: &'a TierOrder,
    policies: &'a Table<CompiledPolicyIx, CompiledPolicy>,
    /// Of each compiled policy.
    places: Table<CompiledPolicyIx, PolicyPlace>,
    /// The classes that each compiled policy governs.
    subjects: &'a Table<CompiledPolicyIx, EndpointBounds>,
}

impl Grouping<'_> {
    /// Sorts the policies of a class into tiers and groups of equal priority.
    fn grouped(&self, direction: Direction, list: &[Selection], taint: Tainted) -> EffectivePolicy {
        let place = |s: &Selection| self.places[s.policy].tier;
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
            add_tainted(self.env, self.order, direction, &mut tiers);
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
        let own_node = self.env.policies.tiers[tier.tier.index()].own_node;
        tier.exempts_own_node = own_node.exempts(direction);
        let isolates = |s: &Selection| self.places[s.policy].isolates[direction.index()];
        if entries.iter().all(isolates) {
            tier.isolating = entries.to_vec(); // in one piece, as nearly always
        } else {
            tier.isolating = entries.iter().copied().filter(isolates).collect();
        }
        tier.isolated = isolation(&tier.isolating);
        if tier.ordered {
            let rank = |s: &Selection| {
                let compiled = &self.policies[s.policy];
                self.order
                    .rank(self.env.policies.get(compiled.policy), compiled)
            };
            let mut ranked = entries.to_vec();
            ranked.sort_by(|a, b| rank(a).cmp(&rank(b)).then(a.cmp(b)));
            let groups = ranked.chunk_by(|a, b| rank(a) == rank(b));
            tier.groups = groups.map(<[Selection]>::to_vec).collect();
        } else {
            tier.others = entries.iter().copied().filter(|s| !isolates(s)).collect();
            [tier.allows, tier.denies] = distinct_rules(self.policies, direction, entries);
            if tier.isolated == Truth::Maybe {
                tier.unsure = unsure_rules(self.policies, direction, &tier.isolating);
            }
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

/// The rules that allow, of each policy that may isolate a class, sorted.
fn unsure_rules(
    policies: &Table<CompiledPolicyIx, CompiledPolicy>,
    direction: Direction,
    isolating: &[Selection],
) -> Vec<Vec<UnorderedRule>> {
    let where_it_isolates = |s: &Selection| Selection {
        certain: true,
        ..*s
    };
    let rules = |s: &Selection| {
        let [allows, _] = distinct_rules(policies, direction, &[where_it_isolates(s)]);
        allows
    };
    let mut unsure: Vec<Vec<UnorderedRule>> = isolating.iter().map(rules).collect();
    unsure.sort_unstable();
    unsure.dedup();
    unsure
}

/// The distinct rules of the policies that govern a class: those that allow, and those that deny.
fn distinct_rules(
    policies: &Table<CompiledPolicyIx, CompiledPolicy>,
    direction: Direction,
    selections: &[Selection],
) -> [Vec<UnorderedRule>; 2] {
    let rules_of = |s: &Selection| policies[s.policy].rules(direction);
    let count = selections.iter().map(|s| rules_of(s).len()).sum();
    let [mut allows, mut denies] = [Vec::with_capacity(count), Vec::new()];
    for selection in selections {
        for rule in rules_of(selection) {
            let unordered = UnorderedRule {
                peers: rule.peers,
                ports: rule.ports,
                asks: rule.asks,
                certain: selection.certain,
            };
            match rule.action {
                Action::Allow => allows.push(unordered),
                Action::Deny => denies.push(unordered),
                Action::Pass => {} // compiling refuses it
            }
            if rule.binds {
                denies.push(unordered);
            }
        }
    }
    for rules in [&mut allows, &mut denies] {
        // the certain one of two equal rules comes first, and stays
        rules.sort_unstable_by_key(|r| (r.peers, r.ports, r.asks, !r.certain));
        rules.dedup_by_key(|r| (r.peers, r.ports, r.asks));
    }
    [allows, denies]
}
