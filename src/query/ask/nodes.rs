//! The nodes of a cluster as ends of a question: each by the addresses of its object.

use crate::model::{Cluster, Node};
use crate::query::ask::resolved::End;
use crate::set::IpSet;
use ipnet::IpNet;
use std::net::IpAddr;

/// One end for each node that has an address.
pub(crate) fn nodes(cluster: &Cluster) -> Vec<End> {
    let with_addresses = cluster.nodes().filter(|(_, n)| !n.addresses.is_empty());
    let end = |n: &Node| at(&n.name, n.addresses.iter().copied());
    with_addresses.map(|(_, n)| end(n)).collect()
}

/// A node as an end.
pub(crate) fn at(name: &str, addresses: impl Iterator<Item = IpAddr>) -> End {
    End::Addresses {
        name: format!("node {name}").into(),
        set: IpSet::from_cidrs(addresses.map(IpNet::from)),
        symbolic: true,
    }
}
