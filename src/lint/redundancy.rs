//! Redundant policies: those that add nothing to another one, in any cluster.
//!
//! Containment is decided by [`crate::lint::algebra`] for every possible label set and address.
//! Cost: the policies of the same namespace that may select the same pods, for each policy asked
//! about.

use crate::lint::algebra::policy_within;
use crate::lint::context::LintContext;
use crate::policy::{Direction, Policy, PolicyId};

/// The policy that makes another one redundant. Of two equal policies the first makes the second
/// redundant; a policy without rules never is.
pub(crate) fn containing_policy(
    context: &LintContext<'_>,
    id: PolicyId,
    policy: &Policy,
) -> Option<PolicyId> {
    let acts = Direction::ALL
        .into_iter()
        .any(|d| policy.isolates(d) && !policy.rules(d).is_empty());
    if !acts {
        return None;
    }
    context.may_contain(policy).into_iter().find(|other| {
        let wide = context.policies.get(*other);
        *other != id && policy_within(policy, wide) && (*other < id || !policy_within(wide, policy))
    })
}
