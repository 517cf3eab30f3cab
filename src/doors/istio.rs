//! The lines of Istio's `VirtualService`s that a Gateway serves (DO100 to DO104).

use crate::doors::builder::DoorBuilder;
use crate::doors::caller::Caller;
use crate::doors::controllers::named;
use crate::doors::hosts::in_common;
use crate::doors::ingress::tcp_ports;
use crate::doors::line::{Door, DoorKind, DoorStatus};
use crate::doors::merge::merged;
use crate::doors::reason::DoorReason;
use crate::model::doors::{
    DoorObject, DoorSpec, IstioGateway, VirtualDestination, VirtualRoute, VirtualService,
};
use crate::model::{NamespaceId, PodId, Selector, ServiceId, ServicePort};
use crate::source::Origin;

/// A Service that a destination names, its port, and those of its pods that are meant.
type FoundPort<'g> = (ServiceId, &'g ServicePort, Selector);

impl<'g> DoorBuilder<'g> {
    /// Adds the lines of a `VirtualService`.
    pub fn virtual_service(&mut self, object: &DoorObject, service: &VirtualService) {
        let before = std::mem::take(&mut self.lines);
        let mut parents = Vec::new();
        for gateway in service
            .gateways
            .iter()
            .filter(|gateway| &***gateway != "mesh")
        {
            let (hosts, caller) = self.of_gateway(object, service, gateway);
            for route in &service.routes {
                self.virtual_route(object, route, &hosts, &caller);
            }
            parents.push(std::mem::take(&mut self.lines));
        }
        self.lines = before;
        self.lines.extend(merged(parents));
    }

    /// The host names that a `VirtualService` has on a Gateway, and who serves it.
    fn of_gateway(
        &self,
        object: &DoorObject,
        service: &VirtualService,
        gateway: &str,
    ) -> (Vec<Box<str>>, Result<Caller, (DoorStatus, DoorReason)>) {
        let own = &*self.cluster().namespace(object.namespace).name;
        let (namespace, name) = gateway.split_once('/').unwrap_or((own, gateway));
        let at = self.cluster().find_namespace(namespace);
        let is_meant = |door: &&DoorObject| Some(door.namespace) == at && *door.name == *name;
        let mut all = self.cluster().doors().iter().filter(is_meant);
        let found = all.find_map(|door| match &door.spec {
            DoorSpec::IstioGateway(gateway) => Some(gateway),
            _ => None,
        });
        let unserved = || service.hosts.clone();
        let Some(gateway) = found else {
            let stop = (DoorStatus::Unknown, DoorReason::GatewayNotInInput);
            return (unserved(), Err(stop));
        };
        let hosts = common_hosts(gateway, service, namespace, own);
        if hosts.is_empty() || !is_exported(service, namespace, own) {
            return (unserved(), Err((DoorStatus::Refused, DoorReason::Hostname)));
        }
        (hosts, Ok(self.gateway_pods(gateway)))
    }

    /// The pods that serve a Gateway, in all namespaces.
    fn gateway_pods(&self, gateway: &IstioGateway) -> Caller {
        let selects = |id: &PodId| gateway.selector.matches(self.cluster().pod_labels(*id));
        let real = |id: &PodId| !self.assumed.is_stand_in(*id);
        let all = self.cluster().pods().map(|(id, _)| id);
        let pods: Vec<PodId> = all.filter(|id| real(id) && selects(id)).collect();
        if pods.is_empty() && self.classes.has_told() {
            return self.classes.told();
        }
        let stand_in = named("istio").and_then(|c| self.assumed.of(c, None, self.cluster()));
        Caller::loaded_or_assumed(pods, stand_in.filter(selects))
    }

    fn virtual_route(
        &mut self,
        object: &DoorObject,
        route: &VirtualRoute,
        hosts: &[Box<str>],
        caller: &Result<Caller, (DoorStatus, DoorReason)>,
    ) {
        for host in hosts {
            for path in &route.paths {
                let door = Door {
                    kind: DoorKind::VirtualService,
                    namespace: self.cluster().namespace(object.namespace).name.clone(),
                    name: object.name.clone(),
                    host: host.clone(),
                    path: path.clone(),
                    class: None,
                    origin: Origin::new(object.origin.document, route.at.clone()),
                };
                if route.destinations.is_empty() {
                    let none = (DoorStatus::NoBackend, DoorReason::NoBackendRefs);
                    let (status, reason) = caller.as_ref().err().copied().unwrap_or(none);
                    self.nowhere(&door, None, status, reason);
                }
                for destination in &route.destinations {
                    self.destination(object, &door, destination, caller);
                }
            }
        }
    }

    fn destination(
        &mut self,
        object: &DoorObject,
        door: &Door,
        destination: &VirtualDestination,
        caller: &Result<Caller, (DoorStatus, DoorReason)>,
    ) {
        let id = self.service_of_host(object.namespace, &destination.host);
        let shown = match id {
            Ok(Some(id)) => self.service_name(id),
            _ if !destination.host.contains('.') => self.named(object.namespace, &destination.host),
            _ => destination.host.clone(),
        };
        let caller = match caller {
            Ok(caller) => caller,
            Err((status, reason)) => return self.nowhere(door, Some(shown), *status, *reason),
        };
        match self.found(id, destination) {
            Err((status, reason)) => self.nowhere(door, Some(shown), status, reason),
            Ok((id, port, subset)) => {
                let cluster = self.cluster();
                let meant = |id: PodId| subset.selects(cluster.pod_labels(id));
                let behind = self.index.behind(cluster.service(id), port, &meant);
                self.endpoints_behind(door, caller, id, port.protocol, behind);
            }
        }
    }

    /// The Service of a host name: short names are completed with the `VirtualService`'s namespace,
    /// others are taken as they stand (DO104). `Err` if it is the name of no Service.
    fn service_of_host(
        &self,
        namespace: NamespaceId,
        host: &str,
    ) -> Result<Option<ServiceId>, (DoorStatus, DoorReason)> {
        if !host.contains('.') {
            return Ok(self.index.find(namespace, host));
        }
        if !host.trim_end_matches('.').ends_with(".svc.cluster.local") {
            return Err((DoorStatus::Unknown, DoorReason::HostIsNoService));
        }
        Ok(self.index.of_dns_name(host))
    }

    fn found(
        &self,
        id: Result<Option<ServiceId>, (DoorStatus, DoorReason)>,
        destination: &VirtualDestination,
    ) -> Result<FoundPort<'g>, (DoorStatus, DoorReason)> {
        let nowhere = |reason| (DoorStatus::NoBackend, reason);
        let id = id?.ok_or_else(|| nowhere(DoorReason::ServiceNotFound))?;
        if destination.idle {
            return Err(nowhere(DoorReason::Weight0));
        }
        let service = self.cluster().service(id);
        if service.external_name.is_some() {
            return Err((DoorStatus::Unknown, DoorReason::ExternalName));
        }
        let mut ports = tcp_ports(service);
        let port = match destination.port {
            Some(number) => ports.find(|port| port.port == number),
            None => ports.next().filter(|_| service.ports.len() == 1),
        };
        let port = port.ok_or_else(|| nowhere(DoorReason::PortNotFound))?;
        let Some(subset) = &destination.subset else {
            return Ok((id, port, Selector::everything()));
        };
        let subset = self.subset(id, subset);
        let subset = subset.ok_or_else(|| nowhere(DoorReason::SubsetNotFound))?;
        Ok((id, port, subset))
    }

    /// What selects a subset of a Service's pods.
    fn subset(&self, id: ServiceId, name: &str) -> Option<Selector> {
        self.cluster().doors().iter().find_map(|door| {
            let DoorSpec::DestinationRule(rule) = &door.spec else {
                return None;
            };
            let of = self.service_of_host(door.namespace, &rule.host);
            let subset = rule.subsets.iter().find(|(other, _)| **other == *name);
            subset
                .filter(|_| of == Ok(Some(id)))
                .map(|(_, selector)| selector.clone())
        })
    }
}

/// The host names that a `VirtualService` has in common with the servers of a Gateway (DO103).
fn common_hosts(
    gateway: &IstioGateway,
    service: &VirtualService,
    gateway_namespace: &str,
    own: &str,
) -> Vec<Box<str>> {
    let mut hosts: Vec<Box<str>> = Vec::new();
    for server in gateway.servers.iter().flat_map(|server| &server.hosts) {
        let (namespace, host) = server.split_once('/').unwrap_or(("*", server));
        let takes = match namespace {
            "*" => true,
            "." => gateway_namespace == own,
            named => named == own,
        };
        for wanted in service.hosts.iter().filter(|_| takes) {
            let common = in_common(host, wanted).map(Box::from);
            let new = common.filter(|common| !hosts.contains(common));
            hosts.extend(new);
        }
    }
    hosts
}

/// Whether a `VirtualService` may be used by a Gateway of a namespace.
fn is_exported(service: &VirtualService, gateway_namespace: &str, own: &str) -> bool {
    service.export_to.is_empty()
        || service.export_to.iter().any(|to| match &**to {
            "*" => true,
            "." => gateway_namespace == own,
            named => named == gateway_namespace,
        })
}
