//! A policy of Antrea lowered into one of the rule form (AN10-AN16, AN20-AN53).
//!
//! A rule becomes one or more rules at its position that follow each other: one for each range of
//! source ports, one for each Service that it names, and where requests decide, one that lets them
//! through and one that stops the others. Whom a rule is for depends on groups, so a policy is
//! lowered when it is read, without these, and once more for each graph ([`super::specialize`]).

use crate::model::{Cluster, NAMESPACE_NAME_LABEL, Requirement, Selector, Service, Truth};
use crate::policy::antrea::groups::{behind, members, service};
use crate::policy::antrea::knowledge::AntreaKnowledge;
use crate::policy::antrea::policy::{
    AntreaAction, AntreaPeer, AntreaPeerKind, AntreaPolicy, AntreaPort, AntreaRule, AppliedTo,
    NamespacedName, PeerNamespaces, ServicePeer,
};
use crate::policy::antrea::subjects::{Subjects, common};
use crate::policy::layout::{Layout, PeersPlace, PortsPlace, RulePlace};
use crate::policy::rule::{
    Action, AddressOwner, Direction, Namespaces, Peer, Peers, Policy, PolicySource, PortMatch,
    Ports, Qualifier, Rule, Shape, Symbol,
};
use crate::policy::tier::kubernetes;
use crate::set::{IpSet, TrafficSet};
use crate::source::{DocumentId, Path};
use ipnet::IpNet;
use std::sync::Arc;

/// How the parts of a `NetworkPolicy` of Antrea are called.
pub static NAMESPACED: Shape = shape("NetworkPolicy.crd.antrea.io", "crd.antrea.io/v1beta1");
/// How the parts of a `ClusterNetworkPolicy` of Antrea are called.
pub static CLUSTER: Shape = shape(
    "ClusterNetworkPolicy.crd.antrea.io",
    "crd.antrea.io/v1beta1",
);
/// The same of versions before v1beta1.
pub static OLDER_NAMESPACED: Shape = shape("NetworkPolicy.crd.antrea.io", "crd.antrea.io/v1alpha1");
/// The same of versions before v1beta1.
pub static OLDER_CLUSTER: Shape = shape(
    "ClusterNetworkPolicy.crd.antrea.io",
    "crd.antrea.io/v1alpha1",
);

const fn shape(kind: &'static str, api_version: &'static str) -> Shape {
    Shape {
        kind,
        api_version,
        rules: ["ingress", "egress"],
        peers: ["from", "to"],
        ports: "ports",
        subject: "appliedTo",
        allow: "Allow",
        has_actions: true,
    }
}

/// The label of a pod that names its service account: no label of a manifest has a blank.
pub const ACCOUNT: &str = "service account";

/// Lowers a policy.
pub fn lower(
    written: &Arc<AntreaPolicy>,
    name: &str,
    document: DocumentId,
    known: &AntreaKnowledge<'_>,
) -> Policy {
    let lowering = AntreaLowering {
        known,
        policy: written,
        clusterips: known.cluster.map(cluster_addresses).unwrap_or_default(),
    };
    let mut layout = Layout {
        root: Path::root().key("spec"),
        rules: [Vec::new(), Vec::new()],
    };
    let mut rules = [Vec::new(), Vec::new()];
    for direction in Direction::ALL {
        let d = direction.index();
        for (index, rule) in written.rules[d].iter().enumerate() {
            for (lowered, ports) in lowering.rule(rule, direction) {
                layout.rules[d].push(place(rule, direction, index, ports));
                rules[d].push(lowered);
            }
        }
    }
    let subject = common(&mut rules);
    let has_rules = Direction::ALL.map(|d| !written.rules[d.index()].is_empty());
    Policy {
        namespace: written.namespace.clone(),
        name: name.into(),
        document,
        shape: match (written.namespace.is_some(), written.older) {
            (true, false) => &NAMESPACED,
            (false, false) => &CLUSTER,
            (true, true) => &OLDER_NAMESPACED,
            (false, true) => &OLDER_CLUSTER,
        },
        tier: kubernetes::NETWORK,
        priority: written.priority,
        tie: None,
        subject,
        applies: has_rules,
        isolates: [false, false],       // AN13
        sees_own_service: Truth::Maybe, // Antrea does not say
        rules,
        layout: Some(Arc::new(layout)),
        written: Some(PolicySource::Antrea(Arc::clone(written))),
        generated: None,
    }
}

/// Where a rule stands, and its ports: each in a field of it, by number.
fn place(rule: &AntreaRule, direction: Direction, index: usize, ports: &[PortPlace]) -> RulePlace {
    let at = Path::root().key(direction.name()).index(index);
    let peers = at.key(["from", "to"][direction.index()]);
    let each = rule.peers.iter().flatten().enumerate();
    let each = each.map(|(i, _)| peers.index(i));
    RulePlace::Parts {
        peers: if rule.services.is_empty() {
            PeersPlace::Each(each.collect())
        } else {
            PeersPlace::Field(at.key("toServices"))
        },
        ports: PortsPlace::Each(ports.iter().map(|(f, i)| at.key(f).index(*i)).collect()),
        rule: at,
    }
}

/// The addresses at which the Services of a cluster are called.
fn cluster_addresses(cluster: &Cluster) -> IpSet {
    let addresses = cluster.services().flat_map(|(_, s)| s.addresses.iter());
    IpSet::from_cidrs(addresses.map(|address| IpNet::from(*address)))
}

/// A field of a rule, and a number in its list.
type PortPlace = (&'static str, usize);

/// A rule, and where its ports stand.
type PlacedRule<'r> = (Rule, &'r [PortPlace]);

/// Lowers the rules of one policy.
struct AntreaLowering<'k> {
    known: &'k AntreaKnowledge<'k>,
    policy: &'k AntreaPolicy,
    clusterips: IpSet,
}

/// What of a rule is the same in all that it becomes.
struct RuleParts {
    action: Action,
    name: Option<Box<str>>,
    qualifiers: Vec<Qualifier>,
    request: Option<Box<str>>,
}

impl RuleParts {
    /// Adds the rule with some peers and ports; where requests decide, what lets no request through
    /// is stopped (AN53).
    fn add<'r>(
        &self,
        rules: &mut Vec<PlacedRule<'r>>,
        (subjects, peers): (&Peers, &Peers),
        source: Option<(u16, u16)>,
        (ports, places): (Ports, &'r [PortPlace]),
    ) {
        let mut rule = Rule::new(self.action, peers.clone(), ports);
        rule.subjects = subjects.clone();
        rule.name.clone_from(&self.name);
        rule.qualifiers.clone_from(&self.qualifiers);
        rule.qualifiers
            .extend(source.map(|range| Qualifier::SourcePorts(vec![range])));
        if let Some(request) = &self.request {
            let mut allowing = rule.clone();
            let condition = Qualifier::Application(request.clone());
            allowing.qualifiers.push(condition);
            rules.push((allowing, places));
            rule.action = Action::Deny;
        }
        rules.push((rule, places));
    }
}

impl AntreaLowering<'_> {
    fn rule<'r>(&self, rule: &'r AntreaRule, direction: Direction) -> Vec<PlacedRule<'r>> {
        let subjects = self.subjects(rule);
        let mut qualifiers = Vec::new();
        qualifiers.extend(
            subjects
                .doubt
                .map(|words| Qualifier::Undocumented(words.into())),
        );
        let parts = RuleParts {
            action: match rule.action {
                AntreaAction::Allow => Action::Allow,
                AntreaAction::Deny => Action::Deny,
                AntreaAction::Pass => Action::Pass,
            },
            name: rule.name.clone(),
            qualifiers,
            request: rule.request.clone(),
        };
        let mut rules = Vec::new();
        let own = Peers::Of(subjects.pods.into());
        if rule.services.is_empty() {
            let peers = self.peers(rule.peers.as_deref());
            each_source(rule, |source, ports| {
                parts.add(&mut rules, (&own, &peers), source, ports);
            });
        }
        for service in &rule.services {
            for (peers, ports) in self.service(service) {
                parts.add(&mut rules, (&own, &peers), None, (ports, &[]));
            }
        }
        if direction == Direction::Ingress && !subjects.at_nodes.is_empty() {
            let behind = Peers::Of(subjects.at_nodes.into());
            let peers = from_outside(self.peers(rule.peers.as_deref()));
            each_source(rule, |source, ports| {
                parts.add(&mut rules, (&behind, &peers), source, ports);
            });
        }
        rules
    }

    /// Whom a rule is for (AN20-AN27).
    fn subjects(&self, rule: &AntreaRule) -> Subjects {
        let entries = self.policy.applied_to(rule);
        let peers = || rule.peers.iter().flatten();
        let mut subjects = Subjects::default();
        for entry in entries {
            match entry {
                AppliedTo::Pods { namespaces, pods } => {
                    let is_empty = namespaces.is_none() && pods.is_none();
                    if is_empty && self.policy.namespace.is_none() {
                        if !peers().any(AntreaPeer::is_relative) {
                            continue; // AN21
                        }
                        subjects.doubt = Some("for whom a rule is whose `appliedTo` is empty");
                    }
                    let namespaces = self.own_or(namespaces.as_ref());
                    let pods = pods.clone().unwrap_or_default();
                    subjects.pods.push(Peer::Pods(namespaces, pods));
                }
                AppliedTo::Group(name) => self.add_group(name, &mut subjects),
                AppliedTo::Account(name) => subjects.pods.push(of_account(name)),
                AppliedTo::Service(name) => subjects.at_nodes.extend(behind(self.known, name)),
                AppliedTo::Nodes(_) | AppliedTo::External => {}
            }
        }
        let keyed = peers().any(|peer| peer.same_labels().is_some());
        if keyed && rule.applied_to.is_empty() && entries.len() > 1 {
            subjects.doubt = Some("which namespaces `sameLabels` means with several `appliedTo`");
        }
        subjects
    }

    /// The members of a group that are governed: pods (AN23).
    fn add_group(&self, name: &str, subjects: &mut Subjects) {
        let own = self.policy.namespace.as_deref();
        let members = members(self.known, own, name);
        let is_pods = |peer: &&Peer| matches!(peer, Peer::Pods(..) | Peer::Symbol(Symbol::Perhaps));
        let elsewhere = |peer: &Peer| matches!(peer, Peer::Pods(Namespaces::Matching(_), _));
        if own.is_some() && members.iter().any(elsewhere) {
            subjects.doubt = Some("a Group that selects namespaces cannot be applied to");
        }
        subjects
            .pods
            .extend(members.iter().filter(is_pods).cloned());
    }

    /// The namespaces of a selector; without one the policy's own, or all.
    fn own_or(&self, selector: Option<&Selector>) -> Namespaces {
        match (selector, &self.policy.namespace) {
            (Some(selector), _) => Namespaces::Matching(selector.clone()),
            (None, Some(own)) => Namespaces::Named(own.clone()),
            (None, None) => Namespaces::Matching(Selector::everything()),
        }
    }

    fn peers(&self, peers: Option<&[AntreaPeer]>) -> Peers {
        match peers {
            None => Peers::Any, // AN30
            Some(list) => Peers::Of(list.iter().map(|peer| self.peer(peer)).collect()),
        }
    }

    /// AN31-AN39, AN41.
    fn peer(&self, peer: &AntreaPeer) -> Peer {
        let own = self.policy.namespace.as_deref();
        let found = match &peer.kind {
            AntreaPeerKind::Pods { namespaces, pods } => self.pods(namespaces, pods.as_ref()),
            AntreaPeerKind::Addresses(set) => Peer::Addresses(set.clone()),
            AntreaPeerKind::Group(name) => any_of(members(self.known, own, name)),
            AntreaPeerKind::Account(name) => of_account(name),
            AntreaPeerKind::Nodes(selector) => Peer::Nodes(selector.clone()),
            AntreaPeerKind::Domain(name) => self.domain(name),
            AntreaPeerKind::External => Peer::Symbol(Symbol::SomeOutside),
        };
        if peer.everywhere {
            return any_of(vec![found, Peer::Symbol(Symbol::SomeOutside)]);
        }
        found
    }

    fn pods(&self, namespaces: &PeerNamespaces, pods: Option<&Selector>) -> Peer {
        let namespaces = match namespaces {
            PeerNamespaces::Unsaid if pods.is_none() && self.policy.namespace.is_none() => {
                return any_of(Vec::new()); // AN31
            }
            PeerNamespaces::Unsaid => self.own_or(None),
            PeerNamespaces::Matching(selector) => Namespaces::Matching(selector.clone()),
            PeerNamespaces::Same => Namespaces::SameLabels(vec![NAMESPACE_NAME_LABEL.into()]),
            PeerNamespaces::SameLabels(keys) => Namespaces::SameLabels(keys.clone()),
        };
        Peer::Pods(namespaces, pods.cloned().unwrap_or_default())
    }

    /// A name stands for outside addresses, and never for that of a Service (AN39).
    fn domain(&self, name: &str) -> Peer {
        let domain = Peer::Domain(name.into());
        if self.clusterips.is_empty() {
            return domain;
        }
        let services = Peer::Addresses(self.clusterips.clone());
        Peer::AllOf([domain, Peer::NoneOf([services].into())].into())
    }

    /// Calls of a Service, at its address and ports (AN40, AN41).
    fn service(&self, peer: &ServicePeer) -> Vec<(Peers, Ports)> {
        let found = self.known.cluster.and_then(|c| service(c, &peer.name));
        let somewhere = Peers::Of([Peer::Symbol(Symbol::SomeOutside)].into());
        let mut calls = Vec::new();
        match found {
            Some(service) if !is_supported(service) => {}
            Some(service) => {
                let ports = service.ports.iter();
                let ports = ports.map(|p| TrafficSet::ports(p.protocol, p.port, p.port));
                let ports = Ports::Of(ports.map(PortMatch::Traffic).collect());
                let addresses = service.addresses.iter().map(|a| IpNet::from(*a));
                let at = IpSet::from_cidrs(addresses);
                let at = if at.is_empty() {
                    // the address is not told: one where those of Services may lie
                    let owned = Peer::Owned(AddressOwner::NoPod, IpSet::assumed_pods());
                    Peer::AllOf([owned, Peer::Symbol(Symbol::SomeOutside)].into())
                } else {
                    Peer::Addresses(at)
                };
                calls.push((Peers::Of([at].into()), ports));
            }
            None => calls.push((somewhere.clone(), Ports::Any)),
        }
        if peer.everywhere {
            calls.push((somewhere, Ports::Any));
        }
        if calls.is_empty() {
            calls.push((Peers::Of([].into()), Ports::Any));
        }
        match self.known.called {
            Some(called) => {
                seen_as_call(&calls, found.is_some_and(is_supported) && peer.is(called))
            }
            None => calls,
        }
    }
}

/// Whether rules see the calls of a Service: those of one with an address.
fn is_supported(service: &Service) -> bool {
    !service.headless && service.external_name.is_none()
}

/// The calls of a rule where all traffic calls one Service: every call of it if the rule means that
/// Service, none otherwise. As many as before, so that each keeps its place.
fn seen_as_call(calls: &[(Peers, Ports)], is_meant: bool) -> Vec<(Peers, Ports)> {
    let nobody = (Peers::Of([].into()), Ports::Any);
    let mut seen = vec![nobody; calls.len()];
    if is_meant {
        seen[0].0 = Peers::Of([Peer::Symbol(Symbol::Everything)].into());
    }
    seen
}

/// Calls a function with the ports of a rule, for each range of ports of the source.
fn each_source<'r>(
    rule: &'r AntreaRule,
    mut call: impl FnMut(Option<(u16, u16)>, (Ports, &'r [PortPlace])),
) {
    match &rule.ports {
        None => call(None, (Ports::Any, &[])),
        Some(list) => {
            for entry in list {
                let ports = entry.ports.iter().map(port);
                call(entry.source, (Ports::Of(ports.collect()), &entry.places));
            }
        }
    }
}

fn port(port: &AntreaPort) -> PortMatch {
    match port {
        AntreaPort::Traffic(set) => PortMatch::Traffic(set.clone()),
        AntreaPort::Named(name, protocol) => PortMatch::Named(name.clone(), Some(*protocol)),
        AntreaPort::Igmp => PortMatch::Portless("IGMP".into()),
    }
}

/// The pods of a service account (AN24).
fn of_account(name: &NamespacedName) -> Peer {
    let account = Requirement::In(ACCOUNT.into(), vec![name.name.clone()]);
    let namespace = Namespaces::Named(name.namespace.clone());
    Peer::Pods(namespace, Selector::new([account]))
}

/// Callers outside the cluster, as far as these peers may be: whether they come by the port of a
/// node is not told (AN26).
fn from_outside(peers: Peers) -> Peers {
    let outside = Peer::Symbol(Symbol::SomeOutside);
    let each = |peer: &Peer| Peer::AllOf([peer.clone(), outside.clone()].into());
    match peers {
        Peers::Any => Peers::Of([outside.clone()].into()),
        Peers::Of(list) => Peers::Of(list.iter().map(each).collect()),
    }
}

/// Any of these.
fn any_of(mut peers: Vec<Peer>) -> Peer {
    match peers.len() {
        1 => peers.swap_remove(0),
        _ => Peer::AnyOf(peers.into()),
    }
}
