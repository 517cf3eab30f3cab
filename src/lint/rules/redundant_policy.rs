//! # NP401 redundant-policy
//!
//! **What it does.** Tells when a policy adds nothing to another one, in any cluster: removing it
//! changes no verdict.
//!
//! **Why it is bad.** It is read, reviewed and edited in the belief that it matters.
//!
//! **What it looks at.** Subjects, directions and rules: all that the policy selects, isolates and
//! allows is selected, isolated and allowed by the other. Decided for every possible label set and
//! address. A note when the two stand in different folders, which may never be applied together.
//!
//! **When it stays silent.** For policies without rules: a default deny is worth its own object.
//! For two equal ones only the second is reported.
//!
//! **Settings.** None of its own.
//!
//! **References.** np-guard's redundancy queries.

use crate::diagnostic::Place;
use crate::finding::Severity;
use crate::lint::algebra::policy_within;
use crate::lint::facts::Facts;
use crate::lint::reporter::Reporter;
use crate::policy::{Direction, Policy, PolicyId};

pub(crate) fn run(facts: &Facts<'_>, found: &mut Reporter<'_>) {
    for (id, policy) in facts.network_policies() {
        if let Some(other) = container(facts, id, policy) {
            let wide = facts.law.get(other);
            let finding = found.policy(
                id,
                format!(
                    "adds nothing to {}: removing it changes no verdict",
                    wide.full_name()
                ),
            );
            let place = found_place(wide);
            let finding = finding
                .label("redundant")
                .related(place, "does all of it")
                .help("remove it, or narrow the other one");
            found.push(if folder(facts, policy) == folder(facts, wide) {
                finding
            } else {
                let note =
                    "they stand in different folders: if only one of them is applied, all is well";
                finding.severity(Severity::Info).note(note)
            });
        }
    }
}

/// The folder a policy was read from.
fn folder<'f>(facts: &Facts<'f>, policy: &Policy) -> Option<&'f str> {
    let sources = &facts.input.sources;
    let name = &sources.file(sources.document(policy.document)?.file)?.name;
    Some(name.rsplit_once('/').map_or("", |(folder, _)| folder))
}

/// The policy that makes another one redundant.
pub fn container(facts: &Facts<'_>, id: PolicyId, policy: &Policy) -> Option<PolicyId> {
    let acts = Direction::ALL
        .into_iter()
        .any(|d| policy.isolates(d) && !policy.rules(d).is_empty());
    if !acts {
        return None;
    }
    facts.may_hold(policy).into_iter().find(|other| {
        let wide = facts.law.get(*other);
        *other != id && policy_within(policy, wide) && (*other < id || !policy_within(wide, policy))
    })
}

fn found_place(policy: &Policy) -> Place {
    let path = crate::source::Path::root().key("metadata").key("name");
    Place::Origin(crate::source::Origin::new(policy.document, path))
}
