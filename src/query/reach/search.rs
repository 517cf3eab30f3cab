//! The vocabulary of a search over hops: the query, the nodes that a search visits, and how each
//! was found.

use crate::graph::Allowed;
use crate::model::{PodId, Truth};
use crate::set::{IpSet, TrafficSet};
use crate::spec::Endpoint;
use std::collections::BTreeSet;

/// The direction in which connections are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the roots to what they reach.
    Forward,
    /// From the roots back to what reaches them.
    Backward,
}

/// A query over hops: where to start, and what to follow.
#[derive(Debug, Clone)]
pub struct ReachQuery {
    /// The direction.
    pub way: Way,
    /// The pods that the search starts at.
    pub pods: BTreeSet<PodId>,
    /// The outside addresses that the search starts at.
    pub addresses: IpSet,
    /// Backward: the traffic of which the last hop must carry some.
    pub asked: TrafficSet,
    /// The largest number of hops; unlimited when `None`.
    pub hops: Option<u32>,
}

/// How a pod group was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Discovery {
    /// The number of hops after which it was found.
    pub hops: u32,
    /// The pod group that it was found from; `None` if that was a root.
    pub parent: Option<usize>,
}

/// A node of the search: a root, or a pod group by its index.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SearchNode {
    Root(Endpoint),
    PodGroup(usize),
}

impl SearchNode {
    /// The index of the pod group; `None` for a root.
    pub(crate) fn pod_group(self) -> Option<usize> {
        if let Self::PodGroup(group) = self {
            Some(group)
        } else {
            None
        }
    }
}

/// What certainly passes (`least` is `Yes`), or what may pass.
pub fn passing(allowed: &Allowed, least: Truth) -> TrafficSet {
    if least == Truth::Yes {
        allowed.must.clone()
    } else {
        allowed.may.clone()
    }
}
