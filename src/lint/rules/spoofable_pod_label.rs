//! # NP210 spoofable-pod-label
//!
//! **What it does.** Reports when a rule lets pods in by their labels alone, from whatever
//! namespace: a `podSelector` beside `namespaceSelector: {}`.
//!
//! **Why it is bad.** Whoever may create a pod in any namespace can give it the label, and is let
//! in.
//!
//! **What it looks at.** Ingress rules. A warning when all pods of the input with these labels are
//! in one namespace, although others have workloads too: that namespace is meant. Otherwise a note.
//!
//! **When it stays silent.** For egress, where a label cannot be given to somebody else's pod.
//!
//! **Settings.** None of its own.
//!
//! **References.** <https://github.com/artifact-keeper/artifact-keeper-iac/issues/273>.

use crate::finding::{Finding, Severity};
use crate::lint::context::LintContext;
use crate::lint::peers::peers;
use crate::lint::reporter::Reporter;
use crate::lint::words;
use crate::model::{NAMESPACE_NAME_LABEL, NamespaceId, PodId, Selector};
use crate::policy::{Direction, Namespaces, Peer, Policy, RuleRef};

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let all: Vec<PodId> = context.cluster.pods().map(|(id, _)| id).collect();
    let several = namespaces_of(context, &all).len() > 1;
    for (rule_ref, policy, rule) in context.network_rules() {
        if rule_ref.direction != Direction::Ingress || !policy.isolates(Direction::Ingress) {
            continue;
        }
        for (i, peer) in peers(rule).iter().enumerate() {
            let Peer::Pods(Namespaces::Matching(namespaces), pods) = peer else {
                continue;
            };
            if namespaces.is_everything() && !pods.is_everything() {
                let at = rule_ref.with_peer(i);
                reporter.push(finding(context, reporter, policy, (at, pods), several));
            }
        }
    }
}

/// The finding about a peer, by where the pods with its labels are; `several` is whether more than
/// one namespace has workloads.
fn finding(
    context: &LintContext<'_>,
    reporter: &Reporter<'_>,
    policy: &Policy,
    (rule_ref, pods): (RuleRef, &Selector),
    several: bool,
) -> Finding {
    let everywhere = context.selected(&Namespaces::Matching(Selector::everything()), pods);
    let finding = reporter
        .rule(
            rule_ref,
            format!("lets in whoever labels a pod {pods}, in any namespace"),
        )
        .severity(Severity::Info);
    let namespaces = namespaces_of(context, &everywhere.pods);
    let [single] = namespaces.as_slice() else {
        return finding.help("name the namespaces with a namespaceSelector");
    };
    let name = &context.cluster.namespace(*single).name;
    let finding = if policy.namespace.as_ref() == Some(name) {
        finding.help("leave the namespaceSelector out: the pods are in this namespace")
    } else {
        finding.help(format!(
            "select namespace {name}: {NAMESPACE_NAME_LABEL}: {name}"
        ))
    };
    if !several {
        return finding;
    }
    let who = words::names(context.cluster, &everywhere.pods);
    finding
        .severity(Severity::Warning)
        .likely()
        .note(format!("the pods of this input with the label are {who}"))
}

/// The namespaces of pods, each once.
fn namespaces_of(context: &LintContext<'_>, pods: &[PodId]) -> Vec<NamespaceId> {
    let namespaces = pods.iter().map(|p| context.cluster.pod(*p).namespace);
    let mut namespaces: Vec<NamespaceId> = namespaces.collect();
    namespaces.sort_unstable();
    namespaces.dedup();
    namespaces
}
