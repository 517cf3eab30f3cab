//! # NP302 no-egress-isolation
//!
//! **What it does.** Reports workloads that no policy isolates for egress, one finding for each
//! namespace.
//!
//! **Why it is bad.** They may send anywhere, the internet and the cloud's metadata service
//! included.
//!
//! **What it looks at.** Every tier. Not part of the default set.
//!
//! **When it stays silent.** For pods with `hostNetwork` (NP305).
//!
//! **Settings.** None of its own.
//!
//! **References.** kube-score; the NSA's Kubernetes hardening guidance.

use crate::finding::Severity;
use crate::lint::context::LintContext;
use crate::lint::coverage;
use crate::lint::reporter::Reporter;
use crate::policy::Direction;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (id, namespace, pods) in coverage::open(context, Direction::Egress) {
        if !pods.is_empty() {
            let (count, who) = coverage::workloads(context, namespace, &pods);
            let message = format!("{count} may send anywhere: no policy selects them for egress");
            let finding =
                coverage::finding(context, reporter, id, Some(Direction::Egress), message);
            reporter.push(
                finding
                    .severity(Severity::Info)
                    .note(who)
                    .help("add a default deny, and allow DNS first"),
            );
        }
    }
}
