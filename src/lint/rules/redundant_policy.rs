//! # NP401 redundant-policy
//!
//! **What it does.** Reports when a policy adds nothing to another one, in any cluster: removing it
//! changes no verdict.
//!
//! **Why it is bad.** It is read, reviewed and edited in the belief that it matters.
//!
//! **What it looks at.** Subjects, directions and rules: all that the policy selects, isolates and
//! allows is selected, isolated and allowed by the other. Decided for every possible label set and
//! address. A note when the two are in different folders, which may never be applied together.
//!
//! **When it stays silent.** For policies without rules: a default deny is worth its own object.
//! For two equal ones only the second is reported. A policy that misses whom it was meant for is
//! not redundant but to be mended.
//!
//! **Settings.** None of its own.
//!
//! **References.** np-guard's redundancy queries.

use crate::diagnostic::Place;
use crate::finding::Severity;
use crate::lint::context::LintContext;
use crate::lint::redundancy::containing_policy;
use crate::lint::reporter::Reporter;
use crate::policy::Policy;
use crate::source::{Origin, Path};

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (id, policy) in context.network_policies() {
        if let Some(other) = containing_policy(context, id, policy) {
            let wide = context.policies.get(other);
            let finding = reporter.policy(
                id,
                format!(
                    "adds nothing to {}: removing it changes no verdict",
                    wide.full_name()
                ),
            );
            let place = name_place(wide);
            let finding = finding
                .label("redundant")
                .related(place, "does all of it")
                .help("remove it, or narrow the other one");
            reporter.push(if folder(context, policy) == folder(context, wide) {
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
fn folder<'f>(context: &LintContext<'f>, policy: &Policy) -> Option<&'f str> {
    let sources = &context.input.sources;
    let name = &sources.file(sources.document(policy.document)?.file)?.name;
    Some(name.rsplit_once('/').map_or("", |(folder, _)| folder))
}

/// The place of a policy's name.
fn name_place(policy: &Policy) -> Place {
    let path = Path::root().key("metadata").key("name");
    Place::Origin(Origin::new(policy.document, path))
}
