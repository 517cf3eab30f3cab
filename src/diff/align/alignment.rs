//! One line for both sides: ends that neither law can tell apart, matched by name.
//!
//! Invariants: every workload that both sides have is a member of exactly one end; the address
//! blocks of all ends cover both address lines without overlap. Workloads whose pods fall into the
//! same classes on both sides share an end, so that a thousand equal workloads are compared once;
//! in a small cluster ([`APART`]) only if they also run on the same nodes, since what is unknown of
//! a class may be told of the pods of one node. Cost: O(pods of both + atoms of both).

use crate::compile::atoms::Atoms;
use crate::diff::align::order::EndpointOrder;
use crate::diff::{Party, Side, Which};
use crate::model::{Cluster, PodId, Workload, WorkloadId, WorkloadKind};
use crate::query::reach::closure::APART;
use crate::set::hashed::{HashMap, IndexMap};
use crate::set::{IntervalSet, IpSet, Point};
use crate::spec::Endpoint;
use std::cell::OnceCell;
use std::mem::take;
use std::sync::Arc;

/// Up to how many pairs of pods of two ends are asked one by one.
pub const CLOSE: usize = 64;

/// Index of an end.
pub type EndIx = usize;

/// The places of a workload on one side's line, and whether it has two or more pods there.
pub type Places = Vec<(u32, bool)>;

/// Workloads, or a block of addresses, that no rule of either side can tell apart.
#[derive(Debug, Clone)]
pub struct End {
    /// Its places on the before side's line.
    pub before: Places,
    /// Its places on the after side's line.
    pub after: Places,
    /// What it stands for.
    pub members: Members,
}

/// What an end stands for.
#[derive(Debug, Clone)]
pub enum Members {
    /// Workloads: their ids on both sides.
    Workloads(Vec<(WorkloadId, WorkloadId)>),
    /// Outside addresses.
    Addresses(IpSet),
}

impl End {
    /// How many parties it has.
    pub fn weight(&self) -> u64 {
        match &self.members {
            Members::Workloads(list) => list.len() as u64,
            Members::Addresses(_) => 1,
        }
    }

    /// Its parties.
    pub fn parties(&self) -> Vec<Party> {
        match &self.members {
            Members::Workloads(list) => list.iter().map(|(b, a)| Party::Workload(*b, *a)).collect(),
            Members::Addresses(set) => vec![Party::Addresses(set.clone())],
        }
    }

    /// The endpoints it may stand for on one side, the first of them: the pods of one member.
    pub fn endpoints(
        &self,
        cluster: &Cluster,
        which: Which,
        member: usize,
        most: usize,
    ) -> Vec<Endpoint> {
        match &self.members {
            Members::Addresses(set) => set.first().map(Endpoint::Address).into_iter().collect(),
            Members::Workloads(list) => {
                let Some(pair) = list.get(member).or_else(|| list.first()) else {
                    return Vec::new();
                };
                let workload = if which == Which::Before {
                    pair.0
                } else {
                    pair.1
                };
                cluster
                    .workload(workload)
                    .pods
                    .iter()
                    .take(most)
                    .map(|p| Endpoint::Pod(*p))
                    .collect()
            }
        }
    }

    /// Whether it is a block of addresses.
    pub fn is_outside(&self) -> bool {
        matches!(self.members, Members::Addresses(_))
    }
}

/// The ends of both sides.
#[derive(Debug)]
pub struct Alignment {
    /// The ends: workloads first, in the order of the after side.
    pub roll: Arc<EndpointOrder>,
    /// Workloads that only the after side has.
    pub added: Vec<WorkloadId>,
    /// Workloads that only the before side has.
    pub removed: Vec<WorkloadId>,
}

/// Pods of each place with their nodes.
type Nodes<'a> = Vec<(u32, Option<&'a str>)>;

/// What workloads of one end have in common: their places on both sides, and in a small cluster
/// their nodes.
type Alike<'a> = ((Places, Places), Option<[Nodes<'a>; 2]>);

type Name<'a> = (&'a str, WorkloadKind, &'a str);

fn name(cluster: &Cluster, id: WorkloadId) -> Name<'_> {
    let workload = cluster.workload(id);
    (
        &cluster.namespace(workload.namespace).name,
        workload.kind,
        &workload.name,
    )
}

/// The workloads of the before side by name. Both sides mostly have them in one order.
struct Names<'a> {
    old: &'a Cluster,
    by_name: OnceCell<HashMap<Name<'a>, WorkloadId>>,
}

impl Names<'_> {
    /// The workload of this name, if there is one; first the one of a number is looked at.
    fn find(&self, wanted: Name<'_>, at: WorkloadId) -> Option<WorkloadId> {
        let old = self.old;
        if (at.0 as usize) < old.workloads().len() && name(old, at) == wanted {
            return Some(at);
        }
        let by_name = self
            .by_name
            .get_or_init(|| old.workloads().map(|(id, _)| (name(old, id), id)).collect());
        by_name.get(&wanted).copied()
    }
}

impl Alignment {
    /// Matches the two sides.
    pub fn new(before: Side<'_>, after: Side<'_>) -> Self {
        let (old, new) = (&*before.input.cluster, &*after.input.cluster);
        let (mut was_at, mut is_at) = rayon::join(|| places(before), || places(after));
        let names = Names {
            old,
            by_name: OnceCell::new(),
        };
        let apart = [old, new]
            .iter()
            .all(|cluster| cluster.pods().len() <= APART);
        let mut groups: IndexMap<Alike<'_>, Vec<(WorkloadId, WorkloadId)>> = IndexMap::default();
        let mut added = Vec::new();
        let mut matched = vec![false; was_at.len()];
        for (id, workload) in new.workloads() {
            let was = names.find(name(new, id), id);
            was.into_iter()
                .for_each(|was| matched[was.0 as usize] = true);
            match was {
                // workloads without pods (all finished) have no flows
                Some(was) if !workload.pods.is_empty() && !old.workload(was).pods.is_empty() => {
                    let at = (
                        take(&mut was_at[was.0 as usize]),
                        take(&mut is_at[id.0 as usize]),
                    );
                    let nodes = apart.then(|| [nodes(before, was), nodes(after, id)]);
                    groups.entry((at, nodes)).or_default().push((was, id));
                }
                Some(_) => {}
                None => added.push(id),
            }
        }
        let removed = old
            .workloads()
            .map(|(id, _)| id)
            .filter(|id| !matched[id.0 as usize])
            .collect();
        let workloads = groups.into_iter().map(|(((b, a), _), list)| End {
            before: b,
            after: a,
            members: Members::Workloads(list),
        });
        let mut ends: Vec<End> = workloads.collect();
        ends.extend(blocks(before, after));
        let roll = EndpointOrder::new(ends, |end| lone(before, after, end));
        Self {
            roll,
            added,
            removed,
        }
    }
}

/// How many workloads of an end are a lone pod on both sides.
fn lone(before: Side<'_>, after: Side<'_>, end: &End) -> u64 {
    let single = |side: Side<'_>, id: WorkloadId| {
        let pods = &side.input.cluster.workload(id).pods;
        pods.len() == 1 && pods.iter().all(|p| side.input.cluster.pod(*p).is_single())
    };
    let Members::Workloads(list) = &end.members else {
        return 0;
    };
    list.iter()
        .filter(|(b, a)| single(before, *b) && single(after, *a))
        .count() as u64
}

/// On which node a workload has a pod of each place.
fn nodes(side: Side<'_>, workload: WorkloadId) -> Nodes<'_> {
    let cluster = &side.input.cluster;
    let pods = cluster.workload(workload).pods.iter();
    let mut nodes: Nodes<'_> = pods
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

/// The places of each workload.
fn places(side: Side<'_>) -> Vec<Places> {
    let cluster = &side.input.cluster;
    let place = |pod: &PodId| {
        (
            side.graph.space().index_of(Endpoint::Pod(*pod)),
            !cluster.pod(*pod).is_single(),
        )
    };
    let of = |workload: &Workload| {
        let mut places: Places = workload.pods.iter().map(place).collect();
        places.sort_unstable();
        places.dedup_by(|next, first| {
            let same = next.0 == first.0;
            first.1 |= same;
            same
        });
        places
    };
    cluster
        .workloads()
        .map(|(_, workload)| of(workload))
        .collect()
}

/// The common refinement of both sides' address atoms.
fn blocks(before: Side<'_>, after: Side<'_>) -> Vec<End> {
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
    let place = |classes: u32, atom: u32| vec![(classes + atom, true)];
    v4.chain(v6)
        .map(|(x, y, set)| End {
            before: place(old.classes.len(), x),
            after: place(new.classes.len(), y),
            members: Members::Addresses(set),
        })
        .collect()
}

/// The atoms of one family with their ranges, in order.
fn ranges<T: Point>(atoms: &Atoms, family: impl Fn(&IpSet) -> &IntervalSet<T>) -> Vec<(u32, T, T)> {
    let range = |atom: u32| {
        family(&atoms.addresses(atom))
            .ranges()
            .next()
            .map(|(start, end)| (atom, start, end))
    };
    (0..atoms.len()).filter_map(range).collect()
}

fn overlaps<T: Point>(a: &[(u32, T, T)], b: &[(u32, T, T)]) -> Vec<(u32, u32, IntervalSet<T>)> {
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
