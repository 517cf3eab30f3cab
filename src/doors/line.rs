//! What is said of one way in: a door, what it leads to, and whether anybody gets through.

use crate::doors::reason::DoorReason;
use crate::model::{Cluster, PodId, WorkloadId};
use crate::policy::PolicyId;
use crate::set::{Protocol, Traffic};
use crate::source::Origin;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

/// The kinds of doors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // the kinds of the APIs, and what a Service or a pod has outside
pub enum DoorKind {
    Ingress,
    HttpRoute,
    GrpcRoute,
    TlsRoute,
    TcpRoute,
    UdpRoute,
    Route,
    VirtualService,
    LoadBalancer,
    NodePort,
    ExternalIp,
    HostPort,
    HostNetwork,
    /// An object of a kind that is not read; its class says which.
    Unread,
}

impl DoorKind {
    const NAMES: [(Self, &'static str); 14] = [
        (Self::Ingress, "Ingress"),
        (Self::HttpRoute, "HTTPRoute"),
        (Self::GrpcRoute, "GRPCRoute"),
        (Self::TlsRoute, "TLSRoute"),
        (Self::TcpRoute, "TCPRoute"),
        (Self::UdpRoute, "UDPRoute"),
        (Self::Route, "Route"),
        (Self::VirtualService, "VirtualService"),
        (Self::LoadBalancer, "LoadBalancer"),
        (Self::NodePort, "NodePort"),
        (Self::ExternalIp, "ExternalIP"),
        (Self::HostPort, "HostPort"),
        (Self::HostNetwork, "HostNetwork"),
        (Self::Unread, "Unread"),
    ];

    /// Whether it is an object that sends to Services, and not a Service or a pod by itself.
    pub fn is_object(self) -> bool {
        use DoorKind::{ExternalIp, HostNetwork, HostPort, LoadBalancer, NodePort};
        !matches!(
            self,
            LoadBalancer | NodePort | ExternalIp | HostPort | HostNetwork
        )
    }

    /// As it is printed.
    pub fn name(self) -> &'static str {
        let row = Self::NAMES.iter().find(|row| row.0 == self);
        row.map_or("", |row| row.1)
    }
}

/// Whether callers on the internet get through. In order of what counts where several parents give
/// one line: the last wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DoorStatus {
    /// It is a door of a private network, as far as the input shows.
    Internal,
    /// Nobody serves it.
    Refused,
    /// It is served, and leads nowhere.
    NoBackend,
    /// It leads there, and policies let nobody through.
    ClosedByPolicy,
    /// The input does not decide.
    Unknown,
    /// At least one caller gets through.
    Open,
}

impl DoorStatus {
    /// As it is printed.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Unknown => "unknown",
            Self::ClosedByPolicy => "closed-by-policy",
            Self::NoBackend => "no-backend",
            Self::Refused => "refused",
            Self::Internal => "internal",
        }
    }
}

/// What the input shows of the doors of those who serve a line, where none of them lets anybody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OwnDoors {
    /// No door leads to them.
    Missing,
    /// Those that do are of a private network.
    Internal,
    /// Policies close those that do.
    Closed,
}

impl OwnDoors {
    /// The word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Missing => "none",
            Self::Internal => "internal",
            Self::Closed => "closed-by-policy",
        }
    }

    /// What is said of the controller.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Missing => "behind a controller that no door of the input leads to",
            Self::Internal => "behind a controller whose own doors are internal",
            Self::Closed => "behind a controller whose own doors policies close",
        }
    }
}

/// A door: an object, and the part of it that callers choose.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Door {
    /// What it is.
    pub kind: DoorKind,
    /// The namespace of its object.
    pub namespace: Box<str>,
    /// The name of its object.
    pub name: Box<str>,
    /// The host name or address that callers use; `*` is any.
    pub host: Box<str>,
    /// The path, or the port and protocol; `*` is any.
    pub path: Box<str>,
    /// The class that names who serves it, where there is one.
    pub class: Option<Box<str>>,
    /// Where it is written.
    pub origin: Origin,
}

impl Door {
    /// What it is called: `Ingress shop/web`.
    pub fn title(&self) -> String {
        let kind = match (self.kind, &self.class) {
            (DoorKind::Unread, Some(kind)) => kind,
            (kind, _) => kind.name(),
        };
        format!("{kind} {}/{}", self.namespace, self.name)
    }
}

/// What a door leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DoorTarget {
    /// Pods of a workload that fare alike, on a port of theirs.
    Pods(WorkloadId, Vec<PodId>, u16, Protocol),
    /// A machine outside, on a port of its own.
    Address(IpAddr, u16, Protocol),
    /// Nothing, as far as is known.
    Nothing,
}

impl DoorTarget {
    /// The workload, if it leads to pods.
    pub fn workload(&self) -> Option<WorkloadId> {
        match self {
            Self::Pods(workload, ..) => Some(*workload),
            Self::Address(..) | Self::Nothing => None,
        }
    }

    /// The pods that it leads to.
    pub fn pods(&self) -> &[PodId] {
        match self {
            Self::Pods(_, pods, ..) => pods,
            Self::Address(..) | Self::Nothing => &[],
        }
    }

    /// The traffic that arrives there, if it leads somewhere.
    pub fn traffic(&self) -> Option<Traffic> {
        match *self {
            Self::Pods(_, _, port, protocol) | Self::Address(_, port, protocol) => {
                Some(Traffic { protocol, port })
            }
            Self::Nothing => None,
        }
    }

    /// What it is called: the workload, or the address.
    pub fn name(&self, cluster: &Cluster) -> Option<String> {
        match self {
            Self::Pods(workload, ..) => Some(cluster.workload_name(*workload)),
            Self::Address(address, ..) => Some(address.to_string()),
            Self::Nothing => None,
        }
    }
}

/// How callers fare who use a door.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Passage {
    /// Whether they get through.
    pub status: DoorStatus,
    /// Why, or why only in part.
    pub reason: Option<DoorReason>,
    /// The policies that close it, or open it in part.
    pub policies: Vec<PolicyId>,
    /// The loaded pods of the controller that it is closed to.
    pub closed_to: Vec<PodId>,
}

impl Passage {
    /// Everybody gets through.
    pub fn open() -> Self {
        Self {
            status: DoorStatus::Open,
            reason: None,
            policies: Vec::new(),
            closed_to: Vec::new(),
        }
    }

    /// With a status that has a reason of its own.
    pub fn because(status: DoorStatus, reason: DoorReason) -> Self {
        Self {
            status,
            reason: Some(reason),
            policies: Vec::new(),
            closed_to: Vec::new(),
        }
    }
}

/// One way in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoorLine {
    /// The door.
    pub door: Door,
    /// The Service behind it, as it is named: `namespace/name`.
    pub service: Option<Box<str>>,
    /// What it leads to.
    pub target: DoorTarget,
    /// How callers fare.
    pub passage: Passage,
    /// The pods that it may lead to, where it is not told whether the door is there at all or what
    /// is behind it.
    pub may_lead: Vec<PodId>,
    /// The loaded pods that serve it, if such call the pods behind it.
    pub callers: Arc<[PodId]>,
    /// What the input shows of the doors of these, if none of them lets anybody in (DO98).
    pub own_doors: Option<OwnDoors>,
}

impl DoorLine {
    /// A door that leads nowhere, as far as is known.
    pub fn nowhere(door: Door, passage: Passage) -> Self {
        Self {
            door,
            service: None,
            target: DoorTarget::Nothing,
            passage,
            may_lead: Vec::new(),
            callers: Arc::default(),
            own_doors: None,
        }
    }

    /// The pods that it leads to, or may.
    pub fn pods(&self) -> &[PodId] {
        match self.target.pods() {
            [] => &self.may_lead,
            pods => pods,
        }
    }

    /// The workloads of these pods.
    pub fn workloads(&self, cluster: &Cluster) -> BTreeSet<WorkloadId> {
        let pods = self.pods().iter();
        pods.map(|pod| cluster.pod(*pod).workload).collect()
    }
}
