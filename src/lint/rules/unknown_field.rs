//! # NP018 unknown-field
//!
//! **What it does.** Reports when a policy has a field the API does not know, at any level.
//!
//! **Why it is bad.** New clients refuse it; old ones drop it silently, and what is left often
//! allows more: `podSelector: {app: web}` without `matchLabels` becomes every pod.
//!
//! **What it looks at.** Every field of every policy, with the nearest known one.
//!
//! **When it stays silent.** For fields that clusters print themselves, such as `status`.
//!
//! **Settings.** None of its own.
//!
//! **References.** Trivy KSV-0107; server-side field validation.

use crate::lint::context::LintContext;
use crate::lint::loader_diagnostics::{Topic, report};
use crate::lint::reporter::Reporter;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    report(context, reporter, Topic::Field);
}
