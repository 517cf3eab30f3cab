//! # NP608 policy-of-nodes-is-off
//!
//! **What it does.** Reports a policy of nodes while Cilium's host firewall is not known to be on.
//!
//! **Why it is bad.** Without the host firewall, which is off by default, a Rule with a
//! `nodeSelector` is accepted and enforced nowhere: the nodes stay open.
//!
//! **What it looks at.** Rules with a `nodeSelector`, and `cluster.cilium.host-firewall`.
//!
//! **When it stays silent.** When the configuration or an object of the input says that the host
//! firewall is on.
//!
//! **Settings.** `cluster.cilium.host-firewall`.
//!
//! **References.** "Host firewall" in Cilium's documentation.

use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::policy::cilium::written::WrittenSubject;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let cilium = context.env.cilium.as_ref();
    if cilium.is_none_or(|options| options.host_firewall) {
        return;
    }
    for (id, policy, written) in context.cilium_rules() {
        if matches!(written.subject, WrittenSubject::Nodes(_)) {
            let message = "the host firewall is not known to be on; without it the nodes stay open";
            let finding = reporter.field(id, policy.root().key("nodeSelector"), message);
            reporter.push(finding.help("turn it on, and say cluster.cilium.host-firewall: true"));
        }
    }
}
