//! The executable specification: one flow, every rule, no tables (S130, S131). Plain, never
//! optimized.
//!
//! A decision is a set of outcomes that are possible given what is known. Where everything is known
//! the set has one member; a peer that may or may not match keeps both outcomes open. Unknown is
//! then simply "both allow and deny are possible", and no three-valued logic is needed beyond
//! single matches.
//!
//! Phases: [`evaluate`] takes the best of the families and what all modes of host-network pods
//! agree on; [`side`] decides one direction by asking each layer ([`super::tiers`]). Whether a rule
//! matches is in [`super::matching`].
//!
//! Cost: O(policies x rules) for one flow. The compiled graph must agree with this file on every
//! flow.

use crate::model::{PodId, Truth};
use crate::policy::{Direction, PolicyId, Taint, TaintEffect, TaintSubject};
use crate::spec::address_families::FamilySet;
use crate::spec::environment::{Endpoint, Environment, Flow, HostNetworkMode};
use crate::spec::matching::subject_selects;
pub use crate::spec::question::side_of;
use crate::spec::question::{Case, ConnectionOrigin, DirectionQuestion, Tainted};
use crate::spec::tiers::layer;
use crate::spec::trace::{Doubt, Trace};

/// Decides one flow.
pub fn evaluate(env: &Environment, flow: &Flow) -> Truth {
    if is_self(env, flow) {
        return Truth::Yes; // S53
    }
    evaluate_from(env, flow, ConnectionOrigin::Direct)
}

/// Whether a pod reaches itself: one running pod, not two replicas of one template (S53).
pub fn is_self(env: &Environment, flow: &Flow) -> bool {
    match (flow.source, flow.destination) {
        (Endpoint::Pod(a), Endpoint::Pod(b)) => a == b && env.cluster.pod(a).is_single(),
        (Endpoint::Address(a), Endpoint::Address(b)) => a == b,
        _ => false,
    }
}

/// Decides a flow that came about in some way: a pod's call to itself through a Service (S54,
/// S122), or a connection whose source is the address of a node that took the caller's place (S41,
/// S63). Where the modes of host-network pods differ, both outcomes are possible (S56).
pub fn evaluate_from(env: &Environment, flow: &Flow, origin: ConnectionOrigin) -> Truth {
    let each = env
        .host_network_modes()
        .iter()
        .map(|&mode| in_mode(env, flow, mode, origin));
    each.reduce(Truth::either).unwrap_or(Truth::Maybe)
}

/// A connection uses one family that both ends have; it is reachable if one such family lets it
/// through both ways. Where the families of an end are not told, all cases are possible (S65).
fn in_mode(
    env: &Environment,
    flow: &Flow,
    mode: HostNetworkMode,
    origin: ConnectionOrigin,
) -> Truth {
    let best_of = |families: FamilySet| {
        let each = families.iter().map(|family| {
            let case = Case {
                origin,
                ..Case::new(mode, family)
            };
            in_family(env, flow, &case)
        });
        each.fold(Truth::No, Truth::or)
    };
    let cases = env.family_cases(flow.source, flow.destination).into_iter();
    cases
        .map(best_of)
        .reduce(Truth::either)
        .unwrap_or(Truth::Maybe)
}

/// The source's egress and the destination's ingress must both allow (S18).
fn in_family(env: &Environment, flow: &Flow, case: &Case) -> Truth {
    side(env, flow, Direction::Egress, case, &mut ()).and(side(
        env,
        flow,
        Direction::Ingress,
        case,
        &mut (),
    ))
}

/// What may come out on one side of a flow, while the mode of host-network pods and the family are
/// fixed: every layer must allow.
pub fn side(
    env: &Environment,
    flow: &Flow,
    direction: Direction,
    case: &Case,
    trace: &mut impl Trace,
) -> Truth {
    side_among(env, flow, direction, case, None, trace)
}

/// [`side`] where the policies that may select the governed pod are known, in the order of the
/// policy set: no other policy has a say. Costs O(rules of these).
pub(crate) fn side_among(
    env: &Environment,
    flow: &Flow,
    direction: Direction,
    case: &Case,
    selecting: Option<&[PolicyId]>,
    trace: &mut impl Trace,
) -> Truth {
    let (subject, peer) = side_of(flow, direction);
    let Some(pod) = env.governed(subject) else {
        let policed = env.may_be_policed_node(subject, direction);
        return doubted(policed, Truth::Yes, trace); // no rule governs an outside address
    };
    let taint = if let Endpoint::Pod(pod) = subject {
        taints(env, pod, direction, case)
    } else {
        Tainted {
            only_deny: env.may_be_policed_node(subject, direction),
            ..Tainted::default()
        }
    };
    if taint.anything {
        trace.doubt(Doubt::Taint(TaintEffect::Anything));
        return Truth::Maybe;
    }
    let question = DirectionQuestion {
        env,
        flow,
        pod,
        peer,
        direction,
        case,
        taint,
        selecting,
    };
    let layers = env.layers.iter();
    let allowed = layers
        .map(|(_, tiers)| layer(&question, tiers, trace))
        .fold(Truth::Yes, Truth::and);
    doubted(taint.only_deny, allowed, trace)
}

/// What is left of an answer where something that is not modelled may deny.
fn doubted(may_deny: bool, allowed: Truth, trace: &mut impl Trace) -> Truth {
    if !may_deny || !allowed.possible() {
        return allowed;
    }
    trace.doubt(Doubt::Taint(TaintEffect::OnlyDeny));
    Truth::Maybe
}

/// Collects the taints on a pod.
pub fn taints(env: &Environment, pod: PodId, direction: Direction, case: &Case) -> Tainted {
    let mut tainted = Tainted {
        only_deny: env.may_be_policed_node(Endpoint::Pod(pod), direction),
        ..Tainted::default()
    };
    if !env.options.taints {
        return tainted;
    }
    for taint in env
        .policies
        .taints
        .iter()
        .filter(|t| taint_touches(env, t, pod, direction, case.mode))
    {
        match taint.effect {
            TaintEffect::Anything => tainted.anything = true,
            TaintEffect::UnorderedTier => tainted.unordered = true,
            TaintEffect::OnlyDeny => tainted.only_deny = true,
        }
    }
    tainted
}

/// Whether a policy that could not be modelled may govern an end of a flow.
pub fn taint_touches_end(
    env: &Environment,
    taint: &Taint,
    end: Endpoint,
    direction: Direction,
    mode: HostNetworkMode,
) -> bool {
    match (&taint.subject, end) {
        (TaintSubject::Pods(_), Endpoint::Pod(pod)) => {
            taint_touches(env, taint, pod, direction, mode)
        }
        (TaintSubject::Pods(_), Endpoint::Address(_)) => false,
        (TaintSubject::Nodes(addresses), _) => {
            taint.directions[direction.index()] && env.may_be_node_of(end, addresses)
        }
    }
}

/// Whether a policy that could not be modelled may govern the pod.
pub fn taint_touches(
    env: &Environment,
    taint: &Taint,
    pod: PodId,
    direction: Direction,
    mode: HostNetworkMode,
) -> bool {
    let TaintSubject::Pods(subject) = &taint.subject else {
        return false;
    };
    taint.directions[direction.index()]
        && !Environment::is_node(env.cluster.pod(pod), mode)
        && subject_selects(env, subject, pod).possible()
}
