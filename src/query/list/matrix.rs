//! The allow-graph as a matrix: from every namespace (or workload) to every other, and to and from
//! the internet.
//!
//! The matrix is built from the entries of a listing as they are produced and from its open
//! workloads, never from pairs of pods. A cell holds all traffic that passes between some pair of
//! workloads of its row and its column. Cost: O(entries of the listing). Memory: a few bytes for
//! each cell with an entry, and the distinct traffic; what open workloads imply is a flag per row
//! and column.

use crate::graph::{AllowGraph, Allowed};
use crate::model::{Cluster, NamespaceId, PodId, WorkloadId};
use crate::query::list::listing::{Filter, ListEntry, Listing, Party, each};
use crate::set::hashed::HashMap;
use crate::set::{IpSet, Ix, TrafficSet, index_type};
use crate::spec::{Endpoint, FamilySet};
use indexmap::IndexSet;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

index_type! {
    /// Index of a row and of a column.
    struct SideIx;
    /// Index of what passes in some cell.
    struct PassingIx;
}

/// What a row or a column stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MatrixSide {
    /// A namespace.
    Namespace(NamespaceId),
    /// A workload.
    Workload(WorkloadId),
    /// Public addresses.
    Internet,
}

/// What the rows and columns are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum By {
    /// Namespaces with workloads.
    #[default]
    Namespace,
    /// Workloads.
    Workload,
}

/// The matrix.
#[derive(Debug, Clone)]
pub struct Matrix {
    /// What the rows and columns are.
    pub by: By,
    /// The rows and columns, by name, with the internet last.
    pub sides: Vec<MatrixSide>,
    /// Per row the columns with an entry, in order, each with the index of its traffic in
    /// `passing`.
    rows: Vec<Vec<(SideIx, PassingIx)>>,
    passing: IndexSet<Allowed>,
    /// Per side the families of its workloads that may send anything anywhere, and of those that
    /// accept anything from anyone: between two such ends everything passes that has a family of
    /// both (S65).
    open: Vec<[FamilySet; 2]>,
    everything: Allowed,
}

impl Matrix {
    /// What passes from one side to another; `None` if nothing does.
    pub fn cell(&self, from: usize, to: usize) -> Option<&Allowed> {
        if self.implied(from, to) {
            return Some(&self.everything);
        }
        let row = self.rows.get(from)?;
        let position = row
            .binary_search_by_key(&SideIx::new(to).ok()?, |(column, _)| *column)
            .ok()?;
        self.passing.get_index(row[position].1.index())
    }

    /// The cells in which something passes or may pass, row by row.
    pub fn cells(&self) -> impl Iterator<Item = ((usize, usize), &Allowed)> {
        (0..self.sides.len()).flat_map(move |from| {
            let columns = self.columns(from).into_iter();
            columns.filter_map(move |to| Some(((from, to), self.cell(from, to)?)))
        })
    }

    /// The columns of a row in which something may pass.
    fn columns(&self, from: usize) -> Vec<usize> {
        if self.open.get(from).is_some_and(|open| !open[0].is_empty()) {
            return (0..self.sides.len()).collect();
        }
        let columns = self.rows[from].iter();
        columns.map(|(column, _)| column.index()).collect()
    }

    /// Whether both sides are open, so that everything passes.
    fn implied(&self, from: usize, to: usize) -> bool {
        let outside = self.sides.len() - 1;
        let open = |side: usize, end: usize| self.open.get(side).map(|open| open[end]);
        let both = open(from, 0).zip(open(to, 1));
        let meet = both.is_some_and(|(from, to)| !from.intersection(to).is_empty());
        (from, to) != (outside, outside) && meet
    }
}

/// Builds the matrix of the whole graph.
pub fn matrix(graph: &AllowGraph, by: By) -> Matrix {
    matrix_on(graph, by, None)
}

/// Builds the matrix of some traffic, or of all.
pub fn matrix_on(graph: &AllowGraph, by: By, ports: Option<&TrafficSet>) -> Matrix {
    let mut builder = MatrixBuilder::new(graph, by);
    let filter = Filter {
        ports: ports.cloned(),
        ..Filter::default()
    };
    let listing = each(graph, &filter, &mut |entry| {
        builder.add(&entry);
        ControlFlow::Continue(())
    });
    let mut matrix = builder.finish(&listing);
    if let Some(ports) = ports {
        matrix.everything = Allowed::exact(ports.clone());
    }
    matrix
}

/// Builds the same matrix from a complete listing.
pub fn of_listing(graph: &AllowGraph, listing: &Listing, by: By) -> Matrix {
    let mut builder = MatrixBuilder::new(graph, by);
    listing.entries.iter().for_each(|entry| builder.add(entry));
    builder.finish(listing)
}

/// A matrix under construction.
struct MatrixBuilder<'g> {
    graph: &'g AllowGraph,
    by: By,
    sides: Vec<MatrixSide>,
    index_of_side: BTreeMap<MatrixSide, SideIx>,
    internet: IpSet,
    cells: HashMap<(SideIx, SideIx), PassingIx>,
    passing: IndexSet<Allowed>,
}

impl<'g> MatrixBuilder<'g> {
    fn new(graph: &'g AllowGraph, by: By) -> Self {
        let cluster = &graph.environment().cluster;
        let mut sides: Vec<(String, MatrixSide)> = cluster
            .workloads()
            .map(|(id, _)| named_side(cluster, by, id))
            .collect();
        sides.sort();
        sides.dedup();
        let mut sides: Vec<MatrixSide> = sides.into_iter().map(|(_, side)| side).collect();
        sides.push(MatrixSide::Internet);
        let index_of_side = sides.iter().enumerate();
        let index_of_side = index_of_side
            .map(|(i, s)| (*s, SideIx::bounded(i)))
            .collect();
        let internet = IpSet::internet();
        Self {
            graph,
            by,
            sides,
            index_of_side,
            internet,
            cells: HashMap::default(),
            passing: IndexSet::new(),
        }
    }

    /// The families that a workload's pods have, or may have.
    fn families(&self, workload: WorkloadId) -> FamilySet {
        let environment = self.graph.environment();
        let pods = environment.cluster.workload(workload).pods.iter();
        let of_pod = |pod: &PodId| environment.end_families(Endpoint::Pod(*pod)).told();
        pods.flat_map(|pod| of_pod(pod).unwrap_or(FamilySet::BOTH).iter())
            .collect()
    }

    fn index_of_workload(&self, workload: WorkloadId) -> Option<SideIx> {
        let side = match self.by {
            By::Namespace => MatrixSide::Namespace(
                self.graph
                    .environment()
                    .cluster
                    .workload(workload)
                    .namespace,
            ),
            By::Workload => MatrixSide::Workload(workload),
        };
        self.index_of_side.get(&side).copied()
    }

    fn index_of(&self, party: &Party) -> Option<SideIx> {
        match party {
            Party::Workload(w) => self.index_of_workload(*w),
            Party::Addresses(set) if set.is_disjoint(&self.internet) => None,
            Party::Addresses(_) => self.index_of_side.get(&MatrixSide::Internet).copied(),
        }
    }

    fn add(&mut self, entry: &ListEntry) {
        let (Some(from), Some(to)) = (
            self.index_of(&entry.source),
            self.index_of(&entry.destination),
        ) else {
            return;
        };
        let known = self
            .cells
            .get(&(from, to))
            .and_then(|i| self.passing.get_index(i.index()));
        let total = match known {
            Some(known) if *known == entry.allowed => return,
            Some(known) => known.or(&entry.allowed),
            None => entry.allowed.clone(),
        };
        let index = self.passing.insert_full(total).0;
        self.cells.insert((from, to), PassingIx::bounded(index));
    }

    fn finish(self, listing: &Listing) -> Matrix {
        let mut open = vec![[FamilySet::default(); 2]; self.sides.len()];
        for (end, list) in [&listing.open_out, &listing.open_in]
            .into_iter()
            .enumerate()
        {
            for workload in list {
                if let Some(side) = self.index_of_workload(*workload) {
                    let known = &mut open[side.index()][end];
                    *known = known
                        .iter()
                        .chain(self.families(*workload).iter())
                        .collect();
                }
            }
            open[self.sides.len() - 1][end] = FamilySet::BOTH;
        }
        let mut rows: Vec<Vec<(SideIx, PassingIx)>> = vec![Vec::new(); self.sides.len()];
        for ((from, to), passing) in self.cells {
            rows[from.index()].push((to, passing));
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

/// The side that a workload belongs to, with its name.
fn named_side(cluster: &Cluster, by: By, id: WorkloadId) -> (String, MatrixSide) {
    match by {
        By::Namespace => {
            let namespace = cluster.workload(id).namespace;
            let name = cluster.namespace(namespace).name.to_string();
            (name, MatrixSide::Namespace(namespace))
        }
        By::Workload => (cluster.workload_name(id), MatrixSide::Workload(id)),
    }
}
