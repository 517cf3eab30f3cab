//! # NP004 split-peer
//!
//! **What it does.** Reports when one peer was split in two by a stray dash: a list item with only
//! a `namespaceSelector`, followed by one with only a `podSelector`.
//!
//! **Why it is bad.** Without the second dash both conditions must hold: these pods of those
//! namespaces. With it either is enough: every pod of those namespaces, and these pods of the
//! policy's own namespace.
//!
//! **What it looks at.** Who has the pod labels. An error when nobody in the policy's own namespace
//! has them and somebody in the selected namespaces does; a warning when nobody in the policy's own
//! namespace has them and the other namespaces are not in the input; a note when both have them.
//! Fixed automatically: the dash is removed.
//!
//! **When it stays silent.** When only pods of the policy's own namespace have the labels (the list
//! is then meant as it is written), and when `podSelector` is empty.
//!
//! **Settings.** None of its own.
//!
//! **References.** Kubernetes documentation, "Behavior of to and from selectors";
//! <https://github.com/kubernetes/website/pull/1285>,
//! <https://github.com/projectcalico/calico/issues/4493>,
//! <https://github.com/redhat-appstudio/infra-deployments/pull/7039>.

use crate::diagnostic::Place;
use crate::finding::{Finding, Severity, TreeEdit};
use crate::lint::context::{LintContext, SelectedPods};
use crate::lint::peers::peers;
use crate::lint::reporter::Reporter;
use crate::lint::words;
use crate::model::Selector;
use crate::policy::{Namespaces, Peer, Policy, RuleRef};

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (rule_ref, policy, rule) in context.network_rules() {
        for (i, pair) in peers(rule).windows(2).enumerate() {
            let [
                Peer::Pods(Namespaces::Matching(namespaces), every),
                Peer::Pods(Namespaces::Named(own_namespace), pods),
            ] = pair
            else {
                continue;
            };
            let split = every.is_everything()
                && !pods.is_everything()
                && Some(own_namespace) == policy.namespace.as_ref();
            if split && context.knows_pods_of(policy) {
                let pair = SplitPeer {
                    namespaces,
                    pods,
                    own_namespace,
                };
                let finding = pair.finding(context, reporter, policy, rule_ref, i + 1);
                finding.into_iter().for_each(|f| reporter.push(f));
            }
        }
    }
}

/// Two neighbouring peers that may have been meant as one.
struct SplitPeer<'a> {
    namespaces: &'a Selector,
    pods: &'a Selector,
    own_namespace: &'a str,
}

impl SplitPeer<'_> {
    /// The finding, unless the list is meant as it is written.
    fn finding(
        &self,
        context: &LintContext<'_>,
        reporter: &Reporter<'_>,
        policy: &Policy,
        rule_ref: RuleRef,
        i: usize,
    ) -> Option<Finding> {
        let local = context.selected(&Namespaces::Named(self.own_namespace.into()), self.pods);
        let remote = context.selected(&Namespaces::Matching(self.namespaces.clone()), self.pods);
        let severity = match (local.pods.is_empty(), remote.pods.is_empty()) {
            (true, false) => Severity::Error,
            (true, true) if remote.open || remote.namespaces.is_empty() => Severity::Warning,
            (false, false) => Severity::Info,
            _ => return None,
        };
        let place = policy.origin(rule_ref.with_peer(i));
        let line = context.locator.locate(&place).map_or(0, |l| l.at.line);
        let finding = reporter
            .rule(
                rule_ref.with_peer(i),
                "this \"-\" starts a new peer, so the rule means A OR B",
            )
            .severity(severity)
            .likely()
            .label(self.who(context, &local, &remote))
            .related(
                Place::Origin(policy.origin(rule_ref.with_peer(i - 1))),
                "A: every pod of these namespaces",
            );
        let finding = self.effect(context, finding, &local, &remote);
        Some(
            finding
                .help(format!("delete the \"-\" on line {line}"))
                .fix([TreeEdit::JoinPrevious(place)]),
        )
    }

    /// Who has the pod labels, in the policy's namespace and in the others.
    fn who(
        &self,
        context: &LintContext<'_>,
        local: &SelectedPods,
        remote: &SelectedPods,
    ) -> String {
        let pods = self.pods;
        let here = if local.pods.is_empty() {
            format!("{pods} matches 0 pods in {}", self.own_namespace)
        } else {
            format!(
                "{pods} matches {} in {}",
                words::names(context.cluster, &local.pods),
                self.own_namespace
            )
        };
        if remote.pods.is_empty() {
            return format!("{here}; the pods of the other namespaces are not in the input");
        }
        let names: Vec<String> = remote
            .namespaces
            .iter()
            .map(|n| context.cluster.namespace(*n).name.to_string())
            .collect();
        let there = words::workloads(context.cluster, &remote.pods).len();
        format!(
            "{here} and {} in {}",
            words::count(there, "workload"),
            words::some(&names)
        )
    }

    /// Adds how many workloads pass today and how many would if the peers were joined.
    fn effect(
        &self,
        context: &LintContext<'_>,
        finding: Finding,
        local: &SelectedPods,
        remote: &SelectedPods,
    ) -> Finding {
        let whole = context.selected(
            &Namespaces::Matching(self.namespaces.clone()),
            &Selector::everything(),
        );
        if whole.open || whole.pods.is_empty() {
            return finding;
        }
        let today: Vec<_> = whole.pods.iter().chain(&local.pods).copied().collect();
        let (today, joined) = (
            words::workloads(context.cluster, &today).len(),
            words::workloads(context.cluster, &remote.pods),
        );
        let who = words::names(context.cluster, &remote.pods);
        finding.note(format!(
            "today {} pass; joined it would be {} ({who})",
            words::count(today, "workload"),
            joined.len()
        ))
    }
}
