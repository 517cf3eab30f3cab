//! The workloads behind the classes of a graph: ranges of classes are turned into workloads with
//! their number of pods.
//!
//! Neighbouring classes whose pods all belong to one workload form one [`ClassBlock`], so that a
//! workload of 5,000 classes (a `DaemonSet` on its nodes' network has one class per node) is
//! visited once, not 5,000 times. Every other class is a block of its own. Cost: O(pods log pods in
//! a class) to build; [`Blocks::each`] costs the blocks and workloads that it visits.

use crate::compile::endpoint_index::EndpointIx;
use crate::compile::node_index::HomeIx;
use crate::compile::peer_sets::EndpointSet;
use crate::graph::AllowGraph;
use crate::model::{PodId, WorkloadId};
use crate::set::{Ix, Point};
use std::cell::OnceCell;
use std::collections::BTreeMap;

/// Pods of one block that belong to one workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The workload.
    pub workload: WorkloadId,
    /// The number of its pods.
    pub pods: usize,
    /// The first of these pods, in the first class.
    pub first: PodId,
    /// Their first class.
    pub class: EndpointIx,
}

/// A range of classes that belong to the same workloads: several classes of one workload, or a
/// single class.
#[derive(Debug, Clone, Copy)]
struct ClassBlock {
    last: EndpointIx,
    /// The range of its members in the list of all members.
    members: (usize, usize),
}

/// The blocks of all classes.
pub struct Blocks<'g> {
    graph: &'g AllowGraph,
    list: Vec<ClassBlock>,
    /// The block of each class.
    of_class: Vec<usize>,
    members: Vec<Member>,
    /// The pods of the classes that have several homes, sorted; once somebody asks.
    at_home: OnceCell<Vec<(EndpointIx, HomeIx, WorkloadId, PodId)>>,
}

impl<'g> Blocks<'g> {
    /// Computes the blocks.
    pub fn new(graph: &'g AllowGraph) -> Self {
        let classes = &graph.space().classes.list;
        let mut blocks = Self {
            graph,
            list: Vec::new(),
            of_class: Vec::with_capacity(classes.len()),
            members: Vec::new(),
            at_home: OnceCell::new(),
        };
        classes.indexes().for_each(|class| blocks.push(class));
        blocks
    }

    fn push(&mut self, class: EndpointIx) {
        let start = self.members.len();
        let cluster = &self.graph.environment().cluster;
        let pods = self.graph.space().classes.members(class);
        let mut by_workload: Vec<(WorkloadId, PodId)> = pods
            .iter()
            .map(|p| (cluster.pod(*p).workload, *p))
            .collect();
        by_workload.sort_unstable();
        for same in by_workload.chunk_by(|a, b| a.0 == b.0) {
            let (workload, first) = same[0];
            self.members.push(Member {
                workload,
                pods: same.len(),
                first,
                class,
            });
        }
        let end = self.members.len();
        match self.list.last_mut() {
            Some(last)
                if end - start == 1
                    && last.members.1 - last.members.0 == 1
                    && self.members[last.members.0].workload == self.members[start].workload =>
            {
                last.last = class;
                self.members[last.members.0].pods += self.members[start].pods;
                self.members.truncate(start);
            }
            _ => self.list.push(ClassBlock {
                last: class,
                members: (start, end),
            }),
        }
        self.of_class.push(self.list.len() - 1);
    }

    /// The classes all of whose workloads fulfil a condition.
    pub fn classes(&self, condition: impl Fn(WorkloadId) -> bool) -> EndpointSet {
        let mut first = EndpointIx::MIN;
        let range = |block: &ClassBlock| {
            let start = std::mem::replace(&mut first, after(block.last));
            self.members[block.members.0..block.members.1]
                .iter()
                .all(|m| condition(m.workload))
                .then_some(start..=block.last)
        };
        self.list.iter().filter_map(range).collect()
    }

    /// The classes of one workload.
    pub fn classes_of(&self, workload: WorkloadId) -> EndpointSet {
        let pods = &self.graph.environment().cluster.workload(workload).pods;
        let class = |p: &PodId| self.graph.space().classes.of_pod[*p];
        pods.iter().map(class).collect()
    }

    /// Visits every workload with a pod among these endpoints, once per block of classes; endpoints
    /// that are not a class are skipped.
    pub fn each(&self, endpoints: &EndpointSet, mut visit: impl FnMut(Member)) {
        let classes = &self.graph.space().classes;
        for (mut from, to) in endpoints.ranges() {
            while let Some(block) = self.of_class.get(from.index()).filter(|_| from <= to) {
                let ClassBlock {
                    last,
                    members: (start, end),
                } = self.list[*block];
                let last = last.min(to);
                if end - start == 1 {
                    let mut member = self.members[start];
                    if member.class != from {
                        member.class = from;
                        member.first = classes
                            .members(from)
                            .first()
                            .copied()
                            .unwrap_or(member.first);
                    }
                    let pods = classes.pods_before(after(last)) - classes.pods_before(from);
                    member.pods = usize::try_from(pods).unwrap_or(usize::MAX);
                    visit(member);
                } else {
                    self.members[start..end]
                        .iter()
                        .for_each(|member| visit(*member));
                }
                from = after(last);
            }
        }
    }

    /// Visits every workload with pods of a class that are of one home.
    pub fn each_at(&self, class: EndpointIx, home: HomeIx, mut visit: impl FnMut(Member)) {
        let of_class = self.at_home(class);
        let start = of_class.partition_point(|(_, at, ..)| *at < home);
        let end = of_class.partition_point(|(_, at, ..)| *at <= home);
        for same in of_class[start..end].chunk_by(|a, b| a.2 == b.2) {
            let (.., workload, first) = same[0];
            visit(Member {
                workload,
                pods: same.len(),
                first,
                class,
            });
        }
    }

    /// Visits every workload with pods of a class that are of no home among these, which are
    /// sorted.
    pub fn each_elsewhere(
        &self,
        class: EndpointIx,
        homes: &[HomeIx],
        mut visit: impl FnMut(Member),
    ) {
        let mut found: BTreeMap<WorkloadId, (usize, PodId)> = BTreeMap::new();
        let of_class = self.at_home(class).iter();
        for (.., workload, pod) in of_class.filter(|(_, at, ..)| homes.binary_search(at).is_err()) {
            let so_far = found.entry(*workload).or_insert((0, *pod));
            *so_far = (so_far.0 + 1, so_far.1.min(*pod));
        }
        for (workload, (pods, first)) in found {
            visit(Member {
                workload,
                pods,
                first,
                class,
            });
        }
    }

    /// The pods of a class with several homes, sorted by home and workload.
    fn at_home(&self, class: EndpointIx) -> &[(EndpointIx, HomeIx, WorkloadId, PodId)] {
        let all = self.at_home.get_or_init(|| self.pods_at_home());
        let start = all.partition_point(|(of, ..)| *of < class);
        let end = all.partition_point(|(of, ..)| *of <= class);
        &all[start..end]
    }

    fn pods_at_home(&self) -> Vec<(EndpointIx, HomeIx, WorkloadId, PodId)> {
        let (classes, nodes) = (&self.graph.space().classes, self.graph.node_index());
        let mut all: Vec<_> = (self.graph.environment().cluster.pods())
            .map(|(id, pod)| (classes.of_pod[id], id, pod.workload))
            .filter(|(class, ..)| nodes.has_several_homes(*class))
            .filter_map(|(class, id, workload)| Some((class, nodes.home(id)?, workload, id)))
            .collect();
        all.sort_unstable();
        all
    }
}

/// The class after one.
fn after(class: EndpointIx) -> EndpointIx {
    class.next().unwrap_or(class) // the last number is that of no class
}
