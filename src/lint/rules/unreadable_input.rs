//! # NP904 unreadable-input
//!
//! **What it does.** Reports what in the input could not be read as the API server would read it,
//! and what was guessed.
//!
//! **Why it is bad.** A policy that cannot be read makes every verdict that it could affect
//! unknown.
//!
//! **What it looks at.** Syntax, templates that were not rendered, placeholders, keys given twice,
//! patches. Errors stay errors and end the program with code 2; templates and patches that are not
//! policies are notes.
//!
//! **When it stays silent.** For what another rule explains better: NP015, NP016, NP017, NP018,
//! NP901.
//!
//! **Settings.** `--ignore-broken` leaves broken documents out.
//!
//! **References.** `netpal inputs`.

use crate::lint::context::LintContext;
use crate::lint::loader_diagnostics::{Topic, report};
use crate::lint::reporter::Reporter;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    report(context, reporter, Topic::Reading);
}
