//! Pods and workloads as the page holds them, and what a name is resolved to.
//!
//! Pods are numbered in the order of their workloads; what several share, their look, is written
//! once. Lists of pods are runs: first, how many. Cost: the pods.

use crate::graph::AllowGraph;
use crate::input::Input;
use crate::model::{Cluster, Labels, Pod, PodId};
use crate::query::ask::resolved::{End, Resolved};
use crate::render::report::ask::addresses::{AddressSet, address_set};
use crate::render::report::ask::interned::{Ranges, ranges_of};
use crate::render::report::matrix_data::runs;
use crate::render::words;
use crate::set::{Family, Ix, Protocol};
use crate::source::DocumentId;
use crate::spec::{Endpoint, FamilySet};
use indexmap::IndexSet;
use serde::{Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};

/// The most pods whose own names a page holds.
const MOST_NAMED: usize = 5_000;

/// The most pods whose addresses it holds.
const MOST_ADDRESSES: usize = 20_000;

/// A port of a container: name, protocol, number.
type PortOfPod = (String, u8, u16);

/// What pods look like: class, whether it is a single pod, ports, labels.
type Look = (usize, u8, usize, usize);

/// The pods of all workloads.
#[derive(Debug, Default, Serialize)]
pub struct PodTables {
    /// Labels, `key=value`.
    #[serde(serialize_with = "listed")]
    labels: IndexSet<String>,
    #[serde(serialize_with = "listed")]
    label_sets: IndexSet<Vec<usize>>,
    /// Keys of labels that pods have under a network plugin and not in the input, or otherwise.
    changed: BTreeSet<String>,
    #[serde(serialize_with = "listed")]
    ports: IndexSet<Vec<PortOfPod>>,
    #[serde(serialize_with = "listed")]
    looks: IndexSet<Look>,
    /// Of each workload: how many pods, their look, how many, their look.
    of: Vec<Vec<usize>>,
    /// The names of pods that are not called as their workload; `None` where they are too many.
    names: Option<BTreeMap<usize, Vec<String>>>,
    /// The addresses of the pods of a workload, with blanks between those of one; without those on
    /// the network of a node. `None` where they are too many.
    addresses: Option<BTreeMap<usize, Vec<String>>>,
    /// Whether some pod on the pod network has no address that is told.
    untold: bool,
    /// Of workloads that are made from objects of other kinds: kind, object, role, names of pods.
    made: BTreeMap<usize, [String; 4]>,
    /// Workloads that are in no document.
    assumed: Vec<usize>,
    /// Workloads whose pods are what one pod may be.
    alternatives: Vec<usize>,
}

impl PodTables {
    /// The tables of a graph's cluster.
    pub(crate) fn new(graph: &AllowGraph, input: &Input) -> Self {
        let cluster = &graph.environment().cluster;
        let mut tables = Self {
            changed: changed(cluster, &input.cluster),
            ..Self::default()
        };
        let (mut names, mut addresses) = (BTreeMap::new(), BTreeMap::new());
        for (id, workload) in cluster.workloads() {
            let at = id.0 as usize;
            let pods = || workload.pods.iter().map(|pod| (*pod, cluster.pod(*pod)));
            if pods().any(|(_, pod)| pod.name != workload.name) {
                let called = pods().map(|(_, pod)| words::clean(&pod.name).into_owned());
                names.insert(at, called.collect());
            }
            let looks = pods().map(|(pod, of)| (tables.look(graph, pod, of), 1));
            let looks = runs(looks.collect(), |a, b| a.0 == b.0);
            tables.of.push(looks);
            let on_network = || pods().filter(|(_, pod)| !pod.host_network);
            tables.untold |= on_network().any(|(_, pod)| pod.addresses.is_empty());
            if on_network().any(|(_, pod)| !pod.addresses.is_empty()) {
                addresses.insert(at, pods().map(|(_, pod)| addresses_of(pod)).collect());
            }
            if let Some(made) = &workload.made {
                let row = [workload.kind.name(), &made.object, &made.role, &made.pods];
                tables
                    .made
                    .insert(at, row.map(|t| words::clean(t).into_owned()));
            }
            if workload.origin.document == DocumentId::NONE {
                tables.assumed.push(at);
            }
            if workload.alternatives {
                tables.alternatives.push(at);
            }
        }
        let many: usize = names.values().map(Vec::len).sum();
        tables.names = (many <= MOST_NAMED).then_some(names);
        let many: usize = addresses.values().map(Vec::len).sum();
        tables.addresses = (many <= MOST_ADDRESSES).then_some(addresses);
        tables
    }

    fn look(&mut self, graph: &AllowGraph, id: PodId, pod: &Pod) -> usize {
        let cluster = &graph.environment().cluster;
        let class = graph.space().index_of(Endpoint::Pod(id)).index();
        let ports = pod.ports.iter().map(|port| {
            let name = port.name.as_deref().unwrap_or_default();
            (
                words::clean(name).into_owned(),
                protocol(port.protocol),
                port.port,
            )
        });
        let ports = self.ports.insert_full(ports.collect()).0;
        let labels = self.label_set(cluster.labels(pod.labels));
        let look = (class, u8::from(pod.is_single()), ports, labels);
        self.looks.insert_full(look).0
    }

    fn label_set(&mut self, labels: &Labels) -> usize {
        let each = labels.iter().map(|(k, v)| format!("{k}={v}"));
        let each = each.map(|l| self.labels.insert_full(words::clean(&l).into_owned()).0);
        let set = each.collect();
        self.label_sets.insert_full(set).0
    }
}

/// The keys of labels that pods have in one of two clusters only, or with another value.
fn changed(cluster: &Cluster, input: &Cluster) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for ((_, pod), (_, read)) in cluster.pods().zip(input.pods()) {
        let both = [cluster.labels(pod.labels), input.labels(read.labels)];
        if both[0] == both[1] {
            continue;
        }
        for (labels, other) in [(both[0], both[1]), (both[1], both[0])] {
            let differ = labels.iter().filter(|(k, v)| other.get(k) != Some(*v));
            keys.extend(differ.map(|(k, _)| words::clean(k).into_owned()));
        }
    }
    keys
}

/// The addresses of a pod that are its own.
fn addresses_of(pod: &Pod) -> String {
    let own = pod.addresses.iter().filter(|_| !pod.host_network);
    let own: Vec<String> = own.map(ToString::to_string).collect();
    own.join(" ")
}

fn listed<T: Serialize, S: Serializer>(set: &IndexSet<T>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(set)
}

/// The number of a protocol that has ports.
pub(super) fn protocol(protocol: Protocol) -> u8 {
    let at = Protocol::ALL.iter().position(|p| *p == protocol);
    at.and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX)
}

/// The numbers that pods have on the page.
pub(super) struct PodNumbers(Vec<usize>);

impl PodNumbers {
    pub(super) fn new(cluster: &Cluster) -> Self {
        let mut numbers = vec![0; cluster.pods().len()];
        let in_order = cluster.workloads().flat_map(|(_, w)| &w.pods);
        for (number, pod) in in_order.enumerate() {
            if let Some(at) = numbers.get_mut(pod.0 as usize) {
                *at = number;
            }
        }
        Self(numbers)
    }

    /// Pods as runs: first, how many.
    pub(super) fn runs(&self, pods: &[PodId]) -> Vec<usize> {
        let mut numbers: Vec<usize> = pods
            .iter()
            .filter_map(|pod| self.0.get(pod.0 as usize).copied())
            .collect();
        numbers.sort_unstable();
        let single = numbers.into_iter().map(|n| (n, 1)).collect();
        runs(single, |last, next| last.0 + last.1 == next.0)
    }
}

/// One end that a name stands for.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum EndData {
    /// A workload, some of its pods, and the families that they are meant in: 1 for IPv4, 2 for
    /// IPv6.
    Pods(usize, Vec<usize>, u8),
    /// A name, its addresses, and whether only those count whose family the other end has.
    Addresses(String, AddressSet, bool),
}

/// An end as the page has it.
pub(super) fn end(numbers: &PodNumbers, end: &End) -> EndData {
    match end {
        End::Pods {
            workload,
            pods,
            families,
        } => EndData::Pods(workload.0 as usize, numbers.runs(pods), bits(*families)),
        End::Addresses {
            name,
            set,
            symbolic,
        } => EndData::Addresses(words::clean(name).into_owned(), address_set(set), *symbolic),
    }
}

fn bits(families: FamilySet) -> u8 {
    let bit = |family, n| u8::from(families.contains(family)) * n;
    bit(Family::V4, 1) + bit(Family::V6, 2)
}

/// What a name stands for.
#[derive(Debug, Serialize)]
pub(super) struct ResolvedData {
    ends: Vec<EndData>,
    /// What the input lacks, where there are no ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<String>,
    /// Whether it is one of the addresses.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    one_of: bool,
    /// Whether it is a node whose address is not told.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    node: bool,
    /// The traffic that is meant where no port is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    traffic: Option<Ranges>,
}

/// What a name was resolved to.
pub(super) fn resolved(numbers: &PodNumbers, found: &Resolved) -> ResolvedData {
    ResolvedData {
        ends: found.ends.iter().map(|one| end(numbers, one)).collect(),
        missing: found.missing.as_deref().map(Into::into),
        one_of: found.one_of,
        node: found.node.is_some(),
        traffic: found.traffic.as_ref().map(ranges_of),
    }
}
