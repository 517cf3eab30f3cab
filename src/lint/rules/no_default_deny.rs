//! # NP303 no-default-deny
//!
//! **What it does.** Tells which namespaces have workloads but no policy that isolates every pod on
//! the way in.
//!
//! **Why it is bad.** What is deployed next is born open.
//!
//! **What it looks at.** Policies with `podSelector: {}`, and administrators' policies. Not part of
//! the default set.
//!
//! **When it stays silent.** When the namespace has no workload in the input, or only such with
//! `hostNetwork` (NP305).
//!
//! **Settings.** None of its own.
//!
//! **References.** CIS Kubernetes Benchmark 5.3.2;
//! <https://github.com/aquasecurity/defsec/issues/339>.

use crate::lint::coverage;
use crate::lint::facts::Facts;
use crate::lint::reporter::Reporter;
use crate::model::NamespaceId;
use crate::policy::{Direction, PolicyId};

pub(crate) fn run(facts: &Facts<'_>, found: &mut Reporter<'_>) {
    let admin = facts
        .law
        .iter()
        .any(|(_, p)| facts.law.is_ordered(p) && !p.rules(Direction::Ingress).is_empty());
    for (id, namespace) in facts.cluster.namespaces() {
        // of nothing but the nodes' own pods a policy would not be obeyed on most network plugins
        // (NP305)
        let hosts = facts
            .pods_of(id)
            .iter()
            .all(|p| facts.cluster.pod(*p).host_network);
        if admin || hosts || covers_all(facts, id) {
            continue;
        }
        let message = format!(
            "namespace {} has no policy that isolates every pod",
            namespace.name
        );
        let finding = coverage::finding(facts, found, id, Some(Direction::Ingress), message);
        found.push(finding.help("add a policy with `podSelector` empty and policyTypes [Ingress]"));
    }
}

/// Whether some policy isolates every pod of a namespace on the way in.
pub(crate) fn covers_all(facts: &Facts<'_>, id: NamespaceId) -> bool {
    let everyone = |p: &PolicyId| {
        let policy = facts.law.get(*p);
        policy.isolates(Direction::Ingress) && policy.subject.pods.is_everything()
    };
    facts
        .policies_in(&facts.cluster.namespace(id).name)
        .iter()
        .any(everyone)
}
