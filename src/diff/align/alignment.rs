//! Alignment: the workloads of both sides matched by name, and their outside addresses cut into
//! common blocks.
//!
//! Example: before, the policies name 10.0.0.0/8; after, they name 10.1.0.0/16. The atoms differ,
//! so neither side's address can be looked up on the other; the common refinement has three blocks
//! (10.1.0.0/16, the rest of 10.0.0.0/8, and everything else), each inside one atom of each side.
//! Likewise two workloads share an [`AlignedEnd`] iff their pods fall into the same classes before
//! and into the same classes after.
//!
//! Invariants: every workload with pods on both sides is a member of exactly one aligned end; the
//! address blocks of all ends cover the address spaces of both families without overlap. Because
//! equal workloads share an end, a thousand of them are compared once. In a small cluster
//! ([`APART`]) they share it only if they also run on the same nodes, because a verdict that is
//! unknown for a class may be known for the pods of one node. Cost: O(pods of both + atoms of
//! both).

use crate::compile::atoms::{AtomIx, Atoms};
use crate::compile::endpoint_index::EndpointIx;
use crate::compile::endpoint_space::EndpointSpace;
use crate::diff::align::endpoint::{AlignedEnd, EndMembers, EndpointIndices};
use crate::diff::align::order::EndpointOrder;
use crate::diff::before_after::Side;
use crate::model::{Cluster, PodId, Workload, WorkloadId, WorkloadKind};
use crate::query::reach::closure::APART;
use crate::set::hashed::{HashMap, IndexMap};
use crate::set::{IntervalSet, IpSet, Ix, Point};
use crate::spec::Endpoint;
use std::cell::OnceCell;
use std::mem::take;
use std::sync::Arc;

/// The aligned ends of both sides.
#[derive(Debug)]
pub struct Alignment {
    /// The ends: workloads first, in the order of the after side.
    pub order: Arc<EndpointOrder>,
    /// Workloads that only the after side has.
    pub added: Vec<WorkloadId>,
    /// Workloads that only the before side has.
    pub removed: Vec<WorkloadId>,
}

/// The classes of a workload's pods, each with the nodes that the pods run on.
type ClassNodes<'a> = Vec<(EndpointIx, Option<&'a str>)>;

/// What workloads of one aligned end have in common: their indices on both sides, and in a small
/// cluster their nodes.
type AlignedKey<'a> = (
    (EndpointIndices, EndpointIndices),
    Option<[ClassNodes<'a>; 2]>,
);

/// Namespace, kind and name.
type WorkloadName<'a> = (&'a str, WorkloadKind, &'a str);

fn name(cluster: &Cluster, id: WorkloadId) -> WorkloadName<'_> {
    let workload = cluster.workload(id);
    (
        &cluster.namespace(workload.namespace).name,
        workload.kind,
        &workload.name,
    )
}

/// The workloads of the before side by name. Both sides usually have them in the same order, so the
/// map is built only if they do not.
struct WorkloadNames<'a> {
    old: &'a Cluster,
    by_name: OnceCell<HashMap<WorkloadName<'a>, WorkloadId>>,
}

impl WorkloadNames<'_> {
    /// The workload of this name, if there is one; the workload with the id `guess` is tried first.
    fn find(&self, wanted: WorkloadName<'_>, guess: WorkloadId) -> Option<WorkloadId> {
        let old = self.old;
        if (guess.0 as usize) < old.workloads().len() && name(old, guess) == wanted {
            return Some(guess);
        }
        let by_name = self
            .by_name
            .get_or_init(|| old.workloads().map(|(id, _)| (name(old, id), id)).collect());
        by_name.get(&wanted).copied()
    }
}

/// The workloads of both sides, matched by name.
struct MatchedWorkloads<'a> {
    /// Workloads with pods on both sides, by what those of one end have in common.
    groups: IndexMap<AlignedKey<'a>, Vec<(WorkloadId, WorkloadId)>>,
    added: Vec<WorkloadId>,
    removed: Vec<WorkloadId>,
}

fn match_workloads<'a>(before: Side<'a>, after: Side<'a>) -> MatchedWorkloads<'a> {
    let (old, new) = (&*before.input.cluster, &*after.input.cluster);
    let (mut was_at, mut is_at) =
        rayon::join(|| workload_indices(before), || workload_indices(after));
    let names = WorkloadNames {
        old,
        by_name: OnceCell::new(),
    };
    let by_node = [old, new]
        .iter()
        .all(|cluster| cluster.pods().len() <= APART);
    let mut groups: IndexMap<AlignedKey<'a>, Vec<(WorkloadId, WorkloadId)>> = IndexMap::default();
    let mut added = Vec::new();
    let mut matched = vec![false; was_at.len()];
    for (id, workload) in new.workloads() {
        let Some(was) = names.find(name(new, id), id) else {
            added.push(id);
            continue;
        };
        matched[was.0 as usize] = true;
        // Workloads without pods (all finished) have no flows.
        if workload.pods.is_empty() || old.workload(was).pods.is_empty() {
            continue;
        }
        let indices = (
            take(&mut was_at[was.0 as usize]),
            take(&mut is_at[id.0 as usize]),
        );
        let nodes = by_node.then(|| [nodes(before, was), nodes(after, id)]);
        groups.entry((indices, nodes)).or_default().push((was, id));
    }
    let removed = old
        .workloads()
        .map(|(id, _)| id)
        .filter(|id| !matched[id.0 as usize])
        .collect();
    MatchedWorkloads {
        groups,
        added,
        removed,
    }
}

impl Alignment {
    /// Matches the two sides.
    pub fn new(before: Side<'_>, after: Side<'_>) -> Self {
        let workloads = match_workloads(before, after);
        let mut ends: Vec<AlignedEnd> = workloads
            .groups
            .into_iter()
            .map(|(((before, after), _), list)| AlignedEnd {
                before,
                after,
                members: EndMembers::Workloads(list),
            })
            .collect();
        ends.extend(address_blocks(before, after));
        Self {
            order: EndpointOrder::new(ends, |end| single_pods(before, after, end)),
            added: workloads.added,
            removed: workloads.removed,
        }
    }
}

/// How many workloads of an end are a single pod on both sides.
fn single_pods(before: Side<'_>, after: Side<'_>, end: &AlignedEnd) -> u64 {
    let single = |side: Side<'_>, id: WorkloadId| {
        let pods = &side.input.cluster.workload(id).pods;
        pods.len() == 1 && pods.iter().all(|p| side.input.cluster.pod(*p).is_single())
    };
    let EndMembers::Workloads(list) = &end.members else {
        return 0;
    };
    list.iter()
        .filter(|(b, a)| single(before, *b) && single(after, *a))
        .count() as u64
}

/// On which nodes a workload has pods of each class.
fn nodes(side: Side<'_>, workload: WorkloadId) -> ClassNodes<'_> {
    let cluster = &side.input.cluster;
    let pods = cluster.workload(workload).pods.iter();
    let mut nodes: ClassNodes<'_> = pods
        .map(|p| {
            (
                side.graph.space().index_of(Endpoint::Pod(*p)),
                cluster.pod(*p).node.as_deref(),
            )
        })
        .collect();
    nodes.sort_unstable();
    nodes.dedup();
    nodes
}

/// The indices of each workload, by workload id.
fn workload_indices(side: Side<'_>) -> Vec<EndpointIndices> {
    side.input
        .cluster
        .workloads()
        .map(|(_, workload)| indices_of(side, workload))
        .collect()
}

/// The indices of one workload, sorted and without repetition.
fn indices_of(side: Side<'_>, workload: &Workload) -> EndpointIndices {
    let index = |pod: &PodId| {
        (
            side.graph.space().index_of(Endpoint::Pod(*pod)),
            !side.input.cluster.pod(*pod).is_single(),
        )
    };
    let mut indices: EndpointIndices = workload.pods.iter().map(index).collect();
    indices.sort_unstable();
    indices.dedup_by(|next, first| {
        let same = next.0 == first.0;
        first.1 |= same;
        same
    });
    indices
}

/// The common refinement of both sides' address atoms.
fn address_blocks(before: Side<'_>, after: Side<'_>) -> Vec<AlignedEnd> {
    let (old, new) = (before.graph.space(), after.graph.space());
    let (b, a) = (&old.atoms, &new.atoms);
    let v4 = overlaps(&ranges(b, |s| &s.v4), &ranges(a, |s| &s.v4));
    let v6 = overlaps(&ranges(b, |s| &s.v6), &ranges(a, |s| &s.v6));
    let v4 = v4.into_iter().map(|(x, y, set)| {
        (
            x,
            y,
            IpSet {
                v4: set,
                v6: IntervalSet::empty(),
            },
        )
    });
    let v6 = v6.into_iter().map(|(x, y, set)| {
        (
            x,
            y,
            IpSet {
                v4: IntervalSet::empty(),
                v6: set,
            },
        )
    });
    let index = |space: &EndpointSpace, atom: AtomIx| vec![(space.of_atom(atom), true)];
    v4.chain(v6)
        .map(|(x, y, set)| AlignedEnd {
            before: index(old, x),
            after: index(new, y),
            members: EndMembers::Addresses(set),
        })
        .collect()
}

/// The atoms of one family with their ranges, in order.
fn ranges<T: Point>(
    atoms: &Atoms,
    family: impl Fn(&IpSet) -> &IntervalSet<T>,
) -> Vec<(AtomIx, T, T)> {
    let range = |atom: AtomIx| {
        family(&atoms.addresses(atom))
            .ranges()
            .next()
            .map(|(start, end)| (atom, start, end))
    };
    AtomIx::first(atoms.len()).filter_map(range).collect()
}

/// The overlaps of two sorted lists of ranges, each with the atoms of both.
fn overlaps<T: Point>(
    a: &[(AtomIx, T, T)],
    b: &[(AtomIx, T, T)],
) -> Vec<(AtomIx, AtomIx, IntervalSet<T>)> {
    let (mut i, mut j) = (0, 0);
    let mut found = Vec::new();
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        let (start, end) = (x.1.max(y.1), x.2.min(y.2));
        if start <= end {
            found.push((x.0, y.0, IntervalSet::from(start..=end)));
        }
        if x.2 <= y.2 {
            i += 1;
        } else {
            j += 1;
        }
    }
    found
}
