//! `Gateway`, `VirtualService` and `DestinationRule` of networking.istio.io (DO100 to DO105).

use crate::model::labels::Selector;
use crate::source::Path;

/// An Istio `Gateway`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IstioGateway {
    /// The pods that serve it, in all namespaces (DO100).
    pub selector: Selector,
    /// Its servers.
    pub servers: Vec<IstioServer>,
}

/// A server of an Istio `Gateway`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IstioServer {
    /// Its host names, each with the namespace of the `VirtualService`s that may use it in front.
    pub hosts: Vec<Box<str>>,
}

/// A `VirtualService`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VirtualService {
    /// Its host names.
    pub hosts: Vec<Box<str>>,
    /// The Gateways it is served by; none for `mesh` alone.
    pub gateways: Vec<Box<str>>,
    /// The namespaces that may use it; empty is all.
    pub export_to: Vec<Box<str>>,
    /// Its routes.
    pub routes: Vec<VirtualRoute>,
}

/// A route of a `VirtualService`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VirtualRoute {
    /// The paths, or `-` of TCP and TLS.
    pub paths: Vec<Box<str>>,
    /// Where requests go.
    pub destinations: Vec<VirtualDestination>,
    /// Its place in the object.
    pub at: Path,
}

/// A destination of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VirtualDestination {
    /// The host name of the Service.
    pub host: Box<str>,
    /// The port of the Service.
    pub port: Option<u16>,
    /// The subset of its pods.
    pub subset: Option<Box<str>>,
    /// Whether it gets no request.
    pub idle: bool,
}

/// A `DestinationRule`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DestinationRule {
    /// The host name of the Service.
    pub host: Box<str>,
    /// Subsets of its pods by name.
    pub subsets: Vec<(Box<str>, Selector)>,
}
