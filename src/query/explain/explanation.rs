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
pub use crate::query::explain::nearest::nearest_peer;
pub use crate::query::explain::reason_code::Reason;
pub use crate::query::explain::side::{
    ExplanationSide, Mismatch, PeerTrace, PolicyTrace, RuleTrace, TierTrace, names_ports,
};
use crate::query::explain::trace::Walker;
use crate::set::Family;
use crate::spec::address_families::FamilySet;
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
    /// What the address families of the ends make of it, where that decides (S65).
    pub families: Option<FamilyEffect>,
    /// How a Service changes the flow, where that is why the verdict is unknown.
    pub led: Option<ViaService>,
    /// Whether it depends on which number a port name has on a pod that is not loaded (S48); the
    /// sides are those of one that has none of the names, or all.
    pub port_untold: bool,
}

/// What the address families of the two ends make of a verdict, whatever the policies say (S65).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FamilyEffect {
    /// The ends have no address family in common, so there is no connection.
    NoneInCommon,
    /// Which family the connection uses is not told, and the policies decide differently: what they
    /// make of IPv4 and of IPv6.
    Untold([Truth; 2]),
    /// The ends have none in common on the pod network, and whether they have one on another
    /// network that they share is not told (NW3).
    PerhapsElsewhere,
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
    /// What the address families of the ends make of it, where that decides (S65).
    pub families: Option<FamilyEffect>,
}

impl ModeSides {
    /// Whether the flow is allowed: by both sides together, unless the address families decide.
    pub fn allowed(&self) -> Truth {
        match self.families {
            Some(FamilyEffect::NoneInCommon) => Truth::No,
            Some(FamilyEffect::Untold(_) | FamilyEffect::PerhapsElsewhere) => Truth::Maybe,
            None => self.egress.allowed.and(self.ingress.allowed),
        }
    }
}

impl Explanation {
    /// The sides, egress first.
    pub fn sides(&self) -> [&ExplanationSide; 2] {
        [&self.egress, &self.ingress]
    }

    /// The reason of the verdict: that of the side that denies, otherwise of the side that is
    /// unknown, otherwise of ingress. Where host-network pods, the address families of the ends or
    /// a Service decide, the reason names that cause.
    pub fn reason(&self) -> Reason {
        match self.led {
            Some(ViaService::OwnNode(Truth::No)) => return Reason::NoBackend,
            Some(ViaService::OwnNode(_)) => return Reason::UnknownNode,
            Some(_) => return Reason::UnknownSnat,
            None => {}
        }
        if self.port_untold {
            return Reason::UnknownNamedPort;
        }
        if self.host_network && self.allowed == Truth::Maybe {
            return Reason::UnknownHostnetwork;
        }
        match self.families {
            Some(FamilyEffect::NoneInCommon) => return Reason::DenyNoCommonFamily,
            Some(FamilyEffect::Untold(_) | FamilyEffect::PerhapsElsewhere) => {
                return Reason::UnknownAddressFamily;
            }
            None => {}
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
        egress,
        ingress,
        families,
        ..
    } = shown;
    Explanation {
        flow: *flow,
        allowed: possible,
        egress,
        ingress,
        host_network: differ,
        other: other.map(Box::new),
        families,
        led: None,
        port_untold: false,
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
        families: None,
        led: None,
        port_untold: false,
    }
}

/// The sides under one mode of host-network pods, in the address family that decides: the one that
/// allows the most, or, where it is not told which is used, one that denies (S65).
fn sides_under(
    graph: &AllowGraph,
    flow: &Flow,
    mode: HostNetworkMode,
    origin: ConnectionOrigin,
) -> Option<ModeSides> {
    let cases = graph
        .environment()
        .family_cases(flow.source, flow.destination);
    let usable: FamilySet = cases.iter().flat_map(|families| families.iter()).collect();
    let walked = usable.iter().chain(usable.is_empty().then_some(Family::V4));
    let by_family: Vec<(Family, ModeSides)> = walked
        .map(|family| {
            let case = Case {
                origin,
                ..Case::new(mode, family)
            };
            let sides = ModeSides {
                mode,
                egress: walk(graph, flow, case, Direction::Egress),
                ingress: walk(graph, flow, case, Direction::Ingress),
                families: usable.is_empty().then_some(FamilyEffect::NoneInCommon),
            };
            (family, sides)
        })
        .collect();
    let allowed_in = |family: Family| {
        let walked = by_family.iter().find(|(walked, _)| *walked == family);
        walked.map_or(Truth::No, |(_, sides)| sides.allowed())
    };
    let best_of = |families: &FamilySet| families.iter().map(allowed_in).fold(Truth::No, Truth::or);
    let by_case: Vec<Truth> = cases.iter().map(best_of).collect();
    let decided = by_case.iter().copied().reduce(Truth::either)?;
    // where the policies leave one family undecided, that is the better reason
    let undecided = by_family
        .iter()
        .any(|(_, sides)| sides.allowed() == Truth::Maybe);
    let untold = !undecided && by_case.iter().any(|truth| *truth != decided);
    let wanted = if untold { Truth::No } else { decided };
    let ends = [flow.source, flow.destination].map(|end| graph.environment().end_families(end));
    let effect = untold.then(|| {
        if ends[0].may_meet_elsewhere(ends[1]) {
            FamilyEffect::PerhapsElsewhere
        } else {
            FamilyEffect::Untold(Family::ALL.map(allowed_in))
        }
    });
    let shown = by_family
        .iter()
        .position(|(_, sides)| sides.allowed() == wanted);
    let (_, mut sides) = by_family.into_iter().nth(shown.unwrap_or(0))?;
    sides.families = effect.or(sides.families);
    Some(sides)
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
