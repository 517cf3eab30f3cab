//! Trees -> objects by which callers outside the cluster may come in.
//!
//! A field that is not what it should be is left out here: [`crate::load::strict`] reports it. What
//! an object says is kept as it is written. Cost: O(object).

pub(in crate::load) mod fields;
mod gateway;
mod ingress;
mod istio;
mod openshift;
pub(in crate::load) mod tunnels;
pub(in crate::load) mod unread;

use crate::model::doors::{DoorSpec, RouteKind};
use crate::source::Span;
use crate::tree::{SyntaxNode, Value};

/// Whether objects of a kind have to do with doors.
pub fn is_kind(group: &str, kind: &str) -> bool {
    let nothing = SyntaxNode {
        span: Span::default(),
        value: Value::Null,
    };
    read(group, kind, &nothing).is_some()
}

/// Reads an object, if it is one that has to do with doors.
pub fn read(group: &str, kind: &str, node: &SyntaxNode) -> Option<DoorSpec> {
    Some(match (group, kind) {
        ("networking.k8s.io" | "extensions", "Ingress") => {
            DoorSpec::Ingress(ingress::ingress(node))
        }
        ("networking.k8s.io", "IngressClass") => DoorSpec::IngressClass(ingress::class(node)),
        ("gateway.networking.k8s.io", "GatewayClass") => {
            DoorSpec::GatewayClass(gateway::class(node))
        }
        ("gateway.networking.k8s.io", "Gateway") => DoorSpec::Gateway(gateway::gateway(node)),
        ("gateway.networking.k8s.io", "ReferenceGrant") => {
            DoorSpec::ReferenceGrant(gateway::grant(node))
        }
        ("gateway.networking.k8s.io", kind) if RouteKind::of(kind).is_some() => {
            DoorSpec::GatewayRoute(gateway::route(RouteKind::of(kind)?, node))
        }
        ("route.openshift.io", "Route") => DoorSpec::Route(openshift::route(node)),
        ("", "Route") if node.get("spec").is_some() => DoorSpec::Route(openshift::route(node)),
        ("operator.openshift.io", "IngressController") => {
            DoorSpec::IngressController(openshift::controller(node))
        }
        ("networking.istio.io", "Gateway") => DoorSpec::IstioGateway(istio::gateway(node)),
        ("networking.istio.io", "VirtualService") => {
            DoorSpec::VirtualService(istio::virtual_service(node))
        }
        ("networking.istio.io", "DestinationRule") => {
            DoorSpec::DestinationRule(istio::destination_rule(node))
        }
        ("", "ConfigMap") if unread::leads_in(node) => DoorSpec::Unread(kind.into()),
        _ if unread::opens_doors(group, kind) => DoorSpec::Unread(kind.into()),
        _ => return None,
    })
}
