//! The controllers that serve Ingresses and Gateways: how they are named, which pods they run, and
//! where their packets come from (DO52 to DO59, DO84, DO90 to DO95).
//!
//! This table is all that netpal knows of them; a new controller is a row. What a row says of a
//! default install counts only while no pod with its labels is loaded.

/// Where the packets behind a door come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataPlane {
    /// From its pods.
    Pods,
    /// From Envoy on the nodes, under an identity of its own (DO94).
    CiliumIdentity,
    /// From an application load balancer of AWS, outside (DO90, DO91).
    Aws,
    /// From Google's front ends, outside (DO92).
    Google,
    /// From an application gateway of Azure, outside (DO93).
    Azure,
}

/// A controller.
#[derive(Debug, PartialEq, Eq)]
pub struct Controller {
    /// What it is called here.
    pub id: &'static str,
    /// `spec.controller` of its `IngressClass`es.
    pub class_controller: Option<&'static str>,
    /// Names of classes that are assumed to be its own where no `IngressClass` is in the input.
    pub ingress_classes: &'static [&'static str],
    /// Whether it reads the class from the annotation only.
    pub annotation_only: bool,
    /// Whether it compares the name of the class, and reads no `IngressClass`.
    pub by_class_name: bool,
    /// `spec.controllerName` of its `GatewayClass`es.
    pub gateway_controllers: &'static [&'static str],
    /// Names of `GatewayClass`es that are assumed to be its own.
    pub gateway_classes: &'static [&'static str],
    /// Classes of either kind whose doors stand in a private network.
    pub internal_classes: &'static [&'static str],
    /// Where its packets come from.
    pub data_plane: DataPlane,
    /// The namespace of the default install.
    pub namespace: &'static str,
    /// The labels of that namespace that are sure besides its name.
    pub namespace_labels: &'static [(&'static str, &'static str)],
    /// The labels of its pods.
    pub labels: &'static [(&'static str, &'static str)],
    /// The pods that it starts for each Gateway, if it does.
    pub per_gateway: Option<PerGateway>,
    /// Whether it serves Ingresses without a class (DO56).
    pub takes_classless: bool,
    /// Whether it follows the name of an `ExternalName` Service (DO63); `None` is not known.
    pub follows_names: Option<bool>,
    /// Whether it compares the port of a backend with the target port too (DO62).
    pub lax_ports: bool,
}

/// Pods that a controller starts for each Gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PerGateway {
    /// The label with the name of the Gateway.
    pub name_label: &'static str,
    /// The label with the namespace of the Gateway.
    pub namespace_label: Option<&'static str>,
    /// Whether they run in the Gateway's namespace, without the labels of the row.
    pub beside_gateway: bool,
}

/// What most rows have in common.
const NONE: Controller = Controller {
    id: "",
    class_controller: None,
    ingress_classes: &[],
    annotation_only: false,
    by_class_name: false,
    gateway_controllers: &[],
    gateway_classes: &[],
    internal_classes: &[],
    data_plane: DataPlane::Pods,
    namespace: "",
    namespace_labels: &[],
    labels: &[],
    per_gateway: None,
    takes_classless: false,
    follows_names: None,
    lax_ports: false,
};

/// `app.kubernetes.io/name`.
const NAME: &str = "app.kubernetes.io/name";
/// `app.kubernetes.io/component`.
const COMPONENT: &str = "app.kubernetes.io/component";

/// Every controller.
pub static CONTROLLERS: [Controller; 14] = [
    Controller {
        id: "ingress-nginx",
        class_controller: Some("k8s.io/ingress-nginx"),
        ingress_classes: &["nginx"],
        namespace: "ingress-nginx",
        labels: &[(NAME, "ingress-nginx"), (COMPONENT, "controller")],
        follows_names: Some(true),
        lax_ports: true,
        ..NONE
    },
    Controller {
        id: "traefik",
        class_controller: Some("traefik.io/ingress-controller"),
        ingress_classes: &["traefik"],
        gateway_controllers: &["traefik.io/gateway-controller"],
        gateway_classes: &["traefik"],
        namespace: "traefik",
        labels: &[(NAME, "traefik")],
        takes_classless: true,
        follows_names: Some(false),
        ..NONE
    },
    Controller {
        id: "haproxytech",
        class_controller: Some("haproxy.org/ingress-controller"),
        ingress_classes: &["haproxy"],
        namespace: "haproxy-controller",
        labels: &[(NAME, "kubernetes-ingress")],
        ..NONE
    },
    Controller {
        id: "haproxy-ingress",
        class_controller: Some("haproxy-ingress.github.io/controller"),
        ingress_classes: &["haproxy"],
        gateway_controllers: &["haproxy-ingress.github.io/controller"],
        namespace: "ingress-controller",
        labels: &[(NAME, "haproxy-ingress")],
        ..NONE
    },
    Controller {
        id: "contour",
        class_controller: Some("projectcontour.io/ingress-controller"),
        ingress_classes: &["contour"],
        by_class_name: true,
        gateway_controllers: &["projectcontour.io/gateway-controller"],
        namespace: "projectcontour",
        labels: &[("app", "envoy")],
        takes_classless: true,
        follows_names: Some(false),
        ..NONE
    },
    Controller {
        id: "kong",
        class_controller: Some("ingress-controllers.konghq.com/kong"),
        ingress_classes: &["kong"],
        gateway_controllers: &["konghq.com/kic-gateway-controller"],
        gateway_classes: &["kong"],
        namespace: "kong",
        labels: &[(NAME, "kong"), (COMPONENT, "app")],
        ..NONE
    },
    Controller {
        id: "nginx-inc",
        class_controller: Some("nginx.org/ingress-controller"),
        ingress_classes: &["nginx"],
        gateway_controllers: &["gateway.nginx.org/nginx-gateway-controller"],
        namespace: "nginx-ingress",
        labels: &[("app", "nginx-ingress")],
        ..NONE
    },
    Controller {
        id: "envoy-gateway",
        gateway_controllers: &["gateway.envoyproxy.io/gatewayclass-controller"],
        gateway_classes: &["eg"],
        namespace: "envoy-gateway-system",
        labels: &[(NAME, "envoy"), (COMPONENT, "proxy")],
        per_gateway: Some(PerGateway {
            name_label: "gateway.envoyproxy.io/owning-gateway-name",
            namespace_label: Some("gateway.envoyproxy.io/owning-gateway-namespace"),
            beside_gateway: false,
        }),
        ..NONE
    },
    Controller {
        id: "istio",
        class_controller: Some("istio.io/ingress-controller"),
        ingress_classes: &["istio"],
        gateway_controllers: &["istio.io/gateway-controller"],
        gateway_classes: &["istio"],
        namespace: "istio-system",
        labels: &[("istio", "ingressgateway")],
        per_gateway: Some(PerGateway {
            name_label: "gateway.networking.k8s.io/gateway-name",
            namespace_label: None,
            beside_gateway: true,
        }),
        ..NONE
    },
    Controller {
        id: "cilium",
        class_controller: Some("cilium.io/ingress-controller"),
        ingress_classes: &["cilium"],
        gateway_controllers: &["io.cilium/gateway-controller"],
        gateway_classes: &["cilium"],
        data_plane: DataPlane::CiliumIdentity,
        ..NONE
    },
    Controller {
        id: "aws-lbc",
        class_controller: Some("ingress.k8s.aws/alb"),
        ingress_classes: &["alb"],
        gateway_controllers: &["gateway.k8s.aws/alb", "gateway.k8s.aws/nlb"],
        data_plane: DataPlane::Aws,
        follows_names: Some(false),
        ..NONE
    },
    Controller {
        id: "gce",
        ingress_classes: &["gce"],
        annotation_only: true,
        gateway_controllers: &["networking.gke.io/gateway"],
        gateway_classes: &["gke-l7-global-external-managed", "gke-l7-gxlb"],
        internal_classes: &["gce-internal", "gke-l7-rilb"],
        data_plane: DataPlane::Google,
        takes_classless: true,
        follows_names: Some(false),
        ..NONE
    },
    Controller {
        id: "agic",
        class_controller: Some("azure/application-gateway"),
        ingress_classes: &["azure-application-gateway", "azure/application-gateway"],
        data_plane: DataPlane::Azure,
        follows_names: Some(false),
        ..NONE
    },
    Controller {
        id: "openshift-router",
        class_controller: Some("openshift.io/ingress-to-route"),
        ingress_classes: &["openshift-default"],
        gateway_controllers: &["openshift.io/gateway-controller/v1"],
        gateway_classes: &["openshift-default"],
        namespace: "openshift-ingress",
        namespace_labels: &[
            ("network.openshift.io/policy-group", "ingress"),
            ("policy-group.network.openshift.io/ingress", ""),
            ("name", "openshift-ingress"),
            ("openshift.io/cluster-monitoring", "true"),
        ],
        labels: &[(ROUTER_LABEL, "default")],
        takes_classless: true,
        follows_names: Some(false),
        ..NONE
    },
];

/// The label of a router's pods, with the name of its `IngressController` (DO84).
pub const ROUTER_LABEL: &str =
    "ingresscontroller.operator.openshift.io/deployment-ingresscontroller";

/// A controller by its name here.
pub fn named(id: &str) -> Option<&'static Controller> {
    CONTROLLERS.iter().find(|controller| controller.id == id)
}

impl Controller {
    /// Whether it is the controller of an `IngressClass`, which may add a name of its own.
    pub fn serves_class(&self, controller: &str) -> bool {
        self.class_controller.is_some_and(|own| {
            let rest = controller.strip_prefix(own);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// Whether it is the controller of a `GatewayClass`.
    pub fn serves_gateways(&self, controller: &str) -> bool {
        self.gateway_controllers.contains(&controller)
    }
}
