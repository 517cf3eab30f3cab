//! What a graph is asked by those who look at networks: as one network among several, and as the
//! graph of one kind of calls.

use crate::compile::endpoint_index::EndpointIx;
use crate::graph::allow_graph::{ANY, AllowGraph, Allowed};
use crate::graph::networks::NetworkGraph;
use crate::input::Input;
use crate::model::PodId;
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
        let mut graph = graph.clone();
        graph.env.options.host_network = self.env.options.host_network;
        if graph.env.asked_families != self.env.asked_families {
            graph = graph.asking(self.env.asked_families);
        }
        Some(graph)
    }
}
