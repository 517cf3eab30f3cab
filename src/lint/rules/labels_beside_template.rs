//! # NP021 labels-beside-template
//!
//! **What it does.** Reports when a selector asks for labels that a Job, a `CronJob` or another
//! controller has, and its pods have not.
//!
//! **Why it is bad.** A selector looks at pods. They get the labels of the pod template
//! (`spec.template.metadata.labels`, for a `CronJob` under `spec.jobTemplate`), and never those of
//! the object that makes them.
//!
//! **What it looks at.** The labels of the controllers in the namespaces that a selector looks at:
//! those whose pods it would select if they had the labels of the controller too. Where the
//! selector selects others it is a warning only for a peer, and if the controller is a Job or has a
//! value of its own; otherwise a note.
//!
//! **When it stays silent.** When no label that the selector asks for stands on the controller
//! alone.
//!
//! **Settings.** None of its own.
//!
//! **References.** <https://github.com/eftechcombr/glpi/pull/173>; "Pod templates" in the
//! Kubernetes documentation.

use crate::diagnostic::Place;
use crate::finding::{Finding, Severity};
use crate::lint::context::LintContext;
use crate::lint::peers::peers;
use crate::lint::reporter::Reporter;
use crate::lint::words;
use crate::model::{
    Labels, NamespaceId, Requirement, Selector, Workload, WorkloadId, WorkloadKind,
};
use crate::policy::{Namespaces, Peer};
use std::collections::HashMap;
use std::rc::Rc;

/// The controllers of a namespace whose labels their pods do not all have.
type ByNamespace = HashMap<NamespaceId, Vec<WorkloadId>>;

/// The controllers that a selector would select if their pods had their labels; by the selection.
type Known<'a> = HashMap<(&'a Namespaces, &'a Selector), Rc<Vec<WorkloadId>>>;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let beside = labelled_beside(context);
    if beside.is_empty() {
        return;
    }
    let mut known = Known::new();
    for (id, policy) in context.network_policies() {
        let (namespaces, pods) = (&policy.subject.namespaces, &policy.subject.pods);
        let missed = missed(context, &beside, &mut known, (namespaces, pods));
        if !missed.is_empty() {
            let finding = reporter.subject(id, message(context, &missed, pods));
            let finding = advice(context, finding, &missed, pods);
            let nobody = context.selected(namespaces, pods).pods.is_empty();
            reporter.push(weighed(finding, nobody));
        }
    }
    for (rule_ref, _, rule) in context.network_rules() {
        for (i, peer) in peers(rule).iter().enumerate() {
            let Peer::Pods(namespaces, pods) = peer else {
                continue;
            };
            let missed = missed(context, &beside, &mut known, (namespaces, pods));
            if !missed.is_empty() {
                let message = message(context, &missed, pods);
                let finding = reporter.rule(rule_ref.with_peer(i), message);
                let finding = advice(context, finding, &missed, pods);
                let meant = is_meant(context, namespaces, pods, &missed);
                reporter.push(weighed(finding, meant));
            }
        }
    }
}

/// A finding that is a note unless the controllers are surely meant.
fn weighed(finding: Finding, meant: bool) -> Finding {
    if meant {
        finding
    } else {
        finding.severity(Severity::Info)
    }
}

/// Whether a peer that selects somebody else was meant for one of these controllers too: for a Job,
/// or by a value of its own that nobody else has.
fn is_meant(
    context: &LintContext<'_>,
    namespaces: &Namespaces,
    pods: &Selector,
    missed: &[WorkloadId],
) -> bool {
    let selected = context.selected(namespaces, pods);
    missed.iter().any(|id| {
        let workload = context.cluster.workload(*id);
        let is_job = matches!(workload.kind, WorkloadKind::Job | WorkloadKind::CronJob);
        let alone = pods.requirements().iter().any(|r| {
            let has = workload.own_labels.get(r.key());
            let mut others = selected.pods.iter();
            matches!(r, Requirement::In(..))
                && !others.any(|p| context.cluster.pod_labels(*p).get(r.key()) == has)
        });
        is_job || alone
    })
}

/// The controllers with labels of their own that their pods lack, by namespace.
fn labelled_beside(context: &LintContext<'_>) -> ByNamespace {
    let mut found = ByNamespace::new();
    for (id, workload) in context.cluster.workloads() {
        if labels_beside(context, workload).next().is_some() {
            found.entry(workload.namespace).or_default().push(id);
        }
    }
    found
}

/// The labels of a controller that its pods lack.
fn labels_beside<'c>(
    context: &'c LintContext<'_>,
    workload: &'c Workload,
) -> impl Iterator<Item = (&'c str, &'c str)> {
    let pod = workload.pods.first();
    let of_pod = pod.map(|p| context.cluster.pod_labels(*p));
    let own = workload.own_labels.iter();
    own.filter(move |(key, value)| of_pod.is_some_and(|labels| labels.get(key) != Some(value)))
}

/// The controllers whose pods a selector would select if they had the labels of the controller.
fn missed<'a>(
    context: &LintContext<'_>,
    beside: &ByNamespace,
    known: &mut Known<'a>,
    selection: (&'a Namespaces, &'a Selector),
) -> Rc<Vec<WorkloadId>> {
    if let Some(missed) = known.get(&selection) {
        return Rc::clone(missed);
    }
    let (namespaces, pods) = selection;
    let asks = pods
        .requirements()
        .iter()
        .any(|r| matches!(r, Requirement::In(..) | Requirement::Exists(_)));
    let selected = context.selected(namespaces, pods);
    let looked_at = selected.namespaces.iter().filter(|_| asks);
    let in_namespaces = looked_at.filter_map(|n| beside.get(n)).flatten();
    let nobody = selected.pods.is_empty();
    let misses =
        |id: &&WorkloadId| is_missed(context, context.cluster.workload(**id), pods, nobody);
    let missed = Rc::new(in_namespaces.filter(misses).copied().collect::<Vec<_>>());
    known.insert(selection, Rc::clone(&missed));
    missed
}

/// Whether a selector selects none of a controller's pods, and would if they had its labels too. A
/// label that the pods have with another value counts only if the selector selects nobody.
fn is_missed(
    context: &LintContext<'_>,
    workload: &Workload,
    pods: &Selector,
    nobody: bool,
) -> bool {
    let Some(first) = workload.pods.first() else {
        return false;
    };
    let of_pod = context.cluster.pod_labels(*first);
    if pods.matches(of_pod) {
        return false;
    }
    let added: Labels = workload.own_labels.iter().chain(of_pod.iter()).collect();
    let replaced = || of_pod.iter().chain(workload.own_labels.iter()).collect();
    pods.matches(&added) || nobody && pods.matches(&replaced())
}

/// What a selector asks for that stands on a controller alone.
fn asked_beside(context: &LintContext<'_>, id: WorkloadId, pods: &Selector) -> String {
    let workload = context.cluster.workload(id);
    let asked = |(key, _): &(&str, &str)| pods.requirements().iter().any(|r| r.key() == *key);
    let labels: Vec<String> = labels_beside(context, workload)
        .filter(asked)
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    words::some(&labels)
}

/// `tier=batch stands on Job shop/report, and not on its pods`.
fn message(context: &LintContext<'_>, missed: &[WorkloadId], pods: &Selector) -> String {
    let Some(first) = missed.first() else {
        return String::new();
    };
    let names: Vec<String> = missed
        .iter()
        .map(|id| {
            let kind = context.cluster.workload(*id).kind_name();
            format!("{kind} {}", context.cluster.workload_name(*id))
        })
        .collect();
    let whose = if names.len() == 1 { "its" } else { "their" };
    let labels = asked_beside(context, *first, pods);
    let same = |id: &WorkloadId| asked_beside(context, *id, pods) == labels;
    let what = if missed.iter().all(same) {
        format!("{labels} stands")
    } else {
        "what it asks for stands".to_owned()
    };
    format!("{what} on {}, and not on {whose} pods", words::some(&names))
}

/// Adds where the labels stand and where they belong.
fn advice(
    context: &LintContext<'_>,
    finding: Finding,
    missed: &[WorkloadId],
    pods: &Selector,
) -> Finding {
    const SHOWN: usize = 3;
    let finding = missed.iter().take(SHOWN).fold(finding, |finding, id| {
        let workload = context.cluster.workload(*id);
        let place = Place::Origin(workload.origin.clone());
        let labels = asked_beside(context, *id, pods);
        let kind = workload.kind_name();
        finding.related(place, format!("{labels} is a label of the {kind}"))
    });
    let of_cron_job = |id: &WorkloadId| context.cluster.workload(*id).kind == WorkloadKind::CronJob;
    let template = if missed.iter().all(of_cron_job) {
        "spec.jobTemplate.spec.template.metadata.labels"
    } else if missed.iter().any(of_cron_job) {
        "spec.template.metadata.labels, of a CronJob below spec.jobTemplate"
    } else {
        "spec.template.metadata.labels"
    };
    finding
        .label("selects pods by their own labels")
        .help(format!("set the labels on the pod template: {template}"))
}
