//! One destination workload and all of its sources at once, for listings of flows between
//! workloads.
//!
//! The classes of the workload are grouped by the rows they share ([`RowCache`]), and what their
//! own nodes change is kept separately. Cost: the rows and blocks that are visited, and the own
//! nodes of its classes; never the pairs of pods.
//!
//! Invariant: summed over everything that is found for a source, its pods times the classes of the
//! destination are the pairs between which something passes or may pass.

use crate::compile::endpoint_index::EndpointIx;
use crate::compile::peer_sets::EndpointSet;
use crate::graph::for_rows::DestinationClassIx;
use crate::graph::row::with_own;
use crate::graph::row_cache::RowCache;
use crate::graph::{AllowGraph, Allowed, SourcesTraffic};
use crate::model::{PodId, WorkloadId};
use crate::query::list::workload_index::{Blocks, Member};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The destination classes of one workload that share a row, apart from their own nodes.
pub struct SharedRow {
    /// The parts of the row.
    pub parts: Arc<[SourcesTraffic]>,
    /// Their indices among the classes of the workload, in order.
    pub classes: Vec<usize>,
    /// The sources for which the own node of some of them decides, each with the index of that
    /// class, sorted.
    own_node_sources: Vec<(EndpointIx, usize)>,
}

impl SharedRow {
    /// The sources for which the own node of some of the classes decides.
    fn own_node_set(&self) -> EndpointSet {
        self.own_node_sources
            .iter()
            .map(|(source, _)| *source..=*source)
            .collect()
    }

    /// The first of the classes for which the row decides what a source may send, and the number of
    /// such classes.
    fn classes_by_row(&self, source: EndpointIx) -> Option<(usize, usize)> {
        let start = self.own_node_sources.partition_point(|(s, _)| *s < source);
        let mut excepted = self.own_node_sources[start..]
            .iter()
            .take_while(|(s, _)| *s == source)
            .map(|(_, class)| class);
        let count = excepted.clone().count();
        let first = self
            .classes
            .iter()
            .find(|class| excepted.next() != Some(class))?;
        Some((*first, self.classes.len() - count))
    }
}

/// One destination workload: its classes, each with its first pod, and their rows.
pub struct Destination {
    /// Its classes in order, each with the first of its pods.
    pub classes: Vec<(EndpointIx, PodId)>,
    /// The classes by their rows.
    pub rows: Vec<SharedRow>,
    /// For each class, what its own nodes change.
    pub own_nodes: Vec<Vec<(EndpointIx, Arc<Allowed>)>>,
}

impl Destination {
    /// Looks up the rows of a workload's classes.
    pub fn new(graph: &AllowGraph, rows: &mut RowCache<'_>, id: WorkloadId) -> Self {
        let of_pod = &graph.space().classes.of_pod;
        let pods = &graph.environment().cluster.workload(id).pods;
        let mut classes: Vec<(EndpointIx, PodId)> = pods.iter().map(|p| (of_pod[*p], *p)).collect();
        classes.sort_unstable();
        classes.dedup_by_key(|(c, _)| *c);
        let own_nodes: Vec<Vec<(EndpointIx, Arc<Allowed>)>> = classes
            .iter()
            .map(|(class, _)| rows.own_node_sources(*class))
            .collect();
        let mut by_template: BTreeMap<DestinationClassIx, Vec<usize>> = BTreeMap::new();
        for (i, (class, _)) in classes.iter().enumerate() {
            by_template
                .entry(rows.template(*class))
                .or_default()
                .push(i);
        }
        let mut shared = Vec::new();
        for members in by_template.into_values() {
            let mut own_node_sources: Vec<(EndpointIx, usize)> = members
                .iter()
                .flat_map(|i| own_nodes[*i].iter().map(move |(source, _)| (*source, *i)))
                .collect();
            own_node_sources.sort_unstable();
            shared.push(SharedRow {
                parts: rows.parts(classes[members[0]].0),
                own_node_sources,
                classes: members,
            });
        }
        Self {
            classes,
            rows: shared,
            own_nodes,
        }
    }

    /// What every source may send to it, in no particular order. `asked` returns, for what a source
    /// may send, the set of sources that are of interest.
    pub fn sources<'d, 's>(
        &'d self,
        blocks: &Blocks<'_>,
        asked: impl Fn(&Allowed) -> &'s EndpointSet,
    ) -> Vec<FoundSource<'d>> {
        let mut found: Vec<FoundSource<'d>> = Vec::new();
        let mut add =
            |sources: &EndpointSet, allowed: &'d Allowed, (class, classes): (usize, usize)| {
                blocks.each(sources, |source| {
                    found.push(FoundSource {
                        source,
                        allowed,
                        class,
                        classes,
                    });
                });
            };
        for row in &self.rows {
            let own_node_sources = row.own_node_set();
            for part in row.parts.iter() {
                let sources = part.sources.intersection(asked(&part.allowed));
                add(
                    &sources.difference(&own_node_sources),
                    &part.allowed,
                    (row.classes[0], row.classes.len()),
                );
                for source in sources.intersection(&own_node_sources).points() {
                    if let Some(classes) = row.classes_by_row(source) {
                        add(&EndpointSet::point(source), &part.allowed, classes);
                    }
                }
            }
        }
        for (class, own_node) in self.own_nodes.iter().enumerate() {
            for (source, allowed) in own_node.iter().filter(|(_, allowed)| !allowed.is_nothing()) {
                if asked(allowed).contains(*source) {
                    add(&EndpointSet::point(*source), allowed, (class, 1));
                }
            }
        }
        found
    }

    /// What outside addresses may send to it: the distinct rows, each with the first class that has
    /// it, in the order of these classes. `atoms` are the indices of outside addresses.
    pub fn rows_outside(
        &self,
        graph: &AllowGraph,
        atoms: &EndpointSet,
    ) -> Vec<(usize, Vec<SourcesTraffic>)> {
        let space = graph.space();
        let mut rows: Vec<(usize, Vec<SourcesTraffic>)> = Vec::new();
        for row in &self.rows {
            let shared: Vec<SourcesTraffic> = row
                .parts
                .iter()
                .filter_map(|part| part.among(atoms))
                .collect();
            let (same, special): (Vec<&usize>, Vec<&usize>) =
                row.classes.iter().partition(|class| {
                    let mut own_node = self.own_nodes[**class].iter();
                    own_node.all(|(source, _)| space.is_class(*source))
                });
            for class in special {
                let own_node = self.own_nodes[*class].iter();
                let outside = own_node.filter(|(source, _)| !space.is_class(*source));
                let outside: Vec<_> = outside.cloned().collect();
                rows.push((*class, with_own(&shared, &outside)));
            }
            rows.extend(same.first().map(|class| (**class, shared)));
        }
        rows.sort_by_key(|(class, _)| *class);
        rows
    }
}

/// What some pods of one source workload may send to some classes of a destination.
pub struct FoundSource<'a> {
    /// The pods of the source.
    pub source: Member,
    /// What they may send.
    pub allowed: &'a Allowed,
    /// The first of the destination's classes.
    pub class: usize,
    /// The number of these classes.
    pub classes: usize,
}
