//! Egress from the other side: for one destination, which sources may leave to it.
//!
//! A profile tells what governs one source; a row asks about all sources, so here the law is kept
//! by rule: each distinct (peers, ports) of the Network tier once, with the classes it surely and
//! maybe governs, and the ordered tiers with their subjects. A destination sees only the groups
//! whose peers contain it ([`EgressIndex::seen`]): small peer sets are listed at their places, the
//! few large ones are asked.
//!
//! Invariant: [`AllowGraph::egress_sources`] decides for every source what the walk of its egress
//! profile decides, apart from the own node (S55), which rows add. Cost: O(groups seen) set
//! operations on what is asked.

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
    equivalent_sources: OnceLock<Vec<u32>>,
    /// The templates, once somebody asks for them.
    pub(crate) numbers: OnceLock<Numbers>,
}

impl EgressIndex {
    /// Turns the profiles around.
    pub fn new(
        env: &Environment,
        space: &EndpointSpace,
        peers: &[PeerSet],
        compiled: &CompiledPolicySet,
    ) -> Self {
        let groups = groups(env, compiled, peers);
        let mut egress_index = Self {
            at: vec![Vec::new(); space.len() as usize],
            ..Self::default()
        };
        for (number, group) in (0..).zip(&groups) {
            let places =
                EndpointSet::union_of(peers[group.peers.0 as usize].0.iter().map(|m| &*m.maybe));
            if places.count() > LISTED {
                egress_index.large.push(number);
            } else {
                places
                    .points()
                    .for_each(|p| egress_index.at[p as usize].push(number));
            }
        }
        let egress =
            |p: &crate::policy::Policy| p.tier == Tier::Network && p.isolates(Direction::Egress);
        let isolating: Vec<&Match> = compiled
            .policies
            .iter()
            .zip(&compiled.subjects)
            .filter(|(p, _)| egress(env.policies.get(p.policy)))
            .map(|(_, subjects)| subjects)
            .collect();
        let isolated = Match::union_of(&isolating);
        let tainted = tainted(space, compiled);
        for scenario in &space.scenarios {
            let hidden = if scenario.mode == HostNetworkMode::Node {
                &space.hosts
            } else {
                &EndpointSet::empty()
            };
            egress_index.isolated.push(isolated.without(hidden));
            egress_index
                .tainted
                .push(tainted.each_ref().map(|runs| runs.difference(hidden)));
        }
        egress_index.ordered = ordered(env, compiled);
        let rules = egress_index
            .ordered
            .iter()
            .flatten()
            .flatten()
            .flat_map(|p| egress_rules(compiled, *p));
        egress_index.ordered_peers = rules.map(|r| r.peers).collect();
        egress_index.ordered_peers.sort_unstable();
        egress_index.ordered_peers.dedup();
        egress_index.contents = contents(&compiled.profiles);
        Self {
            groups,
            ..egress_index
        }
    }

    /// The groups whose peers may contain a place, in order.
    pub fn seen(&self, peers: &[PeerSet], place: u32) -> Vec<u32> {
        let holds = |g: &&u32| {
            let Group {
                peers: set, plain, ..
            } = &self.groups[**g as usize];
            let scenarios = &peers[set.0 as usize].0;
            scenarios
                .iter()
                .take(if *plain { 1 } else { scenarios.len() })
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
    pub fn isolated(&self, scenario: usize) -> &Match {
        &self.isolated[scenario]
    }

    /// Whether two views decide egress from the same sets.
    pub fn same_scenarios(&self, a: usize, b: usize) -> bool {
        self.isolated[a] == self.isolated[b] && self.tainted[a] == self.tainted[b]
    }

    /// The ports of the ordered tiers' egress rules.
    pub fn ordered_ports<'a>(
        &'a self,
        compiled: &'a CompiledPolicySet,
    ) -> impl Iterator<Item = u32> + 'a {
        self.ordered
            .iter()
            .flatten()
            .flatten()
            .flat_map(|p| egress_rules(compiled, *p))
            .map(|r| r.ports)
    }
}

fn egress_rules(compiled: &CompiledPolicySet, policy: u32) -> &[CompiledRule] {
    &compiled.policies[policy as usize].rules[Direction::Egress.index()]
}

fn groups(env: &Environment, compiled: &CompiledPolicySet, sets: &[PeerSet]) -> Vec<Group> {
    let mut by: IndexMap<(PeerSetId, u32), Vec<&Match>> = IndexMap::default();
    for (compiled, subjects) in compiled.policies.iter().zip(&compiled.subjects) {
        let policy = env.policies.get(compiled.policy);
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
        let scenarios = &sets[peers.0 as usize].0;
        let plain = scenarios
            .iter()
            .all(|scenario| scenario.is_exact() && scenario.is_same(&scenarios[0]));
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
fn equivalent_sources(
    env: &Environment,
    space: &EndpointSpace,
    compiled: &CompiledPolicySet,
) -> Vec<u32> {
    let rules = || {
        env.policies
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
    if !env.options.blocks_match_pods || peers().any(|peer| matches!(peer, Peer::Nodes(_))) {
        return (0..space.len()).collect();
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
        let mut known: Vec<u32> = env
            .addresses(env.cluster.pod(*pod))
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
    let addresses: Vec<SeenAddress> = (0..).zip(&space.classes.addresses).map(address).collect();
    let seen = |place: u32| match space.representative(place) {
        Endpoint::Address(address) => Seen::Outside(between.of(address)),
        Endpoint::Pod(_) => {
            let Class {
                namespace,
                labels,
                ports,
                address,
                host,
                ..
            } = *space.classes.get(place);
            let governed = compiled
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
    (0..space.len())
        .map(|place| u32::try_from(known.insert_full(seen(place)).0).unwrap_or(u32::MAX))
        .collect()
}

fn ordered(env: &Environment, compiled: &CompiledPolicySet) -> [Vec<Vec<u32>>; 2] {
    [Tier::Admin, Tier::Baseline].map(|tier| {
        let mut by: BTreeMap<i32, Vec<u32>> = BTreeMap::new();
        for (number, compiled) in (0..).zip(&compiled.policies) {
            let policy = env.policies.get(compiled.policy);
            if policy.tier == tier && policy.governs(Direction::Egress) {
                by.entry(policy.priority).or_default().push(number);
            }
        }
        by.into_values().collect()
    })
}

fn tainted(space: &EndpointSpace, compiled: &CompiledPolicySet) -> [EndpointSet; 3] {
    let mut lists = [const { Vec::new() }; 3];
    for class in 0..space.classes.len() {
        let taint = compiled.profiles
            [compiled.of_class[Direction::Egress.index()][class as usize] as usize]
            .taint;
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
    pub scenario: usize,
    /// Whether the traffic asked about is on these ports.
    pub covers: &'a dyn Fn(u32) -> bool,
}

impl AllowGraph {
    /// The twins of all places; made once.
    pub(crate) fn equivalent_sources(&self) -> &[u32] {
        self.egress_index()
            .equivalent_sources
            .get_or_init(|| equivalent_sources(self.environment(), &self.space, &self.compiled))
    }

    /// Of the sources asked about: those that surely may leave to the destination, and those that
    /// may for all that is known.
    pub(crate) fn egress_sources(&self, ask: &EgressQuery<'_>, asked: &EndpointSet) -> Match {
        let compiled = self.egress_index();
        let taints = &compiled.tainted[ask.scenario];
        if compiled.ordered.iter().all(Vec::is_empty) && taints.iter().all(EndpointSet::is_empty) {
            return self.network_egress(ask, asked);
        }
        let [anything, network_taint, only_deny] = taints;
        let admin = self.ordered_egress(ask, &compiled.ordered[0], asked.clone());
        let reached = admin.pass.union(&admin.none);
        let isolated = &compiled.isolated[ask.scenario];
        let rest = reached
            .intersection(&isolated.maybe)
            .union(&reached.intersection(network_taint));
        let Match {
            sure: surely,
            maybe,
        } = self.rules_egress(ask, &rest);
        let further = reached.difference(&isolated.sure);
        let base = self.ordered_egress(ask, &compiled.ordered[1], further);
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

    /// [`Self::egress_sources`] where only the Network tier speaks: whoever it does not isolate,
    /// and whom a rule lets out.
    fn network_egress(&self, ask: &EgressQuery<'_>, asked: &EndpointSet) -> Match {
        let isolated = &self.egress_index().isolated[ask.scenario];
        let open = asked.difference(&isolated.sure);
        let let_out = self.rules_egress(ask, asked);
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
    fn rules_egress(&self, ask: &EgressQuery<'_>, rest: &EndpointSet) -> Match {
        if rest.is_empty() {
            return Match::default();
        }
        let truth = |group: &&Group| {
            self.matched(group.peers, ask.scenario)
                .truth(ask.destination)
        };
        let groups = || {
            ask.seen
                .iter()
                .map(|number| &self.egress_index().groups[*number as usize])
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
    fn ordered_egress(
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
                let subjects = &self.compiled.subjects[*policy as usize];
                let mine = undecided.intersection(&subjects.maybe);
                if mine.is_empty() {
                    continue;
                }
                for rule in egress_rules(&self.compiled, *policy) {
                    let truth =
                        self.peers[rule.peers.0 as usize].0[ask.scenario].truth(ask.destination);
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
