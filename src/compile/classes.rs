//! Pod classes: pods that no rule can tell apart.
//!
//! Phases: [`Vocabulary::new`] collects the label keys, values, port names and namespaces that rules mention;
//! [`project`] keeps of each label set only what is mentioned (a value nobody names becomes "some other value");
//! [`Classes::new`] gives pods with equal keys one class, sorted so that a namespace's classes are neighbours.
//!
//! Invariant: two pods of one class give the same truth for every subject, peer and port entry of the law, in every
//! case. Cost: O(pods x labels). With classes off every pod is its own class, and nothing else changes.

use super::atoms::Atoms;
use super::world::{PodAddress, World};
use crate::model::{Labels, LabelsId, Namespace, NamespaceId, Pod, PodId, Selector};
use crate::policy::{Namespaces, Peer, Peers, PortMatch, Ports, Subject};
use crate::set::{Family, IpSet};
use indexmap::IndexSet;
use std::collections::{HashMap, HashSet};

/// What the law mentions of one kind of label set.
#[derive(Debug, Default)]
pub struct Mentioned {
    values: HashMap<Box<str>, HashSet<Box<str>>>,
    /// Keys whose values are compared with each other, so that every value counts.
    compared: HashSet<Box<str>>,
}

impl Mentioned {
    fn add(&mut self, selector: &Selector) {
        for requirement in selector.requirements() {
            let values = self.values.entry(requirement.key().into()).or_default();
            values.extend(requirement.values().iter().cloned());
        }
    }

    /// The keys, those of few mentioned values first.
    fn ranked(&self) -> Vec<&str> {
        let mut keys: Vec<(usize, &str)> = self.values.iter().map(|(key, values)| (values.len(), &**key)).collect();
        keys.sort_unstable();
        keys.into_iter().map(|(_, key)| key).collect()
    }

    /// What of a label set the law can see.
    fn project<'a>(&self, labels: &'a Labels) -> Vec<(&'a str, Option<&'a str>)> {
        let visible = labels.iter().filter(|(k, _)| self.values.contains_key(*k) || self.compared.contains(*k));
        let shown = |k: &str, v: &str| self.compared.contains(k) || self.values.get(k).is_some_and(|vs| vs.contains(v));
        visible.map(|(k, v)| (k, shown(k, v).then_some(v))).collect()
    }
}

/// Everything the law mentions by name.
#[derive(Debug, Default)]
pub struct Vocabulary {
    pods: Mentioned,
    namespaces: Mentioned,
    named: HashSet<Box<str>>,
    ports: HashSet<Box<str>>,
    /// Every address set that a rule may match.
    pub blocks: Vec<IpSet>,
    nodes: bool,
}

impl Vocabulary {
    /// Reads the law once. O(law).
    pub fn new(world: &World) -> Self {
        let mut vocabulary = Self::default();
        for policy in &world.policies.policies {
            vocabulary.subject(&policy.subject);
            for rule in policy.rules.iter().flatten() {
                if let Peers::Of(peers) = &rule.peers {
                    peers.iter().for_each(|p| vocabulary.peer(p));
                }
                if let Ports::Of(ports) = &rule.ports {
                    let names =
                        ports.iter().filter_map(|p| if let PortMatch::Named(n, _) = p { Some(n) } else { None });
                    vocabulary.ports.extend(names.cloned());
                }
            }
        }
        world.policies.taints.iter().for_each(|t| vocabulary.subject(&t.subject));
        if vocabulary.nodes || !world.options.blocks_match_pods {
            let addresses = world.cluster.nodes().flat_map(|(_, n)| n.addresses.iter());
            vocabulary.blocks.extend(addresses.map(|a| IpSet::single(*a)));
        }
        vocabulary.blocks.sort();
        vocabulary.blocks.dedup();
        vocabulary
    }

    /// Every address set that cuts the address lines: the blocks, and where nodes are (S55).
    pub fn cuts(&self, world: &World) -> Vec<IpSet> {
        let addresses = world.cluster.nodes().flat_map(|(_, n)| n.addresses.iter());
        let nodes = addresses.map(|a| IpSet::single(*a)).chain([world.options.node_cidrs.clone()]);
        self.blocks.iter().cloned().chain(nodes).collect()
    }

    fn subject(&mut self, subject: &Subject) {
        self.pods.add(&subject.pods);
        self.which(&subject.namespaces);
    }

    fn which(&mut self, namespaces: &Namespaces) {
        match namespaces {
            Namespaces::Named(name) => {
                self.named.insert(name.clone());
            }
            Namespaces::Matching(selector) => self.namespaces.add(selector),
            Namespaces::SameLabels(keys) | Namespaces::NotSameLabels(keys) => {
                self.namespaces.compared.extend(keys.iter().cloned());
            }
        }
    }

    fn peer(&mut self, peer: &Peer) {
        match peer {
            Peer::Pods(namespaces, pods) => {
                self.pods.add(pods);
                self.which(namespaces);
            }
            Peer::Addresses(set) => self.blocks.push(set.clone()),
            Peer::Nodes(_) => self.nodes = true,
            Peer::Domain(_) | Peer::Unreadable { .. } => {}
        }
    }
}

/// Of a namespace, what the law can see.
#[derive(Debug, PartialEq, Eq, Hash)]
struct NamespaceKey<'w> {
    name: Option<&'w str>,
    declared: bool,
    labels: Vec<(&'w str, Option<&'w str>)>,
}

/// Of a pod, what the law can see; each field an interned number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    namespace: u32,
    labels: u32,
    ports: u32,
    host: u32,
    address: u32,
    own: u32,
}

/// Where a pod's addresses lie, as far as the law can see.
#[derive(Debug, PartialEq, Eq, Hash)]
enum AddressKey {
    Atoms(Vec<u32>),
    Families(Vec<bool>),
    Ranges([PodAddress; 2]),
}

/// A class of pods.
#[derive(Debug, Clone)]
pub struct Class {
    /// One member for all.
    pub representative: PodId,
    /// All members, in input order.
    pub members: Vec<PodId>,
    /// The namespace class.
    pub namespace: u32,
    /// The projected label set.
    pub labels: u32,
    /// The named ports, as far as the law can see.
    pub ports: u32,
    /// The addresses, as far as the law can see.
    pub address: u32,
    /// Whether its pods share their node's network.
    pub host: bool,
}

/// The classes of all pods.
#[derive(Debug, Clone)]
pub struct Classes {
    /// The classes; the index is the class's number.
    pub list: Vec<Class>,
    /// The class of each pod.
    pub of_pod: Vec<u32>,
    /// One namespace for each namespace class.
    pub namespaces: Vec<NamespaceId>,
    /// The namespace class of each namespace.
    pub of_namespace: Vec<u32>,
    /// The classes of each namespace class: a range.
    pub spans: Vec<std::ops::Range<u32>>,
    /// One label set for each projected one.
    pub label_sets: Vec<LabelsId>,
    /// One class for each distinct address key.
    pub addresses: Vec<PodId>,
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

struct Interner<'w> {
    world: &'w World,
    vocabulary: &'w Vocabulary,
    atoms: &'w Atoms,
    ports: IndexSet<Vec<(&'w str, crate::set::Protocol, u16)>>,
    hosts: IndexSet<Option<&'w str>>,
    addresses: IndexSet<AddressKey>,
    address_pods: Vec<PodId>,
}

impl<'w> Interner<'w> {
    fn ports(&mut self, pod: &'w Pod) -> u32 {
        let named = pod.ports.iter().filter_map(|p| p.name.as_deref().map(|n| (n, p.protocol, p.port)));
        let mentioned = named.filter(|(n, _, _)| self.vocabulary.ports.contains(*n)).collect();
        number(self.ports.insert_full(mentioned).0)
    }

    fn host(&mut self, pod: &'w Pod) -> u32 {
        if pod.host_network { number(self.hosts.insert_full(pod.node.as_deref()).0) + 1 } else { 0 }
    }

    fn address(&mut self, id: PodId, pod: &Pod) -> u32 {
        let known = self.world.addresses(pod);
        let key = if known.is_empty() {
            AddressKey::Ranges(Family::ALL.map(|f| self.world.pod_addresses(pod, f)))
        } else if self.vocabulary.blocks.is_empty() {
            AddressKey::Families(Family::ALL.iter().map(|f| self.world.has_family(pod, *f)).collect())
        } else {
            let mut atoms: Vec<u32> = known.iter().map(|a| self.atoms.of(*a)).collect();
            atoms.sort_unstable();
            atoms.dedup();
            AddressKey::Atoms(atoms)
        };
        let (index, new) = self.addresses.insert_full(key);
        if new {
            self.address_pods.push(id);
        }
        number(index)
    }
}

/// One namespace for each namespace class, and the class of each namespace. Classes are numbered by their labels, keys of
/// few values first, so that the namespaces a selector selects are mostly neighbours and their pods few runs.
fn namespace_classes(world: &World, vocabulary: &Vocabulary) -> (Vec<NamespaceId>, Vec<u32>) {
    let mut keys: IndexSet<NamespaceKey<'_>> = IndexSet::new();
    let (mut representatives, mut of) = (Vec::new(), Vec::new());
    for (id, namespace) in world.cluster.namespaces() {
        let (index, new) = keys.insert_full(namespace_key(world, vocabulary, namespace));
        if new {
            representatives.push(id);
        }
        of.push(number(index));
    }
    let ranked = vocabulary.namespaces.ranked();
    let place = |index: u32| {
        let seen = &keys[index as usize];
        let value = |key: &&str| seen.labels.iter().find(|(k, _)| k == key).map(|(_, value)| *value);
        (seen.declared, ranked.iter().map(value).collect::<Vec<_>>(), index)
    };
    let mut order: Vec<u32> = (0..number(keys.len())).collect();
    order.sort_by_cached_key(|index| place(*index));
    let mut new = vec![0; order.len()];
    for (at, index) in (0..).zip(&order) {
        new[*index as usize] = at;
    }
    let representatives = order.iter().map(|index| representatives[*index as usize]).collect();
    (representatives, of.into_iter().map(|index| new[index as usize]).collect())
}

fn namespace_key<'w>(world: &World, vocabulary: &Vocabulary, namespace: &'w Namespace) -> NamespaceKey<'w> {
    let named = !world.options.classes || vocabulary.named.contains(&namespace.name);
    NamespaceKey {
        name: named.then_some(&*namespace.name),
        declared: namespace.declared.is_some(),
        labels: vocabulary.namespaces.project(&namespace.labels),
    }
}

impl Classes {
    /// Sorts the pods into classes.
    pub fn new(world: &World, vocabulary: &Vocabulary, atoms: &Atoms) -> Self {
        let (namespaces, of_namespace) = namespace_classes(world, vocabulary);
        let (label_sets, of_labels) = project(world, vocabulary);
        let mut interner = Interner {
            world,
            vocabulary,
            atoms,
            ports: IndexSet::new(),
            hosts: IndexSet::new(),
            addresses: IndexSet::new(),
            address_pods: Vec::new(),
        };
        let keys: Vec<Key> = world
            .cluster
            .pods()
            .map(|(id, pod)| Key {
                namespace: of_namespace[pod.namespace.0 as usize],
                labels: of_labels[pod.labels.0 as usize],
                ports: interner.ports(pod),
                host: interner.host(pod),
                address: interner.address(id, pod),
                own: if world.options.classes { 0 } else { id.0 },
            })
            .collect();
        let (list, of_pod) = group(&keys);
        let spans = spans(&list, namespaces.len());
        Self { list, of_pod, namespaces, of_namespace, spans, label_sets, addresses: interner.address_pods }
    }

    /// How many classes there are.
    pub fn len(&self) -> u32 {
        number(self.list.len())
    }

    /// A class by its number.
    pub fn get(&self, class: u32) -> &Class {
        &self.list[class as usize]
    }
}

/// One label set for each projected one, and the projection of each label set.
fn project(world: &World, vocabulary: &Vocabulary) -> (Vec<LabelsId>, Vec<u32>) {
    let mut seen = IndexSet::new();
    let (mut representatives, mut of) = (Vec::new(), Vec::new());
    for (i, labels) in world.cluster.label_sets().enumerate() {
        let (index, new) = seen.insert_full(vocabulary.pods.project(labels));
        if new {
            representatives.push(LabelsId(number(i)));
        }
        of.push(number(index));
    }
    (representatives, of)
}

fn group(keys: &[Key]) -> (Vec<Class>, Vec<u32>) {
    let mut order: Vec<u32> = (0..number(keys.len())).collect();
    order.sort_by_key(|&i| (keys[i as usize], i));
    let mut list: Vec<Class> = Vec::new();
    let mut of_pod = vec![0; keys.len()];
    let mut last = None;
    for i in order {
        let key = keys[i as usize];
        if last != Some(key) {
            list.push(Class {
                representative: PodId(i),
                members: Vec::new(),
                namespace: key.namespace,
                labels: key.labels,
                ports: key.ports,
                address: key.address,
                host: key.host != 0,
            });
            last = Some(key);
        }
        of_pod[i as usize] = number(list.len() - 1);
        if let Some(class) = list.last_mut() {
            class.members.push(PodId(i));
        }
    }
    (list, of_pod)
}

/// The range of classes of each namespace class; classes are sorted by it.
fn spans(list: &[Class], namespaces: usize) -> Vec<std::ops::Range<u32>> {
    (0..number(namespaces))
        .map(|n| {
            let start = list.partition_point(|c| c.namespace < n);
            let end = list.partition_point(|c| c.namespace <= n);
            number(start)..number(end)
        })
        .collect()
}
