//! The full answer to a question: every pair of ends with flows that show its verdict, each walked
//! through the tiers.
//!
//! A pair that differs over its ports is shown twice, by what is blocked and by what passes. Cost:
//! as [`ask`], and one explanation for each flow shown.

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

/// One pair of ends with what shows its verdict.
#[derive(Debug, Clone)]
pub struct Shown {
    /// What would let it through, where that was asked for and something is not.
    pub suggested: Option<Suggested>,
    /// Its verdict in a word's detail.
    pub reason: Reason,
    /// The flows that show it, what is blocked first; none where nothing was asked (a port name
    /// that no pod has).
    pub walks: Vec<Explanation>,
}

/// The full answer.
#[derive(Debug, Clone)]
pub struct Why {
    /// The answer.
    pub answer: Answer,
    /// What shows each of its pairs, in the same order.
    pub shown: Vec<Shown>,
}

impl Why {
    /// The reason of the whole: that of a pair with the answer's own verdict, if there is one.
    pub fn reason(&self) -> Reason {
        let pairs = || self.answer.pairs.iter().zip(&self.shown);
        let same = pairs()
            .find(|(p, _)| p.verdict == self.answer.verdict)
            .or_else(|| pairs().next());
        same.map_or(Reason::UnknownNoEndpoints, |(_, shown)| shown.reason)
    }
}

/// Asks a question and walks through the reasons.
///
/// # Errors
/// When an end means nothing in this input.
pub fn why(
    graph: &AllowGraph,
    context: &Context,
    question: &Question,
) -> Result<Why, ResolveError> {
    let answer = ask(graph, context, question)?;
    let shown = answer.pairs.iter().map(|p| show(graph, p)).collect();
    Ok(Why { answer, shown })
}

/// For how many pairs of a set a suggestion is looked for; each costs a few compiles.
const SUGGESTED: usize = 20;

/// Adds what would let each pair through, for the first pairs that are not allowed as a whole.
pub fn add_suggestions(why: &mut Why, input: &Input, graph: &AllowGraph) {
    let several = why.answer.pairs.len() > 1;
    let pairs = why.answer.pairs.iter().zip(&mut why.shown);
    let wanted =
        pairs.filter(|(p, _)| !(p.asked.is_empty() || several && p.verdict == Verdict::Yes));
    for (pair, shown) in wanted.take(SUGGESTED) {
        shown.suggested = Some(suggest(input, graph, pair));
    }
}

/// What shows the verdict on one pair.
pub fn show(graph: &AllowGraph, pair: &Pair) -> Shown {
    if pair.asked.is_empty() {
        return Shown {
            suggested: None,
            reason: Reason::UnknownNamedPort,
            walks: Vec::new(),
        };
    }
    let walks: Vec<Explanation> = flows(graph, pair)
        .iter()
        .map(|f| via_service::explain_led(graph, pair.led, f))
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

/// The pair's example; where its ends differ over the ports, one port that is blocked (or unknown)
/// and one that is not.
fn flows(graph: &AllowGraph, pair: &Pair) -> Vec<Flow> {
    if pair.verdict != Verdict::Partly {
        return vec![pair.example];
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
