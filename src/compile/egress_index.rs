//! Egress from the other side: for one destination, which sources may leave to it.
//!
//! A profile tells what governs one source; a row asks about all sources, so here the law is kept
//! by rule: each distinct (peers, ports) of the Network tier once, with the classes it surely and
//! maybe governs, and the ordered tiers with their subjects. A destination sees only the groups
//! whose peers contain it ([`EgressIndex::seen`]): small peer sets are listed at their places, the few
//! large ones are asked.
//!
//! Invariant: [`AllowGraph::leave`] decides for every source what the walk of its egress profile
//! decides, apart from the own node (S55), which rows add. Cost: O(groups seen) set operations on
//! what is asked.

use crate::compile::atoms::Atoms;
use crate::compile::classes::Class;
use crate::compile::effective_policies::CompiledPolicySet;
use crate::compile::peer_sets::{EndpointSet, EndpointSpace, Match, PeerSet, PeerSetId};
use crate::graph::allow_graph::AllowGraph;
use crate::graph::row::Numbers;
use crate::graph::tiers::{CompiledRule, EffectivePolicy};
use crate::model::{PodId, Truth};
use crate::policy::{Action, Direction, Peer, Peers, Tier};
use crate::set::IpSet;
use crate::set::hashed::{IndexMap, IndexSet};
use crate::spec::environment::{Endpoint, Environment, HostNetworkMode};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// Peer sets of more places than this are asked instead of listed.
const LISTED: u64 = 64;

/// A distinct rule of the Network tier, and whom it governs.
#[derive(Debug, Clone)]
pub struct Group {
    /// Its peers.
    pub peers: PeerSetId,
    /// Its ports.
    pub ports: u32,
    /// The classes that a policy with this rule isolates.
    pub subjects: Match,
    /// Whether its peers are certain, and the same ones in all views: a place that is one of them
    /// surely is.
    pub plain: bool,
}

/// The law of egress, by rule.
#[derive(Debug, Clone, Default)]
pub struct EgressIndex {
    /// The distinct rules of the Network tier.
    pub groups: Vec<Group>,
    /// Per place, the groups of small peer sets that contain it.
    at: Vec<Vec<u32>>,
    /// The groups of large peer sets.
    large: Vec<u32>,
    /// The classes isolated by the Network tier, per view.
    isolated: Vec<Match>,
    /// The classes that unmodelled policies may touch: with anything, in the Network tier, by
    /// denying. Per view.
    tainted: Vec<[EndpointSet; 3]>,
    /// Compiled policies of equal priority, in order: Admin, Baseline.
    ordered: [Vec<Vec<u32>>; 2],
    /// The distinct peers of those.
    pub ordered_peers: Vec<PeerSetId>,
    /// What each profile decides by: equal numbers decide alike.
    pub contents: Vec<u32>,
    /// Equal numbers for places that every rule takes alike, whatever their nodes are; own numbers
    /// where a rule may look at nodes.
    twins: OnceLock<Vec<u32>>,
    /// The templates, once somebody asks for them.
    pub(crate) numbers: OnceLock<Numbers>,
}

impl EgressIndex {
    /// Turns the profiles around.
    pub fn new(
        world: &Environment,
        line: &EndpointSpace,
        peers: &[PeerSet],
        law: &CompiledPolicySet,
    ) -> Self {
        let groups = groups(world, law, peers);
        let mut leaving = Self {
            at: vec![Vec::new(); line.len() as usize],
            ..Self::default()
        };
        for (number, group) in (0..).zip(&groups) {
            let places =
                EndpointSet::union_of(peers[group.peers.0 as usize].0.iter().map(|m| &*m.maybe));
            if places.count() > LISTED {
                leaving.large.push(number);
            } else {
                places
                    .points()
                    .for_each(|p| leaving.at[p as usize].push(number));
            }
        }
        let egress =
            |p: &crate::policy::Policy| p.tier == Tier::Network && p.isolates(Direction::Egress);
        let isolating: Vec<&Match> = law
            .policies
            .iter()
            .zip(&law.subjects)
            .filter(|(p, _)| egress(world.policies.get(p.policy)))
            .map(|(_, subjects)| subjects)
            .collect();
        let isolated = Match::union_of(&isolating);
        let tainted = tainted(line, law);
        for view in &line.views {
            let hidden = if view.behaviour == HostNetworkMode::Node {
                &line.hosts
            } else {
                &EndpointSet::empty()
            };
            leaving.isolated.push(isolated.without(hidden));
            leaving
                .tainted
                .push(tainted.each_ref().map(|runs| runs.difference(hidden)));
        }
        leaving.ordered = ordered(world, law);
        let rules = leaving
            .ordered
            .iter()
            .flatten()
            .flatten()
            .flat_map(|p| egress_rules(law, *p));
        leaving.ordered_peers = rules.map(|r| r.peers).collect();
        leaving.ordered_peers.sort_unstable();
        leaving.ordered_peers.dedup();
        leaving.contents = contents(&law.profiles);
        Self { groups, ..leaving }
    }

    /// The groups whose peers may contain a place, in order.
    pub fn seen(&self, peers: &[PeerSet], place: u32) -> Vec<u32> {
        let holds = |g: &&u32| {
            let Group {
                peers: set, plain, ..
            } = &self.groups[**g as usize];
            let views = &peers[set.0 as usize].0;
            views
                .iter()
                .take(if *plain { 1 } else { views.len() })
                .any(|m| m.maybe.contains(place))
        };
        let mut seen = self.at[place as usize].clone();
        seen.extend(self.large.iter().filter(holds));
        seen
    }

    /// Whether only the Network tier speaks of the way out of anybody, and no unmodelled policy.
    pub fn is_network_only(&self) -> bool {
        self.ordered.iter().all(Vec::is_empty)
            && self.tainted.iter().flatten().all(EndpointSet::is_empty)
    }

    /// The classes that the Network tier isolates in a view.
    pub fn isolated(&self, view: usize) -> &Match {
        &self.isolated[view]
    }

    /// Whether two views decide egress from the same sets.
    pub fn same_views(&self, a: usize, b: usize) -> bool {
        self.isolated[a] == self.isolated[b] && self.tainted[a] == self.tainted[b]
    }

    /// The ports of the ordered tiers' egress rules.
    pub fn ordered_ports<'a>(
        &'a self,
        law: &'a CompiledPolicySet,
    ) -> impl Iterator<Item = u32> + 'a {
        self.ordered
            .iter()
            .flatten()
            .flatten()
            .flat_map(|p| egress_rules(law, *p))
            .map(|r| r.ports)
    }
}

fn egress_rules(law: &CompiledPolicySet, policy: u32) -> &[CompiledRule] {
    &law.policies[policy as usize].rules[Direction::Egress.index()]
}

fn groups(world: &Environment, law: &CompiledPolicySet, sets: &[PeerSet]) -> Vec<Group> {
    let mut by: IndexMap<(PeerSetId, u32), Vec<&Match>> = IndexMap::default();
    for (compiled, subjects) in law.policies.iter().zip(&law.subjects) {
        let policy = world.policies.get(compiled.policy);
        if policy.tier == Tier::Network
            && policy.isolates(Direction::Egress)
            && !subjects.maybe.is_empty()
        {
            for rule in &compiled.rules[Direction::Egress.index()] {
                by.entry((rule.peers, rule.ports))
                    .or_default()
                    .push(subjects);
            }
        }
    }
    let group = |((peers, ports), subjects): ((PeerSetId, u32), Vec<&Match>)| {
        let subjects = Match::union_of(&subjects);
        let views = &sets[peers.0 as usize].0;
        let plain = views
            .iter()
            .all(|view| view.is_exact() && view.is_same(&views[0]));
        Group {
            peers,
            ports,
            subjects,
            plain,
        }
    };
    by.into_iter().map(group).collect()
}

/// Numbers the profiles by what they decide by: the ordered tiers' policies, the Network tier's
/// rules, the taints.
fn contents(profiles: &[EffectivePolicy]) -> Vec<u32> {
    let mut seen = IndexSet::default();
    let mut contents = Vec::with_capacity(profiles.len());
    for profile in profiles {
        let EffectivePolicy {
            admin,
            network_rules,
            baseline,
            taint,
            ..
        } = profile;
        let (index, _) =
            seen.insert_full((admin, profile.isolated(), network_rules, baseline, taint));
        contents.push(u32::try_from(index).unwrap_or(u32::MAX));
    }
    contents
}

/// All that a rule can see of a place but its node (S55 looks at that).
#[derive(PartialEq, Eq, Hash)]
enum Seen<'a> {
    Class {
        namespace: u32,
        labels: u32,
        ports: u32,
        address: &'a SeenAddress,
        host: bool,
        governed: [u32; 2],
    },
    Outside(u32),
}

/// Where a pod's addresses lie between the blocks of the rules; where they are not told, one of its
/// own.
#[derive(PartialEq, Eq, Hash)]
enum SeenAddress {
    Between(Vec<u32>),
    Untold(u32),
}

/// Numbers the places by all that a rule can see of them. O(law + places log blocks).
fn twins(world: &Environment, line: &EndpointSpace, law: &CompiledPolicySet) -> Vec<u32> {
    let rules = || {
        world
            .policies
            .policies
            .iter()
            .flat_map(|policy| policy.rules.iter().flatten())
    };
    let peers = || {
        rules().filter_map(|rule| {
            if let Peers::Of(list) = &rule.peers {
                Some(list)
            } else {
                None
            }
        })
    };
    let peers = || peers().flat_map(|list| list.iter());
    if !world.options.blocks_match_pods || peers().any(|peer| matches!(peer, Peer::Nodes(_))) {
        return (0..line.len()).collect();
    }
    let blocks: Vec<&IpSet> = peers()
        .filter_map(|peer| {
            if let Peer::Addresses(set) = peer {
                Some(set)
            } else {
                None
            }
        })
        .collect();
    let between = Atoms::new(blocks.into_iter());
    let address = |(number, pod): (u32, &PodId)| {
        let mut known: Vec<u32> = world
            .addresses(world.cluster.pod(*pod))
            .iter()
            .map(|address| between.of(*address))
            .collect();
        known.sort_unstable();
        known.dedup();
        if known.is_empty() {
            SeenAddress::Untold(number)
        } else {
            SeenAddress::Between(known)
        }
    };
    let addresses: Vec<SeenAddress> = (0..).zip(&line.classes.addresses).map(address).collect();
    let seen = |place: u32| match line.representative(place) {
        Endpoint::Address(address) => Seen::Outside(between.of(address)),
        Endpoint::Pod(_) => {
            let Class {
                namespace,
                labels,
                ports,
                address,
                host,
                ..
            } = *line.classes.get(place);
            let governed = law
                .of_class
                .each_ref()
                .map(|profiles| profiles[place as usize]);
            Seen::Class {
                namespace,
                labels,
                ports,
                address: &addresses[address as usize],
                host,
                governed,
            }
        }
    };
    let mut known = IndexSet::default();
    (0..line.len())
        .map(|place| u32::try_from(known.insert_full(seen(place)).0).unwrap_or(u32::MAX))
        .collect()
}

fn ordered(world: &Environment, law: &CompiledPolicySet) -> [Vec<Vec<u32>>; 2] {
    [Tier::Admin, Tier::Baseline].map(|tier| {
        let mut by: BTreeMap<i32, Vec<u32>> = BTreeMap::new();
        for (number, compiled) in (0..).zip(&law.policies) {
            let policy = world.policies.get(compiled.policy);
            if policy.tier == tier && policy.governs(Direction::Egress) {
                by.entry(policy.priority).or_default().push(number);
            }
        }
        by.into_values().collect()
    })
}

fn tainted(line: &EndpointSpace, law: &CompiledPolicySet) -> [EndpointSet; 3] {
    let mut lists = [const { Vec::new() }; 3];
    for class in 0..line.classes.len() {
        let taint =
            law.profiles[law.of_class[Direction::Egress.index()][class as usize] as usize].taint;
        for (list, touched) in
            lists
                .iter_mut()
                .zip([taint.anything, taint.network, taint.only_deny])
        {
            if touched {
                list.push(class..=class);
            }
        }
    }
    lists.map(|list| list.into_iter().collect())
}

/// What is decided of the sources asked about, while the tiers are walked.
struct Decided {
    allow: EndpointSet,
    deny: EndpointSet,
    pass: EndpointSet,
    none: EndpointSet,
}

/// One question to the egress of many sources.
pub struct EgressQuery<'a> {
    /// The destination.
    pub destination: u32,
    /// Of the groups it sees, those whose ports cover the traffic asked about.
    pub seen: &'a [u32],
    /// The view.
    pub view: usize,
    /// Whether the traffic asked about is on these ports.
    pub covers: &'a dyn Fn(u32) -> bool,
}

impl AllowGraph {
    /// The twins of all places; made once.
    pub(crate) fn twins(&self) -> &[u32] {
        self.leaving()
            .twins
            .get_or_init(|| twins(self.world(), &self.line, &self.law))
    }

    /// Of the sources asked about: those that surely may leave to the destination, and those that
    /// may for all that is known.
    pub(crate) fn leave(&self, ask: &EgressQuery<'_>, asked: &EndpointSet) -> Match {
        let law = self.leaving();
        let taints = &law.tainted[ask.view];
        if law.ordered.iter().all(Vec::is_empty) && taints.iter().all(EndpointSet::is_empty) {
            return self.network_leave(ask, asked);
        }
        let [anything, network_taint, only_deny] = taints;
        let admin = self.ordered_leave(ask, &law.ordered[0], asked.clone());
        let reached = admin.pass.union(&admin.none);
        let isolated = &law.isolated[ask.view];
        let rest = reached
            .intersection(&isolated.maybe)
            .union(&reached.intersection(network_taint));
        let Match {
            sure: surely,
            maybe,
        } = self.groups_leave(ask, &rest);
        let further = reached.difference(&isolated.sure);
        let base = self.ordered_leave(ask, &law.ordered[1], further);
        let by_taint = rest.intersection(network_taint);
        let possible = EndpointSet::union_of([
            &admin.allow,
            &maybe,
            &by_taint,
            &base.allow,
            &base.pass,
            &base.none,
        ]);
        let deny = EndpointSet::union_of([&admin.deny, &rest.difference(&surely), &base.deny]);
        if anything.is_empty() && only_deny.is_empty() {
            return Match::of(possible.difference(&deny), possible);
        }
        let doubt = deny.union(anything).union(only_deny);
        Match::of(
            possible.difference(&doubt),
            possible.union(&asked.intersection(anything)),
        )
    }

    /// [`Self::leave`] where only the Network tier speaks: whoever it does not isolate, and whom a
    /// rule lets out.
    fn network_leave(&self, ask: &EgressQuery<'_>, asked: &EndpointSet) -> Match {
        let isolated = &self.leaving().isolated[ask.view];
        let open = asked.difference(&isolated.sure);
        let let_out = self.groups_leave(ask, asked);
        let possible = open.union(&let_out.maybe);
        if isolated.is_exact() && let_out.is_exact() {
            return Match::exact(possible);
        }
        Match::of(
            asked.difference(&isolated.maybe).union(&let_out.sure),
            possible,
        )
    }

    /// The Network tier: of these sources, whom a rule surely lets out, and whom one may.
    fn groups_leave(&self, ask: &EgressQuery<'_>, rest: &EndpointSet) -> Match {
        if rest.is_empty() {
            return Match::default();
        }
        let truth = |group: &&Group| self.matched(group.peers, ask.view).truth(ask.destination);
        let groups = || {
            ask.seen
                .iter()
                .map(|number| &self.leaving().groups[*number as usize])
        };
        let (mut maybe, mut exact) = (Vec::new(), true);
        for group in groups().filter(|g| truth(g).possible()) {
            exact &= truth(&group) == Truth::Yes && group.subjects.is_exact();
            maybe.push(rest.intersection(&group.subjects.maybe));
        }
        let maybe = EndpointSet::union_of(&maybe);
        if exact {
            return Match::exact(maybe);
        }
        let sure = groups()
            .filter(|g| truth(g) == Truth::Yes)
            .map(|g| rest.intersection(&g.subjects.sure));
        Match::of(EndpointSet::union_of(&sure.collect::<Vec<_>>()), maybe)
    }

    /// An ordered tier: as [`crate::graph::tiers::Walk`] walks it, over all subjects at once.
    fn ordered_leave(
        &self,
        ask: &EgressQuery<'_>,
        groups: &[Vec<u32>],
        asked: EndpointSet,
    ) -> Decided {
        let nothing = EndpointSet::empty;
        let mut total = Decided {
            allow: nothing(),
            deny: nothing(),
            pass: nothing(),
            none: asked,
        };
        for group in groups {
            let undecided = total.none.clone();
            for policy in group {
                let subjects = &self.law.subjects[*policy as usize];
                let mine = undecided.intersection(&subjects.maybe);
                if mine.is_empty() {
                    continue;
                }
                for rule in egress_rules(&self.law, *policy) {
                    let truth =
                        self.peers[rule.peers.0 as usize].0[ask.view].truth(ask.destination);
                    if truth == Truth::No || !(ask.covers)(rule.ports) {
                        continue;
                    }
                    let into = match rule.action {
                        Action::Allow => &mut total.allow,
                        Action::Deny => &mut total.deny,
                        Action::Pass => &mut total.pass,
                    };
                    *into = into.union(&mine);
                    if truth == Truth::Yes {
                        total.none = total.none.difference(&subjects.sure);
                        break;
                    }
                }
            }
        }
        total
    }

    /// Whether two peer sets, seen from a place, answer alike in two views.
    pub(crate) fn same_truth(&self, peers: PeerSetId, place: u32, a: usize, b: usize) -> bool {
        let set = &self.peers[peers.0 as usize].0;
        Arc::ptr_eq(&set[a].maybe, &set[b].maybe) && Arc::ptr_eq(&set[a].sure, &set[b].sure)
            || set[a].truth(place) == set[b].truth(place)
    }
}
