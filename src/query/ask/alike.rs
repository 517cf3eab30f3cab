//! The addresses that one address stands for: those of which the same is true.
//!
//! A question about a set of addresses is answered with a flow from or to one of them. Which one is
//! an accident of the numbers; what is meant are all addresses of the set between which and the
//! other end the same passes. Cost: one verdict for each atom of the set, of at most [`MOST`]
//! atoms.

use crate::graph::AllowGraph;
use crate::set::IpSet;
use crate::spec::{Endpoint, Flow};
use std::net::IpAddr;

/// In a set of more atoms than this an address stands for all of it.
const MOST: usize = 4_000;

/// The addresses of a set of which the same is true as of an address that is one end of a flow.
pub(crate) fn alike(graph: &AllowGraph, flow: &Flow, address: IpAddr, within: &IpSet) -> IpSet {
    let atoms = &graph.space().atoms;
    let overlapping = atoms.overlapping(within);
    if overlapping.points().take(MOST + 1).count() > MOST {
        return within.clone();
    }
    let verdict = graph.verdict(flow);
    let at = Endpoint::Address(address);
    let parts = overlapping
        .points()
        .map(|atom| atoms.addresses(atom).intersection(within));
    let same = parts.filter(|part| {
        part.first().is_some_and(|first| {
            graph.verdict(&with(flow, at, Endpoint::Address(first))) == verdict
        })
    });
    same.fold(IpSet::empty(), |all, part| all.union(&part))
}

/// A flow with another endpoint in the place of one.
fn with(flow: &Flow, one: Endpoint, other: Endpoint) -> Flow {
    let replaced = |end| if end == one { other } else { end };
    Flow {
        source: replaced(flow.source),
        destination: replaced(flow.destination),
        ..*flow
    }
}
