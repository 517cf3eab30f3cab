//! Isolation over hops: whoever takes over a source starts connections to everything that accepts
//! them, and continues from there.
//!
//! Phases: [`Paths::new`] searches backward from the targets, breadth first; the shortest path is
//! read off its steps; [`cut`] computes the cheapest set of workloads at which all paths are cut.
//! Certain paths are searched first, then those that depend on something unknown.
//!
//! Model: a hop needs any port, the last one a port that is named. Paths lead through workloads on
//! the pod network. Nodes, and pods on their node's network, are passed through only with
//! `through: [nodes]`: a node reaches its own pods whatever the policies say (S55), so it would
//! connect everything with everything. Pods that are not in the input are ends of paths, and never
//! on the way (S146): what is there need not exist for a path to be told. Cost: that of the search
//! and of the cut.

use crate::check::judge::Judge;
use crate::check::outcome::{ClaimVerdict, Example};
use crate::check::path_cut::cut;
use crate::check::paths::{PathQuery, Paths};
use crate::check::schema::Isolated;
use crate::check::scope::{Scopes, Trouble};
use crate::graph::{AllowGraph, Allowed};
use crate::set::TrafficSet;

/// Whether no path leads from one end to the other.
pub fn isolated(
    graph: &AllowGraph,
    scopes: &Scopes<'_>,
    judge: &mut Judge<'_>,
    spec: &Isolated,
) -> Result<ClaimVerdict, Trouble> {
    let (from, to) = (scopes.text(&spec.from)?, scopes.destination(&spec.to)?);
    let vias = spec
        .except_via
        .texts()
        .iter()
        .map(|t| scopes.text(t))
        .collect::<Result<Vec<_>, _>>()?;
    let mut query = PathQuery::new(graph, spec, &from, &to, &vias)?;
    query.only_through(|pod| judge.is_loaded(pod));
    let doubtful = !from.doubtful.is_empty() || !to.doubtful.is_empty();
    for (certain, pass) in [
        (true, certain as fn(&Allowed) -> TrafficSet),
        (false, possible),
    ] {
        let paths = Paths::new(&query, pass);
        let Some(source) = paths.nearest(&query) else {
            continue;
        };
        let hops = paths.hops(&query, source);
        hops.iter().for_each(|flow| judge.exercise(flow));
        let cut = if hops.len() > 1 {
            cut(&query, &paths, pass)
        } else {
            Vec::new()
        };
        let example = Example::Path {
            hops,
            cut,
            pairs: paths.pairs(&query),
        };
        let failed = certain && !doubtful;
        return Ok(if failed {
            ClaimVerdict::failed(example)
        } else {
            ClaimVerdict::undecided(example)
        });
    }
    Ok(ClaimVerdict::passed())
}

/// What certainly passes.
fn certain(allowed: &Allowed) -> TrafficSet {
    allowed.must.clone()
}

/// What may pass.
fn possible(allowed: &Allowed) -> TrafficSet {
    allowed.may.clone()
}
