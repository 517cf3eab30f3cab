//! The lines of pods that have a port of their node: a `hostPort`, or the node's own network (DO50,
//! DO51).

use crate::doors::builder::{DoorBuilder, is_public};
use crate::doors::caller::{Caller, family_of};
use crate::doors::line::{Door, DoorKind, DoorStatus, Passage};
use crate::doors::reason::DoorReason;
use crate::model::{Pod, PodId, WorkloadId};
use crate::set::Protocol;
use crate::set::hashed::IndexMap;
use crate::spec::FamilySet;
use std::net::IpAddr;

/// A port of nodes that pods of one workload have.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct PortOfNodes {
    kind: DoorKind,
    workload: WorkloadId,
    address: Option<IpAddr>,
    port: u16,
    container: u16,
    protocol: Protocol,
}

impl DoorBuilder<'_> {
    /// Adds the lines of every pod with a port of its node.
    pub fn at_pods(&mut self) {
        let mut found: IndexMap<PortOfNodes, Vec<PodId>> = IndexMap::default();
        for (id, pod) in self.cluster().pods() {
            if self.assumed.is_stand_in(id) {
                continue;
            }
            for port in ports_of_nodes(pod) {
                found.entry(port).or_default().push(id);
            }
        }
        let private = self.nodes_are_private();
        for (at, pods) in found {
            self.at_node_port(&at, &pods, private);
        }
    }

    fn at_node_port(&mut self, at: &PortOfNodes, pods: &[PodId], private_nodes: bool) {
        let workload = self.cluster().workload(at.workload);
        let host = at
            .address
            .map_or_else(|| "node".to_owned(), |a| a.to_string());
        let door = Door {
            kind: at.kind,
            namespace: self.cluster().namespace(workload.namespace).name.clone(),
            name: workload.name.clone(),
            host: host.into(),
            path: format!("{}/{}", at.port, at.protocol).into(),
            class: None,
            origin: workload.origin.clone(),
        };
        let families = at.address.map_or(FamilySet::BOTH, family_of);
        let caller = match at.kind {
            // nothing takes the place of a caller of the node itself
            DoorKind::HostNetwork => Caller::Client(families),
            _ => Caller::ClientOrNode(families),
        };
        let first = self.lines.len();
        let pods = pods.iter().map(|id| (*id, at.container)).collect();
        self.pods_behind(&door, &caller, None, at.protocol, pods);
        self.policed(first);
        let reason = match at.address {
            Some(address) if !is_public(address) => DoorReason::PrivateAddress,
            None if private_nodes => DoorReason::PrivateNodes,
            _ => return,
        };
        for line in &mut self.lines[first..] {
            line.passage = Passage::because(DoorStatus::Internal, reason);
        }
    }
}

fn ports_of_nodes(pod: &Pod) -> Vec<PortOfNodes> {
    let workload = pod.workload;
    if pod.host_network {
        let own = pod.ports.iter().map(|port| PortOfNodes {
            kind: DoorKind::HostNetwork,
            workload,
            address: None,
            port: port.port,
            container: port.port,
            protocol: port.protocol,
        });
        let mut own: Vec<PortOfNodes> = own.collect();
        own.dedup();
        return own;
    }
    let leads_in = |address: Option<IpAddr>| !address.is_some_and(|a| a.is_loopback());
    let forwarded = pod.host_ports.iter().filter(|port| leads_in(port.address));
    let forwarded = forwarded.map(|port| PortOfNodes {
        kind: DoorKind::HostPort,
        workload,
        address: port.address,
        port: port.port,
        container: port.container,
        protocol: port.protocol,
    });
    forwarded.collect()
}
