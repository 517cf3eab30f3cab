//! Explanations of flows that a Service may change ([`crate::query::ask::service_effect`]).
//!
//! Cost: one explanation, and a few edge queries where a Service changes the flow.

use crate::graph::AllowGraph;
use crate::model::Truth;
use crate::query::ask::resolved::Dialled;
use crate::query::ask::service_effect::called_by_name;
pub use crate::query::ask::service_effect::{ViaService, allowed};
use crate::query::explain::explanation::{Explanation, explain, explain_call};
use crate::spec::question::ConnectionOrigin;
use crate::spec::{Endpoint, FamilySet, Flow};

/// Explains a call that nodes forward, from a network that need not be the pod's (NW42): the way
/// out as the caller's, the way in as a node's.
fn explain_forwarded(graph: &AllowGraph, flow: &Flow) -> Explanation {
    let mut explanation = explain(graph, flow);
    let families = graph.environment().end_families(flow.destination).told();
    let node = graph.any_node(families.unwrap_or(FamilySet::BOTH)).next();
    if let Some(node) = node {
        let source = Endpoint::Address(node);
        let by_node = explain_call(graph, &Flow { source, ..*flow }, ConnectionOrigin::ByNode);
        explanation.ingress = by_node.ingress;
        explanation.other = None;
        explanation.allowed = explanation.egress.allowed.and(explanation.ingress.allowed);
    }
    explanation
}

/// Explains a flow, taking into account how a Service changes it.
pub fn explain_led(graph: &AllowGraph, led: Option<ViaService>, flow: &Flow) -> Explanation {
    let Some(effect) = led else {
        return explain(graph, flow);
    };
    if let ViaService::ByName(id) = effect
        && let Some((called, changed)) = called_by_name(graph, id, flow.source, flow.destination)
    {
        return explain_led(&called, changed, flow);
    }
    let mut explanation = match effect {
        ViaService::ToItself => explain_call(
            graph,
            flow,
            ConnectionOrigin::OwnService {
                undefined_are_asked: true,
            },
        ),
        ViaService::OfNode(own) => explain_call(graph, flow, ConnectionOrigin::OfNode(own)),
        ViaService::Rewritten(_, dialled)
            if !matches!(dialled, Dialled::Cluster(_))
                && graph.environment().policies.plugin.networks.is_some() =>
        {
            explain_forwarded(graph, flow)
        }
        ViaService::ThroughNode(_)
        | ViaService::PolicedNode(_)
        | ViaService::Rewritten(..)
        | ViaService::ByName(_)
        | ViaService::OwnNode(_) => explain(graph, flow),
    };
    if effect == ViaService::OwnNode(Truth::No) {
        explanation.allowed = Truth::No;
        explanation.led = led;
        return explanation;
    }
    let allowed = allowed(graph, led, flow.source, flow.destination);
    let is_unknown = allowed.unknown().contains(flow.traffic);
    if is_unknown && explanation.allowed != Truth::Maybe {
        explanation.allowed = Truth::Maybe;
        explanation.led = led;
    }
    explanation
}
