//! [`CompileOptions`]: the choices that the API leaves open, and switches of the compiler.

use crate::policy::calico::options::CalicoSettings;
use crate::policy::cilium::options::CiliumSettings;
use crate::set::IpSet;

/// What is assumed of pods that share their node's network under policies whose API leaves it open
/// (S56).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum HostNetwork {
    /// Both behaviours are considered; where they differ the verdict is unknown.
    #[default]
    Unknown,
    /// They are their node: no policy selects them, and only address blocks match them.
    Node,
    /// They are pods like any other.
    Pod,
}

/// One of the two behaviours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HostNetworkMode {
    /// As its node.
    Node,
    /// As a pod.
    Pod,
}

/// The choices the API leaves to implementations, and switches of the compiler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileOptions {
    /// Whether pods that no rule can tell apart are compiled once. Off: slower, same answers.
    pub classes: bool,
    /// What is assumed of host-network pods (S56).
    pub host_network: HostNetwork,
    /// Whether address blocks match pods and nodes by their addresses (S40).
    pub blocks_match_pods: bool,
    /// Whether traffic to the node a pod runs on is exempt from isolation, as traffic from it is
    /// (S55).
    pub own_node_egress: bool,
    /// Where pod addresses lie, when told; otherwise private ranges are assumed.
    pub pod_cidrs: Option<IpSet>,
    /// Where node addresses lie, besides those of the Node objects.
    pub node_cidrs: IpSet,
    /// Whether policies that could not be read or modelled make the verdicts they could touch
    /// unknown.
    pub taints: bool,
    /// Where the API server listens, when told; otherwise the endpoints of its Service tell it.
    pub api_servers: IpSet,
    /// Whether a pod's connection to itself through its own Service is let through where its own
    /// address is (S54).
    pub own_service: bool,
    /// The source port that is asked about, if one is.
    pub source_port: Option<u16>,
    /// Settings of Calico, where the network plugin is that.
    pub calico: CalicoSettings,
    /// The network plugin, where it decides more than the choices above.
    pub plugin: Plugin,
    /// The network that is asked about, where it is one alone: `default`, `udn/blue/n`.
    pub network: Option<Box<str>>,
    /// How pods are called, where networks make a difference by it.
    pub calls: ServiceCalls,
    /// The Service that is called, by namespace and name, where rules see which one it is (AN40).
    pub called: Option<[Box<str>; 2]>,
    /// What becomes of policies that another network plugin reads.
    pub foreign: ForeignPolicies,
}

/// What becomes of policies of a network plugin that is not the cluster's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ForeignPolicies {
    /// Whatever reads them may enforce them: what they could touch is unknown.
    #[default]
    Unknown,
    /// Nothing reads them, as where it is asked what a change of the plugin would do.
    Ignored,
}

/// How the pods of questions are called, where a network lets calls to a Service through and none
/// to the pods behind it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ServiceCalls {
    /// Not told: such calls are unknown.
    #[default]
    Unknown,
    /// Themselves.
    ToPods,
    /// By a Service in front of them.
    ToServices,
}

/// The network plugin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Plugin {
    /// Not told: that of the input's own policies, if they are of one.
    #[default]
    Unspecified,
    /// Cilium, with settings of its agent that outweigh those of the input.
    Cilium(Box<CiliumSettings>),
    /// Calico.
    Calico,
    /// Antrea.
    Antrea,
    /// Another one, which reads no policies of these.
    Other,
}

impl Default for CompileOptions {
    fn default() -> Self {
        Self {
            classes: true,
            host_network: HostNetwork::Unknown,
            blocks_match_pods: true,
            own_node_egress: true,
            pod_cidrs: None,
            node_cidrs: IpSet::empty(),
            taints: true,
            api_servers: IpSet::empty(),
            own_service: true,
            source_port: None,
            calico: CalicoSettings::default(),
            plugin: Plugin::Unspecified,
            network: None,
            calls: ServiceCalls::Unknown,
            called: None,
            foreign: ForeignPolicies::Unknown,
        }
    }
}

impl CompileOptions {
    /// The same options with classes on or off.
    #[must_use]
    pub fn classes(mut self, on: bool) -> Self {
        self.classes = on;
        self
    }

    /// Takes Cilium's documented choices where none were made.
    pub(crate) fn choose_cilium(&mut self) {
        if self.host_network == HostNetwork::Unknown {
            self.host_network = HostNetwork::Node;
        }
        self.blocks_match_pods = false;
        self.own_node_egress = false;
    }

    /// Takes Antrea's documented choices where none were made.
    pub(crate) fn choose_antrea(&mut self) {
        if self.host_network == HostNetwork::Unknown {
            self.host_network = HostNetwork::Node;
        }
    }

    /// Takes Calico's documented choices where none were made.
    pub(crate) fn choose_calico(&mut self) {
        if self.host_network == HostNetwork::Unknown {
            self.host_network = HostNetwork::Node;
        }
        self.own_node_egress = false;
        self.own_service = false;
    }

    /// The same options for one network alone.
    #[must_use]
    pub fn network(mut self, name: &str) -> Self {
        self.network = Some(name.into());
        self
    }

    /// The same options with an assumption about host-network pods.
    #[must_use]
    pub fn host_network(mut self, assumed: HostNetwork) -> Self {
        self.host_network = assumed;
        self
    }
}
