//! # NP019 unstable-selector
//!
//! **What it does.** Tells when a selector uses a label that changes by itself:
//! `pod-template-hash`, `controller-revision-hash`, the uid of a Job, the name of a Job that a
//! `CronJob` makes.
//!
//! **Why it is bad.** After the next rollout or run nobody is selected any more.
//!
//! **What it looks at.** The keys of every selector.
//!
//! **When it stays silent.** For `job-name` when a Job of that name is in the input, and for a
//! pod's index or name in a `StatefulSet`, which stay.
//!
//! **Settings.** None of its own.
//!
//! **References.** "Well-known labels" in the Kubernetes documentation.

use crate::lint::facts::{Facts, peers};
use crate::lint::reporter::Reporter;
use crate::model::{Requirement, Selector, WorkloadKind};
use crate::policy::Peer;

const UNSTABLE: [&str; 5] = [
    "pod-template-hash",
    "controller-revision-hash",
    "pod-template-generation",
    "controller-uid",
    "batch.kubernetes.io/controller-uid",
];

const JOB: [&str; 2] = ["job-name", "batch.kubernetes.io/job-name"];

/// The label of a selector that changes by itself, if it uses one.
pub(crate) fn unstable(selector: &Selector) -> Option<&str> {
    let changes = |r: &&Requirement| UNSTABLE.contains(&r.key()) || JOB.contains(&r.key());
    selector
        .requirements()
        .iter()
        .find(changes)
        .map(Requirement::key)
}

pub(crate) fn run(facts: &Facts<'_>, found: &mut Reporter<'_>) {
    for (id, policy) in facts.network_policies() {
        if let Some(key) =
            unstable(&policy.subject.pods).filter(|_| !job_is_there(facts, &policy.subject.pods))
        {
            let finding = found.subject(id, format!("selects by {key}, which changes by itself"));
            found.push(advice(facts, finding, &policy.subject.pods));
        }
    }
    for (at, _, rule) in facts.network_rules() {
        for (i, peer) in peers(rule).iter().enumerate() {
            let Peer::Pods(_, pods) = peer else { continue };
            if let Some(key) = unstable(pods).filter(|_| !job_is_there(facts, pods)) {
                let finding = found.rule(
                    at.with_peer(i),
                    format!("selects by {key}, which changes by itself"),
                );
                found.push(advice(facts, finding, pods));
            }
        }
    }
}

fn names(selector: &Selector) -> impl Iterator<Item = &str> {
    let job = |r: &&Requirement| JOB.contains(&r.key());
    selector
        .requirements()
        .iter()
        .filter(job)
        .flat_map(|r| r.values().iter().map(|v| &**v))
}

fn of_kind(facts: &Facts<'_>, selector: &Selector, kind: WorkloadKind) -> bool {
    names(selector).any(|name| {
        facts
            .cluster
            .workloads()
            .any(|(_, w)| w.kind == kind && *w.name == *name)
    })
}

fn job_is_there(facts: &Facts<'_>, selector: &Selector) -> bool {
    of_kind(facts, selector, WorkloadKind::Job)
        || names(selector).next().is_some() && !of_kind(facts, selector, WorkloadKind::CronJob)
}

fn advice(
    facts: &Facts<'_>,
    finding: crate::finding::Finding,
    selector: &Selector,
) -> crate::finding::Finding {
    let finding = finding
        .label("not stable")
        .help("select by a label of your own on the pod template");
    if of_kind(facts, selector, WorkloadKind::CronJob) {
        return finding
            .note("the Jobs of a CronJob are called after it with the time of their run appended");
    }
    finding
}
