//! Pod classes: pods that no rule can tell apart.
//!
//! [`Classes::new`] gives each pod a [`PodKey`] of what the vocabulary sees of it, and pods with
//! equal keys one class; classes are sorted so that a namespace's classes are neighbours. Label
//! sets are projected once each, not once for every pod.
//!
//! Invariant: two pods of one class give the same truth for every subject, peer and port entry of
//! the rules, in every case. Cost: O(pods + distinct label sets x labels). With classes off every
//! pod is its own class, and nothing else changes.

use crate::compile::atoms::Atoms;
use crate::compile::vocabulary::{Seen, Vocabulary};
use crate::model::{ContainerPort, LabelsId, NamespaceId, Pod, PodId};
use crate::set::hashed::{HashMap, IndexSet};
use crate::set::{Family, Protocol, number};
use crate::spec::EndFamilies;
use crate::spec::environment::{Environment, PodAddress};
use std::cmp::Ordering;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Of a pod, what the rules can see; each field an interned number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct PodKey {
    namespace: u32,
    labels: u32,
    ports: u32,
    host: u32,
    address: u32,
    own: u32,
}

/// Where a pod's addresses lie, as far as the rules can see.
#[derive(Debug, PartialEq, Eq, Hash)]
enum AddressKey {
    Atoms(Vec<u32>),
    Families(EndFamilies),
    Ranges([PodAddress; 2]),
}

/// A class of pods.
#[derive(Debug, Clone)]
pub struct Class {
    /// One member for all.
    pub representative: PodId,
    /// The namespace class.
    pub namespace: u32,
    /// The projected label set.
    pub labels: u32,
    /// The named ports, as far as the rules can see: a table of [`Classes::ports`].
    pub ports: u32,
    /// The addresses, as far as the rules can see.
    pub address: u32,
    /// Whether its pods share their node's network.
    pub host: bool,
}

/// Ports with a mentioned name: the name's number, and what it stands for.
pub type NamedPorts = Box<[(u32, Protocol, u16)]>;

/// The classes of all pods.
#[derive(Debug, Clone)]
pub struct Classes {
    /// The classes; the index is the class's number.
    pub list: Vec<Class>,
    /// The pods, class after class, each class's in input order.
    members: Vec<PodId>,
    /// Where the pods of each class begin, and the end.
    starts: Vec<u32>,
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
    /// One pod for each distinct address key.
    pub addresses: Vec<PodId>,
    /// The distinct tables of named ports.
    pub ports: Vec<NamedPorts>,
}

/// Numbers what the rules see of pods one by one.
struct Interner<'w, 'v> {
    env: &'w Environment,
    vocabulary: &'v Vocabulary<'w>,
    atoms: &'v Atoms,
    ports: IndexSet<NamedPorts>,
    /// The ports of the pod before; pods of one controller have the same, mostly in the same
    /// memory.
    last_ports: Option<(&'w Arc<[ContainerPort]>, u32)>,
    hosts: IndexSet<Option<&'w str>>,
    /// Addresses in one atom, which nearly all are.
    single: HashMap<u32, u32>,
    addresses: HashMap<AddressKey, u32>,
    /// The atom of the pod before and its number; the pods of one node have addresses side by side.
    last_address: Option<(RangeInclusive<IpAddr>, u32)>,
    address_pods: Vec<PodId>,
}

impl<'w> Interner<'w, '_> {
    fn key(&mut self, id: PodId, pod: &'w Pod, namespace: u32, labels: u32) -> PodKey {
        let own = if self.env.options.classes { 0 } else { id.0 };
        let (ports, host, address) = (self.ports(pod), self.host(pod), self.address(id, pod));
        PodKey {
            namespace,
            labels,
            ports,
            host,
            address,
            own,
        }
    }

    fn ports(&mut self, pod: &'w Pod) -> u32 {
        if let Some((last, known)) = self.last_ports
            && (Arc::ptr_eq(last, &pod.ports) || *last == pod.ports)
        {
            return known;
        }
        let mentioned = |p: &ContainerPort| {
            Some((
                *self.vocabulary.ports.get(p.name.as_deref()?)?,
                p.protocol,
                p.port,
            ))
        };
        let table: NamedPorts = pod.ports.iter().filter_map(mentioned).collect();
        let known = number(self.ports.insert_full(table).0);
        self.last_ports = Some((&pod.ports, known));
        known
    }

    fn host(&mut self, pod: &'w Pod) -> u32 {
        if pod.host_network {
            number(self.hosts.insert_full(pod.node.as_deref()).0) + 1
        } else {
            0
        }
    }

    fn address(&mut self, id: PodId, pod: &Pod) -> u32 {
        let known = self.env.addresses(pod);
        if let (Some((atom, number)), [one]) = (&self.last_address, known)
            && atom.contains(one)
        {
            return *number;
        }
        let next = number(self.address_pods.len());
        let number = if known.is_empty() {
            let ranges = Family::ALL.map(|f| self.env.pod_addresses(pod, f));
            *self
                .addresses
                .entry(AddressKey::Ranges(ranges))
                .or_insert(next)
        } else if !self.vocabulary.tells_addresses {
            let families = self.env.families(pod);
            *self
                .addresses
                .entry(AddressKey::Families(families))
                .or_insert(next)
        } else if let [one] = known {
            let atom = self.atoms.of(*one);
            let number = *self.single.entry(atom).or_insert(next);
            self.last_address = Some((self.atoms.span(atom), number));
            number
        } else {
            let mut atoms: Vec<u32> = known.iter().map(|a| self.atoms.of(*a)).collect();
            atoms.sort_unstable();
            atoms.dedup();
            match atoms[..] {
                [one] => *self.single.entry(one).or_insert(next),
                _ => *self
                    .addresses
                    .entry(AddressKey::Atoms(atoms))
                    .or_insert(next),
            }
        };
        if number == next {
            self.address_pods.push(id);
        }
        number
    }
}

/// One namespace for each namespace class, and the class of each namespace. Classes are numbered by
/// their labels, keys of few values first, so that the namespaces a selector selects are mostly
/// neighbours and their pods few runs.
fn namespace_classes<'w>(
    env: &'w Environment,
    vocabulary: &mut Vocabulary<'w>,
) -> (Vec<NamespaceId>, Vec<u32>) {
    let mut keys: IndexSet<Box<[Seen]>> = IndexSet::default();
    let (mut representatives, mut of) = (Vec::new(), Vec::new());
    let mut seen = Vec::new();
    for (id, namespace) in env.cluster.namespaces() {
        vocabulary.namespaces.project(&namespace.labels, &mut seen);
        let named = vocabulary
            .named
            .get(&*namespace.name)
            .map_or(u32::MAX, |n| *n);
        let name = if env.options.classes { named } else { id.0 };
        seen.push((name, u32::from(namespace.declared.is_some())));
        of.push(interned(&mut keys, &seen, || representatives.push(id)));
    }
    let ranks = vocabulary.namespaces.ranks();
    let place = |(index, key): (u32, &[Seen])| {
        let (declared, labels) = key
            .split_last()
            .map_or((0, &[][..]), |((_, declared), labels)| (*declared, labels));
        let mut ranked: Vec<Seen> = labels
            .iter()
            .map(|(key, value)| (ranks[*key as usize], *value))
            .collect();
        ranked.sort_unstable();
        (declared, ranked, index)
    };
    let mut order: Vec<(u32, Vec<Seen>, u32)> = (0..)
        .zip(keys.iter().map(AsRef::as_ref))
        .map(place)
        .collect();
    order.sort_unstable_by(|a, b| {
        a.0.cmp(&b.0)
            .then_with(|| by_rank(&a.1, &b.1))
            .then(a.2.cmp(&b.2))
    });
    let mut new = vec![0; order.len()];
    for (at, (_, _, index)) in (0..).zip(&order) {
        new[*index as usize] = at;
    }
    let representatives = order
        .iter()
        .map(|(_, _, index)| representatives[*index as usize])
        .collect();
    (
        representatives,
        of.into_iter().map(|index| new[index as usize]).collect(),
    )
}

/// Compares sorted labels as if absent ones stood there too, before all others.
fn by_rank(a: &[Seen], b: &[Seen]) -> Ordering {
    let differing = a.iter().zip(b).find(|(x, y)| x != y);
    differing.map_or_else(
        || a.len().cmp(&b.len()),
        |(x, y)| y.0.cmp(&x.0).then(x.1.cmp(&y.1)),
    )
}

/// The number of a projection; `new` is called where it is a new one.
fn interned(known: &mut IndexSet<Box<[Seen]>>, seen: &[Seen], new: impl FnOnce()) -> u32 {
    if let Some(index) = known.get_index_of(seen) {
        return number(index);
    }
    new();
    number(known.insert_full(seen.into()).0)
}

impl Classes {
    /// Sorts the pods into classes.
    pub fn new<'w>(env: &'w Environment, vocabulary: &mut Vocabulary<'w>, atoms: &Atoms) -> Self {
        let (namespaces, of_namespace) = namespace_classes(env, vocabulary);
        let (label_sets, of_labels) = project(env, vocabulary);
        let mut interner = Interner {
            env,
            vocabulary,
            atoms,
            ports: IndexSet::default(),
            last_ports: None,
            hosts: IndexSet::default(),
            single: HashMap::default(),
            addresses: HashMap::default(),
            last_address: None,
            address_pods: Vec::new(),
        };
        let key = |(id, pod): (PodId, &'w Pod)| {
            interner.key(
                id,
                pod,
                of_namespace[pod.namespace.0 as usize],
                of_labels[pod.labels.0 as usize],
            )
        };
        let keys = env.cluster.pods().map(key);
        let (list, of_pod) = group(keys, namespaces.len());
        let (members, starts) = bucketed(&of_pod, list.len());
        let members = members.into_iter().map(PodId).collect();
        let spans = spans(&list, namespaces.len());
        let addresses = interner.address_pods;
        let ports = interner.ports.into_iter().collect();
        Self {
            list,
            members,
            starts,
            of_pod,
            namespaces,
            of_namespace,
            spans,
            label_sets,
            addresses,
            ports,
        }
    }

    /// How many classes there are.
    pub fn len(&self) -> u32 {
        number(self.list.len())
    }

    /// A class by its number.
    pub fn get(&self, class: u32) -> &Class {
        &self.list[class as usize]
    }

    /// How many pods the classes before this one have; of all, for the first number that is no
    /// class.
    pub fn pods_before(&self, class: u32) -> u64 {
        self.starts
            .get(class as usize)
            .or(self.starts.last())
            .copied()
            .map_or(0, u64::from)
    }

    /// The pods of a class, in input order.
    pub fn members(&self, class: u32) -> &[PodId] {
        let class = class as usize;
        &self.members[self.starts[class] as usize..self.starts[class + 1] as usize]
    }
}

/// One label set for each projected one, and the projection of each label set.
fn project<'w>(env: &'w Environment, vocabulary: &mut Vocabulary<'w>) -> (Vec<LabelsId>, Vec<u32>) {
    let mut known = IndexSet::default();
    let (mut representatives, mut of) = (Vec::new(), Vec::new());
    let mut seen = Vec::new();
    for (i, labels) in env.cluster.label_sets().enumerate() {
        vocabulary.pods.project(labels, &mut seen);
        of.push(interned(&mut known, &seen, || {
            representatives.push(LabelsId(number(i)));
        }));
    }
    (representatives, of)
}

/// The distinct keys, sorted, and the class of each pod.
fn group(keys: impl ExactSizeIterator<Item = PodKey>, namespaces: usize) -> (Vec<Class>, Vec<u32>) {
    let mut known: HashMap<PodKey, u32> = HashMap::default();
    let mut found: Vec<(PodKey, PodId)> = Vec::new();
    let mut of_pod: Vec<u32> = Vec::with_capacity(keys.len());
    let mut last: Option<(PodKey, u32)> = None;
    for (pod, key) in (0..).zip(keys) {
        let class = match last {
            // pods of one controller often follow each other
            Some((same, class)) if same == key => class,
            _ => *known.entry(key).or_insert(number(found.len())),
        };
        if class == number(found.len()) {
            found.push((key, PodId(pod)));
        }
        last = Some((key, class));
        of_pod.push(class);
    }
    let of_namespace: Vec<u32> = found.iter().map(|(key, _)| key.namespace).collect();
    let (order, starts) = bucketed(&of_namespace, namespaces);
    let mut order: Vec<(PodKey, u32)> = order
        .into_iter()
        .map(|class| (found[class as usize].0, class))
        .collect();
    for span in starts.windows(2) {
        order[span[0] as usize..span[1] as usize].sort_unstable();
    }
    let mut new = vec![0; found.len()];
    for (at, (_, class)) in (0..).zip(&order) {
        new[*class as usize] = at;
    }
    of_pod
        .iter_mut()
        .for_each(|class| *class = new[*class as usize]);
    let class = |(key, class): (PodKey, u32)| {
        let (_, representative) = found[class as usize];
        let (namespace, labels, ports, address, host) = (
            key.namespace,
            key.labels,
            key.ports,
            key.address,
            key.host != 0,
        );
        Class {
            representative,
            namespace,
            labels,
            ports,
            address,
            host,
        }
    };
    (order.into_iter().map(class).collect(), of_pod)
}

/// The indices of a list bucket after bucket, each in order, and where each bucket begins. O(list +
/// buckets).
pub(crate) fn bucketed(buckets: &[u32], count: usize) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0; count + 1];
    buckets
        .iter()
        .for_each(|bucket| starts[*bucket as usize + 1] += 1);
    for bucket in 0..count {
        starts[bucket + 1] += starts[bucket];
    }
    let mut next = starts.clone();
    let mut sorted = vec![0; buckets.len()];
    for (index, bucket) in (0..).zip(buckets) {
        let at = &mut next[*bucket as usize];
        sorted[*at as usize] = index;
        *at += 1;
    }
    (sorted, starts)
}

/// The range of classes of each namespace class; classes are sorted by it.
fn spans(list: &[Class], namespaces: usize) -> Vec<std::ops::Range<u32>> {
    let mut ends = vec![0; namespaces];
    for (class, at) in list.iter().zip(1..) {
        ends[class.namespace as usize] = at;
    }
    let mut start = 0;
    let span = |end: u32| {
        let span = start..end.max(start);
        start = span.end;
        span
    };
    ends.into_iter().map(span).collect()
}
