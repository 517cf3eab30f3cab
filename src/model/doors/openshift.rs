//! `Route` of route.openshift.io and `IngressController` of operator.openshift.io (DO80 to DO87).

use crate::model::doors::ingress::BackendPort;
use crate::source::Path;

/// A `Route`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// `spec.host`; the router chooses one where it is absent.
    pub host: Option<Box<str>>,
    /// `spec.path`.
    pub path: Option<Box<str>>,
    /// The Services that it leads to: `to` and `alternateBackends`.
    pub backends: Vec<RouteBackend>,
    /// `spec.port.targetPort`.
    pub port: BackendPort,
    /// `spec.tls.termination`.
    pub tls: Option<TlsTermination>,
    /// Whether `wildcardPolicy` is `Subdomain` (DO85).
    pub wildcard: bool,
    /// Whether a router admitted it, where its status says so (DO86).
    pub admitted: Option<bool>,
}

/// A Service that a route leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteBackend {
    /// Its name.
    pub name: Box<str>,
    /// Whether it gets no request (DO83).
    pub idle: bool,
    /// Its place in the object.
    pub at: Path,
}

/// Where TLS ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsTermination {
    /// At the router, or nowhere that matters here.
    Router,
    /// At the pod.
    Passthrough,
}

/// An `IngressController` of the operator.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IngressController {
    /// `spec.endpointPublishingStrategy.type`, or that of its status.
    pub strategy: PublishingStrategy,
}

/// How the router's pods are published (DO84).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PublishingStrategy {
    /// It is not told.
    #[default]
    Untold,
    /// On the network of their nodes.
    HostNetwork,
    /// On the pod network.
    PodNetwork,
}
