//! Profiles: for each class and direction, everything that governs it, stored once per distinct content.
//!
//! Phases: [`compile_policy`] turns rules into indices of peer sets and port lists; [`select`] asks each policy which
//! classes it governs; [`intern`] groups the answers per class by tier and priority and keeps each distinct one once.
//! Profiles that decide alike, though by other policies, share their *content*. Cost: O(rules + sum of the subjects'
//! classes).

use super::classes::Classes;
use super::evaluate::{Case, Tainted, namespaces_match, taints};
use super::peers::{Line, Match, PeerSets, Runs};
use super::walk::{CompiledPolicy, CompiledRule, NetworkRule, Profile, Selecting};
use super::world::{HostBehaviour, World};
use crate::model::NamespaceId;
use crate::policy::{Direction, HostPods, Namespaces, Peer, Peers, Policy, PolicyId, PortMatch, Ports, Rule, Tier};
use crate::set::{Family, Protocol, TrafficSet};
use indexmap::IndexSet;

/// The ports of a rule: numbers, and names to be looked up on the destination.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct PortSet {
    /// The numbers.
    pub traffic: TrafficSet,
    /// The names.
    pub named: Vec<(Box<str>, Option<Protocol>)>,
}

impl From<&Ports> for PortSet {
    fn from(ports: &Ports) -> Self {
        let Ports::Of(list) = ports else { return Self { traffic: TrafficSet::all(), named: Vec::new() } };
        let mut set = Self::default();
        for port in list {
            match port {
                PortMatch::Traffic(traffic) => set.traffic = set.traffic.union(traffic),
                PortMatch::Named(name, protocol) => set.named.push((name.clone(), *protocol)),
            }
        }
        set
    }
}

/// The compiled law.
pub struct Law {
    /// The policies; those with relative peers once per subject namespace.
    pub policies: Vec<CompiledPolicy>,
    /// The classes each of them governs.
    pub subjects: Vec<Match>,
    /// The distinct port lists.
    pub ports: IndexSet<PortSet>,
    /// The distinct profiles; the first is the open one.
    pub profiles: IndexSet<Profile>,
    /// What each profile decides by: equal numbers decide alike.
    pub contents: Vec<u32>,
    /// The profile of each class, per direction.
    pub of_class: [Vec<u32>; 2],
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// Compiles the law over the classes of a line.
pub fn compile<'w>(world: &'w World, line: &'w Line, peers: &mut PeerSets<'w>) -> Law {
    let mut ports = IndexSet::new();
    let mut policies = Vec::new();
    let mut subjects = Vec::new();
    let classes = &line.classes;
    let mut selecting: [Vec<Vec<Selecting>>; 2] =
        [vec![Vec::new(); classes.list.len()], vec![Vec::new(); classes.list.len()]];
    for (id, policy) in world.policies.iter() {
        for own in owners(world, policy) {
            let index = number(policies.len());
            policies.push(compile_policy(id, policy, own, peers, &mut ports));
            let found = governed(policy, own, line, peers);
            select(policy, index, &found, &mut selecting);
            subjects.push(found);
        }
    }
    let mut profiles = IndexSet::from([Profile::default()]);
    let of_class = Direction::ALL.map(|direction| {
        let lists = std::mem::take(&mut selecting[direction.index()]);
        intern(world, &policies, classes, direction, lists, &mut profiles)
    });
    let contents = contents(&profiles);
    Law { policies, subjects, ports, profiles, contents, of_class }
}

/// Numbers the profiles by what they decide by: the ordered tiers' policies, the Network tier's rules, the taints.
fn contents(profiles: &IndexSet<Profile>) -> Vec<u32> {
    let mut seen = IndexSet::new();
    let content = |p: &Profile| {
        let key = (p.admin.clone(), p.isolated(), p.network_rules.clone(), p.baseline.clone(), p.taint);
        number(seen.insert_full(key).0)
    };
    profiles.iter().map(content).collect()
}

/// The subject namespaces a policy has to be compiled for one by one: all of them where a peer is relative to the
/// subject's namespace (S92), otherwise none in particular.
fn owners(world: &World, policy: &Policy) -> Vec<Option<NamespaceId>> {
    let relative =
        |peer: &Peer| matches!(peer, Peer::Pods(Namespaces::SameLabels(_) | Namespaces::NotSameLabels(_), _));
    let any = |rule: &Rule| matches!(&rule.peers, Peers::Of(list) if list.iter().any(relative));
    if !policy.rules.iter().flatten().any(any) {
        return vec![None];
    }
    let all = world.cluster.namespaces().map(|(id, _)| id);
    all.filter(|id| namespaces_match(world, &policy.subject.namespaces, *id, *id).possible()).map(Some).collect()
}

fn compile_policy<'w>(
    id: PolicyId,
    policy: &'w Policy,
    own: Option<NamespaceId>,
    peers: &mut PeerSets<'w>,
    ports: &mut IndexSet<PortSet>,
) -> CompiledPolicy {
    let rules = Direction::ALL.map(|direction| {
        let compile = |rule: &'w Rule| CompiledRule {
            action: rule.action,
            peers: peers.peers(&rule.peers, own, policy.host_pods),
            ports: number(ports.insert_full(PortSet::from(&rule.ports)).0),
        };
        policy.rules(direction).iter().map(compile).collect()
    });
    CompiledPolicy { policy: id, rules }
}

/// The classes a policy governs.
fn governed<'w>(policy: &'w Policy, own: Option<NamespaceId>, line: &Line, peers: &mut PeerSets<'w>) -> Match {
    let mut found = peers.pods_in(&policy.subject.namespaces, &policy.subject.pods, None);
    if policy.host_pods == HostPods::Excluded {
        found = found.without(&line.hosts);
    }
    if let Some(own) = own {
        let span = &line.classes.spans[line.classes.of_namespace[own.0 as usize] as usize];
        let only = span.end.checked_sub(1).map_or_else(Runs::empty, |last| Runs::from(span.start..=last));
        let within = |runs: &Runs| runs.intersection(&only).into();
        found = Match { sure: within(&found.sure), maybe: within(&found.maybe) };
    }
    found
}

/// Adds a policy to the lists of the classes it governs.
fn select(policy: &Policy, index: u32, found: &Match, lists: &mut [Vec<Vec<Selecting>>; 2]) {
    for class in found.maybe.points() {
        let entry = Selecting { policy: index, sure: found.is_exact() || found.sure.contains(class) };
        for direction in Direction::ALL.into_iter().filter(|d| policy.governs(*d)) {
            lists[direction.index()][class as usize].push(entry);
        }
    }
}

fn intern(
    world: &World,
    policies: &[CompiledPolicy],
    classes: &Classes,
    direction: Direction,
    lists: Vec<Vec<Selecting>>,
    profiles: &mut IndexSet<Profile>,
) -> Vec<u32> {
    let tainted = world.options.taints && !world.policies.taints.is_empty();
    let profile = |(class, list): (usize, Vec<Selecting>)| {
        let mut profile = grouped(world, policies, direction, list);
        if tainted {
            profile.taint = taint_of(world, classes, class, direction);
        }
        number(profiles.insert_full(profile).0)
    };
    lists.into_iter().enumerate().map(profile).collect()
}

fn taint_of(world: &World, classes: &Classes, class: usize, direction: Direction) -> Tainted {
    // host-network pods that behave as their node are not seen by any policy; the walk knows that itself
    let case = Case::new(HostBehaviour::Pod, Family::V4);
    taints(world, classes.list[class].representative, direction, &case)
}

/// Sorts the policies of a class into tiers and groups of equal priority.
fn grouped(world: &World, policies: &[CompiledPolicy], direction: Direction, list: Vec<Selecting>) -> Profile {
    let mut profile = Profile::default();
    let mut ordered: Vec<(Tier, i32, Selecting)> = Vec::new();
    for entry in list {
        let policy = world.policies.get(policies[entry.policy as usize].policy);
        match policy.tier {
            Tier::Network => profile.network.push(entry),
            tier => ordered.push((tier, policy.priority, entry)),
        }
    }
    profile.network_rules = network_rules(policies, direction, &profile.network);
    ordered.sort();
    for group in ordered.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let members = group.iter().map(|(_, _, entry)| *entry).collect();
        match group.first().map(|g| g.0) {
            Some(Tier::Baseline) => profile.baseline.push(members),
            _ => profile.admin.push(members),
        }
    }
    profile
}

/// The distinct rules of the policies that isolate a class.
fn network_rules(policies: &[CompiledPolicy], direction: Direction, network: &[Selecting]) -> Vec<NetworkRule> {
    let of = |s: &Selecting| {
        let sure = s.sure;
        let rule = move |r: &CompiledRule| NetworkRule { peers: r.peers, ports: r.ports, sure };
        policies[s.policy as usize].rules[direction.index()].iter().map(rule)
    };
    let mut rules: Vec<NetworkRule> = network.iter().flat_map(of).collect();
    rules.sort_unstable_by_key(|r| (r.peers, r.ports, !r.sure)); // the sure one of two equal rules comes first, and stays
    rules.dedup_by_key(|r| (r.peers, r.ports));
    rules
}
