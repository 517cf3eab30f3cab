//! # NP209 spoofable-namespace-label
//!
//! **What it does.** Reports when a rule trusts a namespace by a label that the namespace's owner
//! may set.
//!
//! **Why it is bad.** A tenant can label itself in.
//!
//! **What it looks at.** `namespaceSelector`s of ingress rules with another key than
//! `kubernetes.io/metadata.name`, which only the API server sets. A note.
//!
//! **When it stays silent.** Unless the configuration says that owners may edit the labels of their
//! namespaces.
//!
//! **Settings.** `lint.owners-edit-labels`.
//!
//! **References.** "Targeting a Namespace by its name" in the Kubernetes documentation.

use crate::finding::Severity;
use crate::lint::context::LintContext;
use crate::lint::peers::peers;
use crate::lint::reporter::Reporter;
use crate::model::{NAMESPACE_NAME_LABEL, Requirement};
use crate::policy::{Direction, Namespaces, Peer};

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (rule_ref, _, rule) in context.network_rules() {
        for (i, peer) in peers(rule).iter().enumerate() {
            let Peer::Pods(Namespaces::Matching(selector), _) = peer else {
                continue;
            };
            let trusted = selector
                .requirements()
                .iter()
                .any(|r| r.key() == NAMESPACE_NAME_LABEL);
            let first = selector.requirements().first().map(Requirement::key);
            if let Some(key) =
                first.filter(|_| rule_ref.direction == Direction::Ingress && !trusted)
            {
                let finding = reporter.rule(
                    rule_ref.with_peer(i),
                    format!("trusts the namespace label {key}, which owners may set"),
                );
                reporter.push(
                    finding
                        .severity(Severity::Info)
                        .help(format!("select by {NAMESPACE_NAME_LABEL}")),
                );
            }
        }
    }
}
