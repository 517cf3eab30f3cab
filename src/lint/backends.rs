//! Entry points from outside the cluster: the backends of each Ingress, Gateway route and
//! `OpenShift` Route, and the pods of the controller that sends to them, if the input holds them.
//!
//! A controller is found by the configuration, by its `IngressClass`, or by the labels that its
//! distribution sets. When it is not in the input, [`Backend::controllers`] is empty, and only a
//! backend that is closed to everybody is certain to be blocked. Cost: O(text of those objects)
//! and, for each Ingress, O(pods of the cluster) to find its controller.

use crate::lint::context::LintContext;
use crate::lint::intended_traffic;
use crate::lint::intended_traffic::{IntendedTraffic, MentionedObject, ServicePortRef};
use crate::model::{PodId, Selector};
use crate::tree::SyntaxNode;
use std::rc::Rc;

/// One backend of an object.
pub(crate) struct Backend {
    /// The pods that it needs to reach; `None` when they are not known.
    pub intended: Option<IntendedTraffic>,
    /// The object.
    pub by: Rc<MentionedObject>,
    /// The Service that it names, when its namespace has Services but none of this name.
    pub missing: Option<String>,
    /// The controller's pods in the input.
    pub controllers: Vec<PodId>,
}

const ROUTES: [&str; 4] = ["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"];

/// Controllers by the name of the class or of its implementation, and the name label of their pods.
const CONTROLLERS: [(&str, &str); 9] = [
    ("nginx", "ingress-nginx"),
    ("ingress-nginx", "ingress-nginx"),
    ("k8s.io/ingress-nginx", "ingress-nginx"),
    ("nginx.org/ingress-controller", "nginx-ingress"),
    ("traefik", "traefik"),
    ("traefik.io/ingress-controller", "traefik"),
    ("haproxy", "haproxy-ingress"),
    ("haproxy-ingress.github.io/controller", "haproxy-ingress"),
    (
        "haproxy.org/ingress-controller/haproxy",
        "kubernetes-ingress",
    ),
];

/// Every backend of the input.
pub(crate) fn backends(context: &LintContext<'_>) -> Vec<Backend> {
    let mut all = Vec::new();
    for by in intended_traffic::objects(context, &["Ingress"]) {
        ingress(context, &by, &mut all);
    }
    for by in intended_traffic::objects(context, &ROUTES) {
        gateway_route(context, &by, &mut all);
    }
    for by in intended_traffic::objects(context, &["Route"]) {
        openshift_route(context, &by, &mut all);
    }
    all
}

/// Adds the backend that an object sends to through a Service.
fn push(
    context: &LintContext<'_>,
    backends: &mut Vec<Backend>,
    by: &Rc<MentionedObject>,
    service: (&str, &str),
    port: &ServicePortRef<'_>,
    controllers: &[PodId],
) {
    let through = intended_traffic::through(context, by, service, port);
    let known = || {
        context
            .cluster
            .find_namespace(service.0)
            .is_some_and(|n| !context.services_of(n).is_empty())
    };
    let missing = (through.is_err() && known()).then(|| format!("{}/{}", service.0, service.1));
    let (intended, by, controllers) = (through.ok().flatten(), Rc::clone(by), controllers.to_vec());
    backends.push(Backend {
        intended,
        by,
        missing,
        controllers,
    });
}

/// The backends of an Ingress, in the current and in the old form of the API.
fn ingress(context: &LintContext<'_>, by: &Rc<MentionedObject>, backends: &mut Vec<Backend>) {
    let Some(spec) = by.node.get("spec") else {
        return;
    };
    let class_name = spec
        .get("ingressClassName")
        .and_then(SyntaxNode::as_str)
        .map(str::to_owned);
    let annotations = intended_traffic::metadata_map(&by.node, "annotations");
    let class = class_name.or_else(|| {
        annotations
            .get("kubernetes.io/ingress.class")
            .map(str::to_owned)
    });
    let controllers = class_controllers(context, class.as_deref());
    let paths = spec
        .get("rules")
        .map(SyntaxNode::items)
        .unwrap_or_default()
        .iter();
    let paths = paths
        .filter_map(|r| r.get("http")?.get("paths"))
        .flat_map(SyntaxNode::items);
    let targets = paths.filter_map(|p| p.get("backend"));
    for backend in targets
        .chain(spec.get("defaultBackend"))
        .chain(spec.get("backend"))
    {
        let service = backend.get("service");
        let old = || (backend.get("serviceName"), backend.get("servicePort"));
        let (name, port) = service.map_or_else(old, |s| (s.get("name"), s.get("port")));
        let Some(name) = name.and_then(SyntaxNode::as_str) else {
            continue;
        };
        let inner = |key: &str| port.and_then(|p| p.get(key));
        let port = inner("number").or_else(|| inner("name")).or(port);
        push(
            context,
            backends,
            by,
            (&by.namespace, name),
            &port_ref(port),
            &controllers,
        );
    }
}

/// The port of a Service, by number or name.
fn port_ref(node: Option<&SyntaxNode>) -> ServicePortRef<'_> {
    match node {
        Some(n) if n.as_i64().is_some() => ServicePortRef::Number(n.as_i64().unwrap_or_default()),
        Some(n) => n.as_str().map_or(ServicePortRef::Any, ServicePortRef::Name),
        None => ServicePortRef::Any,
    }
}

/// The backends of a route of the Gateway API.
fn gateway_route(context: &LintContext<'_>, by: &Rc<MentionedObject>, backends: &mut Vec<Backend>) {
    let Some(spec) = by.node.get("spec") else {
        return;
    };
    let parents = spec
        .get("parentRefs")
        .map(SyntaxNode::items)
        .unwrap_or_default();
    let controllers: Vec<PodId> = parents
        .iter()
        .flat_map(|p| gateway_controllers(context, by, p))
        .collect();
    let rules = spec
        .get("rules")
        .map(SyntaxNode::items)
        .unwrap_or_default()
        .iter();
    for reference in rules
        .filter_map(|r| r.get("backendRefs"))
        .flat_map(SyntaxNode::items)
    {
        let text = |key: &str| reference.get(key).and_then(SyntaxNode::as_str);
        if text("kind").unwrap_or("Service") != "Service"
            || !text("group").unwrap_or_default().is_empty()
        {
            continue;
        }
        let Some(name) = text("name") else { continue };
        let namespace = text("namespace").unwrap_or(&by.namespace);
        push(
            context,
            backends,
            by,
            (namespace, name),
            &port_ref(reference.get("port")),
            &controllers,
        );
    }
}

/// The backends of an `OpenShift` Route.
fn openshift_route(
    context: &LintContext<'_>,
    by: &Rc<MentionedObject>,
    backends: &mut Vec<Backend>,
) {
    let Some(spec) = by.node.get("spec") else {
        return;
    };
    let controllers = configured(context).unwrap_or_else(|| {
        let key = "ingresscontroller.operator.openshift.io/deployment-ingresscontroller";
        let router = Selector::new([crate::model::Requirement::Exists(key.into())]);
        context
            .cluster
            .find_namespace("openshift-ingress")
            .map_or_else(Vec::new, |n| context.pods_where(n, &router))
    });
    let others = spec
        .get("alternateBackends")
        .map(SyntaxNode::items)
        .unwrap_or_default()
        .iter();
    for target in spec.get("to").into_iter().chain(others) {
        let text = |key: &str| target.get(key).and_then(SyntaxNode::as_str);
        let Some(name) = text("name").filter(|_| text("kind").unwrap_or("Service") == "Service")
        else {
            continue;
        };
        // a Route names the pods' port, by its number or by the name that the Service gives it; a
        // port that cannot be found stands for any
        let port = spec.get("port").and_then(|p| p.get("targetPort"));
        let service = context
            .cluster
            .find_namespace(&by.namespace)
            .and_then(|n| intended_traffic::find_service(context, n, name));
        let by_name = port.and_then(SyntaxNode::as_str);
        let has =
            |n: &str| service.is_some_and(|s| s.ports.iter().any(|p| p.name.as_deref() == Some(n)));
        let port = by_name
            .filter(|n| has(n))
            .map_or(ServicePortRef::Any, ServicePortRef::Name);
        push(
            context,
            backends,
            by,
            (&by.namespace, name),
            &port,
            &controllers,
        );
    }
}

/// The pods that the configuration names as controllers; `None` when it names none.
fn configured(context: &LintContext<'_>) -> Option<Vec<PodId>> {
    let listed = &context.config.ingress_controllers;
    if listed.is_empty() {
        return None;
    }
    let pods = context.cluster.pods().map(|(id, _)| id);
    Some(pods.filter(|id| context.is_listed(*id, listed)).collect())
}

/// Whether a pod is a component of a controller's installation other than the controller.
fn is_helper(context: &LintContext<'_>, id: PodId) -> bool {
    let component = context
        .cluster
        .pod_labels(id)
        .get("app.kubernetes.io/component");
    component.is_some_and(|c| c != "controller")
}

/// The pods of the controller of a class.
fn class_controllers(context: &LintContext<'_>, class: Option<&str>) -> Vec<PodId> {
    if let Some(pods) = configured(context) {
        return pods;
    }
    let classes = intended_traffic::objects(context, &["IngressClass"]);
    let object = classes.iter().find(|c| Some(&*c.name) == class);
    let declared = object.and_then(|c| c.node.get("spec")?.get("controller")?.as_str());
    let Some(word) = declared.or(class) else {
        return Vec::new();
    };
    let Some((_, label)) = CONTROLLERS.iter().find(|(name, _)| *name == word) else {
        return Vec::new();
    };
    let named = Selector::label("app.kubernetes.io/name", label);
    let pods = context
        .cluster
        .pods()
        .map(|(id, _)| id)
        .filter(|id| named.matches(context.cluster.pod_labels(*id)));
    pods.filter(|id| !is_helper(context, *id)).collect()
}

/// The pods of a Gateway, by the label that every implementation which creates pods sets on them.
fn gateway_controllers(
    context: &LintContext<'_>,
    by: &MentionedObject,
    parent: &SyntaxNode,
) -> Vec<PodId> {
    if let Some(pods) = configured(context) {
        return pods;
    }
    let text = |key: &str| parent.get(key).and_then(SyntaxNode::as_str);
    let Some(name) = text("name") else {
        return Vec::new();
    };
    let namespace = context
        .cluster
        .find_namespace(text("namespace").unwrap_or(&by.namespace));
    let made = Selector::label("gateway.networking.k8s.io/gateway-name", name);
    namespace.map_or_else(Vec::new, |n| context.pods_where(n, &made))
}
