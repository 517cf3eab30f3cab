//! The ports of a rule of Calico on both of its sides (CA82-CA90).
//!
//! A rule covers traffic, source ports, sources and destinations. Where each of them holds whatever
//! the others are, it is one box. A port name stands for other numbers at other ends, so that a
//! rule with names is several boxes, which together are the rule:
//!
//! ```text
//! source ports 1000-2000, or "web" (8080 at some pods)
//!   1. any source               from 1000-2000
//!   2. pods whose web is 8080   from 8080
//! ```
//!
//! Invariant: a flow lies in a box if and only if the rule matches it. Cost: O(numbers that pods
//! give the names of a rule).

use crate::model::{Requirement, Selector, Service, ServicePort, TargetPort};
use crate::policy::calico::knowledge::{CalicoKnowledge, SidePeers};
use crate::policy::calico::labels::port_label;
use crate::policy::calico::policy::{CalicoPort, CalicoRule};
use crate::policy::calico::ports::{names, numbers, ranges};
use crate::policy::rule::{Direction, Namespaces, Peer, PortMatch, Ports};
use crate::set::{IpSet, Protocol, TrafficSet};
use std::collections::{BTreeMap, BTreeSet};

/// A protocol and a number that a name stands for.
type Numbered = (Protocol, u16);

/// A part of a rule in which its conditions do not depend on each other.
#[derive(Debug, Clone)]
pub struct RuleBox {
    /// The traffic.
    pub ports: Ports,
    /// The source's ports, if not all.
    pub source_ports: Option<Vec<(u16, u16)>>,
    /// Who sends: all of these.
    pub source: Vec<Peer>,
    /// Who receives: all of these.
    pub destination: Vec<Peer>,
}

/// A box while its traffic is a set.
#[derive(Debug, Clone)]
struct OpenBox {
    traffic: TrafficSet,
    named: Vec<PortMatch>,
    source_ports: Option<Vec<(u16, u16)>>,
    source: Vec<Peer>,
    destination: Vec<Peer>,
}

impl OpenBox {
    fn is_empty(&self) -> bool {
        let nothing = self.traffic.is_empty() && self.named.is_empty();
        nothing || self.source_ports.as_ref().is_some_and(Vec::is_empty)
    }

    /// The part of some traffic.
    fn of(&self, traffic: &TrafficSet) -> Self {
        let covered = |port: &&PortMatch| match port {
            PortMatch::Named(_, Some(p)) => !traffic.is_disjoint(&TrafficSet::protocol(*p)),
            _ => true,
        };
        Self {
            traffic: self.traffic.intersection(traffic),
            named: self.named.iter().filter(covered).cloned().collect(),
            ..self.clone()
        }
    }

    fn closed(self) -> RuleBox {
        let ports = if self.traffic.is_all() && self.named.is_empty() {
            Ports::Any
        } else {
            let numbers = PortMatch::Traffic(self.traffic.clone());
            let numbers = Some(numbers).filter(|_| !self.traffic.is_empty());
            Ports::Of(numbers.into_iter().chain(self.named).collect())
        };
        RuleBox {
            ports,
            source_ports: self.source_ports,
            source: self.source,
            destination: self.destination,
        }
    }
}

/// Makes the boxes of one rule.
pub struct Boxes<'b> {
    /// What decides what names mean.
    pub known: &'b CalicoKnowledge<'b>,
    /// The rule.
    pub rule: &'b CalicoRule,
    /// Whom its sides mean: the source, the destination.
    pub sides: &'b [SidePeers; 2],
    /// Its direction.
    pub direction: Direction,
}

impl Boxes<'_> {
    /// All boxes.
    pub fn all(&self) -> Vec<RuleBox> {
        let whole = OpenBox {
            traffic: self.rule.traffic.clone(),
            named: Vec::new(),
            source_ports: None,
            source: self.sides[0].whole(),
            destination: self.sides[1].whole(),
        };
        let steps = [
            Self::service,
            Self::destination_ports,
            Self::not_destination_ports,
            Self::source_ports,
            Self::not_source_ports,
        ];
        let mut boxes = vec![whole];
        for step in steps {
            let all = boxes.into_iter().flat_map(|one| step(self, one));
            boxes = all.filter(|one| !one.is_empty()).collect();
        }
        boxes.into_iter().map(OpenBox::closed).collect()
    }

    /// The endpoints of a Service (CA87-CA90).
    fn service(&self, whole: OpenBox) -> Vec<OpenBox> {
        let side = match self.direction {
            Direction::Ingress => &self.rule.source,
            Direction::Egress => &self.rule.destination,
        };
        let Some((namespace, name)) = &side.service else {
            return vec![whole];
        };
        let Some(namespace) = namespace else {
            return Vec::new(); // CA89
        };
        let mut found = Vec::new();
        for (ports, peer) in self.backends(namespace, name) {
            let mut one = whole.clone();
            if self.direction == Direction::Ingress {
                one.source.push(peer); // CA88
                found.push(one);
                continue;
            }
            one.destination.push(peer);
            match ports {
                PortMatch::Traffic(traffic) => found.push(one.of(&traffic)),
                PortMatch::Named(_, Some(protocol)) => {
                    let covered = TrafficSet::protocol(protocol).is_subset(&one.traffic);
                    one.traffic = TrafficSet::empty();
                    one.named = Vec::from_iter(covered.then_some(ports));
                    found.push(one);
                }
                _ => {}
            }
        }
        found
    }

    /// The endpoints behind a Service, each with its ports: those that slices list, else those that
    /// the Service itself selects.
    fn backends(&self, namespace: &str, name: &str) -> Vec<(PortMatch, Peer)> {
        let is_meant = |of: &str, service: &str| of == namespace && service == name;
        let slices = self.known.objects.slices.iter();
        let mut slices = slices
            .filter(|slice| is_meant(&slice.namespace, &slice.service))
            .peekable();
        if slices.peek().is_some() {
            let mut by_port: BTreeMap<Numbered, Vec<ipnet::IpNet>> = BTreeMap::new();
            for at in slices.flat_map(|slice| &slice.endpoints) {
                let addresses = by_port.entry((at.protocol, at.port)).or_default();
                addresses.push(at.address.into());
            }
            let each = by_port.into_iter();
            return each
                .map(|(port, all)| {
                    let traffic = PortMatch::Traffic(single(port));
                    (traffic, Peer::Addresses(IpSet::from_cidrs(all)))
                })
                .collect();
        }
        let Some(cluster) = self.known.cluster else {
            return Vec::new();
        };
        let mut services = cluster.services().map(|(_, service)| service);
        let service = services
            .find(|service| is_meant(&cluster.namespace(service.namespace).name, &service.name));
        service.map_or_else(Vec::new, |service| selected(namespace, service))
    }

    /// CA82, CA84.
    fn destination_ports(&self, whole: OpenBox) -> Vec<OpenBox> {
        let ports = &self.rule.destination.ports;
        if ports.is_empty() {
            return vec![whole];
        }
        let mut found = vec![whole.of(&numbers(ports))];
        let called = names(ports);
        if called.is_empty() {
            return found;
        }
        let one_by_one = !self.rule.destination.not_ports.is_empty();
        if one_by_one {
            for name in called.iter().copied() {
                found.extend(self.numbered(&whole, name));
            }
        } else {
            found.extend(self.named(&whole, &called, &mut Vec::new()));
            let same = found
                .windows(2)
                .all(|w| w[0].destination == w[1].destination);
            if same && found.len() == 2 {
                let second = found.pop().map(|second| second.named).unwrap_or_default();
                found[0].named = second;
            }
        }
        for name in called {
            found.extend(self.at_hosts(&whole, name));
        }
        found
    }

    /// The pods that have ports of some names.
    fn named(
        &self,
        whole: &OpenBox,
        called: &[&str],
        named: &mut Vec<PortMatch>,
    ) -> Option<OpenBox> {
        let protocols = Protocol::ALL.into_iter();
        let covered = |p: &Protocol| !TrafficSet::protocol(*p).is_disjoint(&whole.traffic);
        let covered: Vec<Protocol> = protocols.filter(covered).collect();
        let any = covered.len() == Protocol::ALL.len();
        for name in called {
            if any {
                named.push(PortMatch::Named((*name).into(), None));
                continue;
            }
            let each = covered.iter();
            named.extend(each.map(|p| PortMatch::Named((*name).into(), Some(*p))));
        }
        let sets =
            self.sides[1].selected.is_some() && self.sides[1].whole() != self.sides[1].of_pods();
        Some(OpenBox {
            traffic: TrafficSet::empty(),
            named: std::mem::take(named),
            destination: if sets {
                self.sides[1].of_pods()
            } else {
                whole.destination.clone()
            },
            ..whole.clone()
        })
        .filter(|one| !one.named.is_empty())
    }

    /// The pods that have a port of a name, by its number.
    fn numbered(&self, whole: &OpenBox, name: &str) -> Vec<OpenBox> {
        let each = self.known.ports.called(name);
        each.map(|port| {
            let mut one = whole.of(&single(port));
            one.destination = self.sides[1].of_pods();
            one.destination.push(pods_with(&[name], port));
            one
        })
        .collect()
    }

    /// The host endpoints that have a port of a name.
    fn at_hosts(&self, whole: &OpenBox, name: &str) -> Vec<OpenBox> {
        let mut found = Vec::new();
        for index in &self.sides[1].hosts {
            let host = &self.known.objects.hosts[*index];
            for (_, protocol, number) in host.ports.iter().filter(|(own, ..)| **own == *name) {
                let mut one = whole.of(&single((*protocol, *number)));
                one.destination = self.sides[1].of_addresses(host.set());
                found.push(one);
            }
        }
        found
    }

    /// CA85.
    fn not_destination_ports(&self, whole: OpenBox) -> Vec<OpenBox> {
        let not = &self.rule.destination.not_ports;
        if not.is_empty() {
            return vec![whole];
        }
        let left = TrafficSet::all().difference(&numbers(not));
        let mut found = Vec::new();
        let mut rest = whole.of(&left);
        for (port, excluded) in self.excluded(not, 1) {
            let mut one = rest.of(&single(port));
            one.destination.push(Peer::NoneOf(excluded.into()));
            found.push(one);
            rest.traffic = rest.traffic.difference(&single(port));
        }
        found.push(rest);
        found
    }

    /// The endpoints of a side that give some names a number, by that number.
    fn excluded(&self, ports: &[CalicoPort], side: usize) -> BTreeMap<Numbered, Vec<Peer>> {
        let called = names(ports);
        let mut all: BTreeMap<Numbered, BTreeSet<&str>> = BTreeMap::new();
        for name in &called {
            for port in self.known.ports.called(name) {
                all.entry(port).or_default().insert(name);
            }
        }
        let peers = &self.sides[side];
        let of_pods = |(port, names): (Numbered, BTreeSet<&str>)| {
            let names: Vec<&str> = names.into_iter().collect();
            let both = [peers.pods.clone(), pods_with(&names, port)];
            (port, vec![Peer::AllOf(both.into())])
        };
        let mut excluded: BTreeMap<Numbered, Vec<Peer>> = all.into_iter().map(of_pods).collect();
        for index in &peers.hosts {
            let host = &self.known.objects.hosts[*index];
            for (name, protocol, number) in &host.ports {
                if called.contains(&&**name) {
                    let at = excluded.entry((*protocol, *number)).or_default();
                    at.push(Peer::Addresses(host.set()));
                }
            }
        }
        excluded
    }

    /// CA83, CA84.
    fn source_ports(&self, whole: OpenBox) -> Vec<OpenBox> {
        let ports = &self.rule.source.ports;
        if ports.is_empty() {
            return vec![whole];
        }
        let with_ports = Protocol::ALL.into_iter().map(TrafficSet::protocol);
        let with_ports = with_ports.fold(TrafficSet::empty(), |all, p| all.union(&p));
        let mut found = vec![OpenBox {
            source_ports: Some(ranges(ports)),
            ..whole.of(&with_ports)
        }];
        for name in names(ports) {
            for (protocol, number) in self.known.ports.called(name) {
                let mut one = whole.of(&TrafficSet::protocol(protocol));
                one.source_ports = Some(vec![(number, number)]);
                one.source = self.sides[0].of_pods();
                one.source.push(pods_with(&[name], (protocol, number)));
                found.push(one);
            }
            for index in &self.sides[0].hosts {
                let host = &self.known.objects.hosts[*index];
                let called = host.ports.iter().filter(|(own, ..)| **own == *name);
                for (_, protocol, number) in called {
                    let mut one = whole.of(&TrafficSet::protocol(*protocol));
                    one.source_ports = Some(vec![(*number, *number)]);
                    one.source = self.sides[0].of_addresses(host.set());
                    found.push(one);
                }
            }
        }
        found
    }

    /// CA83, CA85.
    fn not_source_ports(&self, whole: OpenBox) -> Vec<OpenBox> {
        let not = &self.rule.source.not_ports;
        if not.is_empty() {
            return vec![whole];
        }
        let excluded = self.excluded(not, 0);
        let told = whole.source_ports.clone().unwrap_or(vec![(0, u16::MAX)]);
        let told = without(&told, &ranges(not));
        let mut found = Vec::new();
        let mut rest = whole.clone();
        for protocol in Protocol::ALL {
            let of_protocol = excluded.iter().filter(|((p, _), _)| *p == protocol);
            let mut one = whole.of(&TrafficSet::protocol(protocol));
            rest.traffic = rest.traffic.difference(&TrafficSet::protocol(protocol));
            let mut left = told.clone();
            for ((_, number), peers) in of_protocol {
                let at = [(*number, *number)];
                if left.iter().any(|(a, b)| (*a..=*b).contains(number)) {
                    let mut single = one.clone();
                    single.source_ports = Some(at.to_vec());
                    single.source.push(Peer::NoneOf(peers.clone().into()));
                    found.push(single);
                }
                left = without(&left, &at);
            }
            one.source_ports = Some(left).filter(|left| left[..] != [(0, u16::MAX)]);
            found.push(one);
        }
        rest.named.clear(); // names are of protocols with ports
        found.push(rest);
        found
    }
}

/// Pods that give one of these names this number.
fn pods_with(names: &[&str], (protocol, number): Numbered) -> Peer {
    let label = |name: &&str| Requirement::Exists(port_label(name, protocol, number).into());
    let each: Vec<Selector> = names
        .iter()
        .map(|name| Selector::new([label(name)]))
        .collect();
    let pods = match &each[..] {
        [only] => only.clone(),
        _ => Selector::new([Requirement::AnyOf(each)]),
    };
    Peer::Pods(Namespaces::Matching(Selector::everything()), pods)
}

/// One port.
fn single((protocol, number): Numbered) -> TrafficSet {
    TrafficSet::ports(protocol, number, number)
}

/// The pods behind a Service and the ports that it leads to.
fn selected(namespace: &str, service: &Service) -> Vec<(PortMatch, Peer)> {
    let Some(pods) = &service.selector else {
        return Vec::new();
    };
    let peer = Peer::Pods(Namespaces::Named(namespace.into()), pods.clone());
    let port = |port: &ServicePort| match &port.target {
        TargetPort::Number(number) => PortMatch::Traffic(single((port.protocol, *number))),
        TargetPort::Name(name) => PortMatch::Named(name.clone(), Some(port.protocol)),
    };
    let ports = service.ports.iter().map(port);
    ports.map(|port| (port, peer.clone())).collect()
}

/// What is left of some ranges of ports without others.
fn without(ranges: &[(u16, u16)], others: &[(u16, u16)]) -> Vec<(u16, u16)> {
    let mut left = ranges.to_vec();
    for (first, last) in others {
        let cut = |(a, b): (u16, u16)| {
            let below = (a < *first).then(|| (a, b.min(first - 1)));
            let above = (b > *last).then(|| (a.max(last.saturating_add(1)), b));
            below.into_iter().chain(above)
        };
        left = left.into_iter().flat_map(cut).collect();
    }
    left
}
