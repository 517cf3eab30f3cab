//! Decides the flows that claims ask about, and records the rules that tests exercise.
//!
//! Invariant: [`Judge::allowed`] is [`AllowGraph::allowed`]. Cost: one edge query per pair of
//! classes, and one explanation for each of the first [`EXPLAINED`] flows.

use crate::check::external::{AddressGroup, Outside};
use crate::check::scope::{ScopedEnds, Trouble};
use crate::compile::endpoint_index::EndpointIx;
use crate::graph::{AllowGraph, Allowed};
use crate::model::{PodId, Truth, WorkloadId};
use crate::policy::{Direction, RuleRef};
use crate::query::End;
use crate::query::ask::asked_traffic;
use crate::query::ask::service_effect::ViaService;
use crate::query::explain::explanation::{Reason, explain};
use crate::set::{Protocol, Traffic, TrafficSet};
use crate::spec::{Endpoint, Flow};
use std::collections::{BTreeSet, HashMap, HashSet};

const ANY: Traffic = Traffic {
    protocol: Protocol::Tcp,
    port: 1,
};

/// The number of flows that are explained to compute the coverage.
const EXPLAINED: usize = 20_000;

/// Decides flows, and remembers which rules decided them.
pub struct Judge<'a> {
    /// The allow-graph.
    pub graph: &'a AllowGraph,
    known: HashMap<(EndpointIx, EndpointIx), Allowed>,
    explained: HashSet<(EndpointIx, EndpointIx, Traffic)>,
    exercised: BTreeSet<RuleRef>,
    pub(crate) outside: Outside<'a>,
    /// The number of pairs of pods up to which they are decided one by one.
    pub(crate) one_by_one: usize,
    /// The first workload that is not in the input; those after it are not either.
    pub(crate) first_unloaded: WorkloadId,
}

/// One pair of endpoints that a claim asks about. It may stand for other pairs with the same
/// answer.
pub(crate) struct AskedPair<'x> {
    pub source: Endpoint,
    pub destination: Endpoint,
    /// The outside addresses that the address in the pair stands for.
    pub addresses: Option<&'x AddressGroup>,
    /// The equivalent sources that may send the same: one for each effective egress policy.
    pub equivalents: Option<&'x dyn Fn() -> Vec<Endpoint>>,
    /// The traffic that is asked about; all traffic where no port is named.
    pub traffic: TrafficSet,
    pub allowed: Allowed,
    /// How the Service that is named changes the verdict.
    pub via_service: Option<ViaService>,
    /// Whether both endpoints certainly belong to the ends that are asked about.
    pub certain: bool,
}

impl AskedPair<'_> {
    /// A flow of the pair with some of this traffic.
    pub(crate) fn flow(&self, shown: &TrafficSet) -> Flow {
        let traffic = shown
            .sample()
            .or_else(|| self.traffic.sample())
            .unwrap_or(ANY);
        Flow {
            source: self.source,
            destination: self.destination,
            traffic,
        }
    }
}

impl<'a> Judge<'a> {
    /// Creates a judge that has decided nothing yet.
    pub fn new(graph: &'a AllowGraph, one_by_one: usize) -> Self {
        let outside = Outside::new(graph);
        Self {
            graph,
            known: HashMap::new(),
            explained: HashSet::new(),
            exercised: BTreeSet::new(),
            outside,
            one_by_one,
            first_unloaded: WorkloadId(u32::MAX),
        }
    }

    /// Whether a pod is in the input.
    pub(crate) fn is_loaded(&self, pod: PodId) -> bool {
        self.graph.environment().cluster.pod(pod).workload < self.first_unloaded
    }

    /// Whether an endpoint is a pod that is not in the input and that no policy isolates.
    pub(crate) fn is_unloaded_and_open(&self, endpoint: Endpoint, direction: Direction) -> bool {
        let Endpoint::Pod(pod) = endpoint else {
            return false;
        };
        !self.is_loaded(pod) && self.graph.isolated(pod, direction) == Truth::No
    }

    /// The rules that decided the flows that claims asked about.
    pub fn exercised(self) -> BTreeSet<RuleRef> {
        self.exercised
    }

    /// What passes between two endpoints. Pairs of which none is a node, or may be one, are
    /// remembered by class: what a node sends depends on where the pod runs (S55).
    pub fn allowed(&mut self, source: Endpoint, destination: Endpoint) -> Allowed {
        let space = self.graph.space();
        let key = (space.index_of(source), space.index_of(destination));
        if key.0 == key.1 || self.may_be_node(source) || self.may_be_node(destination) {
            return self.graph.allowed(source, destination);
        }
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let allowed = self.graph.allowed(source, destination);
        self.known.insert(key, allowed.clone());
        allowed
    }

    /// Records the rules that decide a flow.
    pub fn exercise(&mut self, flow: &Flow) {
        let space = self.graph.space();
        let key = (
            space.index_of(flow.source),
            space.index_of(flow.destination),
            flow.traffic,
        );
        if self.explained.len() < EXPLAINED && self.explained.insert(key) {
            let explanation = explain(self.graph, flow);
            let rules = explanation.sides().into_iter().filter_map(|s| s.decided_by);
            self.exercised.extend(rules.map(|at| RuleRef {
                peer: None,
                port: None,
                ..at
            }));
        }
    }

    /// Records the rules that decide some traffic of a pair and of all pairs that it stands for.
    pub(crate) fn exercise_pair(&mut self, asked: &AskedPair<'_>, shown: &TrafficSet) {
        let flow = asked.flow(shown);
        self.exercise(&flow);
        for address in asked
            .addresses
            .into_iter()
            .flat_map(|group| group.others(self.graph))
        {
            if self.explained.len() >= EXPLAINED {
                return;
            }
            self.exercise(&match flow.source {
                Endpoint::Address(_) => Flow {
                    source: address,
                    ..flow
                },
                Endpoint::Pod(_) => Flow {
                    destination: address,
                    ..flow
                },
            });
        }
        let equivalents = asked
            .equivalents
            .filter(|_| self.explained.len() < EXPLAINED);
        for source in equivalents.into_iter().flat_map(|sources| sources()) {
            if self.explained.len() >= EXPLAINED {
                return;
            }
            self.exercise(&Flow { source, ..flow });
        }
    }

    /// Whether both ends are the same single pod, which has no flow to itself.
    pub(crate) fn is_itself(&self, source: Endpoint, destination: Endpoint) -> bool {
        let cluster = &self.graph.environment().cluster;
        let is_single = |end| matches!(end, Endpoint::Pod(pod) if cluster.pod(pod).is_single());
        source == destination && is_single(destination)
    }

    /// Whether an endpoint shares its node's network.
    pub fn is_host(&self, endpoint: Endpoint) -> bool {
        matches!(endpoint, Endpoint::Pod(p) if self.graph.environment().cluster.pod(p).host_network)
    }

    /// Whether an endpoint is a node, or may be one: a pod on its network, or an address.
    fn may_be_node(&self, endpoint: Endpoint) -> bool {
        let env = self.graph.environment();
        match endpoint {
            Endpoint::Pod(_) => self.is_host(endpoint),
            Endpoint::Address(address) => {
                env.node_addresses.contains(address) || env.options.node_cidrs.contains(address)
            }
        }
    }

    /// The traffic that is asked about at a destination.
    pub(crate) fn traffic(
        &self,
        to: &ScopedEnds,
        destination: Endpoint,
    ) -> Result<TrafficSet, Trouble> {
        let cluster = &self.graph.environment().cluster;
        let asked = asked_traffic::traffic(cluster, &to.spec, &to.resolved, Some(destination))
            .map_err(|e| Trouble::Wrong(e.message))?;
        Ok(asked.unwrap_or_else(TrafficSet::all))
    }

    /// Whether a pair is only at fault because one end may be the other's own node (S55).
    pub(crate) fn is_own_node(&self, asked: &AskedPair<'_>) -> bool {
        if !(self.may_be_node(asked.source) || self.may_be_node(asked.destination)) {
            return false;
        }
        if asked.traffic.is_disjoint(&asked.allowed.must) {
            return true;
        }
        let explanation = explain(
            self.graph,
            &asked.flow(&asked.traffic.intersection(&asked.allowed.must)),
        );
        explanation
            .sides()
            .into_iter()
            .any(|s| s.reason == Reason::AllowFromOwnNode)
    }
}

/// Whether it is unknown that the workload of an end belongs to the ends.
pub(crate) fn is_doubtful(ends: &ScopedEnds, end: &End) -> bool {
    matches!(end, End::Pods { workload, .. } if ends.doubtful.contains(workload))
}

/// The workload of an endpoint.
pub fn workload(graph: &AllowGraph, endpoint: Endpoint) -> Option<WorkloadId> {
    if let Endpoint::Pod(pod) = endpoint {
        Some(graph.environment().cluster.pod(pod).workload)
    } else {
        None
    }
}
