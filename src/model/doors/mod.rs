//! Objects by which callers outside the cluster may come in: Ingresses, Gateways and their routes,
//! `OpenShift` Routes, Istio's Gateways and `VirtualService`s, with the objects that say who serves
//! them.
//!
//! They are kept as they are written; what they mean is decided in [`crate::doors`]. Names of other
//! objects are resolved there too, because an object may name what is not in the input.

pub mod gateway;
pub mod ingress;
pub mod istio;
pub mod openshift;

pub use crate::model::doors::gateway::{
    BackendKind, BackendRef, Gateway, GatewayClass, GatewayRoute, GrantedKind, Listener, ParentRef,
    ParentStatus, ReferenceGrant, RouteKind, RouteNamespaces, RouteRule,
};
pub use crate::model::doors::ingress::{
    BackendPort, Ingress, IngressBackend, IngressClass, IngressTarget,
};
pub use crate::model::doors::istio::{
    CallerTls, DestinationRule, IstioGateway, IstioServer, VirtualDestination, VirtualRoute,
    VirtualService,
};
pub use crate::model::doors::openshift::{
    IngressController, PublishingStrategy, Route, RouteBackend, TlsTermination,
};

use crate::model::ids::NamespaceId;
use crate::source::Origin;

/// An object that has to do with doors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoorObject {
    /// Its name.
    pub name: Box<str>,
    /// Its namespace; that of an object without one means nothing.
    pub namespace: NamespaceId,
    /// Where it was declared.
    pub origin: Origin,
    /// What it says.
    pub spec: DoorSpec,
}

/// What an object says about doors.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // the kinds of the APIs
pub enum DoorSpec {
    Ingress(Ingress),
    IngressClass(IngressClass),
    Gateway(Gateway),
    GatewayClass(GatewayClass),
    GatewayRoute(GatewayRoute),
    ReferenceGrant(ReferenceGrant),
    Route(Route),
    IngressController(IngressController),
    IstioGateway(IstioGateway),
    VirtualService(VirtualService),
    DestinationRule(DestinationRule),
    /// A kind that opens doors in ways that are not read (DO106).
    Unread(Box<str>),
}

impl DoorSpec {
    /// Whether objects of the kind live in a namespace.
    pub fn is_namespaced(&self) -> bool {
        !matches!(self, Self::IngressClass(_) | Self::GatewayClass(_))
    }
}
