//! What governed workloads admit from pods that are not in the input, and send to them: the rows of
//! a list that the input does not exhaust.
//!
//! A pod of every kind is laid over a copy of the input ([`crate::potential`]), and every governed
//! workload is asked about each kind that no loaded pod is of. A policy whose subjects are not
//! loaded is met as a kind too. Cost: a compilation, and an edge query per governed workload and
//! kind, of which [`MOST`] are made at most.

use crate::compile::effective_policy::EffectivePolicy;
use crate::graph::{AllowGraph, Allowed, CompileError};
use crate::input::Input;
use crate::model::{PodId, WorkloadId};
use crate::policy::Direction;
use crate::potential::{PotentialPods, World};
use crate::set::TrafficSet;
use crate::set::hashed::IndexMap;
use crate::spec::{CompileOptions, Endpoint};
use std::collections::BTreeSet;

/// Most pairs of a workload and a kind that are asked about.
const MOST: usize = 200_000;

/// What one end may send to or receive from kinds of pods that are not loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PotentialRow {
    /// The governed end: a workload, or itself a kind.
    pub governed: GovernedEnd,
    /// Whether the kinds send to it, or receive from it.
    pub direction: Direction,
    /// What passes.
    pub allowed: Allowed,
    /// The kinds: indices of [`PotentialPods::kinds`].
    pub kinds: BTreeSet<usize>,
}

/// An end that a policy governs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GovernedEnd {
    /// A workload of the input.
    Workload(WorkloadId),
    /// A kind of pods that a policy selects.
    Kind(usize),
}

/// The rows about pods that are not in the input.
#[derive(Debug, Clone, Default)]
pub struct PotentialRows {
    /// The kinds.
    pub pods: PotentialPods,
    /// The rows, by governed end.
    pub rows: Vec<PotentialRow>,
    /// Whether there are more kinds than could be asked about.
    pub incomplete: bool,
}

/// Lists what governed ends admit from kinds that no loaded pod is of, and may send to them.
///
/// # Errors
/// When the input with the kinds is too large to compile.
pub fn potential_rows(
    input: &Input,
    options: &CompileOptions,
    world: World,
) -> Result<PotentialRows, CompileError> {
    if world == World::Closed || input.policies.policies.is_empty() {
        return Ok(PotentialRows::default());
    }
    let pods = PotentialPods::of([input, input], world == World::Open, |_| true, []);
    let asked = pods.kinds.iter().filter(|kind| !kind.loaded).count();
    let governed = input.cluster.workloads().len() + pods.kinds.len();
    if !pods.complete || governed.saturating_mul(asked) > MOST {
        return Ok(PotentialRows {
            incomplete: true,
            ..PotentialRows::default()
        });
    }
    let (laid, first) = pods.laid_over(input, 0);
    let graph = AllowGraph::compile(&laid, options)?;
    let workloads: Vec<(WorkloadId, Vec<PodId>)> = laid
        .cluster
        .workloads()
        .map(|(id, workload)| (id, workload.pods.clone()))
        .collect();
    let kind_of = |id: WorkloadId| (id >= first).then(|| (id.0 - first.0) as usize);
    let unloaded: Vec<(usize, PodId)> = workloads
        .iter()
        .filter_map(|(id, pods)| Some((kind_of(*id)?, *pods.first()?)))
        .filter(|(kind, _)| !pods.kinds[*kind].loaded)
        .collect();
    let mut found = PotentialRows {
        pods,
        ..PotentialRows::default()
    };
    for (id, members) in &workloads {
        let governed = match kind_of(*id) {
            None => GovernedEnd::Workload(*id),
            Some(kind) if !found.pods.kinds[kind].loaded => GovernedEnd::Kind(kind),
            Some(_) => continue,
        };
        for direction in Direction::ALL {
            let rows = rows_of(&graph, members, direction, &unloaded);
            let row = |(allowed, kinds)| PotentialRow {
                governed,
                direction,
                allowed,
                kinds,
            };
            found.rows.extend(rows.into_iter().map(row));
        }
    }
    Ok(found)
}

/// The kinds by what passes in one direction of a workload; nothing where no policy governs it.
fn rows_of(
    graph: &AllowGraph,
    members: &[PodId],
    direction: Direction,
    kinds: &[(usize, PodId)],
) -> IndexMap<Allowed, BTreeSet<usize>> {
    let mut rows: IndexMap<Allowed, BTreeSet<usize>> = IndexMap::default();
    let is_open = |pod: &PodId| {
        let effective = graph.effective(Endpoint::Pod(*pod), direction);
        effective.is_none_or(EffectivePolicy::is_open)
    };
    let is_host = |pod: &PodId| graph.environment().cluster.pod(*pod).host_network;
    if members.iter().all(is_open) || members.iter().any(is_host) {
        return rows; // of host-network pods it is said once that they are unknown (S56)
    }
    for (kind, other) in kinds {
        let mut total: Option<Allowed> = None;
        for pod in members {
            let (pod, other) = (Endpoint::Pod(*pod), Endpoint::Pod(*other));
            let allowed = match direction {
                Direction::Ingress => graph.allowed(other, pod),
                Direction::Egress => graph.allowed(pod, other),
            };
            total = Some(total.map_or(allowed.clone(), |so_far| so_far.either(&allowed)));
        }
        if let Some(allowed) = total.filter(|allowed| allowed.may != TrafficSet::empty()) {
            rows.entry(allowed).or_default().insert(*kind);
        }
    }
    rows
}
