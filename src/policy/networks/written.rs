//! Objects of networks, reduced to what decides who is on which.

use crate::model::{Labels, Selector};
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
    /// A policy of secondary networks, whichever they are.
    Policy,
    /// A `ClusterNetworkConnect`.
    Connect(NetworkConnection),
}

/// What a user-defined network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topology {
    /// Whether it takes the place of the default network.
    pub primary: bool,
}

/// The configuration of an attachment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttachmentConfig {
    /// Whether OVN-Kubernetes serves it, where the name tells the network (NW63).
    pub ovn: bool,
    /// The name in the configuration.
    pub name: Box<str>,
    /// Whether it takes the place of the default network.
    pub primary: bool,
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
