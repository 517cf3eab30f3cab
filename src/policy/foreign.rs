//! Policies of a network plugin that is not the cluster's: whether they are in force, by whatever
//! reads them, is not known.

use crate::policy::policy_set::PolicySet;
use crate::policy::rule::{Direction, Policy};
use crate::policy::taint::{Taint, TaintEffect, TaintReason, TaintSubject};
use crate::set::hashed::HashSet;
use crate::source::{DocumentId, Origin};

impl Taint {
    /// A policy whose rules do not count: what it governs may be let through or stopped, and nodes
    /// may be closed.
    pub fn of_policy(policy: &Policy, reason: TaintReason, subject: TaintSubject) -> Self {
        Self {
            what: format!("{} {}", policy.shape.kind, policy.full_name()).into(),
            reason,
            effect: match subject {
                TaintSubject::Pods(_) => TaintEffect::Anything,
                TaintSubject::Nodes(_) => TaintEffect::OnlyDeny,
            },
            subject,
            directions: Direction::ALL.map(|direction| policy.governs(direction)),
            origin: Some(Origin::document(policy.document)),
        }
    }
}

/// The policy set without the policies of a plugin; in the place of each that its own plugin would
/// enforce stands a taint.
pub fn not_in_force(
    policies: &PolicySet,
    is_own: impl Fn(&Policy) -> bool,
    is_enforced: impl Fn(&Policy) -> bool,
) -> PolicySet {
    let mut set = policies.clone();
    let enforced = set.policies.iter().filter(|p| is_own(p) && is_enforced(p));
    let taints = enforced.map(|policy| {
        let subject = TaintSubject::Pods(policy.subject.clone());
        Taint::of_policy(policy, TaintReason::UnmodelledKind, subject)
    });
    let taints: Vec<Taint> = taints.collect();
    set.taints.extend(taints);
    let own = set.policies.iter_mut().filter(|p| is_own(p));
    own.for_each(|policy| policy.applies = [false, false]);
    set
}

/// Takes away what is unknown because of some policies, which nobody enforces.
pub fn forget_taints(policies: &mut PolicySet, is_foreign: impl Fn(&Policy) -> bool) {
    let foreign = policies.policies.iter().filter(|policy| is_foreign(policy));
    let documents: HashSet<DocumentId> = foreign.map(|policy| policy.document).collect();
    policies.taints.retain(|taint| {
        let origin = taint.origin.as_ref();
        origin.is_none_or(|origin| !documents.contains(&origin.document))
    });
}
