//! # NP004 split-peer
//!
//! **What it does.** Tells when one peer was split in two by a stray dash: a list item with only a
//! `namespaceSelector`, followed by one with only a `podSelector`.
//!
//! **Why it is bad.** Without the second dash both conditions must hold: these pods of those
//! namespaces. With it either will do: every pod of those namespaces, and these pods of the
//! policy's own namespace.
//!
//! **What it looks at.** Who has the pod labels. An error when nobody in the policy's own namespace
//! has them and somebody in the selected namespaces does; a warning when nobody in the own
//! namespace has them and the other namespaces are not in the input; a note when both have them.
//! Fixed automatically: the dash is taken away.
//!
//! **When it stays silent.** When only pods of the own namespace have the labels (the list is then
//! meant as it is), and when `podSelector` is empty.
//!
//! **Settings.** None of its own.
//!
//! **References.** Kubernetes documentation, "Behavior of to and from selectors";
//! <https://github.com/kubernetes/website/pull/1285>,
//! <https://github.com/projectcalico/calico/issues/4493>,
//! <https://github.com/redhat-appstudio/infra-deployments/pull/7039>.

use crate::diagnostic::Place;
use crate::finding::{Edit, Finding, Severity};
use crate::lint::facts::{Facts, Selected, peers};
use crate::lint::reporter::Reporter;
use crate::lint::words;
use crate::model::Selector;
use crate::policy::{Namespaces, Peer, Policy, RuleRef};

pub(crate) fn run(facts: &Facts<'_>, found: &mut Reporter<'_>) {
    for (at, policy, rule) in facts.network_rules() {
        for (i, pair) in peers(rule).windows(2).enumerate() {
            let [
                Peer::Pods(Namespaces::Matching(namespaces), every),
                Peer::Pods(Namespaces::Named(own), pods),
            ] = pair
            else {
                continue;
            };
            let split = every.is_everything()
                && !pods.is_everything()
                && Some(own) == policy.namespace.as_ref();
            if split && facts.knows_pods_of(policy) {
                let pair = Split {
                    namespaces,
                    pods,
                    own,
                };
                let finding = pair.finding(facts, found, policy, at, i + 1);
                finding.into_iter().for_each(|f| found.push(f));
            }
        }
    }
}

struct Split<'a> {
    namespaces: &'a Selector,
    pods: &'a Selector,
    own: &'a str,
}

impl Split<'_> {
    fn finding(
        &self,
        facts: &Facts<'_>,
        found: &Reporter<'_>,
        policy: &Policy,
        at: RuleRef,
        i: usize,
    ) -> Option<Finding> {
        let local = facts.selected(&Namespaces::Named(self.own.into()), self.pods);
        let remote = facts.selected(&Namespaces::Matching(self.namespaces.clone()), self.pods);
        let severity = match (local.pods.is_empty(), remote.pods.is_empty()) {
            (true, false) => Severity::Error,
            (true, true) if remote.open || remote.namespaces.is_empty() => Severity::Warning,
            (false, false) => Severity::Info,
            _ => return None,
        };
        let place = policy.origin(at.with_peer(i));
        let line = facts.locator.locate(&place).map_or(0, |l| l.at.line);
        let finding = found
            .rule(
                at.with_peer(i),
                "this \"-\" starts a new peer, so the rule means A OR B",
            )
            .severity(severity)
            .likely()
            .label(self.who(facts, &local, &remote))
            .related(
                Place::Origin(policy.origin(at.with_peer(i - 1))),
                "A: every pod of these namespaces",
            );
        let finding = self.effect(facts, finding, &local, &remote);
        Some(
            finding
                .help(format!("delete the \"-\" on line {line}"))
                .fix([Edit::JoinPrevious(place)]),
        )
    }

    fn who(&self, facts: &Facts<'_>, local: &Selected, remote: &Selected) -> String {
        let pods = self.pods;
        let here = if local.pods.is_empty() {
            format!("{pods} matches 0 pods in {}", self.own)
        } else {
            format!(
                "{pods} matches {} in {}",
                words::names(facts.cluster, &local.pods),
                self.own
            )
        };
        if remote.pods.is_empty() {
            return format!("{here}; the pods of the other namespaces are not in the input");
        }
        let names: Vec<String> = remote
            .namespaces
            .iter()
            .map(|n| facts.cluster.namespace(*n).name.to_string())
            .collect();
        let there = words::workloads(facts.cluster, &remote.pods).len();
        format!(
            "{here} and {} in {}",
            words::count(there, "workload"),
            words::some(&names)
        )
    }

    fn effect(
        &self,
        facts: &Facts<'_>,
        finding: Finding,
        local: &Selected,
        remote: &Selected,
    ) -> Finding {
        let whole = facts.selected(
            &Namespaces::Matching(self.namespaces.clone()),
            &Selector::everything(),
        );
        if whole.open || whole.pods.is_empty() {
            return finding;
        }
        let today: Vec<_> = whole.pods.iter().chain(&local.pods).copied().collect();
        let (today, joined) = (
            words::workloads(facts.cluster, &today).len(),
            words::workloads(facts.cluster, &remote.pods),
        );
        let who = words::names(facts.cluster, &remote.pods);
        finding.note(format!(
            "today {} pass; joined it would be {} ({who})",
            words::count(today, "workload"),
            joined.len()
        ))
    }
}
