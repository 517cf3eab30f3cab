//! `Route` and `IngressController` of `OpenShift`.

use crate::load::doors::fields::{at, items, port_or_name, text};
use crate::model::doors::{
    BackendPort, IngressController, PublishingStrategy, Route, RouteBackend, TlsTermination,
};
use crate::source::Path;
use crate::tree::SyntaxNode;

/// Reads a `Route`.
pub fn route(node: &SyntaxNode) -> Route {
    let spec = Path::root().key("spec");
    let first = at(node, &["spec", "to"]).and_then(|to| backend(to, spec.key("to")));
    let others = items(node, &["spec", "alternateBackends"])
        .iter()
        .enumerate();
    let others =
        others.filter_map(|(i, other)| backend(other, spec.key("alternateBackends").index(i)));
    let termination = text(node, &["spec", "tls", "termination"]);
    Route {
        host: text(node, &["spec", "host"]),
        path: text(node, &["spec", "path"]),
        backends: first.into_iter().chain(others).collect(),
        port: at(node, &["spec", "port", "targetPort"])
            .map_or(BackendPort::Unnamed, |port| port_or_name(Some(port))),
        tls: termination.map(|termination| match &*termination {
            "passthrough" => TlsTermination::Passthrough,
            _ => TlsTermination::Router,
        }),
        wildcard: text(node, &["spec", "wildcardPolicy"]).as_deref() == Some("Subdomain"),
        admitted: admitted(node),
    }
}

fn backend(node: &SyntaxNode, at: Path) -> Option<RouteBackend> {
    Some(RouteBackend {
        name: text(node, &["name"])?,
        idle: node.get("weight").and_then(SyntaxNode::as_i64) == Some(0),
        at,
    })
}

/// What routers say: one that admits it is enough.
fn admitted(node: &SyntaxNode) -> Option<bool> {
    let routers = items(node, &["status", "ingress"]).iter();
    let conditions = routers.flat_map(|router| items(router, &["conditions"]));
    let said = conditions
        .filter(|c| text(c, &["type"]).as_deref() == Some("Admitted"))
        .filter_map(|c| match c.get("status")?.as_str()? {
            "True" => Some(true),
            "False" => Some(false),
            _ => None,
        });
    said.reduce(|any, one| any || one)
}

/// Reads an `IngressController`.
pub fn controller(node: &SyntaxNode) -> IngressController {
    let told = |keys: &[&str]| text(node, keys);
    let strategy = told(&["status", "endpointPublishingStrategy", "type"])
        .or_else(|| told(&["spec", "endpointPublishingStrategy", "type"]));
    IngressController {
        strategy: match strategy.as_deref() {
            Some("HostNetwork") => PublishingStrategy::HostNetwork,
            Some("LoadBalancerService" | "NodePortService" | "Private") => {
                PublishingStrategy::PodNetwork
            }
            _ => PublishingStrategy::Untold,
        },
    }
}
