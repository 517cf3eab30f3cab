//! # NP851 policy-without-network
//!
//! **What it does.** Reports a `MultiNetworkPolicy` that says for no network that it is there.
//!
//! **Why it is bad.** The annotation `k8s.v1.cni.cncf.io/policy-for` lists the networks on which a
//! policy of secondary networks acts. Without it the policy acts on none, and what it was to close
//! is open.
//!
//! **What it looks at.** `MultiNetworkPolicies` and their annotation.
//!
//! **When it stays silent.** Where the annotation lists anything; whether pods are on what it
//! lists is NP852.
//!
//! **Settings.** None of its own.
//!
//! **References.** The API of k8snetworkplumbingwg/multi-networkpolicy.

use crate::diagnostic::Place;
use crate::finding::{Finding, Fingerprint};
use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::policy::networks::plan::{NetworkFault, NetworkFaultKind};

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for fault in faults(context, NetworkFaultKind::NoNetwork) {
        let message = format!("{} is for no network, so that it has no effect", fault.what);
        let help = "list the networks in the annotation k8s.v1.cni.cncf.io/policy-for";
        let finding = finding(reporter, fault, message).help(help);
        reporter.push(finding);
    }
}

/// What objects of networks do in vain.
pub(crate) fn faults<'a>(
    context: &LintContext<'a>,
    kind: NetworkFaultKind,
) -> impl Iterator<Item = &'a NetworkFault> + use<'a> {
    let plan = context.policies.plugin.networks.as_deref();
    let all = plan.into_iter().flat_map(|plan| &plan.faults);
    all.filter(move |fault| fault.kind == kind)
}

/// A finding about what an object does in vain.
pub(crate) fn finding(reporter: &Reporter<'_>, fault: &NetworkFault, message: String) -> Finding {
    let about = Fingerprint {
        namespace: Box::default(),
        name: fault.what.clone(),
        path: Box::default(),
        peer: Box::default(),
    };
    reporter.anywhere(Place::Origin(fault.origin.clone()), about, message)
}
