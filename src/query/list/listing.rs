//! The allow-graph as a table of workloads: who may send what to whom.
//!
//! Flows between two open ends are not listed one by one: an open destination is one entry of its
//! own ("accepts from anyone"). What is listed is every allowed flow with a governed end.
//!
//! Phases of [`each`]: destination by destination, the rows its classes share ([`RowCache`]) and
//! what their own nodes change are put together, then joined per source workload ([`Blocks`]); at
//! last, source by source, what leaves to outside addresses ([`ExternalRows`]). Cost: O(pods)
//! before the first line, then the rows and blocks met and the lines; a workload of thousands of
//! classes costs as many rows as its classes have templates. Memory: the lines of one workload.

use crate::compile::effective_policies::EffectivePolicy;
use crate::compile::peer_sets::{EndpointSet, EndpointSpace};
use crate::graph::external::{ExternalDestinations, ExternalRows};
use crate::graph::row_cache::RowCache;
use crate::graph::{AllowGraph, Allowed};
use crate::model::{PodId, WorkloadId};
use crate::policy::Direction;
use crate::query::list::workload_index::Blocks;
use crate::query::reach::inbound::{Destination, Found};
use crate::set::{IpSet, TrafficSet, partition};
use crate::spec::{Endpoint, Flow};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

/// One end of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Party {
    /// A workload.
    Workload(WorkloadId),
    /// A block of outside addresses.
    Addresses(IpSet),
}

/// One line: a source, a destination, and what passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The source.
    pub source: Party,
    /// The destination.
    pub destination: Party,
    /// What passes between every pod of the one and every pod of the other.
    pub allowed: Allowed,
    /// Whether some pods of the two may send more than that.
    pub differs: bool,
    /// One flow that shows it.
    pub example: Flow,
}

impl Entry {
    /// Whether something passes for certain; what does not may pass, for all that is known.
    pub fn is_allowed(&self) -> bool {
        !self.allowed.must.is_empty()
    }
}

/// The table.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// The lines, by destination and source.
    pub entries: Vec<Entry>,
    /// Workloads that nothing governs on the way in.
    pub open_in: Vec<WorkloadId>,
    /// Workloads that nothing governs on the way out.
    pub open_out: Vec<WorkloadId>,
    /// Workloads on their node's network, whose verdicts are unknown unless told otherwise.
    pub host_network: Vec<WorkloadId>,
    /// The sources it was narrowed to.
    pub from: Option<Vec<WorkloadId>>,
    /// The destinations it was narrowed to.
    pub to: Option<Vec<WorkloadId>>,
}

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only these sources; all when `None`.
    pub from: Option<Vec<WorkloadId>>,
    /// Only these destinations; all when `None`.
    pub to: Option<Vec<WorkloadId>>,
    /// Also flows between two open ends.
    pub all: bool,
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

/// What is done with each entry; it may stop the listing.
pub type Visit<'v> = &'v mut dyn FnMut(Entry) -> ControlFlow<()>;

/// Lists the allow-graph one entry at a time, so that no more than one workload's lines are held;
/// returns the rest of the listing, without entries.
pub fn each(graph: &AllowGraph, filter: &Filter, visit: Visit<'_>) -> Listing {
    let listing = summary(graph, filter);
    let blocks = Blocks::new(graph);
    let open = |workload| listing.open_out.binary_search(&workload).is_ok();
    // sources all of whose workloads are open on the way out: their flows to open ends are implied
    // and never listed
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

/// Who is open, and who is on its node's network; no entries.
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
    /// The sources it is narrowed to, and their classes.
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

    /// Every source of one destination workload.
    fn sources_of(&mut self, id: WorkloadId, visit: Visit<'_>) -> ControlFlow<()> {
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
                * destination.classes.len();
            let first = of_source
                .iter()
                .min_by_key(|f| (f.class, f.allowed, f.source.class))
                .unwrap_or(&of_source[0]);
            let to = Endpoint::Pod(destination.classes[first.class].1);
            let from = Endpoint::Pod(first.source.first);
            let example = Flow {
                source: from,
                destination: to,
                traffic: sample(first.allowed),
            };
            let joined = of_source
                .iter()
                .map(|f| (f.allowed, f.source.pods * f.classes));
            let (allowed, differs) = join(joined, pairs);
            visit(Entry {
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
    fn found<'d>(&self, destination: &'d Destination, skip_open: bool) -> Vec<Found<'d>> {
        let mut listed = if skip_open {
            self.pods.difference(&self.implied)
        } else {
            self.pods.clone()
        };
        if let Some((_, wanted)) = &self.wanted {
            listed = listed.intersection(wanted);
        }
        let mut found = destination.found(&self.blocks, |_| &listed);
        found.retain(|f| self.is_wanted(f.source.workload));
        found
    }

    /// What outside addresses may send to a destination workload; addresses of equal traffic melt.
    fn outside_sources(&self, id: WorkloadId, destination: &Destination) -> Vec<Entry> {
        let space = self.graph.space();
        let rows = destination.rows_outside(self.graph, &space.full().difference(&self.pods));
        let differs = rows.windows(2).any(|pair| pair[0].1 != pair[1].1);
        let mut merged: BTreeMap<&Allowed, (usize, Vec<&EndpointSet>)> = BTreeMap::new();
        for (class, part) in rows
            .iter()
            .flat_map(|(class, row)| row.iter().map(move |part| (*class, part)))
        {
            merged
                .entry(&part.allowed)
                .or_insert((class, Vec::new()))
                .1
                .push(&part.sources);
        }
        let entry = |(allowed, (class, sources)): (&Allowed, (usize, Vec<&EndpointSet>))| {
            let first = sources
                .first()
                .and_then(|s| s.first())
                .unwrap_or(space.classes.len());
            let to = Endpoint::Pod(destination.classes[class].1);
            let example = Flow {
                source: space.representative(first),
                destination: to,
                traffic: sample(allowed),
            };
            let source = Party::Addresses(addresses(space, &EndpointSet::union_of(sources)));
            Entry {
                source,
                destination: Party::Workload(id),
                allowed: allowed.clone(),
                differs,
                example,
            }
        };
        merged.into_iter().map(entry).collect()
    }

    /// Outside addresses as destinations: only sources that are governed on the way out are told.
    fn outside(&self, visit: Visit<'_>) -> ControlFlow<()> {
        let mut outward = ExternalRows::new(self.graph);
        for (id, workload) in self.graph.environment().cluster.workloads() {
            if !self.is_wanted(id) || !self.filter.all && self.is_open_out(id) {
                continue;
            }
            let mut ways: Vec<Way> = Vec::new();
            for (class, pods, first) in self.by_class(&workload.pods) {
                let parts = outward.parts(class);
                match ways.iter_mut().find(|way| Arc::ptr_eq(&way.parts, &parts)) {
                    Some(way) => way.pods += pods,
                    None => ways.push(Way {
                        parts,
                        pods,
                        class,
                        first,
                    }),
                }
            }
            self.outside_destinations(id, &ways)
                .into_iter()
                .try_for_each(&mut *visit)?;
        }
        ControlFlow::Continue(())
    }

    /// The classes of some pods in order, each with how many of them, and the first.
    fn by_class(&self, pods: &[PodId]) -> Vec<(u32, usize, PodId)> {
        let of_pod = &self.graph.space().classes.of_pod;
        let mut classes: Vec<(u32, PodId)> =
            pods.iter().map(|p| (of_pod[p.0 as usize], *p)).collect();
        classes.sort_unstable();
        classes
            .chunk_by(|a, b| a.0 == b.0)
            .map(|of| (of[0].0, of.len(), of[0].1))
            .collect()
    }

    /// What one workload may send to outside addresses; addresses of equal traffic melt.
    fn outside_destinations(&self, id: WorkloadId, ways: &[Way]) -> Vec<Entry> {
        let space = self.graph.space();
        let pods = self.graph.environment().cluster.workload(id).pods.len();
        let outs: Vec<(&Way, &ExternalDestinations)> = ways
            .iter()
            .flat_map(|way| way.parts.iter().map(move |out| (way, out)))
            .collect();
        let sets: Vec<&EndpointSet> = outs.iter().map(|(_, out)| &out.destinations).collect();
        let mut blocks: BTreeMap<
            (Allowed, bool),
            Vec<(EndpointSet, (&Way, &ExternalDestinations))>,
        > = BTreeMap::new();
        for (destinations, members) in partition(&sets) {
            let here = || members.iter().map(|i| outs[i]);
            let Some(first) = here().min_by_key(|(way, out)| (&out.allowed, way.class)) else {
                continue;
            };
            let joined = join(here().map(|(way, out)| (&out.allowed, way.pods)), pods);
            blocks
                .entry(joined)
                .or_default()
                .push((destinations, first));
        }
        let entry = |((allowed, differs), blocks): (
            (Allowed, bool),
            Vec<(EndpointSet, (&Way, &ExternalDestinations))>,
        )| {
            let places = EndpointSet::union_of(blocks.iter().map(|(set, _)| set));
            let (set, (way, out)) = blocks.iter().min_by_key(|(set, _)| set.first())?;
            let source = Endpoint::Pod(way.first);
            let destination = space.representative(set.first()?);
            let example = Flow {
                source,
                destination,
                traffic: sample(&out.allowed),
            };
            let destination = Party::Addresses(addresses(space, &places));
            Some(Entry {
                source: Party::Workload(id),
                destination,
                allowed,
                differs,
                example,
            })
        };
        blocks.into_iter().filter_map(entry).collect()
    }
}

/// The addresses at places of the line, none of them a class.
pub(crate) fn addresses(space: &EndpointSpace, places: &EndpointSet) -> IpSet {
    let first = space.classes.len();
    space.atoms.all_addresses(
        &places
            .ranges()
            .map(|(a, b)| a - first..=b - first)
            .collect(),
    )
}

/// Pods of one workload that send alike to outside addresses.
struct Way {
    parts: Arc<[ExternalDestinations]>,
    pods: usize,
    class: u32,
    first: PodId,
}

/// What passes between every pair of two workloads' pods; where they differ, what passes between
/// some, and that they do. `found` tells of how many pairs what passes, and leaves pairs out
/// between which nothing does.
fn join<'a>(found: impl Iterator<Item = (&'a Allowed, usize)>, pairs: usize) -> (Allowed, bool) {
    let mut found = found.peekable();
    let Some((first, _)) = found.peek().copied() else {
        return (Allowed::default(), false);
    };
    let (mut count, mut most, mut same) = (0, std::borrow::Cow::Borrowed(first), true);
    for (allowed, pods) in found {
        count += pods;
        if allowed != first {
            same = false;
            most = std::borrow::Cow::Owned(most.or(allowed));
        }
    }
    (most.into_owned(), !same || count < pairs)
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
