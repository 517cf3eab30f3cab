//! # NP002 peer-selects-nothing
//!
//! **What it does.** Reports when a peer of a rule selects no pod of the namespaces it names.
//!
//! **Why it is bad.** The rule lets nobody in, so that whoever it was written for is denied.
//!
//! **What it looks at.** Namespaces and workloads of the input. A warning when there is a second
//! sign: a workload that is one typing error away, or a `podSelector` without `namespaceSelector`
//! whose pods exist, but in another namespace.
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
use crate::lint::peers::peers;
use crate::lint::reporter::Reporter;
use crate::lint::selectors::unstable_label;
use crate::lint::{near_miss, words};
use crate::model::Selector;
use crate::policy::{Namespaces, Peer, Policy, RuleRef};

const HELP: &str =
    "add the namespaceSelector of their namespace to this peer, without a dash of its own";

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (rule_ref, policy, rule) in context.network_rules() {
        for (i, peer) in peers(rule).iter().enumerate() {
            let Peer::Pods(namespaces, pods) = peer else {
                continue;
            };
            if pods.is_everything() || pods.is_contradictory() || unstable_label(pods).is_some() {
                continue;
            }
            let selected = context.selected(namespaces, pods);
            if selected.pods.is_empty() && !selected.open && !selected.namespaces.is_empty() {
                let finding = peer_finding(
                    context,
                    reporter,
                    policy,
                    rule_ref.with_peer(i),
                    (namespaces, pods),
                    &selected,
                );
                reporter.push(finding);
            }
        }
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
    let finding = reporter.rule(
        rule_ref,
        format!(
            "no pod in namespace {} has the labels {pods}",
            words::some(&names)
        ),
    );
    let near = selected
        .namespaces
        .iter()
        .find_map(|n| near_miss::nearest(context, *n, pods))
        .filter(|n| n.typo);
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
    if in_own_namespace {
        let everywhere = context.selected(&Namespaces::Matching(Selector::everything()), pods);
        if !everywhere.pods.is_empty() {
            let owners = words::names(context.cluster, &everywhere.pods);
            return finding
                .likely()
                .label(format!(
                    "only pods of namespace {} can match here",
                    names.concat()
                ))
                .note(format!("pods with these labels: {owners}"))
                .help(HELP);
        }
    }
    finding
        .severity(Severity::Info)
        .label("selects nothing in this input")
        .note(near_miss::MADE_AT_RUN_TIME)
}
