//! The smallest addition to the policies that lets through what is asked for, and nothing else.
//!
//! Phases:
//! 1. [`needs`] finds the sides that do not certainly allow, and why.
//! 2. [`candidates`] lists, for each of them, the additions worth trying, the smallest first.
//! 3. [`suggest`] applies them in memory and keeps the first that, according to [`verify`], opens
//!    what is asked for and changes nothing else.
//!
//! What no addition can do is answered with the obstacle. Cost: one compilation per attempt.
//!
//! Road not taken: widening an existing peer or selector. It is sometimes shorter, and opens more
//! than was asked for.

use crate::graph::AllowGraph;
use crate::input::Input;
use crate::model::Truth;
use crate::policy::tier::kubernetes;
use crate::policy::{Direction, PolicySet, RuleRef};
use crate::query::ask::answer::Pair;
use crate::query::ask::resolved::End;
use crate::query::explain::explanation::{ExplanationSide, Reason, explain};
use crate::query::suggest::candidates::candidates;
use crate::query::suggest::obstacle::Need;
pub use crate::query::suggest::obstacle::{Obstacle, Suggested};
use crate::query::suggest::trial::{Addition, AskedFlows, Failure, ends, verify};
use crate::set::{IpSet, Protocol, Traffic, TrafficSet};
use crate::spec::{Endpoint, Flow};
use std::collections::BTreeSet;

/// The number of flows of a question that are explained.
const LOOKED_AT: usize = 400;
/// Computes the smallest addition that lets the traffic of a pair through.
pub fn suggest(input: &Input, graph: &AllowGraph, pair: &Pair) -> Suggested {
    suggest_where(input, graph, pair, &mut |_| true)
}

/// Computes the smallest addition that lets the traffic of a pair through and is accepted.
pub fn suggest_where(
    input: &Input,
    graph: &AllowGraph,
    pair: &Pair,
    accepts: &mut dyn FnMut(&[Addition]) -> bool,
) -> Suggested {
    if pair.led.is_some() {
        return service_obstacles(graph, pair);
    }
    let asked = asked(pair);
    let needs = needs(graph, &asked);
    if needs.is_empty() {
        return Suggested::Nothing;
    }
    let firm: Vec<Obstacle> = needs.iter().filter_map(|n| obstacle(graph, n)).collect();
    if !firm.is_empty() {
        return Suggested::Impossible(distinct(firm));
    }
    let mut sides: Vec<Vec<Addition>> = Vec::new();
    for direction in [Direction::Egress, Direction::Ingress] {
        let on_side: Vec<&Need> = needs.iter().filter(|n| n.direction == direction).collect();
        if on_side.is_empty() {
            continue;
        }
        match candidates(graph, pair, &asked, direction, &on_side) {
            Ok(found) => sides.push(found),
            Err(obstacle) => return Suggested::Impossible(vec![obstacle]),
        }
    }
    first_sufficient(input, graph, &sides, &asked, accepts).unwrap_or_else(|failures| {
        let baseline = needs
            .iter()
            .filter(|n| matches!(n.side.reason, Reason::DenyTier(_)))
            .filter_map(|n| n.side.decided_by);
        let failed = failures.into_iter().filter_map(|f| failed(&f));
        Suggested::Impossible(distinct(
            baseline.map(Obstacle::Baseline).chain(failed).collect(),
        ))
    })
}

/// The obstacles to a connection that a Service changes (S54, S41). No `NetworkPolicy` decides
/// there: none applies to a pod that calls itself, and the address by which it sees a caller at a
/// node is unknown.
fn service_obstacles(graph: &AllowGraph, pair: &Pair) -> Suggested {
    let explanation = pair.explain(graph);
    if explanation.allowed == Truth::Yes {
        return Suggested::Nothing;
    }
    if explanation.led.is_some() {
        let obstacle = Obstacle::Unknown(Direction::Ingress, explanation.reason());
        return Suggested::Impossible(vec![obstacle]);
    }
    let policies = &graph.environment().policies;
    let sides = explanation.sides().into_iter();
    let obstacles = sides.filter_map(|side| service_obstacle(policies, side));
    Suggested::Impossible(obstacles.collect())
}

/// The obstacle on one side of a connection that a Service changes.
fn service_obstacle(policies: &PolicySet, side: &ExplanationSide) -> Option<Obstacle> {
    match (side.reason, side.decided_by) {
        _ if side.allowed == Truth::Yes => None,
        (Reason::DenyTier(_), Some(rule)) if !precedes_network_policies(policies, rule) => {
            Some(Obstacle::Baseline(rule))
        }
        (_, Some(rule)) => Some(Obstacle::Admin(rule)),
        (reason, None) => Some(Obstacle::Unknown(side.direction, reason)),
    }
}

/// Whether a rule is evaluated before any `NetworkPolicy`.
fn precedes_network_policies(policies: &PolicySet, rule: RuleRef) -> bool {
    policies.is_before(policies.get(rule.policy).tier, kubernetes::NETWORK)
}

/// The flows that a pair is about.
fn asked(pair: &Pair) -> AskedFlows {
    let pods = |end: &End| match end {
        End::Pods { pods, .. } => pods.iter().copied().collect(),
        End::Addresses { .. } => BTreeSet::new(),
    };
    let addresses = |end: &End| match end {
        End::Pods { .. } => IpSet::empty(),
        End::Addresses { set, .. } => set.clone(),
    };
    AskedFlows {
        sources: pods(&pair.source),
        from: addresses(&pair.source),
        destinations: pods(&pair.destination),
        to: addresses(&pair.destination),
        traffic: pair.asked.clone(),
    }
}

/// The sides that do not certainly allow, each kind once.
fn needs(graph: &AllowGraph, asked: &AskedFlows) -> Vec<Need> {
    let sources = ends(graph, &asked.sources, &asked.from);
    let destinations = ends(graph, &asked.destinations, &asked.to);
    let flows = sources
        .iter()
        .flat_map(|s| destinations.iter().map(move |d| (*s, *d)))
        .take(LOOKED_AT);
    let mut needs: Vec<Need> = Vec::new();
    for (source, destination) in flows {
        for traffic in missing(graph, asked, source, destination) {
            let explanation = explain(
                graph,
                &Flow {
                    source,
                    destination,
                    traffic,
                },
            );
            let other = explanation
                .other
                .into_iter()
                .flat_map(|w| [w.egress, w.ingress]);
            let sides = [explanation.egress, explanation.ingress]
                .into_iter()
                .chain(other);
            for side in sides.filter(|s| s.allowed != Truth::Yes) {
                let key = |s: &ExplanationSide| (s.direction, s.reason, s.decided_by, s.subject);
                if !needs.iter().any(|need| key(&need.side) == key(&side)) {
                    needs.push(Need {
                        direction: side.direction,
                        side,
                    });
                }
            }
        }
    }
    needs
}

/// One port of each piece of traffic that is asked for and not certainly allowed.
fn missing(
    graph: &AllowGraph,
    asked: &AskedFlows,
    source: Endpoint,
    destination: Endpoint,
) -> Vec<Traffic> {
    let missing: TrafficSet = asked
        .traffic
        .difference(&graph.allowed(source, destination).must);
    missing.pieces().map(example).collect()
}

/// One port of a piece of traffic; of other protocols none can be named, so that TCP stands for
/// them.
fn example(piece: crate::set::traffic::TrafficRange) -> Traffic {
    match piece {
        crate::set::traffic::TrafficRange::Ports(protocol, port, _)
        | crate::set::traffic::TrafficRange::Messages(protocol, port, _) => {
            Traffic { protocol, port }
        }
        crate::set::traffic::TrafficRange::OtherProtocols => Traffic {
            protocol: Protocol::Tcp,
            port: 1,
        },
    }
}

/// The obstacle of a side that no `NetworkPolicy` can overcome.
fn obstacle(graph: &AllowGraph, need: &Need) -> Option<Obstacle> {
    let policies = &graph.environment().policies;
    let side = &need.side;
    let admin_doubt = side
        .doubts
        .iter()
        .any(|doubt| precedes_network_policies(policies, doubt.at));
    match (side.reason, side.decided_by) {
        (Reason::DenyTier(_), Some(rule)) if precedes_network_policies(policies, rule) => {
            Some(Obstacle::Admin(rule))
        }
        (Reason::DenyRule, Some(rule)) => Some(Obstacle::Admin(rule)),
        (
            Reason::UnknownUnsupportedKind
            | Reason::UnknownBrokenPolicy
            | Reason::UnknownPriority
            | Reason::UnknownCondition,
            _,
        ) => Some(Obstacle::Unknown(need.direction, side.reason)),
        (reason, _) if admin_doubt => Some(Obstacle::Unknown(need.direction, reason)),
        _ => None,
    }
}

/// The first combination of one addition per side that is sufficient.
fn first_sufficient(
    input: &Input,
    graph: &AllowGraph,
    sides: &[Vec<Addition>],
    asked: &AskedFlows,
    accepts: &mut dyn FnMut(&[Addition]) -> bool,
) -> Result<Suggested, Vec<Failure>> {
    let mut combinations: Vec<Vec<Addition>> = vec![Vec::new()];
    for side in sides {
        combinations = combinations
            .iter()
            .flat_map(|so_far| {
                let longer = |change| so_far.iter().chain([change]).cloned().collect::<Vec<_>>();
                side.iter().map(longer).collect::<Vec<_>>()
            })
            .collect();
    }
    let mut failures = Vec::new();
    for changes in combinations.into_iter().filter(|c| !c.is_empty()) {
        match verify(input, graph, &changes, asked) {
            Ok(_) if accepts(&changes) => return Ok(Suggested::Changes(changes)),
            Ok(_) => {} // it stands against something else that must hold
            Err(failure) => failures.push(failure),
        }
    }
    Err(failures)
}

/// The obstacle that a failed attempt shows.
fn failed(failure: &Failure) -> Option<Obstacle> {
    match failure {
        Failure::Unusable => None,
        Failure::NotEnough(flow) => Some(Obstacle::NotEnough(*flow)),
        Failure::Turns(turned) => Some(Obstacle::Turns(*turned)),
        Failure::TooWide => Some(Obstacle::TooWide),
    }
}

/// Each obstacle once. Of several additions that change something else, the last and narrowest is
/// kept.
fn distinct(obstacles: Vec<Obstacle>) -> Vec<Obstacle> {
    let mut kept: Vec<Obstacle> = Vec::new();
    for obstacle in obstacles.into_iter().rev() {
        let kind = std::mem::discriminant(&obstacle);
        let firm = matches!(obstacle, Obstacle::Admin(_) | Obstacle::Baseline(_));
        let known = kept
            .iter()
            .any(|k| *k == obstacle || (!firm && std::mem::discriminant(k) == kind));
        if !known {
            kept.push(obstacle);
        }
    }
    kept.reverse();
    kept
}
