//! Network plugins: the choices that the API leaves open and a plugin documents.
//!
//! A profile never changes what the API promises; it only settles what the API leaves to
//! implementations (S40, S56). `generic` settles nothing.

use crate::policy::cilium::options::CiliumSettings;
use crate::spec::options::{CompileOptions, HostNetwork, Plugin};

/// The documented choices of a network plugin.
#[allow(clippy::struct_excessive_bools)] // each is a choice of its own
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CniProfile {
    /// The name it is asked for by.
    pub name: &'static str,
    /// How it treats host-network pods (S56).
    pub host_network: HostNetwork,
    /// Whether address blocks match pods and nodes (S40).
    pub blocks_match_pods: bool,
    /// Whether the own node is exempt on the way out too (S55).
    pub own_node_egress: bool,
    /// The minor version of Cilium, if it is that.
    pub cilium_version: Option<u32>,
    /// Whether it is Calico.
    pub is_calico: bool,
    /// Whether it is Antrea.
    pub is_antrea: bool,
    /// What this rests on.
    pub note: &'static str,
}

/// Only what the API promises.
const GENERIC: CniProfile = CniProfile {
    name: "generic",
    host_network: HostNetwork::Unknown,
    blocks_match_pods: true,
    own_node_egress: true,
    cilium_version: None,
    is_calico: false,
    is_antrea: false,
    note: "only what the API promises",
};

/// Host-network pods are their node, and blocks match pods by their addresses.
const AS_NODE: CniProfile = CniProfile {
    host_network: HostNetwork::Node,
    note: "host-network pods are their node; address blocks match pod addresses",
    ..GENERIC
};

const CILIUM: CniProfile = CniProfile {
    name: "cilium",
    blocks_match_pods: false,
    own_node_egress: false,
    cilium_version: Some(20),
    note: "address blocks never match pods or nodes; traffic to the own node is policed",
    ..AS_NODE
};

/// Every profile; the first is the default.
pub static CNI_PROFILES: &[CniProfile] = &[
    GENERIC,
    CniProfile {
        name: "calico",
        own_node_egress: false,
        is_calico: true,
        note: "host-network pods are their host; address blocks match pod addresses; traffic to the own node is policed",
        ..AS_NODE
    },
    CniProfile {
        name: "antrea",
        is_antrea: true,
        ..AS_NODE
    },
    CniProfile {
        name: "ovn-kubernetes",
        ..AS_NODE
    },
    CniProfile {
        name: "openshift-sdn",
        ..AS_NODE
    },
    CniProfile {
        name: "kube-network-policies",
        ..AS_NODE
    },
    CILIUM,
    CniProfile {
        name: "cilium-1.17",
        cilium_version: Some(17),
        note: "address blocks never match pods or nodes; traffic to the own node is policed; port ranges work",
        ..CILIUM
    },
];

impl CniProfile {
    /// The profile of this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        CNI_PROFILES.iter().find(|p| p.name == name)
    }

    /// The options with this profile's choices.
    pub fn apply(&self, options: CompileOptions) -> CompileOptions {
        let plugin = match self.cilium_version {
            _ if *self == GENERIC => Plugin::Unspecified,
            None if self.is_calico => Plugin::Calico,
            None if self.is_antrea => Plugin::Antrea,
            None => Plugin::Other,
            Some(version) => Plugin::Cilium(Box::new(CiliumSettings {
                version: Some(version),
                ..CiliumSettings::default()
            })),
        };
        CompileOptions {
            host_network: self.host_network,
            blocks_match_pods: self.blocks_match_pods,
            own_node_egress: self.own_node_egress,
            own_service: !self.is_calico,
            plugin,
            ..options
        }
    }
}
