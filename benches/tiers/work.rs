//! Work on a compiled graph that both benches do.

use super::generate::Made;
use netpal::internals::query::list::listing::each;
use netpal::internals::query::reach::closure::Steps;
use netpal::{
    AllowGraph, CompileOptions, Diff, DiffSide as Side, Input, IpSet, ListFilter as Filter, PodId,
    ReachQuery, TrafficSet, Truth, Way, diff as compare,
};
use std::ops::ControlFlow;

/// Lists the graph until there are so many lines; tells how many there were.
pub fn list(graph: &AllowGraph, most: usize) -> usize {
    let mut lines = 0;
    each(graph, &Filter::default(), &mut |_| {
        lines += 1;
        if lines < most {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    lines
}

/// Everyone who can get to the last pod over any number of hops; tells how many units of pods that
/// are.
pub fn closure(graph: &AllowGraph) -> usize {
    closure_to(graph, graph.environment().cluster.pods().len() - 1)
}

/// The same for pods all over the cluster.
#[allow(dead_code)] // the benches use a part each
pub fn closures(graph: &AllowGraph) -> usize {
    let many = graph.environment().cluster.pods().len();
    (0..8)
        .map(|eighth| closure_to(graph, many * eighth / 8))
        .sum()
}

fn closure_to(graph: &AllowGraph, pod: usize) -> usize {
    let trip = ReachQuery {
        way: Way::Backward,
        pods: [PodId(u32::try_from(pod).unwrap_or(0))].into(),
        addresses: IpSet::empty(),
        asked: TrafficSet::all(),
        hops: None,
    };
    Steps::new(graph, &trip).closure(Truth::Yes).iter().count()
}

/// The cluster without every fiftieth policy, or every so many.
pub fn other_side(made: Made, nth: usize) -> (Input, AllowGraph) {
    let input = made.without_every(nth).input();
    let graph = AllowGraph::compile(&input, &CompileOptions::default()).expect("not too large");
    (input, graph)
}

/// Compares two sides.
pub fn diff(before: (&Input, &AllowGraph), after: (&Input, &AllowGraph)) -> Diff {
    let side = |(input, graph)| Side { input, graph };
    compare(side(before), side(after))
}
