//! Every explanation that the traffic of one row rests on.
//!
//! A row of a listing joins traffic that several rules let through: 443 by one, 6443 by another.
//! One explained flow names one of them. [`contributing`] cuts the traffic into parts that no rule
//! of either end tells apart, and explains one flow of each.
//!
//! Cost: O(rules of both effective policies), and one explanation per part: one in nearly all rows.

use crate::compile::port_sets::PortSetIx;
use crate::graph::AllowGraph;
use crate::policy::{Direction, RuleRef};
use crate::query::explain::explanation::{Explanation, explain};
use crate::set::TrafficSet;
use crate::spec::{Endpoint, Flow};

/// Most parts that are explained.
const PARTS: usize = 32;

/// Explains a flow for every part of some traffic between its ends that rules tell apart, the flow
/// itself first.
pub fn contributing(graph: &AllowGraph, example: &Flow, traffic: &TrafficSet) -> Vec<Explanation> {
    let mut found = vec![explain(graph, example)];
    let ports = told_apart(graph, example, traffic);
    if ports.is_empty() {
        return found;
    }
    let sets: Vec<&TrafficSet> = ports.iter().collect();
    let parts = TrafficSet::partition(&sets)
        .into_iter()
        .map(|(part, _)| part.intersection(traffic));
    let others = parts
        .filter(|part| !part.contains(example.traffic))
        .filter_map(|part| part.sample())
        .take(PARTS);
    found.extend(others.map(|traffic| {
        explain(
            graph,
            &Flow {
                traffic,
                ..*example
            },
        )
    }));
    found
}

/// The rules that decide those flows, those of the way in first, each once.
pub fn deciding(explanations: &[Explanation]) -> Vec<RuleRef> {
    let mut rules = Vec::new();
    for direction in [Direction::Ingress, Direction::Egress] {
        let sides = explanations.iter().flat_map(Explanation::sides);
        let decided = sides.filter(|s| s.direction == direction);
        for at in decided.filter_map(|s| s.decided_by) {
            if !rules.contains(&at) {
                rules.push(at);
            }
        }
    }
    rules
}

/// The ports of rules of either end that are on some of the traffic and not on all of it.
fn told_apart(graph: &AllowGraph, flow: &Flow, traffic: &TrafficSet) -> Vec<TrafficSet> {
    let destination = graph.space().index_of(flow.destination);
    let mut numbers = Vec::new();
    for (end, direction) in [
        (flow.source, Direction::Egress),
        (flow.destination, Direction::Ingress),
    ] {
        let Some(effective) = graph.effective(end, direction) else {
            continue;
        };
        numbers.extend(graph.rules_of(effective, direction).map(|(_, ports)| ports));
    }
    numbers.sort_unstable();
    numbers.dedup();
    let hidden = matches!(flow.destination, Endpoint::Address(_));
    let on_it = |ports: &PortSetIx| {
        graph
            .ports_at(*ports, destination, hidden)
            .intersection(traffic)
    };
    let mut sets: Vec<TrafficSet> = numbers.iter().map(on_it).collect();
    sets.retain(|set| !set.is_empty() && set != traffic);
    sets.sort_unstable();
    sets.dedup();
    sets
}
