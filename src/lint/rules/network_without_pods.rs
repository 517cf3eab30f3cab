//! # NP852 network-without-pods
//!
//! **What it does.** Reports a `MultiNetworkPolicy` for networks that no pod of the input is on.
//!
//! **Why it is bad.** It has no effect. Mostly the namespace is missing: a name without one is of
//! the policy's own namespace, and the definition that pods ask for is in another one.
//!
//! **What it looks at.** The annotations `k8s.v1.cni.cncf.io/policy-for` of policies and
//! `k8s.v1.cni.cncf.io/networks` of pods.
//!
//! **When it stays silent.** Where pods are on one of the networks of the policy.
//!
//! **Settings.** None of its own.
//!
//! **References.** The API of k8snetworkplumbingwg/multi-networkpolicy.

use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::lint::rules::policy_without_network::{faults, finding};
use crate::policy::networks::plan::NetworkFaultKind;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for fault in faults(context, NetworkFaultKind::NobodyThere) {
        let message = format!("{} is for {}, where no pod is", fault.what, fault.networks);
        let help = "name the definition that pods ask for: NAMESPACE/NAME";
        let finding = finding(reporter, fault, message).help(help);
        reporter.push(finding);
    }
}
