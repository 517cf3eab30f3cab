//! Objects of Antrea that are no policies and decide what policies mean.

use crate::model::Selector;
use crate::policy::antrea::policy::NamespacedName;
use crate::set::IpSet;
use crate::source::DocumentId;

/// The tiers that need no object, with their priorities.
pub const STATIC: [(&str, u8); 6] = [
    ("emergency", 50),
    ("securityops", 100),
    ("networkops", 150),
    ("platform", 200),
    ("application", 250),
    (BASELINE, BASELINE_PRIORITY),
];

/// The tier of a policy that names none.
pub const DEFAULT: &str = "application";

/// The tier behind the `NetworkPolicies`.
pub const BASELINE: &str = "baseline";

/// The priority of the tier behind the `NetworkPolicies`.
pub const BASELINE_PRIORITY: u8 = 253;

/// What was read of Antrea besides policies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AntreaObjects {
    /// Whether the input has policies of Antrea, so that the cluster runs it.
    pub has_policies: bool,
    /// The tiers.
    pub tiers: Vec<AntreaTier>,
    /// The groups of both scopes.
    pub groups: Vec<AntreaGroup>,
}

/// A tier (AN3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AntreaTier {
    /// Its name.
    pub name: Box<str>,
    /// Its place among the tiers; none where it cannot be read.
    pub priority: Option<u8>,
    /// The object.
    pub document: DocumentId,
}

/// A group of either scope (AN60, AN61).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AntreaGroup {
    /// Its namespace; none of a `ClusterGroup`.
    pub namespace: Option<Box<str>>,
    /// Its name.
    pub name: Box<str>,
    /// Who is in it.
    pub members: GroupMembers,
    /// The object.
    pub document: DocumentId,
}

/// Who is in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupMembers {
    /// Pods by their labels and those of their namespaces; nobody without either in a
    /// `ClusterGroup`.
    Pods {
        /// The namespaces.
        namespaces: Option<Selector>,
        /// The pods.
        pods: Option<Selector>,
    },
    /// Addresses.
    Addresses(IpSet),
    /// Nodes.
    Nodes(Selector),
    /// The pods that a Service selects (AN63).
    Service(NamespacedName),
    /// The members of other groups (AN64).
    Children(Vec<Box<str>>),
    /// Entities outside the cluster.
    External,
    /// It cannot be read.
    Unreadable,
}

/// An object that adds something to [`AntreaObjects`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AntreaExtra {
    /// A tier.
    Tier(AntreaTier),
    /// A group.
    Group(AntreaGroup),
}

impl AntreaExtra {
    /// Whether its objects live in namespaces.
    pub fn is_namespaced(&self) -> bool {
        match self {
            Self::Tier(_) => false,
            Self::Group(group) => group.namespace.is_some(),
        }
    }
}

impl AntreaObjects {
    /// Takes up an object with its document.
    pub fn add(&mut self, extra: AntreaExtra, document: DocumentId) {
        match extra {
            AntreaExtra::Tier(tier) => self.tiers.push(AntreaTier { document, ..tier }),
            AntreaExtra::Group(group) => self.groups.push(AntreaGroup { document, ..group }),
        }
    }

    /// The priority of a tier, where it is certain that there is one: of several that share a
    /// priority Antrea takes one.
    pub fn priority(&self, name: &str) -> Option<u8> {
        if let Some((_, priority)) = STATIC.iter().find(|(known, _)| *known == name) {
            return Some(*priority);
        }
        let tier = self.tiers.iter().find(|tier| *tier.name == *name)?;
        let priority = tier.priority?;
        let shares =
            |other: &AntreaTier| other.priority == Some(priority) && other.name != tier.name;
        (!self.tiers.iter().any(shares)).then_some(priority)
    }

    /// The group of a name; of a cluster group there is no namespace.
    pub fn group(&self, namespace: Option<&str>, name: &str) -> Option<&AntreaGroup> {
        let mut groups = self.groups.iter();
        groups.find(|g| *g.name == *name && g.namespace.as_deref() == namespace)
    }
}
