//! What changes between two inputs: not text, but what is allowed.
//!
//! Phases: [`joint`] matches the workloads of both sides by name and cuts the outside addresses of
//! both into common blocks, the ends; [`roll`] puts them in an order in which what a row selects on
//! either side is a few runs ([`placed`]); [`edits`] lists what differs between the two laws and
//! worlds; [`half`] reads the rows of one side as [`strip`]s along the roll, [`columns`] compares
//! those of both, which many destinations share, and [`compare`] walks the destinations; [`cause`]
//! finds the edit behind each difference. Equal changes with one cause melt into one [`Change`]
//! ([`changes`]), however many pairs they open; what is admitted differently without effect is
//! [`latent`]. Destinations on whose way in nothing was edited are compared at the edited sources
//! only, and what stays is counted when somebody asks ([`still`]).
//!
//! Soundness: traffic is in a `Widened` change of a pair iff `evaluate` denies it before and allows
//! it after (for some pod pair, or for the last one that did not pass), and so on for each
//! [`Kind`]; a pair in no change has the same verdicts. Cost: the names of both sides; of edited
//! destinations the rows, of the others the rows as far as edited sources go; the stretches of the
//! roll in which they are the same, the ends beside each edited destination or source (S55), and
//! what differs. Ends stay runs of the roll, those of a change too ([`Parties`]), until somebody
//! wants their names: a namespace that is isolated on the way out changes every row, and is a few
//! runs in one change. No pair of ends is visited. Road not taken: compiling both sides against one
//! vocabulary, so that their classes agree; the roll does the same for two graphs that are there
//! already.

mod align;
mod cause;
mod changes;
mod compare;
mod rows;

pub use crate::diff::align::order::Parties;
pub use crate::diff::cause::declared_uses::{Use, declared};
pub use crate::diff::cause::edits::{Edit, PolicyEdit};
pub use crate::diff::cause::grounds::{Cause, What};
pub use crate::diff::rows::unchanged::Unchanged;

use crate::diff::align::alignment::Alignment;
use crate::diff::cause::edits::Edits;
use crate::graph::AllowGraph;
use crate::input::Input;
use crate::model::WorkloadId;
use crate::set::{IpSet, TrafficSet};
use crate::spec::{Endpoint, Flow};

/// One of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Which {
    /// As it was.
    Before,
    /// As it is now.
    After,
}

/// A side: what was read, and what it allows.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// What was read.
    pub input: &'a Input,
    /// What it allows.
    pub graph: &'a AllowGraph,
}

/// How the verdict on a piece of traffic changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Denied before, allowed now: new attack surface.
    Widened,
    /// Allowed before, denied now: breakage.
    Narrowed,
    /// Denied before and unknown now, or unknown before and allowed now.
    MayWiden,
    /// Allowed before and unknown now, or unknown before and denied now.
    MayNarrow,
    /// Unknown on both sides, and something that governs it was edited.
    Undecided,
}

impl Kind {
    /// Every kind, the riskiest first.
    pub const ALL: [Self; 5] = [
        Self::Widened,
        Self::Narrowed,
        Self::MayWiden,
        Self::MayNarrow,
        Self::Undecided,
    ];

    /// The stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Widened => "widened",
            Self::Narrowed => "narrowed",
            Self::MayWiden => "may-widen",
            Self::MayNarrow => "may-narrow",
            Self::Undecided => "undecided",
        }
    }

    /// The same change seen from the other side.
    #[must_use]
    pub const fn mirrored(self) -> Self {
        match self {
            Self::Widened => Self::Narrowed,
            Self::Narrowed => Self::Widened,
            Self::MayWiden => Self::MayNarrow,
            Self::MayNarrow => Self::MayWiden,
            Self::Undecided => Self::Undecided,
        }
    }
}

/// One end of a changed pair.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Party {
    /// A workload that both sides have: its ids before and after.
    Workload(WorkloadId, WorkloadId),
    /// A block of outside addresses.
    Addresses(IpSet),
}

/// Every source with every destination. A workload on both sides means its pods among each other,
/// if it has several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The sources, in input order, addresses last.
    pub sources: Parties,
    /// The destinations, likewise.
    pub destinations: Parties,
}

/// One change: the same traffic, opened or closed by the same edit, for all pairs it touches.
#[derive(Debug, Clone)]
pub struct Change {
    /// What happens.
    pub kind: Kind,
    /// To which traffic.
    pub traffic: TrafficSet,
    /// Because of which edit.
    pub cause: Cause,
    /// For whom, as blocks that do not overlap.
    pub blocks: Vec<Block>,
    /// How many pairs that is; a block of addresses counts once.
    pub pairs: u64,
    /// One flow that shows it, in the ids of each side.
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
    /// Whether any flow with another end passes, or may pass.
    pub connected: bool,
}

/// An admission that changes without effect: the way out of the source is blocked on both sides.
#[derive(Debug, Clone)]
pub struct MaskedChange {
    /// Whether the destination admits more, or less.
    pub kind: Kind,
    /// The traffic.
    pub traffic: TrafficSet,
    /// The sources.
    pub sources: Parties,
    /// The destination.
    pub destination: Party,
    /// One flow that shows it, in the ids of the after side.
    pub example: Flow,
}

/// An edit that changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoEffectEdit {
    /// Which, in [`Diff::edits`].
    pub edit: usize,
    /// Whether only its text differs: blanks, comments, order of keys.
    pub text_only: bool,
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
    /// Admissions that change without effect.
    pub latent: Vec<MaskedChange>,
    /// The policies that differ.
    pub edits: Vec<PolicyEdit>,
    /// Those of them that change nothing.
    pub inert: Vec<NoEffectEdit>,
    /// How many pairs that may talk on both sides are untouched.
    pub unchanged: Unchanged,
}

impl Diff {
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
        self.changes.is_empty() && self.added.is_empty() && self.removed.is_empty()
    }

    /// Whether new paths are open for certain, those of new workloads included.
    pub fn widens(&self) -> bool {
        self.of(Kind::Widened).next().is_some() || self.added.iter().any(|l| l.connected)
    }

    /// Whether paths are gone for certain, those of removed workloads included.
    pub fn narrows(&self) -> bool {
        self.of(Kind::Narrowed).next().is_some() || self.removed.iter().any(|l| l.connected)
    }
}

/// Compares two sides.
pub fn diff(before: Side<'_>, after: Side<'_>) -> Diff {
    compared(before, after, true)
}

/// [`diff`] with every destination told by itself; for tests.
#[doc(hidden)]
pub fn diff_one_by_one(before: Side<'_>, after: Side<'_>) -> Diff {
    compared(before, after, false)
}

fn compared(before: Side<'_>, after: Side<'_>, together: bool) -> Diff {
    let matched = || {
        let joint = Alignment::new(before, after);
        let edits = Edits::new(before, after, &joint);
        (joint, edits)
    };
    let ready = |side: Side<'_>| side.graph.make_ready_for_rows();
    let ((joint, edits), _) =
        rayon::join(matched, || rayon::join(|| ready(before), || ready(after)));
    let mut diff = compare::compare(before, after, &joint, &edits, together);
    let used = diff
        .changes
        .iter()
        .filter_map(|c| c.cause.edit)
        .collect::<std::collections::BTreeSet<_>>();
    diff.inert = edits
        .policies
        .iter()
        .enumerate()
        .filter(|(i, _)| !used.contains(i))
        .map(|(edit, e)| NoEffectEdit {
            edit,
            text_only: !e.meaning,
        })
        .collect();
    diff.added = joint.added.iter().map(|w| lone(after, *w)).collect();
    diff.removed = joint.removed.iter().map(|w| lone(before, *w)).collect();
    diff.edits = edits.policies;
    diff
}

fn lone(side: Side<'_>, workload: WorkloadId) -> OneSided {
    let pods = &side.input.cluster.workload(workload).pods;
    let open = |direction| {
        let profile = |p: &crate::model::PodId| side.graph.effective(Endpoint::Pod(*p), direction);
        pods.iter().all(|p| {
            profile(p).is_some_and(crate::compile::effective_policies::EffectivePolicy::is_open)
        })
    };
    let open_in = open(crate::policy::Direction::Ingress);
    let open_out = open(crate::policy::Direction::Egress);
    let connected = open_in || open_out || pods.iter().any(|p| is_connected(side, *p));
    OneSided {
        workload,
        open_in,
        open_out,
        connected,
    }
}

/// Whether anything but its own class passes to or from a pod. O(places of the line).
fn is_connected(side: Side<'_>, pod: crate::model::PodId) -> bool {
    let space = side.graph.space();
    let own = space.index_of(Endpoint::Pod(pod));
    let lone = |place: u32| place == own && space.classes.members(own).len() == 1;
    let comes = || {
        side.graph
            .row(own)
            .iter()
            .any(|part| part.sources.points().any(|s| !lone(s)))
    };
    let goes = || {
        (0..space.len()).filter(|at| !lone(*at)).any(|at| {
            let allowed = side
                .graph
                .allowed(Endpoint::Pod(pod), space.representative(at));
            !(allowed.must.is_empty() && allowed.unknown().is_empty())
        })
    };
    comes() || goes()
}
