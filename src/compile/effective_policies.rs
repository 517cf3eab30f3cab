//! Profiles: for each class and direction, everything that governs it, stored once per distinct
//! content.
//!
//! Phases: [`compile_policy`] turns rules into indices of peer sets and port lists; [`governed`]
//! asks each policy which classes it governs; [`Lists`] turns the answers around, by class;
//! [`intern`] groups each distinct list once by tier and priority. Cost: O(rules + sum of the
//! subjects' classes).

use crate::compile::classes::Classes;
use crate::compile::peer_sets::{EndpointSet, EndpointSpace, Match, PeerSets};
use crate::compile::vocabulary::Vocabulary;
use crate::graph::tiers::{CompiledPolicy, CompiledRule, EffectivePolicy, NetworkRule, Selection};
use crate::model::NamespaceId;
use crate::policy::{
    Direction, HostPods, Namespaces, Peer, Peers, Policy, PolicyId, PortMatch, Ports, Rule, Tier,
};
use crate::set::hashed::{HashMap, IndexSet};
use crate::set::{Family, Protocol, TrafficSet};
use crate::spec::environment::{Environment, HostNetworkMode};
use crate::spec::evaluate::{Case, Tainted, namespaces_match, taints};

/// The ports of a rule: numbers, and names to be looked up on the destination.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PortSet {
    /// The numbers.
    pub traffic: TrafficSet,
    /// The names, by their number in the vocabulary.
    pub named: Vec<(u32, Option<Protocol>)>,
    /// Whether the names of host-network pods are ever seen.
    pub host_pods: HostPods,
}

/// The distinct port lists, each read once.
struct PortSets<'w, 'v> {
    vocabulary: &'v Vocabulary<'w>,
    /// By the place of the list in memory; 0 for any port.
    known: HashMap<(usize, HostPods), u32>,
    sets: IndexSet<PortSet>,
}

impl<'w> PortSets<'w, '_> {
    fn number(&mut self, ports: &'w Ports, host_pods: HostPods) -> u32 {
        let place = if let Ports::Of(list) = ports {
            list.as_ptr().addr()
        } else {
            0
        };
        if let Some(known) = self.known.get(&(place, host_pods)) {
            return *known;
        }
        let set = self.read(ports, host_pods);
        let found = number(self.sets.insert_full(set).0);
        self.known.insert((place, host_pods), found);
        found
    }

    fn read(&self, ports: &Ports, host_pods: HostPods) -> PortSet {
        let mut set = PortSet {
            traffic: TrafficSet::all(),
            named: Vec::new(),
            host_pods: HostPods::Undefined,
        };
        let Ports::Of(list) = ports else { return set };
        set.traffic = TrafficSet::empty();
        for port in list.iter() {
            match port {
                PortMatch::Traffic(traffic) => set.traffic = set.traffic.union(traffic),
                PortMatch::Named(name, protocol) => {
                    set.named.extend(
                        self.vocabulary
                            .ports
                            .get(&**name)
                            .map(|name| (*name, *protocol)),
                    );
                    set.host_pods = host_pods;
                }
            }
        }
        set
    }
}

/// The compiled law.
pub struct CompiledPolicySet {
    /// The policies; those with relative peers once per subject namespace.
    pub policies: Vec<CompiledPolicy>,
    /// The classes each of them governs.
    pub subjects: Vec<Match>,
    /// The distinct port lists.
    pub ports: Vec<PortSet>,
    /// The profiles; the first is the open one.
    pub profiles: Vec<EffectivePolicy>,
    /// The profile of each class, per direction.
    pub of_class: [Vec<u32>; 2],
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// Compiles the law over the classes of a line.
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
            policies.push(compile_policy(id, policy, own, peers, &mut ports));
            subjects.push(governed(policy, own, space, peers));
        }
    }
    let mut profiles = vec![EffectivePolicy::default()];
    let of_class = Direction::ALL.map(|direction| {
        let lists = Lists::new(
            env,
            &policies,
            &subjects,
            direction,
            space.classes.list.len(),
        );
        intern(
            env,
            &policies,
            &space.classes,
            direction,
            &lists,
            &mut profiles,
        )
    });
    CompiledPolicySet {
        policies,
        subjects,
        ports: ports.sets.into_iter().collect(),
        profiles,
        of_class,
    }
}

/// The subject namespaces a policy has to be compiled for one by one: all of them where a peer is
/// relative to the subject's namespace (S92), otherwise none in particular.
fn owners(env: &Environment, policy: &Policy) -> Vec<Option<NamespaceId>> {
    let relative = |peer: &Peer| {
        matches!(
            peer,
            Peer::Pods(Namespaces::SameLabels(_) | Namespaces::NotSameLabels(_), _)
        )
    };
    let any = |rule: &Rule| matches!(&rule.peers, Peers::Of(list) if list.iter().any(relative));
    if !policy.rules.iter().flatten().any(any) {
        return vec![None];
    }
    let all = env.cluster.namespaces().map(|(id, _)| id);
    all.filter(|id| namespaces_match(env, &policy.subject.namespaces, *id, *id).possible())
        .map(Some)
        .collect()
}

fn compile_policy<'w>(
    id: PolicyId,
    policy: &'w Policy,
    own: Option<NamespaceId>,
    peers: &mut PeerSets<'w>,
    ports: &mut PortSets<'w, '_>,
) -> CompiledPolicy {
    let rules = Direction::ALL.map(|direction| {
        let compile = |rule: &'w Rule| CompiledRule {
            action: rule.action,
            peers: peers.peers(&rule.peers, own, policy.host_pods),
            ports: ports.number(&rule.ports, policy.host_pods),
        };
        policy.rules(direction).iter().map(compile).collect()
    });
    CompiledPolicy { policy: id, rules }
}

/// The classes a policy governs.
fn governed<'w>(
    policy: &'w Policy,
    own: Option<NamespaceId>,
    space: &EndpointSpace,
    peers: &mut PeerSets<'w>,
) -> Match {
    let mut found = peers.pods_in(&policy.subject.namespaces, &policy.subject.pods, None);
    if policy.host_pods == HostPods::Excluded {
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
        found = Match {
            sure: within(&found.sure),
            maybe: within(&found.maybe),
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
    fn new(
        env: &Environment,
        policies: &[CompiledPolicy],
        subjects: &[Match],
        direction: Direction,
        classes: usize,
    ) -> Self {
        let governs = |(_, (compiled, _)): &(u32, (&CompiledPolicy, &Match))| {
            env.policies.get(compiled.policy).governs(direction)
        };
        let each = || (0..).zip(policies.iter().zip(subjects)).filter(governs);
        let mut starts = vec![0; classes + 1];
        for (_, (_, found)) in each() {
            found
                .maybe
                .points()
                .for_each(|class| starts[class as usize + 1] += 1);
        }
        for class in 0..classes {
            starts[class + 1] += starts[class];
        }
        let mut next = starts.clone();
        let mut entries = vec![
            Selection {
                policy: 0,
                sure: false
            };
            starts[classes] as usize
        ];
        for (policy, (_, found)) in each() {
            for class in found.maybe.points() {
                let at = &mut next[class as usize];
                entries[*at as usize] = Selection {
                    policy,
                    sure: found.is_exact() || found.sure.contains(class),
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

/// The profile of each class: one for every distinct list of policies, and what may taint it.
fn intern(
    env: &Environment,
    policies: &[CompiledPolicy],
    classes: &Classes,
    direction: Direction,
    lists: &Lists,
    profiles: &mut Vec<EffectivePolicy>,
) -> Vec<u32> {
    let tainted = env.options.taints && !env.policies.taints.is_empty();
    let mut known: HashMap<(&[Selection], Tainted), u32> = HashMap::default();
    known.insert((&[], Tainted::default()), 0);
    let profile = |class: usize| {
        let list = lists.of(class);
        let taint = if tainted {
            taint_of(env, classes, class, direction)
        } else {
            Tainted::default()
        };
        *known.entry((list, taint)).or_insert_with(|| {
            profiles.push(EffectivePolicy {
                taint,
                ..grouped(env, policies, direction, list)
            });
            number(profiles.len() - 1)
        })
    };
    (0..classes.list.len()).map(profile).collect()
}

fn taint_of(env: &Environment, classes: &Classes, class: usize, direction: Direction) -> Tainted {
    // host-network pods that behave as their node are not seen by any policy; the walk knows that
    // itself
    let case = Case::new(HostNetworkMode::Pod, Family::V4);
    taints(env, classes.list[class].representative, direction, &case)
}

/// Sorts the policies of a class into tiers and groups of equal priority.
fn grouped(
    env: &Environment,
    policies: &[CompiledPolicy],
    direction: Direction,
    list: &[Selection],
) -> EffectivePolicy {
    let mut profile = EffectivePolicy::default();
    let mut ordered: Vec<(Tier, i32, Selection)> = Vec::new();
    for entry in list.iter().copied() {
        let policy = env.policies.get(policies[entry.policy as usize].policy);
        match policy.tier {
            Tier::Network => profile.network.push(entry),
            tier => ordered.push((tier, policy.priority, entry)),
        }
    }
    profile.surely = profile.network.iter().any(|s| s.sure);
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
fn network_rules(
    policies: &[CompiledPolicy],
    direction: Direction,
    network: &[Selection],
) -> Vec<NetworkRule> {
    let of = |s: &Selection| {
        let sure = s.sure;
        let rule = move |r: &CompiledRule| NetworkRule {
            peers: r.peers,
            ports: r.ports,
            sure,
        };
        policies[s.policy as usize].rules[direction.index()]
            .iter()
            .map(rule)
    };
    let mut rules: Vec<NetworkRule> = network.iter().flat_map(of).collect();
    // the sure one of two equal rules comes first, and stays
    rules.sort_unstable_by_key(|r| (r.peers, r.ports, !r.sure));
    rules.dedup_by_key(|r| (r.peers, r.ports));
    rules
}
