//! What an address or a host-network pod is to a network plugin that tells them apart by what they
//! are: the outside, a node, the own node, the API server.

use crate::model::{Pod, PodId, Truth};
use crate::set::{Family, IpSet};
use crate::spec::environment::{Endpoint, Environment};
use std::net::IpAddr;

impl Environment {
    /// Whether an address is of the outside: of no node, of nothing of the plugin's own, and of no
    /// pod that is not in the input, as far as that is told.
    pub fn is_outside(&self, address: IpAddr) -> Truth {
        let reserved = self.cilium.as_ref();
        let reserved = reserved.is_some_and(|cilium| cilium.reserved.contains_key(&address));
        if reserved || self.node_addresses.contains(address) {
            return Truth::No;
        }
        let of_pods = self.options.pod_cidrs.as_ref();
        let may_be_inside = self.options.node_cidrs.contains(address)
            || of_pods.is_some_and(|ranges| ranges.contains(address));
        if may_be_inside {
            Truth::Maybe
        } else {
            Truth::Yes
        }
    }

    /// Whether an address lies where the addresses of pods do, as far as that is told.
    pub fn is_of_pod_network(&self, address: IpAddr) -> bool {
        let of_pods = self.options.pod_cidrs.as_ref();
        of_pods.is_some_and(|ranges| ranges.contains(address))
            && !self.node_addresses.contains(address)
    }

    /// Whether an address is some node's. Without any told, private ones may be.
    pub fn is_some_node(&self, address: IpAddr) -> Truth {
        if self.node_addresses.contains(address) {
            return Truth::Yes;
        }
        if !self.is_outside(address).possible() {
            return Truth::No;
        }
        let untold = self.node_addresses.is_empty() && self.options.node_cidrs.is_empty();
        let may_be = self.options.node_cidrs.contains(address)
            || (untold && IpSet::assumed_pods().contains(address));
        Truth::from(may_be).and(Truth::Maybe)
    }

    /// Whether a node, or a pod on its network, is that of the node `pod` runs on.
    pub fn is_node_of(&self, pod: PodId, node: Endpoint) -> Truth {
        let pod = self.cluster.pod(pod);
        let Some(own) = pod.node.as_deref() else {
            return Truth::Maybe;
        };
        match node {
            Endpoint::Address(address) => {
                let mut having = self.cluster.nodes();
                let having = having.find(|(_, node)| node.addresses.contains(&address));
                let told = self.cluster.find_node(own);
                match (having, told.filter(|node| !node.addresses.is_empty())) {
                    (Some((_, node)), _) => Truth::from(*node.name == *own),
                    (None, Some(_)) => Truth::No,
                    (None, None) => Truth::Maybe,
                }
            }
            Endpoint::Pod(id) => match self.cluster.pod(id).node.as_deref() {
                Some(other) => Truth::from(own == other),
                None => Truth::Maybe,
            },
        }
    }

    /// Whether the API server listens on an address.
    pub fn is_api_server(&self, address: IpAddr) -> Truth {
        let reserved = self.cilium.as_ref();
        if !self.api_servers.is_empty() {
            Truth::from(self.api_servers.contains(address))
        } else if reserved.is_some_and(|cilium| cilium.reserved.contains_key(&address)) {
            Truth::No
        } else {
            Truth::Maybe
        }
    }

    /// Whether the API server listens on an address of the node whose network a pod shares.
    pub fn is_on_api_server(&self, pod: &Pod) -> Truth {
        if self.api_servers.is_empty() {
            return Truth::Maybe;
        }
        let each = Family::ALL.into_iter();
        let each = each.map(|family| self.pod_addresses(pod, family).inside(&self.api_servers));
        each.fold(Truth::No, Truth::or)
    }
}
