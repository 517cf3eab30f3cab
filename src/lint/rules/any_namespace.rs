//! # NP206 any-namespace
//!
//! **What it does.** Reports when a peer is every pod of every namespace: `namespaceSelector: {}`.
//!
//! **Why it is bad.** It includes the namespaces that are created later, and other tenants.
//!
//! **What it looks at.** Ingress rules. A note; where the port is a sensitive one, NP208 reports
//! it.
//!
//! **When it stays silent.** When a `podSelector` narrows it, and for egress.
//!
//! **Settings.** None of its own.
//!
//! **References.** np-guard's exposure to the "entire-cluster".

use crate::finding::Severity;
use crate::lint::context::LintContext;
use crate::lint::peers::{is_every_pod, peers};
use crate::lint::reporter::Reporter;
use crate::policy::Direction;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (rule_ref, _, rule) in context.network_rules() {
        if rule_ref.direction != Direction::Ingress {
            continue;
        }
        if let Some(i) = peers(rule).iter().position(is_every_pod) {
            let finding = reporter.rule(
                rule_ref.with_peer(i),
                "lets in every pod of every namespace, also of those to come",
            );
            reporter.push(finding.severity(Severity::Info).help("name the namespaces"));
        }
    }
}
