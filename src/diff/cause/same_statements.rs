//! Policies that were renamed, split, merged or given twice, and say together what they said.
//!
//! In a tier without an order the policies of one subject are added up: whom they isolate, and the
//! rules of each action. Where both sides come to the same sum, no verdict can differ, known or
//! not, and their edits have no meaning. Conditions that rules hold in words only are compared as
//! they are written. Cost: the policies of both sides, and the rules of the edited subjects.

use crate::diff::before_after::Side;
use crate::diff::cause::policy_edits::{PolicyEdit, WrittenConditions, is_conditional};
use crate::policy::sorted_policy::AddedUp;
use crate::policy::tier::TierIx;
use crate::policy::{Policy, Subject};
use crate::set::hashed::HashMap;

/// What the policies of a sum have in common.
type Addend<'a> = (TierIx, Option<&'a str>, &'a Subject);

fn addend(policy: &Policy) -> Addend<'_> {
    let namespace = policy.namespace.as_deref();
    (policy.tier, namespace, &policy.subject)
}

/// Takes the meaning from the edits whose policies say together what was said before.
pub(super) fn forget_respelled(edits: &mut [PolicyEdit], sides: [Side<'_>; 2]) {
    let policies = sides.map(|side| &*side.graph.environment().policies);
    if policies[0].tiers != policies[1].tiers {
        return;
    }
    let of = |edit: &PolicyEdit| {
        let both = [edit.before, edit.after].into_iter().zip(policies);
        both.filter_map(|(id, policies)| Some(policies.get(id?)))
            .collect::<Vec<&Policy>>()
    };
    let mut sums: HashMap<Addend<'_>, [Vec<&Policy>; 2]> = HashMap::default();
    for edit in edits.iter().filter(|edit| edit.meaning) {
        for policy in of(edit).into_iter().filter(|p| !policies[0].is_ordered(p)) {
            sums.entry(addend(policy)).or_default();
        }
    }
    if sums.is_empty() {
        return;
    }
    let conditions = WrittenConditions::new(sides);
    for (side, policies) in policies.into_iter().enumerate() {
        for (_, policy) in policies.iter() {
            if let Some(sum) = sums.get_mut(&addend(policy)) {
                sum[side].push(policy);
            }
        }
    }
    sums.retain(|_, sum| is_same(sum, &conditions));
    for edit in edits.iter_mut().filter(|e| e.edit.is_of_its_text()) {
        let all_same = of(edit).iter().all(|p| sums.contains_key(&addend(p)));
        edit.meaning &= !all_same;
        edit.conditions &= !all_same;
    }
}

/// Whether two lists of policies of one subject say the same.
fn is_same([was, is]: &[Vec<&Policy>; 2], conditions: &WrittenConditions<'_>) -> bool {
    let (Some(first), false) = (was.first(), is.is_empty()) else {
        return false;
    };
    let rest = |policy: &Policy| {
        let asked = (policy.applies, policy.sees_own_service, policy.priority);
        (policy.shape, asked, policy.generated.clone())
    };
    let mut all = was.iter().chain(is);
    all.all(|policy| rest(policy) == rest(first))
        && AddedUp::of(was) == AddedUp::of(is)
        && (!was.iter().chain(is).any(|policy| is_conditional(policy))
            || conditions.specs(0, was) == conditions.specs(1, is))
}
