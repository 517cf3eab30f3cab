//! One destination workload and all of its sources at once, for whoever lists flows between
//! workloads.
//!
//! The classes of the workload are put together by the rows they share ([`RowCache`]), and what
//! their own nodes change is kept beside. Cost: the rows and blocks met, and the own nodes of its
//! classes; never the pairs of pods.
//!
//! Invariant: the pods of a source times the classes of the destination, over all that is found of
//! the source, are the pairs between which something passes or may.

use crate::compile::peer_sets::EndpointSet;
use crate::graph::row::with_own;
use crate::graph::row_cache::RowCache;
use crate::graph::{AllowGraph, Allowed, SourcesTraffic};
use crate::model::{PodId, WorkloadId};
use crate::query::list::workload_index::{Blocks, Member};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The destination classes of one workload that share their row, but for own nodes.
pub struct Alike {
    /// What of them is shared.
    pub parts: Arc<[SourcesTraffic]>,
    /// Their indices among the classes of the workload, in order.
    pub classes: Vec<usize>,
    /// The sources for which the own node of some of them decides, each with the index of that
    /// class, sorted.
    own_node_sources: Vec<(u32, usize)>,
}

impl Alike {
    /// The sources for which the own node of some of the classes decides.
    fn sources_beside(&self) -> EndpointSet {
        self.own_node_sources
            .iter()
            .map(|(source, _)| *source..=*source)
            .collect()
    }

    /// The first of the classes for which the row tells what a source may send, and how many those
    /// are.
    fn told(&self, source: u32) -> Option<(usize, usize)> {
        let start = self.own_node_sources.partition_point(|(s, _)| *s < source);
        let mut excepted = self.own_node_sources[start..]
            .iter()
            .take_while(|(s, _)| *s == source)
            .map(|(_, class)| class);
        let many = excepted.clone().count();
        let first = self
            .classes
            .iter()
            .find(|class| excepted.next() != Some(class))?;
        Some((*first, self.classes.len() - many))
    }
}

/// One destination workload: its classes, each with its first pod, and their rows.
pub struct Destination {
    /// Its classes in order, each with the first of its pods.
    pub classes: Vec<(u32, PodId)>,
    /// The classes by their rows.
    pub alike: Vec<Alike>,
    /// Per class, what own nodes change.
    pub own: Vec<Vec<(u32, Arc<Allowed>)>>,
}

impl Destination {
    /// Looks up the rows of a workload's classes.
    pub fn new(graph: &AllowGraph, rows: &mut RowCache<'_>, id: WorkloadId) -> Self {
        let of_pod = &graph.space().classes.of_pod;
        let pods = &graph.environment().cluster.workload(id).pods;
        let mut classes: Vec<(u32, PodId)> =
            pods.iter().map(|p| (of_pod[p.0 as usize], *p)).collect();
        classes.sort_unstable();
        classes.dedup_by_key(|(c, _)| *c);
        let own: Vec<Vec<(u32, Arc<Allowed>)>> = classes
            .iter()
            .map(|(class, _)| rows.own_node_sources(*class))
            .collect();
        let mut by: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (i, (class, _)) in classes.iter().enumerate() {
            by.entry(rows.template(*class)).or_default().push(i);
        }
        let alike = |of: Vec<usize>| {
            let mut own_node_sources: Vec<(u32, usize)> = of
                .iter()
                .flat_map(|i| own[*i].iter().map(move |(source, _)| (*source, *i)))
                .collect();
            own_node_sources.sort_unstable();
            Alike {
                parts: rows.parts(classes[of[0]].0),
                own_node_sources,
                classes: of,
            }
        };
        let alike = by.into_values().map(alike).collect();
        Self {
            classes,
            alike,
            own,
        }
    }

    /// What every source may send to it, in no order, among the sources that are asked about for
    /// what they may send.
    pub fn found<'d, 's>(
        &'d self,
        blocks: &Blocks<'_>,
        asked: impl Fn(&Allowed) -> &'s EndpointSet,
    ) -> Vec<Found<'d>> {
        let mut found: Vec<Found<'d>> = Vec::new();
        let mut meet =
            |sources: &EndpointSet, allowed: &'d Allowed, (class, classes): (usize, usize)| {
                blocks.each(sources, |source| {
                    found.push(Found {
                        source,
                        allowed,
                        class,
                        classes,
                    });
                });
            };
        for alike in &self.alike {
            let own_node_sources = alike.sources_beside();
            for part in alike.parts.iter() {
                let sources = part.sources.intersection(asked(&part.allowed));
                meet(
                    &sources.difference(&own_node_sources),
                    &part.allowed,
                    (alike.classes[0], alike.classes.len()),
                );
                for source in sources.intersection(&own_node_sources).points() {
                    if let Some(told) = alike.told(source) {
                        meet(&EndpointSet::point(source), &part.allowed, told);
                    }
                }
            }
        }
        for (class, own) in self.own.iter().enumerate() {
            for (source, allowed) in own.iter().filter(|(_, allowed)| !allowed.is_nothing()) {
                if asked(allowed).contains(*source) {
                    meet(&EndpointSet::point(*source), allowed, (class, 1));
                }
            }
        }
        found
    }

    /// What outside addresses may send to it: the distinct rows, each with the first class that has
    /// it, in the order of those; `atoms` are the places of outside addresses.
    pub fn rows_outside(
        &self,
        graph: &AllowGraph,
        atoms: &EndpointSet,
    ) -> Vec<(usize, Vec<SourcesTraffic>)> {
        let space = graph.space();
        let mut rows: Vec<(usize, Vec<SourcesTraffic>)> = Vec::new();
        for alike in &self.alike {
            let shared: Vec<SourcesTraffic> = alike
                .parts
                .iter()
                .filter_map(|part| part.among(atoms))
                .collect();
            let told = |class: &&usize| self.own[**class].iter().all(|(s, _)| space.is_class(*s));
            let (same, special): (Vec<&usize>, Vec<&usize>) = alike.classes.iter().partition(told);
            for class in special {
                let own = self.own[*class].iter().filter(|(s, _)| !space.is_class(*s));
                rows.push((*class, with_own(&shared, &own.cloned().collect::<Vec<_>>())));
            }
            rows.extend(same.first().map(|class| (**class, shared)));
        }
        rows.sort_by_key(|(class, _)| *class);
        rows
    }
}

/// What some pods of one source workload may send to some classes of a destination.
pub struct Found<'a> {
    /// The source's pods.
    pub source: Member,
    /// What they may send.
    pub allowed: &'a Allowed,
    /// The first of the destination's classes.
    pub class: usize,
    /// How many classes.
    pub classes: usize,
}
