//! # NP609 foreign-namespace-in-subject
//!
//! **What it does.** Reports a `CiliumNetworkPolicy` whose `endpointSelector` names a namespace.
//!
//! **Why it is bad.** The policy governs its own namespace alone. Written with the source `k8s:`
//! the other namespace is replaced by the own one, written without it the policy selects nobody.
//!
//! **What it looks at.** `io.kubernetes.pod.namespace` in `endpointSelector`, with a value that is
//! not the policy's namespace.
//!
//! **When it stays silent.** For the own namespace, and for policies of the cluster.
//!
//! **Settings.** None of its own.
//!
//! **References.** "Namespaces" in Cilium's documentation of Kubernetes policies.

use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::policy::cilium::selector::NAMESPACE;
use crate::policy::cilium::written::WrittenSubject;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (id, policy, written) in context.cilium_rules() {
        let (Some(own), WrittenSubject::Endpoints(subject)) =
            (written.namespace.as_deref(), &written.subject)
        else {
            continue;
        };
        for (key, value) in subject.match_labels.iter().flatten() {
            let plain = key.split_once(':').map_or(&**key, |(_, key)| key);
            if plain != NAMESPACE || *value == *own {
                continue;
            }
            let effect = if key.starts_with("k8s:") {
                format!("it is replaced by {own}")
            } else {
                "the policy selects nobody".to_owned()
            };
            let at = policy
                .root()
                .key("endpointSelector")
                .key("matchLabels")
                .key(key);
            let message = format!("the policy governs namespace {own} and not {value}: {effect}");
            let finding = reporter.field(id, at, message);
            reporter.push(finding.help(format!(
                "write it in namespace {value}, or as a CiliumClusterwideNetworkPolicy"
            )));
        }
    }
}
