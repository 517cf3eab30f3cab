//! A changed pair of aligned ends, and flows that show its change.
//!
//! Cost: one flow if each end is one class; else the verdicts of up to [`SEARCHED_PAIRS`] pairs of
//! pods.

use crate::diff::align::endpoint::{AlignedEnd, EndIx};
use crate::diff::before_after::{Side, Which};
use crate::diff::cause::edits::Edits;
use crate::diff::kind::Kind;
use crate::model::{PodId, Truth};
use crate::policy::Direction;
use crate::set::{Protocol, Traffic, TrafficSet};
use crate::spec::{Endpoint, Flow};

/// How many pairs of pods of two ends are searched for a flow.
pub const SEARCHED_PAIRS: usize = 400;

/// Which pairs of a source and a destination end are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Pairing {
    /// Every source with every destination.
    All,
    /// Every member of an end with every other member.
    Others,
    /// Every member of an end with itself.
    Own,
}

/// A pair of ends whose verdict changes.
pub struct ChangedPair<'a> {
    /// The before side.
    pub before: Side<'a>,
    /// The after side.
    pub after: Side<'a>,
    /// All aligned ends.
    pub ends: &'a [AlignedEnd],
    /// What was edited.
    pub edits: &'a Edits,
    /// One source of the change.
    pub source: EndIx,
    /// Its destination.
    pub destination: EndIx,
    /// Which pairs of the two.
    pub pairing: Pairing,
}

/// One piece of this traffic; any, if there is none.
pub fn sample(traffic: &TrafficSet) -> Traffic {
    traffic.sample().unwrap_or(Traffic {
        protocol: Protocol::Tcp,
        port: 1,
    })
}

/// One flow between two ends on one side.
pub fn flow(
    side: Side<'_>,
    ends: &[AlignedEnd],
    which: Which,
    source: EndIx,
    destination: EndIx,
    traffic: &TrafficSet,
) -> Option<Flow> {
    let source = ends[source]
        .endpoints(&side.input.cluster, which, 0, 1)
        .first()
        .copied()?;
    let destination = ends[destination]
        .endpoints(&side.input.cluster, which, 0, 1)
        .first()
        .copied()?;
    Some(Flow {
        source,
        destination,
        traffic: sample(traffic),
    })
}

/// Whether a change lets more through.
pub fn opens(kind: Kind) -> bool {
    matches!(kind, Kind::Widened | Kind::MayWiden)
}

impl ChangedPair<'_> {
    /// One of the sides.
    pub fn side(&self, which: Which) -> Side<'_> {
        if which == Which::Before {
            self.before
        } else {
            self.after
        }
    }

    /// The source and the destination, each with the direction in which it governs a flow.
    pub fn governed_ends(&self) -> [(EndIx, Direction); 2] {
        [
            (self.source, Direction::Egress),
            (self.destination, Direction::Ingress),
        ]
    }

    /// A flow that shows a change of this kind to this traffic, on either side.
    pub fn example(&self, kind: Kind, traffic: &TrafficSet) -> (Flow, Flow) {
        let traffic = sample(traffic);
        if kind == Kind::Undecided {
            let unknown = |which, highest| {
                let flow = self.unknown_flow(which, traffic);
                flow.unwrap_or_else(|| self.extreme_flow(which, traffic, highest))
            };
            return (unknown(Which::Before, true), unknown(Which::After, false));
        }
        (
            self.extreme_flow(Which::Before, traffic, !opens(kind)),
            self.extreme_flow(Which::After, traffic, opens(kind)),
        )
    }

    /// The first `limit` pairs of endpoints of the two ends on one side.
    pub fn pairs(&self, which: Which, limit: usize) -> Vec<(Endpoint, Endpoint)> {
        let cluster = &self.side(which).input.cluster;
        let second = usize::from(self.source == self.destination && self.pairing != Pairing::Own);
        let sources = self.ends[self.source].endpoints(cluster, which, 0, limit + 1);
        let destinations = self.ends[self.destination].endpoints(cluster, which, second, limit + 1);
        let pairs = sources
            .iter()
            .flat_map(|s| destinations.iter().map(move |d| (*s, *d)));
        pairs
            .filter(|(s, d)| s != d || sources.len() == 1)
            .take(limit)
            .collect()
    }

    /// The first flow among the pods of the two ends whose verdict is unknown.
    fn unknown_flow(&self, which: Which, traffic: Traffic) -> Option<Flow> {
        let pairs = self.pairs(which, SEARCHED_PAIRS).into_iter();
        let mut flows = pairs.map(|(source, destination)| Flow {
            source,
            destination,
            traffic,
        });
        flows.find(|flow| self.side(which).graph.verdict(flow) == Truth::Maybe)
    }

    /// The first flow with the highest (or lowest) verdict among the pods of the two ends.
    fn extreme_flow(&self, which: Which, traffic: Traffic, highest: bool) -> Flow {
        let nowhere = Flow {
            source: Endpoint::Pod(PodId(0)),
            destination: Endpoint::Pod(PodId(0)),
            traffic,
        };
        let side = self.side(which);
        let uniform = [self.source, self.destination]
            .into_iter()
            .all(|end| self.is_uniform(which, end));
        let limit = if uniform { 1 } else { SEARCHED_PAIRS };
        let pairs = self.pairs(which, limit).into_iter();
        let mut flows = pairs.map(|(source, destination)| Flow {
            source,
            destination,
            traffic,
        });
        if uniform {
            return flows.next().unwrap_or(nowhere);
        }
        let mut best: Option<(u8, Flow)> = None;
        for flow in flows {
            let truth = side.graph.verdict(&flow);
            let rank = if highest {
                Truth::Yes as u8 - truth as u8
            } else {
                truth as u8
            };
            if best.is_none_or(|(least, _)| rank < least) {
                best = Some((rank, flow));
            }
            if rank == 0 {
                break;
            }
        }
        best.map_or(nowhere, |(_, flow)| flow)
    }

    /// Whether the pods of an end are of one class and none of them is on the network of its node:
    /// between two such ends every flow has one verdict.
    fn is_uniform(&self, which: Which, end: EndIx) -> bool {
        let end = &self.ends[end];
        let indices = end.indices(which);
        !end.is_external()
            && indices.len() == 1
            && indices
                .iter()
                .all(|(index, _)| !self.side(which).graph.space().is_host(*index))
    }
}
