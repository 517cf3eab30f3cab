//! Pods that a question is about and the input does not hold: those of a namespace that is only
//! named, those of labels that nobody has yet, and the DNS pods that every cluster has.
//!
//! They are laid over a copy of the input, so that the question is answered as if they were loaded.
//! Of a namespace there is one workload for each kind of pods that rules tell apart there; of DNS
//! one, with its ports, in a namespace of which only the name is certain unless its object is
//! loaded. Invariant: a namespace that neither the input nor a rule names gets no pods, so that a
//! misspelt name stays an error.

use crate::input::Input;
use crate::model::{Cluster, ContainerPort, Labels, Requirement, Selector};
use crate::policy::Namespaces;
use crate::potential::namespaces::PotentialNamespace;
use crate::potential::pods::{MOST, PodKind, PotentialPods, add_pod, is_asked_in};
use crate::potential::vocabulary::PodVocabulary;
use crate::set::Protocol;
use std::sync::Arc;

/// Pods that a question is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskedPods {
    /// Those that answer DNS queries: their namespace and labels.
    Dns(Box<str>, Selector),
    /// One of every kind, in every namespace there may be.
    Every,
    /// All of a namespace.
    Namespace(Box<str>),
    /// Those with some labels in a namespace.
    Labelled(Box<str>, Selector),
    /// Those with some labels in a namespace whose pods could not be listed, beside those of it
    /// that are known from their controllers or from a part of the list.
    Unlisted(Box<str>, Selector),
}

/// The ports that a question is about. Which number stands behind a port name on a pod that is not
/// loaded is not told (S48, S143).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AskedPorts {
    /// No port in particular.
    #[default]
    Any,
    /// A port name of a protocol, which the pods then have.
    Named(Protocol),
    /// Port numbers, each of which may or may not have any of the names.
    Numbers(Vec<u16>),
}

/// The input with pods for what is asked and not loaded, and a remark about each; `None` where
/// nothing is missing.
pub fn with_stand_ins(
    input: &Input,
    asked: &[AskedPods],
    ports: &AskedPorts,
) -> Option<(Input, Vec<String>)> {
    let (mut laid, mut remarks) = (None, Vec::new());
    for asked in asked {
        if let AskedPods::Dns(namespace, labels) = asked {
            let with = dns(laid.as_ref().unwrap_or(input), namespace, labels);
            if let Some((with, remark)) = with {
                laid = Some(with);
                remarks.push(remark);
            }
        }
    }
    let wanted: Vec<WantedKinds> = asked.iter().filter_map(|a| wanted(input, a)).collect();
    if let Some((with, told)) = kinds(laid.as_ref().unwrap_or(input), &wanted, ports) {
        laid = Some(with);
        remarks.extend(told);
    }
    Some((laid?, remarks))
}

/// Whether a pod with these labels is loaded in a namespace.
pub(crate) fn is_loaded(cluster: &Cluster, namespace: &str, labels: &Selector) -> bool {
    let mut pods = cluster.pods();
    pods.any(|(id, pod)| {
        *cluster.namespace(pod.namespace).name == *namespace
            && labels.matches(cluster.pod_labels(id))
    })
}

fn dns(input: &Input, namespace: &str, labels: &Selector) -> Option<(Input, String)> {
    if is_loaded(&input.cluster, namespace, labels) {
        return None;
    }
    let mut cluster = (*input.cluster).clone();
    let home = cluster.namespace_named(namespace);
    let (name, wanted): (Box<str>, Labels) = named_by(labels)?;
    let number = if namespace == "openshift-dns" {
        5353
    } else {
        53
    };
    let port = |(name, protocol): (&str, Protocol)| named_port(name, protocol, number);
    let ports = [("dns", Protocol::Udp), ("dns-tcp", Protocol::Tcp)];
    add_pod(&mut cluster, &name, home, wanted, ports.map(port).into());
    let laid = Input {
        cluster: Arc::new(cluster),
        ..input.clone()
    };
    Some((
        laid,
        format!(
            "the DNS pods {namespace}/{name} are assumed, not loaded: port 53, and no policy of theirs is known"
        ),
    ))
}

/// The labels that a selector of plain values asks for, and the first value as a name.
fn named_by(selector: &Selector) -> Option<(Box<str>, Labels)> {
    let mut pairs = Vec::new();
    for requirement in selector.requirements() {
        let Requirement::In(key, values) = requirement else {
            return None;
        };
        pairs.push((&**key, &**values.first()?));
    }
    let name = pairs.first()?.1.into();
    Some((name, pairs.into_iter().collect()))
}

/// The kinds of pods that one end of a question is about.
struct WantedKinds {
    /// The namespace and the labels; none for every kind there may be.
    only: Option<(Namespaces, Selector)>,
    /// What is said of them.
    remark: String,
}

impl WantedKinds {
    fn has(&self, space: &PotentialNamespace, kind: &PodKind) -> bool {
        let only = self.only.as_ref();
        only.is_none_or(|(here, labels)| is_asked_in(here, space) && labels.matches(&kind.labels))
    }
}

/// The kinds that an end is about; nothing where such pods are loaded, and these are all.
fn wanted(input: &Input, asked: &AskedPods) -> Option<WantedKinds> {
    let everything = Selector::everything();
    let (namespace, labels, all_listed) = match asked {
        AskedPods::Dns(..) => return None,
        AskedPods::Every => {
            return Some(WantedKinds {
                only: None,
                remark: String::new(),
            });
        }
        AskedPods::Namespace(name) => (name, &everything, true),
        AskedPods::Labelled(name, labels) => (name, labels, true),
        AskedPods::Unlisted(name, labels) => (name, labels, false),
    };
    let loaded = is_loaded(&input.cluster, namespace, labels);
    if loaded && all_listed {
        return None;
    }
    let what = match (loaded, labels.is_everything()) {
        (true, _) => format!("the pods of namespace {namespace} could not all be listed"),
        (false, true) => format!("no pod of namespace {namespace} is in the input"),
        (false, false) => format!("no pod {labels} of namespace {namespace} is in the input"),
    };
    Some(WantedKinds {
        only: Some((Namespaces::Named(namespace.clone()), labels.clone())),
        remark: format!("{what}: the answer is about every such pod there may be"),
    })
}

/// The input with a pod of each kind that the ends of a question are about and no loaded pod is of,
/// told apart by the labels of all ends, and a remark for each end that has such a kind. Pods of
/// two ends share the namespaces that are made for them, so that one flow has both.
fn kinds(
    input: &Input,
    wanted: &[WantedKinds],
    ports: &AskedPorts,
) -> Option<(Input, Vec<String>)> {
    if wanted.is_empty() {
        return None;
    }
    let asked = wanted.iter().filter_map(|end| end.only.as_ref());
    let vocabulary = PodVocabulary::asked_about(input, asked);
    let mut pods = PotentialPods::from_vocabulary(MOST, [input, input], true, &vocabulary);
    pods.keep(|space, kind| !kind.loaded && wanted.iter().any(|end| end.has(space, kind)));
    if pods.kinds.is_empty() {
        return None;
    }
    let (laid, _) = pods.laid_with(input, 0, &port_lists(&vocabulary, ports));
    let all = if pods.complete {
        "every kind"
    } else {
        "some kinds"
    };
    let every = format!("the answer is about {all} of pods that are not in the input too");
    let is_there = |end: &WantedKinds| {
        let mut kinds = pods.kinds.iter();
        kinds.any(|kind| end.has(&pods.namespaces[kind.namespace], kind))
    };
    let told = wanted.iter().filter(|end| is_there(end));
    let told = told.map(|end| match &end.only {
        Some(_) => end.remark.clone(),
        None => every.clone(),
    });
    let mut told: Vec<String> = told.collect();
    told.dedup();
    Some((laid, told))
}

/// The lists of container ports that a pod may have, as far as a question can tell them apart: none
/// of the names that rules look up, all of them, and each one alone.
fn port_lists(vocabulary: &PodVocabulary<'_>, asked: &AskedPorts) -> Vec<Arc<[ContainerPort]>> {
    let apart = vocabulary.declared_ports().into_iter();
    let apart: Arc<[ContainerPort]> = apart
        .map(|(name, protocol, port)| named_port(name, protocol, port))
        .collect();
    let none: Arc<[ContainerPort]> = Arc::default();
    let numbers = match asked {
        _ if apart.is_empty() => return vec![none],
        AskedPorts::Named(wanted) => {
            let of_protocol = apart.iter().filter(|port| port.protocol == *wanted);
            return vec![of_protocol.cloned().collect()];
        }
        AskedPorts::Any => return vec![none, apart],
        AskedPorts::Numbers(numbers) => numbers,
    };
    let mut lists = vec![none];
    for number in numbers {
        let at = |name: &str| Protocol::ALL.map(|protocol| named_port(name, protocol, *number));
        let names = &vocabulary.ports;
        lists.push(names.iter().flat_map(|name| at(name)).collect());
        if names.len() > 1 {
            lists.extend(names.iter().map(|name| at(name).into()));
        }
    }
    lists
}

fn named_port(name: &str, protocol: Protocol, port: u16) -> ContainerPort {
    ContainerPort {
        name: Some(name.into()),
        protocol,
        port,
    }
}
