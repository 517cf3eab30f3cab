//! The lines of routes of the Gateway API (DO66 to DO79).

use crate::doors::attach::Attachment;
use crate::doors::builder::{DoorBuilder, DoorWay};
use crate::doors::controllers::{Controller, DataPlane};
use crate::doors::grants::GROUP;
use crate::doors::line::{Door, DoorKind, DoorStatus};
use crate::doors::merge::merged;
use crate::doors::reason::DoorReason;
use crate::model::doors::{
    BackendKind, BackendRef, DoorObject, GatewayRoute, ParentRef, RouteKind,
};
use crate::model::{NamespaceId, ServiceId, ServicePort};
use crate::source::{Origin, Path};

impl<'g> DoorBuilder<'g> {
    /// Adds the lines of a route.
    pub fn gateway_route(&mut self, object: &DoorObject, route: &GatewayRoute) {
        let before = std::mem::take(&mut self.lines);
        let mut parents = Vec::new();
        for parent in &route.parents {
            // a route of a Service steers traffic inside the cluster (DO71)
            if &*parent.kind == "Service" && parent.group.is_empty() {
                continue;
            }
            self.under_parent(object, route, parent);
            parents.push(std::mem::take(&mut self.lines));
        }
        self.lines = before;
        self.lines.extend(merged(parents));
    }

    fn under_parent(&mut self, object: &DoorObject, route: &GatewayRoute, parent: &ParentRef) {
        let (hosts, class, way) = match self.attachment(object, route, parent) {
            Attachment::Attached {
                hosts,
                class,
                controller,
                gateway,
            } => (hosts, Some(class), Ok((controller, gateway))),
            Attachment::Stopped(status, reason) => {
                let mut hosts = route.hostnames.clone();
                if hosts.is_empty() || !route.kind.has_hosts() {
                    hosts = vec!["*".into()];
                }
                (hosts, None, Err((status, reason)))
            }
        };
        for rule in &route.rules {
            for host in &hosts {
                for path in &rule.paths {
                    let door = door(self, object, route, (host, path), class.clone(), &rule.at);
                    self.rule(object, route, &door, &rule.backends, way);
                }
            }
        }
    }

    fn rule(
        &mut self,
        object: &DoorObject,
        route: &GatewayRoute,
        door: &Door,
        backends: &[BackendRef],
        way: Result<(Option<&'static Controller>, (NamespaceId, &str)), (DoorStatus, DoorReason)>,
    ) {
        if backends.is_empty() {
            let none = (DoorStatus::NoBackend, DoorReason::NoBackendRefs);
            let (status, reason) = way.err().unwrap_or(none);
            self.nowhere(door, None, status, reason);
        }
        for backend in backends {
            let namespace = backend.namespace.as_deref().unwrap_or(&door.namespace);
            let shown = (backend.kind == BackendKind::Service)
                .then(|| format!("{namespace}/{}", backend.name).into());
            let at = match way {
                Err((status, reason)) => Err((status, reason)),
                Ok(_) => self.service_of(object, route.kind, backend, namespace),
            };
            match (at, way) {
                (Err((status, reason)), _) | (_, Err((status, reason))) => {
                    self.nowhere(door, shown, status, reason);
                }
                (Ok((id, port)), Ok((controller, gateway))) => {
                    match self.way(controller, gateway, id) {
                        DoorWay::Through(caller) => self.service_port(door, &caller, id, port),
                        DoorWay::Stopped(status, reason) => {
                            self.nowhere(door, shown, status, reason);
                        }
                    }
                }
            }
        }
    }

    fn way(
        &self,
        controller: Option<&'static Controller>,
        gateway: (NamespaceId, &str),
        id: ServiceId,
    ) -> DoorWay {
        let Some(controller) = controller else {
            return DoorWay::Through(self.classes.told());
        };
        let dials_pods = controller.data_plane == DataPlane::Google;
        let service = self.cluster().service(id);
        self.through(controller, Some(gateway), service, dials_pods)
    }

    /// The port of the Service that a backend names.
    fn service_of(
        &self,
        object: &DoorObject,
        kind: RouteKind,
        backend: &BackendRef,
        namespace: &str,
    ) -> Result<(ServiceId, &'g ServicePort), (DoorStatus, DoorReason)> {
        let nowhere = |reason| Err((DoorStatus::NoBackend, reason));
        if backend.idle {
            return nowhere(DoorReason::Weight0);
        }
        if backend.kind == BackendKind::Other {
            return Err((DoorStatus::Unknown, DoorReason::OtherBackend));
        }
        let own = &*self.cluster().namespace(object.namespace).name;
        let from = (GROUP, kind.name(), own);
        let to = ("", "Service", &*backend.name);
        if namespace != own && !self.is_granted(namespace, from, to) {
            return Err((DoorStatus::Refused, DoorReason::NoReferenceGrant));
        }
        let at = self.cluster().find_namespace(namespace);
        let Some(id) = at.and_then(|at| self.index.find(at, &backend.name)) else {
            return nowhere(DoorReason::ServiceNotFound);
        };
        let service = self.cluster().service(id);
        if service.external_name.is_some() {
            return Err((DoorStatus::Unknown, DoorReason::ExternalName));
        }
        // a number may be a port of two protocols (DO4, DO79)
        let mut ports = service
            .ports
            .iter()
            .filter(|port| port.protocol == kind.protocol());
        match ports.find(|port| Some(port.port) == backend.port) {
            Some(port) => Ok((id, port)),
            None => nowhere(DoorReason::PortNotFound),
        }
    }
}

fn door(
    builder: &DoorBuilder<'_>,
    object: &DoorObject,
    route: &GatewayRoute,
    (host, path): (&str, &str),
    class: Option<Box<str>>,
    at: &Path,
) -> Door {
    Door {
        kind: match route.kind {
            RouteKind::Http => DoorKind::HttpRoute,
            RouteKind::Grpc => DoorKind::GrpcRoute,
            RouteKind::Tls => DoorKind::TlsRoute,
            RouteKind::Tcp => DoorKind::TcpRoute,
            RouteKind::Udp => DoorKind::UdpRoute,
        },
        namespace: builder.cluster().namespace(object.namespace).name.clone(),
        name: object.name.clone(),
        host: host.into(),
        path: path.into(),
        class,
        origin: Origin::new(object.origin.document, at.clone()),
    }
}
