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
use crate::model::{Labels, Requirement, Selector};
use crate::policy::{Namespaces, Peer, Peers, PortMatch, Ports, Rule, Subject};
use crate::set::hashed::{HashMap, HashSet};
use crate::set::{IpSet, number};
use crate::spec::environment::Environment;

/// A label as the rules see it: the number of its key, and of its value; 0 for a value that nobody
/// mentions.
pub type Seen = (u32, u32);

/// A key that the rules mention.
#[derive(Debug)]
struct LabelKey<'w> {
    /// The mentioned values, numbered from 1.
    values: HashMap<&'w str, u32>,
    /// Whether its values are compared with each other, so that every value counts.
    compared: bool,
}

/// What the rules mention of one kind of label set.
#[derive(Debug, Default)]
pub struct Mentioned<'w> {
    numbers: HashMap<&'w str, u32>,
    /// The keys by their number.
    keys: Vec<LabelKey<'w>>,
    /// Of the label set projected before, by position: where its key stands in memory, and its
    /// number if it is mentioned. Most label sets have the keys of the one before, in the same
    /// memory.
    before: Vec<(usize, Option<u32>)>,
    /// The selectors that were read, by their places in memory.
    read: HashSet<usize>,
}

impl<'w> Mentioned<'w> {
    fn key(&mut self, key: &'w str) -> &mut LabelKey<'w> {
        let next = number(self.keys.len());
        let at = *self.numbers.entry(key).or_insert(next);
        if at == next {
            self.keys.push(LabelKey {
                values: HashMap::default(),
                compared: false,
            });
        }
        &mut self.keys[at as usize]
    }

    fn add(&mut self, selector: &'w Selector) {
        if !self.read.insert(selector.place()) {
            return;
        }
        for requirement in selector.requirements() {
            requirement.visit(&mut |condition| self.condition(condition));
        }
    }

    fn condition(&mut self, condition: &'w Requirement) {
        let key = self.key(condition.key());
        // a pattern can tell any two values apart
        key.compared |= matches!(condition, Requirement::Like(..));
        for value in condition.values() {
            let next = number(key.values.len() + 1);
            key.values.entry(value).or_insert(next);
        }
    }

    /// Whether a key is mentioned.
    pub fn sees(&self, key: &str) -> bool {
        self.numbers.contains_key(key)
    }

    /// What of a label set the rules can see, in the order of the labels; `seen` is overwritten.
    pub fn project(&mut self, labels: &'w Labels, seen: &mut Vec<Seen>) {
        seen.clear();
        self.before
            .resize(self.before.len().max(labels.len()), (0, None));
        for ((name, value), before) in labels.shared().zip(&mut self.before) {
            if before.0 != name.as_ptr().addr() {
                *before = (name.as_ptr().addr(), self.numbers.get(&**name).copied());
            }
            let Some(at) = before.1 else { continue };
            let (key, value) = (&mut self.keys[at as usize], &**value);
            let next = number(key.values.len() + 1);
            let known = key.values.get(value).copied();
            let value = match known {
                None if key.compared => *key.values.entry(value).or_insert(next),
                _ => known.unwrap_or(0),
            };
            seen.push((at, value));
        }
    }

    /// The rank of each key by its number: those of few mentioned values first.
    pub fn ranks(&self) -> Vec<u32> {
        let mut keys: Vec<(usize, &str, u32)> = self
            .numbers
            .iter()
            .map(|(name, at)| (self.keys[*at as usize].values.len(), *name, *at))
            .collect();
        keys.sort_unstable();
        let mut ranks = vec![0; keys.len()];
        for (rank, (_, _, key)) in (0..).zip(keys) {
            ranks[key as usize] = rank;
        }
        ranks
    }
}

/// Everything the rules mention by name.
#[derive(Debug, Default)]
pub struct Vocabulary<'w> {
    /// Of pods' labels.
    pub pods: Mentioned<'w>,
    /// Of namespaces' labels.
    pub namespaces: Mentioned<'w>,
    /// Namespaces by name, numbered.
    pub named: HashMap<&'w str, u32>,
    /// Port names, numbered.
    pub ports: HashMap<&'w str, u32>,
    /// Every address set that a rule matches.
    blocks: Vec<&'w IpSet>,
    /// Whether a rule can tell addresses apart.
    pub tells_addresses: bool,
    /// Whether a rule names nodes.
    nodes: bool,
    /// The lists that were read, by their places in memory: equal ones share theirs
    /// (`policy::interner`).
    read: HashSet<usize>,
}

impl<'w> Vocabulary<'w> {
    /// Reads the rules once. O(rules).
    pub fn new(env: &'w Environment) -> Self {
        let mut vocabulary = Self {
            nodes: !env.options.blocks_match_pods,
            ..Self::default()
        };
        for policy in &env.policies.policies {
            vocabulary.subject(&policy.subject);
            for rule in policy.rules.iter().flatten() {
                vocabulary.rule(rule);
            }
        }
        env.policies
            .taints
            .iter()
            .for_each(|t| vocabulary.subject(&t.subject));
        let node_addresses = vocabulary.nodes && !env.node_addresses.is_empty();
        vocabulary.tells_addresses = node_addresses || !vocabulary.blocks.is_empty();
        vocabulary
    }

    /// The address lines, cut at every address set that a rule matches and at every node's address
    /// (S55).
    pub fn atoms(&self, env: &Environment) -> Atoms {
        let nodes: Vec<IpSet> = env
            .cluster
            .nodes()
            .flat_map(|(_, n)| n.addresses.iter())
            .map(|a| IpSet::single(*a))
            .chain([env.options.node_cidrs.clone()])
            .collect();
        Atoms::new(self.blocks.iter().copied().chain(&nodes))
    }

    /// Whether a part of the rules is met for the first time.
    fn is_new(&mut self, place: usize) -> bool {
        self.read.insert(place)
    }

    fn subject(&mut self, subject: &'w Subject) {
        self.pods.add(&subject.pods);
        self.which(&subject.namespaces);
    }

    fn rule(&mut self, rule: &'w Rule) {
        if let Peers::Of(peers) = &rule.peers
            && self.is_new(peers.as_ptr().addr())
        {
            peers.iter().for_each(|p| self.peer(p));
        }
        let Ports::Of(ports) = &rule.ports else {
            return;
        };
        if !self.is_new(ports.as_ptr().addr()) {
            return;
        }
        for port in ports.iter() {
            if let PortMatch::Named(name, _) = port {
                let next = number(self.ports.len());
                self.ports.entry(name).or_insert(next);
            }
        }
    }

    fn which(&mut self, namespaces: &'w Namespaces) {
        match namespaces {
            Namespaces::Named(name) => {
                let next = number(self.named.len());
                self.named.entry(name).or_insert(next);
            }
            Namespaces::Matching(selector) => self.namespaces.add(selector),
            Namespaces::SameLabels(keys) | Namespaces::NotSameLabels(keys) => {
                keys.iter()
                    .for_each(|k| self.namespaces.key(k).compared = true);
            }
        }
    }

    fn peer(&mut self, peer: &'w Peer) {
        match peer {
            Peer::Pods(namespaces, pods) => {
                self.pods.add(pods);
                self.which(namespaces);
            }
            Peer::Addresses(set) => self.blocks.push(set),
            Peer::Nodes(_) => self.nodes = true,
            Peer::NoneOf(peers) => peers.iter().for_each(|p| self.peer(p)),
            Peer::Symbol(_) => self.nodes = true,
            Peer::Domain(_) | Peer::Unreadable { .. } => {}
        }
    }
}
