//! # NP018 unknown-field
//!
//! **What it does.** Tells when a policy has a field the API does not know, at any level.
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

use crate::lint::facts::Facts;
use crate::lint::reporter::Reporter;
use crate::lint::rules::unreadable_input::{Topic, diagnostics};

pub(crate) fn run(facts: &Facts<'_>, found: &mut Reporter<'_>) {
    diagnostics(facts, found, Topic::Field);
}
