//! [`NetworkPlan`]: what is known of the networks of an input. Graphs of one network are made by
//! it ([`crate::policy::networks::view`]), and where secondary networks carry what.
//!
//! Which pods are on a secondary network is a label of theirs, whose value is a number in
//! [`NetworkPlan::attachments`]: so pods that are added to the input, or left out of it, take
//! nothing along that stands elsewhere.

use crate::model::Labels;
use crate::model::open_labels::is_open;
use crate::policy::networks::labels::{DEFAULT, PRIMARY, SECONDARY};
use crate::policy::proxies::{MeshProxies, OutsideWay, Tunnel, TunnelWay};
use crate::policy::rule::Policy;
use crate::set::TrafficSet;
use crate::source::{DocumentId, Origin};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// So many wires are told apart where no network is named: each splits every policy.
const MOST_WIRES: usize = 64;

/// What is known of the networks of an input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkPlan {
    /// The primary networks besides the default one, each with the document that makes it.
    pub primary: BTreeMap<Box<str>, DocumentId>,
    /// Pairs of primary networks whose pods reach each other, in both orders (NW50).
    pub joined: BTreeSet<(Box<str>, Box<str>)>,
    /// Pairs of primary networks whose pods reach each other's Services.
    pub services: BTreeSet<(Box<str>, Box<str>)>,
    /// The secondary networks.
    pub secondary: BTreeMap<Box<str>, SecondaryNetwork>,
    /// What each value of the label [`SECONDARY`] stands for.
    pub attachments: Vec<Attachments>,
    /// The policies of secondary networks.
    pub policies: Vec<SecondaryPolicy>,
    /// Whether a service mesh may have a say about secondary networks: which one is not known.
    pub meshed: bool,
    /// The ports that pods leave open on the default network, by the value of their label; none
    /// where these cannot be read (NW22).
    pub open: Vec<Option<TrafficSet>>,
    /// What is said of policies that have no effect, for lint.
    pub faults: Vec<NetworkFault>,
}

/// The networks that a pod is on, with its addresses there; none where they are not told.
pub type Attachments = BTreeMap<Box<str>, Vec<IpAddr>>;

/// A secondary network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondaryNetwork {
    /// What carries it: networks of one wire are joined. It is called as the first of them.
    pub wire: Box<str>,
    /// How far the wire goes.
    pub reach: WireReach,
    /// Which plugin serves it.
    pub plugin: NetworkPlugin,
    /// Whether it has subnets, so that its pods have addresses that policies know (NW76).
    pub subnets: bool,
    /// The document that makes it.
    pub document: DocumentId,
}

/// How far the wire of a network goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WireReach {
    /// Its pods alone.
    Closed,
    /// Into the physical network: it may be the wire of others, too (NW16, NW62).
    Physical,
    /// Not known: its definition is not in the input.
    Unknown,
}

impl WireReach {
    /// Whether two wires may be one.
    pub fn may_be_one(self, other: Self) -> bool {
        self == Self::Unknown
            || other == Self::Unknown
            || (self, other) == (Self::Physical, Self::Physical)
    }
}

/// Which plugin serves a network, as far as policies go by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkPlugin {
    /// OVN-Kubernetes, which enforces policies of its networks.
    Ovn,
    /// One that the programs that enforce policies know unless they are told otherwise (NW77).
    Usual,
    /// GKE's, of whose policies it is not known here what they say.
    Gke,
    /// Another one.
    Other,
}

/// A policy of secondary networks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondaryPolicy {
    /// What it says.
    pub policy: Policy,
    /// The networks that it is for, by their names.
    pub networks: BTreeSet<Box<str>>,
    /// Whether its types are left to be told from its rules (NW72).
    pub untyped: bool,
}

/// Something that a policy of networks does in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkFault {
    /// What.
    pub kind: NetworkFaultKind,
    /// Where.
    pub origin: Origin,
    /// The object: `MultiNetworkPolicy shop/p`.
    pub what: Box<str>,
    /// The networks that are meant.
    pub networks: Box<str>,
}

/// What is done in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkFaultKind {
    /// A policy says no network that it is for (NW70).
    NoNetwork,
    /// A policy is for networks that nobody is on (NW70).
    NobodyThere,
    /// A primary network for a namespace that lacks the label (NW12).
    NoLabel,
}

impl NetworkPlan {
    /// The networks that a question may name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let named = self.primary.keys().chain(self.secondary.keys());
        std::iter::once(DEFAULT).chain(named.map(|name| &**name))
    }

    /// The networks that a pod with these labels is on; of one whose labels do not tell, none.
    pub fn of_pod<'p>(&'p self, labels: &'p Labels) -> Vec<&'p str> {
        let primary = match labels.get(PRIMARY) {
            None if self.primary.is_empty() => Some(DEFAULT),
            told => told.filter(|name| !is_open(name)),
        };
        let number = labels.get(SECONDARY).and_then(|n| n.parse::<usize>().ok());
        let on = number.and_then(|n| self.attachments.get(n));
        let secondary = on.into_iter().flat_map(|on| on.keys().map(|name| &**name));
        primary.into_iter().chain(secondary).collect()
    }

    /// Whether two names are of one network, or of networks of one wire.
    pub fn is_one(&self, a: &str, b: &str) -> bool {
        let wire = |name| self.secondary.get(name).map(|network| &network.wire);
        a == b || wire(a).is_some() && wire(a) == wire(b)
    }

    /// The wires that pods are on.
    pub fn wires(&self) -> BTreeMap<&str, WireReach> {
        let used = self.attachments.iter().flat_map(|on| on.keys());
        let used = used.filter_map(|name| self.secondary.get(name));
        let mut wires = BTreeMap::new();
        for network in used {
            let reach = wires.entry(&*network.wire).or_insert(network.reach);
            *reach = (*reach).max(network.reach);
        }
        wires
    }

    /// The wires that policies are for.
    pub fn policed(&self) -> BTreeSet<&str> {
        let named = self.policies.iter().flat_map(|policy| &policy.networks);
        let known = named.filter_map(|name| self.secondary.get(name));
        known.map(|network| &*network.wire).collect()
    }

    /// The values of the label for pods on one of some networks.
    pub fn values(&self, on: impl Fn(&str, &SecondaryNetwork) -> bool) -> BTreeSet<Box<str>> {
        let each = self.attachments.iter().enumerate();
        let is_on = |name: &str| self.secondary.get(name).is_some_and(|n| on(name, n));
        let meant = each.filter(|(_, all)| all.keys().any(|name| is_on(name)));
        meant.map(|(i, _)| i.to_string().into()).collect()
    }

    /// The values of the label for pods on a wire.
    pub fn on_wire(&self, wire: &str) -> BTreeSet<Box<str>> {
        self.values(|_, network| *network.wire == *wire)
    }

    /// The values of the label for pods whose wire may be this one, and is not surely.
    pub fn perhaps_on_wire(&self, wire: &str) -> BTreeSet<Box<str>> {
        let Some(reach) = self.wires().get(wire).copied() else {
            return BTreeSet::new();
        };
        self.values(|_, other| *other.wire != *wire && other.reach.may_be_one(reach))
    }

    /// What secondary networks carry besides: everything on a wire without policies, perhaps what
    /// may be on one wire, and perhaps everything where policies are, unless these are looked at
    /// on their own. Of more than [`MOST_WIRES`] it is not known what they carry.
    pub fn carried(&self, with_policed: bool) -> MeshProxies {
        let policed = self.policed();
        let mut tunnels = Vec::new();
        if self.has_many_wires() {
            let all = self.values(|_, _| true);
            let way = beside("of the input, which are many", false);
            tunnels.push(tunnel(all.clone(), all, way));
            return carried(tunnels, self.outside());
        }
        for wire in self.wires().into_keys() {
            let on = self.on_wire(wire);
            let is_policed = policed.contains(wire);
            if with_policed || !is_policed {
                let certain = !is_policed && !self.meshed && !self.is_of_gke(wire);
                tunnels.push(tunnel(on.clone(), on.clone(), beside(wire, certain)));
            }
            let perhaps = self.perhaps_on_wire(wire);
            if !perhaps.is_empty() {
                tunnels.push(tunnel(on, perhaps, beside(wire, false)));
            }
        }
        carried(tunnels, self.outside())
    }

    /// The pods on wires that go on outside the cluster: what lies behind is not known (NW24).
    fn outside(&self) -> Vec<OutsideWay> {
        let open = |reach| reach != WireReach::Closed;
        if self.has_many_wires() {
            let values = self.values(|_, network| open(network.reach));
            let what = "what lies behind secondary networks of the input, which are many".into();
            return Vec::from_iter((!values.is_empty()).then_some(OutsideWay { values, what }));
        }
        let wires = self.wires().into_iter();
        let wires = wires.filter(|(_, reach)| open(*reach));
        let way = |(wire, _): (&str, _)| OutsideWay {
            values: self.on_wire(wire),
            what: format!("what lies behind the secondary network {wire}").into(),
        };
        wires.map(way).collect()
    }

    /// Whether a wire is one of GKE.
    pub fn is_of_gke(&self, wire: &str) -> bool {
        let mut networks = self.secondary.values();
        networks.any(|n| *n.wire == *wire && n.plugin == NetworkPlugin::Gke)
    }

    /// Whether there are more wires than are told apart where no network is named.
    pub fn has_many_wires(&self) -> bool {
        self.wires().len() > MOST_WIRES
    }
}

fn carried(tunnels: Vec<Tunnel>, outside: Vec<OutsideWay>) -> MeshProxies {
    MeshProxies {
        key: SECONDARY,
        names: BTreeMap::new(),
        tunnels,
        outside,
    }
}

fn tunnel(sources: BTreeSet<Box<str>>, destinations: BTreeSet<Box<str>>, way: TunnelWay) -> Tunnel {
    Tunnel {
        sources,
        destinations,
        traffic: TrafficSet::all(),
        way,
    }
}

/// That something travels on a secondary network, surely or not.
pub fn beside(wire: &str, certain: bool) -> TunnelWay {
    TunnelWay::Beside {
        what: format!("what travels on the secondary network {wire}").into(),
        certain,
    }
}
