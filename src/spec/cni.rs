//! Network plugins: the choices that the API leaves open and a plugin documents.
//!
//! A profile never changes what the API promises; it only settles what the API leaves to
//! implementations (S40, S56). `generic` settles nothing.

use crate::spec::environment::{CompileOptions, HostNetwork};

/// The documented choices of a network plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CniProfile {
    /// The name it is asked for by.
    pub name: &'static str,
    /// How it treats host-network pods (S56).
    pub host_network: HostNetwork,
    /// Whether address blocks match pods and nodes (S40).
    pub blocks_match_pods: bool,
    /// What this rests on.
    pub note: &'static str,
}

use HostNetwork::{Node, Unknown};

const fn row(
    name: &'static str,
    host_network: HostNetwork,
    blocks_match_pods: bool,
    note: &'static str,
) -> CniProfile {
    CniProfile {
        name,
        host_network,
        blocks_match_pods,
        note,
    }
}

/// Every profile; the first is the default.
pub static CNI_PROFILES: &[CniProfile] = &[
    row("generic", Unknown, true, "only what the API promises"),
    row(
        "calico",
        Node,
        true,
        "host-network pods are their host; address blocks match pod addresses",
    ),
    row(
        "antrea",
        Node,
        true,
        "host-network pods are their node; address blocks match pod addresses",
    ),
    row(
        "ovn-kubernetes",
        Node,
        true,
        "host-network pods are their node; address blocks match pod addresses",
    ),
    row(
        "kube-network-policies",
        Node,
        true,
        "host-network pods are their node; address blocks match pod addresses",
    ),
    row(
        "cilium",
        Node,
        false,
        "address blocks never match pods or nodes",
    ),
    row(
        "cilium-1.17",
        Node,
        false,
        "address blocks never match pods or nodes; port ranges work",
    ),
];

impl CniProfile {
    /// The profile of this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        CNI_PROFILES.iter().find(|p| p.name == name)
    }

    /// The options with this profile's choices.
    pub fn apply(&self, options: CompileOptions) -> CompileOptions {
        CompileOptions {
            host_network: self.host_network,
            blocks_match_pods: self.blocks_match_pods,
            ..options
        }
    }
}
