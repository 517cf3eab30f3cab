//! Objects of networks, reduced to what decides who is on which.

use crate::model::{Labels, Selector};
use crate::policy::rule::Policy;
use crate::source::DocumentId;

/// An object of networks that was read.
#[derive(Debug)]
pub struct NetworkObject {
    /// Its name.
    pub name: Box<str>,
    /// Its namespace; empty for one of the cluster.
    pub namespace: Box<str>,
    /// Its document.
    pub document: DocumentId,
    /// What it says.
    pub content: NetworkContent,
}

impl NetworkObject {
    /// Whether it is a network for every namespace there is.
    pub fn selects_all(&self) -> bool {
        let NetworkContent::Shared { namespaces, .. } = &self.content else {
            return false;
        };
        namespaces.requirements().is_empty()
    }
}

/// What an object says.
#[derive(Debug)]
pub enum NetworkContent {
    /// A `UserDefinedNetwork`.
    Own(Topology),
    /// A `ClusterUserDefinedNetwork`.
    Shared {
        /// The namespaces that it is for.
        namespaces: Selector,
        /// Its own labels, by which connections select it.
        labels: Labels,
        /// What it is.
        topology: Topology,
    },
    /// A `NetworkAttachmentDefinition`.
    Attachment(AttachmentConfig),
    /// A `MultiNetworkPolicy`.
    Policy(Box<WrittenMultiPolicy>),
    /// A `ClusterNetworkConnect`.
    Connect(NetworkConnection),
}

/// What a user-defined network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Topology {
    /// Whether it takes the place of the default network.
    pub primary: bool,
    /// Whether its wire goes on into the physical network (NW16).
    pub localnet: bool,
    /// Whether it has subnets.
    pub subnets: bool,
}

/// A policy of secondary networks.
#[derive(Debug)]
pub struct WrittenMultiPolicy {
    /// What it says, as that of a network.
    pub policy: Policy,
    /// The definitions that it is for, by namespace and name.
    pub definitions: Vec<(Box<str>, Box<str>)>,
    /// Whether its types are left to be told from its rules.
    pub untyped: bool,
}

/// The configuration of an attachment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttachmentConfig {
    /// Whether OVN-Kubernetes serves it, where the name tells the network (NW63).
    pub ovn: bool,
    /// The type of the plugin.
    pub plugin: Box<str>,
    /// The name in the configuration.
    pub name: Box<str>,
    /// What the network is, where OVN-Kubernetes serves it.
    pub topology: Topology,
}

impl AttachmentConfig {
    /// Whether it takes the place of the default network (NW14).
    pub fn is_primary(&self) -> bool {
        self.ovn && self.topology.primary
    }
}

/// Which networks are joined.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NetworkConnection {
    /// Selectors of cluster-wide networks by their labels.
    pub networks: Vec<Selector>,
    /// Selectors of namespaces whose primary networks are meant.
    pub namespaces: Vec<Selector>,
    /// Whether pods reach each other.
    pub pods: bool,
    /// Whether pods reach each other's Services.
    pub services: bool,
    /// Whether something in it could not be read.
    pub unread: bool,
}
