//! # NP805 equal-order-keys
//!
//! **What it does.** Reports when two policies of Antrea have the same tier and priority, govern
//! the same pods, and disagree at one position of their rules.
//!
//! **Why it is bad.** Antrea asks rules of one tier and priority by their position. Of two at the
//! same position either may be asked first, so that the verdict is unknown and may change.
//!
//! **What it looks at.** Rules of one position with different actions and ports in common, of
//! policies that govern a pod of the input, or the one all that the other governs.
//!
//! **When it stays silent.** Where the rules agree, or stand at different positions.
//!
//! **Settings.** None of its own.
//!
//! **References.** AN6 of `docs/dialects/antrea.md`.

use crate::diagnostic::Place;
use crate::lint::algebra::subject_within;
use crate::lint::context::LintContext;
use crate::lint::ports::numeric_traffic;
use crate::lint::reporter::Reporter;
use crate::policy::tier::TierIx;
use crate::policy::{Direction, Policy, PolicyId, Priority};
use crate::source::{Origin, Path};
use std::collections::BTreeMap;

/// The number of policies of one priority that are compared with each other.
const COMPARED: usize = 40;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let mut by_priority: BTreeMap<(TierIx, Priority), Vec<PolicyId>> = BTreeMap::new();
    for (id, policy, _) in context.antrea_policies() {
        let key = (policy.tier, policy.priority);
        by_priority.entry(key).or_default().push(id);
    }
    for policies in by_priority.values() {
        for (i, id) in policies.iter().take(COMPARED).enumerate() {
            let mut others = policies.iter().take(i);
            let other = others.find(|other| is_rival(context, *id, **other));
            if let Some(other) = other {
                report(context, reporter, *id, *other);
            }
        }
    }
}

fn report(context: &LintContext<'_>, reporter: &mut Reporter<'_>, id: PolicyId, other: PolicyId) {
    let (policy, other) = (context.policies.get(id), context.policies.get(other));
    let path = Path::root().key("spec").key("priority");
    let message = format!(
        "has priority {}, as {} has, and rules of one position disagree",
        policy.priority,
        other.full_name()
    );
    let place = Place::Origin(Origin::new(other.document, path.clone()));
    let finding = reporter.field(id, path, message);
    let finding = finding.related(place, "the same priority");
    reporter.push(finding.help("give one of them another priority"));
}

/// Whether two policies govern a pod in common, and disagree about it.
fn is_rival(context: &LintContext<'_>, id: PolicyId, other: PolicyId) -> bool {
    let (pods, others) = (context.subjects(id), context.subjects(other));
    let (policy, other) = (context.policies.get(id), context.policies.get(other));
    let common = pods.iter().any(|p| others.contains(p))
        || subject_within(&policy.subject, &other.subject)
        || subject_within(&other.subject, &policy.subject);
    common
        && Direction::ALL
            .into_iter()
            .any(|d| disagree(policy, other, d))
}

/// Whether rules of one position have different actions and ports in common.
fn disagree(policy: &Policy, other: &Policy, direction: Direction) -> bool {
    let rules = policy.rules(direction).iter().enumerate();
    rules.into_iter().any(|(i, rule)| {
        let traffic = numeric_traffic(rule);
        let position = policy.position(direction, i);
        let mut others = other.rules(direction).iter().enumerate();
        others.any(|(j, o)| {
            other.position(direction, j) == position
                && o.action != rule.action
                && !numeric_traffic(o).is_disjoint(&traffic)
        })
    })
}
