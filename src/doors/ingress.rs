//! The lines of Ingresses (DO52 to DO67).

use crate::doors::builder::{DoorBuilder, DoorWay};
use crate::doors::controllers::{Controller, DataPlane};
use crate::doors::line::{Door, DoorKind, DoorStatus};
use crate::doors::reason::DoorReason;
use crate::doors::served::Served;
use crate::model::doors::{BackendPort, DoorObject, Ingress, IngressBackend, IngressTarget};
use crate::model::{Service, ServiceId, ServicePort, TargetPort};
use crate::set::Protocol;
use crate::source::Origin;

impl DoorBuilder<'_> {
    /// Adds the lines of an Ingress.
    pub fn ingress(&mut self, object: &DoorObject, ingress: &Ingress) {
        let served = match self.classes.ingress(ingress) {
            Served::By(controller) if controller.data_plane == DataPlane::Aws => {
                match ingress.alb_scheme.as_deref() {
                    Some("internet-facing") => Served::By(controller),
                    _ => Served::Inside(DoorReason::AlbSchemeDefault),
                }
            }
            served => served,
        };
        for backend in &ingress.backends {
            let door = self.door_of(object, ingress, backend);
            self.backend(object, ingress, &door, backend, served);
        }
    }

    fn door_of(&self, object: &DoorObject, ingress: &Ingress, backend: &IngressBackend) -> Door {
        let any = || Box::from("*");
        Door {
            kind: DoorKind::Ingress,
            namespace: self.cluster().namespace(object.namespace).name.clone(),
            name: object.name.clone(),
            host: backend.host.clone().unwrap_or_else(any),
            path: backend.path.clone().unwrap_or_else(any),
            class: ingress
                .class
                .clone()
                .or_else(|| ingress.annotated_class.clone()),
            origin: Origin::new(object.origin.document, backend.at.clone()),
        }
    }

    fn backend(
        &mut self,
        object: &DoorObject,
        ingress: &Ingress,
        door: &Door,
        backend: &IngressBackend,
        served: Served,
    ) {
        let (name, port) = match &backend.target {
            IngressTarget::Service(name, port) => (name, port),
            IngressTarget::Resource => {
                let (status, reason) =
                    stopped(served).unwrap_or((DoorStatus::Unknown, DoorReason::ResourceBackend));
                return self.nowhere(door, None, status, reason);
            }
        };
        let shown = Some(self.named(object.namespace, name));
        if let Some((status, reason)) = stopped(served) {
            return self.nowhere(door, shown, status, reason);
        }
        let Some(id) = self.index.find(object.namespace, name) else {
            let reason = DoorReason::ServiceNotFound;
            return self.nowhere(door, shown, DoorStatus::NoBackend, reason);
        };
        let controller = match served {
            Served::By(controller) => Some(controller),
            _ => None,
        };
        if let Some(alias) = &self.cluster().service(id).external_name {
            return self.alias(door, controller, id, alias, port);
        }
        self.service_behind(door, ingress, controller, id, port);
    }

    fn service_behind(
        &mut self,
        door: &Door,
        ingress: &Ingress,
        controller: Option<&'static Controller>,
        id: ServiceId,
        port: &BackendPort,
    ) {
        let service = self.cluster().service(id);
        let lax = controller.is_some_and(|controller| controller.lax_ports);
        let Some(port) = backend_port(service, port, lax) else {
            let shown = Some(self.service_name(id));
            return self.nowhere(door, shown, DoorStatus::NoBackend, DoorReason::PortNotFound);
        };
        let dials_pods = ingress.alb_target_type.as_deref() == Some("ip");
        let way = match controller {
            Some(controller) => self.through(controller, None, service, dials_pods),
            None => DoorWay::Through(self.classes.told()),
        };
        match way {
            DoorWay::Through(caller) => self.service_port(door, &caller, id, port),
            DoorWay::Stopped(status, reason) => {
                let shown = Some(self.service_name(id));
                self.nowhere(door, shown, status, reason);
            }
        }
    }

    /// A backend that is an external name: followed by some controllers, to a Service of any
    /// namespace if it is the name of one (DO63).
    fn alias(
        &mut self,
        door: &Door,
        controller: Option<&'static Controller>,
        id: ServiceId,
        alias: &str,
        port: &BackendPort,
    ) {
        let shown = Some(self.service_name(id));
        let reason = DoorReason::ExternalName;
        match controller.and_then(|controller| controller.follows_names) {
            None => return self.nowhere(door, shown, DoorStatus::Unknown, reason),
            Some(false) => return self.nowhere(door, shown, DoorStatus::Refused, reason),
            Some(true) => {}
        }
        let dialled = backend_port(self.cluster().service(id), port, true).map(dialled);
        let Some(other) = self.index.of_dns_name(alias) else {
            return self.nowhere(door, shown, DoorStatus::NoBackend, reason);
        };
        let service = self.cluster().service(other);
        let number = dialled.or_else(|| number(port));
        let found = tcp_ports(service).find(|p| Some(p.port) == number);
        let (Some(port), Some(controller)) = (found, controller) else {
            let shown = Some(self.service_name(other));
            return self.nowhere(door, shown, DoorStatus::NoBackend, DoorReason::PortNotFound);
        };
        let caller = self.proxies(controller, None);
        self.service_port(door, &caller, other, port);
    }
}

/// Why a door is not served, where it is not.
pub fn stopped(served: Served) -> Option<(DoorStatus, DoorReason)> {
    match served {
        Served::By(_) | Served::ByOther => None,
        Served::Nobody(reason) => Some((DoorStatus::Refused, reason)),
        Served::Untold(reason) => Some((DoorStatus::Unknown, reason)),
        Served::Inside(reason) => Some((DoorStatus::Internal, reason)),
    }
}

fn number(port: &BackendPort) -> Option<u16> {
    match port {
        BackendPort::Number(number) => Some(*number),
        BackendPort::Name(_) | BackendPort::Unnamed => None,
    }
}

/// The port that a proxy calls on what an external name stands for.
fn dialled(port: &ServicePort) -> u16 {
    match port.target {
        TargetPort::Number(number) => number,
        TargetPort::Name(_) => port.port,
    }
}

/// The ports of a Service that a proxy of connections may call; a number may be a port of another
/// protocol too (DO4, DO59).
pub fn tcp_ports(service: &Service) -> impl Iterator<Item = &ServicePort> {
    let ports = service.ports.iter();
    ports.filter(|port| port.protocol == Protocol::Tcp)
}

/// The port of a Service that a backend names: by its number or its name (DO61), or for a lax
/// controller by its target port too (DO62).
pub fn backend_port<'s>(
    service: &'s Service,
    port: &BackendPort,
    lax: bool,
) -> Option<&'s ServicePort> {
    let is_named = |p: &&ServicePort| match port {
        BackendPort::Number(number) => p.port == *number,
        BackendPort::Name(name) => p.name.as_ref() == Some(name),
        BackendPort::Unnamed => tcp_ports(service).count() == 1,
    };
    let is_target = |p: &&ServicePort| match (port, &p.target) {
        (BackendPort::Number(number), TargetPort::Number(target)) => number == target,
        (BackendPort::Name(name), TargetPort::Name(target)) => name == target,
        _ => false,
    };
    let ports = || tcp_ports(service);
    let strict = ports().find(is_named);
    strict.or_else(|| ports().find(is_target).filter(|_| lax))
}
