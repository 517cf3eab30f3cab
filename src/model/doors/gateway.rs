//! Objects of gateway.networking.k8s.io (DO66 to DO79).

use crate::model::labels::Selector;
use crate::set::Protocol;
use crate::source::Path;

/// A `GatewayClass`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GatewayClass {
    /// `spec.controllerName`.
    pub controller: Box<str>,
}

/// A `Gateway`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gateway {
    /// `spec.gatewayClassName`.
    pub class: Box<str>,
    /// Its listeners.
    pub listeners: Vec<Listener>,
    /// The addresses of its status, else those that it asks for.
    pub addresses: Vec<Box<str>>,
    /// Whether its status says that it is not served.
    pub not_programmed: bool,
}

/// A listener of a Gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Its name.
    pub name: Box<str>,
    /// Its port.
    pub port: u16,
    /// `HTTP`, `HTTPS`, `TLS`, `TCP`, `UDP`, or an implementation's own.
    pub protocol: Box<str>,
    /// Its host name; `None` is any.
    pub hostname: Option<Box<str>>,
    /// The namespaces whose routes it takes (DO68).
    pub from: RouteNamespaces,
    /// The kinds of routes it takes, by group and kind; those of its protocol where none is named.
    pub kinds: Option<Vec<(Box<str>, Box<str>)>>,
    /// The Secrets of other namespaces that it needs (DO77): namespace and name.
    pub foreign_certificates: Vec<(Box<str>, Box<str>)>,
}

/// The namespaces whose routes a listener takes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RouteNamespaces {
    /// The Gateway's own.
    #[default]
    Same,
    /// Every one.
    All,
    /// None.
    None,
    /// Those with some labels.
    Selected(Selector),
    /// It cannot be read.
    Unreadable,
}

/// The kinds of routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // the kinds of the API
pub enum RouteKind {
    Http,
    Grpc,
    Tls,
    Tcp,
    Udp,
}

impl RouteKind {
    const TABLE: [(Self, &'static str); 5] = [
        (Self::Http, "HTTPRoute"),
        (Self::Grpc, "GRPCRoute"),
        (Self::Tls, "TLSRoute"),
        (Self::Tcp, "TCPRoute"),
        (Self::Udp, "UDPRoute"),
    ];

    /// The kind of the API.
    pub fn name(self) -> &'static str {
        let row = Self::TABLE.iter().find(|row| row.0 == self);
        row.map_or("", |row| row.1)
    }

    /// The kind of a name.
    pub fn of(name: &str) -> Option<Self> {
        Self::TABLE
            .iter()
            .find(|row| row.1 == name)
            .map(|row| row.0)
    }

    /// The protocol of the ports that it leads to (DO79).
    pub fn protocol(self) -> Protocol {
        if self == Self::Udp {
            Protocol::Udp
        } else {
            Protocol::Tcp
        }
    }

    /// Whether it chooses requests by host names (DO66).
    pub fn has_hosts(self) -> bool {
        matches!(self, Self::Http | Self::Grpc | Self::Tls)
    }

    /// Whether a listener of this protocol takes it where nothing narrows that (DO70).
    pub fn fits(self, protocol: &str) -> bool {
        match self {
            Self::Http | Self::Grpc => matches!(protocol, "HTTP" | "HTTPS"),
            Self::Tls => protocol == "TLS",
            Self::Tcp => protocol == "TCP",
            Self::Udp => protocol == "UDP",
        }
    }
}

/// A route of any kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayRoute {
    /// Its kind.
    pub kind: RouteKind,
    /// Its host names.
    pub hostnames: Vec<Box<str>>,
    /// What it is attached to.
    pub parents: Vec<ParentRef>,
    /// Its rules.
    pub rules: Vec<RouteRule>,
    /// What controllers say of it.
    pub status: Vec<ParentStatus>,
}

/// What a route is to be attached to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ParentRef {
    /// The group; `gateway.networking.k8s.io` unless said.
    pub group: Box<str>,
    /// The kind; `Gateway` unless said.
    pub kind: Box<str>,
    /// The namespace; the route's own unless said.
    pub namespace: Option<Box<str>>,
    /// The name.
    pub name: Box<str>,
    /// The name of the listener.
    pub section: Option<Box<str>>,
    /// The port of the listener.
    pub port: Option<u16>,
}

/// That a controller refuses a route on a parent, of the generation that was loaded (DO73).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParentStatus {
    /// The parent.
    pub parent: ParentRef,
    /// Whether it is refused.
    pub refused: bool,
}

/// A rule of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteRule {
    /// The paths, or the methods of `GRPCRoute`s; one for a rule without matches.
    pub paths: Vec<Box<str>>,
    /// Where its requests go.
    pub backends: Vec<BackendRef>,
    /// Its place in the object.
    pub at: Path,
}

/// A reference to a backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendRef {
    /// What kind of object it names.
    pub kind: BackendKind,
    /// The namespace; the route's own unless said.
    pub namespace: Option<Box<str>>,
    /// The name.
    pub name: Box<str>,
    /// The port of the Service.
    pub port: Option<u16>,
    /// Whether it gets no request, because its weight is 0 (DO78).
    pub idle: bool,
}

/// What a backend reference names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackendKind {
    /// A Service.
    Service,
    /// Anything else (DO74).
    Other,
}

/// A kind of objects that a grant is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedKind {
    /// The group; empty for the core group.
    pub group: Box<str>,
    /// The kind.
    pub kind: Box<str>,
    /// The namespace of those who refer, or the name of what is referred to; `None` is any.
    pub of: Option<Box<str>>,
}

/// A `ReferenceGrant` (DO76).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReferenceGrant {
    /// Who may refer.
    pub from: Vec<GrantedKind>,
    /// To what.
    pub to: Vec<GrantedKind>,
}
