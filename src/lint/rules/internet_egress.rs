//! # NP202 internet-egress
//!
//! **What it does.** Tells when a rule lets a workload send anywhere on the internet.
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
use crate::lint::facts::Facts;
use crate::lint::reporter::Reporter;
use crate::lint::rules::internet_ingress::wide;
use crate::model::Requirement;
use crate::policy::{Direction, PolicyId};

/// The label that marks one of a policy's pods, or its namespace, as sensitive.
fn sensitive<'f>(facts: &'f Facts<'_>, policy: PolicyId) -> Option<&'f Requirement> {
    let subjects = facts.subjects(policy);
    let marks = |mark: &&Requirement| {
        let pods = subjects
            .iter()
            .any(|p| mark.matches(facts.cluster.pod_labels(*p)));
        let namespace = facts
            .namespace_of(facts.law.get(policy))
            .map(|n| facts.cluster.namespace(n));
        pods || namespace.is_some_and(|n| mark.matches(&n.labels))
    };
    facts.config.sensitive_labels.iter().find(marks)
}

pub(crate) fn run(facts: &Facts<'_>, found: &mut Reporter<'_>) {
    for (at, policy, rule) in facts.network_rules() {
        if at.direction == Direction::Egress
            && policy.isolates(Direction::Egress)
            && let Some(here) = wide(at, rule)
        {
            let finding = found
                .rule(here, "lets the pods send anywhere on the internet")
                .severity(Severity::Info);
            let finding = finding.help("list the addresses, or send through a proxy");
            found.push(match sensitive(facts, at.policy) {
                Some(label) => finding
                    .severity(Severity::Warning)
                    .note(format!("marked as sensitive by {label}")),
                None => finding,
            });
        }
    }
}
