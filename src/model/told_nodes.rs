//! The addresses of nodes whose objects are not loaded, as far as the status of pods on them tells
//! (`hostIP`, `hostIPs`). Of such a node nothing else is known.

use crate::model::cluster::Cluster;
use std::net::IpAddr;

impl Cluster {
    /// Keeps what a pod tells of the addresses of its node. Nodes are added before pods: one that
    /// is there tells its addresses itself.
    pub fn tell_node_addresses(&mut self, node: &str, addresses: &[IpAddr]) {
        if addresses.is_empty() || self.find_node(node).is_some() {
            return;
        }
        if let Some(told) = self.told_nodes.get_mut(node) {
            let new = addresses.iter().filter(|address| !told.contains(address));
            let new: Vec<IpAddr> = new.copied().collect();
            told.extend(new);
        } else {
            self.told_nodes.insert(node.into(), addresses.to_vec());
        }
    }

    /// The addresses that pods tell of a node whose object is not loaded.
    pub fn told_of_node(&self, name: &str) -> impl Iterator<Item = IpAddr> + use<'_> {
        self.told_nodes.get(name).into_iter().flatten().copied()
    }

    /// All of them, of every node whose object is not loaded.
    pub fn told_of_nodes(&self) -> impl Iterator<Item = IpAddr> + use<'_> {
        self.told_nodes.values().flatten().copied()
    }
}
