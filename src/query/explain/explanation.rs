//! The walk through the tiers for one flow, with every policy, rule, peer and port that was
//! evaluated and why it did or did not match.
//!
//! Phases: [`crate::query::explain::trace`] evaluates every policy of a side, then
//! [`crate::query::explain::decision`] turns what the specification records into the reason. Only
//! the policies that govern the flow's own ends are visited (the effective policies list them), so
//! an explanation costs O(rules of both effective policies), not O(rules of the policy set). Truth
//! values come from the functions of the specification.
//!
//! Invariants: [`Explanation::allowed`] is the graph's verdict on the flow; each
//! [`ExplanationSide::allowed`] is what the specification says of that side; and
//! [`Explanation::reason`] is an `ALLOW_`, `DENY_` or `UNKNOWN_` code accordingly.

use crate::graph::AllowGraph;
use crate::model::Truth;
use crate::policy::Direction;
use crate::query::ask::service_effect::ViaService;
pub use crate::query::explain::reason::Reason;
pub use crate::query::explain::side::{
    ExplanationSide, Mismatch, PeerTrace, PolicyTrace, RuleTrace, TierTrace, names_ports,
    nearest_peer,
};
use crate::query::explain::trace::Walker;
use crate::spec::evaluate;
use crate::spec::question::{Case, ConnectionOrigin};
use crate::spec::{Endpoint, Flow, HostNetworkMode};

/// Why a flow is decided as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The flow.
    pub flow: Flow,
    /// The verdict.
    pub allowed: Truth,
    /// Egress at the source.
    pub egress: ExplanationSide,
    /// Ingress at the destination.
    pub ingress: ExplanationSide,
    /// Whether the verdict depends on how host-network pods behave (S56).
    pub host_network: bool,
    /// The sides under the other mode of host-network pods, where both have to be considered.
    pub other: Option<Box<ModeSides>>,
    /// How a Service changes the flow, where that is why the verdict is unknown.
    pub led: Option<ViaService>,
}

/// Both sides under one mode of host-network pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModeSides {
    /// The mode.
    pub mode: HostNetworkMode,
    /// Egress at the source.
    pub egress: ExplanationSide,
    /// Ingress at the destination.
    pub ingress: ExplanationSide,
}

impl ModeSides {
    /// Whether both sides together allow the flow.
    pub fn allowed(&self) -> Truth {
        self.egress.allowed.and(self.ingress.allowed)
    }
}

impl Explanation {
    /// The sides, egress first.
    pub fn sides(&self) -> [&ExplanationSide; 2] {
        [&self.egress, &self.ingress]
    }

    /// The reason of the verdict: that of the side that denies, otherwise of the side that is
    /// unknown, otherwise of ingress. Where the verdict is unknown because of host-network pods or
    /// a Service, the reason names that cause.
    pub fn reason(&self) -> Reason {
        if self.led.is_some() {
            return Reason::UnknownSnat;
        }
        if self.host_network && self.allowed == Truth::Maybe {
            return Reason::UnknownHostnetwork;
        }
        let find = |truth| self.sides().into_iter().find(|s| s.allowed == truth);
        find(Truth::No)
            .or_else(|| find(Truth::Maybe))
            .map_or(self.ingress.reason, |s| s.reason)
    }
}

/// Explains one flow.
pub fn explain(graph: &AllowGraph, flow: &Flow) -> Explanation {
    let env = graph.environment();
    if evaluate::is_self(env, flow) {
        return settled(flow, Reason::AllowSelf); // S53
    }
    explain_call(graph, flow, ConnectionOrigin::Direct)
}

/// Explains one flow with a given origin of its connection.
pub(crate) fn explain_call(
    graph: &AllowGraph,
    flow: &Flow,
    origin: ConnectionOrigin,
) -> Explanation {
    let env = graph.environment();
    let is_host = |e: &Endpoint| matches!(e, Endpoint::Pod(p) if env.cluster.pod(*p).host_network);
    let involved = [flow.source, flow.destination].iter().any(is_host);
    let host_network_modes = if involved {
        env.host_network_modes()
    } else {
        env.host_network_modes().get(..1).unwrap_or_default()
    };
    let mut by_mode = host_network_modes
        .iter()
        .filter_map(|mode| sides_under(graph, flow, *mode, origin));
    let Some(first) = by_mode.next() else {
        return settled(flow, Reason::AllowDefault);
    };
    let other = by_mode.next();
    let possible = other
        .iter()
        .fold(first.allowed(), |p, w| p.either(w.allowed()));
    let differ = other
        .as_ref()
        .is_some_and(|w| w.allowed() != first.allowed());
    // Of two certain but different answers the denial is shown, because it needs explaining.
    let shows_other = other.as_ref().is_some_and(|w| {
        first.allowed() != possible && (w.allowed() == possible || w.allowed() == Truth::No)
    });
    let (shown, other) = match other {
        Some(other) if shows_other => (other, Some(first)),
        other => (first, other),
    };
    let ModeSides {
        egress, ingress, ..
    } = shown;
    Explanation {
        flow: *flow,
        allowed: possible,
        egress,
        ingress,
        host_network: differ,
        other: other.map(Box::new),
        led: None,
    }
}

/// The explanation of a flow that no policy governs.
fn settled(flow: &Flow, reason: Reason) -> Explanation {
    let side = |direction| ExplanationSide::plain(flow, direction, reason);
    Explanation {
        flow: *flow,
        allowed: Truth::Yes,
        egress: side(Direction::Egress),
        ingress: side(Direction::Ingress),
        host_network: false,
        other: None,
        led: None,
    }
}

/// The sides under one mode of host-network pods, in the address family that allows the most (S65).
fn sides_under(
    graph: &AllowGraph,
    flow: &Flow,
    mode: HostNetworkMode,
    origin: ConnectionOrigin,
) -> Option<ModeSides> {
    let families = evaluate::families(graph.environment(), flow.source, flow.destination);
    let by_family: Vec<ModeSides> = families
        .into_iter()
        .map(|family| {
            let case = Case {
                origin,
                ..Case::new(mode, family)
            };
            ModeSides {
                mode,
                egress: walk(graph, flow, case, Direction::Egress),
                ingress: walk(graph, flow, case, Direction::Ingress),
            }
        })
        .collect();
    let best = by_family.iter().map(ModeSides::allowed).reduce(Truth::or)?;
    // INVARIANT: the best verdict over several families is the verdict of one of them.
    by_family.into_iter().find(|w| w.allowed() == best)
}

/// One side of a flow in one case.
fn walk(graph: &AllowGraph, flow: &Flow, case: Case, direction: Direction) -> ExplanationSide {
    let walker = Walker {
        graph,
        flow,
        case,
        direction,
    };
    walker.side()
}
