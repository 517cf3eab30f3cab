//! # NP019 unstable-selector
//!
//! **What it does.** Reports when a selector uses a label that changes by itself:
//! `pod-template-hash`, `controller-revision-hash`, the uid of a Job, the name of a Job that a
//! `CronJob` makes.
//!
//! **Why it is bad.** After the next rollout or run no pod is selected any more.
//!
//! **What it looks at.** The keys of every selector.
//!
//! **When it stays silent.** For `job-name` when a Job of that name is in the input, and for a
//! pod's index or name in a `StatefulSet`, which are stable.
//!
//! **Settings.** None of its own.
//!
//! **References.** "Well-known labels" in the Kubernetes documentation.

use crate::lint::context::LintContext;
use crate::lint::peers::peers;
use crate::lint::reporter::Reporter;
use crate::lint::short_lived_labels::{JOB_NAME, unstable_label};
use crate::model::{Requirement, Selector, WorkloadKind};
use crate::policy::Peer;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (id, policy) in context.network_policies() {
        if let Some(key) = unstable_label(&policy.subject.pods)
            .filter(|_| !job_is_there(context, &policy.subject.pods))
        {
            let finding =
                reporter.subject(id, format!("selects by {key}, which changes by itself"));
            reporter.push(advice(context, finding, &policy.subject.pods));
        }
    }
    for (rule_ref, _, rule) in context.network_rules() {
        for (i, peer) in peers(rule).iter().enumerate() {
            let Peer::Pods(_, pods) = peer else { continue };
            if let Some(key) = unstable_label(pods).filter(|_| !job_is_there(context, pods)) {
                let finding = reporter.rule(
                    rule_ref.with_peer(i),
                    format!("selects by {key}, which changes by itself"),
                );
                reporter.push(advice(context, finding, pods));
            }
        }
    }
}

/// The names of Jobs that a selector asks for.
fn names(selector: &Selector) -> impl Iterator<Item = &str> {
    let job = |r: &&Requirement| JOB_NAME.contains(&r.key());
    selector
        .requirements()
        .iter()
        .filter(job)
        .flat_map(|r| r.values().iter().map(|v| &**v))
}

/// Whether a workload of a kind has a name that a selector asks for.
fn of_kind(context: &LintContext<'_>, selector: &Selector, kind: WorkloadKind) -> bool {
    names(selector).any(|name| {
        context
            .cluster
            .workloads()
            .any(|(_, w)| w.kind == kind && *w.name == *name)
    })
}

/// Whether the Job that a selector asks for is stable: it is in the input, or made by no `CronJob`
/// of the input.
fn job_is_there(context: &LintContext<'_>, selector: &Selector) -> bool {
    of_kind(context, selector, WorkloadKind::Job)
        || names(selector).next().is_some() && !of_kind(context, selector, WorkloadKind::CronJob)
}

/// Adds what to do instead.
fn advice(
    context: &LintContext<'_>,
    finding: crate::finding::Finding,
    selector: &Selector,
) -> crate::finding::Finding {
    let finding = finding
        .label("not stable")
        .help("select by a label of your own on the pod template");
    if of_kind(context, selector, WorkloadKind::CronJob) {
        return finding
            .note("the Jobs of a CronJob are called after it with the time of their run appended");
    }
    finding
}
