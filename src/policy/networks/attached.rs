//! The networks that annotations attach pods to (NW60), and what else annotations say of networks.

use crate::model::{Cluster, PodId};
use crate::policy::object_facts::ObjectFacts;
use crate::set::{Protocol, TrafficSet};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// The annotation that asks for secondary networks.
pub const NETWORKS: &str = "k8s.v1.cni.cncf.io/networks";

/// The annotation that opens ports of the default network (NW22).
pub const OPEN_PORTS: &str = "k8s.ovn.org/open-default-ports";

/// The annotation that tells the addresses of a pod (NW23).
pub const POD_NETWORKS: &str = "k8s.ovn.org/pod-networks";

/// The definitions that a pod asks for: namespace and name; none where the annotation cannot be
/// read.
pub fn asked(
    cluster: &Cluster,
    facts: &ObjectFacts,
    pod: PodId,
) -> Option<BTreeSet<(Box<str>, Box<str>)>> {
    let own = &*cluster.pod_namespace(pod).name;
    let Some(value) = facts.of_pod(pod, NETWORKS) else {
        return Some(BTreeSet::new());
    };
    let value = value.trim();
    if value.starts_with('[') {
        let list: Json = serde_json::from_str(value).ok()?;
        let each = list.as_array()?.iter().map(|item| {
            let namespace = item["namespace"].as_str().unwrap_or(own);
            Some((namespace.into(), item["name"].as_str()?.into()))
        });
        return each.collect();
    }
    let items = value
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty());
    let each = items.map(|item| {
        let item = item.split('@').next().unwrap_or(item);
        let (namespace, name) = item.split_once('/').unwrap_or((own, item));
        (namespace.into(), name.into())
    });
    Some(each.collect())
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

/// The addresses of a pod on its primary network, where an annotation tells them.
pub fn primary_addresses(value: &str) -> Vec<IpAddr> {
    let Ok(Json::Object(networks)) = serde_json::from_str(value) else {
        return Vec::new();
    };
    let primary = networks
        .values()
        .filter(|network| network["role"] == "primary");
    let listed = primary.filter_map(|network| network["ip_addresses"].as_array());
    let texts = listed.flatten().filter_map(Json::as_str);
    texts
        .filter_map(|text| text.split('/').next()?.parse().ok())
        .collect()
}
