//! What a graph is asked by those who look at networks: as one network among several, and as the
//! graph of one kind of calls, or of the calls of one Service.

use crate::compile::endpoint_index::EndpointIx;
use crate::graph::allow_graph::{ANY, AllowGraph, Allowed};
use crate::graph::named_services::full_name;
use crate::graph::networks::NetworkGraph;
use crate::input::Input;
use crate::model::{PodId, ServiceId};
use crate::policy::Direction;
use crate::spec::environment::{Endpoint, Flow, ServiceCalls};
use std::sync::Arc;

impl NetworkGraph for AllowGraph {
    fn kind_of(&self, pod: PodId) -> EndpointIx {
        self.space.classes.of_pod[pod]
    }

    fn carried(&self, source: PodId, destination: PodId) -> Allowed {
        self.allowed_apart(&Flow {
            source: Endpoint::Pod(source),
            destination: Endpoint::Pod(destination),
            traffic: ANY,
        })
    }
}

impl AllowGraph {
    /// The same graph of one network alone; none where it is that of one already.
    pub(crate) fn on_network(&self, name: &str) -> Option<Self> {
        let graphs = self.by_call.as_ref()?;
        let mut graph =
            graphs.on_network(name, |input, options| Self::compile(input, options).ok())?;
        graph.env.options.host_network = self.env.options.host_network;
        Some(graph)
    }

    /// The graph of the policies of an input as they are written, without what proxies of a mesh
    /// make of their ports (IS61, LD60), and without secondary networks, of which they say nothing
    /// (NW35): a policy that is split for these is one there. `None` where that makes no
    /// difference.
    pub fn as_written(&self, input: &Input) -> Option<Self> {
        let proxies = &input.policies.plugin.proxies;
        let is_split = proxies.iter().any(|one| !one.change_nothing());
        let written = is_split.then(|| {
            let mut input = input.clone();
            Arc::make_mut(&mut input.policies).plugin.proxies.clear();
            Self::compile(&input, &self.env.options).ok()
        });
        let written = written.flatten();
        let graph = written.as_ref().unwrap_or(self);
        graph.called(ServiceCalls::ToServices).or(written)
    }

    /// The same graph for calls to pods themselves, or to Services in front of them; none where
    /// networks make no difference between the two.
    pub(crate) fn called(&self, calls: ServiceCalls) -> Option<Self> {
        let graphs = self.by_call.as_ref()?;
        let graph = graphs.graph(calls, |input, options| Self::compile(input, options).ok())?;
        Some(self.asked_likewise(graph))
    }

    /// The graph of calls of a Service, where a rule that governs the caller sees that it is this
    /// Service (AN40); none where no rule does.
    pub(crate) fn calling(&self, id: ServiceId, source: Endpoint) -> Option<Self> {
        let graphs = self.by_service.as_ref()?;
        if self.env.cluster.service(id).headless {
            return None;
        }
        let called = full_name(&self.env.cluster, id);
        let effective = self.effective(source, Direction::Egress)?;
        let mut governing = effective.selections();
        let is_seen = governing.any(|selection| {
            let policy = self.policy_of(selection.policy);
            self.env.policies.get(policy).sees_calls_of(&called)
        });
        if !is_seen {
            return None;
        }
        let graph = graphs.graph(id, |input, options| Self::compile(input, options).ok())?;
        Some(self.asked_likewise(graph))
    }

    /// Another graph, asked about the same connections as this one.
    fn asked_likewise(&self, graph: &Self) -> Self {
        let mut graph = graph.clone();
        graph.env.options.host_network = self.env.options.host_network;
        if graph.env.asked_families != self.env.asked_families {
            graph = graph.asking(self.env.asked_families);
        }
        graph
    }
}
