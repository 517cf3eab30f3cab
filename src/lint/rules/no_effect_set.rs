//! # NP403 no-effect-set
//!
//! **What it does.** Reports when all policies of a namespace together allow what would be allowed
//! without them.
//!
//! **Why it is bad.** They look like protection and are none.
//!
//! **What it looks at.** Whether for each policy and direction some rule allows everything to the
//! same pods.
//!
//! **When it stays silent.** When any policy restricts anything.
//!
//! **Settings.** None of its own.
//!
//! **References.** np-guard's vacuity query.

use crate::lint::algebra::subject_within;
use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::lint::words;
use crate::policy::{Direction, Peers, PolicyId, Ports};
use std::collections::BTreeSet;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let namespaces: BTreeSet<&str> = context
        .network_policies()
        .filter_map(|(_, p)| p.namespace.as_deref())
        .collect();
    for name in namespaces {
        let policies = context.policies_in(name);
        if policies.iter().all(|id| opened_again(context, *id)) {
            let Some(first) = policies.first() else {
                continue;
            };
            let all = words::count(policies.len(), "policy");
            let message = format!(
                "the {all} of namespace {name} restrict nothing: everything is allowed again"
            );
            reporter.push(
                reporter
                    .policy(*first, message)
                    .help("name peers and ports, or remove the policies"),
            );
        }
    }
}

/// Whether everything that a policy closes is opened again by rules without peers and ports.
fn opened_again(context: &LintContext<'_>, id: PolicyId) -> bool {
    let policy = context.policies.get(id);
    let others = context.may_contain(policy);
    Direction::ALL
        .into_iter()
        .filter(|d| policy.isolates(*d))
        .all(|direction| {
            others
                .iter()
                .map(|p| context.policies.get(*p))
                .any(|other| {
                    other.isolates(direction)
                        && subject_within(&policy.subject, &other.subject)
                        && other
                            .rules(direction)
                            .iter()
                            .any(|r| r.peers == Peers::Any && r.ports == Ports::Any)
                })
        })
}
