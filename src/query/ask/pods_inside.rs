//! The pods inside a block of addresses: a block is all of its addresses, those of pods included
//! (S40).
//!
//! `10.244.0.0/31` with a pod at `10.244.0.1` is that pod, in IPv4, and the address
//! `10.244.0.0`. Cost: O(pods).

use crate::model::{Cluster, PodId, WorkloadId};
use crate::query::ask::resolved::End;
use crate::set::{Family, IpSet};
use crate::spec::FamilySet;
use ipnet::IpNet;
use std::collections::BTreeMap;

/// The pods that have an address in a block, by workload, and the addresses that are theirs: a
/// block is all of its addresses, those of pods included (S40). A pod on its node's network is
/// reached at the address of the node, which is no pod's own. Pods without addresses are
/// nowhere.
pub(crate) fn pods_inside(cluster: &Cluster, block: &IpSet) -> (Vec<End>, IpSet) {
    let mut inside: BTreeMap<(WorkloadId, FamilySet), Vec<PodId>> = BTreeMap::new();
    let mut taken = Vec::new();
    for (id, pod) in cluster.pods().filter(|(_, pod)| !pod.host_network) {
        let own = pod.addresses.iter().filter(|a| block.contains(**a));
        let before = taken.len();
        taken.extend(own.map(|a| IpNet::from(*a)));
        if taken.len() > before {
            let families = taken[before..].iter().map(|net| Family::of(net.addr()));
            let key = (pod.workload, families.collect());
            inside.entry(key).or_default().push(id);
        }
    }
    let end = |((workload, families), pods)| End::Pods {
        workload,
        pods,
        families,
    };
    (
        inside.into_iter().map(end).collect(),
        IpSet::from_cidrs(taken),
    )
}
