//! [`implies`], [`equivalent`] and [`disjoint`]: how what two allow-graphs allow relates, with a
//! counterexample where it does not.
//!
//! The relations are about one closed world: workloads, and for [`disjoint`] pods, of the same name
//! on both sides, and every outside address. Unknown verdicts prove nothing: where the answer hangs
//! on one, the counterexample is [`Counterexample::Unknown`]. What is unknown on both sides, and
//! governed by nothing that differs between them, is taken to be equal.

use crate::compile::atoms::AtomIx;
use crate::diff::{Change, Diff, Kind, Side, Which, diff};
use crate::graph::AllowGraph;
use crate::model::{Cluster, PodId, WorkloadId};
use crate::set::Ix;
use crate::set::TrafficSet;
use crate::spec::{Endpoint, Flow};
use std::collections::HashMap;

/// Why two allow-graphs do not relate as claimed. Flows are in the ids of the first and of the
/// second graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Counterexample {
    /// A flow that certainly breaks the claim.
    Flow(Flow, Flow),
    /// A flow that may break it: its verdict is unknown in at least one of the graphs.
    Unknown(Flow, Flow),
    /// A workload with traffic of its own that only the first graph has.
    OnlyInFirst(WorkloadId),
    /// A workload with traffic of its own that only the second graph has.
    OnlyInSecond(WorkloadId),
}

/// Whether all that `narrow` allows is allowed by `wide` too.
///
/// # Errors
/// A flow that `narrow` allows and `wide` denies; if there is none, one that may be such a flow, or
/// a connected workload that `wide` does not have.
///
/// # Examples
/// ```
/// use netpal::{AllowGraph, CompileOptions, Counterexample, DiffSide, HostNetwork, implies};
/// use netpal::{LoadOptions, Source, load_sources};
///
/// // the demo, and the demo with a policy that isolates every pod of the shop
/// let demo = Source::Path("examples/demo".into());
/// let deny = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n\
///             metadata: {name: deny, namespace: shop}\n\
///             spec: {podSelector: {}, policyTypes: [Egress]}\n";
/// let deny = Source::Text("deny.yaml".into(), deny.into());
/// let load = |sources: &[Source]| load_sources(sources, &[], &LoadOptions::default());
/// let (wide, narrow) = (load(&[demo.clone()])?, load(&[demo, deny])?);
/// // no verdict hangs on how the network plugin treats pods on their node's network
/// let options = CompileOptions::default().host_network(HostNetwork::Node);
/// let compile = |input| AllowGraph::compile(input, &options);
/// let (wide_graph, narrow_graph) = (compile(&wide)?, compile(&narrow)?);
/// let narrow = DiffSide { input: &narrow, graph: &narrow_graph };
/// let wide = DiffSide { input: &wide, graph: &wide_graph };
///
/// assert!(implies(narrow, wide).is_ok());
/// assert!(matches!(implies(wide, narrow), Err(Counterexample::Flow(..))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn implies(narrow: Side<'_>, wide: Side<'_>) -> Result<(), Counterexample> {
    let diff = diff(wide, narrow);
    let swapped = |change: &Change| (change.example.1, change.example.0);
    first(&diff, &[Kind::Widened], swapped, Counterexample::Flow)?;
    first(
        &diff,
        &[Kind::MayWiden, Kind::Undecided],
        swapped,
        Counterexample::Unknown,
    )?;
    match diff.added.iter().find(|w| w.connected) {
        Some(added) => Err(Counterexample::OnlyInFirst(added.workload)),
        None => Ok(()),
    }
}

/// Whether two graphs allow the same.
///
/// # Errors
/// A flow that only one of them allows; if there is none, one that may be such a flow, or a
/// connected workload that only one of them has.
///
/// # Examples
/// ```
/// use netpal::{AllowGraph, CompileOptions, DiffSide, equivalent, load};
///
/// let input = load(["examples/demo"])?;
/// let compile = |options: CompileOptions| AllowGraph::compile(&input, &options);
/// let (by_class, one_by_one) =
///     (compile(CompileOptions::default())?, compile(CompileOptions::default().classes(false))?);
/// let side = |graph| DiffSide { input: &input, graph };
/// assert!(equivalent(side(&by_class), side(&one_by_one)).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn equivalent(first_side: Side<'_>, second_side: Side<'_>) -> Result<(), Counterexample> {
    let diff = diff(first_side, second_side);
    let example = |change: &Change| change.example;
    let certain = [Kind::Widened, Kind::Narrowed];
    first(&diff, &certain, example, Counterexample::Flow)?;
    let possible = [Kind::MayWiden, Kind::MayNarrow, Kind::Undecided];
    first(&diff, &possible, example, Counterexample::Unknown)?;
    let connected = |which: Which| {
        let list = match which {
            Which::Before => &diff.removed,
            Which::After => &diff.added,
        };
        list.iter().find(|w| w.connected).map(|w| w.workload)
    };
    match (connected(Which::Before), connected(Which::After)) {
        (Some(removed), _) => Err(Counterexample::OnlyInFirst(removed)),
        (None, Some(added)) => Err(Counterexample::OnlyInSecond(added)),
        (None, None) => Ok(()),
    }
}

/// The first change of these kinds, as a counterexample.
fn first(
    diff: &Diff,
    kinds: &[Kind],
    example: impl Fn(&Change) -> (Flow, Flow),
    counterexample: fn(Flow, Flow) -> Counterexample,
) -> Result<(), Counterexample> {
    match kinds.iter().find_map(|kind| diff.of(*kind).next()) {
        Some(change) => {
            let (one, other) = example(change);
            Err(counterexample(one, other))
        }
        None => Ok(()),
    }
}

/// Whether no flow between two different endpoints is allowed by both graphs.
///
/// Endpoints are the pods that both have, by name, and outside addresses. Traffic of a protocol
/// that no flow can have (other than TCP, UDP and SCTP) does not count. Cost: two lookups for each
/// pair of pods, and for each pod and block of addresses that the policies of both tell apart.
///
/// # Errors
/// A flow that both allow; if there is none, one that both may allow.
///
/// # Examples
/// ```
/// use netpal::{AllowGraph, CompileOptions, Counterexample, disjoint, load};
///
/// let input = load(["examples/demo"])?;
/// let graph = AllowGraph::compile(&input, &CompileOptions::default())?;
/// // something is allowed, so the demo has a flow in common with itself
/// assert!(matches!(disjoint(&graph, &graph), Err(Counterexample::Flow(..))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn disjoint(first: &AllowGraph, second: &AllowGraph) -> Result<(), Counterexample> {
    let pods = common_pods(first, second);
    let blocks = common_blocks(first, second);
    let ends: Vec<(Endpoint, Endpoint)> = pods.iter().chain(&blocks).copied().collect();
    let mut possible = None;
    for (s, source) in ends.iter().enumerate() {
        for (d, destination) in ends.iter().enumerate() {
            let between_addresses = s >= pods.len() && d >= pods.len();
            if between_addresses || (s == d && is_single(first, second, *source)) {
                continue;
            }
            match shared_flow((first, second), *source, *destination) {
                Some(certain @ Counterexample::Flow(..)) => return Err(certain),
                shared => possible = possible.or(shared),
            }
        }
    }
    possible.map_or(Ok(()), Err)
}

/// A flow between two endpoints that both graphs allow or may allow.
fn shared_flow(
    (first, second): (&AllowGraph, &AllowGraph),
    source: (Endpoint, Endpoint),
    destination: (Endpoint, Endpoint),
) -> Option<Counterexample> {
    let one = first.allowed(source.0, destination.0);
    let other = second.allowed(source.1, destination.1);
    let flow = |traffic: &TrafficSet| {
        let traffic = traffic.sample()?;
        let flow = |source, destination| Flow {
            source,
            destination,
            traffic,
        };
        Some((flow(source.0, destination.0), flow(source.1, destination.1)))
    };
    let certain = flow(&one.must.intersection(&other.must));
    let certain = certain.map(|(a, b)| Counterexample::Flow(a, b));
    certain.or_else(|| {
        let possible = flow(&one.may.intersection(&other.may));
        possible.map(|(a, b)| Counterexample::Unknown(a, b))
    })
}

/// The pods that both graphs have, by namespace, workload and name.
fn common_pods(first: &AllowGraph, second: &AllowGraph) -> Vec<(Endpoint, Endpoint)> {
    let cluster = |graph: &AllowGraph| graph.environment().cluster.clone();
    let (one, other) = (cluster(first), cluster(second));
    let others: HashMap<PodName<'_>, PodId> = other
        .pods()
        .map(|(id, _)| (pod_name(&other, id), id))
        .collect();
    let both = one.pods().filter_map(|(id, _)| {
        let same = others.get(&pod_name(&one, id))?;
        Some((Endpoint::Pod(id), Endpoint::Pod(*same)))
    });
    both.collect()
}

/// Namespace, kind and name of the workload, and the pod's own name.
type PodName<'a> = (&'a str, &'a str, &'a str, &'a str);

fn pod_name(cluster: &Cluster, id: PodId) -> PodName<'_> {
    let pod = cluster.pod(id);
    let workload = cluster.workload(pod.workload);
    (
        &cluster.namespace(pod.namespace).name,
        workload.kind_name(),
        &workload.name,
        &pod.name,
    )
}

/// One address of every block that the policies of both graphs tell apart.
fn common_blocks(first: &AllowGraph, second: &AllowGraph) -> Vec<(Endpoint, Endpoint)> {
    let (one, other) = (&first.space().atoms, &second.space().atoms);
    let mut blocks = Vec::new();
    for atom in AtomIx::first(one.len()) {
        let addresses = one.addresses(atom);
        let overlapping = other.overlapping(&addresses);
        let common = |atom| other.addresses(atom).intersection(&addresses).first();
        blocks.extend(overlapping.points().filter_map(common));
    }
    blocks
        .into_iter()
        .map(|a| (Endpoint::Address(a), Endpoint::Address(a)))
        .collect()
}

/// Whether an endpoint is one pod on both sides, so that a flow with itself never leaves it.
fn is_single(first: &AllowGraph, second: &AllowGraph, end: (Endpoint, Endpoint)) -> bool {
    let single = |graph: &AllowGraph, end: Endpoint| match end {
        Endpoint::Pod(id) => graph.environment().cluster.pod(id).is_single(),
        Endpoint::Address(_) => true,
    };
    single(first, end.0) && single(second, end.1)
}
