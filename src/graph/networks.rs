//! What secondary networks with policies carry besides the primary ones (NW3), for a graph that is
//! asked about no network alone.
//!
//! Each such network is compiled on its own. What it lets through between two of its classes of
//! pods becomes a tunnel beside everything else ([`crate::policy::tunnel`]), so that a connection
//! is allowed if any shared network allows it. Cost: a graph and O(classes²) for each network that
//! has policies; nothing for an input without any. Above [`MOST_CLASSES`] it is unknown what the
//! network carries. Road not taken: asking several graphs for each answer; every room that reads
//! rows would have had to join them.

use crate::compile::endpoint_index::EndpointIx;
use crate::graph::compile_error::CompileError;
use crate::input::Input;
use crate::model::PodId;
use crate::policy::networks::labels::{POLICED, SECONDARY};
use crate::policy::networks::plan::{NetworkPlan, beside};
use crate::policy::proxies::{MeshProxies, Tunnel};
use crate::set::{Bounds, TrafficSet};
use crate::spec::environment::{CompileOptions, ServiceCalls};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// So many kinds of pods on one network are told apart.
const MOST_CLASSES: usize = 64;

/// So many networks with policies are compiled on their own; of more it is unknown what they carry.
const MOST_NETWORKS: usize = 16;

/// The graph of one network, as far as it is asked here.
pub(super) trait NetworkGraph {
    /// The class of a pod.
    fn kind_of(&self, pod: PodId) -> EndpointIx;

    /// All traffic from one pod to another one, even of its own class.
    fn carried(&self, source: PodId, destination: PodId) -> Bounds<TrafficSet>;
}

/// The input with what its secondary networks carry; none where none of them has policies, or one
/// network alone is asked about.
pub(super) fn laid<G: NetworkGraph>(
    input: &Input,
    options: &CompileOptions,
    compile: impl Fn(&CompileOptions) -> Result<G, CompileError>,
) -> Result<Option<Input>, CompileError> {
    let plan = input.policies.plugin.networks.as_ref();
    let is_asked = options.network.is_none() && options.calls != ServiceCalls::ToServices;
    let plan = plan.filter(|_| is_asked);
    let Some(plan) = plan else {
        return Ok(None);
    };
    let wires = plan.wires();
    let policed = plan.policed().into_iter();
    let policed: Vec<&str> = policed.filter(|wire| wires.contains_key(wire)).collect();
    if policed.is_empty() || policed.len() > MOST_NETWORKS || plan.has_many_wires() {
        return Ok(None);
    }
    let mut carried = Vec::new();
    for wire in &policed {
        let graph = compile(&options.clone().network(wire).classes(true))?;
        carried.push(CarriedTraffic::new(wire, graph, input));
    }
    Ok(Some(joined(input, plan, &carried)))
}

/// A wire with the kinds of pods that it carries traffic between.
struct CarriedTraffic<'w, G> {
    wire: &'w str,
    graph: G,
    /// One pod of each kind.
    kinds: BTreeMap<EndpointIx, PodId>,
}

impl<'w, G: NetworkGraph> CarriedTraffic<'w, G> {
    fn new(wire: &'w str, graph: G, input: &Input) -> Self {
        let mut kinds = BTreeMap::new();
        for id in on_any(input) {
            kinds.entry(graph.kind_of(id)).or_insert(id);
        }
        Self { wire, graph, kinds }
    }

    /// What the network lets through, by the kinds of the two ends that have it so.
    fn groups(&self) -> Vec<KindGroup> {
        let mut groups: Vec<KindGroup> = Vec::new();
        for (source, from) in &self.kinds {
            let first = groups.len();
            for (destination, to) in &self.kinds {
                let allowed = self.graph.carried(*from, *to);
                if allowed.may.is_empty() {
                    continue;
                }
                let mut own = groups[first..].iter_mut();
                match own.find(|(_, _, known)| *known == allowed) {
                    Some((_, ends, _)) => ends.push(*destination),
                    None => groups.push((*source, vec![*destination], allowed)),
                }
            }
        }
        groups
    }

    /// The tunnels of the network, where kinds of pods have these values of a label.
    fn tunnels(&self, values: &impl Fn(EndpointIx) -> BTreeSet<Box<str>>) -> Vec<Tunnel> {
        if self.kinds.len() > MOST_CLASSES {
            let all: BTreeSet<Box<str>> = self.kinds.keys().flat_map(|k| values(*k)).collect();
            let unknown = self.tunnel([all.clone(), all], TrafficSet::all(), false);
            return unknown.into_iter().collect();
        }
        let mut tunnels = Vec::new();
        for (source, destinations, allowed) in self.groups() {
            let to: BTreeSet<Box<str>> = destinations.iter().flat_map(|k| values(*k)).collect();
            let ends = [values(source), to];
            tunnels.extend(self.tunnel(ends.clone(), allowed.must.clone(), true));
            tunnels.extend(self.tunnel(ends, allowed.unknown(), false));
        }
        tunnels
    }

    fn tunnel(
        &self,
        [sources, destinations]: [BTreeSet<Box<str>>; 2],
        traffic: TrafficSet,
        certain: bool,
    ) -> Option<Tunnel> {
        (!traffic.is_empty()).then(|| Tunnel {
            sources,
            destinations,
            traffic,
            way: beside(self.wire, certain),
        })
    }
}

/// A kind of pods, and those that it reaches with the same traffic.
type KindGroup = (EndpointIx, Vec<EndpointIx>, Bounds<TrafficSet>);

/// The pods that are on secondary networks, or may be.
fn on_any(input: &Input) -> impl Iterator<Item = PodId> {
    let cluster = &input.cluster;
    let pods = cluster.pods().map(|(id, _)| id);
    pods.filter(|id| cluster.pod_labels(*id).get(SECONDARY).is_some())
}

/// The input with a label for what networks with policies make of a pod, and tunnels by it.
fn joined<G: NetworkGraph>(
    input: &Input,
    plan: &NetworkPlan,
    carried: &[CarriedTraffic<'_, G>],
) -> Input {
    let mut numbers: BTreeMap<Vec<EndpointIx>, usize> = BTreeMap::new();
    let mut labels = Vec::new();
    for id in on_any(input) {
        let kinds = carried.iter().map(|wire| wire.graph.kind_of(id));
        let next = numbers.len();
        let number = *numbers.entry(kinds.collect()).or_insert(next);
        labels.push((id, vec![(POLICED, Arc::from(number.to_string()))]));
    }
    let mut tunnels = Vec::new();
    for (at, wire) in carried.iter().enumerate() {
        let values = |kind: EndpointIx| {
            let meant = numbers
                .iter()
                .filter(|(kinds, _)| kinds.get(at) == Some(&kind));
            meant.map(|(_, number)| number.to_string().into()).collect()
        };
        tunnels.extend(wire.tunnels(&values));
    }
    let mut cluster = (*input.cluster).clone();
    cluster.add_labels(&labels);
    let mut policies = (*input.policies).clone();
    let proxies = &mut policies.plugin.proxies;
    proxies.retain(|p| p.key != SECONDARY);
    proxies.push(plan.carried(false));
    proxies.push(MeshProxies {
        key: POLICED,
        names: BTreeMap::new(),
        tunnels,
        outside: Vec::new(),
    });
    Input {
        cluster: Arc::new(cluster),
        policies: Arc::new(policies),
        ..input.clone()
    }
}
