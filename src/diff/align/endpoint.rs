//! Aligned endpoints: what stands for one source or destination on both sides.
//!
//! An [`AlignedEnd`] is a group of workloads, or a block of outside addresses, that no rule of
//! either side can tell apart. On each side it covers some indices of that side's endpoint space
//! ([`EndpointIndices`]): one class of pods or several for workloads, one atom for addresses.

use crate::compile::endpoint_index::EndpointIx;
use crate::diff::before_after::Which;
use crate::model::{Cluster, WorkloadId};
use crate::set::IpSet;
use crate::spec::Endpoint;

/// Up to how many pairs of pods of two aligned ends are compared pod by pod.
pub const EXACT_PAIRS: usize = 64;

/// Index of an aligned end.
pub type EndIx = usize;

/// The indices of an end in one side's endpoint space, each with whether it has two or more pods
/// there.
pub type EndpointIndices = Vec<(EndpointIx, bool)>;

/// One end of a changed pair.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DiffParty {
    /// A workload that both sides have: its ids before and after.
    Workload(WorkloadId, WorkloadId),
    /// A block of outside addresses.
    Addresses(IpSet),
}

/// Workloads, or a block of addresses, that no rule of either side can tell apart.
#[derive(Debug, Clone)]
pub struct AlignedEnd {
    /// Its indices in the endpoint space of the before side.
    pub before: EndpointIndices,
    /// Its indices in the endpoint space of the after side.
    pub after: EndpointIndices,
    /// What it stands for.
    pub members: EndMembers,
}

/// What an aligned end stands for.
#[derive(Debug, Clone)]
pub enum EndMembers {
    /// Workloads: their ids on both sides.
    Workloads(Vec<(WorkloadId, WorkloadId)>),
    /// Outside addresses.
    Addresses(IpSet),
}

impl AlignedEnd {
    /// Its indices in the endpoint space of one side.
    pub fn indices(&self, which: Which) -> &EndpointIndices {
        if which == Which::Before {
            &self.before
        } else {
            &self.after
        }
    }

    /// How many parties it has.
    pub fn weight(&self) -> u64 {
        match &self.members {
            EndMembers::Workloads(list) => list.len() as u64,
            EndMembers::Addresses(_) => 1,
        }
    }

    /// Its parties.
    pub fn parties(&self) -> Vec<DiffParty> {
        match &self.members {
            EndMembers::Workloads(list) => list
                .iter()
                .map(|(b, a)| DiffParty::Workload(*b, *a))
                .collect(),
            EndMembers::Addresses(set) => vec![DiffParty::Addresses(set.clone())],
        }
    }

    /// The first `limit` endpoints of one member on one side: the pods of a workload, or the first
    /// address of a block.
    pub fn endpoints(
        &self,
        cluster: &Cluster,
        which: Which,
        member: usize,
        limit: usize,
    ) -> Vec<Endpoint> {
        match &self.members {
            EndMembers::Addresses(set) => set.first().map(Endpoint::Address).into_iter().collect(),
            EndMembers::Workloads(list) => {
                let Some(pair) = list.get(member).or_else(|| list.first()) else {
                    return Vec::new();
                };
                let workload = if which == Which::Before {
                    pair.0
                } else {
                    pair.1
                };
                cluster
                    .workload(workload)
                    .pods
                    .iter()
                    .take(limit)
                    .map(|p| Endpoint::Pod(*p))
                    .collect()
            }
        }
    }

    /// Whether it is a block of outside addresses.
    pub fn is_external(&self) -> bool {
        matches!(self.members, EndMembers::Addresses(_))
    }
}
