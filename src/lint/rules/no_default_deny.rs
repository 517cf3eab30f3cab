//! # NP303 no-default-deny
//!
//! **What it does.** Reports namespaces that have workloads but no policy that isolates every pod's
//! ingress.
//!
//! **Why it is bad.** What is deployed next is open from the start.
//!
//! **What it looks at.** Policies with `podSelector: {}`, and administrators' policies. Not part of
//! the default set.
//!
//! **When it stays silent.** When the namespace has no workload in the input, or only workloads
//! with `hostNetwork` (NP305).
//!
//! **Settings.** None of its own.
//!
//! **References.** CIS Kubernetes Benchmark 5.3.2;
//! <https://github.com/aquasecurity/defsec/issues/339>.

use crate::lint::context::LintContext;
use crate::lint::coverage;
use crate::lint::reporter::Reporter;
use crate::model::NamespaceId;
use crate::policy::{Direction, PolicyId};

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let has_admin_policy = context
        .policies
        .iter()
        .any(|(_, p)| !p.is_additive() && !p.rules(Direction::Ingress).is_empty());
    for (id, namespace) in context.cluster.namespaces() {
        // most network plugins do not apply policies to pods in their node's network (NP305)
        let only_host_network = context
            .pods_of(id)
            .iter()
            .all(|p| context.cluster.pod(*p).host_network);
        if has_admin_policy || only_host_network || covers_all(context, id) {
            continue;
        }
        let message = format!(
            "namespace {} has no policy that isolates every pod",
            namespace.name
        );
        let finding = coverage::finding(context, reporter, id, Some(Direction::Ingress), message);
        reporter
            .push(finding.help("add a policy with `podSelector` empty and policyTypes [Ingress]"));
    }
}

/// Whether some policy isolates the ingress of every pod of a namespace.
fn covers_all(context: &LintContext<'_>, id: NamespaceId) -> bool {
    let everyone = |p: &PolicyId| {
        let policy = context.policies.get(*p);
        policy.isolates(Direction::Ingress) && policy.subject.pods.is_everything()
    };
    context
        .policies_in(&context.cluster.namespace(id).name)
        .iter()
        .any(everyone)
}
