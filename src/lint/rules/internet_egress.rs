//! # NP202 internet-egress
//!
//! **What it does.** Reports when a rule lets a workload send anywhere on the internet.
//!
//! **Why it is bad.** Whoever takes over the pod can carry data away.
//!
//! **What it looks at.** Each egress rule of a policy: no `to`, or an address block that holds a
//! public range wider than /8. A note: many workloads need it. A warning for workloads, and in
//! namespaces, with a label that marks them as sensitive.
//!
//! **When it stays silent.** For workloads whose egress no policy isolates (NP302).
//!
//! **Settings.** `lint.sensitive-labels`: labels that mark a workload or a namespace whose data
//! must not leave.
//!
//! **References.** Trivy KUBE-0002.

use crate::finding::Severity;
use crate::lint::addresses::internet_part;
use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::model::Requirement;
use crate::policy::{Direction, PolicyId};

/// The label that marks one of a policy's pods, or its namespace, as sensitive.
fn sensitive<'f>(context: &'f LintContext<'_>, policy: PolicyId) -> Option<&'f Requirement> {
    let marks = &context.config.sensitive_labels;
    marks.iter().find(|mark| is_marked(context, policy, mark))
}

/// Whether one of a policy's pods, or its namespace, has a label that marks it as sensitive.
fn is_marked(context: &LintContext<'_>, policy: PolicyId, mark: &Requirement) -> bool {
    let pods = context
        .subjects(policy)
        .iter()
        .any(|p| mark.matches(context.cluster.pod_labels(*p)));
    let namespace = context
        .namespace_of(context.policies.get(policy))
        .map(|n| context.cluster.namespace(n));
    pods || namespace.is_some_and(|n| mark.matches(&n.labels))
}

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (rule_ref, policy, rule) in context.network_rules() {
        if rule_ref.direction == Direction::Egress
            && policy.isolates(Direction::Egress)
            && let Some(here) = internet_part(rule_ref, rule)
        {
            let finding = reporter
                .rule(here, "lets the pods send anywhere on the internet")
                .severity(Severity::Info);
            let finding = finding.help("list the addresses, or send through a proxy");
            reporter.push(match sensitive(context, rule_ref.policy) {
                Some(label) => finding
                    .severity(Severity::Warning)
                    .note(format!("marked as sensitive by {label}")),
                None => finding,
            });
        }
    }
}
