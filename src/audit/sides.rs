//! One side of a flow: its ends as the side sees them, and the rules that let it pass.

use crate::audit::fact::DecidedBy;
use crate::graph::AllowGraph;
use crate::model::Truth;
use crate::policy::{Action, Direction, RuleRef};
use crate::query::explain::side::{ExplanationSide, RuleTrace};
use crate::query::{Explanation, explain};
use crate::spec::{Endpoint, Flow};

/// The source and destination of a flow, of the end that is governed and the other.
pub(crate) fn ends(
    direction: Direction,
    subject: Endpoint,
    other: Endpoint,
) -> (Endpoint, Endpoint) {
    match direction {
        Direction::Ingress => (other, subject),
        Direction::Egress => (subject, other),
    }
}

pub(crate) fn side(explanation: &Explanation, direction: Direction) -> &ExplanationSide {
    match direction {
        Direction::Ingress => &explanation.ingress,
        Direction::Egress => &explanation.egress,
    }
}

/// The rules of one side that let the other end of a flow pass, on whichever port.
pub(crate) fn admitting(graph: &AllowGraph, flow: &Flow, direction: Direction) -> Vec<DecidedBy> {
    let explanation = explain(graph, flow);
    let side = side(&explanation, direction);
    let policies = &graph.environment().policies;
    let tiers = side.tiers.iter().filter(|tier| tier.reached);
    let selecting = tiers.flat_map(|tier| &tier.policies);
    let rules = selecting.filter(|policy| policy.selects == Truth::Yes);
    let rules = rules.flat_map(|policy| &policy.rules);
    let mut found: Vec<RuleRef> = rules
        .filter(|rule| policies.rule(rule.at).action == Action::Allow)
        .filter_map(matching)
        .collect();
    if found.is_empty() {
        found.extend(side.decided_by);
    }
    found.into_iter().map(DecidedBy::Rule).collect()
}

/// A rule with the peer of it that matches, if one does.
fn matching(rule: &RuleTrace) -> Option<RuleRef> {
    if rule.peers.is_empty() {
        return Some(rule.at);
    }
    let mut peers = rule.peers.iter();
    let found = peers.find(|peer| peer.matched == Truth::Yes);
    found.map(|peer| peer.at)
}
