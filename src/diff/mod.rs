//! What changes between two inputs: not the text, but the verdicts.
//!
//! Phases: [`align::alignment`] matches the workloads of both sides by name and cuts the outside
//! addresses of both into common blocks; [`align::order`] puts these aligned endpoints in an order
//! in which the sources of a row are a few ranges; [`cause::edits`] lists what differs between the
//! inputs; [`rows`] compares the rows of both sides; [`compare`] walks the destinations;
//! [`cause::attribution`] finds the edit behind each difference. Equal changes with one cause merge
//! into one [`Change`] ([`changes`]); [`cause::masked`] lists changes of ingress without effect.
//! Destinations whose ingress was not edited are compared at the edited sources only; their
//! unchanged pairs are counted lazily ([`Unchanged`]).
//!
//! Soundness: traffic is in a `Widened` change of a pair iff `evaluate` denies it before and allows
//! it after (for some pod pair, or for the last one that did not pass), and likewise for each
//! [`Kind`]; a pair in no change has the same verdicts. Cost: matching the names; the rows of
//! edited destinations, and of the others the part from edited sources; the segments of equal
//! state, the own-node exceptions (S55), and the differences. No pair of endpoints is visited: sets
//! of endpoints stay ranges of the order until their names are read ([`Parties`]), so that a
//! namespace whose egress becomes isolated changes every row, yet is one change of a few ranges.
//! Road not taken: compiling both sides against one vocabulary, so that their classes agree; the
//! common order achieves the same for two graphs that already exist.

mod align;
mod answer;
mod before_after;
mod calls;
mod cause;
mod changed_ends;
mod changes;
mod compare;
mod doors;
mod kind;
mod one_sided;
mod potential;
mod potential_answer;
mod record;
mod rows;
mod unseen;

pub use crate::diff::align::endpoint::DiffParty;
pub use crate::diff::align::order::Parties;
pub use crate::diff::answer::{Block, Change, Diff, MaskedChange, NoEffectEdit, OneSided};
pub use crate::diff::before_after::{Side, Which};
pub use crate::diff::calls::CallChange;
pub use crate::diff::cause::assumption::Assumption;
pub use crate::diff::cause::attribution::{Cause, What};
pub use crate::diff::cause::declared_uses::{Use, declared};
pub use crate::diff::cause::policy_edits::Edit;
pub use crate::diff::doors::DoorChange;
pub use crate::diff::kind::Kind;
pub use crate::diff::potential::{diff_in, diff_of_kinds};
pub use crate::diff::potential_answer::{PotentialChange, PotentialDiff, PotentialParty};
pub use crate::diff::unseen::Unseen;

use crate::diff::align::alignment::Alignment;
use crate::diff::calls::call_changes;
use crate::diff::cause::edits::Edits;
use crate::diff::cause::policy_edits::PolicyEdit;
use crate::diff::changed_ends::ChangedEnds;
use crate::diff::one_sided::one_sided;
use crate::policy::Policy;
use crate::source::DocumentId;
use std::collections::BTreeSet;

/// Compares two sides.
pub fn diff(before: Side<'_>, after: Side<'_>) -> Diff {
    compared(before, after, true)
}

/// [`diff`] with every destination compared on its own; for tests.
#[doc(hidden)]
pub fn diff_one_by_one(before: Side<'_>, after: Side<'_>) -> Diff {
    compared(before, after, false)
}

fn compared(before: Side<'_>, after: Side<'_>, together: bool) -> Diff {
    let matched = || {
        let alignment = Alignment::new(before, after);
        let edits = Edits::new(before, after, &alignment);
        (alignment, edits)
    };
    let ready = |side: Side<'_>| side.graph.make_ready_for_rows();
    let ((alignment, edits), _) =
        rayon::join(matched, || rayon::join(|| ready(before), || ready(after)));
    let mut diff = compare::compare(before, after, &alignment, &edits, together);
    let used: BTreeSet<usize> = diff.changes.iter().filter_map(|c| c.cause.edit).collect();
    let shown = |edit: &PolicyEdit| written_as([before, after], edit);
    let of_used: BTreeSet<_> = used
        .iter()
        .filter_map(|i| shown(&edits.policies[*i]))
        .collect();
    // a policy that is several, of pods and of hosts, is shown if one of them is
    let is_shown = |e: &PolicyEdit| shown(e).is_some_and(|policy| of_used.contains(&policy));
    diff.calls = call_changes([before, after]);
    let has_call = |edit: &PolicyEdit| !diff.calls.is_empty() && sees_calls([before, after], edit);
    let touched = ChangedEnds::new(&diff.changes, [before, after]);
    diff.inert = edits
        .policies
        .iter()
        .enumerate()
        .filter(|(_, e)| !(is_shown(e) || e.same_text && e.edit.is_of_its_text()))
        .filter(|(_, e)| !touched.is_governed_by(e) && !has_call(e))
        .map(|(edit, e)| NoEffectEdit {
            edit,
            text_only: e.text_only,
            may_matter: false,
        })
        .collect();
    let added = alignment.added.iter().map(|w| one_sided(after, *w));
    diff.added = added.collect();
    let removed = alignment.removed.iter().map(|w| one_sided(before, *w));
    diff.removed = removed.collect();
    diff.edits = edits.policies;
    diff
}

/// Whether an edited policy has rules that name Services, on either side.
fn sees_calls([before, after]: [Side<'_>; 2], edit: &PolicyEdit) -> bool {
    let versions = [(before, edit.before), (after, edit.after)].into_iter();
    let mut policies = versions.filter_map(|(side, id)| {
        let policies = &side.graph.environment().policies;
        id.map(|id| policies.get(id))
    });
    policies.any(Policy::sees_calls)
}

/// In which document an edited policy stands, on the side where it does, and its name.
fn written_as<'e>(
    [before, after]: [Side<'e>; 2],
    edit: &PolicyEdit,
) -> Option<(bool, DocumentId, &'e str)> {
    let (side, id) = edit
        .before
        .map(|id| (before, id))
        .or(edit.after.map(|id| (after, id)))?;
    let policy = side.graph.environment().policies.get(id);
    Some((edit.before.is_some(), policy.document, &policy.name))
}
