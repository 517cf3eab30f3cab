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
    /// What it and its subsets say of TLS.
    pub tls: Vec<CallerTls>,
    /// The namespaces whose callers it is for; empty is all.
    pub export_to: Vec<Box<str>>,
    /// The callers of its own namespace that it is for, if only these.
    pub workloads: Option<Selector>,
}

impl DestinationRule {
    /// Whether callers may show no identity of the mesh somewhere (IS30).
    pub fn takes_identity(&self) -> bool {
        let mut ports = self.tls.iter().flat_map(|tls| &tls.ports);
        self.tls.iter().any(|tls| tls.plain) || ports.any(|(_, plain)| *plain)
    }
}

/// What callers send instead of mutual TLS of the mesh.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallerTls {
    /// Whether it is something else: plain text, or TLS with other certificates.
    pub plain: bool,
    /// The same for single ports of the Service.
    pub ports: Vec<(u16, bool)>,
}
