//! The tables: which kinds are recognized, and which of their groups' kinds play no part.

use crate::policy::unmodelled::nodes;
use crate::policy::unmodelled::read;
use crate::policy::unmodelled::separate_networks;
use crate::policy::unmodelled::taint_reach::TaintReach;
use crate::tree::SyntaxNode;

/// A kind of policy that is recognized and not modelled.
pub struct RecognizedKind {
    /// The API group.
    pub group: &'static str,
    /// The kind.
    pub kind: &'static str,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// How far an object of this kind reaches.
    pub reach: fn(&SyntaxNode) -> Vec<TaintReach>,
}

const fn kind(
    group: &'static str,
    kind: &'static str,
    namespaced: bool,
    reach: fn(&SyntaxNode) -> Vec<TaintReach>,
) -> RecognizedKind {
    RecognizedKind {
        group,
        kind,
        namespaced,
        reach,
    }
}

const OWN: bool = true;
const CLUSTER: bool = false;

/// Kinds that can change a verdict and are not modelled.
#[rustfmt::skip]
pub static KINDS: &[RecognizedKind] = &[
    kind("cilium.io", "CiliumNetworkPolicy", OWN, read::of_cilium),
    kind("cilium.io", "CiliumClusterwideNetworkPolicy", CLUSTER, read::of_cilium),
    kind("cilium.io", "CiliumEnvoyConfig", OWN, read::of_envoy_config),
    kind("cilium.io", "CiliumClusterwideEnvoyConfig", CLUSTER, read::of_envoy_config),
    kind("projectcalico.org", "NetworkPolicy", OWN, read::of_calico),
    kind("projectcalico.org", "GlobalNetworkPolicy", CLUSTER, read::of_calico),
    kind("projectcalico.org", "HostEndpoint", CLUSTER, read::of_host_endpoint),
    kind("crd.projectcalico.org", "NetworkPolicy", OWN, read::of_calico),
    kind("crd.projectcalico.org", "GlobalNetworkPolicy", CLUSTER, read::of_calico),
    kind("crd.projectcalico.org", "HostEndpoint", CLUSTER, read::of_host_endpoint),
    kind("crd.antrea.io", "NetworkPolicy", OWN, read::of_antrea),
    kind("crd.antrea.io", "ClusterNetworkPolicy", CLUSTER, read::of_antrea),
    kind("crd.antrea.io", "TrafficControl", CLUSTER, read::of_traffic_control),
    kind("multicluster.crd.antrea.io", "ResourceImport", OWN, read::of_resource_import),
    kind("networking.k8s.aws", "ApplicationNetworkPolicy", OWN, read::of_pod_selector),
    kind("networking.k8s.aws", "ClusterNetworkPolicy", CLUSTER, read::of_subject),
    kind("vpcresources.k8s.aws", "SecurityGroupPolicy", OWN, read::of_security_group),
    kind("networking.gke.io", "FQDNNetworkPolicy", OWN, read::of_domain_names),
    kind("fqdnnetpol.swick.dev", "FqdnNetworkPolicy", OWN, read::of_domain_names),
    kind("netsec.kunal.dev", "FQDNNetworkPolicy", OWN, read::of_domain_names),
    kind("k8s.ovn.org", "EgressFirewall", OWN, read::deny_egress),
    kind("k8s.ovn.org", "UserDefinedNetwork", OWN, read::of_network),
    kind("k8s.ovn.org", "ClusterUserDefinedNetwork", CLUSTER, read::of_cluster_network),
    kind("k8s.cni.cncf.io", "NetworkAttachmentDefinition", OWN, read::of_attachment),
    kind("ingressnodefirewall.openshift.io", "IngressNodeFirewall", CLUSTER, nodes::of_node_firewall),
    kind("network.openshift.io", "EgressNetworkPolicy", OWN, read::deny_egress),
    kind("network.openshift.io", "NetNamespace", CLUSTER, separate_networks::of_net_namespace),
    kind("kubeovn.io", "SecurityGroup", CLUSTER, separate_networks::of_kubeovn_group),
    kind("kubeovn.io", "Subnet", CLUSTER, separate_networks::of_kubeovn_subnet),
    kind("kubeovn.io", "Vpc", CLUSTER, separate_networks::of_kubeovn_vpc),
    kind("security.istio.io", "AuthorizationPolicy", OWN, read::of_istio),
    kind("security.istio.io", "PeerAuthentication", OWN, read::of_istio),
    kind("networking.istio.io", "Sidecar", OWN, read::of_sidecar),
    kind("rbac.istio.io", "ServiceRole", OWN, read::deny_ingress),
    kind("rbac.istio.io", "ServiceRoleBinding", OWN, read::deny_ingress),
    kind("rbac.istio.io", "RbacConfig", CLUSTER, read::deny_ingress),
    kind("rbac.istio.io", "ClusterRbacConfig", CLUSTER, read::deny_ingress),
    kind("authentication.istio.io", "Policy", OWN, read::deny_ingress),
    kind("authentication.istio.io", "MeshPolicy", CLUSTER, read::deny_ingress),
    kind("policy.linkerd.io", "Server", OWN, read::of_linkerd_server),
    kind("policy.linkerd.io", "ServerAuthorization", OWN, read::deny_ingress),
    kind("policy.linkerd.io", "AuthorizationPolicy", OWN, read::deny_ingress),
    kind("policy.linkerd.io", "HTTPLocalRateLimitPolicy", OWN, read::deny_ingress),
    kind("policy.linkerd.io", "EgressNetwork", OWN, read::deny_egress),
    kind("consul.hashicorp.com", "ServiceIntentions", OWN, read::of_consul),
    kind("kuma.io", "MeshTrafficPermission", CLUSTER, read::deny_ingress),
    kind("kuma.io", "TrafficPermission", CLUSTER, read::deny_ingress),
    kind("access.smi-spec.io", "TrafficTarget", OWN, read::of_traffic_target),
    kind("nsx.vmware.com", "SecurityPolicy", OWN, read::of_nsx),
    kind("crd.nsx.vmware.com", "SecurityPolicy", OWN, read::of_nsx),
    kind("neuvector.com", "NvSecurityRule", OWN, read::deny),
    kind("neuvector.com", "NvClusterSecurityRule", CLUSTER, read::deny),
    kind("security.lynx.smartx.com", "SecurityPolicy", OWN, read::anything),
    kind("security.lynx.smartx.com", "GlobalPolicy", CLUSTER, read::anything),
    kind("core.contrail.juniper.net", "FirewallPolicy", OWN, read::anything),
    kind("core.contrail.juniper.net", "FirewallRule", OWN, read::anything),
    kind("core.contrail.juniper.net", "ApplicationPolicySet", OWN, read::anything),
    kind("core.contrail.juniper.net", "VirtualNetwork", OWN, read::deny),
    kind("core.contrail.juniper.net", "VirtualNetworkRouter", OWN, read::deny),
    kind("network.alibabacloud.com", "PodNetworking", CLUSTER, read::of_pod_networking),
    kind("crd.yangtse.cni", "SecurityGroup", OWN, read::of_security_group),
    kind("networking.aviatrix.com", "FirewallPolicy", OWN, read::anything_egress),
    kind("networking.aviatrix.com", "WebgroupPolicy", CLUSTER, read::anything_egress),
];

/// Kinds of the same groups that play no part in permission: sets and tiers, which act only through
/// policies; staged policies; addresses and routes; objects that are made from others.
#[rustfmt::skip]
pub static NO_PART: &[(&str, &[&str])] = &[
    ("cilium.io", &["CiliumEgressGatewayPolicy", "CiliumLocalRedirectPolicy", "CiliumCIDRGroup",
        "CiliumIdentity", "CiliumEndpoint", "CiliumEndpointSlice", "CiliumNode", "CiliumNodeConfig",
        "CiliumExternalWorkload", "CiliumLoadBalancerIPPool", "CiliumL2AnnouncementPolicy",
        "CiliumBGPPeeringPolicy", "CiliumBGPClusterConfig", "CiliumBGPPeerConfig",
        "CiliumBGPAdvertisement", "CiliumBGPNodeConfig", "CiliumBGPNodeConfigOverride",
        "CiliumPodIPPool", "CiliumGatewayClassConfig", "CiliumVTEPConfig", "TracingPolicy",
        "TracingPolicyNamespaced", "PodInfo"]),
    ("projectcalico.org", CALICO),
    ("crd.projectcalico.org", CALICO),
    ("crd.antrea.io", &["Tier", "ClusterGroup", "Group", "ExternalNode", "ExternalEntity", "Egress",
        "ExternalIPPool", "IPPool", "BGPPolicy", "NodeLatencyMonitor", "SupportBundleCollection",
        "PacketCapture", "Traceflow", "AntreaAgentInfo", "AntreaControllerInfo"]),
    ("multicluster.crd.antrea.io", &["ClusterSet", "MemberClusterAnnounce", "ResourceExport",
        "Gateway", "ClusterInfoImport", "LabelIdentity", "ClusterClaim"]),
    ("networking.k8s.aws", &["PolicyEndpoint", "ClusterPolicyEndpoint"]),
    ("vpcresources.k8s.aws", &["CNINode"]),
    ("networking.gke.io", &["Network", "GKENetworkParamSet", "ManagedCertificate", "FrontendConfig",
        "ServiceAttachment", "RedirectService", "NodeTopology", "TrafficSelector", "NetworkLogging",
        "GatewayPolicy", "HealthCheckPolicy", "GCPBackendPolicy", "GCPGatewayPolicy", "LBPolicy",
        "GCPTrafficDistributionPolicy", "ServerlessNetworkEndpointGroup", "MultiClusterIngress",
        "MultiClusterService", "GCPRoutingPolicy", "GKEIPRoute", "AllocationPool",
        "IngressParams"]),
    ("k8s.ovn.org", &["EgressIP", "EgressService", "EgressQoS", "AdminPolicyBasedExternalRoute",
        "NetworkQoS", "RouteAdvertisements"]),
    ("network.openshift.io", &["ClusterNetwork", "HostSubnet"]),
    ("kubeovn.io", &["IP", "IPPool", "Vip", "Vlan", "ProviderNetwork", "IptablesEIP",
        "IptablesFIPRule", "IptablesDnatRule", "IptablesSnatRule", "OvnEip", "OvnFip", "OvnSnatRule",
        "OvnDnatRule", "VpcNatGateway", "VpcEgressGateway", "VpcDns", "SwitchLBRule", "QoSPolicy",
        "EvpnConf", "BgpConf"]),
    ("security.istio.io", &["RequestAuthentication"]),
    ("networking.istio.io", &["Gateway", "VirtualService", "DestinationRule", "ServiceEntry",
        "WorkloadEntry", "WorkloadGroup", "EnvoyFilter", "ProxyConfig"]),
    ("policy.linkerd.io", &["HTTPRoute", "MeshTLSAuthentication", "NetworkAuthentication"]),
    ("consul.hashicorp.com", &["ServiceDefaults", "ServiceResolver", "ServiceRouter",
        "ServiceSplitter", "ProxyDefaults", "IngressGateway", "TerminatingGateway", "Mesh",
        "ExportedServices", "SamenessGroup", "JWTProvider", "ControlPlaneRequestLimit",
        "PeeringAcceptor", "PeeringDialer", "GatewayClassConfig", "MeshService", "GatewayPolicy",
        "RouteRetryFilter", "RouteTimeoutFilter", "RouteAuthFilter", "Registration"]),
    ("kuma.io", &["Mesh", "MeshPassthrough", "MeshExternalService", "ExternalService", "MeshService",
        "MeshMultiZoneService", "Dataplane", "DataplaneInsight", "MeshInsight", "Zone", "ZoneIngress",
        "ZoneEgress", "ZoneInsight", "ServiceInsight", "MeshHTTPRoute", "MeshTCPRoute", "MeshTimeout",
        "MeshRetry", "MeshCircuitBreaker", "MeshHealthCheck", "MeshAccessLog", "MeshTrace",
        "MeshMetric", "MeshProxyPatch", "MeshLoadBalancingStrategy", "MeshFaultInjection",
        "MeshRateLimit", "MeshTLS", "MeshTrust", "MeshIdentity", "MeshGateway", "MeshGatewayRoute",
        "MeshGatewayInstance", "MeshGatewayConfig", "TrafficRoute", "TrafficLog", "TrafficTrace",
        "HealthCheck", "CircuitBreaker", "Retry", "Timeout", "FaultInjection", "RateLimit",
        "ProxyTemplate", "VirtualOutbound", "ContainerPatch", "HostnameGenerator", "Workload"]),
    ("nsx.vmware.com", NSX),
    ("crd.nsx.vmware.com", NSX),
    ("neuvector.com", &["NvAdmissionControlSecurityRule", "NvDlpSecurityRule", "NvWafSecurityRule",
        "NvVulnerabilityProfile", "NvComplianceProfile", "NvGroupDefinition", "NvResponseRule",
        "NvClusterGroup", "NvConfig"]),
    ("security.lynx.smartx.com", &["EndpointGroup"]),
    ("group.everoute.io", &["EndpointGroup"]),
    ("networking.aviatrix.com", &["SmartGroup"]),
    ("ingressnodefirewall.openshift.io", &["IngressNodeFirewallConfig",
        "IngressNodeFirewallNodeState"]),
];

const CALICO: &[&str] = &[
    "StagedNetworkPolicy",
    "StagedGlobalNetworkPolicy",
    "StagedKubernetesNetworkPolicy",
    "IPPool",
    "IPReservation",
    "IPAMBlock",
    "IPAMConfig",
    "IPAMConfiguration",
    "IPAMHandle",
    "BlockAffinity",
    "BGPConfiguration",
    "BGPFilter",
    "BGPPeer",
    "CalicoNodeStatus",
    "ClusterInformation",
    "FelixConfiguration",
    "KubeControllersConfiguration",
    "Node",
    "WorkloadEndpoint",
    "ExternalNetwork",
    "RemoteClusterConfiguration",
];

const NSX: &[&str] = &[
    "NetworkInfo",
    "Subnet",
    "SubnetSet",
    "SubnetPort",
    "SubnetConnectionBindingMap",
    "VPCNetworkConfiguration",
    "AddressBinding",
    "StaticRoute",
    "IPAddressAllocation",
    "IPPool",
    "NSXServiceAccount",
    "NCPConfig",
    "NSXConfig",
    "NSXLock",
    "NSXError",
];
