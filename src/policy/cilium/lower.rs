//! A Rule of Cilium lowered into a policy of the rule form (CI10-CI14, CI50-CI59).
//!
//! Each Rule is a policy of the tier of `NetworkPolicies`, in which a deny wins. An entry becomes
//! one rule for each entry of its `toPorts`, because what makes a rule conditional stands there;
//! the [`Layout`] finds them again. What an entry means depends on the options of the agent and on
//! other objects, so a Rule is lowered when it is read, without these, and once more for each graph
//! ([`crate::policy::cilium::specialize`]).

use crate::model::{Cluster, NamespaceId, Requirement, Selector, Service, Truth};
use crate::policy::cilium::blocks;
use crate::policy::cilium::options::CiliumOptions;
use crate::policy::cilium::ports::{self, Authentication, name_words};
use crate::policy::cilium::selector::{self, RESERVED, SelectorScope, any_of};
use crate::policy::cilium::written::{
    CiliumEntry, EntryFields, LISTS, PortsForm, ServiceForm, WrittenRule, WrittenSelector,
    WrittenSubject,
};
use crate::policy::layout::{EntryPlace, Layout, RulePlace};
use crate::policy::plugin::CidrGroup;
use crate::policy::rule::{
    Action, AddressOwner, Direction, Namespaces, Peer, Peers, Policy, PolicySource, PortMatch,
    Ports, Qualifier, Rule, Shape, Subject, Symbol,
};
use crate::policy::tier::kubernetes;
use crate::policy::validate::parse_block_or_address;
use crate::source::{DocumentId, Path};
use ipnet::IpNet;
use std::sync::Arc;

/// How the parts of a `CiliumNetworkPolicy` are called.
pub static NAMESPACED: Shape = shape("CiliumNetworkPolicy");
/// How the parts of a `CiliumClusterwideNetworkPolicy` are called.
pub static CLUSTERWIDE: Shape = shape("CiliumClusterwideNetworkPolicy");

const fn shape(kind: &'static str) -> Shape {
    Shape {
        kind,
        api_version: "cilium.io/v2",
        rules: ["ingress", "egress"],
        peers: ["fromEndpoints", "toEndpoints"],
        ports: "toPorts",
        subject: "endpointSelector",
        allow: "allow",
        has_actions: false,
    }
}

/// What decides the meaning of a Rule besides its text.
#[derive(Debug, Clone, Copy)]
pub struct Knowledge<'k> {
    /// The options of the agent.
    pub options: &'k CiliumOptions,
    /// The cluster, with its Services; none while a single object is read.
    pub cluster: Option<&'k Cluster>,
    /// The groups of address blocks.
    pub groups: &'k [CidrGroup],
    /// Whether it is told where the API server listens.
    pub tells_api_server: bool,
}

/// Where a Rule stands.
#[derive(Debug, Clone)]
pub struct Standing<'s> {
    /// The name of its policy.
    pub name: &'s str,
    /// The document.
    pub document: DocumentId,
    /// `spec`, or an item of `specs`.
    pub root: Path,
}

/// Lowers a Rule.
pub fn lower(written: &Arc<WrittenRule>, standing: &Standing<'_>, known: Knowledge<'_>) -> Policy {
    let lowering = EntryLowering::new(written, known);
    let mut layout = Layout {
        root: standing.root.clone(),
        rules: [Vec::new(), Vec::new()],
    };
    let mut rules = [Vec::new(), Vec::new()];
    for direction in Direction::ALL {
        let d = direction.index();
        for deny in [false, true] {
            for (index, entry) in written.entries(d, deny).iter().enumerate() {
                for (rule, place) in lowering.entry(entry, d, deny, index) {
                    rules[d].push(rule);
                    layout.rules[d].push(place);
                }
            }
        }
    }
    Policy {
        namespace: written.namespace.clone(),
        name: standing.name.into(),
        document: standing.document,
        shape: if written.namespace.is_some() {
            &NAMESPACED
        } else {
            &CLUSTERWIDE
        },
        tier: kubernetes::NETWORK,
        priority: 0.into(),
        tie: None,
        subject: lowering.subject(),
        applies: [true, true],
        isolates: isolates(written),
        sees_own_service: Truth::No, // CI160
        rules,
        layout: Some(Arc::new(layout)),
        written: Some(PolicySource::Cilium(Arc::clone(written))),
        generated: None,
    }
}

/// Whether a Rule closes what it does not mention: it has an entry in the direction, and does not
/// say otherwise (CI12-CI14).
fn isolates(written: &WrittenRule) -> [bool; 2] {
    let told = [written.default_deny.ingress, written.default_deny.egress];
    [0, 1].map(|d| {
        let speaks = !written.entries(d, false).is_empty() || !written.entries(d, true).is_empty();
        speaks && told[d].unwrap_or(true)
    })
}

/// The peers of an entry, and the field that names them.
struct EntryPeers {
    field: &'static str,
    peers: Peers,
    /// What is not known of them.
    doubt: Option<Qualifier>,
}

impl EntryPorts {
    /// The rule of these ports and some peers.
    fn rule(self, action: Action, peers: &Peers, doubts: &[Qualifier]) -> Rule {
        let mut qualifiers = self.conditions;
        qualifiers.extend_from_slice(doubts);
        Rule {
            action,
            peers: peers.clone(),
            ports: self.ports,
            subjects: Peers::Any,
            name: None,
            qualifiers,
        }
    }
}

/// The ports of one rule, the place of the entry they come from, and its conditions.
struct EntryPorts {
    ports: Ports,
    place: Option<(&'static str, usize, &'static str)>,
    conditions: Vec<Qualifier>,
}

/// The identity of the proxy that serves Ingresses and Gateways (CI68).
const INGRESS: &str = "ingress";

struct EntryLowering<'k> {
    written: &'k WrittenRule,
    known: Knowledge<'k>,
    scope: SelectorScope<'k>,
}

impl<'k> EntryLowering<'k> {
    fn new(written: &'k WrittenRule, known: Knowledge<'k>) -> Self {
        let of_init = matches!(&written.subject,
            WrittenSubject::Endpoints(selector) if selector::names_init(selector));
        let scope = SelectorScope {
            options: known.options,
            namespace: written.namespace.as_deref(),
            of_init,
        };
        Self {
            written,
            known,
            scope,
        }
    }

    /// Whom the Rule governs; a Rule of nodes governs no pod (CI150).
    fn subject(&self) -> Subject {
        match &self.written.subject {
            WrittenSubject::Endpoints(selector) => self.scope.subject(selector),
            WrittenSubject::Nodes(_) => Subject {
                namespaces: Namespaces::Matching(Selector::everything()),
                pods: nobody(),
            },
        }
    }

    /// The rules of one entry (CI50-CI55).
    fn entry(
        &self,
        entry: &CiliumEntry,
        d: usize,
        deny: bool,
        index: usize,
    ) -> Vec<(Rule, RulePlace)> {
        let peers = self.peers(entry, d, deny);
        let authentication = Authentication::of(entry.authentication.as_ref());
        let fails = authentication == Authentication::Impossible && !deny;
        let action = if deny || fails {
            Action::Deny
        } else {
            Action::Allow
        };
        let rules = entry_ports(entry);
        let peers = peers.unwrap_or(EntryPeers {
            field: EntryFields::OF[d].endpoints,
            peers: if has_ports(entry) {
                Peers::Any
            } else {
                Peers::Of([].into()) // CI52
            },
            doubt: None,
        });
        let mut doubts: Vec<Qualifier> = peers.doubt.into_iter().collect();
        if authentication == Authentication::Required {
            doubts.push(Qualifier::Handshake("mutual authentication".into())); // CI127
        }
        let list = LISTS[usize::from(deny)][d];
        let rules = rules.into_iter().map(|ports| {
            let place = RulePlace::Entry(EntryPlace {
                list,
                index,
                peers: peers.field,
                ports: ports.place,
            });
            (ports.rule(action, &peers.peers, &doubts), place)
        });
        rules.collect()
    }

    /// Whom an entry names; none where it names nobody in particular (CI50, CI53).
    fn peers(&self, entry: &CiliumEntry, d: usize, deny: bool) -> Option<EntryPeers> {
        let fields = &EntryFields::OF[d];
        let mut found: Option<(&'static str, Vec<Peer>)> = None;
        let mut add = |field: &'static str, peers: Vec<Peer>| {
            let (at, all) = found.get_or_insert((field, Vec::new()));
            if all.is_empty() {
                *at = field;
            }
            all.extend(peers);
        };
        if let Some(list) = &entry.endpoints {
            let each = list.iter().map(|item| self.endpoints(item.as_ref()));
            add(fields.endpoints, each.collect());
        }
        if let Some(list) = &entry.cidr {
            let mode = self.known.options.match_mode;
            let each = list.iter().filter_map(|text| parse_block_or_address(text));
            let each = each.map(|block: IpNet| blocks::blocks(&[block], &[], mode));
            add(fields.cidr, each.collect());
        }
        if let Some(list) = &entry.cidr_set {
            let known = self.known;
            let each = list.iter();
            let each = each.map(|form| blocks::item(form, known.groups, known.options));
            add(fields.cidr_set, each.collect());
        }
        if let Some(list) = &entry.entities {
            add(fields.entities, self.entities(list));
        }
        if let Some(list) = &entry.nodes {
            let each = list.iter().map(|item| nodes(item.as_ref()));
            add(fields.nodes, each.collect());
        }
        if let Some(list) = entry.groups.as_ref().filter(|list| !list.is_empty()) {
            let each = list.iter().map(|_| Peer::Symbol(Symbol::SomeOutside));
            add(fields.groups, each.collect()); // CI92
        }
        if let Some(list) = entry.names.as_ref().filter(|list| !list.is_empty()) {
            let each = list.iter();
            let each = each.map(|name| Peer::Domain(name_words(name).into()));
            add(EntryFields::NAMES, each.collect()); // CI93
        }
        let services = entry.services.as_ref().filter(|list| !list.is_empty());
        if let Some(list) = services {
            return Some(self.services(list, deny, has_ports(entry), found));
        }
        found.map(|(field, peers)| EntryPeers {
            field,
            peers: Peers::Of(peers.into()),
            doubt: None,
        })
    }

    /// An item of a list of endpoints (CI33).
    fn endpoints(&self, item: Option<&WrittenSelector>) -> Peer {
        let everything = WrittenSelector::default();
        self.scope.endpoints(item.unwrap_or(&everything))
    }

    /// CI60-CI70. Where both kinds of nodes are named it is no matter which one is the own.
    fn entities(&self, list: &[String]) -> Vec<Peer> {
        let has = |word: &str| list.iter().any(|w| w == word);
        let both = has("host") && has("remote-node");
        list.iter().map(|word| self.entity(word, both)).collect()
    }

    /// One entity.
    fn entity(&self, word: &str, both: bool) -> Peer {
        match word {
            "all" => Peer::Symbol(Symbol::Everything),
            "world" => Peer::Symbol(Symbol::World),
            "host" | "remote-node" if both => Peer::Symbol(Symbol::Nodes),
            "host" => Peer::Symbol(Symbol::OwnNode),
            "remote-node" => Peer::Symbol(Symbol::OtherNodes),
            "kube-apiserver" => Peer::Symbol(Symbol::ApiServer),
            "cluster" | "cluster-mesh" => self.cluster(),
            "world-ipv4" => family(crate::set::Family::V4),
            "world-ipv6" => family(crate::set::Family::V6),
            kind if RESERVED.contains(&kind) => {
                let own = self.known.options.reserved_addresses(Some(kind));
                let owned = Peer::Owned(AddressOwner::Plugin, own);
                if kind == INGRESS {
                    any_of(vec![owned, Peer::Symbol(Symbol::IngressProxy)])
                } else {
                    owned
                }
            }
            _ => Peer::AnyOf([].into()), // `none` (CI68)
        }
    }

    /// Everything of the cluster (CI66): an API server outside of it too, if it is told.
    fn cluster(&self) -> Peer {
        let proxy = Peer::Symbol(Symbol::IngressProxy);
        let mut all = vec![every_pod(), Peer::Symbol(Symbol::Nodes), proxy];
        if self.known.tells_api_server {
            all.push(Peer::Symbol(Symbol::ApiServer));
        }
        let own = self.known.options.reserved_addresses(None);
        if !own.is_empty() {
            all.push(Peer::Owned(AddressOwner::Plugin, own));
        }
        any_of(all)
    }

    /// CI95-CI99. A list that denies is never translated.
    fn services(
        &self,
        list: &[ServiceForm],
        deny: bool,
        has_ports: bool,
        found: Option<(&'static str, Vec<Peer>)>,
    ) -> EntryPeers {
        let (_, mut peers) = found.unwrap_or((EntryFields::SERVICES, Vec::new()));
        let entry = |peers: Peers, doubt: Option<Qualifier>| EntryPeers {
            field: EntryFields::SERVICES,
            peers,
            doubt,
        };
        if deny && has_ports {
            return entry(Peers::Any, None);
        }
        if deny {
            return entry(Peers::Of(peers.into()), None);
        }
        let matched: Vec<Peer> = list
            .iter()
            .flat_map(|form| self.matched_services(form))
            .collect();
        if matched.is_empty() && peers.is_empty() && has_ports {
            let words = "whom a list of Services that do not exist means";
            return entry(Peers::Any, Some(Qualifier::Undocumented(words.into())));
        }
        peers.extend(matched);
        entry(Peers::Of(peers.into()), None)
    }

    fn matched_services(&self, form: &ServiceForm) -> Vec<Peer> {
        let Some(cluster) = self.known.cluster else {
            return Vec::new();
        };
        let services = cluster.services().map(|(_, service)| service);
        let matched = services.filter(|service| is_meant(cluster, form, service));
        matched
            .map(|service| self.service(cluster, service))
            .collect()
    }

    /// Whom a Service stands for (CI96, CI97).
    fn service(&self, cluster: &Cluster, service: &Service) -> Peer {
        let namespace = Namespaces::Named(cluster.namespace(service.namespace).name.clone());
        if let Some(pods) = &service.selector {
            let read = selector::of_kubernetes(&namespace, pods, self.known.options);
            let (namespaces, pods) = read.unwrap_or((namespace, pods.clone()));
            return Peer::Pods(namespaces, pods);
        }
        let listed = cluster.listed_endpoints(service.namespace, &service.name);
        let listed = listed.unwrap_or_default().iter();
        let addresses: Vec<IpNet> = listed.map(|at| at.address.into()).collect();
        blocks::blocks(&addresses, &[], self.known.options.match_mode)
    }
}

/// Whether a Service is one of those that a form names.
fn is_meant(cluster: &Cluster, form: &ServiceForm, service: &Service) -> bool {
    let is_in = |namespace: Option<&str>, own: NamespaceId| {
        namespace.is_none_or(|n| n.is_empty() || *cluster.namespace(own).name == *n)
    };
    let named = form.by_name.as_ref().is_some_and(|by| {
        by.service_name.as_deref() == Some(&*service.name)
            && is_in(by.namespace.as_deref(), service.namespace)
    });
    let labelled = form.by_label.as_ref().is_some_and(|by| {
        selector::groups_meet(&by.selector, &[&service.labels])
            && is_in(by.namespace.as_deref(), service.namespace)
    });
    named || labelled
}

/// A selector that selects nothing.
fn nobody() -> Selector {
    Selector::new([Requirement::In("nodeSelector".into(), Vec::new())])
}

fn every_pod() -> Peer {
    let everywhere = Namespaces::Matching(Selector::everything());
    Peer::Pods(everywhere, Selector::everything())
}

fn family(family: crate::set::Family) -> Peer {
    Peer::Addresses(crate::set::IpSet::full().only(family))
}

/// Nodes of these labels, which are never the own one (CI91).
fn nodes(item: Option<&WrittenSelector>) -> Peer {
    let labelled = item.map(selector::of_nodes).unwrap_or_default();
    let other = Peer::Symbol(Symbol::OtherNodes);
    if labelled.is_everything() {
        return other;
    }
    // both: neither of the two is left out
    let without = |peer: Peer| Peer::NoneOf([peer].into());
    Peer::NoneOf([without(Peer::Nodes(labelled)), without(other)].into())
}

fn has_ports(entry: &CiliumEntry) -> bool {
    let ports = entry.to_ports.as_ref().is_some_and(|list| !list.is_empty());
    ports || entry.icmps.as_ref().is_some_and(|list| !list.is_empty())
}

/// The rules that the ports of an entry make of it (CI51, CI55).
fn entry_ports(entry: &CiliumEntry) -> Vec<EntryPorts> {
    let plain = |ports: Ports| EntryPorts {
        ports,
        place: None,
        conditions: Vec::new(),
    };
    if !has_ports(entry) {
        return vec![plain(Ports::Any)];
    }
    let mut rules: Vec<EntryPorts> = Vec::new();
    for (i, form) in entry.to_ports.iter().flatten().enumerate() {
        rules.extend(port_entry(form, i));
    }
    for (i, form) in entry.icmps.iter().flatten().enumerate() {
        let fields = form.fields.iter().flatten().map(ports::icmp);
        rules.push(EntryPorts {
            place: Some(("icmps", i, "fields")),
            ..plain(Ports::Of(fields.collect()))
        });
    }
    rules
}

/// The rules of one entry of `toPorts`.
fn port_entry(form: &PortsForm, index: usize) -> Vec<EntryPorts> {
    let list = || form.ports.iter().flatten();
    let place = Some(("toPorts", index, "ports"));
    let numbers: Vec<PortMatch> = list().map(ports::port).collect();
    let conditions = ports::conditions(form);
    let mut rules = vec![EntryPorts {
        ports: Ports::Of(numbers.into()),
        place,
        conditions: conditions.clone(),
    }];
    let perhaps: Vec<PortMatch> = list().filter_map(ports::perhaps).collect();
    if !perhaps.is_empty() {
        let words = "whether `endPort` counts beside a name";
        let doubt = Qualifier::Undocumented(words.into());
        rules.push(EntryPorts {
            ports: Ports::Of(perhaps.into()),
            place,
            conditions: conditions.into_iter().chain([doubt]).collect(),
        });
    }
    rules
}
