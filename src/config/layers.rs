//! Settings of layers besides the network plugin's policies: egress firewalls, service meshes,
//! networks.

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::Deserialize;
use std::net::IpAddr;

/// Settings of `OpenShift`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct OpenshiftSpec {
    /// The namespaces that `EgressNetworkPolicies` leave alone, besides default.
    pub global_namespaces: Vec<String>,
}

/// Settings of Istio, where its objects or labels show a mesh.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct IstioSpec {
    /// How the mesh gets at the traffic of pods where no label tells: sidecar or ambient.
    pub dataplane: Option<DataplaneSpec>,
    /// Who is meshed: all, labels, none, or a list of namespace/workload. The default is what
    /// labels, annotations and containers say; where none says anything it is not known.
    pub meshed: Option<MeshedSpec>,
    /// The namespace whose policies hold for the whole mesh; istio-system where it is not told.
    pub root_namespace: Option<String>,
    /// The trust domain of identities; cluster.local where it is not told.
    pub trust_domain: Option<String>,
}

/// How a mesh gets at the traffic of pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DataplaneSpec {
    /// By a proxy in each pod.
    Sidecar,
    /// By a proxy of each node.
    Ambient,
}

/// Who is part of a mesh.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum MeshedSpec {
    /// By a word.
    Word(MeshedWord),
    /// The pods of these workloads: namespace/workload.
    Listed(Vec<String>),
}

/// Who is part of a mesh, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MeshedWord {
    /// Every pod.
    All,
    /// Those whose labels say so.
    Labels,
    /// No pod.
    None,
}

/// Settings of Linkerd, where its objects or annotations show a mesh.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct LinkerdSpec {
    /// Who is meshed: all, labels, none, or a list of namespace/workload. The default is what
    /// annotations and containers say; where none says anything it is not known.
    pub meshed: Option<MeshedSpec>,
    /// The namespace of the control plane; linkerd where it is not told.
    pub control_namespace: Option<String>,
    /// The trust domain of identities; cluster.local where it is not told.
    pub trust_domain: Option<String>,
    /// Whom ports let in that no Server claims; all-unauthenticated where it is not told.
    pub default_inbound_policy: Option<InboundPolicySpec>,
    /// The networks that count as the cluster's; where they are not told, private ones.
    pub cluster_networks: Vec<BlockSpec>,
    /// The networks that probes come from; where they are not told, all.
    pub probe_networks: Vec<BlockSpec>,
    /// What proxies send each other to the port of the proxy; transport-header, where it is not
    /// told, is everything.
    pub outbound_transport_mode: Option<TransportSpec>,
    /// The ports that are opaque where no annotation says otherwise.
    pub opaque_ports: Vec<u16>,
}

/// Whom ports let in that no Server claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum InboundPolicySpec {
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

/// What proxies send each other to the port of the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TransportSpec {
    /// Everything.
    TransportHeader,
    /// What goes to opaque ports.
    Transparent,
}

/// An address block, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct BlockSpec(pub IpNet);

impl TryFrom<String> for BlockSpec {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
        let block = text.parse::<IpNet>().ok().or_else(address);
        let wrong = || format!("`{text}` is not an address block such as 10.0.0.0/8");
        block.map(Self).ok_or_else(wrong)
    }
}

/// Settings of networks.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
#[schemars(deny_unknown_fields)]
pub struct NetworksSpec {
    /// Secondary networks that are one wire, group by group, by their names.
    pub same_segment: Vec<Vec<String>>,
    /// Services that every pod reaches, whatever its network: namespace/name.
    pub infra_services: Vec<String>,
}

/// What a cluster runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PlatformSpec {
    /// Kubernetes, of no provider in particular.
    Kubernetes,
    /// `OpenShift`: its DNS pods are those of `openshift-dns`.
    Openshift,
    /// Google's: `NetworkPolicies` may be for a network other than the default one.
    Gke,
    /// Amazon's.
    Eks,
    /// Azure's.
    Aks,
}
