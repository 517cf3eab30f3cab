//! The lines of `OpenShift`'s Routes (DO80 to DO86).

use crate::doors::builder::DoorBuilder;
use crate::doors::controllers::named;
use crate::doors::line::{Door, DoorKind, DoorStatus};
use crate::doors::reason::DoorReason;
use crate::doors::services::Behind;
use crate::model::doors::{BackendPort, DoorObject, Route, RouteBackend, TlsTermination};
use crate::model::{ServiceId, ServicePort, Truth};
use crate::set::Protocol;
use crate::source::Origin;

impl DoorBuilder<'_> {
    /// Adds the lines of a Route.
    pub fn openshift_route(&mut self, object: &DoorObject, route: &Route) {
        for backend in &route.backends {
            let door = Door {
                kind: DoorKind::Route,
                namespace: self.cluster().namespace(object.namespace).name.clone(),
                name: object.name.clone(),
                host: host(route),
                path: route.path.clone().unwrap_or_else(|| "/".into()),
                class: None,
                origin: Origin::new(object.origin.document, backend.at.clone()),
            };
            let shown = self.named(object.namespace, &backend.name);
            match stopped(route, backend) {
                Some((status, reason)) => self.nowhere(&door, Some(shown), status, reason),
                None => self.route_backend(object, &door, route, &backend.name),
            }
        }
    }

    fn route_backend(&mut self, object: &DoorObject, door: &Door, route: &Route, name: &str) {
        let nowhere = DoorStatus::NoBackend;
        let shown = Some(self.named(object.namespace, name));
        let Some(id) = self.index.find(object.namespace, name) else {
            return self.nowhere(door, shown, nowhere, DoorReason::ServiceNotFound);
        };
        if self.cluster().service(id).external_name.is_some() {
            return self.nowhere(door, shown, DoorStatus::Unknown, DoorReason::ExternalName);
        }
        let Some(router) = named("openshift-router") else {
            return;
        };
        let caller = self.proxies(router, None);
        let first = self.lines.len();
        for (protocol, found) in self.endpoints(id, &route.port) {
            self.endpoints_behind(door, &caller, id, protocol, found);
        }
        if self.lines.len() == first {
            self.nowhere(door, shown, nowhere, DoorReason::NoEndpoint);
        }
    }

    /// The endpoints that a router calls: those whose port the route names, or all but UDP ones
    /// where it names none (DO81, DO82).
    fn endpoints(&self, id: ServiceId, port: &BackendPort) -> Vec<(Protocol, Behind)> {
        let service = self.cluster().service(id);
        let mut found = Vec::new();
        for own in service.ports.iter().filter(|p| p.protocol != Protocol::Udp) {
            let behind = match self.index.behind(service, own, &|_| Truth::Yes) {
                Behind::Endpoints(mut pods, mut addresses) => {
                    pods.retain(|pod| is_meant(port, own, pod.port));
                    addresses.retain(|(_, number)| is_meant(port, own, *number));
                    if pods.is_empty() && addresses.is_empty() {
                        continue;
                    }
                    Behind::Endpoints(pods, addresses)
                }
                Behind::Nothing => continue,
                Behind::Untold => Behind::Untold,
            };
            found.push((own.protocol, behind));
        }
        found
    }
}

fn host(route: &Route) -> Box<str> {
    match &route.host {
        Some(host) if route.wildcard => {
            let domain = host.split_once('.').map_or(&**host, |(_, domain)| domain);
            format!("*.{domain}").into()
        }
        Some(host) => host.clone(),
        None => "auto".into(),
    }
}

/// Why a router does not serve a backend, where it does not.
fn stopped(route: &Route, backend: &RouteBackend) -> Option<(DoorStatus, DoorReason)> {
    if route.tls == Some(TlsTermination::Passthrough) && route.path.is_some() {
        return Some((DoorStatus::Refused, DoorReason::PassthroughWithPath));
    }
    match route.admitted {
        Some(false) => Some((DoorStatus::Refused, DoorReason::NotAdmitted)),
        None if route.wildcard => Some((DoorStatus::Unknown, DoorReason::WildcardPolicy)),
        _ => backend
            .idle
            .then_some((DoorStatus::NoBackend, DoorReason::Weight0)),
    }
}

/// Whether a route means the endpoints on a port of a Service: it names their number, or the name
/// of the Service's port, or the number as text.
fn is_meant(port: &BackendPort, own: &ServicePort, number: u16) -> bool {
    match port {
        BackendPort::Unnamed => true,
        BackendPort::Number(wanted) => *wanted == number,
        BackendPort::Name(name) => own.name.as_ref() == Some(name) || name.parse() == Ok(number),
    }
}
