//! # NP004 split-peer
//!
//! **What it does.** Reports when one peer was split in two by a stray dash: a list item with only
//! a `namespaceSelector` next to one with only a `podSelector`.
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
        if !context.knows_pods_of(policy) {
            continue;
        }
        let list = peers(rule);
        let mut i = 1;
        while i < list.len() {
            let found = SplitPeer::at(policy, list, i);
            let finding =
                found.and_then(|pair| pair.finding(context, reporter, policy, rule_ref, i));
            i += if finding.is_some() { 2 } else { 1 };
            finding.into_iter().for_each(|f| reporter.push(f));
        }
    }
}

/// The selector of a peer that selects every pod of some namespaces.
fn namespaces_only(peer: &Peer) -> Option<&Selector> {
    match peer {
        Peer::Pods(Namespaces::Matching(namespaces), pods) if pods.is_everything() => {
            Some(namespaces)
        }
        _ => None,
    }
}

/// The selector of a peer that selects some pods of the policy's own namespace.
fn own_pods<'p>(policy: &Policy, peer: &'p Peer) -> Option<&'p Selector> {
    match peer {
        Peer::Pods(Namespaces::Named(name), pods)
            if !pods.is_everything() && Some(name) == policy.namespace.as_ref() =>
        {
            Some(pods)
        }
        _ => None,
    }
}

/// Two neighbouring peers that may have been meant as one.
struct SplitPeer<'a> {
    namespaces: &'a Selector,
    pods: &'a Selector,
    own_namespace: &'a str,
    /// Whether the pods are named first.
    pods_first: bool,
}

impl<'a> SplitPeer<'a> {
    /// The peer before a place in a list and the one there, where one selects namespaces and the
    /// other pods of the policy's own. A namespace goes with the pods behind it, if there are any,
    /// and otherwise with those before it.
    fn at(policy: &'a Policy, list: &'a [Peer], i: usize) -> Option<Self> {
        let [first, second] = [list.get(i - 1)?, list.get(i)?];
        let pods_first = namespaces_only(second).is_some();
        let (namespaces, pods) = if pods_first {
            let next = list.get(i + 1).and_then(|p| own_pods(policy, p));
            let free = next.is_none() && namespaces_only(first).is_none();
            (
                namespaces_only(second).filter(|_| free)?,
                own_pods(policy, first)?,
            )
        } else {
            (namespaces_only(first)?, own_pods(policy, second)?)
        };
        Some(Self {
            namespaces,
            pods,
            own_namespace: policy.namespace.as_deref()?,
            pods_first,
        })
    }

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
                if self.pods_first {
                    "A: these pods of the policy's own namespace"
                } else {
                    "A: every pod of these namespaces"
                },
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
