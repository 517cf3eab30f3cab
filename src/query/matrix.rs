//! The allow-graph as a square: from every namespace (or workload) to every other, and to and from the internet.
//!
//! Built from the table of `list` and its open ends, never from pairs of pods: a cell holds all traffic that passes between
//! some pair of workloads of the two. Cost: O(lines of the listing + sides squared).

use super::list::{Listing, Party};
use crate::compile::{AllowGraph, Allowed};
use crate::model::{NamespaceId, WorkloadId};
use crate::set::{IpSet, TrafficSet};
use std::collections::BTreeMap;

/// What a row and a column stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// A namespace.
    Namespace(NamespaceId),
    /// A workload.
    Workload(WorkloadId),
    /// Public addresses.
    Internet,
}

/// What the sides are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum By {
    /// Namespaces with workloads.
    #[default]
    Namespace,
    /// Workloads.
    Workload,
}

/// The square.
#[derive(Debug, Clone)]
pub struct Matrix {
    /// What the sides are.
    pub by: By,
    /// Rows and columns, by name, the internet last.
    pub sides: Vec<Side>,
    /// Per row and column, what passes; nothing where a cell is missing.
    pub cells: BTreeMap<(usize, usize), Allowed>,
}

impl Matrix {
    /// What passes from one side to another.
    pub fn cell(&self, from: usize, to: usize) -> Option<&Allowed> {
        self.cells.get(&(from, to))
    }
}

/// Builds the square from a listing of everything.
pub fn matrix(graph: &AllowGraph, listing: &Listing, by: By) -> Matrix {
    let cluster = &graph.world().cluster;
    let side_of = |w: WorkloadId| match by {
        By::Namespace => Side::Namespace(cluster.workload(w).namespace),
        By::Workload => Side::Workload(w),
    };
    let mut sides: Vec<(String, Side)> = cluster
        .workloads()
        .map(|(w, workload)| match by {
            By::Namespace => (cluster.namespace(workload.namespace).name.to_string(), side_of(w)),
            By::Workload => (cluster.workload_name(w), side_of(w)),
        })
        .collect();
    sides.sort();
    sides.dedup();
    let mut sides: Vec<Side> = sides.into_iter().map(|(_, side)| side).collect();
    sides.push(Side::Internet);
    let at: BTreeMap<Side, usize> = sides.iter().enumerate().map(|(i, s)| (*s, i)).collect();
    let internet = IpSet::internet();
    let place = |party: &Party| match party {
        Party::Workload(w) => at.get(&side_of(*w)).copied(),
        Party::Addresses(set) if set.is_disjoint(&internet) => None,
        Party::Addresses(_) => at.get(&Side::Internet).copied(),
    };
    let mut cells: BTreeMap<(usize, usize), Allowed> = BTreeMap::new();
    for entry in &listing.entries {
        if let (Some(from), Some(to)) = (place(&entry.source), place(&entry.destination)) {
            add(cells.entry((from, to)).or_default(), &entry.allowed);
        }
    }
    open(listing, &sides, &mut cells, |w| at.get(&side_of(w)).copied());
    Matrix { by, sides, cells }
}

/// What open ends imply and the listing does not repeat.
fn open(
    listing: &Listing,
    sides: &[Side],
    cells: &mut BTreeMap<(usize, usize), Allowed>,
    at: impl Fn(WorkloadId) -> Option<usize>,
) {
    let places = |list: &[WorkloadId]| {
        let mut places: Vec<usize> = list.iter().filter_map(|w| at(*w)).collect();
        places.push(sides.len() - 1);
        places.sort_unstable();
        places.dedup();
        places
    };
    let all = Allowed { sure: TrafficSet::all(), unknown: TrafficSet::empty() };
    for from in places(&listing.open_out) {
        for to in places(&listing.open_in) {
            let outside = sides.len() - 1;
            if (from, to) != (outside, outside) {
                add(cells.entry((from, to)).or_default(), &all);
            }
        }
    }
}

fn add(cell: &mut Allowed, allowed: &Allowed) {
    cell.sure = cell.sure.union(&allowed.sure);
    cell.unknown = cell.unknown.union(&allowed.unknown).difference(&cell.sure);
}
