//! # NP010 wrong-namespace
//!
//! **What it does.** Reports when a policy selects nobody in its namespace, and exactly one other
//! namespace has workloads with the labels it asks for; or when a policy for every pod names no
//! namespace, and all workloads are in others.
//!
//! **Why it is bad.** A policy applies only to its own namespace. Without `metadata.namespace` that
//! is the namespace that `kubectl` happens to use.
//!
//! **What it looks at.** The workloads of every namespace. An error when the policy names no
//! namespace; a warning when it names one.
//!
//! **When it stays silent.** When the input has workloads in one namespace only, or several
//! namespaces would fit.
//!
//! **Settings.** None of its own; `-n` says which namespace is meant by objects that name none.
//!
//! **References.** cyclonus `CheckSourceMissingNamespace`.

use crate::finding::Severity;
use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::lint::{near_miss, words};
use crate::policy::Policy;
use crate::source::Path;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (id, policy) in context.network_policies() {
        if acts_on_nobody(context, policy) {
            let own_namespace = policy.namespace.as_deref().unwrap_or_default();
            let finding = reporter.policy(
                id,
                format!("acts in namespace {own_namespace}, where there is no workload"),
            );
            let label = format!("names no namespace, so it acts in {own_namespace}");
            let help = "set metadata.namespace; a policy acts in one namespace alone";
            let finding = finding.severity(Severity::Warning).likely();
            reporter.push(finding.label(label).help(help));
        }
        let Some(other) = near_miss::other_namespace(context, policy) else {
            continue;
        };
        let name = &context.cluster.namespace(other).name;
        let own_namespace = policy.namespace.as_deref().unwrap_or_default();
        let who = words::names(
            context.cluster,
            &context.pods_where(other, &policy.subject.pods),
        );
        let written = names_namespace(context, policy);
        let finding = reporter
            .policy(
                id,
                format!(
                    "acts in namespace {own_namespace}, where nobody has the labels {}",
                    policy.subject.pods
                ),
            )
            .likely()
            .note(format!("in namespace {name} {who} has them"))
            .help(format!("set metadata.namespace: {name}"));
        reporter.push(if written {
            finding.severity(Severity::Warning)
        } else {
            finding.label(format!("names no namespace, so it acts in {own_namespace}"))
        });
    }
}

/// Whether a policy for every pod of its namespace names none, and the namespace in which it then
/// acts is not in the input while others are.
fn acts_on_nobody(context: &LintContext<'_>, policy: &Policy) -> bool {
    policy.subject.pods.is_everything()
        && !is_told(context, policy)
        && context.cluster.pods().len() > 0
        && !names_namespace(context, policy)
}

/// Whether the input tells of a policy's own namespace: by its object or by a workload in it.
fn is_told(context: &LintContext<'_>, policy: &Policy) -> bool {
    let declared = context
        .namespace_of(policy)
        .is_some_and(|id| context.cluster.namespace(id).declared.is_some());
    declared || context.knows_pods_of(policy)
}

/// Whether a policy names its namespace.
fn names_namespace(context: &LintContext<'_>, policy: &Policy) -> bool {
    context
        .written(
            policy,
            &Path::root().key("metadata").key("namespace"),
            |n| n.as_str().is_some(),
        )
        .unwrap_or(false)
}
