//! # NP016 bad-label
//!
//! **What it does.** Reports when the API server would refuse a label or a selector: a value that
//! is not a string (`true` or `1.0` without quotes), a key or value with forbidden characters, `In`
//! without values, `Exists` with values.
//!
//! **Why it is bad.** The object is refused, or it selects something other than it seems to.
//!
//! **What it looks at.** The same checks as the API server's.
//!
//! **When it stays silent.** For objects that no verdict depends on.
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
