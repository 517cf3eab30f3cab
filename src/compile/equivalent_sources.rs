//! Sources that every rule takes alike, whatever their nodes are.
//!
//! Classes are finer than rules need for a row: two classes may differ in a port name that no rule
//! of the destination looks up, or in an address between the same blocks. [`equivalent_sources`]
//! numbers all endpoints by what a rule can see of them as a source, so that what one may send is
//! computed once for all of its kind. Cost: O(rules + endpoints log blocks).

use crate::compile::atoms::Atoms;
use crate::compile::classes::Class;
use crate::compile::effective_policies::CompiledPolicySet;
use crate::compile::endpoint_space::EndpointSpace;
use crate::model::PodId;
use crate::policy::{Peer, Peers};
use crate::set::IpSet;
use crate::set::hashed::IndexSet;
use crate::spec::environment::{Endpoint, Environment};

/// All that a rule can see of a place but its node (S55 looks at that).
#[derive(PartialEq, Eq, Hash)]
enum SeenPlace<'a> {
    Class {
        namespace: u32,
        labels: u32,
        ports: u32,
        address: &'a SeenAddress,
        host: bool,
        governed: [u32; 2],
    },
    Outside(u32),
}

/// Where a pod's addresses lie between the blocks of the rules; where they are not told, one of its
/// own.
#[derive(PartialEq, Eq, Hash)]
enum SeenAddress {
    Between(Vec<u32>),
    Untold(u32),
}

/// Numbers the places by all that a rule can see of them. O(rules + places log blocks).
pub(crate) fn equivalent_sources(
    env: &Environment,
    space: &EndpointSpace,
    compiled: &CompiledPolicySet,
) -> Vec<u32> {
    let rules = || {
        env.policies
            .policies
            .iter()
            .flat_map(|policy| policy.rules.iter().flatten())
    };
    let peers = || {
        rules().filter_map(|rule| {
            if let Peers::Of(list) = &rule.peers {
                Some(list)
            } else {
                None
            }
        })
    };
    let peers = || peers().flat_map(|list| list.iter());
    let names_nodes = |peer: &Peer| peer.any(&|p| matches!(p, Peer::Nodes(_) | Peer::Symbol(_)));
    if !env.options.blocks_match_pods || peers().any(names_nodes) {
        return (0..space.len()).collect();
    }
    let mut blocks: Vec<&IpSet> = Vec::new();
    for peer in peers() {
        peer.visit(&mut |p| {
            if let Peer::Addresses(set) = p {
                blocks.push(set);
            }
        });
    }
    let between = Atoms::new(blocks.into_iter());
    let address = |(number, pod): (u32, &PodId)| {
        let mut known: Vec<u32> = env
            .addresses(env.cluster.pod(*pod))
            .iter()
            .map(|address| between.of(*address))
            .collect();
        known.sort_unstable();
        known.dedup();
        if known.is_empty() {
            SeenAddress::Untold(number)
        } else {
            SeenAddress::Between(known)
        }
    };
    let addresses: Vec<SeenAddress> = (0..).zip(&space.classes.addresses).map(address).collect();
    let seen = |place: u32| match space.representative(place) {
        Endpoint::Address(address) => SeenPlace::Outside(between.of(address)),
        Endpoint::Pod(_) => {
            let Class {
                namespace,
                labels,
                ports,
                address,
                host,
                ..
            } = *space.classes.get(place);
            let governed = compiled
                .of_class
                .each_ref()
                .map(|effective| effective[place as usize]);
            SeenPlace::Class {
                namespace,
                labels,
                ports,
                address: &addresses[address as usize],
                host,
                governed,
            }
        }
    };
    let mut known = IndexSet::default();
    (0..space.len())
        .map(|place| u32::try_from(known.insert_full(seen(place)).0).unwrap_or(u32::MAX))
        .collect()
}
