//! A policy of Antrea after it was checked: values instead of texts, still without the groups,
//! tiers and Services that decide what they mean ([`super::lower`]).

use crate::model::Selector;
use crate::policy::priority::Priority;
use crate::set::{IpSet, Protocol, TrafficSet};

/// A policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AntreaPolicy {
    /// Its namespace; none of a cluster policy.
    pub namespace: Option<Box<str>>,
    /// Whether it is of the versions before v1beta1.
    pub older: bool,
    /// Its tier.
    pub tier: Box<str>,
    /// Its place there (AN4, AN7).
    pub priority: Priority,
    /// Whom it is for, where its rules do not say that (AN20).
    pub applied_to: Vec<AppliedTo>,
    /// Its rules, by direction.
    pub rules: [Vec<AntreaRule>; 2],
}

impl AntreaPolicy {
    /// Whom a rule is for: its own entries, or those of the policy.
    pub fn applied_to<'p>(&'p self, rule: &'p AntreaRule) -> &'p [AppliedTo] {
        if rule.applied_to.is_empty() {
            &self.applied_to
        } else {
            &rule.applied_to
        }
    }

    /// Whether a rule has a peer that is seen from the namespace of the governed pod.
    pub fn has_relative_peer(&self) -> bool {
        let rules = self.rules.iter().flatten();
        let mut peers = rules.flat_map(|rule| rule.peers.iter().flatten());
        peers.any(AntreaPeer::is_relative)
    }
}

/// One entry of `appliedTo` (AN21-AN26).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppliedTo {
    /// Pods by their labels and those of their namespaces; without either, `{}`.
    Pods {
        /// The namespaces.
        namespaces: Option<Selector>,
        /// The pods.
        pods: Option<Selector>,
    },
    /// The members of a group.
    Group(Box<str>),
    /// The pods of a service account.
    Account(NamespacedName),
    /// Nodes.
    Nodes(Selector),
    /// A Service at the nodes.
    Service(NamespacedName),
    /// Entities outside the cluster.
    External,
}

/// An object by its namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamespacedName {
    /// The namespace.
    pub namespace: Box<str>,
    /// The name.
    pub name: Box<str>,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AntreaRule {
    /// What it does.
    pub action: AntreaAction,
    /// Its name.
    pub name: Option<Box<str>>,
    /// Whom it is for, where its policy does not say that.
    pub applied_to: Vec<AppliedTo>,
    /// With whom; none is everybody (AN30).
    pub peers: Option<Vec<AntreaPeer>>,
    /// The Services that are called (AN40).
    pub services: Vec<ServicePeer>,
    /// Its ports; none is everything, ICMP too (AN50).
    pub ports: Option<Vec<SourcedPorts>>,
    /// The requests that it lets through (AN53).
    pub request: Option<Box<str>>,
}

/// A Service that is called, here or in another cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicePeer {
    /// The Service.
    pub name: NamespacedName,
    /// Whether that of other clusters is meant too (AN41).
    pub everywhere: bool,
}

impl ServicePeer {
    /// Whether it is the Service of a namespace and a name.
    pub fn is(&self, [namespace, name]: &[Box<str>; 2]) -> bool {
        self.name.namespace == *namespace && self.name.name == *name
    }
}

/// Ports of the destination that are for the same ports of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcedPorts {
    /// Ports of the source, first and last; all if none.
    pub source: Option<(u16, u16)>,
    /// Ports of the destination.
    pub ports: Vec<AntreaPort>,
    /// Where each of them stands in the rule: its field, and its number there.
    pub places: Vec<(&'static str, usize)>,
}

/// What a rule does (AN11, AN12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AntreaAction {
    /// Lets it through.
    Allow,
    /// Stops it.
    Deny,
    /// Leaves it to the `NetworkPolicies`.
    Pass,
}

/// Ports of the destination (AN50-AN52).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AntreaPort {
    /// Numbers, and messages of ICMP.
    Traffic(TrafficSet),
    /// Ports of a name.
    Named(Box<str>, Protocol),
    /// Messages of IGMP.
    Igmp,
}

/// One other side of a rule (AN31-AN39).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AntreaPeer {
    /// Who it is.
    pub kind: AntreaPeerKind,
    /// Whether those of other clusters are meant too (AN41).
    pub everywhere: bool,
}

/// Who a peer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AntreaPeerKind {
    /// Pods by their labels and those of their namespaces; without either, `{}`.
    Pods {
        /// The namespaces.
        namespaces: PeerNamespaces,
        /// The pods.
        pods: Option<Selector>,
    },
    /// Addresses.
    Addresses(IpSet),
    /// The members of a group.
    Group(Box<str>),
    /// The pods of a service account.
    Account(NamespacedName),
    /// Nodes.
    Nodes(Selector),
    /// What a domain name stands for.
    Domain(Box<str>),
    /// Entities outside the cluster.
    External,
}

/// The namespaces of a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerNamespaces {
    /// Nothing is said of them.
    Unsaid,
    /// Those a selector selects.
    Matching(Selector),
    /// That of the governed pod (AN35).
    Same,
    /// Those with its values of these labels (AN36).
    SameLabels(Vec<Box<str>>),
}

impl AntreaPeer {
    /// Whether it is seen from the namespace of the governed pod.
    pub fn is_relative(&self) -> bool {
        matches!(
            self.kind,
            AntreaPeerKind::Pods {
                namespaces: PeerNamespaces::Same | PeerNamespaces::SameLabels(_),
                ..
            }
        )
    }

    /// The labels whose values have to be the same.
    pub fn same_labels(&self) -> Option<&[Box<str>]> {
        match &self.kind {
            AntreaPeerKind::Pods {
                namespaces: PeerNamespaces::SameLabels(keys),
                ..
            } => Some(keys),
            _ => None,
        }
    }
}
