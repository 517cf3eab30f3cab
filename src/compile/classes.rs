//! Pod classes: pods that no rule can tell apart.
//!
//! [`Classes::new`] gives each pod a [`PodKey`] of what the vocabulary sees of it, and pods with
//! equal keys one class; classes are sorted so that a namespace's classes are neighbours. Label
//! sets are projected once each, not once for every pod.
//!
//! Invariant: two pods of one class give the same truth for every subject, peer and port entry of
//! the rules, in every case. Cost: O(pods + distinct label sets x labels). With classes off every
//! pod is its own class, and nothing else changes.

use crate::compile::atoms::{AtomIx, Atoms};
use crate::compile::endpoint_index::EndpointIx;
use crate::compile::vocabulary::{
    LabelKeyIx, NamespaceNameIx, PortNameIx, Seen, ValueIx, Vocabulary,
};
use crate::model::{ContainerPort, LabelsId, NamespaceId, Pod, PodId};
use crate::policy::Subject;
use crate::set::hashed::{HashMap, room_for};
use crate::set::{Buckets, Family, Interner, Ix, Point, Protocol, Table, TooMany, index_type};
use crate::spec::EndFamilies;
use crate::spec::environment::{Environment, PodAddress};
use crate::spec::matching::subject_selects;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

index_type! {
    /// Index of a class of namespaces that no rule can tell apart.
    pub struct NamespaceClassIx;
    /// Index of a projected label set.
    pub struct LabelSetIx;
    /// Index of a table of named ports.
    pub struct PortTableIx;
    /// Index of a distinct address key.
    pub struct AddressIx;
    /// Index of a distinct node of host-network pods.
    struct HostIx;
}

/// Of a pod, what the rules can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct PodKey {
    namespace: NamespaceClassIx,
    labels: LabelSetIx,
    ports: PortTableIx,
    host: Option<HostIx>,
    address: AddressIx,
    /// The pod itself, where each is a class of its own.
    own: Option<PodId>,
}

impl Hash for PodKey {
    /// In three pieces: the key of nearly every pod is hashed.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let pair = |first: u32, second: u32| u64::from(first) << 32 | u64::from(second);
        // no index has the number that stands for none
        let host = self.host.map_or(u32::MAX, Ix::number);
        let own = self.own.map_or(u32::MAX, Ix::number);
        state.write_u64(pair(self.namespace.number(), self.labels.number()));
        state.write_u64(pair(self.ports.number(), host));
        state.write_u64(pair(self.address.number(), own));
    }
}

/// Where a pod's addresses lie, as far as the rules can see.
#[derive(Debug, PartialEq, Eq, Hash)]
enum AddressKey {
    Atoms(Vec<AtomIx>),
    Families(EndFamilies),
    Ranges([PodAddress; 2]),
}

/// A class of pods.
#[derive(Debug, Clone)]
pub struct Class {
    /// One member for all.
    pub representative: PodId,
    /// The namespace class.
    pub namespace: NamespaceClassIx,
    /// The projected label set.
    pub labels: LabelSetIx,
    /// The named ports, as far as the rules can see: a table of [`Classes::ports`].
    pub ports: PortTableIx,
    /// The addresses, as far as the rules can see.
    pub address: AddressIx,
    /// Whether its pods share their node's network.
    pub host: bool,
}

/// Ports with a mentioned name, and what it stands for.
pub type NamedPorts = Box<[(PortNameIx, Protocol, u16)]>;

/// The classes of all pods.
#[derive(Debug, Clone)]
pub struct Classes {
    /// The classes, which come first in the endpoint space.
    pub list: Table<EndpointIx, Class>,
    /// The pods of each class.
    members: Buckets<EndpointIx, PodId>,
    /// The class of each pod.
    pub of_pod: Table<PodId, EndpointIx>,
    /// One namespace for each namespace class.
    pub namespaces: Table<NamespaceClassIx, NamespaceId>,
    /// The namespace class of each namespace.
    pub of_namespace: Table<NamespaceId, NamespaceClassIx>,
    /// The classes of each namespace class: a range.
    pub spans: Table<NamespaceClassIx, Range<EndpointIx>>,
    /// One label set for each projected one.
    pub label_sets: Table<LabelSetIx, LabelsId>,
    /// One pod for each distinct address key.
    pub addresses: Table<AddressIx, PodId>,
    /// The distinct tables of named ports.
    pub ports: Table<PortTableIx, NamedPorts>,
}

/// Numbers what the rules see of pods one by one.
struct PodKeys<'w, 'v> {
    env: &'w Environment,
    vocabulary: &'v Vocabulary<'w>,
    atoms: &'v Atoms,
    ports: Interner<PortTableIx, NamedPorts>,
    /// The ports of the pod before; pods of one controller have the same, mostly in the same
    /// memory.
    last_ports: Option<(&'w Arc<[ContainerPort]>, PortTableIx)>,
    /// By whether it is a pod on its node's network, and the node.
    hosts: Interner<HostIx, (bool, Option<&'w str>)>,
    /// Of a namespace and a label set, whether rules mean other nodes for such pods.
    told_by_node: HashMap<(NamespaceId, LabelsId), bool>,
    /// Addresses in one atom, which nearly all are.
    single: HashMap<AtomIx, AddressIx>,
    addresses: HashMap<AddressKey, AddressIx>,
    /// The atom of the pod before and its number; the pods of one node have addresses side by side.
    last_address: Option<(RangeInclusive<IpAddr>, AddressIx)>,
    address_pods: Table<AddressIx, PodId>,
}

impl<'w> PodKeys<'w, '_> {
    fn key(
        &mut self,
        id: PodId,
        pod: &'w Pod,
        namespace: NamespaceClassIx,
        labels: LabelSetIx,
    ) -> Result<PodKey, TooMany> {
        Ok(PodKey {
            namespace,
            labels,
            ports: self.ports(pod)?,
            host: self.host(id, pod)?,
            address: self.address(id, pod)?,
            own: (!self.env.options.classes).then_some(id),
        })
    }

    fn ports(&mut self, pod: &'w Pod) -> Result<PortTableIx, TooMany> {
        if let Some((last, known)) = self.last_ports
            && (Arc::ptr_eq(last, &pod.ports) || *last == pod.ports)
        {
            return Ok(known);
        }
        let mentioned = |p: &ContainerPort| {
            Some((
                *self.vocabulary.ports.get(p.name.as_deref()?)?,
                p.protocol,
                p.port,
            ))
        };
        let table: NamedPorts = pod.ports.iter().filter_map(mentioned).collect();
        let known = self.ports.intern(table)?;
        self.last_ports = Some((&pod.ports, known));
        Ok(known)
    }

    fn host(&mut self, id: PodId, pod: &'w Pod) -> Result<Option<HostIx>, TooMany> {
        let told =
            pod.host_network || !self.vocabulary.on_own_node.is_empty() && self.is_told_by_node(id);
        let host = told.then_some((pod.host_network, pod.node.as_deref()));
        host.map(|node| self.hosts.intern(node)).transpose()
    }

    /// Whether a policy may select the pod whose rules mean other nodes for each of its pods.
    fn is_told_by_node(&mut self, id: PodId) -> bool {
        let pod = self.env.cluster.pod(id);
        let subjects = &self.vocabulary.on_own_node;
        let selects = |subject: &&Subject| subject_selects(self.env, subject, id).possible();
        let key = (pod.namespace, pod.labels);
        *self
            .told_by_node
            .entry(key)
            .or_insert_with(|| subjects.iter().any(selects))
    }

    fn address(&mut self, id: PodId, pod: &Pod) -> Result<AddressIx, TooMany> {
        let known = self.env.addresses(pod);
        if let (Some((atom, number)), [one]) = (&self.last_address, known)
            && atom.contains(one)
        {
            return Ok(*number);
        }
        let next = AddressIx::new(self.address_pods.len())?;
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
            let mut atoms: Vec<AtomIx> = known.iter().map(|a| self.atoms.of(*a)).collect();
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
            self.address_pods.push(id)?;
        }
        Ok(number)
    }
}

/// All that the rules can see of a namespace.
#[derive(PartialEq, Eq, Hash)]
struct NamespaceKey {
    declared: bool,
    /// Its name, where a rule mentions it.
    name: Option<NamespaceNameIx>,
    /// The namespace itself, where each is a class of its own.
    own: Option<NamespaceId>,
    labels: Box<[Seen]>,
}

/// One namespace for each namespace class, and the class of each namespace. Classes are numbered by
/// their labels, keys of few values first, so that the namespaces a selector selects are mostly
/// neighbours and their pods few runs.
fn namespace_classes<'w>(
    env: &'w Environment,
    vocabulary: &mut Vocabulary<'w>,
) -> Result<ByClass<NamespaceClassIx, NamespaceId>, TooMany> {
    let count = env.cluster.namespaces().len();
    let mut keys: Interner<NamespaceClassIx, NamespaceKey> = Interner::with_room(count);
    let mut first: Table<NamespaceClassIx, NamespaceId> = Table::with_room(count);
    let mut class_of = Vec::with_capacity(count);
    let mut seen = Vec::new();
    for (id, namespace) in env.cluster.namespaces() {
        vocabulary
            .namespaces
            .project(&namespace.labels, &mut seen)?;
        let class = keys.intern(NamespaceKey {
            declared: namespace.declared.is_some(),
            name: vocabulary.named.get(&*namespace.name).copied(),
            own: (!env.options.classes).then_some(id),
            labels: seen[..].into(),
        })?;
        if class.index() == first.len() {
            first.push(id)?;
        }
        class_of.push(class);
    }
    let ranks = vocabulary.namespaces.ranks();
    let keys = keys.into_table();
    let mut order: Vec<(bool, Vec<(usize, ValueIx)>, NamespaceClassIx)> = keys
        .enumerated()
        .map(|(class, key)| (key.declared, ranked(&key.labels, &ranks), class))
        .collect();
    order.sort_unstable_by(|a, b| {
        a.0.cmp(&b.0)
            .then_with(|| by_rank(&a.1, &b.1))
            .then(a.2.cmp(&b.2))
    });
    let mut new = keys.map(|_| NamespaceClassIx::from_number(0));
    for (at, (_, _, class)) in keys.indexes().zip(&order) {
        new[*class] = at;
    }
    let first = order.iter().map(|(_, _, class)| first[*class]).collect();
    let class_of = class_of.into_iter().map(|class| new[class]).collect();
    Ok((Table::new(first)?, Table::new(class_of)?))
}

/// The labels of a namespace by the rank of their keys.
fn ranked(labels: &[Seen], ranks: &Table<LabelKeyIx, usize>) -> Vec<(usize, ValueIx)> {
    let ranked = labels.iter().map(|(key, value)| (ranks[*key], *value));
    let mut ranked: Vec<(usize, ValueIx)> = ranked.collect();
    ranked.sort_unstable();
    ranked
}

/// Compares sorted labels as if absent ones stood there too, before all others.
fn by_rank(a: &[(usize, ValueIx)], b: &[(usize, ValueIx)]) -> Ordering {
    let differing = a.iter().zip(b).find(|(x, y)| x != y);
    differing.map_or_else(
        || a.len().cmp(&b.len()),
        |(x, y)| y.0.cmp(&x.0).then(x.1.cmp(&y.1)),
    )
}

impl Classes {
    /// Sorts the pods into classes.
    ///
    /// # Errors
    /// When there are more of anything than can be numbered.
    pub fn new<'w>(
        env: &'w Environment,
        vocabulary: &mut Vocabulary<'w>,
        atoms: &Atoms,
    ) -> Result<Self, TooMany> {
        let (namespaces, of_namespace) = namespace_classes(env, vocabulary)?;
        let (label_sets, of_labels) = project(env, vocabulary)?;
        let mut pod_keys = PodKeys {
            env,
            vocabulary,
            atoms,
            ports: Interner::default(),
            last_ports: None,
            hosts: Interner::default(),
            told_by_node: HashMap::default(),
            single: HashMap::default(),
            addresses: HashMap::default(),
            last_address: None,
            address_pods: Table::default(),
        };
        let key = |(id, pod): (PodId, &'w Pod)| {
            pod_keys.key(id, pod, of_namespace[pod.namespace], of_labels[pod.labels])
        };
        let keys = env.cluster.pods().map(key);
        let is_host = |pod: PodId| env.cluster.pod(pod).host_network;
        let (list, of_pod) = group(keys, is_host, namespaces.len(), label_sets.len())?;
        let members = Buckets::new(&of_pod, list.len());
        let spans = spans(&list, &namespaces);
        let addresses = pod_keys.address_pods;
        let ports = pod_keys.ports.into_table();
        Ok(Self {
            list,
            members,
            of_pod,
            namespaces,
            of_namespace,
            spans,
            label_sets,
            addresses,
            ports,
        })
    }

    /// How many classes there are.
    pub fn len(&self) -> u32 {
        EndpointIx::bounded(self.list.len()).number()
    }

    /// How many pods the classes before this one have; of all, for the first place that is no
    /// class.
    pub fn pods_before(&self, class: EndpointIx) -> u64 {
        self.members.before(class) as u64
    }

    /// The pods of a class, in input order.
    pub fn members(&self, class: EndpointIx) -> &[PodId] {
        self.members.of(class)
    }
}

/// One thing for each class, and the class of each thing.
type ByClass<C, T> = (Table<C, T>, Table<T, C>);

/// One label set for each projected one, and the projection of each label set.
fn project<'w>(
    env: &'w Environment,
    vocabulary: &mut Vocabulary<'w>,
) -> Result<ByClass<LabelSetIx, LabelsId>, TooMany> {
    let mut known: Interner<LabelSetIx, Box<[Seen]>> = Interner::default();
    let (mut first, mut projected) = (Table::default(), Table::default());
    let mut seen = Vec::new();
    for labels in env.cluster.label_sets() {
        vocabulary.pods.project(labels, &mut seen)?;
        let set = match known.find(&seen[..]) {
            Some(set) => set,
            None => known.intern(seen[..].into())?,
        };
        let id = projected.push(set)?;
        if set.index() == first.len() {
            first.push(id)?;
        }
    }
    Ok((first, projected))
}

index_type! {
    /// Index of a class in the order in which they are met.
    struct MetIx;
}

/// The distinct keys, sorted, and the class of each pod.
fn group(
    keys: impl ExactSizeIterator<Item = Result<PodKey, TooMany>>,
    is_host: impl Fn(PodId) -> bool,
    namespaces: usize,
    label_sets: usize,
) -> Result<(Table<EndpointIx, Class>, Table<PodId, EndpointIx>), TooMany> {
    let room = label_sets.max(namespaces); // there are seldom fewer classes
    let mut known: HashMap<PodKey, MetIx> = room_for(room);
    let mut met: Table<MetIx, (PodKey, PodId)> = Table::with_room(room);
    let mut met_of: Table<PodId, MetIx> = Table::with_room(keys.len());
    let mut last: Option<(PodKey, MetIx)> = None;
    for key in keys {
        let key = key?;
        let next = MetIx::new(met.len())?;
        let class = match last {
            // pods of one controller often follow each other
            Some((same, class)) if same == key => class,
            _ => *known.entry(key).or_insert(next),
        };
        let pod = met_of.push(class)?;
        if class == next {
            met.push((key, pod))?;
        }
        last = Some((key, class));
    }
    let namespace_of: Vec<NamespaceClassIx> = met.iter().map(|(key, _)| key.namespace).collect();
    let by_namespace: Buckets<NamespaceClassIx, MetIx> = Buckets::new(&namespace_of, namespaces);
    let (mut list, mut new) = (Table::with_room(met.len()), met.map(|_| EndpointIx::MIN));
    let mut of_namespace: Vec<(PodKey, MetIx)> = Vec::new();
    for classes in by_namespace.iter() {
        of_namespace.clear();
        of_namespace.extend(classes.iter().map(|class| (met[*class].0, *class)));
        of_namespace.sort_unstable();
        for (key, class) in &of_namespace {
            new[*class] = list.push(Class {
                representative: met[*class].1,
                namespace: key.namespace,
                labels: key.labels,
                ports: key.ports,
                address: key.address,
                host: key.host.is_some() && is_host(met[*class].1),
            })?;
        }
    }
    Ok((list, met_of.map(|class| new[*class])))
}

/// The range of classes of each namespace class; classes are sorted by it.
fn spans(
    list: &Table<EndpointIx, Class>,
    namespaces: &Table<NamespaceClassIx, NamespaceId>,
) -> Table<NamespaceClassIx, Range<EndpointIx>> {
    let mut ends = namespaces.map(|_| EndpointIx::MIN);
    for (at, class) in list.enumerated() {
        ends[class.namespace] = at.next().unwrap_or(at);
    }
    let mut start = EndpointIx::MIN;
    ends.map(|end| {
        let span = start..start.max(*end);
        start = span.end;
        span
    })
}
