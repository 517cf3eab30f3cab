//! The networks that annotations attach pods to (NW60, NW61), and what else annotations say of
//! networks.

use crate::model::{Cluster, PodId};
use crate::policy::networks::labels::DEFAULT;
use crate::policy::object_facts::ObjectFacts;
use crate::set::{Protocol, TrafficSet};
use serde_json::Value as Json;
use std::net::IpAddr;

/// The annotation that asks for secondary networks.
pub const NETWORKS: &str = "k8s.v1.cni.cncf.io/networks";

/// The annotation that puts another network in the place of the default one (NW60).
pub const DEFAULT_NETWORK: &str = "v1.multus-cni.io/default-network";

/// The annotation in which Multus tells the addresses of a pod (NW23, NW61).
pub const STATUS: &str = "k8s.v1.cni.cncf.io/network-status";

/// The annotation that opens ports of the default network (NW22).
pub const OPEN_PORTS: &str = "k8s.ovn.org/open-default-ports";

/// The annotation that tells the addresses of a pod (NW23).
pub const POD_NETWORKS: &str = "k8s.ovn.org/pod-networks";

/// The annotation that says for which networks a policy is (NW70).
pub const POLICY_FOR: &str = "k8s.v1.cni.cncf.io/policy-for";

/// The interface that OVN-Kubernetes calls that of a primary user-defined network.
const PRIMARY_INTERFACE: &str = "ovn-udn1";

/// The annotation that asks for networks of GKE.
pub const GKE_INTERFACES: &str = "networking.gke.io/interfaces";

/// What stands for the namespace of a network of GKE, which has none.
pub const OF_GKE: &str = "gke:";

/// A definition that a pod asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedNetwork {
    /// The namespace of the definition.
    pub namespace: Box<str>,
    /// Its name.
    pub name: Box<str>,
    /// The addresses that the pod asks for, where it does.
    pub addresses: Vec<IpAddr>,
}

/// The definitions that a pod asks for; none where the annotation cannot be read.
pub fn asked(cluster: &Cluster, facts: &ObjectFacts, pod: PodId) -> Option<Vec<AskedNetwork>> {
    let of_gke = asked_of_gke(facts, pod)?;
    let own = &*cluster.pod_namespace(pod).name;
    let Some(value) = facts.of_pod(pod, NETWORKS) else {
        return Some(of_gke);
    };
    if value.trim().starts_with('[') {
        let list: Json = serde_json::from_str(value).ok()?;
        let each = list.as_array()?.iter().map(|item| {
            let namespace = item["namespace"].as_str().unwrap_or(own);
            Some(AskedNetwork {
                namespace: namespace.into(),
                name: item["name"].as_str()?.into(),
                addresses: addresses(&item["ips"]),
            })
        });
        return of_gke.into_iter().map(Some).chain(each).collect();
    }
    let each = names(value, own).map(|(namespace, name)| AskedNetwork {
        name: name.split('@').next().unwrap_or(name).into(),
        namespace: namespace.into(),
        addresses: Vec::new(),
    });
    Some(of_gke.into_iter().chain(each).collect())
}

/// The networks of GKE that a pod asks for besides the default one.
fn asked_of_gke(facts: &ObjectFacts, pod: PodId) -> Option<Vec<AskedNetwork>> {
    let Some(value) = facts.of_pod(pod, GKE_INTERFACES) else {
        return Some(Vec::new());
    };
    let list: Json = serde_json::from_str(value).ok()?;
    let names = list.as_array()?.iter().map(|item| item["network"].as_str());
    let names: Option<Vec<&str>> = names.collect();
    let further = names?.into_iter().filter(|name| *name != DEFAULT);
    let each = further.map(|name| AskedNetwork {
        namespace: OF_GKE.into(),
        name: name.into(),
        addresses: Vec::new(),
    });
    Some(each.collect())
}

/// The names of a list with commas: each of a namespace, where it names none of its own.
pub fn names<'a>(value: &'a str, own: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let items = value.split(',').map(str::trim);
    items
        .filter(|item| !item.is_empty())
        .map(move |item| item.split_once('/').unwrap_or((own, item)))
}

/// Addresses of a list, with a prefix length or without.
fn addresses(list: &Json) -> Vec<IpAddr> {
    let texts = list.as_array().into_iter().flatten();
    let texts = texts.filter_map(Json::as_str);
    texts
        .filter_map(|text| text.split('/').next()?.parse().ok())
        .collect()
}

/// The addresses of a pod by a definition of a secondary network, where its status tells them.
pub fn addresses_by(facts: &ObjectFacts, pod: PodId, namespace: &str, name: &str) -> Vec<IpAddr> {
    let status = entries(facts.of_pod(pod, STATUS));
    let is_named = |entry: &&Json| {
        let told = entry["name"].as_str().and_then(|n| n.split_once('/'));
        told == Some((namespace, name))
    };
    let found = status.iter().filter(is_named);
    found.flat_map(|entry| addresses(&entry["ips"])).collect()
}

fn entries(status: Option<&str>) -> Vec<Json> {
    let read = status.and_then(|text| serde_json::from_str(text).ok());
    match read {
        Some(Json::Array(entries)) => entries,
        _ => Vec::new(),
    }
}

/// The ports of a pod's address on the default network that stay open; none where they cannot be
/// read.
pub fn open_ports(value: &str) -> Option<TrafficSet> {
    let mut open = TrafficSet::empty();
    let mut protocol = None;
    // a list of `protocol` and `port`, in either order, as YAML or JSON
    let words = value.split(|c: char| c.is_whitespace() || ",{}[]\"-:".contains(c));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    for pair in words.chunks(2) {
        match pair {
            ["protocol", word] => {
                protocol = Protocol::from_api(&word.to_ascii_uppercase());
                protocol?;
            }
            ["port", number] => {
                let port: u16 = number.parse().ok()?;
                open = open.union(&TrafficSet::ports(protocol?, port, port));
            }
            _ => return None,
        }
    }
    Some(open)
}

/// The addresses of a pod on its primary user-defined network, where an annotation tells them
/// (NW23).
pub fn primary_addresses(facts: &ObjectFacts, pod: PodId) -> Vec<IpAddr> {
    let told = facts.of_pod(pod, POD_NETWORKS);
    let told = told.and_then(|text| serde_json::from_str(text).ok());
    if let Some(Json::Object(networks)) = told {
        let primary = networks
            .values()
            .filter(|network| network["role"] == "primary");
        return primary
            .flat_map(|network| addresses(&network["ip_addresses"]))
            .collect();
    }
    let status = entries(facts.of_pod(pod, STATUS));
    let primary = status
        .iter()
        .filter(|entry| entry["interface"] == PRIMARY_INTERFACE);
    primary.flat_map(|entry| addresses(&entry["ips"])).collect()
}
