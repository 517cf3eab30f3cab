//! The allow-graph as a square: from every namespace (or workload) to every other, and to and from
//! the internet.
//!
//! Built from the lines of `list` as they come and from its open ends, never from pairs of pods: a
//! cell holds all traffic that passes between some pair of workloads of the two. Cost: O(lines of
//! the listing). Held are the cells that some line is about, in a few bytes each, and the distinct
//! things that pass; what open ends imply is a mark on rows and columns.

use crate::graph::{AllowGraph, Allowed};
use crate::model::{NamespaceId, WorkloadId};
use crate::query::list::listing::{Entry, Filter, Listing, Party, each};
use crate::set::hashed::HashMap;
use crate::set::{IpSet, TrafficSet};
use indexmap::IndexSet;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

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
    /// Per row the columns some line is about, in order, each with the index of what passes.
    rows: Vec<Vec<(u32, u32)>>,
    passing: IndexSet<Allowed>,
    /// Per side whether all of one of its workloads may go anywhere, and whether one of them
    /// accepts from anyone.
    open: Vec<[bool; 2]>,
    everything: Allowed,
}

impl Matrix {
    /// What passes from one side to another; nothing where it is missing.
    pub fn cell(&self, from: usize, to: usize) -> Option<&Allowed> {
        if self.implied(from, to) {
            return Some(&self.everything);
        }
        let row = self.rows.get(from)?;
        let at = row
            .binary_search_by_key(&u32::try_from(to).ok()?, |(column, _)| *column)
            .ok()?;
        self.passing.get_index(row[at].1 as usize)
    }

    /// The cells in which something passes or may pass, row by row.
    pub fn cells(&self) -> impl Iterator<Item = ((usize, usize), &Allowed)> {
        let sides = 0..self.sides.len();
        let row = move |from: usize| {
            let open = self.open.get(from).is_some_and(|open| open[0]);
            let told = self.rows[from].iter().map(|(column, _)| *column as usize);
            let columns: Vec<usize> = if open {
                sides.clone().collect()
            } else {
                told.collect()
            };
            columns
                .into_iter()
                .filter_map(move |to| Some(((from, to), self.cell(from, to)?)))
        };
        (0..self.sides.len()).flat_map(row)
    }

    /// Whether both ends are open, so that everything passes.
    fn implied(&self, from: usize, to: usize) -> bool {
        let outside = self.sides.len() - 1;
        let open = |side: usize, way: usize| self.open.get(side).is_some_and(|open| open[way]);
        (from, to) != (outside, outside) && open(from, 0) && open(to, 1)
    }
}

/// Builds the square of everything.
pub fn matrix(graph: &AllowGraph, by: By) -> Matrix {
    let mut filling = Filling::new(graph, by);
    let listing = each(graph, &Filter::default(), &mut |entry| {
        filling.add(&entry);
        ControlFlow::Continue(())
    });
    filling.finish(&listing)
}

/// The same from a listing of everything that is held already.
pub fn of_listing(graph: &AllowGraph, listing: &Listing, by: By) -> Matrix {
    let mut filling = Filling::new(graph, by);
    listing.entries.iter().for_each(|entry| filling.add(entry));
    filling.finish(listing)
}

/// A square on its way.
struct Filling<'g> {
    graph: &'g AllowGraph,
    by: By,
    sides: Vec<Side>,
    at: BTreeMap<Side, u32>,
    internet: IpSet,
    cells: HashMap<(u32, u32), u32>,
    passing: IndexSet<Allowed>,
}

impl<'g> Filling<'g> {
    fn new(graph: &'g AllowGraph, by: By) -> Self {
        let cluster = &graph.environment().cluster;
        let name = |(w, workload): (WorkloadId, &crate::model::Workload)| match by {
            By::Namespace => {
                let namespace = cluster.namespace(workload.namespace);
                (
                    namespace.name.to_string(),
                    Side::Namespace(workload.namespace),
                )
            }
            By::Workload => (cluster.workload_name(w), Side::Workload(w)),
        };
        let mut sides: Vec<(String, Side)> = cluster.workloads().map(name).collect();
        sides.sort();
        sides.dedup();
        let mut sides: Vec<Side> = sides.into_iter().map(|(_, side)| side).collect();
        sides.push(Side::Internet);
        let at = (0..).zip(&sides).map(|(i, s)| (*s, i)).collect();
        let internet = IpSet::internet();
        Self {
            graph,
            by,
            sides,
            at,
            internet,
            cells: HashMap::default(),
            passing: IndexSet::new(),
        }
    }

    fn of(&self, workload: WorkloadId) -> Option<u32> {
        let side = match self.by {
            By::Namespace => Side::Namespace(
                self.graph
                    .environment()
                    .cluster
                    .workload(workload)
                    .namespace,
            ),
            By::Workload => Side::Workload(workload),
        };
        self.at.get(&side).copied()
    }

    fn index_of(&self, party: &Party) -> Option<u32> {
        match party {
            Party::Workload(w) => self.of(*w),
            Party::Addresses(set) if set.is_disjoint(&self.internet) => None,
            Party::Addresses(_) => self.at.get(&Side::Internet).copied(),
        }
    }

    fn add(&mut self, entry: &Entry) {
        let (Some(from), Some(to)) = (
            self.index_of(&entry.source),
            self.index_of(&entry.destination),
        ) else {
            return;
        };
        let known = self
            .cells
            .get(&(from, to))
            .and_then(|i| self.passing.get_index(*i as usize));
        let total = match known {
            Some(known) if *known == entry.allowed => return,
            Some(known) => known.or(&entry.allowed),
            None => entry.allowed.clone(),
        };
        let index = self.passing.insert_full(total).0;
        self.cells
            .insert((from, to), u32::try_from(index).unwrap_or(u32::MAX));
    }

    fn finish(self, listing: &Listing) -> Matrix {
        let mut open = vec![[false; 2]; self.sides.len()];
        for (way, list) in [&listing.open_out, &listing.open_in]
            .into_iter()
            .enumerate()
        {
            let places = list
                .iter()
                .filter_map(|w| self.of(*w))
                .map(|place| place as usize);
            places
                .chain([self.sides.len() - 1])
                .for_each(|place| open[place][way] = true);
        }
        let mut rows: Vec<Vec<(u32, u32)>> = vec![Vec::new(); self.sides.len()];
        for ((from, to), passing) in self.cells {
            rows[from as usize].push((to, passing));
        }
        rows.iter_mut().for_each(|row| row.sort_unstable());
        let everything = Allowed::exact(TrafficSet::all());
        Matrix {
            by: self.by,
            sides: self.sides,
            rows,
            passing: self.passing,
            open,
            everything,
        }
    }
}
