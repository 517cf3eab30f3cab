//! The workloads behind the classes of a graph: ranges of classes are turned into workloads with
//! their number of pods.
//!
//! Neighbouring classes whose pods all belong to one workload form one [`ClassBlock`], so that a
//! workload of 5,000 classes (a `DaemonSet` on its nodes' network has one class per node) is
//! visited once, not 5,000 times. Every other class is a block of its own. Cost: O(pods log pods in
//! a class) to build; [`Blocks::each`] costs the blocks and workloads that it visits.

use crate::compile::endpoint_index::EndpointIx;
use crate::compile::peer_sets::EndpointSet;
use crate::graph::AllowGraph;
use crate::model::{PodId, WorkloadId};
use crate::set::{Ix, Point};

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
}

/// The class after one.
fn after(class: EndpointIx) -> EndpointIx {
    class.next().unwrap_or(class) // the last number is that of no class
}
