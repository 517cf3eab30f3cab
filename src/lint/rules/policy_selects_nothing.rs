//! # NP001 policy-selects-nothing
//!
//! **What it does.** Reports when no workload of the policy's namespace has the labels of
//! `spec.podSelector`.
//!
//! **Why it is bad.** The policy protects nothing, although it seems to. Under a default deny it is
//! worse: what it was meant to allow stays closed.
//!
//! **What it looks at.** The workloads of the namespace. An error when one of them would be
//! selected after correcting a typing error in a single label (`name=cart` where the pods say
//! `name=carts`, `app=web` where they say `app.kubernetes.io/name=web`); a warning when a workload
//! has the label that singles it out and lacks another one or has another value of it, and when
//! the labels stand on pods of other namespaces or are labels of namespaces.
//!
//! **When it stays silent.** When the input holds no workload of the namespace. Without a near miss
//! it is only a note: pods that an operator or another tool makes at run time are not in the
//! manifests.
//!
//! **Settings.** None of its own.
//!
//! **References.** kube-linter `dangling-networkpolicy`;
//! <https://github.com/stackrox/kube-linter/pull/206>,
//! <https://github.com/kubescape/regolibrary/issues/774>.

use crate::diagnostic::Place;
use crate::finding::{Finding, Severity};
use crate::lint::context::LintContext;
use crate::lint::elsewhere;
use crate::lint::near_miss;
use crate::lint::near_miss::NearMiss;
use crate::lint::reporter::Reporter;
use crate::lint::short_lived_labels::unstable_label;
use crate::model::Selector;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (id, policy) in context.network_policies() {
        let selector = &policy.subject.pods;
        let decidable = !selector.is_everything()
            && !selector.is_contradictory()
            && context.knows_pods_of(policy);
        if !decidable || !context.subjects(id).is_empty() || unstable_label(selector).is_some() {
            continue;
        }
        let Some(namespace) = context.namespace_of(policy) else {
            continue;
        };
        if near_miss::other_namespace(context, policy).is_some() {
            continue; // NP010 explains it better
        }
        let name = &context.cluster.namespace(namespace).name;
        let finding = reporter.subject(
            id,
            format!("no workload in namespace {name} has the labels {selector}"),
        );
        reporter.push(match near_miss::nearest(context, namespace, selector) {
            Some(near) => with_near_miss(context, finding, &near),
            None => without_near_miss(context, finding, selector),
        });
    }
}

/// The finding where no workload of the namespace is nearly selected: a warning when the labels
/// stand elsewhere.
fn without_near_miss(context: &LintContext<'_>, finding: Finding, selector: &Selector) -> Finding {
    let Some(elsewhere) = elsewhere::pod_labels(context, selector) else {
        return finding
            .severity(Severity::Info)
            .label("selects nothing in this input")
            .note(near_miss::MADE_AT_RUN_TIME);
    };
    let help = elsewhere.help.unwrap_or_else(|| {
        "a policy acts in its own namespace alone: write it in the namespace of these pods"
            .to_owned()
    });
    finding
        .severity(Severity::Warning)
        .likely()
        .label("selects nothing in this input")
        .note(elsewhere.note)
        .help(help)
}

/// Adds the workload that is nearly selected to a finding.
fn with_near_miss(context: &LintContext<'_>, finding: Finding, near: &NearMiss) -> Finding {
    let pod = context.cluster.pod(near.pod);
    let workload = context.cluster.workload_name(pod.workload);
    let severity = if near.typo {
        Severity::Error
    } else {
        Severity::Warning
    };
    finding
        .severity(severity)
        .likely()
        .label(format!("{workload} has {}", near.has))
        .related(
            Place::Origin(pod.origin.clone()),
            format!("{workload} is nearly selected: it has {}", near.has),
        )
        .help(format!("select the labels that {workload} has"))
}
