//! # NP001 policy-selects-nothing
//!
//! **What it does.** Tells when no workload of the policy's namespace has the labels of
//! `spec.podSelector`.
//!
//! **Why it is bad.** The policy protects nobody and looks as if it did. Worse under a default
//! deny: what it was to allow stays closed.
//!
//! **What it looks at.** The workloads of the namespace. An error when one of them would be
//! selected after changing a single label by a slip of the pen (`name=cart` where the pods say
//! `name=carts`, `app=web` where they say `app.kubernetes.io/name=web`); a warning when a workload
//! has the label that singles it out and merely lacks the others.
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

use crate::finding::Severity;
use crate::lint::facts::Facts;
use crate::lint::reporter::Reporter;
use crate::lint::rules::{unstable_selector, wrong_namespace};
use crate::lint::{algebra, near_miss};

pub(crate) fn run(facts: &Facts<'_>, found: &mut Reporter<'_>) {
    for (id, policy) in facts.network_policies() {
        let selector = &policy.subject.pods;
        let speaks = !selector.is_everything()
            && !algebra::selects_nothing(selector)
            && facts.knows_pods_of(policy);
        if !speaks
            || !facts.subjects(id).is_empty()
            || unstable_selector::unstable(selector).is_some()
        {
            continue;
        }
        let Some(namespace) = facts.namespace_of(policy) else {
            continue;
        };
        if wrong_namespace::home(facts, policy).is_some() {
            continue; // NP010 knows better
        }
        let name = &facts.cluster.namespace(namespace).name;
        let finding = found.subject(
            id,
            format!("no workload in namespace {name} has the labels {selector}"),
        );
        found.push(match near_miss::miss(facts, namespace, selector) {
            Some(near) => {
                let workload = facts.cluster.workload_name(facts.cluster.pod(near.pod).workload);
                let severity = if near.typo { Severity::Error } else { Severity::Warning };
                let place = crate::diagnostic::Place::Origin(facts.cluster.pod(near.pod).origin.clone());
                finding
                    .severity(severity)
                    .likely()
                    .label(format!("{workload} has {}", near.has))
                    .related(place, format!("{workload} is nearly selected: it has {}", near.has))
                    .help(format!("select the labels that {workload} has"))
            }
            None => finding
                .severity(Severity::Info)
                .label("selects nothing in this input")
                .note("pods that are made at run time are not in the input, so this may be as it should"),
        });
    }
}
