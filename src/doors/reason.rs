//! Why a door has its status: a word for programs, and a sentence for people.

/// Why a door has its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // the table below says what each means
pub enum DoorReason {
    PartlyBySourceRanges,
    PartlyByPolicy,
    ClassUnknown,
    ClassNotInInput,
    ClassAndAnnotationDiffer,
    NoClass,
    SeveralDefaultClasses,
    ControllerNotLoaded,
    ControllerOnHostNetwork,
    OnHostNetwork,
    ClientOrNode,
    SubnetOfBalancer,
    NotDecided,
    ServiceNotFound,
    PortNotFound,
    NoEndpoint,
    EndpointsNotInInput,
    LabelsNotKnown,
    ExternalName,
    ResourceBackend,
    OtherBackend,
    Weight0,
    NoBackendRefs,
    SubsetNotFound,
    HostIsNoService,
    NotAtNodes,
    GatewayNotInInput,
    GatewayNotProgrammed,
    NoMatchingParent,
    OtherParent,
    ListenerKind,
    ListenerNamespace,
    ListenerConflict,
    NamespaceLabelsNotKnown,
    CertificateNotGranted,
    Hostname,
    NoHostname,
    NoReferenceGrant,
    StatusNotAccepted,
    NotAdmitted,
    PassthroughWithPath,
    WildcardPolicy,
    PrivateAddress,
    PrivateNodes,
    InternalLoadBalancer,
    InternalClass,
    AlbSchemeDefault,
    NlbSchemeDefault,
    LbClassNotKnown,
    SourceRangesPrivate,
    SourceRangesNotAdmitted,
    KindNotRead,
    NodesPoliced,
}

/// Each reason with its word and its sentence.
const TABLE: [(DoorReason, &str, &str); 53] = [
    (
        DoorReason::KindNotRead,
        "kind-not-read",
        "netpal does not read objects of this kind",
    ),
    (
        DoorReason::PartlyBySourceRanges,
        "loadBalancerSourceRanges",
        "only callers of its loadBalancerSourceRanges get through",
    ),
    (
        DoorReason::PartlyByPolicy,
        "policy",
        "policies let only some callers through",
    ),
    (
        DoorReason::ClassUnknown,
        "class-unknown",
        "no class of this name is in the input, which has others",
    ),
    (
        DoorReason::ClassNotInInput,
        "class-not-in-input",
        "no class is in the input, and the name is none that netpal knows",
    ),
    (
        DoorReason::ClassAndAnnotationDiffer,
        "class-and-annotation-differ",
        "ingressClassName and the annotation name two classes: the API server refuses it",
    ),
    (
        DoorReason::NoClass,
        "no-class",
        "it names no class and the input shows no default",
    ),
    (
        DoorReason::SeveralDefaultClasses,
        "several-default-classes",
        "it names no class, and several are marked as the default",
    ),
    (
        DoorReason::ControllerNotLoaded,
        "controller-not-loaded",
        "the pods that serve it are not in the input, and policies do not admit everybody",
    ),
    (
        DoorReason::ControllerOnHostNetwork,
        "controller-on-host-network",
        "the pods that serve it are on their nodes' network, which plugins treat differently",
    ),
    (
        DoorReason::OnHostNetwork,
        "host-network",
        "the pod is on its node's network, which plugins treat differently",
    ),
    (
        DoorReason::ClientOrNode,
        "client-or-node",
        "policies may see the caller's address or that of any node, and do not admit all of them",
    ),
    (
        DoorReason::SubnetOfBalancer,
        "subnet-of-balancer",
        "the load balancer calls from a private subnet that is not in the input",
    ),
    (
        DoorReason::NotDecided,
        "not-decided",
        "the input does not decide what policies do",
    ),
    (
        DoorReason::ServiceNotFound,
        "service-not-found",
        "no such Service is in the input",
    ),
    (
        DoorReason::PortNotFound,
        "port-not-found",
        "the Service has no such port",
    ),
    (
        DoorReason::NoEndpoint,
        "no-endpoint",
        "no pod is behind the Service",
    ),
    (
        DoorReason::EndpointsNotInInput,
        "endpoints-not-in-input",
        "the Service has no selector, and its endpoints are not in the input",
    ),
    (
        DoorReason::LabelsNotKnown,
        "labels-not-known",
        "whether the pod is behind the Service is known only at run time",
    ),
    (
        DoorReason::ExternalName,
        "external-name",
        "the Service is a name of the world outside",
    ),
    (
        DoorReason::ResourceBackend,
        "resource-backend",
        "the backend is no Service",
    ),
    (
        DoorReason::OtherBackend,
        "backend-kind",
        "the backend is of a kind that netpal does not read",
    ),
    (DoorReason::Weight0, "weight-0", "its weight is 0"),
    (
        DoorReason::NoBackendRefs,
        "no-backend-refs",
        "the rule has no backend",
    ),
    (
        DoorReason::SubsetNotFound,
        "subset-not-found",
        "no DestinationRule has this subset",
    ),
    (
        DoorReason::HostIsNoService,
        "host-is-no-service",
        "the destination's host is not the name of a Service in the input",
    ),
    (
        DoorReason::NotAtNodes,
        "not-at-nodes",
        "the load balancer calls nodes, and the Service has no port there",
    ),
    (
        DoorReason::GatewayNotInInput,
        "gateway-not-in-input",
        "its Gateway is not in the input",
    ),
    (
        DoorReason::GatewayNotProgrammed,
        "gateway-not-programmed",
        "the status of its Gateway says that it is not served",
    ),
    (
        DoorReason::NoMatchingParent,
        "no-matching-parent",
        "its Gateway has no such listener",
    ),
    (
        DoorReason::OtherParent,
        "parent-kind",
        "it is attached to a kind that netpal does not read",
    ),
    (
        DoorReason::ListenerKind,
        "listener-kind",
        "the listener takes no routes of this kind",
    ),
    (
        DoorReason::ListenerNamespace,
        "listener-namespace",
        "the listener takes no routes of this namespace",
    ),
    (
        DoorReason::ListenerConflict,
        "listener-conflict",
        "two listeners of its Gateway are not distinct, so none of them is served",
    ),
    (
        DoorReason::NamespaceLabelsNotKnown,
        "namespace-labels-not-known",
        "the listener takes routes by labels of namespaces, and this one's are not in the input",
    ),
    (
        DoorReason::CertificateNotGranted,
        "certificate-not-granted",
        "no ReferenceGrant lets the listener use its certificate",
    ),
    (
        DoorReason::Hostname,
        "hostname",
        "it has no host name in common with the listener",
    ),
    (
        DoorReason::NoHostname,
        "no-hostname",
        "a TLSRoute has to name a host",
    ),
    (
        DoorReason::NoReferenceGrant,
        "no-reference-grant",
        "no ReferenceGrant of the Service's namespace admits the route",
    ),
    (
        DoorReason::StatusNotAccepted,
        "status-not-accepted",
        "its status says that it is not accepted",
    ),
    (
        DoorReason::NotAdmitted,
        "not-admitted",
        "its status says that no router admits it",
    ),
    (
        DoorReason::PassthroughWithPath,
        "passthrough-with-path",
        "a passthrough route cannot have a path",
    ),
    (
        DoorReason::WildcardPolicy,
        "wildcard-policy",
        "whether the router allows wildcard routes is not in the input",
    ),
    (
        DoorReason::PrivateAddress,
        "private-address",
        "its address is a private one",
    ),
    (
        DoorReason::PrivateNodes,
        "private-nodes",
        "all nodes of the input have private addresses only",
    ),
    (
        DoorReason::InternalLoadBalancer,
        "internal-load-balancer",
        "an annotation asks for an internal load balancer",
    ),
    (
        DoorReason::InternalClass,
        "internal-class",
        "its class stands for a private network",
    ),
    (
        DoorReason::AlbSchemeDefault,
        "alb-scheme-default",
        "the load balancer is internal unless an annotation says internet-facing",
    ),
    (
        DoorReason::NlbSchemeDefault,
        "nlb-scheme-default",
        "the load balancer is internal unless an annotation says internet-facing",
    ),
    (
        DoorReason::LbClassNotKnown,
        "lb-class-not-known",
        "whether anything serves its loadBalancerClass is not known",
    ),
    (
        DoorReason::SourceRangesPrivate,
        "loadBalancerSourceRanges",
        "its loadBalancerSourceRanges let no public caller in; some platforms ignore them",
    ),
    (
        DoorReason::SourceRangesNotAdmitted,
        "loadBalancerSourceRanges",
        "policies let none of its loadBalancerSourceRanges in; some platforms ignore them",
    ),
    (
        DoorReason::NodesPoliced,
        "nodes-policed",
        "something that is not modelled polices nodes, and may stop callers there",
    ),
];

impl DoorReason {
    fn row(self) -> (&'static str, &'static str) {
        let row = TABLE.iter().find(|row| row.0 == self);
        row.map_or(("", ""), |row| (row.1, row.2))
    }

    /// Its word, which stays the same between versions.
    pub fn word(self) -> &'static str {
        self.row().0
    }

    /// What it means.
    pub fn sentence(self) -> &'static str {
        self.row().1
    }
}
