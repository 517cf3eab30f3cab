//! # NP709 staged-policy
//!
//! **What it does.** Reports a staged policy of Calico.
//!
//! **Why it is bad.** A staged policy enforces nothing: it only tells in flow logs what it would
//! do. One that is forgotten protects nobody.
//!
//! **What it looks at.** `StagedNetworkPolicies`, `StagedGlobalNetworkPolicies` and
//! `StagedKubernetesNetworkPolicies`.
//!
//! **When it stays silent.** Where staged policies count (`--staged`).
//!
//! **Settings.** None of its own.
//!
//! **References.** "Staged network policies" in Calico's documentation.

use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    if context.env.options.calico.staged {
        return;
    }
    let policies = context.policies.iter();
    for (id, policy) in policies.filter(|(_, p)| p.shape.kind.starts_with("Staged")) {
        let plain = policy.shape.kind.trim_start_matches("Staged");
        let finding = reporter.policy(id, "it is staged, so that it enforces nothing");
        let help = format!("apply it as {plain} to enforce it; --staged shows what that changes");
        reporter.push(finding.help(help));
    }
}
