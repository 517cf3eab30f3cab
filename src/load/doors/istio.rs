//! `Gateway`, `VirtualService` and `DestinationRule` of Istio.

use crate::load::doors::fields::{at, carrying, items, port, text, texts};
use crate::model::doors::{
    CallerTls, DestinationRule, IstioGateway, IstioServer, VirtualDestination, VirtualRoute,
    VirtualService,
};
use crate::source::Path;
use crate::tree::SyntaxNode;

/// Reads a `Gateway`.
pub fn gateway(node: &SyntaxNode) -> IstioGateway {
    let selector = at(node, &["spec", "selector"]);
    let servers = items(node, &["spec", "servers"]).iter();
    IstioGateway {
        selector: selector.map(carrying).unwrap_or_default(),
        servers: servers
            .map(|server| IstioServer {
                hosts: texts(server, &["hosts"]),
            })
            .collect(),
    }
}

/// Reads a `VirtualService`.
pub fn virtual_service(node: &SyntaxNode) -> VirtualService {
    let mut routes = Vec::new();
    for key in ["http", "tls", "tcp"] {
        let at = Path::root().key("spec").key(key);
        for (i, route) in items(node, &["spec", key]).iter().enumerate() {
            routes.push(VirtualRoute {
                paths: if key == "http" {
                    paths(route)
                } else {
                    vec!["-".into()]
                },
                destinations: destinations(route),
                at: at.index(i),
            });
        }
    }
    VirtualService {
        hosts: texts(node, &["spec", "hosts"]),
        gateways: texts(node, &["spec", "gateways"]),
        export_to: texts(node, &["spec", "exportTo"]),
        routes,
    }
}

fn paths(route: &SyntaxNode) -> Vec<Box<str>> {
    let path = |m: &SyntaxNode| {
        let uri = m.get("uri");
        let entry = uri.and_then(|uri| uri.entries().first());
        let path = entry.and_then(|e| e.value.as_str());
        Box::from(path.unwrap_or("/"))
    };
    let mut paths: Vec<Box<str>> = items(route, &["match"]).iter().map(path).collect();
    if paths.is_empty() {
        paths.push("/".into());
    }
    paths.sort();
    paths.dedup();
    paths
}

/// The destinations of a route, and those that get a copy of its requests (DO104).
fn destinations(route: &SyntaxNode) -> Vec<VirtualDestination> {
    let weighted = items(route, &["route"]).iter();
    let weighted = weighted.filter_map(|item| {
        let idle = item.get("weight").and_then(SyntaxNode::as_i64) == Some(0);
        // a single route gets everything, whatever its weight is
        let alone = items(route, &["route"]).len() == 1;
        destination(item.get("destination")?, idle && !alone)
    });
    let mirror = route.get("mirror").into_iter();
    let mirrors = items(route, &["mirrors"]).iter();
    let mirrors = mirror.chain(mirrors.filter_map(|m| m.get("destination")));
    weighted
        .chain(mirrors.filter_map(|mirror| destination(mirror, false)))
        .collect()
}

fn destination(node: &SyntaxNode, idle: bool) -> Option<VirtualDestination> {
    Some(VirtualDestination {
        host: text(node, &["host"])?,
        port: at(node, &["port", "number"]).and_then(port),
        subset: text(node, &["subset"]),
        idle,
    })
}

/// Reads a `DestinationRule`.
pub fn destination_rule(node: &SyntaxNode) -> DestinationRule {
    let subsets = items(node, &["spec", "subsets"]).iter();
    let selector = |subset: &SyntaxNode| subset.get("labels").map(carrying);
    DestinationRule {
        host: text(node, &["spec", "host"]).unwrap_or_default(),
        subsets: subsets
            .filter_map(|s| Some((text(s, &["name"])?, selector(s).unwrap_or_default())))
            .collect(),
        tls: tls_of_callers(node),
        export_to: texts(node, &["spec", "exportTo"]),
        workloads: at(node, &["spec", "workloadSelector", "matchLabels"]).map(carrying),
    }
}

/// What a `DestinationRule` and its subsets say of TLS, where they say anything (IS30).
fn tls_of_callers(rule: &SyntaxNode) -> Vec<CallerTls> {
    let whole = at(rule, &["spec", "trafficPolicy"]).into_iter();
    let subsets = items(rule, &["spec", "subsets"]).iter();
    let each = whole.chain(subsets.filter_map(|subset| subset.get("trafficPolicy")));
    each.map(tls_of_policy).collect()
}

fn tls_of_policy(policy: &SyntaxNode) -> CallerTls {
    let ports = items(policy, &["portLevelSettings"]).iter();
    let ports = ports.filter_map(|setting| {
        let number = at(setting, &["port", "number"]).and_then(port)?;
        Some((number, mode_takes_identity(setting)?))
    });
    CallerTls {
        plain: mode_takes_identity(policy).unwrap_or(false),
        ports: ports.collect(),
    }
}

/// Whether a mode of TLS is another one than that of the mesh; none where none is said.
fn mode_takes_identity(settings: &SyntaxNode) -> Option<bool> {
    settings.get("tls").filter(|tls| !tls.is_null())?;
    let mode = text(settings, &["tls", "mode"]);
    Some(mode.as_deref() != Some("ISTIO_MUTUAL"))
}
