//! Whether a route is attached to a Gateway, and on which listeners (DO66 to DO73, DO77).

use crate::doors::builder::{DoorBuilder, is_public};
use crate::doors::controllers::{Controller, DataPlane};
use crate::doors::grants::GROUP;
use crate::doors::hosts::on_listener;
use crate::doors::ingress::stopped;
use crate::doors::line::DoorStatus;
use crate::doors::reason::DoorReason;
use crate::doors::served::Served;
use crate::model::doors::{
    DoorObject, Gateway, GatewayRoute, Listener, ParentRef, RouteKind, RouteNamespaces,
};
use crate::model::{NamespaceId, Truth};
use std::net::IpAddr;

/// What becomes of a route under one of its parents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attachment<'g> {
    /// It is served.
    Attached {
        /// The host names that it has there.
        hosts: Vec<Box<str>>,
        /// The class of the Gateway.
        class: Box<str>,
        /// Who serves it, if that is in the table.
        controller: Option<&'static Controller>,
        /// The Gateway.
        gateway: (NamespaceId, &'g str),
    },
    /// It is not, or that is not told.
    Stopped(DoorStatus, DoorReason),
}

type Stop = (DoorStatus, DoorReason);

impl<'g> DoorBuilder<'g> {
    /// What becomes of a route under a parent.
    pub fn attachment(
        &self,
        object: &DoorObject,
        route: &GatewayRoute,
        parent: &ParentRef,
    ) -> Attachment<'g> {
        self.attached(object, route, parent)
            .unwrap_or_else(|(status, reason)| Attachment::Stopped(status, reason))
    }

    fn attached(
        &self,
        object: &DoorObject,
        route: &GatewayRoute,
        parent: &ParentRef,
    ) -> Result<Attachment<'g>, Stop> {
        if &*parent.group != GROUP || &*parent.kind != "Gateway" {
            return Err((DoorStatus::Unknown, DoorReason::OtherParent));
        }
        if route.kind == RouteKind::Tls && route.hostnames.is_empty() {
            return Err((DoorStatus::Refused, DoorReason::NoHostname)); // DO66
        }
        let own = &*self.cluster().namespace(object.namespace).name;
        let namespace = parent.namespace.as_deref().unwrap_or(own);
        let at = self.cluster().find_namespace(namespace);
        let found = at.and_then(|at| self.gateways.get(&(at, &*parent.name)));
        let Some((gateway_object, gateway)) = found.copied() else {
            return Err((DoorStatus::Unknown, DoorReason::GatewayNotInInput));
        };
        let served = self.classes.gateway(&gateway.class);
        if let Some(stop) = stopped(served) {
            return Err(stop);
        }
        let hosts = self.listening(object, route, parent, gateway_object, gateway)?;
        refused_by_status(own, route, parent)?;
        let controller = match served {
            Served::By(controller) => Some(controller),
            _ => None,
        };
        reachable(gateway, controller)?;
        Ok(Attachment::Attached {
            hosts,
            class: gateway.class.clone(),
            controller,
            gateway: (gateway_object.namespace, &gateway_object.name),
        })
    }

    /// The host names that a route has on the listeners that take it; else why none does.
    fn listening(
        &self,
        object: &DoorObject,
        route: &GatewayRoute,
        parent: &ParentRef,
        of: &DoorObject,
        gateway: &Gateway,
    ) -> Result<Vec<Box<str>>, Stop> {
        let is_meant = |listener: &&Listener| {
            parent
                .section
                .as_ref()
                .is_none_or(|name| *name == listener.name)
                && parent.port.is_none_or(|port| port == listener.port)
        };
        let mut hosts: Vec<Box<str>> = Vec::new();
        let mut nearest: Option<(usize, Stop)> = None;
        for listener in gateway.listeners.iter().filter(is_meant) {
            match self.on(object, route, of, gateway, listener) {
                Ok(common) => hosts.extend(common),
                Err(stop) if nearest.is_none_or(|known| known.0 <= stop.0) => nearest = Some(stop),
                Err(_) => {}
            }
        }
        if !hosts.is_empty() {
            let mut seen = std::collections::HashSet::new();
            hosts.retain(|host| seen.insert(host.clone()));
            return Ok(hosts);
        }
        let nobody = (DoorStatus::Refused, DoorReason::NoMatchingParent);
        Err(nearest.map_or(nobody, |(_, stop)| stop))
    }

    /// The host names that a route has on one listener, else how far it came and why not further.
    fn on(
        &self,
        object: &DoorObject,
        route: &GatewayRoute,
        of: &DoorObject,
        gateway: &Gateway,
        listener: &Listener,
    ) -> Result<Vec<Box<str>>, (usize, Stop)> {
        let refused = |far, reason| Err((far, (DoorStatus::Refused, reason)));
        if !takes_kind(listener, route) {
            return refused(0, DoorReason::ListenerKind);
        }
        match self.takes_namespace(listener, of.namespace, object.namespace) {
            Truth::Yes => {}
            Truth::No => return refused(1, DoorReason::ListenerNamespace),
            Truth::Maybe => {
                let reason = DoorReason::NamespaceLabelsNotKnown;
                return Err((1, (DoorStatus::Unknown, reason)));
            }
        }
        let conflicts =
            |other: &&Listener| !std::ptr::eq(*other, listener) && conflict(listener, other);
        if gateway.listeners.iter().any(|other| conflicts(&other)) {
            return refused(2, DoorReason::ListenerConflict);
        }
        let own = &*self.cluster().namespace(of.namespace).name;
        let has_certificate = |(namespace, name): &(Box<str>, Box<str>)| {
            let from = (GROUP, "Gateway", own);
            **namespace == *own || self.is_granted(namespace, from, ("", "Secret", name))
        };
        if !listener.foreign_certificates.iter().all(has_certificate) {
            return refused(3, DoorReason::CertificateNotGranted);
        }
        if !route.kind.has_hosts() {
            return Ok(vec!["*".into()]);
        }
        let hosts = on_listener(listener.hostname.as_deref(), &route.hostnames);
        if hosts.is_empty() {
            return refused(4, DoorReason::Hostname);
        }
        Ok(hosts)
    }

    /// Whether a listener takes routes of a namespace (DO68).
    fn takes_namespace(&self, listener: &Listener, own: NamespaceId, other: NamespaceId) -> Truth {
        match &listener.from {
            RouteNamespaces::Same => Truth::from(own == other),
            RouteNamespaces::All => Truth::Yes,
            RouteNamespaces::None => Truth::No,
            RouteNamespaces::Unreadable => Truth::Maybe,
            RouteNamespaces::Selected(selector) => {
                self.cluster().namespace(other).selected_by(selector)
            }
        }
    }
}

/// Whether a listener takes routes of a kind (DO70).
fn takes_kind(listener: &Listener, route: &GatewayRoute) -> bool {
    let is_own =
        |(group, kind): &(Box<str>, Box<str>)| **group == *GROUP && **kind == *route.kind.name();
    let named = listener.kinds.as_ref();
    route.kind.fits(&listener.protocol) && named.is_none_or(|kinds| kinds.iter().any(is_own))
}

/// Whether two listeners are not distinct, so that neither is served (DO70).
fn conflict(a: &Listener, b: &Listener) -> bool {
    let encrypted = |listener: &Listener| matches!(&*listener.protocol, "HTTPS" | "TLS");
    let is = |listener: &Listener, protocol: &str| &*listener.protocol == protocol;
    if a.port != b.port || is(a, "UDP") != is(b, "UDP") {
        return false;
    }
    if is(a, "UDP") || is(a, "TCP") || is(b, "TCP") {
        return true;
    }
    if encrypted(a) != encrypted(b) {
        return is(a, "HTTP") || is(b, "HTTP");
    }
    a.hostname == b.hostname
}

/// A controller's word about the route counts (DO73).
fn refused_by_status(own: &str, route: &GatewayRoute, parent: &ParentRef) -> Result<(), Stop> {
    let is_parent = |other: &ParentRef| {
        let namespace = |parent: &ParentRef| parent.namespace.clone().unwrap_or_else(|| own.into());
        other.name == parent.name
            && namespace(other) == namespace(parent)
            && other.section == parent.section
            && other.port == parent.port
    };
    let mut said = route
        .status
        .iter()
        .filter(|status| is_parent(&status.parent));
    if said.any(|status| status.refused) {
        return Err((DoorStatus::Refused, DoorReason::StatusNotAccepted));
    }
    Ok(())
}

/// Whether callers of the internet may find a Gateway (DO73, DO75).
fn reachable(gateway: &Gateway, controller: Option<&Controller>) -> Result<(), Stop> {
    if gateway.not_programmed {
        return Err((DoorStatus::Unknown, DoorReason::GatewayNotProgrammed));
    }
    let private = |address: &str| {
        let address = address.parse::<IpAddr>();
        address.is_ok_and(|address| !is_public(address))
    };
    if !gateway.addresses.is_empty() && gateway.addresses.iter().all(|at| private(at)) {
        return Err((DoorStatus::Internal, DoorReason::PrivateAddress));
    }
    let is_aws = controller.is_some_and(|c| c.data_plane == DataPlane::Aws);
    if is_aws && gateway.addresses.is_empty() {
        return Err((DoorStatus::Internal, DoorReason::AlbSchemeDefault));
    }
    Ok(())
}
