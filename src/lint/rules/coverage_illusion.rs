//! # NP304 coverage-illusion
//!
//! **What it does.** Reports namespaces that have policies, and workloads that none of them
//! isolates in any direction.
//!
//! **Why it is bad.** An audit that asks whether every namespace has a policy passes, although
//! these workloads are open.
//!
//! **What it looks at.** Which policies select which workloads. Not part of the default set.
//!
//! **When it stays silent.** When the namespace has no policy (NP301) or isolates everybody.
//!
//! **Settings.** None of its own.
//!
//! **References.** CIS Kubernetes Benchmark 5.3.2, audit text.

use crate::lint::context::LintContext;
use crate::lint::coverage;
use crate::lint::reporter::Reporter;
use crate::policy::Direction;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let open =
        coverage::open(context, Direction::Ingress).zip(coverage::open(context, Direction::Egress));
    for ((id, namespace, mut pods), (_, _, open_for_egress)) in open {
        pods.retain(|p| open_for_egress.contains(p));
        if pods.is_empty() || context.policies_in(&namespace.name).is_empty() {
            continue;
        }
        let (count, who) = coverage::workloads(context, namespace, &pods);
        let message = format!("{count}: selected by none of its policies");
        let finding = coverage::finding(context, reporter, id, None, message);
        reporter.push(
            finding
                .note(who)
                .help("add a default deny to the namespace"),
        );
    }
}
