//! # NP016 bad-label
//!
//! **What it does.** Tells when a label or a selector is one the API server refuses: a value that
//! is no string (`true` or `1.0` without quotes), a key or value with forbidden characters, `In`
//! without values, `Exists` with values.
//!
//! **Why it is bad.** The object is refused, or selects something else than it says.
//!
//! **What it looks at.** The same checks as the API server's.
//!
//! **When it stays silent.** For objects that play no part.
//!
//! **Settings.** None of its own.
//!
//! **References.** "Labels and Selectors" in the Kubernetes documentation.

use crate::lint::context::LintContext;
use crate::lint::loader_diagnostics::{Topic, report};
use crate::lint::reporter::Reporter;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    report(context, reporter, Topic::Label);
}
