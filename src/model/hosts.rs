//! What a cluster keeps for its network plugin: what policies govern besides pods, that is
//! addresses of nodes, and the addresses that objects give names.
//!
//! A governed address is kept as a pod on its node's network, numbered behind the pods, so that the
//! specification asks about it as about these. Invariant: nothing that goes through the pods meets
//! one.

use crate::model::cluster::Cluster;
use crate::model::ids::{NamespaceId, PodId, WorkloadId};
use crate::model::labels::Labels;
use crate::model::named_addresses::NamedAddresses;
use crate::model::pod::Pod;
use crate::set::Ix;
use crate::source::{DocumentId, Origin};
use std::net::IpAddr;
use std::sync::Arc;

impl Cluster {
    /// Says what policies of the network plugin govern besides pods: the addresses of nodes, each
    /// on its node's network. They are no pods: nothing that goes through the pods meets them.
    pub(crate) fn govern_hosts(&mut self, hosts: Vec<Pod>) {
        self.hosts = hosts;
    }

    /// What stands for some addresses of a node, to be governed; without a node it is of one that
    /// is not told.
    pub(crate) fn host(
        &mut self,
        labels: Labels,
        node: Option<&str>,
        addresses: Vec<IpAddr>,
        document: DocumentId,
    ) -> Pod {
        Pod {
            name: node.unwrap_or("a node").into(),
            namespace: NamespaceId::bounded(0), // nothing asks for it
            workload: WorkloadId::bounded(0),
            labels: self.intern(labels),
            ports: [].into(),
            host_ports: [].into(),
            host_network: true,
            rare: None,
            node: node.map(Arc::from),
            addresses: addresses.into(),
            own_network: false,
            ready: true,
            dns_name: None,
            replicas: 1,
            origin: Origin::document(document),
        }
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
