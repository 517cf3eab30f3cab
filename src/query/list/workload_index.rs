//! Which workloads stand behind the classes of a graph: runs of classes turned into workloads with
//! numbers of pods.
//!
//! Neighbouring classes whose pods all belong to one workload are one [`Block`], so that a workload
//! of 5,000 classes (a `DaemonSet` on its nodes' network has one for every node) is met once, not
//! 5,000 times. Every other class is a block of its own. Cost: O(pods log pods in a class) to
//! build; [`Blocks::each`] costs the blocks and workloads met.

use crate::compile::peer_sets::EndpointSet;
use crate::graph::AllowGraph;
use crate::model::{PodId, WorkloadId};

/// Pods of one block that belong to one workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The workload.
    pub workload: WorkloadId,
    /// How many of its pods.
    pub pods: usize,
    /// The first of them, of the first class.
    pub first: PodId,
    /// Their first class.
    pub class: u32,
}

/// Classes that belong to the same workloads: several of one workload, or one class.
#[derive(Debug, Clone, Copy)]
struct Block {
    last: u32,
    /// Where its members begin and end, in the list.
    members: (usize, usize),
}

/// The blocks of all classes.
pub struct Blocks<'g> {
    graph: &'g AllowGraph,
    list: Vec<Block>,
    /// The block of each class.
    of_class: Vec<u32>,
    members: Vec<Member>,
}

impl<'g> Blocks<'g> {
    /// Finds the blocks.
    pub fn new(graph: &'g AllowGraph) -> Self {
        let count = graph.space().classes.len();
        let mut blocks = Self {
            graph,
            list: Vec::new(),
            of_class: Vec::with_capacity(count as usize),
            members: Vec::new(),
        };
        (0..count).for_each(|class| blocks.push(class));
        blocks
    }

    fn push(&mut self, class: u32) {
        let start = self.members.len();
        let cluster = &self.graph.environment().cluster;
        let pods = self.graph.space().classes.members(class);
        let mut of: Vec<(WorkloadId, PodId)> = pods
            .iter()
            .map(|p| (cluster.pod(*p).workload, *p))
            .collect();
        of.sort_unstable();
        for alike in of.chunk_by(|a, b| a.0 == b.0) {
            let (workload, first) = alike[0];
            self.members.push(Member {
                workload,
                pods: alike.len(),
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
            _ => self.list.push(Block {
                last: class,
                members: (start, end),
            }),
        }
        self.of_class
            .push(u32::try_from(self.list.len() - 1).unwrap_or(u32::MAX));
    }

    /// The classes all of whose workloads are such.
    pub fn classes(&self, such: impl Fn(WorkloadId) -> bool) -> EndpointSet {
        let mut first = 0;
        let run = |block: &Block| {
            let start = std::mem::replace(&mut first, block.last + 1);
            self.members[block.members.0..block.members.1]
                .iter()
                .all(|m| such(m.workload))
                .then_some(start..=block.last)
        };
        self.list.iter().filter_map(run).collect()
    }

    /// The classes of one workload.
    pub fn classes_of(&self, workload: WorkloadId) -> EndpointSet {
        let pods = &self.graph.environment().cluster.workload(workload).pods;
        let class = |p: &PodId| self.graph.space().classes.of_pod[p.0 as usize];
        pods.iter().map(|p| class(p)..=class(p)).collect()
    }

    /// Meets every workload with a pod at these places, once per block of classes; places that are
    /// no class are left out.
    pub fn each(&self, places: &EndpointSet, mut meet: impl FnMut(Member)) {
        let classes = &self.graph.space().classes;
        for (mut from, to) in places.ranges() {
            while let Some(block) = self.of_class.get(from as usize).filter(|_| from <= to) {
                let Block {
                    last,
                    members: (start, end),
                } = self.list[*block as usize];
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
                    let pods = classes.pods_before(last + 1) - classes.pods_before(from);
                    member.pods = usize::try_from(pods).unwrap_or(usize::MAX);
                    meet(member);
                } else {
                    self.members[start..end]
                        .iter()
                        .for_each(|member| meet(*member));
                }
                from = last + 1;
            }
        }
    }
}
