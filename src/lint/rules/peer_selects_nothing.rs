//! # NP002 peer-selects-nothing
//!
//! **What it does.** Reports when a peer of a rule selects no pod of the namespaces it names, or no
//! namespace.
//!
//! **Why it is bad.** The rule lets nobody in, so that whoever it was written for is denied.
//!
//! **What it looks at.** Namespaces and workloads of the input. A warning when there is a second
//! sign: a workload or a namespace that is one label away, pods with these labels in another
//! namespace, or labels of namespaces where pods are selected (and the other way round).
//!
//! **When it stays silent.** When the peer may select something the input does not hold: a
//! namespace that is not in the input, has no workloads in it, or whose labels are not known.
//! Without a second sign it is only a note.
//!
//! **Settings.** None of its own.
//!
//! **References.** kube-linter `networkpolicypeer-podselector`; Popeye POP-1201, POP-1202,
//! POP-1208.

use crate::finding::{Finding, Severity};
use crate::lint::context::{LintContext, SelectedPods};
use crate::lint::elsewhere;
use crate::lint::peers::peers;
use crate::lint::reporter::Reporter;
use crate::lint::short_lived_labels::unstable_label;
use crate::lint::{near_miss, words};
use crate::model::Selector;
use crate::policy::{Namespaces, Peer, Policy, RuleRef};
use std::collections::HashMap;

const HELP: &str =
    "add the namespaceSelector of their namespace to this peer, without a dash of its own";

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let mut namespaces_elsewhere = HashMap::new();
    for (rule_ref, policy, rule) in context.network_rules() {
        for (i, peer) in peers(rule).iter().enumerate() {
            let Peer::Pods(namespaces, pods) = peer else {
                continue;
            };
            let rule_ref = rule_ref.with_peer(i);
            let selected = context.selected(namespaces, pods);
            if !selected.pods.is_empty() || selected.open {
                continue;
            }
            if selected.namespaces.is_empty() {
                if let Namespaces::Matching(selector) = namespaces {
                    let known = namespaces_elsewhere
                        .entry(selector)
                        .or_insert_with(|| elsewhere::namespace_labels(context, selector));
                    let found = known.as_ref();
                    let finding = found.map(|e| namespace_finding(reporter, rule_ref, selector, e));
                    finding.into_iter().for_each(|f| reporter.push(f));
                }
            } else if is_decidable(pods) {
                let peer = (namespaces, pods);
                let finding = peer_finding(context, reporter, policy, rule_ref, peer, &selected);
                reporter.push(finding);
            }
        }
    }
}

/// Whether a selector of pods says something that the manifests can answer.
fn is_decidable(pods: &Selector) -> bool {
    !pods.is_everything() && !pods.is_contradictory() && unstable_label(pods).is_none()
}

/// The finding about a peer that selects no namespace, although the labels are there.
fn namespace_finding(
    reporter: &Reporter<'_>,
    rule_ref: RuleRef,
    selector: &Selector,
    elsewhere: &elsewhere::Elsewhere,
) -> Finding {
    let finding = reporter
        .rule(rule_ref, format!("no namespace has the labels {selector}"))
        .likely()
        .note(elsewhere.note.clone());
    match &elsewhere.help {
        Some(help) => finding.help(help.clone()),
        None => finding,
    }
}

/// The finding about a peer that selects nothing, by the second sign that there is.
fn peer_finding(
    context: &LintContext<'_>,
    reporter: &Reporter<'_>,
    policy: &Policy,
    rule_ref: RuleRef,
    (namespaces, pods): (&Namespaces, &Selector),
    selected: &SelectedPods,
) -> Finding {
    let names: Vec<String> = selected
        .namespaces
        .iter()
        .map(|n| context.cluster.namespace(*n).name.to_string())
        .collect();
    let names = words::some(&names);
    let finding = reporter.rule(
        rule_ref,
        format!("no pod in namespace {names} has the labels {pods}"),
    );
    let near = selected
        .namespaces
        .iter()
        .find_map(|n| near_miss::nearest(context, *n, pods));
    if let Some(near) = near {
        let workload = context
            .cluster
            .workload_name(context.cluster.pod(near.pod).workload);
        return finding
            .likely()
            .label(format!("{workload} has {}", near.has))
            .help(format!("name the labels that {workload} has"));
    }
    let in_own_namespace =
        matches!(namespaces, Namespaces::Named(name) if Some(name) == policy.namespace.as_ref());
    if let Some(elsewhere) = elsewhere::pod_labels(context, pods) {
        let advice = if in_own_namespace {
            HELP
        } else {
            "name the namespace that these pods are in"
        };
        return finding
            .likely()
            .label(format!("only pods of namespace {names} can match here"))
            .note(elsewhere.note)
            .help(elsewhere.help.unwrap_or_else(|| advice.to_owned()));
    }
    finding
        .severity(Severity::Info)
        .label("selects nothing in this input")
        .note(near_miss::MADE_AT_RUN_TIME)
}
