//! What a graph is asked by those who look at networks: as one network among several, and as the
//! graph of one kind of calls.

use crate::compile::endpoint_index::EndpointIx;
use crate::graph::allow_graph::{ANY, AllowGraph, Allowed};
use crate::graph::networks::NetworkGraph;
use crate::model::PodId;
use crate::spec::environment::{Endpoint, Flow, ServiceCalls};

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
