//! Ways in from outside the cluster: what each Ingress, Gateway route and `OpenShift` Route sends
//! to, and the pods of the controller that sends it, where the input tells.
//!
//! A controller is found by the configuration, by its `IngressClass` or by the labels its
//! distribution sets. Where it is not in the input there is nobody to ask about:
//! [`Backend::controllers`] is empty, and only what is closed to everybody is sure.

use crate::lint::context::LintContext;
use crate::lint::intended_traffic;
use crate::lint::intended_traffic::{IntendedTraffic, Named, Told};
use crate::model::{PodId, Selector};
use crate::tree::Node;
use std::rc::Rc;

/// One backend of an object.
pub(crate) struct Backend {
    /// Whom it sends to; `None` when the input does not tell.
    pub meant: Option<IntendedTraffic>,
    /// The object.
    pub by: Rc<Told>,
    /// The Service it names, when its namespace has Services and none of this name.
    pub missing: Option<String>,
    /// The controller's pods in the input.
    pub controllers: Vec<PodId>,
}

const ROUTES: [&str; 4] = ["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"];

/// Controllers by the name of the class or of what implements it, and the name label of their pods.
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
    let mut found = Vec::new();
    for by in intended_traffic::told(context, &["Ingress"]) {
        ingress(context, &by, &mut found);
    }
    for by in intended_traffic::told(context, &ROUTES) {
        gateway_route(context, &by, &mut found);
    }
    for by in intended_traffic::told(context, &["Route"]) {
        openshift_route(context, &by, &mut found);
    }
    found
}

fn push(
    context: &LintContext<'_>,
    found: &mut Vec<Backend>,
    by: &Rc<Told>,
    service: (&str, &str),
    port: &Named<'_>,
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
    let (meant, by, controllers) = (through.ok().flatten(), Rc::clone(by), controllers.to_vec());
    found.push(Backend {
        meant,
        by,
        missing,
        controllers,
    });
}

fn ingress(context: &LintContext<'_>, by: &Rc<Told>, found: &mut Vec<Backend>) {
    let Some(spec) = by.node.get("spec") else {
        return;
    };
    let own = spec
        .get("ingressClassName")
        .and_then(Node::as_str)
        .map(str::to_owned);
    let annotations = intended_traffic::pairs(&by.node, "annotations");
    let class = own.or_else(|| {
        annotations
            .get("kubernetes.io/ingress.class")
            .map(str::to_owned)
    });
    let controllers = class_controllers(context, class.as_deref());
    let paths = spec
        .get("rules")
        .map(Node::items)
        .unwrap_or_default()
        .iter();
    let paths = paths
        .filter_map(|r| r.get("http")?.get("paths"))
        .flat_map(Node::items);
    let backends = paths.filter_map(|p| p.get("backend"));
    for backend in backends
        .chain(spec.get("defaultBackend"))
        .chain(spec.get("backend"))
    {
        let service = backend.get("service");
        let old = || (backend.get("serviceName"), backend.get("servicePort"));
        let (name, port) = service.map_or_else(old, |s| (s.get("name"), s.get("port")));
        let Some(name) = name.and_then(Node::as_str) else {
            continue;
        };
        let inner = |key: &str| port.and_then(|p| p.get(key));
        let port = inner("number").or_else(|| inner("name")).or(port);
        push(
            context,
            found,
            by,
            (&by.namespace, name),
            &named(port),
            &controllers,
        );
    }
}

/// How a port is named: by number or name.
fn named(node: Option<&Node>) -> Named<'_> {
    match node {
        Some(n) if n.as_i64().is_some() => Named::Number(n.as_i64().unwrap_or_default()),
        Some(n) => n.as_str().map_or(Named::Any, Named::Name),
        None => Named::Any,
    }
}

fn gateway_route(context: &LintContext<'_>, by: &Rc<Told>, found: &mut Vec<Backend>) {
    let Some(spec) = by.node.get("spec") else {
        return;
    };
    let parents = spec.get("parentRefs").map(Node::items).unwrap_or_default();
    let controllers: Vec<PodId> = parents
        .iter()
        .flat_map(|p| gateway_controllers(context, by, p))
        .collect();
    let rules = spec
        .get("rules")
        .map(Node::items)
        .unwrap_or_default()
        .iter();
    for reference in rules
        .filter_map(|r| r.get("backendRefs"))
        .flat_map(Node::items)
    {
        let text = |key: &str| reference.get(key).and_then(Node::as_str);
        if text("kind").unwrap_or("Service") != "Service"
            || !text("group").unwrap_or_default().is_empty()
        {
            continue;
        }
        let Some(name) = text("name") else { continue };
        let namespace = text("namespace").unwrap_or(&by.namespace);
        push(
            context,
            found,
            by,
            (namespace, name),
            &named(reference.get("port")),
            &controllers,
        );
    }
}

fn openshift_route(context: &LintContext<'_>, by: &Rc<Told>, found: &mut Vec<Backend>) {
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
        .map(Node::items)
        .unwrap_or_default()
        .iter();
    for target in spec.get("to").into_iter().chain(others) {
        let text = |key: &str| target.get(key).and_then(Node::as_str);
        let Some(name) = text("name").filter(|_| text("kind").unwrap_or("Service") == "Service")
        else {
            continue;
        };
        // a Route names the pods' port, by its number or by the name the Service gives it; what
        // cannot be found is any
        let port = spec.get("port").and_then(|p| p.get("targetPort"));
        let known = context
            .cluster
            .find_namespace(&by.namespace)
            .and_then(|n| intended_traffic::find(context, n, name));
        let by_name = port.and_then(Node::as_str);
        let has =
            |n: &str| known.is_some_and(|s| s.ports.iter().any(|p| p.name.as_deref() == Some(n)));
        let port = by_name.filter(|n| has(n)).map_or(Named::Any, Named::Name);
        push(
            context,
            found,
            by,
            (&by.namespace, name),
            &port,
            &controllers,
        );
    }
}

/// The pods the configuration names as controllers, when it names any.
fn configured(context: &LintContext<'_>) -> Option<Vec<PodId>> {
    let listed = &context.config.ingress_controllers;
    let pods = || {
        context
            .cluster
            .pods()
            .map(|(id, _)| id)
            .filter(|id| context.is_listed(*id, listed))
            .collect()
    };
    (!listed.is_empty()).then(pods)
}

/// The pods of the controller of a class.
fn class_controllers(context: &LintContext<'_>, class: Option<&str>) -> Vec<PodId> {
    if let Some(pods) = configured(context) {
        return pods;
    }
    let classes = intended_traffic::told(context, &["IngressClass"]);
    let object = classes.iter().find(|c| Some(&*c.name) == class);
    let declared = object.and_then(|c| c.node.get("spec")?.get("controller")?.as_str());
    let Some(word) = declared.or(class) else {
        return Vec::new();
    };
    let Some((_, label)) = CONTROLLERS.iter().find(|(name, _)| *name == word) else {
        return Vec::new();
    };
    let known = Selector::label("app.kubernetes.io/name", label);
    let helper = |id: &PodId| {
        let part = context
            .cluster
            .pod_labels(*id)
            .get("app.kubernetes.io/component");
        part.is_some_and(|p| p != "controller")
    };
    let pods = context
        .cluster
        .pods()
        .map(|(id, _)| id)
        .filter(|id| known.matches(context.cluster.pod_labels(*id)));
    pods.filter(|id| !helper(id)).collect()
}

/// The pods that a Gateway is made of, by the label every implementation that makes them sets.
fn gateway_controllers(context: &LintContext<'_>, by: &Told, parent: &Node) -> Vec<PodId> {
    if let Some(pods) = configured(context) {
        return pods;
    }
    let text = |key: &str| parent.get(key).and_then(Node::as_str);
    let Some(name) = text("name") else {
        return Vec::new();
    };
    let namespace = context
        .cluster
        .find_namespace(text("namespace").unwrap_or(&by.namespace));
    let made = Selector::label("gateway.networking.k8s.io/gateway-name", name);
    namespace.map_or_else(Vec::new, |n| context.pods_where(n, &made))
}
