//! Options of Cilium's agent that change verdicts.
//!
//! [`CiliumSettings`] are those that someone told: the configuration, an object of the input, or a
//! profile. Laid over each other they make [`CiliumOptions`], in which what nobody told has the
//! agent's default.

use crate::set::IpSet;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Whom policies are enforced on (CI15, CI16).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum EnforcementMode {
    /// Endpoints that a Rule selects, in the directions that it closes.
    #[default]
    Default,
    /// Every endpoint, in both directions.
    Always,
    /// None.
    Never,
}

/// Settings of the agent, as far as they were told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CiliumSettings {
    /// The minor version of Cilium 1.
    pub version: Option<u32>,
    /// Whom policies are enforced on.
    pub enforcement: Option<EnforcementMode>,
    /// Whether address blocks match nodes, and pods (CI84).
    pub match_mode: Option<MatchMode>,
    /// Whether policies with a `nodeSelector` are enforced (CI150).
    pub host_firewall: Option<bool>,
    /// Whether node labels can be selected (CI91).
    pub node_labels: Option<bool>,
    /// Whether selectors mean the local cluster unless they name another (CI46).
    pub local_cluster: Option<bool>,
    /// The name of the cluster.
    pub cluster: Option<Box<str>>,
    /// Whether the own node is always let in (CI18).
    pub allow_localhost: Option<bool>,
    /// Whether the cluster has both address families (CI23).
    pub dual_stack: Option<bool>,
    /// Whether `ClusterNetworkPolicies` are read (CI140).
    pub cluster_network_policy: Option<bool>,
    /// Addresses of endpoints of the plugin's own, by what they are: `health`, `ingress`.
    pub reserved: BTreeMap<IpAddr, Box<str>>,
}

/// Whom address blocks match besides the outside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MatchMode {
    /// Nodes.
    pub nodes: bool,
    /// Pods.
    pub pods: bool,
}

impl CiliumSettings {
    /// These settings, and where they leave something open those.
    #[must_use]
    pub fn over(&self, below: &Self) -> Self {
        let reserved = if self.reserved.is_empty() {
            &below.reserved
        } else {
            &self.reserved
        };
        Self {
            version: self.version.or(below.version),
            enforcement: self.enforcement.or(below.enforcement),
            match_mode: self.match_mode.or(below.match_mode),
            host_firewall: self.host_firewall.or(below.host_firewall),
            node_labels: self.node_labels.or(below.node_labels),
            local_cluster: self.local_cluster.or(below.local_cluster),
            cluster: self.cluster.clone().or_else(|| below.cluster.clone()),
            allow_localhost: self.allow_localhost.or(below.allow_localhost),
            dual_stack: self.dual_stack.or(below.dual_stack),
            cluster_network_policy: self.cluster_network_policy.or(below.cluster_network_policy),
            reserved: reserved.clone(),
        }
    }
}

/// Every option, told or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CiliumOptions {
    /// See [`CiliumSettings::enforcement`].
    pub enforcement: EnforcementMode,
    /// See [`CiliumSettings::match_mode`].
    pub match_mode: MatchMode,
    /// See [`CiliumSettings::host_firewall`].
    pub host_firewall: bool,
    /// See [`CiliumSettings::node_labels`].
    pub node_labels: bool,
    /// See [`CiliumSettings::local_cluster`].
    pub local_cluster: bool,
    /// See [`CiliumSettings::cluster`].
    pub cluster: Box<str>,
    /// See [`CiliumSettings::allow_localhost`].
    pub allow_localhost: bool,
    /// See [`CiliumSettings::dual_stack`].
    pub dual_stack: bool,
    /// See [`CiliumSettings::cluster_network_policy`].
    pub cluster_network_policy: bool,
    /// See [`CiliumSettings::reserved`].
    pub reserved: BTreeMap<IpAddr, Box<str>>,
}

/// The version that is assumed where none is told: 1.20.
pub const CURRENT: u32 = 20;

impl CiliumOptions {
    /// The options under these settings.
    pub fn new(settings: &CiliumSettings) -> Self {
        let version = settings.version.unwrap_or(CURRENT);
        Self {
            enforcement: settings.enforcement.unwrap_or_default(),
            match_mode: settings.match_mode.unwrap_or_default(),
            host_firewall: settings.host_firewall.unwrap_or(false),
            node_labels: settings.node_labels.unwrap_or(false),
            local_cluster: settings.local_cluster.unwrap_or(version >= 18),
            cluster: settings.cluster.clone().unwrap_or_else(|| "default".into()),
            allow_localhost: settings.allow_localhost.unwrap_or(true),
            dual_stack: settings.dual_stack.unwrap_or(false),
            cluster_network_policy: settings.cluster_network_policy.unwrap_or(version >= 20),
            reserved: settings.reserved.clone(),
        }
    }

    /// The addresses of endpoints of the plugin's own of one kind; of every kind, if none is told.
    pub fn reserved_addresses(&self, kind: Option<&str>) -> IpSet {
        let of_kind = self.reserved.iter();
        let of_kind = of_kind.filter(|(_, own)| kind.is_none_or(|kind| *kind == ***own));
        IpSet::from_cidrs(of_kind.map(|(address, _)| ipnet::IpNet::from(*address)))
    }
}

impl Default for CiliumOptions {
    fn default() -> Self {
        Self::new(&CiliumSettings::default())
    }
}
