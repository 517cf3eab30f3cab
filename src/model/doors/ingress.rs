//! `Ingress` and `IngressClass` of networking.k8s.io (DO52 to DO67).

use crate::source::Path;

/// An `Ingress`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ingress {
    /// `spec.ingressClassName`.
    pub class: Option<Box<str>>,
    /// The annotation `kubernetes.io/ingress.class`.
    pub annotated_class: Option<Box<str>>,
    /// The annotation `alb.ingress.kubernetes.io/scheme`.
    pub alb_scheme: Option<Box<str>>,
    /// The annotation `alb.ingress.kubernetes.io/target-type`.
    pub alb_target_type: Option<Box<str>>,
    /// The backends in order, that of `defaultBackend` last.
    pub backends: Vec<IngressBackend>,
}

/// Where the requests of one path go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngressBackend {
    /// The host; `None` is any.
    pub host: Option<Box<str>>,
    /// The path; `None` for what no rule matches.
    pub path: Option<Box<str>>,
    /// The target.
    pub target: IngressTarget,
    /// Its place in the object.
    pub at: Path,
}

/// What a backend names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IngressTarget {
    /// A Service of the Ingress's own namespace (DO60), and the port of it.
    Service(Box<str>, BackendPort),
    /// Any other object (DO65).
    Resource,
}

/// How an object names a port of a Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackendPort {
    /// By its number.
    Number(u16),
    /// By its name.
    Name(Box<str>),
    /// Not at all.
    Unnamed,
}

/// An `IngressClass`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IngressClass {
    /// `spec.controller`.
    pub controller: Box<str>,
    /// Whether it is marked as that of Ingresses without a class (DO55).
    pub default: bool,
}
