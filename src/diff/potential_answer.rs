//! The answer of a diff about pods that are not in the input, as plain values.

use crate::diff::cause::attribution::Cause;
use crate::diff::kind::Kind;
use crate::diff::unseen::Unseen;
use crate::model::WorkloadId;
use crate::potential::PotentialPods;
use crate::set::{IpSet, TrafficSet};
use crate::spec::Flow;
use std::collections::BTreeSet;

/// One end of a change beyond the input.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PotentialParty {
    /// A kind of pods: its index among [`PotentialPods::kinds`].
    Kind(usize),
    /// A workload of the input, in the ids of the after side.
    Workload(WorkloadId),
    /// Outside addresses.
    Addresses(IpSet),
}

/// A change of flows with an end that is not in the input.
#[derive(Debug, Clone)]
pub struct PotentialChange {
    /// How the verdict changes.
    pub kind: Kind,
    /// The traffic whose verdict changes.
    pub traffic: TrafficSet,
    /// The edit that makes the change.
    pub cause: Cause,
    /// Who may send.
    pub sources: BTreeSet<PotentialParty>,
    /// Who may receive.
    pub destinations: BTreeSet<PotentialParty>,
    /// One flow that shows it, in the ids of each side with the kinds laid over it.
    pub example: (Flow, Flow),
}

/// What changes for pods that are not in the input.
#[derive(Debug, Clone, Default)]
pub struct PotentialDiff {
    /// The kinds of pods that were compared.
    pub pods: PotentialPods,
    /// The changes, by kind.
    pub changes: Vec<PotentialChange>,
    /// Whether not all could be compared, so that there may be further changes.
    pub incomplete: bool,
    /// What could not.
    pub unseen: BTreeSet<Unseen>,
}

impl PotentialDiff {
    /// Whether nothing changes, as far as was compared.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && !self.incomplete
    }

    /// The changes of one kind.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &PotentialChange> {
        self.changes.iter().filter(move |c| c.kind == kind)
    }
}
