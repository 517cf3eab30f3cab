//! The allow-graph as a table of workloads: who may send what to whom.
//!
//! Flows between two open workloads are not listed one by one; the listing only says which
//! workloads are open. Every other allowed flow is listed.
//!
//! Phases of [`each`]:
//! 1. For each destination, combine the rows that its classes share ([`RowCache`]) with what their
//!    own nodes change, and join the result per source workload ([`Blocks`]).
//! 2. For each source, list what it may send to outside addresses ([`ExternalRows`]).
//!
//! Cost: O(pods) before the first entry, then the rows and blocks that are visited and the entries.
//! A workload with thousands of classes costs as many rows as its classes have templates. Memory:
//! the entries of one workload.

use crate::compile::effective_policy::EffectivePolicy;
use crate::compile::endpoint_index::EndpointIx;
use crate::compile::node_index::HomeIx;
use crate::compile::peer_sets::{EndpointSet, EndpointSpace};
use crate::graph::external::{ExternalDestinations, ExternalRows};
use crate::graph::row_cache::RowCache;
use crate::graph::{AllowGraph, Allowed};
use crate::model::{PodId, WorkloadId};
use crate::policy::Direction;
pub use crate::query::list::entry::{ListEntry, Party};
use crate::query::list::on_ports::on_ports;
use crate::query::list::workload_index::Blocks;
use crate::query::reach::inbound::{Destination, FoundSource, OutsideSources};
use crate::set::{IpSet, TrafficSet, partition};
use crate::spec::{Endpoint, Flow};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

/// The listing.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// The entries, by destination and source.
    pub entries: Vec<ListEntry>,
    /// Workloads whose ingress nothing governs.
    pub open_in: Vec<WorkloadId>,
    /// Workloads whose egress nothing governs.
    pub open_out: Vec<WorkloadId>,
    /// Workloads on their node's network, whose verdicts are unknown unless an option decides them.
    pub host_network: Vec<WorkloadId>,
    /// The sources that the listing is restricted to.
    pub from: Option<Vec<WorkloadId>>,
    /// The destinations that the listing is restricted to.
    pub to: Option<Vec<WorkloadId>>,
}

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only these sources; all when `None`.
    pub from: Option<Vec<WorkloadId>>,
    /// Only these destinations; all when `None`.
    pub to: Option<Vec<WorkloadId>>,
    /// Whether flows between two open workloads are listed too.
    pub all: bool,
    /// Only this traffic; all when `None`.
    pub ports: Option<TrafficSet>,
}

/// Lists the allow-graph.
pub fn list(graph: &AllowGraph, filter: &Filter) -> Listing {
    let mut entries = Vec::new();
    let listing = each(graph, filter, &mut |entry| {
        entries.push(entry);
        ControlFlow::Continue(())
    });
    Listing { entries, ..listing }
}

/// The visitor of the entries; it may stop the listing.
pub type VisitEntry<'v> = &'v mut dyn FnMut(ListEntry) -> ControlFlow<()>;

/// Lists the allow-graph one entry at a time, so that only the entries of one workload are held in
/// memory. Returns the listing without entries.
pub fn each(graph: &AllowGraph, filter: &Filter, visit: VisitEntry<'_>) -> Listing {
    let Some(asked) = &filter.ports else {
        return each_of_all(graph, filter, visit);
    };
    each_of_all(graph, filter, &mut |entry| {
        on_ports(graph, entry, asked).map_or(ControlFlow::Continue(()), &mut *visit)
    })
}

/// The entries on all traffic.
fn each_of_all(graph: &AllowGraph, filter: &Filter, visit: VisitEntry<'_>) -> Listing {
    let listing = summary(graph, filter);
    let blocks = Blocks::new(graph);
    let open = |workload| listing.open_out.binary_search(&workload).is_ok();
    // The flows of sources all of whose workloads are open for egress to open destinations are
    // implied and never listed.
    let implied = if filter.all {
        EndpointSet::empty()
    } else {
        blocks.classes(open)
    };
    let wanted = filter.from.as_ref().map(|from| {
        let classes: Vec<EndpointSet> = from.iter().map(|w| blocks.classes_of(*w)).collect();
        (
            from.iter().copied().collect(),
            EndpointSet::union_of(&classes),
        )
    });
    let (pods, rows) = (graph.space().pods(), RowCache::new(graph));
    let mut lister = Lister {
        graph,
        filter,
        listing: &listing,
        blocks,
        pods,
        implied,
        wanted,
        rows,
    };
    let workloads = graph.environment().cluster.workloads().map(|(id, _)| id);
    let to: Option<BTreeSet<WorkloadId>> =
        filter.to.as_ref().map(|to| to.iter().copied().collect());
    let mut destinations = workloads.filter(|id| to.as_ref().is_none_or(|to| to.contains(id)));
    let flow = destinations.try_for_each(|id| lister.sources_of(id, visit));
    if to.is_none() && flow.is_continue() {
        let _ = lister.outside(visit);
    }
    listing
}

/// Which workloads are open, and which are on their node's network; without entries.
pub fn summary(graph: &AllowGraph, filter: &Filter) -> Listing {
    let cluster = &graph.environment().cluster;
    let mut listing = Listing {
        from: filter.from.clone(),
        to: filter.to.clone(),
        ..Listing::default()
    };
    for (id, workload) in cluster.workloads() {
        let is_open = |p: &PodId, d| {
            graph
                .effective(Endpoint::Pod(*p), d)
                .is_some_and(EffectivePolicy::is_open)
        };
        let open = |d: Direction| workload.pods.iter().all(|p| is_open(p, d));
        if workload.pods.iter().any(|p| cluster.pod(*p).host_network) {
            listing.host_network.push(id);
        }
        if open(Direction::Ingress) {
            listing.open_in.push(id);
        }
        if open(Direction::Egress) {
            listing.open_out.push(id);
        }
    }
    listing
}

struct Lister<'a> {
    graph: &'a AllowGraph,
    filter: &'a Filter,
    listing: &'a Listing,
    blocks: Blocks<'a>,
    /// Every class.
    pods: EndpointSet,
    implied: EndpointSet,
    /// The sources that the listing is restricted to, and their classes.
    wanted: Option<(BTreeSet<WorkloadId>, EndpointSet)>,
    rows: RowCache<'a>,
}

impl Lister<'_> {
    fn is_wanted(&self, workload: WorkloadId) -> bool {
        self.wanted
            .as_ref()
            .is_none_or(|(from, _)| from.contains(&workload))
    }

    fn is_open_out(&self, workload: WorkloadId) -> bool {
        self.listing.open_out.binary_search(&workload).is_ok()
    }

    /// Lists every source of one destination workload.
    fn sources_of(&mut self, id: WorkloadId, visit: VisitEntry<'_>) -> ControlFlow<()> {
        let skip_open = !self.filter.all && self.listing.open_in.binary_search(&id).is_ok();
        let destination = Destination::new(self.graph, &mut self.rows, id);
        if !skip_open && self.wanted.is_none() {
            self.outside_sources(id, &destination)
                .into_iter()
                .try_for_each(&mut *visit)?;
        }
        let mut found = self.found(&destination, skip_open);
        found.retain(|f| {
            f.source.workload != id && !(skip_open && self.is_open_out(f.source.workload))
        });
        found.sort_by_key(|f| f.source.workload);
        for of_source in found.chunk_by(|a, b| a.source.workload == b.source.workload) {
            let source = of_source[0].source.workload;
            let pairs = self.graph.environment().cluster.workload(source).pods.len()
                * destination.units.len();
            let first = of_source
                .iter()
                .min_by_key(|f| (f.unit, f.allowed, f.source.class))
                .unwrap_or(&of_source[0]);
            let to = Endpoint::Pod(destination.units[first.unit].first);
            let from = Endpoint::Pod(first.source.first);
            let example = Flow {
                source: from,
                destination: to,
                traffic: sample(first.allowed),
            };
            let joined = of_source
                .iter()
                .map(|f| (f.allowed, f.source.pods * f.units));
            let (allowed, differs) = join(joined, pairs);
            visit(ListEntry {
                source: Party::Workload(source),
                destination: Party::Workload(id),
                allowed,
                differs,
                example,
            })?;
        }
        ControlFlow::Continue(())
    }

    /// What every source may send to a destination workload, in no order.
    fn found<'d>(&self, destination: &'d Destination, skip_open: bool) -> Vec<FoundSource<'d>> {
        let mut listed = if skip_open {
            self.pods.difference(&self.implied)
        } else {
            self.pods.clone()
        };
        if let Some((_, wanted)) = &self.wanted {
            listed = listed.intersection(wanted);
        }
        let mut found = destination.sources(&self.blocks, |_| &listed);
        found.retain(|f| self.is_wanted(f.source.workload));
        found
    }

    /// What outside addresses may send to a destination workload; addresses with equal traffic are
    /// merged.
    fn outside_sources(&self, id: WorkloadId, destination: &Destination) -> Vec<ListEntry> {
        let space = self.graph.space();
        let outside = space.full().difference(&self.pods);
        let pieces = destination.outside_sources(&outside);
        let mut merged: BTreeMap<(Allowed, bool), Vec<&OutsideSources<'_>>> = BTreeMap::new();
        for piece in &pieces {
            let joined = join(
                piece.allowed.iter().map(|cell| (cell.allowed, cell.units)),
                destination.units.len(),
            );
            merged.entry(joined).or_default().push(piece);
        }
        let mut entries = Vec::new();
        for ((allowed, differs), pieces) in merged {
            let all = EndpointSet::union_of(pieces.iter().map(|piece| &piece.sources));
            let first = pieces.iter().min_by_key(|piece| piece.sources.first());
            let cells = first.into_iter().flat_map(|piece| &piece.allowed);
            let (Some(index), Some(cell)) = (
                all.first(),
                cells.min_by_key(|cell| (cell.allowed, cell.unit)),
            ) else {
                continue;
            };
            let example = Flow {
                source: space.representative(index),
                destination: Endpoint::Pod(destination.units[cell.unit].first),
                traffic: sample(cell.allowed),
            };
            entries.push(ListEntry {
                source: Party::Addresses(addresses(space, &all)),
                destination: Party::Workload(id),
                allowed,
                differs,
                example,
            });
        }
        entries
    }

    /// Lists outside addresses as destinations, only of sources whose egress is governed.
    fn outside(&self, visit: VisitEntry<'_>) -> ControlFlow<()> {
        let mut external = ExternalRows::new(self.graph);
        // an address that policies govern may not let in what its source is open for
        let implied = !self.filter.all && self.graph.environment().governed_addresses.is_empty();
        for (id, workload) in self.graph.environment().cluster.workloads() {
            if !self.is_wanted(id) || implied && self.is_open_out(id) {
                continue;
            }
            let mut groups: Vec<ExternalGroup> = Vec::new();
            for (class, home, pods, first) in by_home(self.graph, &workload.pods) {
                let parts = external.parts_at(class, home);
                let known = groups.iter_mut().find(|g| Arc::ptr_eq(&g.parts, &parts));
                match known {
                    Some(group) => group.pods += pods,
                    None => groups.push(ExternalGroup {
                        parts,
                        pods,
                        class,
                        first,
                    }),
                }
            }
            self.outside_destinations(id, &groups)
                .into_iter()
                .try_for_each(&mut *visit)?;
        }
        ControlFlow::Continue(())
    }

    /// What one workload may send to outside addresses; addresses with equal traffic are merged.
    fn outside_destinations(&self, id: WorkloadId, groups: &[ExternalGroup]) -> Vec<ListEntry> {
        let space = self.graph.space();
        let pods = self.graph.environment().cluster.workload(id).pods.len();
        let parts: Vec<(&ExternalGroup, &ExternalDestinations)> = groups
            .iter()
            .flat_map(|group| group.parts.iter().map(move |part| (group, part)))
            .collect();
        let sets: Vec<&EndpointSet> = parts.iter().map(|(_, part)| &part.destinations).collect();
        let mut blocks: BTreeMap<(Allowed, bool), Vec<ExternalBlock<'_>>> = BTreeMap::new();
        for (destinations, members) in partition(&sets) {
            let here = || members.iter().map(|i| parts[i]);
            let Some(first) = here().min_by_key(|(group, part)| (&part.allowed, group.class))
            else {
                continue;
            };
            let joined = join(
                here().map(|(group, part)| (&part.allowed, group.pods)),
                pods,
            );
            blocks
                .entry(joined)
                .or_default()
                .push((destinations, first));
        }
        let mut entries = Vec::new();
        for ((allowed, differs), blocks) in blocks {
            let all = EndpointSet::union_of(blocks.iter().map(|(set, _)| set));
            let first = blocks.iter().min_by_key(|(set, _)| set.first());
            let Some((index, (group, part))) =
                first.and_then(|(set, first)| Some((set.first()?, first)))
            else {
                continue;
            };
            let example = Flow {
                source: Endpoint::Pod(group.first),
                destination: space.representative(index),
                traffic: sample(&part.allowed),
            };
            entries.push(ListEntry {
                source: Party::Workload(id),
                destination: Party::Addresses(addresses(space, &all)),
                allowed,
                differs,
                example,
            });
        }
        entries
    }
}

/// Pods by their classes and homes, in order of the class and the first pod; each with the
/// number of pods and the first.
pub(crate) fn by_home(
    graph: &AllowGraph,
    pods: &[PodId],
) -> Vec<(EndpointIx, Option<HomeIx>, usize, PodId)> {
    let (of_pod, nodes) = (&graph.space().classes.of_pod, graph.node_index());
    let mut homes: Vec<_> = pods
        .iter()
        .map(|pod| (of_pod[*pod], nodes.home(*pod), *pod))
        .collect();
    homes.sort_unstable();
    let alike = homes.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1));
    let mut found: Vec<_> = alike
        .map(|same| (same[0].0, same[0].1, same.len(), same[0].2))
        .collect();
    found.sort_unstable_by_key(|(class, .., first)| (*class, *first));
    found
}

/// The addresses behind indices of the endpoint space, none of which is a class.
pub(crate) fn addresses(space: &EndpointSpace, places: &EndpointSet) -> IpSet {
    space.atoms.all_addresses(&space.atoms_at(places))
}

/// Pods of one workload that may send the same to outside addresses.
struct ExternalGroup {
    parts: Arc<[ExternalDestinations]>,
    pods: usize,
    class: EndpointIx,
    first: PodId,
}

/// Destinations outside the cluster, with the first group that may send to them and what it may
/// send.
type ExternalBlock<'a> = (EndpointSet, (&'a ExternalGroup, &'a ExternalDestinations));

/// What passes between some pods of two workloads, and whether that differs between pairs of pods.
/// `found` holds what passes with the number of pairs; pairs between which nothing passes are left
/// out.
fn join<'a>(found: impl Iterator<Item = (&'a Allowed, usize)>, pairs: usize) -> (Allowed, bool) {
    let mut found = found.peekable();
    let Some((first, _)) = found.peek().copied() else {
        return (Allowed::default(), false);
    };
    let (mut count, mut total, mut same) = (0, std::borrow::Cow::Borrowed(first), true);
    for (allowed, pods) in found {
        count += pods;
        // rows hand out one value for many pods, which need not be compared with itself
        if !std::ptr::eq(allowed, first) && allowed != first {
            same = false;
            total = std::borrow::Cow::Owned(total.or(allowed));
        }
    }
    (total.into_owned(), !same || count < pairs)
}

fn sample(allowed: &Allowed) -> crate::set::Traffic {
    let any = crate::set::Traffic {
        protocol: crate::set::Protocol::Tcp,
        port: 1,
    };
    let first = |set: &TrafficSet| set.sample();
    first(&allowed.must)
        .or_else(|| first(&allowed.unknown()))
        .unwrap_or(any)
}
