//! One destination workload and all of its sources at once, for listings of flows between
//! workloads.
//!
//! The workload is cut into units: pods of one class and, where the class has pods of several homes
//! and lets in the node it runs on (S55), of one home. Units are grouped by the rows they share
//! ([`RowCache`]), and what their own nodes change is kept separately, for all pods of a source or
//! for those of some homes. Cost: the rows and blocks that are visited, and the own nodes of its
//! units; never the pairs of pods.
//!
//! Invariant: summed over everything that is found for a source, its pods times the units of the
//! destination are the pairs between which something passes or may pass, and what is said of a pair
//! holds for each of its pods.

use crate::compile::endpoint_index::EndpointIx;
use crate::compile::node_index::HomeIx;
use crate::compile::peer_sets::EndpointSet;
use crate::graph::for_rows::DestinationClassIx;
use crate::graph::own_node_exemption::SomePods;
use crate::graph::row_cache::RowCache;
use crate::graph::{AllowGraph, Allowed, SourcesTraffic};
use crate::model::{PodId, WorkloadId};
use crate::query::list::workload_index::{Blocks, Member};
use crate::set::partition;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Pods of a destination workload that no source tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// Their class.
    pub class: EndpointIx,
    /// Their home, where it makes a difference.
    pub home: Option<HomeIx>,
    /// The first of them.
    pub first: PodId,
}

/// The units of one workload that share a row, apart from their own nodes.
struct SharedRow {
    /// The parts of the row.
    parts: Arc<[SourcesTraffic]>,
    /// Their indices among the units of the workload, in order.
    units: Vec<usize>,
    /// The sources (those of their pods that are of one home, if told) for which the own node of
    /// some of them decides, each with the index of that unit, sorted.
    own_node_sources: Vec<(EndpointIx, Option<HomeIx>, usize)>,
}

/// The pods of a class that one thing holds for.
enum Pods {
    All,
    At(HomeIx),
    Elsewhere(Vec<HomeIx>),
}

impl SharedRow {
    /// The sources for which the own node of some of the units decides.
    fn own_node_set(&self) -> EndpointSet {
        self.own_node_sources
            .iter()
            .map(|(source, ..)| *source..=*source)
            .collect()
    }

    /// For which units the row decides what the pods of a source may send: the first of them and
    /// how many they are.
    fn units_by_row(&self, source: EndpointIx) -> Vec<(Pods, (usize, usize))> {
        let all = &self.own_node_sources;
        let start = all.partition_point(|(s, ..)| *s < source);
        let end = all.partition_point(|(s, ..)| *s <= source);
        let of_source = &all[start..end];
        let some = of_source.partition_point(|(_, home, _)| home.is_none());
        let (for_all, for_some) = of_source.split_at(some);
        let excepted = |more: &[(EndpointIx, Option<HomeIx>, usize)]| {
            let mut units: Vec<usize> = for_all.iter().chain(more).map(|e| e.2).collect();
            units.sort_unstable();
            units
        };
        let mut homes = Vec::new();
        let mut found = Vec::new();
        for at_home in for_some.chunk_by(|a, b| a.1 == b.1) {
            let Some(home) = at_home[0].1 else { continue };
            homes.push(home);
            found.extend(
                self.without(&excepted(at_home))
                    .map(|units| (Pods::At(home), units)),
            );
        }
        let others = self.without(&excepted(&[]));
        let pods = if homes.is_empty() {
            Pods::All
        } else {
            Pods::Elsewhere(homes)
        };
        found.extend(others.map(|units| (pods, units)));
        found
    }

    /// The first of the units and their number, without some, which are sorted.
    fn without(&self, excepted: &[usize]) -> Option<(usize, usize)> {
        let mut left_out = excepted.iter();
        let first = self
            .units
            .iter()
            .find(|unit| left_out.next() != Some(unit))?;
        Some((*first, self.units.len() - excepted.len()))
    }
}

/// One destination workload: its units and their rows.
pub struct Destination {
    /// Its units, by class and first pod.
    pub units: Vec<Unit>,
    /// The units by their rows.
    rows: Vec<SharedRow>,
    /// For each unit, what its own nodes change.
    own_nodes: Vec<Vec<(SomePods, Arc<Allowed>)>>,
}

impl Destination {
    /// Looks up the rows of a workload's units.
    pub fn new(graph: &AllowGraph, rows: &mut RowCache<'_>, id: WorkloadId) -> Self {
        let units = units(graph, id);
        let own_nodes: Vec<Vec<(SomePods, Arc<Allowed>)>> = units
            .iter()
            .map(|unit| rows.own_node_pods(unit.class, unit.home))
            .collect();
        let mut by_template: BTreeMap<DestinationClassIx, Vec<usize>> = BTreeMap::new();
        for (i, unit) in units.iter().enumerate() {
            let template = rows.template(unit.class);
            by_template.entry(template).or_default().push(i);
        }
        let mut shared = Vec::new();
        for members in by_template.into_values() {
            let mut own_node_sources = Vec::new();
            for i in &members {
                for (pods, _) in &own_nodes[*i] {
                    match &pods.homes {
                        None => own_node_sources.push((pods.class, None, *i)),
                        Some(homes) => own_node_sources
                            .extend(homes.iter().map(|home| (pods.class, Some(*home), *i))),
                    }
                }
            }
            own_node_sources.sort_unstable();
            shared.push(SharedRow {
                parts: rows.parts(units[members[0]].class),
                own_node_sources,
                units: members,
            });
        }
        Self {
            units,
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
        let mut add = |source: Member, allowed: &'d Allowed, units: (usize, usize)| {
            found.push(FoundSource::new(source, allowed, units));
        };
        for row in &self.rows {
            let own_node_sources = row.own_node_set();
            for part in row.parts.iter() {
                let sources = part.sources.intersection(asked(&part.allowed));
                let units = (row.units[0], row.units.len());
                blocks.each(&sources.difference(&own_node_sources), |source| {
                    add(source, &part.allowed, units);
                });
                for source in sources.intersection(&own_node_sources).points() {
                    for (pods, units) in row.units_by_row(source) {
                        each(blocks, source, &pods, |source| {
                            add(source, &part.allowed, units);
                        });
                    }
                }
            }
        }
        for (unit, own_node) in self.own_nodes.iter().enumerate() {
            for (pods, allowed) in own_node.iter().filter(|(_, allowed)| !allowed.is_nothing()) {
                if !asked(allowed).contains(pods.class) {
                    continue;
                }
                let mut add_one = |source| add(source, allowed, (unit, 1));
                match &pods.homes {
                    None => each(blocks, pods.class, &Pods::All, add_one),
                    Some(homes) => homes
                        .iter()
                        .for_each(|home| blocks.each_at(pods.class, *home, &mut add_one)),
                }
            }
        }
        found
    }

    /// What outside addresses may send to it, cut so that all addresses of a piece may send the
    /// same to each unit. `atoms` are the indices of outside addresses.
    pub fn outside_sources(&self, atoms: &EndpointSet) -> Vec<OutsideSources<'_>> {
        let near = self.rows.iter().map(SharedRow::own_node_set);
        let near = EndpointSet::union_of(&near.collect::<Vec<_>>()).intersection(atoms);
        let far = atoms.difference(&near);
        let (mut sets, mut units) = (Vec::new(), Vec::new());
        let mut near_it: BTreeMap<EndpointIx, Vec<OutsideAllowed<'_>>> = BTreeMap::new();
        for row in &self.rows {
            for part in row.parts.iter() {
                sets.push(part.sources.intersection(&far));
                units.push(OutsideAllowed {
                    allowed: &part.allowed,
                    unit: row.units[0],
                    units: row.units.len(),
                });
                for source in part.sources.intersection(&near).points() {
                    let by_row = row.units_by_row(source).into_iter();
                    near_it
                        .entry(source)
                        .or_default()
                        .extend(by_row.map(|(_, (unit, units))| OutsideAllowed {
                            allowed: &part.allowed,
                            unit,
                            units,
                        }));
                }
            }
        }
        for (unit, own_node) in self.own_nodes.iter().enumerate() {
            for (pods, allowed) in own_node.iter().filter(|(_, allowed)| !allowed.is_nothing()) {
                if near.contains(pods.class) {
                    let own = OutsideAllowed {
                        allowed,
                        unit,
                        units: 1,
                    };
                    near_it.entry(pods.class).or_default().push(own);
                }
            }
        }
        let sets: Vec<&EndpointSet> = sets.iter().collect();
        let mut found: Vec<OutsideSources<'_>> = partition(&sets)
            .into_iter()
            .map(|(sources, members)| OutsideSources {
                sources,
                allowed: members.iter().map(|i| units[i]).collect(),
            })
            .collect();
        found.extend(near_it.into_iter().map(|(source, allowed)| OutsideSources {
            sources: EndpointSet::point(source),
            allowed,
        }));
        found.retain(|piece| !piece.allowed.is_empty());
        found
    }
}

/// The units of a workload.
fn units(graph: &AllowGraph, id: WorkloadId) -> Vec<Unit> {
    let (of_pod, nodes) = (&graph.space().classes.of_pod, graph.node_index());
    let pods = &graph.environment().cluster.workload(id).pods;
    // homes without a node in sight are one
    let mut nowhere = None;
    let mut units = Vec::with_capacity(pods.len());
    for pod in pods {
        let class = of_pod[*pod];
        let differs = nodes.has_several_homes(class) && graph.may_let_in_its_node(class);
        let mut home = nodes.home(*pod).filter(|_| differs);
        if home.is_some_and(|home| nodes.node_at(home, true).may.is_empty()) {
            home = *nowhere.get_or_insert(home);
        }
        units.push((class, home, *pod));
    }
    units.sort_unstable();
    units.dedup_by_key(|(class, home, _)| (*class, *home));
    units.sort_unstable_by_key(|(class, _, first)| (*class, *first));
    let unit = |(class, home, first)| Unit { class, home, first };
    units.into_iter().map(unit).collect()
}

/// Visits the workloads with some pods of a class.
fn each(blocks: &Blocks<'_>, class: EndpointIx, pods: &Pods, visit: impl FnMut(Member)) {
    match pods {
        Pods::All => blocks.each(&EndpointSet::point(class), visit),
        Pods::At(home) => blocks.each_at(class, *home, visit),
        Pods::Elsewhere(homes) => blocks.each_elsewhere(class, homes, visit),
    }
}

/// What some units of a destination let in.
#[derive(Debug, Clone, Copy)]
pub struct OutsideAllowed<'a> {
    /// What passes; not nothing.
    pub allowed: &'a Allowed,
    /// The first of the units.
    pub unit: usize,
    /// The number of these units.
    pub units: usize,
}

/// Outside addresses that may send the same to each unit of a destination.
pub struct OutsideSources<'a> {
    /// Places of the line, none of them a class.
    pub sources: EndpointSet,
    /// What they may send, to which units.
    pub allowed: Vec<OutsideAllowed<'a>>,
}

/// What some pods of one source workload may send to some units of a destination.
pub struct FoundSource<'a> {
    /// The pods of the source.
    pub source: Member,
    /// What they may send.
    pub allowed: &'a Allowed,
    /// The first of the destination's units.
    pub unit: usize,
    /// The number of these units.
    pub units: usize,
}

impl<'a> FoundSource<'a> {
    fn new(source: Member, allowed: &'a Allowed, (unit, units): (usize, usize)) -> Self {
        Self {
            source,
            allowed,
            unit,
            units,
        }
    }
}
