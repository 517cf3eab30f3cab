//! # NP407 equal-priorities
//!
//! **What it does.** Reports when two policies of one tier have the same priority and may govern
//! the same pods.
//!
//! **Why it is bad.** The API leaves open which of them is asked first. Where they disagree the
//! verdict is unknown, and may change with the network plugin or from one day to the next.
//!
//! **What it looks at.** Policies of tiers that ask in the order of priorities. A warning when both
//! govern a pod of the input, or the one all that the other governs, and rules of theirs with
//! different actions open ports in common; otherwise a note.
//!
//! **When it stays silent.** When no pod can be governed by both.
//!
//! **Settings.** None of its own.
//!
//! **References.** `priority` in the API of `ClusterNetworkPolicy` and `AdminNetworkPolicy`.

use crate::diagnostic::Place;
use crate::finding::{Finding, Severity};
use crate::lint::algebra::subject_within;
use crate::lint::context::LintContext;
use crate::lint::ports::numeric_traffic;
use crate::lint::reporter::Reporter;
use crate::model::Selector;
use crate::policy::tier::{TierIx, TierMode, Ties};
use crate::policy::{Direction, Namespaces, Policy, PolicyId, Priority};
use crate::source::{Origin, Path};
use std::collections::BTreeMap;

/// The number of policies of one priority that are compared with each other.
const COMPARED: usize = 40;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let mut by_priority: BTreeMap<(TierIx, Priority), Vec<PolicyId>> = BTreeMap::new();
    for (id, policy) in context.policies.iter() {
        if context.is_examined(id) && is_undefined(context, policy) {
            let key = (policy.tier, policy.priority);
            by_priority.entry(key).or_default().push(id);
        }
    }
    for policies in by_priority.values() {
        let compared = policies.iter().take(COMPARED).enumerate();
        for (i, id) in compared {
            let found = policies
                .iter()
                .take(i)
                .find_map(|earlier| finding(context, reporter, *id, *earlier));
            found.into_iter().for_each(|f| reporter.push(f));
        }
    }
}

/// Whether a policy's tier leaves open which of two policies of one priority is asked first.
fn is_undefined(context: &LintContext<'_>, policy: &Policy) -> bool {
    let tier = context.policies.tiers.get(policy.tier.index());
    tier.is_some_and(|t| matches!(t.mode, TierMode::Ordered(Ties::Undefined)))
}

/// The finding about two policies of one priority, if they may govern a pod in common.
fn finding(
    context: &LintContext<'_>,
    reporter: &Reporter<'_>,
    id: PolicyId,
    earlier: PolicyId,
) -> Option<Finding> {
    let (policy, other) = (context.policies.get(id), context.policies.get(earlier));
    let (pods, others) = (context.subjects(id), context.subjects(earlier));
    let common = pods.iter().any(|p| others.contains(p))
        || subject_within(&policy.subject, &other.subject)
        || subject_within(&other.subject, &policy.subject);
    if !common && !may_meet(policy, other) {
        return None;
    }
    let severity = if common && disagree(policy, other) {
        Severity::Warning
    } else {
        Severity::Info
    };
    let message = format!(
        "has priority {}, as {} has: which is asked first is left open",
        policy.priority,
        other.full_name()
    );
    let path = Path::root().key("spec").key("priority");
    let place = Place::Origin(Origin::new(other.document, path.clone()));
    Some(
        reporter
            .field(id, path, message)
            .severity(severity)
            .related(place, "the same priority")
            .help("give each policy of a tier a priority of its own"),
    )
}

/// Whether a pod may exist that both govern.
fn may_meet(policy: &Policy, other: &Policy) -> bool {
    let together = |a: &Selector, b: &Selector| {
        let both = a.requirements().iter().chain(b.requirements()).cloned();
        !Selector::new(both).is_contradictory()
    };
    let namespaces = match (&policy.subject.namespaces, &other.subject.namespaces) {
        (Namespaces::Matching(a), Namespaces::Matching(b)) => together(a, b),
        (Namespaces::Named(a), Namespaces::Named(b)) => a == b,
        _ => true,
    };
    namespaces && together(&policy.subject.pods, &other.subject.pods)
}

/// Whether rules of two policies with different actions have ports in common.
fn disagree(policy: &Policy, other: &Policy) -> bool {
    Direction::ALL.into_iter().any(|direction| {
        let others = other.rules(direction);
        policy.rules(direction).iter().any(|rule| {
            let traffic = numeric_traffic(rule);
            others
                .iter()
                .any(|o| o.action != rule.action && !numeric_traffic(o).is_disjoint(&traffic))
        })
    })
}
