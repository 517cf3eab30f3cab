//! What endpoints are resolved to: ends, remarks on how they were understood, and errors.

use crate::model::{PodId, Selector, ServiceId, WorkloadId};
use crate::query::ask::api_server_address::ApiServerAddress;
use crate::query::ask::grammar::ParseError;
use crate::set::{IpSet, TrafficSet};
use crate::spec::FamilySet;
use ipnet::IpNet;
use std::net::IpAddr;

/// The settings that names are resolved with, besides the cluster itself.
#[derive(Debug, Clone)]
pub struct Context {
    /// The namespace of bare names, if one is chosen; otherwise all namespaces are searched.
    pub namespace: Option<Box<str>>,
    /// The namespace and the labels of the DNS pods.
    pub dns: (Box<str>, Selector),
    /// Where the API server listens, if it is told.
    pub api_servers: Vec<ApiServerAddress>,
    /// Whether `any` means pods that are not in the input too, where such are laid over it.
    pub any_pod: bool,
    /// The namespace that alone was read of a cluster, if one was.
    pub only_read: Option<Box<str>>,
    /// Where Services have their addresses, if that is told.
    pub service_cidrs: Option<IpSet>,
    /// Where pods have theirs, if that is told.
    pub pod_cidrs: Option<IpSet>,
    /// Where nodes have theirs, if that is told.
    pub node_cidrs: Option<IpSet>,
    /// The cache on every node that answers DNS queries, if its address is told.
    pub node_local_dns: Option<IpAddr>,
}

impl Default for Context {
    fn default() -> Self {
        Self {
            namespace: None,
            dns: ("kube-system".into(), Selector::label("k8s-app", "kube-dns")),
            api_servers: Vec::new(),
            any_pod: false,
            only_read: None,
            service_cidrs: None,
            pod_cidrs: None,
            node_cidrs: None,
            node_local_dns: None,
        }
    }
}

/// One end of a question: a workload with the pods of it that are meant, or a block of outside
/// addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Pods of one workload.
    Pods {
        /// The workload.
        workload: WorkloadId,
        /// The pods that are meant.
        pods: Vec<PodId>,
        /// The families of the connections that are meant: that of the address where the pods are
        /// named by one (S65).
        families: FamilySet,
    },
    /// Addresses that do not belong to a pod.
    Addresses {
        /// The name that the addresses are reported by.
        name: Box<str>,
        /// The addresses.
        set: IpSet,
        /// Whether the name stands for a large set, of which only the families that the other end
        /// uses count.
        symbolic: bool,
    },
}

impl End {
    /// Pods of a workload, meant in whatever family they are reached.
    pub fn pods(workload: WorkloadId, pods: Vec<PodId>) -> Self {
        Self::Pods {
            workload,
            pods,
            families: FamilySet::BOTH,
        }
    }

    /// Whether it is a word such as `internet`, of whose addresses only those count that have a
    /// family of the other end.
    pub fn is_word(&self) -> bool {
        matches!(self, Self::Addresses { symbolic: true, .. })
    }

    /// The families of the connections that are meant.
    pub fn families(&self) -> FamilySet {
        match self {
            Self::Pods { families, .. } => *families,
            Self::Addresses { .. } => FamilySet::BOTH, // each address has its own
        }
    }
}

/// How a Service is called, where it is not by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialled {
    /// At its cluster address.
    Cluster(IpAddr),
    /// At the address of its load balancer, or at an external one (S41).
    Outside(IpAddr),
    /// At its port of a certain node (S41).
    Node(IpAddr),
    /// At its port of any node.
    Nodes,
}

impl Dialled {
    /// The address, where it is one.
    pub fn address(self) -> Option<IpAddr> {
        match self {
            Self::Cluster(address) | Self::Outside(address) | Self::Node(address) => Some(address),
            Self::Nodes => None,
        }
    }

    /// Whether it is a port of nodes that is called.
    pub fn is_at_nodes(self) -> bool {
        matches!(self, Self::Node(_) | Self::Nodes)
    }
}

/// A remark on how an endpoint was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The address belongs to a pod.
    PodAddress(IpNet, WorkloadId),
    /// The address belongs to a Service.
    ServiceAddress(IpNet, ServiceId),
    /// The address belongs to a node.
    NodeAddress(IpNet, Box<str>),
    /// The name is that of a Service, which stands for the pods behind it.
    Service(ServiceId),
    /// The name of a pod was resolved to its workload.
    PodName(Box<str>, WorkloadId),
    /// A port that was asked about and is one of a Service in front, and the port that the Service
    /// is called on.
    PortOfService(ServiceId, u16, u16),
    /// A Service's name is an alias of another Service.
    Alias(ServiceId, ServiceId),
    /// A port that was asked about is the one that nodes take calls on for a port of a Service.
    NodePort(ServiceId, u16, u16),
    /// The address of the API server is not told.
    ApiServerSomewhere,
}

/// An endpoint, resolved.
#[derive(Debug, Clone, Default)]
pub struct Resolved {
    /// The ends; empty when the input does not determine them.
    pub ends: Vec<End>,
    /// The Service that was named, if one was.
    pub service: Option<ServiceId>,
    /// How that Service is called, where it is not by its name.
    pub dialled: Option<Dialled>,
    /// How the endpoint was understood.
    pub notes: Vec<Note>,
    /// What the input lacks, when there are no ends.
    pub missing: Option<Box<str>>,
    /// Whether it is known that nothing is there to take a connection, when there are no ends.
    pub no_backend: bool,
    /// The name of the world outside that stands for it, which may lead to any address.
    pub anywhere: Option<Box<str>>,
    /// Whether it is one of the addresses, and not told which one.
    pub one_of: bool,
    /// The node that it is, where no address of the node is told.
    pub node: Option<Box<str>>,
    /// The traffic that is meant where no port is named.
    pub traffic: Option<TrafficSet>,
}

impl Resolved {
    /// The same as the source of connections: the address of a load balancer, or an external one of
    /// a Service, is an address like others there, as no pod calls from it.
    #[must_use]
    pub fn as_caller(self) -> Self {
        let Some(Dialled::Outside(address)) = self.dialled else {
            return self;
        };
        let is_address = |note: &Note| matches!(note, Note::ServiceAddress(..));
        Self {
            ends: vec![End::Addresses {
                name: address.to_string().into(),
                set: IpSet::single(address),
                symbolic: false,
            }],
            notes: self.notes.into_iter().filter(is_address).collect(),
            ..Self::default()
        }
    }
}

/// Why an endpoint cannot be resolved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ResolveError {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Whether the input simply has no such thing.
    pub absent: bool,
}

impl From<ParseError> for ResolveError {
    fn from(error: ParseError) -> Self {
        Self {
            message: error.message,
            help: error.help,
            absent: false,
        }
    }
}

/// The input has no such thing.
pub(crate) fn fail<T>(message: String, help: Option<String>) -> Result<T, ResolveError> {
    Err(ResolveError {
        message,
        help,
        absent: true,
    })
}

/// The input has more than one such thing, or the question is malformed.
pub(crate) fn wrong<T>(message: String, help: Option<String>) -> Result<T, ResolveError> {
    Err(ResolveError {
        message,
        help,
        absent: false,
    })
}

/// The Service has no such port.
pub(crate) fn absent_port<T>(message: String, help: String) -> Result<T, ResolveError> {
    Err(ResolveError {
        message: format!("{message} (NO_PORT)"),
        help: Some(help),
        absent: false,
    })
}
