//! The full answer to a question: every pair of ends with flows that demonstrate its verdict, each
//! explained.
//!
//! A pair whose verdict differs between ports is demonstrated twice, by a flow that is blocked and
//! by one that passes. Cost: that of [`ask`], and one explanation for each flow.

use crate::graph::AllowGraph;
use crate::input::Input;
use crate::query::ask::answer::{Answer, Pair, Verdict, ask};
use crate::query::ask::grammar::Question;
use crate::query::ask::resolve::{Context, ResolveError};
use crate::query::ask::service_effect;
use crate::query::ask::via_service;
use crate::query::explain::explanation::{Explanation, Reason};
use crate::query::suggest::suggestion::{Suggested, suggest};
use crate::spec::Flow;

/// One pair of ends with what demonstrates its verdict.
#[derive(Debug, Clone)]
pub struct Shown {
    /// What would let its traffic through, if that was asked for and not everything passes.
    pub suggested: Option<Suggested>,
    /// The reason of its verdict.
    pub reason: Reason,
    /// The explained flows that demonstrate it, blocked ones first; empty if no traffic was asked
    /// about (a port name that no pod has).
    pub walks: Vec<Explanation>,
}

/// The full answer.
#[derive(Debug, Clone)]
pub struct Why {
    /// The answer.
    pub answer: Answer,
    /// What demonstrates each of its pairs, in the same order.
    pub shown: Vec<Shown>,
}

impl Why {
    /// The reason of the answer: that of a pair with the same verdict, if there is one.
    pub fn reason(&self) -> Reason {
        let pairs = || self.answer.pairs.iter().zip(&self.shown);
        let same = pairs()
            .find(|(p, _)| p.verdict == self.answer.verdict)
            .or_else(|| pairs().next());
        let nothing = if self.answer.no_backend {
            Reason::NoBackend
        } else {
            Reason::UnknownNoEndpoints
        };
        same.map_or(nothing, |(_, shown)| shown.reason)
    }
}

/// Answers a question and explains every pair.
///
/// # Errors
/// When an end does not exist in this input.
pub fn why(
    graph: &AllowGraph,
    context: &Context,
    question: &Question,
) -> Result<Why, ResolveError> {
    let answer = ask(graph, context, question)?;
    let shown = answer.pairs.iter().map(|p| show(graph, p)).collect();
    Ok(Why { answer, shown })
}

/// The number of pairs for which a suggestion is computed; each costs a few compilations.
const SUGGESTED: usize = 20;

/// Adds suggestions to the first pairs that are not fully allowed.
pub fn add_suggestions(why: &mut Why, input: &Input, graph: &AllowGraph) {
    let several = why.answer.pairs.len() > 1;
    let pairs = why.answer.pairs.iter().zip(&mut why.shown);
    let wanted =
        pairs.filter(|(p, _)| !(p.asked.is_empty() || several && p.verdict == Verdict::Yes));
    for (pair, shown) in wanted.take(SUGGESTED) {
        shown.suggested = Some(suggest(input, graph, pair));
    }
}

/// What demonstrates the verdict on one pair.
pub fn show(graph: &AllowGraph, pair: &Pair) -> Shown {
    if pair.asked.is_empty() {
        return Shown {
            suggested: None,
            reason: Reason::UnknownNamedPort,
            walks: Vec::new(),
        };
    }
    let asked = pair.asking(graph);
    let walks: Vec<Explanation> = flows(graph, pair)
        .iter()
        .map(|f| via_service::explain_led(&asked, pair.led, f))
        .collect();
    let reason = walks
        .first()
        .map_or(Reason::UnknownNoEndpoints, Explanation::reason);
    Shown {
        suggested: None,
        reason,
        walks,
    }
}

/// The pair's example; where the verdict differs between pods, addresses or ports, one flow that is
/// blocked (or unknown) and one that passes.
fn flows(graph: &AllowGraph, pair: &Pair) -> Vec<Flow> {
    if pair.verdict != Verdict::Partly {
        return vec![pair.example];
    }
    if let (false, Some(passing)) = (pair.parts.is_empty(), pair.passing) {
        return vec![pair.example, passing];
    }
    let allowed = service_effect::allowed(
        graph,
        pair.led,
        pair.example.source,
        pair.example.destination,
    );
    let blocked = pair
        .asked
        .difference(&allowed.must)
        .difference(&allowed.unknown());
    let worse = blocked
        .sample()
        .or_else(|| pair.asked.intersection(&allowed.unknown()).sample());
    let better = pair.asked.intersection(&allowed.must).sample();
    let flows: Vec<Flow> = [worse, better]
        .into_iter()
        .flatten()
        .map(|traffic| Flow {
            traffic,
            ..pair.example
        })
        .collect();
    if flows.is_empty() {
        vec![pair.example]
    } else {
        flows
    }
}
