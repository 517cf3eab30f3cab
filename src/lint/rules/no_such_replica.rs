//! # NP022 no-such-replica
//!
//! **What it does.** Reports when a selector names a pod of a `StatefulSet`, by its name or its
//! index, that the `StatefulSet` does not have.
//!
//! **Why it is bad.** Nobody is selected. Pods are counted from 0, so that three replicas are
//! called `db-0`, `db-1` and `db-2`; pods of other controllers have no such labels at all.
//!
//! **What it looks at.** The labels `statefulset.kubernetes.io/pod-name` and
//! `apps.kubernetes.io/pod-index`, and `replicas` and `ordinals.start` of the `StatefulSet`s in the
//! namespaces that the selector looks at.
//!
//! **When it stays silent.** When the `StatefulSet` is not in the input, or has no replicas or more
//! than 64.
//!
//! **Settings.** None of its own.
//!
//! **References.** "`StatefulSet`s" in the Kubernetes documentation, on the identity of pods.

use crate::diagnostic::Place;
use crate::finding::Finding;
use crate::lint::context::LintContext;
use crate::lint::peers::peers;
use crate::lint::reporter::Reporter;
use crate::model::{PodId, Requirement, Selector, WorkloadId, WorkloadKind};
use crate::policy::validate::is_label_value;
use crate::policy::{Namespaces, Peer};

/// The label that holds a pod's own name.
const POD_NAME: &str = "statefulset.kubernetes.io/pod-name";

/// The label that holds a pod's index.
const POD_INDEX: &str = "apps.kubernetes.io/pod-index";

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (id, policy) in context.network_policies() {
        let subject = &policy.subject;
        for missing in missing(context, &subject.namespaces, &subject.pods) {
            let finding = reporter.subject(id, missing.message(context));
            reporter.push(missing.explain(context, finding));
        }
    }
    for (rule_ref, _, rule) in context.network_rules() {
        for (i, peer) in peers(rule).iter().enumerate() {
            let Peer::Pods(namespaces, pods) = peer else {
                continue;
            };
            for missing in missing(context, namespaces, pods) {
                let finding = reporter.rule(rule_ref.with_peer(i), missing.message(context));
                reporter.push(missing.explain(context, finding));
            }
        }
    }
}

/// A value of a label of a `StatefulSet`'s pods that none of its pods has.
struct Missing<'a> {
    key: &'a str,
    value: &'a str,
    workload: WorkloadId,
}

impl Missing<'_> {
    /// `StatefulSet shop/db has no pod db-3`.
    fn message(&self, context: &LintContext<'_>) -> String {
        let workload = context.cluster.workload(self.workload);
        let name = context.cluster.workload_name(self.workload);
        let kind = workload.kind_name();
        if workload.kind != WorkloadKind::StatefulSet {
            return format!("pods of {kind} {name} have no label {}", self.key);
        }
        if self.key == POD_NAME {
            format!("{kind} {name} has no pod {}", self.value)
        } else {
            format!("{kind} {name} has no pod of index {}", self.value)
        }
    }

    /// Adds the pods that there are.
    fn explain(&self, context: &LintContext<'_>, finding: Finding) -> Finding {
        let workload = context.cluster.workload(self.workload);
        let place = Place::Origin(workload.origin.clone());
        let mut finding = finding.related(place, format!("the {}", workload.kind_name()));
        finding.fingerprint.peer = self.value.into();
        if workload.kind != WorkloadKind::StatefulSet {
            return finding.help("select by a label of the pod template");
        }
        let label = |pod: Option<&PodId>| {
            let labels = pod.map(|p| context.cluster.pod_labels(*p));
            labels.and_then(|l| l.get(self.key)).unwrap_or_default()
        };
        let (first, last) = (label(workload.pods.first()), label(workload.pods.last()));
        let known = if first == last {
            format!("there is only {first}")
        } else {
            format!("there are {first} to {last}")
        };
        finding
            .label(known)
            .help("name a pod that is there, or all by a label of the pod template")
    }
}

/// The values of a selector that no pod of the `StatefulSet` has that they are about.
fn missing<'a>(
    context: &LintContext<'_>,
    namespaces: &Namespaces,
    pods: &'a Selector,
) -> Vec<Missing<'a>> {
    let mut found = Vec::new();
    for requirement in pods.requirements() {
        let Requirement::In(key, values) = requirement else {
            continue;
        };
        if **key != *POD_NAME && **key != *POD_INDEX {
            continue;
        }
        let others = pods.requirements().iter().filter(|r| *r != requirement);
        let others = Selector::new(others.cloned());
        let candidates = candidates(context, namespaces, &others);
        for value in values {
            let workload = if **key == *POD_NAME {
                by_name(context, &candidates, value)
            } else {
                by_index(context, &candidates, value)
            };
            found.extend(workload.map(|workload| Missing {
                key,
                value,
                workload,
            }));
        }
    }
    found
}

/// The workloads with pods that the rest of a selector selects.
fn candidates(
    context: &LintContext<'_>,
    namespaces: &Namespaces,
    others: &Selector,
) -> Vec<WorkloadId> {
    let selected = context.selected(namespaces, others);
    crate::lint::words::workloads(context.cluster, &selected.pods)
}

/// The workload after which a pod is called, if it has no pod of the name.
fn by_name(
    context: &LintContext<'_>,
    candidates: &[WorkloadId],
    value: &str,
) -> Option<WorkloadId> {
    let (stem, index) = value.rsplit_once('-')?;
    index.parse::<u32>().ok()?;
    let called = |id: &&WorkloadId| *context.cluster.workload(**id).name == *stem;
    let workload = *candidates.iter().find(called)?;
    lacks(context, workload, POD_NAME, value).then_some(workload)
}

/// The workload that the rest of a selector selects, if none of these has a pod of an index.
fn by_index(
    context: &LintContext<'_>,
    candidates: &[WorkloadId],
    value: &str,
) -> Option<WorkloadId> {
    let all = candidates
        .iter()
        .all(|w| lacks(context, *w, POD_INDEX, value));
    let counted =
        |id: &&WorkloadId| context.cluster.workload(**id).kind == WorkloadKind::StatefulSet;
    let first = candidates.iter().find(counted).or(candidates.first());
    first.copied().filter(|_| all && candidates.len() < SEVERAL)
}

/// An index without any other label is about so many workloads that it is about none.
const SEVERAL: usize = 4;

/// Whether no pod of a workload has a label, where its pods are told apart.
fn lacks(context: &LintContext<'_>, workload: WorkloadId, key: &str, value: &str) -> bool {
    let mut pods = context.cluster.workload(workload).pods.iter();
    pods.all(|pod| {
        let has = context.cluster.pod_labels(*pod).get(key);
        has.is_none_or(|has| has != value && is_label_value(has))
    })
}
