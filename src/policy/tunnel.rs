//! Traffic that travels on another port than the one it is for: between proxies of a mesh.
//!
//! The policies of the network plugin see the port of the proxy (IS61, LD60). [`through`] rewrites
//! them so that the engines need not know: a policy is split by its subjects, and each of its rules
//! by its peers, so that for every pair of ends the ports of a rule are those that count there.
//!
//! ```text
//! app=db <- app=web on 5432      app=db, meshed   <- app=web, meshed     on nothing (no 15008)
//!                          =>    app=db, meshed   <- app=web, others     on 5432
//!                                app=db, others   <- app=web             on 5432
//! ```
//!
//! Invariants: policies keep their indices, names and documents; what a policy is split into stands
//! at the end and never selects one pod twice. Cost: O(rules x kinds of proxies), nothing without
//! tunnels.

use crate::model::{Requirement, Selector};
use crate::policy::layout::{Layout, PeersPlace, PortsPlace, RulePlace};
use crate::policy::policy_set::PolicySet;
use crate::policy::proxies::{MeshProxies, OutsideWay, PortNames, Tunnel, TunnelWay};
use crate::policy::rule::{
    Action, Direction, Namespaces, Peer, Peers, Policy, PortMatch, Ports, Qualifier, Rule,
};
use crate::policy::rule_ref::{PolicyId, RuleRef};
use crate::policy::tier::LayerIx;
use crate::set::{Ix, Protocol, TrafficSet};
use crate::source::Path;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The policies as the network plugin applies them to what proxies send; none where nothing
/// travels otherwise.
pub fn through(policies: &PolicySet) -> Option<PolicySet> {
    let proxies = &policies.plugin.proxies;
    if proxies.iter().all(MeshProxies::change_nothing) {
        return None;
    }
    let mut set = policies.clone();
    for proxies in proxies {
        split_policies(&mut set, proxies);
    }
    Some(set)
}

/// Splits every policy of the network plugin by one label.
fn split_policies(set: &mut PolicySet, proxies: &MeshProxies) {
    let parts = parts(proxies);
    let all = parts
        .iter()
        .flat_map(|part| part.values.iter().cloned())
        .collect();
    let others = Requirement::Not(Selector::new([among(proxies.key, &all)]));
    let mut further = Vec::new();
    let is_beside = |tunnel: &Tunnel| matches!(tunnel.way, TunnelWay::Beside { .. });
    let leads_out = !proxies.outside.is_empty();
    let beside = proxies.tunnels.iter().any(is_beside) || leads_out;
    for (id, policy) in set.iter() {
        let layer = set.tier_of(policy).layer;
        let is_plugins = layer == LayerIx::CLUSTER_NETWORK;
        let apart = beside && (leads_out || layer != LayerIx::EGRESS_FIREWALL);
        let mut rules = policy.rules.iter().flatten();
        if apart || is_plugins && rules.any(|rule| is_touched(rule, &proxies.tunnels)) {
            let split = parts.iter().map(|part| part.of(policy, id));
            further.push((id, split.collect::<Vec<_>>()));
        }
    }
    for (id, split) in further {
        if let Some(policy) = set.policies.get_mut(id.index()) {
            policy.subject.pods = with(&policy.subject.pods, others.clone());
        }
        set.policies.extend(split);
    }
}

/// Whether a rule says something else of what travels otherwise.
fn is_touched(rule: &Rule, tunnels: &[Tunnel]) -> bool {
    let mut each = tunnels.iter();
    let between = each.any(|t| matches!(t.way, TunnelWay::Between(_)));
    between && rule.peers != Peers::Any || !matches!(rule.ports, Ports::Any)
}

/// The values of the label whose pods have the same tunnels and port names.
struct SubjectSplit<'t> {
    proxies: &'t MeshProxies,
    values: BTreeSet<Box<str>>,
    /// The tunnels, per direction of a policy of these pods.
    tunnels: [Vec<&'t Tunnel>; 2],
    /// Where these pods may reach what is no pod besides, and be reached by it.
    outside: Vec<&'t OutsideWay>,
    names: Option<&'t PortNames>,
}

/// Sorts the values of the label by their tunnels.
fn parts(proxies: &MeshProxies) -> Vec<SubjectSplit<'_>> {
    let tunnels = &proxies.tunnels;
    let ends = tunnels
        .iter()
        .flat_map(|t| t.sources.iter().chain(&t.destinations));
    let outside = proxies.outside.iter();
    let values: BTreeSet<&Box<str>> = ends.chain(outside.flat_map(|way| &way.values)).collect();
    let mut parts: Vec<SubjectSplit<'_>> = Vec::new();
    for value in values {
        let of = |ends: fn(&Tunnel) -> &BTreeSet<Box<str>>| {
            let having = tunnels.iter().filter(|tunnel| ends(tunnel).contains(value));
            having.collect::<Vec<_>>()
        };
        let own = [of(|t| &t.destinations), of(|t| &t.sources)];
        let outside = proxies.outside.iter();
        let outside: Vec<_> = outside.filter(|way| way.values.contains(value)).collect();
        let names = proxies.names.get(value);
        let same = |part: &&mut SubjectSplit<'_>| {
            part.tunnels == own && part.outside == outside && part.names == names
        };
        match parts.iter_mut().find(same) {
            Some(part) => _ = part.values.insert(value.clone()),
            None => parts.push(SubjectSplit {
                proxies,
                values: [value.clone()].into(),
                tunnels: own,
                outside,
                names,
            }),
        }
    }
    parts
}

/// A selector with a further requirement.
fn with(selector: &Selector, further: Requirement) -> Selector {
    Selector::new(selector.requirements().iter().cloned().chain([further]))
}

fn among(key: &str, values: &BTreeSet<Box<str>>) -> Requirement {
    Requirement::In(key.into(), values.iter().cloned().collect())
}

/// Peers that have the same tunnels and port names.
struct Peering<'t> {
    values: BTreeSet<Box<str>>,
    tunnels: Vec<&'t Tunnel>,
    names: Option<&'t PortNames>,
}

impl<'t> SubjectSplit<'t> {
    /// A policy for these pods.
    fn of(&self, policy: &Policy, id: PolicyId) -> Policy {
        let mut own = policy.clone();
        let these = among(self.proxies.key, &self.values);
        own.subject.pods = with(&policy.subject.pods, these);
        let mut places = [Vec::new(), Vec::new()];
        for direction in Direction::ALL {
            let d = direction.index();
            own.rules[d] = self.beside(direction);
            let root = || RulePlace::whole(Path::root());
            places[d].extend(own.rules[d].iter().map(|_| root()));
            for (i, rule) in policy.rules(direction).iter().enumerate() {
                let at = RuleRef::rule(id, direction, i);
                for rule in self.split(rule, direction) {
                    places[d].push(place(policy, at, &rule));
                    own.rules[d].push(rule);
                }
            }
        }
        own.layout = Some(Arc::new(Layout {
            root: policy.root(),
            rules: places,
        }));
        own
    }

    /// What may come by another way, whatever a policy says.
    fn beside(&self, direction: Direction) -> Vec<Rule> {
        let tunnels = self.tunnels[direction.index()].iter();
        let each = tunnels.filter_map(|tunnel| {
            let TunnelWay::Beside { what, certain } = &tunnel.way else {
                return None;
            };
            let ends = match direction {
                Direction::Ingress => &tunnel.sources,
                Direction::Egress => &tunnel.destinations,
            };
            let everywhere = Namespaces::Matching(Selector::everything());
            let these = Selector::new([among(self.proxies.key, ends)]);
            let peers = Peers::Of([Peer::Pods(everywhere, these)].into());
            let ports = Ports::Of([PortMatch::Traffic(tunnel.traffic.clone())].into());
            Some(Rule {
                qualifiers: if *certain {
                    Vec::new()
                } else {
                    vec![Qualifier::Undocumented(what.clone())]
                },
                ..Rule::new(Action::Allow, peers, ports)
            })
        });
        let outside = self.outside.iter().map(|way| Rule {
            qualifiers: vec![Qualifier::Undocumented(way.what.clone())],
            ..Rule::new(
                Action::Allow,
                Peers::Of([Peer::no_pod()].into()),
                Ports::Any,
            )
        });
        each.chain(outside).collect()
    }

    /// The peers of a direction, by their tunnels.
    fn peerings(&self, direction: Direction) -> Vec<Peering<'t>> {
        let tunnels = &self.tunnels[direction.index()];
        let ends = |tunnel: &'t Tunnel| match direction {
            Direction::Ingress => &tunnel.sources,
            Direction::Egress => &tunnel.destinations,
        };
        let all: BTreeSet<&Box<str>> = tunnels.iter().flat_map(|t| ends(t)).collect();
        let mut found: Vec<Peering<'t>> = Vec::new();
        for value in all {
            let own = tunnels.iter().copied().filter(|t| ends(t).contains(value));
            let own: Vec<&Tunnel> = own.collect();
            let names = match direction {
                Direction::Ingress => self.names,
                Direction::Egress => self.proxies.names.get(value),
            };
            let same = |p: &&mut Peering<'_>| p.tunnels == own && p.names == names;
            match found.iter_mut().find(same) {
                Some(peering) => _ = peering.values.insert(value.clone()),
                None => found.push(Peering {
                    values: [value.clone()].into(),
                    tunnels: own,
                    names,
                }),
            }
        }
        found
    }

    /// A rule that denies, where traffic may go by another way: it says the same of others, and of
    /// these what is left to it.
    fn denied(&self, rule: &Rule, direction: Direction) -> Vec<Rule> {
        let peerings = self.peerings(direction);
        let proxied = |values: &BTreeSet<Box<str>>| {
            let everywhere = Namespaces::Matching(Selector::everything());
            Peer::Pods(everywhere, Selector::new([among(self.proxies.key, values)]))
        };
        let all = peerings.iter().map(|peering| proxied(&peering.values));
        let outside = (!self.outside.is_empty()).then(Peer::no_pod);
        let mut rules = vec![Rule {
            peers: without(&rule.peers, Peer::AnyOf(all.chain(outside).collect())),
            ..rule.clone()
        }];
        let ways = self.outside.iter();
        let doubts = ways.map(|way| Qualifier::Undocumented(way.what.clone()));
        let doubts: Vec<Qualifier> = doubts.collect();
        if !doubts.is_empty() {
            rules.push(Rule {
                peers: both(&rule.peers, &Peer::no_pod()),
                qualifiers: [&rule.qualifiers[..], &doubts].concat(),
                ..rule.clone()
            });
        }
        for peering in &peerings {
            let peers = both(&rule.peers, &proxied(&peering.values));
            rules.extend(peering.denied(rule, &peers));
        }
        rules
    }

    /// A rule, by its peers.
    fn split(&self, rule: &Rule, direction: Direction) -> Vec<Rule> {
        let peerings = self.peerings(direction);
        let mut tunnels = self.proxies.tunnels.iter();
        let beside = tunnels.all(|tunnel| matches!(tunnel.way, TunnelWay::Beside { .. }));
        if beside && rule.action == Action::Deny {
            return self.denied(rule, direction);
        }
        if beside || peerings.is_empty() || !is_touched(rule, &self.proxies.tunnels) {
            return vec![rule.clone()];
        }
        let proxied = |values: &BTreeSet<Box<str>>| {
            let everywhere = Namespaces::Matching(Selector::everything());
            let these = Selector::new([among(self.proxies.key, values)]);
            Peer::Pods(everywhere, these)
        };
        let mut rules = Vec::new();
        for peering in &peerings {
            rules.extend(peering.rules(rule, &proxied(&peering.values)));
        }
        let all = peerings
            .iter()
            .flat_map(|p| p.values.iter().cloned())
            .collect();
        rules.push(Rule {
            peers: without(&rule.peers, proxied(&all)),
            ..rule.clone()
        });
        rules
    }
}

impl Peering<'_> {
    /// What is left of a rule that denies, for these peers: nothing of what surely goes by another
    /// way, and perhaps what perhaps does.
    fn denied(&self, rule: &Rule, peers: &Peers) -> Vec<Rule> {
        let carried = |surely: bool| {
            let of = self.tunnels.iter().filter(move |tunnel| {
                matches!(tunnel.way, TunnelWay::Beside { certain, .. } if certain == surely)
            });
            of.fold(TrafficSet::empty(), |all, t| all.union(&t.traffic))
        };
        let (sure, perhaps) = (carried(true), carried(false));
        let perhaps = perhaps.difference(&sure);
        let names = self.tunnels.iter().filter_map(|tunnel| match &tunnel.way {
            TunnelWay::Beside { what, .. } => Some(Qualifier::Undocumented(what.clone())),
            _ => None,
        });
        let doubts: Vec<Qualifier> = names.collect();
        let with = |ports: Ports, doubts: &[Qualifier]| Rule {
            peers: peers.clone(),
            ports,
            qualifiers: [&rule.qualifiers, doubts].concat(),
            ..rule.clone()
        };
        let mut rules = Vec::new();
        let rest = TrafficSet::all().difference(&sure).difference(&perhaps);
        for (traffic, doubts) in [(&rest, &[][..]), (&perhaps, &doubts)] {
            if !traffic.is_empty() {
                rules.push(with(self.left(&rule.ports, traffic), doubts));
            }
        }
        let is_named = |p: &PortMatch| matches!(p, PortMatch::Named(..));
        let named = match &rule.ports {
            Ports::Of(list) => list.iter().filter(|p| is_named(p)).cloned().collect(),
            Ports::Any => Vec::new(),
        };
        if !named.is_empty() && !sure.union(&perhaps).is_all() {
            rules.push(with(Ports::Of(named.into()), &doubts));
        }
        rules
    }

    /// What a rule says of these peers.
    fn rules(&self, rule: &Rule, proxied: &Peer) -> Vec<Rule> {
        let mut rest = TrafficSet::all();
        let mut rules = Vec::new();
        let peers = both(&rule.peers, proxied);
        for tunnel in &self.tunnels {
            let traffic = tunnel.traffic.intersection(&rest);
            rest = rest.difference(&traffic);
            let ports = Ports::Of([PortMatch::Traffic(traffic)].into());
            match &tunnel.way {
                TunnelWay::Port(port) if self.opens(&rule.ports, *port) => rules.push(Rule {
                    peers: peers.clone(),
                    ports,
                    ..rule.clone()
                }),
                TunnelWay::Port(_) | TunnelWay::Beside { .. } => {}
                TunnelWay::Between(what) => {
                    let mut qualifiers = rule.qualifiers.clone();
                    qualifiers.push(Qualifier::Undocumented(what.clone()));
                    rules.push(Rule {
                        peers: Peers::Of([proxied.clone()].into()),
                        ports,
                        qualifiers,
                        ..rule.clone()
                    });
                }
            }
        }
        rules.push(Rule {
            peers,
            ports: self.left(&rule.ports, &rest),
            ..rule.clone()
        });
        rules
    }

    /// What an entry of a rule's ports stands for at these destinations.
    fn numbers(&self, port: &PortMatch) -> TrafficSet {
        match port {
            PortMatch::Traffic(set) => set.clone(),
            PortMatch::Portless(_) => TrafficSet::empty(),
            PortMatch::Named(name, protocol) => {
                let names = self.names.into_iter().flatten();
                let meant = names.filter(|(known, _)| known == name);
                let all = meant.fold(TrafficSet::empty(), |all, (_, set)| all.union(set));
                match protocol {
                    Some(protocol) => all.intersection(&TrafficSet::protocol(*protocol)),
                    None => all,
                }
            }
        }
    }

    /// Whether the ports of a rule let through what goes to a port of the proxy.
    fn opens(&self, ports: &Ports, port: u16) -> bool {
        let proxy = TrafficSet::ports(Protocol::Tcp, port, port);
        match ports {
            Ports::Any => true,
            Ports::Of(list) => list.iter().any(|p| proxy.is_subset(&self.numbers(p))),
        }
    }

    /// What a rule does not let through because it travels to another port: words that match
    /// nothing, for who reads the rule.
    fn missing(&self, ports: &Ports) -> impl Iterator<Item = PortMatch> {
        let proxy = self.tunnels.iter().filter_map(|tunnel| match tunnel.way {
            TunnelWay::Port(port) if !self.opens(ports, port) => Some(port),
            _ => None,
        });
        let proxy: BTreeSet<u16> = proxy.collect();
        let words = |port| format!("no port {port}, on which proxies send TCP").into();
        proxy
            .into_iter()
            .map(move |port| PortMatch::Portless(words(port)))
    }

    /// The ports of a rule, of traffic that travels as it is.
    fn left(&self, ports: &Ports, rest: &TrafficSet) -> Ports {
        match ports {
            Ports::Any => Ports::Of([PortMatch::Traffic(rest.clone())].into()),
            Ports::Of(list) => {
                let number = |port| PortMatch::Traffic(self.numbers(port).intersection(rest));
                Ports::Of(list.iter().map(number).chain(self.missing(ports)).collect())
            }
        }
    }
}

/// Peers that are both.
fn both(peers: &Peers, proxied: &Peer) -> Peers {
    match peers {
        Peers::Any => Peers::Of([proxied.clone()].into()),
        Peers::Of(list) => {
            let not = |peer: Peer| Peer::NoneOf([peer].into());
            let each = list.iter();
            let each = each.map(|peer| not_any([not(peer.clone()), not(proxied.clone())]));
            Peers::Of(each.collect())
        }
    }
}

/// Peers that are not among some.
fn without(peers: &Peers, proxied: Peer) -> Peers {
    match peers {
        Peers::Any => Peers::Of([not_any([proxied])].into()),
        Peers::Of(list) => {
            let not = |peer: Peer| Peer::NoneOf([peer].into());
            let each = list.iter();
            let each = each.map(|peer| not_any([not(peer.clone()), proxied.clone()]));
            Peers::Of(each.collect())
        }
    }
}

fn not_any<const N: usize>(peers: [Peer; N]) -> Peer {
    Peer::NoneOf(peers.into())
}

/// The place of a rule that is made of another one.
fn place(policy: &Policy, at: RuleRef, made: &Rule) -> RulePlace {
    let count = match &made.peers {
        Peers::Any => 0,
        Peers::Of(list) => list.len(),
    };
    let peers = (0..count).map(|peer| policy.rule_path(at.with_peer(peer)));
    let count = match &made.ports {
        Ports::Any => 0,
        Ports::Of(list) => list.len(),
    };
    let port = |number| {
        let port = u32::try_from(number).ok();
        policy.rule_path(RuleRef { port, ..at })
    };
    RulePlace::Parts {
        rule: policy.rule_path(at),
        peers: PeersPlace::Each(peers.collect()),
        ports: PortsPlace::Each((0..count).map(port).collect()),
    }
}
