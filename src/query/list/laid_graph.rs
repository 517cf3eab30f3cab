//! The allow-graph of an input with a pod of every kind laid over it.

use crate::graph::{AllowGraph, CompileError};
use crate::input::Input;
use crate::model::{PodId, Workload, WorkloadId};
use crate::potential::{PotentialPods, World};
use crate::spec::CompileOptions;

/// The graph, and which of its workloads stand for kinds.
pub(crate) struct LaidGraph {
    /// The kinds.
    pub(crate) pods: PotentialPods,
    /// The graph with them.
    pub(crate) graph: AllowGraph,
    /// The workload that stands for the first kind; the others follow.
    first: WorkloadId,
}

impl LaidGraph {
    /// The kinds that the policies of an input tell apart; `None` where a world has no pods that
    /// are not in the input, or nothing is said of them.
    pub(crate) fn kinds(input: &Input, world: World) -> Option<PotentialPods> {
        let is_silent = world == World::Closed || input.policies.policies.is_empty();
        let open = world == World::Open;
        (!is_silent).then(|| PotentialPods::of([input, input], open, |_| true, []))
    }

    /// Lays kinds over an input.
    ///
    /// # Errors
    /// When the input with the kinds is too large to compile.
    pub(crate) fn of(
        input: &Input,
        pods: PotentialPods,
        options: &CompileOptions,
    ) -> Result<Self, CompileError> {
        let (laid, first) = pods.laid_over(input, 0);
        let graph = AllowGraph::compile(&laid, options)?;
        Ok(Self { pods, graph, first })
    }

    /// The workloads of the input.
    pub(crate) fn loaded(&self) -> impl Iterator<Item = (WorkloadId, &Workload)> {
        let workloads = self.graph.environment().cluster.workloads();
        workloads.filter(|(id, _)| *id < self.first)
    }

    /// A pod of each kind, in their order.
    pub(crate) fn kind_pods(&self) -> Vec<PodId> {
        let workloads = self.graph.environment().cluster.workloads();
        let kinds = workloads.filter(|(id, _)| *id >= self.first);
        kinds
            .filter_map(|(_, workload)| workload.pods.first().copied())
            .collect()
    }
}
