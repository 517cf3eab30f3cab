//! # NP854 network-without-label
//!
//! **What it does.** Reports a primary network for a namespace that lacks the label by which the
//! network is in force there.
//!
//! **Why it is bad.** The namespace needs the label `k8s.ovn.org/primary-user-defined-network` from
//! its creation on. Without it its pods are on the default network, and everybody there reaches
//! them.
//!
//! **What it looks at.** Primary `UserDefinedNetworks`, `ClusterUserDefinedNetworks` and
//! `NetworkAttachmentDefinitions`, and the labels of namespaces.
//!
//! **When it stays silent.** Where the labels of the namespace are not in the input, and where a
//! network is for every namespace there is.
//!
//! **Settings.** None of its own.
//!
//! **References.** "User defined networks" in the documentation of OVN-Kubernetes.

use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::lint::rules::policy_without_network::{faults, finding};
use crate::policy::networks::plan::NetworkFaultKind;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for fault in faults(context, NetworkFaultKind::NoLabel) {
        let message = format!(
            "{} lacks the label by which {} is its network: its pods are on the default one",
            fault.what, fault.networks
        );
        let help = "create the namespace with the label k8s.ovn.org/primary-user-defined-network; \
                    it cannot be added later";
        let finding = finding(reporter, fault, message).help(help);
        reporter.push(finding);
    }
}
