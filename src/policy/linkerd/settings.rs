//! Settings of Linkerd, as far as they were told (`cluster.linkerd`).

use crate::policy::istio::settings::Meshed;
use crate::set::IpSet;
use ipnet::IpNet;

/// Whom a port lets in that nobody claims (LD10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InboundPolicy {
    /// Everybody.
    AllUnauthenticated,
    /// Everybody with an identity.
    AllAuthenticated,
    /// Addresses of the cluster networks with an identity.
    ClusterAuthenticated,
    /// Addresses of the cluster networks.
    ClusterUnauthenticated,
    /// Nobody.
    Deny,
    /// Everybody, written down.
    Audit,
}

impl InboundPolicy {
    /// Reads the word of the API.
    pub fn from_api(word: &str) -> Option<Self> {
        Some(match word {
            "all-unauthenticated" => Self::AllUnauthenticated,
            "all-authenticated" => Self::AllAuthenticated,
            "cluster-authenticated" => Self::ClusterAuthenticated,
            "cluster-unauthenticated" => Self::ClusterUnauthenticated,
            "deny" => Self::Deny,
            "audit" => Self::Audit,
            _ => return None,
        })
    }

    /// The word of the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AllUnauthenticated => "all-unauthenticated",
            Self::AllAuthenticated => "all-authenticated",
            Self::ClusterAuthenticated => "cluster-authenticated",
            Self::ClusterUnauthenticated => "cluster-unauthenticated",
            Self::Deny => "deny",
            Self::Audit => "audit",
        }
    }

    /// The same where an identity is asked for (LD13).
    #[must_use]
    pub const fn identified(self) -> Self {
        match self {
            Self::AllUnauthenticated | Self::AllAuthenticated => Self::AllAuthenticated,
            Self::ClusterUnauthenticated | Self::ClusterAuthenticated => Self::ClusterAuthenticated,
            other => other,
        }
    }
}

/// Settings of Linkerd.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkerdSettings {
    /// Who is meshed.
    pub meshed: Option<Meshed>,
    /// The namespace of the control plane.
    pub control_namespace: Option<Box<str>>,
    /// The trust domain of identities.
    pub trust_domain: Option<Box<str>>,
    /// Whom a port lets in that nobody claims.
    pub default_policy: Option<InboundPolicy>,
    /// The networks that count as the cluster's.
    pub cluster_networks: Vec<IpNet>,
    /// The networks that probes come from.
    pub probe_networks: Vec<IpNet>,
    /// Whether all that proxies send each other goes to the port of the proxy.
    pub transports: Option<bool>,
    /// The ports that are opaque where nothing else is said.
    pub opaque_ports: Vec<u16>,
}

/// LD10.
const CLUSTER_NETWORKS: [&str; 5] = [
    "10.0.0.0/8",
    "100.64.0.0/10",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "fd00::/8",
];

/// LD60.
const OPAQUE_PORTS: [u16; 8] = [25, 587, 3306, 4444, 5432, 6379, 9300, 11211];

impl LinkerdSettings {
    /// What an identity ends with behind the service account and its namespace (LD5).
    pub fn identity_of(&self, account: &str, namespace: &str) -> String {
        format!("{account}{}", self.identity_of_namespace(namespace))
    }

    /// What identities of a namespace end with.
    pub fn identity_of_namespace(&self, namespace: &str) -> String {
        let control = self.control_namespace.as_deref().unwrap_or("linkerd");
        let domain = self.trust_domain.as_deref().unwrap_or("cluster.local");
        format!(".{namespace}.serviceaccount.identity.{control}.{domain}")
    }

    /// The networks of the cluster.
    pub fn cluster_networks(&self) -> IpSet {
        let told = self.cluster_networks.iter().copied();
        if self.cluster_networks.is_empty() {
            return IpSet::from_cidrs(CLUSTER_NETWORKS.iter().filter_map(|t| t.parse().ok()));
        }
        IpSet::from_cidrs(told)
    }

    /// The networks that probes come from.
    pub fn probe_networks(&self) -> IpSet {
        if self.probe_networks.is_empty() {
            return IpSet::full();
        }
        IpSet::from_cidrs(self.probe_networks.iter().copied())
    }

    /// The ports that are opaque by default.
    pub fn opaque_ports(&self) -> &[u16] {
        if self.opaque_ports.is_empty() {
            return &OPAQUE_PORTS;
        }
        &self.opaque_ports
    }
}
