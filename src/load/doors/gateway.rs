//! Objects of gateway.networking.k8s.io.

use crate::load::doors::fields::{at, condition, generation, items, port, selector, text, texts};
use crate::model::doors::{
    BackendKind, BackendRef, Gateway, GatewayClass, GatewayRoute, GrantedKind, Listener, ParentRef,
    ParentStatus, ReferenceGrant, RouteKind, RouteNamespaces, RouteRule,
};
use crate::source::Path;
use crate::tree::SyntaxNode;

const GROUP: &str = "gateway.networking.k8s.io";

/// Reads a `GatewayClass`.
pub fn class(node: &SyntaxNode) -> GatewayClass {
    GatewayClass {
        controller: text(node, &["spec", "controllerName"]).unwrap_or_default(),
    }
}

/// Reads a `Gateway`.
pub fn gateway(node: &SyntaxNode) -> Gateway {
    let listed = |keys: &[&str]| {
        let all = items(node, keys).iter();
        all.filter_map(|address| text(address, &["value"]))
            .collect::<Vec<_>>()
    };
    let mut addresses = listed(&["status", "addresses"]);
    if addresses.is_empty() {
        addresses = listed(&["spec", "addresses"]);
    }
    let generation = generation(node);
    let says_no = |kind| {
        let status = node.get("status");
        status.and_then(|s| condition(s, kind, generation)) == Some(false)
    };
    Gateway {
        class: text(node, &["spec", "gatewayClassName"]).unwrap_or_default(),
        listeners: items(node, &["spec", "listeners"])
            .iter()
            .map(listener)
            .collect(),
        addresses,
        not_programmed: says_no("Programmed") || says_no("Accepted"),
    }
}

fn listener(node: &SyntaxNode) -> Listener {
    let kinds = at(node, &["allowedRoutes", "kinds"]).map(SyntaxNode::items);
    let kind = |node: &SyntaxNode| {
        let group = node.get("group").and_then(SyntaxNode::as_str);
        Some((group.unwrap_or(GROUP).into(), text(node, &["kind"])?))
    };
    let certificates = items(node, &["tls", "certificateRefs"]).iter();
    let foreign = |c: &SyntaxNode| Some((text(c, &["namespace"])?, text(c, &["name"])?));
    Listener {
        name: text(node, &["name"]).unwrap_or_default(),
        port: node.get("port").and_then(port).unwrap_or_default(),
        protocol: text(node, &["protocol"]).unwrap_or_default(),
        hostname: text(node, &["hostname"]),
        from: namespaces(node),
        kinds: kinds
            .filter(|kinds| !kinds.is_empty())
            .map(|kinds| kinds.iter().filter_map(kind).collect()),
        foreign_certificates: certificates.filter_map(foreign).collect(),
    }
}

fn namespaces(listener: &SyntaxNode) -> RouteNamespaces {
    let Some(namespaces) = at(listener, &["allowedRoutes", "namespaces"]) else {
        return RouteNamespaces::Same;
    };
    match namespaces.get("from").and_then(SyntaxNode::as_str) {
        None | Some("Same") => RouteNamespaces::Same,
        Some("All") => RouteNamespaces::All,
        Some("None") => RouteNamespaces::None,
        Some("Selector") => {
            let read = namespaces.get("selector").and_then(selector);
            read.map_or(RouteNamespaces::Unreadable, RouteNamespaces::Selected)
        }
        Some(_) => RouteNamespaces::Unreadable,
    }
}

/// Reads a route.
pub fn route(kind: RouteKind, node: &SyntaxNode) -> GatewayRoute {
    let rules_at = Path::root().key("spec").key("rules");
    let rules = items(node, &["spec", "rules"]).iter().enumerate();
    let parents = items(node, &["spec", "parentRefs"]).iter();
    let generation = generation(node);
    let status = items(node, &["status", "parents"]).iter();
    let status = status.filter_map(|status| {
        Some(ParentStatus {
            parent: parent(status.get("parentRef")?)?,
            refused: !condition(status, "Accepted", generation)?,
        })
    });
    GatewayRoute {
        kind,
        hostnames: texts(node, &["spec", "hostnames"]),
        parents: parents.filter_map(parent).collect(),
        rules: rules
            .map(|(i, rule)| RouteRule {
                paths: paths(kind, rule),
                backends: backends(rule),
                at: rules_at.index(i),
            })
            .collect(),
        status: status.collect(),
    }
}

fn parent(node: &SyntaxNode) -> Option<ParentRef> {
    let group = node.get("group").and_then(SyntaxNode::as_str);
    Some(ParentRef {
        group: group.unwrap_or(GROUP).into(),
        kind: text(node, &["kind"]).unwrap_or_else(|| "Gateway".into()),
        namespace: text(node, &["namespace"]),
        name: text(node, &["name"])?,
        section: text(node, &["sectionName"]),
        port: node.get("port").and_then(port),
    })
}

/// What requests a rule is about, in words; a match without a path is about all of them.
fn paths(kind: RouteKind, rule: &SyntaxNode) -> Vec<Box<str>> {
    let matches = items(rule, &["matches"]).iter();
    let mut paths: Vec<Box<str>> = match kind {
        RouteKind::Http => {
            let path = |m: &SyntaxNode| text(m, &["path", "value"]).unwrap_or_else(|| "/".into());
            matches.map(path).collect()
        }
        RouteKind::Grpc => matches.map(method).collect(),
        RouteKind::Tls | RouteKind::Tcp | RouteKind::Udp => return vec!["-".into()],
    };
    if paths.is_empty() {
        let all = if kind == RouteKind::Grpc { "*" } else { "/" };
        paths.push(all.into());
    }
    paths.sort();
    paths.dedup();
    paths
}

/// `service/method`, as much as a match names.
fn method(node: &SyntaxNode) -> Box<str> {
    let field = |key| text(node, &["method", key]);
    match (field("service"), field("method")) {
        (Some(service), Some(method)) => format!("{service}/{method}").into(),
        (Some(service), None) => service,
        (None, Some(method)) => format!("*/{method}").into(),
        (None, None) => "*".into(),
    }
}

/// The backends of a rule, and those that get a copy of its requests (DO78).
fn backends(rule: &SyntaxNode) -> Vec<BackendRef> {
    let refs = items(rule, &["backendRefs"]);
    let of_refs = refs.iter().flat_map(|r| items(r, &["filters"]));
    let filters = items(rule, &["filters"]).iter().chain(of_refs);
    let mirrors = filters.filter_map(|filter| at(filter, &["requestMirror", "backendRef"]));
    refs.iter().chain(mirrors).filter_map(backend).collect()
}

fn backend(node: &SyntaxNode) -> Option<BackendRef> {
    let group = node.get("group").and_then(SyntaxNode::as_str);
    let kind = node.get("kind").and_then(SyntaxNode::as_str);
    let is_service = group.unwrap_or_default().is_empty() && kind.unwrap_or("Service") == "Service";
    Some(BackendRef {
        kind: if is_service {
            BackendKind::Service
        } else {
            BackendKind::Other
        },
        namespace: text(node, &["namespace"]),
        name: text(node, &["name"])?,
        port: node.get("port").and_then(port),
        idle: node.get("weight").and_then(SyntaxNode::as_i64) == Some(0),
    })
}

/// Reads a `ReferenceGrant`.
pub fn grant(node: &SyntaxNode) -> ReferenceGrant {
    ReferenceGrant {
        from: granted(node, "from", "namespace"),
        to: granted(node, "to", "name"),
    }
}

/// The kinds that a list of a grant names, each with the field that narrows it.
fn granted(node: &SyntaxNode, list: &str, of: &str) -> Vec<GrantedKind> {
    let all = items(node, &["spec", list]).iter();
    let kinds = all.filter_map(|item| {
        let group = item.get("group").and_then(SyntaxNode::as_str);
        Some(GrantedKind {
            group: group.unwrap_or_default().into(),
            kind: text(item, &["kind"])?,
            of: text(item, &[of]),
        })
    });
    kinds.collect()
}
