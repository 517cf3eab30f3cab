//! `Ingress`, in the form of the API and in the one that it had before, and `IngressClass`.

use crate::load::doors::fields::{annotation, at, items, port_or_name, text};
use crate::model::doors::{Ingress, IngressBackend, IngressClass, IngressTarget};
use crate::source::Path;
use crate::tree::SyntaxNode;

/// Reads an `Ingress`.
pub fn ingress(node: &SyntaxNode) -> Ingress {
    let spec = Path::root().key("spec");
    let mut backends = Vec::new();
    for (i, rule) in items(node, &["spec", "rules"]).iter().enumerate() {
        let host = text(rule, &["host"]);
        let rule_at = spec.key("rules").index(i).key("http").key("paths");
        for (j, path) in items(rule, &["http", "paths"]).iter().enumerate() {
            let shown = text(path, &["path"]).unwrap_or_else(|| "/".into());
            backends.extend(
                path.get("backend")
                    .and_then(target)
                    .map(|target| IngressBackend {
                        host: host.clone(),
                        path: Some(shown),
                        target,
                        at: rule_at.index(j),
                    }),
            );
        }
    }
    // before networking.k8s.io/v1 it was called `backend`
    for key in ["defaultBackend", "backend"] {
        let default = at(node, &["spec", key]).and_then(target);
        backends.extend(default.map(|target| IngressBackend {
            host: None,
            path: None,
            target,
            at: spec.key(key),
        }));
    }
    Ingress {
        class: text(node, &["spec", "ingressClassName"]),
        annotated_class: annotation(node, "kubernetes.io/ingress.class"),
        alb_scheme: annotation(node, "alb.ingress.kubernetes.io/scheme"),
        alb_target_type: annotation(node, "alb.ingress.kubernetes.io/target-type"),
        backends,
    }
}

fn target(backend: &SyntaxNode) -> Option<IngressTarget> {
    if let Some(name) = text(backend, &["serviceName"]) {
        return Some(IngressTarget::Service(
            name,
            port_or_name(backend.get("servicePort")),
        ));
    }
    if let Some(name) = text(backend, &["service", "name"]) {
        let port = at(backend, &["service", "port"]);
        let named = port.and_then(|port| port.get("number").or_else(|| port.get("name")));
        return Some(IngressTarget::Service(name, port_or_name(named)));
    }
    backend.get("resource").map(|_| IngressTarget::Resource)
}

/// Reads an `IngressClass`.
pub fn class(node: &SyntaxNode) -> IngressClass {
    let default = annotation(node, "ingressclass.kubernetes.io/is-default-class");
    IngressClass {
        controller: text(node, &["spec", "controller"]).unwrap_or_default(),
        default: default.as_deref() == Some("true"),
    }
}
