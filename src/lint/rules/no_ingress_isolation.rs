//! # NP301 no-ingress-isolation
//!
//! **What it does.** Reports workloads that no policy isolates for ingress, one finding for each
//! namespace.
//!
//! **Why it is bad.** They accept traffic from everybody: the default of Kubernetes.
//!
//! **What it looks at.** Every tier. Not part of the default set: it is about policies that do not
//! exist.
//!
//! **When it stays silent.** For pods with `hostNetwork` (NP305), and where a policy that is not
//! modelled may apply.
//!
//! **Settings.** None of its own.
//!
//! **References.** kube-linter `non-isolated-pod`; Popeye POP-1204; kubescape C-0260.

use crate::lint::context::LintContext;
use crate::lint::coverage;
use crate::lint::reporter::Reporter;
use crate::policy::Direction;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (id, namespace, pods) in coverage::open(context, Direction::Ingress) {
        if !pods.is_empty() {
            let (count, who) = coverage::workloads(context, namespace, &pods);
            let message = format!("{count} may be reached by everybody: no policy selects them");
            let finding =
                coverage::finding(context, reporter, id, Some(Direction::Ingress), message);
            reporter.push(
                finding
                    .note(who)
                    .help("add a default deny to the namespace, and allow what is needed"),
            );
        }
    }
}
