//! The labels that Calico gives pods besides their own, and the ports that pods name (CA14-CA18).
//!
//! They are laid over the cluster for a graph whose rules ask for them, and for no other: a key
//! that no selector mentions is not added. Invariant: pods keep their indices. Cost: nothing where
//! no rule asks; else O(pods), and one label set for each distinct one.

use crate::model::open_labels::{is_open, perhaps};
use crate::model::{Cluster, Labels, NAMESPACE_NAME_LABEL, Pod, Requirement, Selector};
use crate::policy::calico::interfaces::Interfaces;
use crate::policy::calico::objects::{Account, CalicoObjects};
use crate::policy::calico::selector::{
    ACCOUNT, KUBERNETES, NAME, NAMESPACE, OF_ACCOUNT, OF_NAMESPACE, ORCHESTRATOR,
};
use crate::policy::host_labels::{self, FORWARDED, NODE, PROCESS};
use crate::policy::policy_set::PolicySet;
use crate::policy::rule::{Peer, Rule};
use crate::set::Protocol;
use crate::set::hashed::HashMap;
use std::collections::{BTreeMap, BTreeSet};

/// How a label begins that stands for a port of the pod: no label of a manifest has a blank.
const PORT: &str = "port ";

/// The account of a pod that names none (CA16).
const DEFAULT_ACCOUNT: &str = "default";

/// The label of a pod that has a port of this name, protocol and number.
pub fn port_label(name: &str, protocol: Protocol, number: u16) -> String {
    format!("{PORT}{name}/{protocol}/{number}")
}

/// What the ports of pods are called, of some names.
#[derive(Debug, Default)]
pub struct NumbersOfNames(HashMap<Box<str>, BTreeSet<(Protocol, u16)>>);

impl NumbersOfNames {
    /// Looks the names up. O(ports of all pods), nothing without names.
    pub fn of(cluster: &Cluster, wanted: &BTreeSet<&str>) -> Self {
        let mut found = Self::default();
        if wanted.is_empty() {
            return found;
        }
        for (_, pod) in cluster.pods() {
            for port in pod.ports.iter().chain(pod.init_ports()) {
                let Some(name) = port.name.as_deref().filter(|name| wanted.contains(name)) else {
                    continue;
                };
                let ports = found.0.entry(name.into()).or_default();
                ports.insert((port.protocol, port.port));
            }
        }
        found
    }

    /// The protocols and numbers that pods give a name.
    pub fn called(&self, name: &str) -> impl Iterator<Item = (Protocol, u16)> {
        self.0.get(name).into_iter().flatten().copied()
    }
}

/// Whether a label is one that pods have only for Calico.
fn is_made(key: &str) -> bool {
    key.starts_with(OF_NAMESPACE)
        || key.starts_with(OF_ACCOUNT)
        || key.starts_with(PORT)
        || [NAMESPACE, ORCHESTRATOR, ACCOUNT].contains(&key)
        || host_labels::OF_CALICO.contains(&key)
}

/// The labels that rules ask for and that pods have only for Calico.
fn asked(policies: &PolicySet) -> BTreeSet<&str> {
    let mut keys = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for policy in &policies.policies {
        add_keys(&policy.subject.pods, &mut seen, &mut keys);
        for list in policy.rules.iter().flatten().flat_map(Rule::ends) {
            for peer in list.iter() {
                peer.visit(&mut |part| {
                    if let Peer::Pods(_, pods) = part {
                        add_keys(pods, &mut seen, &mut keys);
                    }
                });
            }
        }
    }
    keys
}

fn add_keys<'p>(selector: &'p Selector, seen: &mut BTreeSet<usize>, keys: &mut BTreeSet<&'p str>) {
    if !seen.insert(selector.place()) {
        return;
    }
    for requirement in selector.requirements() {
        requirement.visit(&mut |condition: &'p Requirement| {
            if is_made(condition.key()) {
                keys.insert(condition.key());
            }
        });
    }
}

/// The cluster as Calico sees it, where its rules ask for what the cluster alone does not tell.
pub fn seen_by_calico(
    cluster: &Cluster,
    policies: &PolicySet,
    objects: &CalicoObjects,
    interfaces: &Interfaces<'_>,
) -> Option<Cluster> {
    let keys = asked(policies);
    let has_init_ports = cluster.pods().any(|(_, pod)| !pod.init_ports().is_empty());
    if keys.is_empty() && !has_init_ports {
        return None;
    }
    let mut seen = cluster.clone();
    if !keys.is_empty() {
        let accounts = objects.accounts.iter();
        let accounts = accounts.map(|a| ((&*a.namespace, &*a.name), a)).collect();
        let listed = objects.accounts.iter().map(|a| &*a.namespace).collect();
        let made = LabelsOfCalico {
            keys,
            accounts,
            listed,
            interfaces,
        };
        let ports = made.keys.iter().any(|key| key.starts_with(PORT));
        let nodes = host_labels::OF_CALICO
            .iter()
            .any(|key| made.keys.contains(key));
        let key = |pod: &Pod| {
            let ports = ports.then(|| (pod.ports.clone(), pod.init_ports().to_vec()));
            let node = nodes.then(|| (pod.node.clone(), pod.host_network));
            let own = (pod.labels, pod.namespace);
            (own, pod.account().cloned(), ports, node)
        };
        seen.relabel_pods(key, |cluster, pod| made.of(cluster, pod));
    }
    if has_init_ports {
        seen.change_pods(|pod| {
            if !pod.init_ports().is_empty() {
                let mut all = pod.ports.to_vec();
                all.extend(pod.init_ports().iter().cloned());
                all.sort();
                all.dedup();
                pod.ports = all.into();
            }
        });
    }
    Some(seen)
}

/// The labels to be added.
struct LabelsOfCalico<'k> {
    keys: BTreeSet<&'k str>,
    accounts: BTreeMap<(&'k str, &'k str), &'k Account>,
    /// The namespaces whose accounts the input lists (CA16).
    listed: BTreeSet<&'k str>,
    interfaces: &'k Interfaces<'k>,
}

impl LabelsOfCalico<'_> {
    /// All labels of a pod, of those that are made only the ones that are asked for.
    fn of(&self, cluster: &Cluster, pod: &Pod) -> Labels {
        let own = cluster.labels(pod.labels).iter();
        let own = own.filter(|(key, _)| !is_made(key));
        let own = own.map(|(k, v)| (k.to_owned(), v.to_owned()));
        let made = self.keys.iter();
        let made = made.filter_map(|key| Some(((*key).to_owned(), self.made(cluster, pod, key)?)));
        own.chain(made).collect()
    }

    /// The value of a label that is made.
    fn made(&self, cluster: &Cluster, pod: &Pod, key: &str) -> Option<String> {
        let namespace = cluster.namespace(pod.namespace);
        let account = pod.account().map_or(DEFAULT_ACCOUNT, |name| name);
        if let Some(label) = key.strip_prefix(OF_NAMESPACE) {
            return match label {
                NAME | NAMESPACE_NAME_LABEL => Some(namespace.name.to_string()),
                _ => match namespace.labels.get(label) {
                    Some(value) => Some(value.to_owned()),
                    None => namespace.declared.is_none().then(|| perhaps("")),
                },
            };
        }
        if let Some(label) = key.strip_prefix(OF_ACCOUNT) {
            if label == NAME {
                return Some(account.to_owned());
            }
            let known = self.accounts.get(&(&*namespace.name, account));
            return match known {
                Some(known) => known.labels.get(label).map(str::to_owned),
                None if account == DEFAULT_ACCOUNT => None,
                None => (is_open(account) || !self.listed.contains(&*namespace.name))
                    .then(|| perhaps("")),
            };
        }
        match key {
            NAMESPACE => Some(namespace.name.to_string()),
            ORCHESTRATOR => Some(KUBERNETES.to_owned()),
            ACCOUNT => Some(account.to_owned()),
            NODE if pod.host_network => None,
            NODE => Some(
                pod.node
                    .as_deref()
                    .map_or_else(|| perhaps(""), str::to_owned),
            ),
            FORWARDED | PROCESS => self.interfaces.label_of(pod, key),
            _ => {
                let ports = pod.ports.iter().chain(pod.init_ports());
                let mut labels = ports.filter_map(|port| {
                    Some(port_label(port.name.as_deref()?, port.protocol, port.port))
                });
                labels.any(|label| label == key).then(String::new)
            }
        }
    }
}
