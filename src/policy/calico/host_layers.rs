//! What policies do at host endpoints, as layers of their own (CA48, CA100-CA109).
//!
//! A host endpoint is asked about what the processes of its node send and receive, and about what
//! the node forwards. Both are further enforcement points beside the policies of pods: a flow
//! passes if every one of them lets it. So each is a layer, and a policy that selects host
//! endpoints stands in these once more, lowered from the same text:
//!
//! ```text
//! layer            governs                    asks, in order
//! HOSTS            nodes, pods as these       open, untracked, before DNAT, policies, profiles
//! FORWARDED_IN     pods                       open, untracked, before DNAT, host, forwarded
//! FORWARDED_OUT    pods                       open, forwarded
//! ```
//!
//! Traffic that a node forwards is from or to one of its pods, so that it is decided where the pod
//! is governed: what comes in by an interface of the node of the destination, what goes out by one
//! of the node of the source. A host endpoint of every interface (`*`) has those of the pods too,
//! so that what passes between a pod and other nodes or the outside meets both of its directions
//! (CA108). What pods of one node send each other meets none.
//!
//! Invariants: policies and tiers are added behind those that there are; a node without host
//! endpoints is governed by none of them. Cost: O(policies that select host endpoints + nodes with
//! host endpoints), nothing without any. Road not taken: a third kind of endpoint, which every
//! answer would have to know; an address of a node stays an address, and is governed.

use crate::policy::calico::felix::FelixOfNode;
use crate::policy::calico::host_profiles::of_profiles;
use crate::policy::calico::host_tiers::{
    HOST_ENDPOINT, HostPart, any_of, behind, open, placed, pods_on, tier,
};
use crate::policy::calico::interfaces::{Interfaces, nothing_at};
use crate::policy::calico::knowledge::CalicoKnowledge;
use crate::policy::calico::lower::{SeenAs, host_labels, lower_rules, subject};
use crate::policy::calico::policy::{CalicoPolicy, Stage};
use crate::policy::calico::selector::selects_thing;
use crate::policy::calico::tier_table::TierTable;
use crate::policy::host_labels::{FORWARDED, PROCESS};
use crate::policy::layer_policy::{LayerPolicies, PolicyHead, RulesWithPlaces};
use crate::policy::policy_set::PolicySet;
use crate::policy::rule::{Direction, Peer, Policy, PolicySource, Ports, Subject};
use crate::policy::tier::{LayerIx, Tier, TierEnd};
use crate::source::DocumentId;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A policy that selects host endpoints.
struct HostPolicy {
    policy: Policy,
    written: Arc<CalicoPolicy>,
    /// The host endpoints.
    hosts: Vec<usize>,
}

/// The policy set without what [`add`] added to it.
pub fn without(special: &mut PolicySet) {
    let tiers = &special.tiers;
    special
        .policies
        .retain(|p| !tiers[p.tier.index()].layer.is_of_hosts());
}

/// Adds what host endpoints ask to a policy set in which every policy of Calico is lowered; of the
/// policies in `gone` nothing is in force.
pub fn add(
    special: &mut PolicySet,
    gone: &BTreeSet<usize>,
    known: &CalicoKnowledge<'_>,
    table: &TierTable,
    interfaces: &Interfaces<'_>,
) {
    let policies = selecting(special, gone, known, interfaces);
    let mut layers = HostLayers {
        added: LayerPolicies::new(special),
        known,
        table,
        interfaces,
    };
    layers.hosts(&policies);
    layers.forwarded(&policies, Direction::Ingress);
    layers.forwarded(&policies, Direction::Egress);
}

/// The enforced policies that select host endpoints that count.
fn selecting(
    special: &PolicySet,
    gone: &BTreeSet<usize>,
    known: &CalicoKnowledge<'_>,
    interfaces: &Interfaces<'_>,
) -> Vec<HostPolicy> {
    let hosts: Vec<usize> = interfaces.nodes().flat_map(|(_, all, _)| all).collect();
    let labels: Vec<_> = hosts
        .iter()
        .map(|at| host_labels(known.objects, &known.objects.hosts[*at]))
        .collect();
    let mut found = Vec::new();
    for (i, policy) in special.policies.iter().enumerate() {
        let Some(written) = policy.calico() else {
            continue;
        };
        let enforced = written.staged.is_none() || known.settings.staged;
        if !enforced || gone.contains(&i) || written.namespace.is_some() {
            continue;
        }
        let subject = subject(written);
        let each = hosts.iter().zip(&labels);
        let selected = each.filter(|(_, own)| selects_thing(&subject, own, None).possible());
        let selected: Vec<usize> = selected.map(|(at, _)| *at).collect();
        if !selected.is_empty() {
            found.push(HostPolicy {
                policy: policy.clone(),
                written: Arc::clone(written),
                hosts: selected,
            });
        }
    }
    found
}

/// Adds the layers.
struct HostLayers<'a> {
    added: LayerPolicies<'a>,
    known: &'a CalicoKnowledge<'a>,
    table: &'a TierTable,
    interfaces: &'a Interfaces<'a>,
}

impl HostLayers<'_> {
    /// What processes of nodes send and receive.
    fn hosts(&mut self, policies: &[HostPolicy]) {
        self.open_to_hosts();
        for policy in policies {
            let part = HostPart::of(policy.written.stage);
            let tier = self.tier_of(LayerIx::HOSTS, part, policy);
            let each = Direction::ALL.map(|way| {
                let governed = way;
                (part != HostPart::PreDnat || way == Direction::Ingress)
                    .then(|| self.rules_of(policy, SeenAs { way, governed }))
                    .flatten()
            });
            let subject = self.behind(PROCESS, &policy.hosts);
            self.add_copy(policy, tier, subject, each);
        }
        self.profiles();
    }

    /// What nodes forward in one direction of their interfaces: from or to their pods.
    fn forwarded(&mut self, policies: &[HostPolicy], way: Direction) {
        let layer = match way {
            Direction::Ingress => LayerIx::FORWARDED_IN,
            Direction::Egress => LayerIx::FORWARDED_OUT,
        };
        let stages = policies.iter().filter(|p| match p.written.stage {
            Stage::Normal => false,
            Stage::Forward => true,
            Stage::PreDnat | Stage::Untracked => way == Direction::Ingress,
        });
        let says = |p: &&HostPolicy| p.written.types[way.index()];
        let policies: Vec<&HostPolicy> = stages.filter(says).collect();
        if policies.is_empty() {
            return;
        }
        self.open_to_forwarded(layer, way);
        for policy in policies {
            let part = HostPart::of(policy.written.stage);
            let tier = self.tier_of(layer, part, policy);
            for governed in Direction::ALL {
                let hosts = policy.hosts.iter().copied();
                // one interface is met at one end; those of pods are met at the other, too, and
                // what enters by them is tracked
                let of_pods = governed != way;
                let met = |host: &usize| !of_pods || self.interfaces.is_of_every(*host);
                let hosts: Vec<usize> = hosts.filter(met).collect();
                if hosts.is_empty() || of_pods && part == HostPart::Untracked {
                    continue;
                }
                let mut each = [None, None];
                each[governed.index()] = self.rules_of(policy, SeenAs { way, governed });
                self.add_copy(policy, tier.clone(), self.behind(FORWARDED, &hosts), each);
            }
        }
    }

    /// The rules of a policy that it has in one direction, seen from one end.
    fn rules_of(&self, policy: &HostPolicy, seen: SeenAs) -> Option<RulesWithPlaces> {
        let way = seen.way.index();
        policy.written.types[way]
            .then(|| lower_rules(&policy.written.rules[way], None, seen, self.known))
    }

    /// A policy once more, in a tier of these layers.
    fn add_copy(
        &mut self,
        of: &HostPolicy,
        tier: Tier,
        subject: Subject,
        rules: [Option<RulesWithPlaces>; 2],
    ) {
        let says = rules.each_ref().map(Option::is_some);
        let mut copy = head(&of.policy.name, of.policy.document).in_directions(subject, rules);
        copy.shape = of.policy.shape;
        copy.priority = of.written.order;
        copy.tie.clone_from(&of.policy.tie);
        copy.isolates = says;
        copy.written = Some(PolicySource::Calico(Arc::clone(&of.written)));
        copy.generated.clone_from(&of.policy.generated);
        self.added.add(tier, copy);
    }

    /// What stands behind some host endpoints, by the label that says so.
    fn behind(&self, key: &str, hosts: &[usize]) -> Subject {
        let all = &self.known.objects.hosts;
        behind(key, hosts.iter().map(|at| &*all[*at].name))
    }

    /// The same of what may stand behind none of a node's, which lets through all the more.
    fn behind_any(&self, key: &str, hosts: &[usize], node: &str) -> Subject {
        let all = &self.known.objects.hosts;
        let none = nothing_at(node);
        behind(key, hosts.iter().map(|at| &*all[*at].name).chain([&*none]))
    }

    /// The tier of a policy in a part of a layer: the first two parts go on where nothing matches,
    /// whatever their tiers say (CA109).
    fn tier_of(&self, layer: LayerIx, part: HostPart, policy: &HostPolicy) -> Tier {
        let name = &policy.written.tier;
        let (place, passes) = self.table.place_and_end(name);
        let before = matches!(part, HostPart::Untracked | HostPart::PreDnat);
        let what = match (part, layer) {
            (HostPart::Untracked, _) => format!("{name}, untracked"),
            (HostPart::PreDnat, _) => format!("{name}, before DNAT"),
            (_, LayerIx::HOSTS) => format!("{name}, of hosts"),
            (_, LayerIx::FORWARDED_IN) => format!("{name}, into nodes"),
            _ => format!("{name}, out of nodes"),
        };
        let end = if before || passes {
            TierEnd::Pass
        } else {
            TierEnd::DenyIsolated
        };
        tier(layer, part, what.into(), place, end)
    }
}

/// What a policy of these layers is called, and where it is written.
fn head(name: &str, document: DocumentId) -> PolicyHead {
    PolicyHead {
        namespace: None,
        name: name.into(),
        document,
        shape: &HOST_ENDPOINT,
    }
}

/// What is never policed.
impl HostLayers<'_> {
    /// A node and its own pods, and what is open whatever policies say (CA100, CA105).
    fn open_to_hosts(&mut self) {
        let nodes: Vec<_> = self.interfaces.nodes().collect();
        for (node, hosts, addresses) in nodes {
            let near = any_of(vec![Peer::Addresses(addresses), pods_on(node)]);
            let rules = Direction::ALL.map(|way| {
                let mut rules = vec![open(near.clone(), Ports::Any, "node")];
                let felix = FelixOfNode::new(&self.known.objects.felix, Some(node));
                let safe = felix.failsafe(way);
                rules.extend(
                    safe.into_iter()
                        .map(|(net, ports)| open(net, ports, "node")),
                );
                Some(placed(rules))
            });
            let subject = self.behind_any(PROCESS, &hosts, node);
            self.add_open(LayerIx::HOSTS, HostPart::Open, &hosts, subject, rules);
        }
    }

    /// What a node sends its own pods, what these send each other, and what they send their node
    /// (CA100, CA101): none of it is forwarded by an interface that is policed. What they send
    /// their node is asked before Services are translated, as it comes in.
    fn open_to_forwarded(&mut self, layer: LayerIx, way: Direction) {
        let nodes: Vec<_> = self.interfaces.nodes().collect();
        for (node, hosts, addresses) in nodes {
            let pods = pods_on(node);
            let own = Peer::Addresses(addresses);
            let rule = |peers: Vec<Peer>| open(any_of(peers), Ports::Any, "node");
            let rules = |peers: Vec<Peer>| Some(placed(vec![rule(peers)]));
            let near = rules(vec![own.clone(), pods.clone()]);
            let subject = self.behind_any(FORWARDED, &hosts, node);
            if way == Direction::Ingress {
                let each = [near, rules(vec![pods])];
                self.add_open(layer, HostPart::Open, &hosts, subject.clone(), each);
                let each = [None, rules(vec![own])];
                self.add_open(layer, HostPart::OwnHost, &hosts, subject, each);
            } else {
                let each = [near.clone(), near];
                self.add_open(layer, HostPart::Open, &hosts, subject, each);
            }
        }
    }

    /// A policy that stands for what host endpoints leave open by themselves.
    fn add_open(
        &mut self,
        layer: LayerIx,
        part: HostPart,
        hosts: &[usize],
        subject: Subject,
        rules: [Option<RulesWithPlaces>; 2],
    ) {
        let name = match (part, layer) {
            (HostPart::OwnHost, _) => "own host",
            (_, LayerIx::FORWARDED_IN) => "open into nodes",
            (_, LayerIx::FORWARDED_OUT) => "open out of nodes",
            _ => "open at hosts",
        };
        let tier = tier(layer, part, name.into(), 0, TierEnd::Pass);
        let Some(host) = hosts.first().map(|at| &self.known.objects.hosts[*at]) else {
            return;
        };
        let policy = head(&host.name, host.document).in_directions(subject, rules);
        self.added.add(tier, policy);
    }

    /// The profiles of each host endpoint; what none of them decides is denied (CA48).
    fn profiles(&mut self) {
        let hosts: Vec<usize> = self
            .interfaces
            .nodes()
            .flat_map(|(_, all, _)| all)
            .collect();
        for at in hosts {
            let host = &self.known.objects.hosts[at];
            let rules = Direction::ALL.map(|way| Some(of_profiles(self.known, host, way)));
            let name = "profiles".into();
            let tier = tier(
                LayerIx::HOSTS,
                HostPart::Profiles,
                name,
                0,
                TierEnd::DenyIsolated,
            );
            let subject = self.behind(PROCESS, &[at]);
            let mut policy = head(&host.name, host.document).in_directions(subject, rules);
            policy.isolates = [true, true];
            self.added.add(tier, policy);
        }
    }
}
