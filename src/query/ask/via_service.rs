//! Explanations of flows that a Service may change ([`crate::query::ask::service_effect`]).
//!
//! Cost: one explanation, and a few edge queries where a Service changes the flow.

use crate::graph::AllowGraph;
use crate::model::Truth;
pub use crate::query::ask::service_effect::{ViaService, allowed};
use crate::query::explain::explanation::{Explanation, explain, explain_call};
use crate::spec::Flow;
use crate::spec::question::ConnectionOrigin;

/// Explains a flow, taking into account how a Service changes it.
pub fn explain_led(graph: &AllowGraph, led: Option<ViaService>, flow: &Flow) -> Explanation {
    let Some(effect) = led else {
        return explain(graph, flow);
    };
    let mut explanation = match effect {
        ViaService::ToItself => explain_call(
            graph,
            flow,
            ConnectionOrigin::OwnService {
                undefined_are_asked: true,
            },
        ),
        ViaService::OfNode(own) => explain_call(graph, flow, ConnectionOrigin::OfNode(own)),
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
