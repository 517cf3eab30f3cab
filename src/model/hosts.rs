//! What a cluster keeps for its network plugin: what policies govern besides pods, that is
//! addresses of nodes, and the addresses that objects give names.
//!
//! A governed address is kept as a pod on its node's network, numbered behind the pods, so that the
//! specification asks about it as about these. Invariant: nothing that goes through the pods meets
//! one.

use crate::model::cluster::Cluster;
use crate::model::ids::PodId;
use crate::model::named_addresses::NamedAddresses;
use crate::model::pod::Pod;
use crate::set::Ix;

impl Cluster {
    /// Says what policies of the network plugin govern besides pods: the addresses of nodes, each
    /// on its node's network. They are no pods: nothing that goes through the pods meets them.
    pub(crate) fn govern_hosts(&mut self, hosts: Vec<Pod>) {
        self.hosts = hosts;
    }

    /// What policies govern besides pods, with the numbers that they are asked about by.
    pub fn hosts(&self) -> impl ExactSizeIterator<Item = (PodId, &Pod)> {
        let numbered = self.hosts.iter().enumerate();
        numbered.map(|(i, host)| (PodId::bounded(self.pods().len() + i), host))
    }

    /// Whether a number is not of a pod, but of something else that policies govern.
    pub fn is_host(&self, id: PodId) -> bool {
        id.0 as usize >= self.pods().len()
    }

    /// Keeps the addresses that objects give names.
    pub fn name_addresses(&mut self, groups: Vec<NamedAddresses>) {
        self.named_addresses = groups.into();
    }

    /// The addresses that objects give names, in input order.
    pub fn named_addresses(&self) -> &[NamedAddresses] {
        &self.named_addresses
    }
}
