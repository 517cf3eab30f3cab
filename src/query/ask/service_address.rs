//! Addresses of Services in a question: cluster addresses, those of load balancers, external ones,
//! and the addresses of nodes on the ports that Services have there.
//!
//! Several Services may share an address and differ in their ports; the one that has the port is
//! meant. Cost: O(Services + nodes).

use crate::model::{Service, ServiceId};
use crate::query::ask::asked_traffic::asked_of_service;
use crate::query::ask::resolve::Resolver;
use crate::query::ask::resolved::{Dialled, Note, Resolved};
use ipnet::IpNet;
use std::net::IpAddr;

impl Resolver<'_> {
    /// What is behind the Service that has an address, if one has.
    pub(crate) fn service_at(&self, net: IpNet) -> Option<Resolved> {
        let address = net.addr();
        let has = |list: &[IpAddr]| list.contains(&address);
        let (cluster, outside) = (Dialled::Cluster(address), Dialled::Outside(address));
        let (id, service, dialled) = self
            .called_at(cluster, |s| has(&s.addresses))
            .or_else(|| self.called_at(outside, |s| has(&s.outside_addresses)))?;
        let mut found = self.behind_dialled(id, service, Some(dialled));
        found.notes.insert(0, Note::ServiceAddress(net, id));
        Some(found)
    }

    /// What is behind the Service whose port nodes take calls on, at the address of one.
    pub(crate) fn service_at_node(&self, net: IpNet) -> Option<Resolved> {
        let address = net.addr();
        let mut nodes = self.cluster.nodes();
        let (_, node) = nodes.find(|(_, node)| node.addresses.contains(&address))?;
        let dialled = Dialled::Node(address);
        let (id, service, _) = self
            .called_at(dialled, |_| true)
            .filter(|(_, service, _)| self.has_ports(service, dialled))?;
        let mut found = self.behind_dialled(id, service, Some(dialled));
        found
            .notes
            .insert(0, Note::NodeAddress(net, node.name.clone()));
        Some(found)
    }

    /// What is behind the Service whose port nodes take calls on, at whichever node.
    pub(crate) fn service_at_nodes(&self) -> Option<Resolved> {
        let dialled = Dialled::Nodes;
        let (id, service, _) = self
            .called_at(dialled, |_| true)
            .filter(|(_, service, _)| self.has_ports(service, dialled))?;
        Some(self.behind_dialled(id, service, Some(dialled)))
    }

    /// A Service that is called so: one that has the ports if there is one, else the first.
    fn called_at(
        &self,
        dialled: Dialled,
        is_there: impl Fn(&Service) -> bool,
    ) -> Option<(ServiceId, &Service, Dialled)> {
        let mut first = None;
        for (id, service) in self.cluster.services().filter(|(_, s)| is_there(s)) {
            if self.has_ports(service, dialled) {
                return Some((id, service, dialled));
            }
            first = first.or(Some((id, service, dialled)));
        }
        first
    }

    /// Whether ports are asked about, and a Service has them all.
    fn has_ports(&self, service: &Service, dialled: Dialled) -> bool {
        let ports = self.ports.unwrap_or_default();
        let has = |ask| !asked_of_service(service, ask, Some(dialled)).is_empty();
        !ports.is_empty() && ports.iter().all(has)
    }
}
