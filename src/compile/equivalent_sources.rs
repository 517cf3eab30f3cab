//! Sources that every rule takes alike, whatever their nodes are.
//!
//! Classes are finer than rules need for a row: two classes may differ in a port name that no rule
//! of the destination looks up, or in an address between the same blocks. [`equivalent_sources`]
//! finds for each endpoint the first of which a rule sees the same as a source, so that what one
//! may send is computed once for all of its kind. Cost: O(rules + endpoints log blocks).

use crate::compile::atoms::{AtomIx, Atoms};
use crate::compile::classes::{AddressIx, Class, LabelSetIx, NamespaceClassIx, PortTableIx};
use crate::compile::effective_policies::CompiledPolicySet;
use crate::compile::effective_policy::EffectiveIx;
use crate::compile::endpoint_space::{EndpointIx, EndpointSpace};
use crate::model::PodId;
use crate::policy::{Direction, Peer, Peers};
use crate::set::IpSet;
use crate::set::Table;
use crate::set::hashed::room_for;
use crate::spec::environment::{Endpoint, Environment};

/// All that a rule can see of a place but its node (S55 looks at that).
#[derive(PartialEq, Eq, Hash)]
enum SeenPlace<'a> {
    Class {
        namespace: NamespaceClassIx,
        labels: LabelSetIx,
        ports: PortTableIx,
        address: &'a SeenAddress,
        host: bool,
        governed: [EffectiveIx; 2],
    },
    Outside(AtomIx, [EffectiveIx; 2]),
}

/// Where a pod's addresses lie between the blocks of the rules; where they are not told, one of its
/// own.
#[derive(PartialEq, Eq, Hash)]
enum SeenAddress {
    Between(Vec<AtomIx>),
    Untold(AddressIx),
}

/// Of each place the first of which a rule sees the same. O(rules + places log blocks).
pub(crate) fn equivalent_sources(
    env: &Environment,
    space: &EndpointSpace,
    compiled: &CompiledPolicySet,
) -> Table<EndpointIx, EndpointIx> {
    let each_alone = || Table::first(space.len(), |place| place);
    let names_nodes = |peer: &Peer| {
        peer.any(&|p| matches!(p, Peer::Nodes(_) | Peer::Symbol(_) | Peer::Owned(..)))
    };
    let polices_nodes = space.policed.iter().any(|places| !places.is_empty());
    if !env.options.blocks_match_pods || polices_nodes || peers(env).any(names_nodes) {
        return each_alone();
    }
    let mut blocks: Vec<&IpSet> = Vec::new();
    for peer in peers(env) {
        peer.visit(&mut |p| blocks.extend(block(p)));
    }
    // compiling refused more atoms, of more constants, than can be numbered
    let Ok(between) = Atoms::new(blocks.into_iter()) else {
        return each_alone();
    };
    let addresses = space.classes.addresses.enumerated();
    let addresses = addresses.map(|(index, pod)| seen_address(env, &between, index, *pod));
    let addresses = Table::of_bounded(addresses.collect());
    let mut first = room_for(space.indexes().len());
    Table::first(space.len(), |place| {
        let seen = match space.representative(place) {
            Endpoint::Address(address) => {
                let governed = Direction::ALL.map(|d| compiled.governed_by(place, d));
                SeenPlace::Outside(between.of(address), governed)
            }
            Endpoint::Pod(_) => seen_class(space, compiled, &addresses, place),
        };
        *first.entry(seen).or_insert(place)
    })
}

/// The peers of all rules.
fn peers(env: &Environment) -> impl Iterator<Item = &Peer> {
    let policies = env.policies.policies.iter();
    let rules = policies.flat_map(|policy| policy.rules.iter().flatten());
    rules.flat_map(|rule| match &rule.peers {
        Peers::Of(list) => &list[..],
        Peers::Any => &[],
    })
}

fn block(peer: &Peer) -> Option<&IpSet> {
    if let Peer::Addresses(set) = peer {
        Some(set)
    } else {
        None
    }
}

/// Where the addresses of a pod lie, which stands for all with its address key.
fn seen_address(env: &Environment, between: &Atoms, index: AddressIx, pod: PodId) -> SeenAddress {
    let known = env.addresses(env.cluster.pod(pod)).iter();
    let mut known: Vec<AtomIx> = known.map(|address| between.of(*address)).collect();
    known.sort_unstable();
    known.dedup();
    if known.is_empty() {
        SeenAddress::Untold(index)
    } else {
        SeenAddress::Between(known)
    }
}

fn seen_class<'a>(
    space: &EndpointSpace,
    compiled: &CompiledPolicySet,
    addresses: &'a Table<AddressIx, SeenAddress>,
    class: EndpointIx,
) -> SeenPlace<'a> {
    let Class {
        namespace,
        labels,
        ports,
        address,
        host,
        ..
    } = space.classes.list[class];
    SeenPlace::Class {
        namespace,
        labels,
        ports,
        address: &addresses[address],
        host,
        governed: Direction::ALL.map(|direction| compiled.governed_by(class, direction)),
    }
}
