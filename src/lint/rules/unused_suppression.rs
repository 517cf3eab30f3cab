//! # NP900 unused-suppression
//!
//! **What it does.** Reports when a suppression covers nothing, names an unknown rule, or gives no
//! reason.
//!
//! **Why it is bad.** It will hide the next mistake in the same place.
//!
//! **What it looks at.** Annotations `netpal.dev/ignore: "NP202 reason"` of a policy, which hold
//! for the whole policy, and comments `# netpal: ignore NP202 -- reason`, which hold for their line
//! or, when they are alone on it, for the next line and all below it that is indented further. A
//! suppression without a reason suppresses nothing.
//!
//! **When it stays silent.** When the rule it names did not run.
//!
//! **Settings.** None of its own.
//!
//! **References.** None.

use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;

/// Suppressions are examined after all other rules have run, by [`crate::lint::suppress`].
pub(crate) fn run(_: &LintContext<'_>, _: &mut Reporter<'_>) {}
