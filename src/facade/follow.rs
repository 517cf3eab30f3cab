//! [`AllowGraph::query_from`] and [`AllowGraph::query_to`]: connections followed from given
//! endpoints over any number of hops.

use crate::graph::AllowGraph;
use crate::query::reach::closure::{ReachQuery, Way};
use crate::query::reach::tree::{Reach, reach};
use crate::set::{IpSet, TrafficSet};
use crate::spec::Endpoint;
use ipnet::IpNet;
use std::collections::BTreeSet;

/// Which connections to follow; [`GraphQuery::resolve`] follows them.
#[derive(Clone)]
pub struct GraphQuery<'g> {
    graph: &'g AllowGraph,
    query: ReachQuery,
}

impl GraphQuery<'_> {
    /// Over at most this many hops; any number without it.
    pub fn hops(mut self, hops: u32) -> Self {
        self.query.hops = Some(hops);
        self
    }

    /// Backward: only what reaches the roots with some of this traffic.
    pub fn on(mut self, traffic: TrafficSet) -> Self {
        self.query.asked = traffic;
        self
    }

    /// Follows them: the workloads that are found, with the hops, as a set and as a tree.
    pub fn resolve(&self) -> Reach {
        reach(self.graph, &self.query)
    }
}

impl AllowGraph {
    /// What the roots get to: the blast radius of a pod that is taken over.
    ///
    /// # Examples
    /// ```
    /// use netpal::{AllowGraph, CompileOptions, Endpoint, load};
    ///
    /// let input = load(["examples/demo"])?;
    /// let graph = AllowGraph::compile(&input, &CompileOptions::default())?;
    /// let (pod, _) = input.cluster.pods().next().expect("the demo has pods");
    /// let directly = graph.query_from([Endpoint::Pod(pod)]).hops(1).resolve();
    /// let in_the_end = graph.query_from([Endpoint::Pod(pod)]).resolve();
    /// assert!(directly.found.len() <= in_the_end.found.len());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn query_from(&self, roots: impl IntoIterator<Item = Endpoint>) -> GraphQuery<'_> {
        self.query(Way::Forward, roots)
    }

    /// What gets to the roots.
    ///
    /// # Examples
    /// ```
    /// use netpal::{AllowGraph, CompileOptions, Endpoint, TrafficSet, load};
    ///
    /// let input = load(["examples/demo"])?;
    /// let graph = AllowGraph::compile(&input, &CompileOptions::default())?;
    /// let (pod, _) = input.cluster.pods().next().expect("the demo has pods");
    /// let anyhow = graph.query_to([Endpoint::Pod(pod)]).resolve();
    /// let on_nothing = graph.query_to([Endpoint::Pod(pod)]).on(TrafficSet::empty()).resolve();
    /// assert!(on_nothing.found.len() <= anyhow.found.len());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn query_to(&self, roots: impl IntoIterator<Item = Endpoint>) -> GraphQuery<'_> {
        self.query(Way::Backward, roots)
    }

    fn query(&self, way: Way, roots: impl IntoIterator<Item = Endpoint>) -> GraphQuery<'_> {
        let (mut pods, mut addresses) = (BTreeSet::new(), Vec::new());
        for root in roots {
            match root {
                Endpoint::Pod(pod) => _ = pods.insert(pod),
                Endpoint::Address(address) => addresses.push(IpNet::from(address)),
            }
        }
        GraphQuery {
            graph: self,
            query: ReachQuery {
                way,
                pods,
                addresses: IpSet::from_cidrs(addresses),
                asked: TrafficSet::all(),
                hops: None,
            },
        }
    }
}
