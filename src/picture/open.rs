//! Which governed workloads are open all the same: a rule allows everything from, or to, everyone.
//!
//! Open is an attribute of a workload, not an edge to everybody else: drawn as edges, openness
//! drowns a picture at 60 workloads. A workload counts as open by rule only if every flow that this
//! implies is really there, so that leaving those flows out loses nothing. Cost: O(candidates x
//! workloads) look-ups.

use crate::picture::facts::{Openness, PictureFacts, PlaceId, PlaceKind};

/// Marks workloads that are open by rule, then drops the flows which the marks say.
pub fn by_rule(facts: &mut PictureFacts) {
    let everything: Vec<bool> = facts
        .passing
        .iter()
        .map(|p| p.sure.is_all() && !p.some && p.change.is_none())
        .collect();
    let outside: Vec<PlaceId> = facts
        .all()
        .filter(|(_, p)| matches!(p.what, PlaceKind::Internet { private: true }))
        .map(|(id, _)| id)
        .collect();
    for place in outside {
        mark(facts, &everything, place);
    }
    let mut flows = std::mem::take(&mut facts.flows);
    flows.retain(|f| !(everything[f.passing.0 as usize] && implied(facts, f.from, f.to)));
    facts.flows = flows;
}

/// Marks the workloads of which everything passes to or from everybody, an outside place among
/// them; `everything` tells of each thing that passes whether it is that. Flows are sorted, one for
/// each pair.
fn mark(facts: &mut PictureFacts, everything: &[bool], outside: PlaceId) {
    let is_full = |facts: &PictureFacts, pair: (PlaceId, PlaceId)| {
        let at = facts.flows.binary_search_by_key(&pair, |f| (f.from, f.to));
        at.is_ok_and(|at| everything[facts.flows[at].passing.0 as usize])
    };
    let candidate = |id: PlaceId, d: usize| {
        let flow = if d == 0 { (outside, id) } else { (id, outside) };
        facts.place(id).open[d] == Openness::No && is_full(facts, flow)
    };
    let workloads: Vec<PlaceId> = facts
        .all()
        .filter(|(_, p)| p.space().is_some())
        .map(|(id, _)| id)
        .collect();
    let mut candidates = [0, 1].map(|d| {
        workloads
            .iter()
            .copied()
            .filter(|id| candidate(*id, d))
            .collect::<Vec<_>>()
    });
    let default = |from: PlaceId, to: PlaceId| {
        facts.place(from).open[1] == Openness::Default
            && facts.place(to).open[0] == Openness::Default
    };
    let holds = |from, to| from == to || default(from, to) || is_full(facts, (from, to));
    let sources = open_places(facts, &workloads, 1, &candidates[1]);
    candidates[0].retain(|to| sources.iter().all(|from| holds(*from, *to)));
    let destinations = open_places(facts, &workloads, 0, &candidates[0]);
    candidates[1].retain(|from| destinations.iter().all(|to| holds(*from, *to)));
    for (d, list) in candidates.into_iter().enumerate() {
        for id in list {
            facts.places[id.0 as usize].open[d] = Openness::ByRule;
            facts.tally.open_by_rule[d] += 1;
        }
    }
}

/// The workloads that let everything pass in one direction: by default, and the candidates.
fn open_places(
    facts: &PictureFacts,
    workloads: &[PlaceId],
    d: usize,
    candidates: &[PlaceId],
) -> Vec<PlaceId> {
    let by_default = |id: &PlaceId| {
        facts.place(*id).open[d] == Openness::Default && facts.place(*id).doubt[d].is_none()
    };
    let default = workloads.iter().copied().filter(by_default);
    default
        .chain(candidates.iter().copied())
        .collect::<Vec<_>>()
}

/// Whether the marks of its ends already say that everything passes.
pub fn implied(facts: &PictureFacts, from: PlaceId, to: PlaceId) -> bool {
    let (from, to) = (facts.place(from), facts.place(to));
    match (from.space(), to.space()) {
        (Some(_), Some(_)) => from.open[1].is_open() && to.open[0].is_open(),
        (None, Some(_)) => to.open[0].is_open(),
        (Some(_), None) => from.open[1].is_open(),
        (None, None) => false,
    }
}
