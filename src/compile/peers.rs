//! Peer sets: which classes a rule's peers match, as runs over one line of numbers.
//!
//! The line holds the pod classes first and the address atoms after them ([`Line`]). A peer set keeps, per [`View`] (how
//! host-network pods behave, which address family), the classes that surely match and those that may. Equal sets are
//! stored once.
//!
//! Cost: a selector is evaluated once per distinct namespace class and once per distinct label set; a peer then costs the
//! classes of the namespaces it selects. Truth comes from the same functions `evaluate` uses, asked of representatives.

use super::atoms::Atoms;
use super::classes::Classes;
use super::evaluate::{namespaces_match, node_matches};
use super::world::{Endpoint, HostBehaviour, World};
use crate::model::{NamespaceId, Selector, Truth};
use crate::policy::{HostPods, Namespaces, Peer, Peers};
use crate::set::{Family, IntervalSet, IpSet};
use indexmap::IndexSet;
use std::collections::HashMap;
use std::sync::Arc;

/// A set of classes and atoms.
pub type Runs = IntervalSet<u32>;

/// One way the world may be while a connection is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct View {
    /// How host-network pods behave.
    pub behaviour: HostBehaviour,
    /// The connection's address family.
    pub family: Family,
}

/// What surely matches, and what may (a superset).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Match {
    /// Surely matches.
    pub sure: Arc<Runs>,
    /// May match, or surely does.
    pub maybe: Arc<Runs>,
}

impl Match {
    /// Where nothing is in doubt.
    pub fn exact(runs: Runs) -> Self {
        let runs = Arc::new(runs);
        Self { sure: Arc::clone(&runs), maybe: runs }
    }

    fn from_lists(sure: Vec<u32>, maybe: Vec<u32>) -> Self {
        let runs = |list: Vec<u32>| Arc::new(list.into_iter().map(|i| i..=i).collect::<Runs>());
        let sure = runs(sure);
        if maybe.is_empty() {
            return Self { maybe: Arc::clone(&sure), sure };
        }
        let maybe = Arc::new(sure.union(&runs(maybe)));
        Self { sure, maybe }
    }

    /// Either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self { sure: Arc::new(self.sure.union(&other.sure)), maybe: Arc::new(self.maybe.union(&other.maybe)) }
    }

    fn without(&self, hidden: &Runs) -> Self {
        Self { sure: Arc::new(self.sure.difference(hidden)), maybe: Arc::new(self.maybe.difference(hidden)) }
    }

    /// The truth for one class or atom.
    pub fn truth(&self, at: u32) -> Truth {
        if self.sure.contains(at) {
            Truth::Yes
        } else if self.maybe.contains(at) {
            Truth::Maybe
        } else {
            Truth::No
        }
    }
}

/// The peers of a rule, per view.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PeerSet(pub Vec<Match>);

/// Index of a peer set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerSetId(pub u32);

/// The line of classes and atoms.
#[derive(Debug, Clone)]
pub struct Line {
    /// The pod classes, from 0.
    pub classes: Classes,
    /// The address atoms, after the classes.
    pub atoms: Atoms,
    /// The views to consider.
    pub views: Vec<View>,
    /// The classes of host-network pods.
    pub hosts: Runs,
    /// The classes whose pods have an address of each family, or are assumed to.
    pub families: [Runs; 2],
}

impl Line {
    /// How many numbers the line has.
    pub fn len(&self) -> u32 {
        self.classes.len() + self.atoms.len()
    }

    /// Everything.
    pub fn full(&self) -> Runs {
        if self.len() == 0 { Runs::empty() } else { Runs::from(0..=self.len() - 1) }
    }

    /// Every class.
    pub fn pods(&self) -> Runs {
        self.classes.len().checked_sub(1).map_or_else(Runs::empty, |last| Runs::from(0..=last))
    }

    /// The place of an endpoint on the line.
    pub fn place(&self, endpoint: Endpoint) -> u32 {
        match endpoint {
            Endpoint::Pod(pod) => self.classes.of_pod[pod.0 as usize],
            Endpoint::Address(address) => self.classes.len() + self.atoms.of(address),
        }
    }

    /// One endpoint at a place, for all.
    pub fn representative(&self, at: u32) -> Endpoint {
        match at.checked_sub(self.classes.len()) {
            None => Endpoint::Pod(self.classes.get(at).representative),
            Some(atom) => Endpoint::Address(self.atoms.representative(atom)),
        }
    }

    /// Whether a place is a pod class.
    pub fn is_class(&self, at: u32) -> bool {
        at < self.classes.len()
    }
}

/// Builds and stores peer sets.
pub struct PeerSets<'w> {
    world: &'w World,
    line: &'w Line,
    /// The distinct sets.
    pub sets: IndexSet<PeerSet>,
    namespaces: HashMap<(Namespaces, Option<NamespaceId>), Arc<Vec<Truth>>>,
    labels: HashMap<Selector, Arc<Vec<bool>>>,
    pods: HashMap<(Namespaces, Selector, Option<NamespaceId>), Match>,
    peers: HashMap<(Vec<Peer>, Option<NamespaceId>, HostPods), PeerSetId>,
}

impl<'w> PeerSets<'w> {
    /// No sets yet.
    pub fn new(world: &'w World, line: &'w Line) -> Self {
        Self {
            world,
            line,
            sets: IndexSet::new(),
            namespaces: HashMap::new(),
            labels: HashMap::new(),
            pods: HashMap::new(),
            peers: HashMap::new(),
        }
    }

    /// The peer set of a rule. `own` is the subject's namespace, needed only by peers that are relative to it.
    pub fn peers(&mut self, peers: &Peers, own: Option<NamespaceId>, host_pods: HostPods) -> PeerSetId {
        let list = match peers {
            Peers::Any => vec![Peer::Unreadable { everything: true }],
            Peers::Of(list) => list.clone(),
        };
        let key = (list, own, host_pods);
        if let Some(id) = self.peers.get(&key) {
            return *id;
        }
        let set = PeerSet((0..self.line.views.len()).map(|view| self.union_of(&key.0, own, host_pods, view)).collect());
        let id = PeerSetId(u32::try_from(self.sets.insert_full(set).0).unwrap_or(u32::MAX));
        self.peers.insert(key, id);
        id
    }

    fn union_of(&mut self, peers: &[Peer], own: Option<NamespaceId>, host_pods: HostPods, view: usize) -> Match {
        let view = self.line.views[view];
        peers.iter().map(|p| self.one(p, own, host_pods, view)).reduce(|a, b| a.union(&b)).unwrap_or_default()
    }

    fn one(&mut self, peer: &Peer, own: Option<NamespaceId>, host_pods: HostPods, view: View) -> Match {
        match peer {
            Peer::Unreadable { everything: true } => Match::exact(self.line.full()),
            Peer::Unreadable { everything: false } => Match::default(),
            Peer::Pods(namespaces, pods) => {
                let seen = self.pods_in(namespaces, pods, own);
                let hidden = host_pods == HostPods::Excluded || view.behaviour == HostBehaviour::Node;
                if hidden && !self.line.hosts.is_disjoint(&seen.maybe) { seen.without(&self.line.hosts) } else { seen }
            }
            Peer::Addresses(block) => self.block(block, view),
            Peer::Nodes(selector) => self.nodes(selector),
            Peer::Domain(name) => self.domain(name),
        }
    }

    /// The pod classes that a namespace selection and a pod selector select, host-network pods included.
    pub fn pods_in(&mut self, namespaces: &Namespaces, pods: &Selector, own: Option<NamespaceId>) -> Match {
        let key = (namespaces.clone(), pods.clone(), own);
        if let Some(found) = self.pods.get(&key) {
            return found.clone();
        }
        let truths = self.namespace_truths(namespaces, own);
        let labels = self.label_truths(pods);
        let (mut sure, mut maybe) = (Vec::new(), Vec::new());
        for (n, truth) in truths.iter().enumerate().filter(|(_, t)| t.possible()) {
            let selected =
                self.line.classes.spans[n].clone().filter(|c| labels[self.line.classes.get(*c).labels as usize]);
            if *truth == Truth::Yes { sure.extend(selected) } else { maybe.extend(selected) }
        }
        let found = Match::from_lists(sure, maybe);
        self.pods.insert(key, found.clone());
        found
    }

    fn namespace_truths(&mut self, which: &Namespaces, own: Option<NamespaceId>) -> Arc<Vec<Truth>> {
        let (world, classes) = (self.world, &self.line.classes);
        let compute = || {
            let truth = |other: &NamespaceId| namespaces_match(world, which, own.unwrap_or(*other), *other);
            Arc::new(classes.namespaces.iter().map(truth).collect())
        };
        Arc::clone(self.namespaces.entry((which.clone(), own)).or_insert_with(compute))
    }

    fn label_truths(&mut self, selector: &Selector) -> Arc<Vec<bool>> {
        let (cluster, sets) = (&self.world.cluster, &self.line.classes.label_sets);
        let compute = || Arc::new(sets.iter().map(|id| selector.matches(cluster.labels(*id))).collect());
        Arc::clone(self.labels.entry(selector.clone()).or_insert_with(compute))
    }

    /// Lists pod classes by a truth asked of each class.
    fn classes_where(&self, truth: impl Fn(u32) -> Truth) -> Match {
        let (mut sure, mut maybe) = (Vec::new(), Vec::new());
        for class in 0..self.line.classes.len() {
            match truth(class) {
                Truth::Yes => sure.push(class),
                Truth::Maybe => maybe.push(class),
                Truth::No => {}
            }
        }
        Match::from_lists(sure, maybe)
    }

    fn atoms_of(&self, addresses: &IpSet) -> Runs {
        let first = self.line.classes.len();
        self.line.atoms.overlapping(addresses).ranges().map(|(a, b)| first + a..=first + b).collect()
    }

    fn block(&self, block: &IpSet, view: View) -> Match {
        let (world, classes) = (self.world, &self.line.classes);
        let truth = |id: &crate::model::PodId| world.block_matches_pod(block, world.cluster.pod(*id), view.family);
        let truths: Vec<Truth> = classes.addresses.iter().map(truth).collect();
        let pods = self.classes_where(|c| truths[classes.get(c).address as usize]);
        let mut outside = self.atoms_of(block);
        if !world.options.blocks_match_pods {
            outside = outside.difference(&self.atoms_of(&self.node_addresses(None)));
        }
        pods.union(&Match::exact(outside))
    }

    fn node_addresses(&self, selector: Option<&Selector>) -> IpSet {
        let nodes = self.world.cluster.nodes().filter(|(_, n)| selector.is_none_or(|s| s.matches(&n.labels)));
        IpSet::from_cidrs(nodes.flat_map(|(_, n)| n.addresses.iter().map(|a| ipnet::IpNet::from(*a))))
    }

    fn nodes(&self, selector: &Selector) -> Match {
        let representative = |c: u32| Endpoint::Pod(self.line.classes.get(c).representative);
        let pods = self.classes_where(|c| node_matches(self.world, selector, representative(c)));
        if self.world.cluster.nodes().len() == 0 {
            return pods.union(&Match { sure: Arc::default(), maybe: Arc::new(self.atoms_of(&IpSet::full())) });
        }
        pods.union(&Match::exact(self.atoms_of(&self.node_addresses(Some(selector)))))
    }

    fn domain(&self, name: &str) -> Match {
        let inside = name.ends_with(".cluster.local");
        let possible = if inside { self.line.full() } else { self.atoms_of(&IpSet::full()) };
        Match { sure: Arc::default(), maybe: Arc::new(possible) }
    }
}
