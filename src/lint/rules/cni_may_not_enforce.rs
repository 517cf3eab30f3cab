//! # NP306 cni-may-not-enforce
//!
//! **What it does.** Reports when the input shows a network plugin that enforces no policies, and
//! none that does.
//!
//! **Why it is bad.** Policies are accepted and have no effect; nothing reports it.
//!
//! **What it looks at.** Workloads called after flannel, and none called after a plugin that
//! enforces policies.
//!
//! **When it stays silent.** When no network plugin is in the input, or one is named with `--cni`.
//!
//! **Settings.** `--cni`.
//!
//! **References.** CIS Kubernetes Benchmark 5.3.1; "Prerequisites" in the Kubernetes documentation.

use crate::diagnostic::Place;
use crate::finding::Fingerprint;
use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::model::WorkloadKind;

/// Parts of the names of the workloads of plugins that enforce policies.
const ENFORCING: [&str; 9] = [
    "calico",
    "cilium",
    "antrea",
    "ovn",
    "kube-router",
    "weave",
    "canal",
    "kube-network-policies",
    "aws-node",
];

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let daemons = || {
        context
            .cluster
            .workloads()
            .filter(|(_, w)| w.kind == WorkloadKind::DaemonSet)
    };
    let enforced = context.config.cni.is_some()
        || daemons().any(|(_, w)| ENFORCING.iter().any(|name| w.name.contains(name)));
    let Some((id, flannel)) = daemons()
        .find(|(_, w)| w.name.contains("flannel"))
        .filter(|_| !enforced)
    else {
        return;
    };
    if context.policies.policies.is_empty() {
        return;
    }
    let about = Fingerprint {
        name: context.cluster.workload_name(id).into(),
        ..Fingerprint::default()
    };
    let finding = reporter.anywhere(
        Place::Origin(flannel.origin.clone()),
        about,
        "flannel alone enforces no policies",
    );
    reporter.push(
        finding
            .likely()
            .note("no workload of a plugin that does is in the input")
            .help("add one, such as Calico"),
    );
}
