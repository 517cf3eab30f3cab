//! The nodes of a cluster as ends of a question: each by the addresses of its object.

use crate::model::{Cluster, Node};
use crate::query::ask::resolved::End;
use crate::set::IpSet;
use ipnet::IpNet;

/// One end for each node that has an address. O(nodes).
pub(crate) fn nodes(cluster: &Cluster) -> Vec<End> {
    let end = |n: &Node| End::Addresses {
        name: format!("node {}", n.name).into(),
        set: IpSet::from_cidrs(n.addresses.iter().map(|a| IpNet::from(*a))),
        symbolic: true,
    };
    cluster
        .nodes()
        .filter(|(_, n)| !n.addresses.is_empty())
        .map(|(_, n)| end(n))
        .collect()
}
