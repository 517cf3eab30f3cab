//! Vocabulary: what the rules mention by name, and so all it can tell apart.
//!
//! Everything else about a pod or a namespace is invisible to every rule. Of a label the key counts
//! if some selector names it, and the value if one names that; any other value is "some other
//! value" ([`Mentioned::project`]). What is mentioned is numbered in order of first mention, so
//! that label sets are compared as numbers.
//!
//! Invariant: two label sets with equal projections meet the same requirements of the rules. Cost:
//! O(rules) to build, one look-up per label to project.

use crate::compile::atoms::Atoms;
use crate::model::open_labels::is_open;
use crate::model::{Labels, Requirement, Selector};
use crate::policy::{
    Namespaces, Peer, Peers, Policy, PortMatch, Ports, Rule, Subject, TaintSubject,
};
use crate::set::hashed::{HashMap, HashSet, room_for};
use crate::set::{IpSet, Ix, Table, TooMany, index_type};
use crate::spec::environment::Environment;
use std::collections::hash_map::Entry;

index_type! {
    /// Index of a label key that the rules mention.
    pub struct LabelKeyIx;
    /// Index of a mentioned value among those of its key.
    pub struct ValueIx;
    /// Index of a mentioned port name.
    pub struct PortNameIx;
    /// Index of a mentioned namespace name.
    pub struct NamespaceNameIx;
}

impl ValueIx {
    /// That of any value that nobody mentions.
    const OTHER: Self = Self(0);
}

/// A label as the rules see it: its key and its value.
pub type Seen = (LabelKeyIx, ValueIx);

/// A key that the rules mention.
#[derive(Debug)]
struct LabelKey<'w> {
    /// The mentioned values, numbered behind [`ValueIx::OTHER`].
    values: HashMap<&'w str, ValueIx>,
    /// Whether its values are compared with each other, so that every value counts.
    compared: bool,
}

/// What the rules mention of one kind of label set.
#[derive(Debug, Default)]
pub struct Mentioned<'w> {
    indexes: HashMap<&'w str, LabelKeyIx>,
    keys: Table<LabelKeyIx, LabelKey<'w>>,
    /// Of the label set projected before, by position: where its key stands in memory, and its
    /// index if it is mentioned. Most label sets have the keys of the one before, in the same
    /// memory.
    before: Vec<(usize, Option<LabelKeyIx>)>,
    /// The selectors that were read, by their places in memory.
    read: HashSet<usize>,
}

impl<'w> Mentioned<'w> {
    fn key(&mut self, key: &'w str) -> Result<&mut LabelKey<'w>, TooMany> {
        let at = match self.indexes.entry(key) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => *new.insert(self.keys.push(LabelKey {
                values: HashMap::default(),
                compared: false,
            })?),
        };
        Ok(&mut self.keys[at])
    }

    fn add(&mut self, selector: &'w Selector) -> Result<(), TooMany> {
        if !self.read.insert(selector.place()) {
            return Ok(());
        }
        let mut added = Ok(());
        for requirement in selector.requirements() {
            requirement.visit(&mut |condition| added = added.and(self.condition(condition)));
        }
        added
    }

    fn condition(&mut self, condition: &'w Requirement) -> Result<(), TooMany> {
        let key = self.key(condition.key())?;
        // a pattern can tell any two values apart
        key.compared |= matches!(condition, Requirement::Like(..));
        for value in condition.values() {
            let next = ValueIx::new(key.values.len() + 1)?;
            key.values.entry(value).or_insert(next);
        }
        Ok(())
    }

    /// Whether a key is mentioned.
    pub fn sees(&self, key: &str) -> bool {
        self.indexes.contains_key(key)
    }

    /// What of a label set the rules can see, in the order of the labels; `seen` is overwritten.
    pub fn project(&mut self, labels: &'w Labels, seen: &mut Vec<Seen>) -> Result<(), TooMany> {
        seen.clear();
        self.before
            .resize(self.before.len().max(labels.len()), (0, None));
        for ((name, value), before) in labels.shared().zip(&mut self.before) {
            if before.0 != name.as_ptr().addr() {
                *before = (name.as_ptr().addr(), self.indexes.get(&**name).copied());
            }
            let Some(at) = before.1 else { continue };
            let (key, value) = (&mut self.keys[at], &**value);
            let value = match key.values.get(value) {
                Some(known) => *known,
                // what is known only at run time is a value of its own
                None if key.compared || is_open(value) => {
                    let next = ValueIx::new(key.values.len() + 1)?;
                    *key.values.entry(value).or_insert(next)
                }
                None => ValueIx::OTHER,
            };
            seen.push((at, value));
        }
        Ok(())
    }

    /// The rank of each key: those of few mentioned values first.
    pub fn ranks(&self) -> Table<LabelKeyIx, usize> {
        let mut keys: Vec<(usize, &str, LabelKeyIx)> = self
            .indexes
            .iter()
            .map(|(name, at)| (self.keys[*at].values.len(), *name, *at))
            .collect();
        keys.sort_unstable();
        let mut ranks = self.keys.map(|_| 0);
        for (rank, (_, _, key)) in keys.into_iter().enumerate() {
            ranks[key] = rank;
        }
        ranks
    }
}

/// Whether the rules of a policy mean other nodes for each governed pod.
fn asks_for_own_node(policy: &Policy) -> bool {
    let relative = |peer: &Peer| matches!(peer, Peer::Symbol(symbol) if symbol.is_relative());
    policy.rules.iter().flatten().any(|rule| match &rule.peers {
        Peers::Of(list) => list.iter().any(|peer| peer.any(&relative)),
        Peers::Any => false,
    })
}

/// Everything the rules mention by name.
#[derive(Debug, Default)]
pub struct Vocabulary<'w> {
    /// Of pods' labels.
    pub pods: Mentioned<'w>,
    /// Of namespaces' labels.
    pub namespaces: Mentioned<'w>,
    /// Namespaces by name, numbered.
    pub named: HashMap<&'w str, NamespaceNameIx>,
    /// Port names, numbered.
    pub ports: HashMap<&'w str, PortNameIx>,
    /// Every address set that a rule matches.
    blocks: Vec<&'w IpSet>,
    /// Whether a rule can tell addresses apart.
    pub tells_addresses: bool,
    /// Whether a rule names nodes.
    nodes: bool,
    /// Whether the rules of a policy that is being read mean other nodes for each governed pod.
    asks_for_own_node: bool,
    /// The subjects of policies whose rules mean other nodes for each governed pod.
    pub on_own_node: Vec<&'w Subject>,
    /// The lists that were read, by their places in memory: equal ones share theirs
    /// (`policy::interner`).
    read: HashSet<usize>,
}

impl<'w> Vocabulary<'w> {
    /// Reads the rules once. O(rules).
    ///
    /// # Errors
    /// When they mention more than can be numbered.
    pub fn new(env: &'w Environment) -> Result<Self, TooMany> {
        let mut vocabulary = Self {
            nodes: !env.options.blocks_match_pods,
            named: room_for(env.cluster.namespaces().len()),
            ..Self::default()
        };
        for policy in &env.policies.policies {
            vocabulary.subject(&policy.subject)?;
            for rule in policy.rules.iter().flatten() {
                vocabulary.rule(rule)?;
            }
            if vocabulary.asks_for_own_node && asks_for_own_node(policy) {
                vocabulary.on_own_node.push(&policy.subject);
            }
        }
        for taint in &env.policies.taints {
            match &taint.subject {
                TaintSubject::Pods(subject) => vocabulary.subject(subject)?,
                TaintSubject::Nodes(_) => {} // by address and by their network
            }
        }
        let node_addresses = vocabulary.nodes && !env.node_addresses.is_empty();
        vocabulary.tells_addresses = node_addresses || !vocabulary.blocks.is_empty();
        Ok(vocabulary)
    }

    /// The address lines, cut at every address set that a rule matches, at every node's address
    /// (S55), and at every address that policies govern.
    pub fn atoms(&self, env: &Environment) -> Result<Atoms, TooMany> {
        let nodes: Vec<IpSet> = env
            .cluster
            .nodes()
            .flat_map(|(_, n)| n.addresses.iter())
            .map(|a| IpSet::single(*a))
            .chain(env.cluster.told_of_nodes().map(IpSet::single))
            .chain([env.options.node_cidrs.clone()])
            .chain(env.policed_nodes.clone())
            .chain(env.governed_addresses.keys().map(|a| IpSet::single(*a)))
            .chain(self.further(env))
            .collect();
        Atoms::new(self.blocks.iter().copied().chain(&nodes))
    }

    /// What tells apart addresses of the outside from others, where the rules ask for that.
    fn further(&self, env: &Environment) -> Vec<IpSet> {
        if !self.nodes {
            return Vec::new();
        }
        let reserved = env.cilium.iter();
        let reserved = reserved.flat_map(|cilium| cilium.reserved.keys());
        let mut all: Vec<IpSet> = reserved.map(|a| IpSet::single(*a)).collect();
        all.extend(env.options.pod_cidrs.clone());
        if env.cilium.is_some() {
            all.push(IpSet::assumed_pods());
        }
        let api_servers = env.api_servers.to_cidrs().into_iter();
        all.extend(api_servers.map(|block| IpSet::from_cidrs([block])));
        all
    }

    /// Whether a part of the rules is met for the first time.
    fn is_new(&mut self, place: usize) -> bool {
        self.read.insert(place)
    }

    fn subject(&mut self, subject: &'w Subject) -> Result<(), TooMany> {
        self.pods.add(&subject.pods)?;
        self.which(&subject.namespaces)
    }

    fn rule(&mut self, rule: &'w Rule) -> Result<(), TooMany> {
        for peers in rule.ends() {
            if self.is_new(peers.as_ptr().addr()) {
                self.peers(peers)?;
            }
        }
        let Ports::Of(ports) = &rule.ports else {
            return Ok(());
        };
        if !self.is_new(ports.as_ptr().addr()) {
            return Ok(());
        }
        for port in ports.iter() {
            if let PortMatch::Named(name, _) = port {
                let next = PortNameIx::new(self.ports.len())?;
                self.ports.entry(name).or_insert(next);
            }
        }
        Ok(())
    }

    fn which(&mut self, namespaces: &'w Namespaces) -> Result<(), TooMany> {
        match namespaces {
            Namespaces::Named(name) => {
                let next = NamespaceNameIx::new(self.named.len())?;
                self.named.entry(name).or_insert(next);
            }
            Namespaces::Matching(selector) => self.namespaces.add(selector)?,
            Namespaces::SameLabels(keys) | Namespaces::NotSameLabels(keys) => {
                for key in keys {
                    self.namespaces.key(key)?.compared = true;
                }
            }
        }
        Ok(())
    }

    fn peers(&mut self, peers: &'w [Peer]) -> Result<(), TooMany> {
        peers.iter().try_for_each(|peer| self.peer(peer))
    }

    fn peer(&mut self, peer: &'w Peer) -> Result<(), TooMany> {
        match peer {
            Peer::Pods(namespaces, pods) => {
                self.pods.add(pods)?;
                self.which(namespaces)?;
            }
            Peer::Addresses(set) => self.blocks.push(set),
            Peer::Nodes(_) => self.nodes = true,
            Peer::NoneOf(peers) | Peer::AllOf(peers) | Peer::AnyOf(peers) => self.peers(peers)?,
            Peer::Owned(_, set) => {
                self.nodes = true;
                self.blocks.push(set);
            }
            Peer::Symbol(symbol) => {
                self.nodes = true;
                self.asks_for_own_node |= symbol.is_relative();
            }
            Peer::Domain(_) | Peer::Unreadable { .. } => {}
        }
        Ok(())
    }
}
