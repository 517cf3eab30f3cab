//! The answer of a diff: changes, one-sided workloads, masked changes and edits without effect.
//!
//! These are plain values in the ids of each side; names and texts are made where they are
//! rendered.

use crate::diff::align::endpoint::DiffParty;
use crate::diff::align::order::Parties;
use crate::diff::calls::CallChange;
use crate::diff::cause::attribution::Cause;
use crate::diff::cause::policy_edits::PolicyEdit;
use crate::diff::doors::DoorChange;
use crate::diff::kind::Kind;
use crate::diff::potential_answer::PotentialDiff;
use crate::diff::rows::unchanged::Unchanged;
use crate::model::WorkloadId;
use crate::set::TrafficSet;
use crate::spec::Flow;

/// Every source with every destination. A workload among both the sources and the destinations
/// means the flows between its pods, if it has several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The sources, in input order, addresses last.
    pub sources: Parties,
    /// The destinations, in the same order.
    pub destinations: Parties,
}

/// One change: the same traffic, opened or closed by the same edit, for all pairs it affects.
#[derive(Debug, Clone)]
pub struct Change {
    /// How the verdict changes.
    pub kind: Kind,
    /// The traffic whose verdict changes.
    pub traffic: TrafficSet,
    /// The edit that makes the change.
    pub cause: Cause,
    /// The affected pairs, as blocks that do not overlap.
    pub blocks: Vec<Block>,
    /// The number of pairs; a block of addresses counts once.
    pub pairs: u64,
    /// One flow that shows the change, in the ids of each side.
    pub example: (Flow, Flow),
}

/// A workload that only one side has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneSided {
    /// The workload, in the ids of its side.
    pub workload: WorkloadId,
    /// Whether anyone may reach it: no policy selects it for ingress.
    pub open_in: bool,
    /// Whether it may go anywhere: no policy selects it for egress.
    pub open_out: bool,
    /// Whether any flow with another endpoint passes, or may pass.
    pub connected: bool,
}

/// A change of ingress without effect: the egress of the source is blocked on both sides.
#[derive(Debug, Clone)]
pub struct MaskedChange {
    /// Whether the destination admits more, or less.
    pub kind: Kind,
    /// The traffic.
    pub traffic: TrafficSet,
    /// The sources.
    pub sources: Parties,
    /// The destination.
    pub destination: DiffParty,
    /// One flow that shows it, in the ids of the after side.
    pub example: Flow,
}

/// An edit that changes no verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoEffectEdit {
    /// The edit: its index in [`Diff::edits`].
    pub edit: usize,
    /// Whether only its text differs: blanks, comments, order of keys.
    pub text_only: bool,
    /// Whether it may change something for pods that are not in the input, of which more kinds may
    /// exist than were compared.
    pub may_matter: bool,
}

/// What changes between two sides.
#[derive(Debug, Clone, Default)]
pub struct Diff {
    /// The changes: by kind, then by the number of pairs.
    pub changes: Vec<Change>,
    /// Workloads that only the after side has.
    pub added: Vec<OneSided>,
    /// Workloads that only the before side has.
    pub removed: Vec<OneSided>,
    /// Changes of ingress without effect.
    pub latent: Vec<MaskedChange>,
    /// The policies that differ.
    pub edits: Vec<PolicyEdit>,
    /// The edits that change no verdict.
    pub inert: Vec<NoEffectEdit>,
    /// How many pairs may talk on both sides without a change.
    pub unchanged: Unchanged,
    /// What changes for pods that are not in the input, where that was asked for.
    pub potential: PotentialDiff,
    /// The doors that open or close, where that was asked for.
    pub doors: Vec<DoorChange>,
    /// What changes for calls of Services that rules name.
    pub calls: Vec<CallChange>,
}

impl Diff {
    /// Only what changes of some traffic. Workloads that one side lacks are not traffic, and stay.
    #[must_use]
    pub fn on_ports(mut self, asked: &TrafficSet) -> Self {
        self.changes
            .retain_mut(|change| cut(&mut change.traffic, &mut change.example, asked));
        let pods = &self.potential.pods;
        self.potential.changes.retain_mut(|change| {
            let asked = pods.cut(&change.traffic, asked);
            cut(&mut change.traffic, &mut change.example, &asked)
        });
        self.doors.retain(|change| {
            let arrives = change.line.target.traffic();
            arrives.is_none_or(|traffic| asked.contains(traffic))
        });
        self.calls.retain_mut(|change| {
            change.traffic = change.traffic.intersection(asked);
            !change.traffic.is_empty()
        });
        self.latent.retain_mut(|masked| {
            let mut example = (masked.example, masked.example);
            let kept = cut(&mut masked.traffic, &mut example, asked);
            masked.example = example.0;
            kept
        });
        self
    }

    /// The changes of one kind.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(move |c| c.kind == kind)
    }

    /// How many pairs change in one way.
    pub fn pairs(&self, kind: Kind) -> u64 {
        self.of(kind).map(|c| c.pairs).sum()
    }

    /// Whether nothing changes: no pair, no workload.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
            && self.added.is_empty()
            && self.removed.is_empty()
            && self.potential.is_empty()
            && self.doors.is_empty()
            && self.calls.is_empty()
    }

    /// Whether something may change that was not compared in full.
    pub fn is_incomplete(&self) -> bool {
        self.potential.incomplete || self.inert.iter().any(|edit| edit.may_matter)
    }

    /// The doors that change in one way.
    pub fn doors_of(&self, kind: Kind) -> impl Iterator<Item = &DoorChange> {
        self.doors.iter().filter(move |c| c.kind == kind)
    }

    /// The calls of Services that change in one way.
    pub fn calls_of(&self, kind: Kind) -> impl Iterator<Item = &CallChange> {
        self.calls.iter().filter(move |c| c.kind == kind)
    }

    /// Whether paths open for certain, those of new workloads included.
    pub fn widens(&self) -> bool {
        self.of(Kind::Widened).next().is_some()
            || self.potential.of(Kind::Widened).next().is_some()
            || self.doors_of(Kind::Widened).next().is_some()
            || self.calls_of(Kind::Widened).next().is_some()
            || self.added.iter().any(|l| l.connected)
    }

    /// Whether paths close for certain, those of removed workloads included.
    pub fn narrows(&self) -> bool {
        self.of(Kind::Narrowed).next().is_some()
            || self.potential.of(Kind::Narrowed).next().is_some()
            || self.doors_of(Kind::Narrowed).next().is_some()
            || self.calls_of(Kind::Narrowed).next().is_some()
            || self.removed.iter().any(|l| l.connected)
    }
}

/// Cuts traffic to what was asked about, with the example that shows it; `false` if nothing is
/// left.
fn cut(traffic: &mut TrafficSet, example: &mut (Flow, Flow), asked: &TrafficSet) -> bool {
    *traffic = traffic.intersection(asked);
    let Some(sample) = traffic.sample() else {
        return false;
    };
    if !traffic.contains(example.0.traffic) {
        example.0.traffic = sample;
        example.1.traffic = sample;
    }
    true
}
