//! What the objects of a cluster are, field by field: the schemas that [`crate::load::strict`]
//! checks them by. Fields that netpal does not read are not in them.

use crate::tree::SyntaxNode;

/// What a value must be.
pub enum Schema {
    /// A string.
    Text,
    /// A string that is one of these, or empty.
    Word(&'static [&'static str]),
    /// An IP address.
    Address,
    /// An IP address, or that there is none.
    AddressOrNone,
    /// The name of a port.
    PortName,
    /// The name of an object: whether it must be a single DNS label.
    Name(bool),
    /// A boolean.
    Truth,
    /// A whole number in this range.
    Number(i64, i64),
    /// A port number or the name of a port.
    PortOrName,
    /// Label keys and values.
    Labels,
    /// Strings under any keys.
    Texts,
    /// A list.
    List(&'static Self),
    /// A mapping with these fields, whichever are given.
    Fields(&'static [(&'static str, Self)]),
    /// The same, where the first field must be given.
    Requires(&'static [(&'static str, Self)]),
}

use Schema::{
    Address, AddressOrNone, Fields, Labels, List, Name, Number, PortName, PortOrName, Requires,
    Text, Texts, Truth, Word,
};

const PROTOCOL: Schema = Word(&["TCP", "UDP", "SCTP"]);
const COUNT: Schema = Number(0, i32::MAX as i64);

static OWNER: Schema = Fields(&[("kind", Text), ("name", Text), ("controller", Truth)]);
static ADDRESS: Schema = Fields(&[("type", Text), ("address", Text)]);
static POD_IP: Schema = Fields(&[("ip", Address)]);
static TEXT: Schema = Text;
static IP: Schema = Address;
static CLUSTER_IP: Schema = AddressOrNone;
static EXPRESSION: Schema = Fields(&[("key", Text), ("operator", Text), ("values", List(&TEXT))]);

static CONTAINER_PORT: Schema = Requires(&[
    ("containerPort", Number(1, 65_535)),
    ("hostPort", Number(0, 65_535)),
    ("protocol", PROTOCOL),
    ("name", PortName),
]);
static CONTAINER: Schema = Fields(&[
    ("name", Text),
    ("restartPolicy", Text),
    ("ports", List(&CONTAINER_PORT)),
]);
static SERVICE_PORT: Schema = Requires(&[
    ("port", Number(1, 65_535)),
    ("nodePort", Number(0, 65_535)),
    ("targetPort", PortOrName),
    ("protocol", PROTOCOL),
    ("name", Text),
]);

const fn metadata(single_label: bool) -> Schema {
    if single_label {
        Fields(LABEL_METADATA)
    } else {
        Fields(METADATA)
    }
}

const METADATA: &[(&str, Schema)] = &[
    ("name", Name(false)),
    ("generateName", Text),
    ("namespace", Name(true)),
    ("labels", Labels),
    ("annotations", Texts),
    ("ownerReferences", List(&OWNER)),
];
const LABEL_METADATA: &[(&str, Schema)] = &[
    ("name", Name(true)),
    ("generateName", Text),
    ("namespace", Name(true)),
    ("labels", Labels),
    ("annotations", Texts),
];
const TEMPLATE_METADATA: Schema = Fields(&[("labels", Labels), ("annotations", Texts)]);

const POD_SPEC: Schema = Fields(&[
    ("hostNetwork", Truth),
    ("nodeName", Text),
    ("serviceAccountName", Text),
    ("serviceAccount", Text),
    ("containers", List(&CONTAINER)),
    ("initContainers", List(&CONTAINER)),
]);
const TEMPLATE: Schema = Fields(&[("metadata", TEMPLATE_METADATA), ("spec", POD_SPEC)]);
const SELECTOR: Schema = Fields(&[
    ("matchLabels", Labels),
    ("matchExpressions", List(&EXPRESSION)),
]);
const CONTROLLER_SPEC: Schema = Fields(&[
    ("replicas", COUNT),
    ("parallelism", COUNT),
    ("ordinals", Fields(&[("start", COUNT)])),
    ("selector", SELECTOR),
    ("template", TEMPLATE),
]);

static POD: Schema = Fields(&[
    ("metadata", metadata(false)),
    ("spec", POD_SPEC),
    (
        "status",
        Fields(&[
            ("phase", Text),
            ("podIP", Address),
            ("podIPs", List(&POD_IP)),
        ]),
    ),
]);
static CONTROLLER: Schema = Fields(&[("metadata", metadata(false)), ("spec", CONTROLLER_SPEC)]);
static OLD_CONTROLLER: Schema = Fields(&[
    ("metadata", metadata(false)),
    (
        "spec",
        Fields(&[
            ("replicas", COUNT),
            ("selector", Labels),
            ("template", TEMPLATE),
        ]),
    ),
]);
static CRON_JOB: Schema = Fields(&[
    ("metadata", metadata(false)),
    (
        "spec",
        Fields(&[("jobTemplate", Fields(&[("spec", CONTROLLER_SPEC)]))]),
    ),
]);
static NAMESPACE: Schema = Fields(&[("metadata", metadata(true))]);
static NODE: Schema = Fields(&[
    ("metadata", metadata(false)),
    ("status", Fields(&[("addresses", List(&ADDRESS))])),
]);
const CONDITIONS: (&str, Schema) = ("conditions", Fields(&[("ready", Truth)]));
static SLICE_ENDPOINT: Schema = Fields(&[("addresses", List(&IP)), CONDITIONS]);
static NAMED_ENDPOINT: Schema = Fields(&[("addresses", List(&TEXT)), CONDITIONS]);
static ENDPOINT_PORT: Schema = Fields(&[
    ("name", Text),
    ("protocol", PROTOCOL),
    ("port", Number(1, 65_535)),
]);
const fn slice(endpoint: &'static Schema) -> [(&'static str, Schema); 4] {
    [
        ("metadata", metadata(false)),
        ("addressType", Word(&["IPv4", "IPv6", "FQDN"])),
        ("endpoints", List(endpoint)),
        ("ports", List(&ENDPOINT_PORT)),
    ]
}
static ENDPOINT_SLICE: Schema = Fields(const { &slice(&SLICE_ENDPOINT) });
static SLICE_OF_NAMES: Schema = Fields(const { &slice(&NAMED_ENDPOINT) });
static SUBSET: Schema = Fields(&[
    ("addresses", List(&POD_IP)),
    ("ports", List(&ENDPOINT_PORT)),
]);
static ENDPOINTS: Schema = Fields(&[("metadata", metadata(false)), ("subsets", List(&SUBSET))]);
static SERVICE: Schema = Fields(&[
    ("metadata", metadata(true)),
    (
        "spec",
        Fields(&[
            (
                "type",
                Word(&["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]),
            ),
            ("selector", Labels),
            ("ports", List(&SERVICE_PORT)),
            ("clusterIP", AddressOrNone),
            ("clusterIPs", List(&CLUSTER_IP)),
            ("ipFamilies", List(&TEXT)),
            ("externalIPs", List(&IP)),
            ("externalName", Text),
            ("externalTrafficPolicy", Word(&["Cluster", "Local"])),
        ]),
    ),
]);

const SERVICE_BACKEND: Schema = Fields(&[
    ("name", Text),
    (
        "port",
        Fields(&[("number", Number(1, 65_535)), ("name", PortName)]),
    ),
]);
const INGRESS_BACKEND: Schema = Fields(&[("service", SERVICE_BACKEND), ("serviceName", Text)]);
static INGRESS_PATH: Schema = Requires(&[("backend", INGRESS_BACKEND), ("path", Text)]);
static INGRESS_RULE: Schema = Fields(&[
    ("host", Text),
    ("http", Requires(&[("paths", List(&INGRESS_PATH))])),
]);
static INGRESS: Schema = Fields(&[
    ("metadata", metadata(false)),
    (
        "spec",
        Fields(&[
            ("ingressClassName", Text),
            ("defaultBackend", INGRESS_BACKEND),
            ("rules", List(&INGRESS_RULE)),
        ]),
    ),
]);
static ROUTE_PARENT: Schema = Requires(&[
    ("name", Text),
    ("namespace", Text),
    ("sectionName", Text),
    ("port", Number(1, 65_535)),
]);
static ROUTE_BACKEND: Schema = Requires(&[
    ("name", Text),
    ("namespace", Text),
    ("port", Number(1, 65_535)),
]);
static ROUTE_RULE: Schema = Fields(&[("backendRefs", List(&ROUTE_BACKEND))]);
static ROUTE: Schema = Fields(&[
    ("metadata", metadata(false)),
    (
        "spec",
        Fields(&[
            ("parentRefs", List(&ROUTE_PARENT)),
            ("hostnames", List(&TEXT)),
            ("rules", List(&ROUTE_RULE)),
        ]),
    ),
]);

/// The schema of a kind of objects.
pub fn of(kind: &str, node: &SyntaxNode) -> &'static Schema {
    match kind {
        "Pod" => &POD,
        "Namespace" => &NAMESPACE,
        "Node" => &NODE,
        "Service" => &SERVICE,
        "EndpointSlice" if is_of_names(node) => &SLICE_OF_NAMES,
        "EndpointSlice" => &ENDPOINT_SLICE,
        "Endpoints" => &ENDPOINTS,
        "CronJob" => &CRON_JOB,
        "Ingress" => &INGRESS,
        "HTTPRoute" | "GRPCRoute" | "TLSRoute" | "TCPRoute" | "UDPRoute" => &ROUTE,
        "ReplicationController" | "DeploymentConfig" => &OLD_CONTROLLER,
        _ => &CONTROLLER,
    }
}

/// Whether an `EndpointSlice` lists names in the place of addresses.
fn is_of_names(slice: &SyntaxNode) -> bool {
    let told = slice.get("addressType").and_then(SyntaxNode::as_str);
    told == Some("FQDN")
}
