//! # NP703 hosts-taken-along
//!
//! **What it does.** Reports a `GlobalNetworkPolicy` of Calico that governs host endpoints besides
//! pods.
//!
//! **Why it is bad.** A `GlobalNetworkPolicy` without a selector, with `all()` or with conditions
//! that only exclude governs the host endpoints of nodes as well. A default deny that was meant
//! for pods then cuts off the nodes themselves, but for the ports that are always open.
//!
//! **What it looks at.** `GlobalNetworkPolicies` that select a `HostEndpoint` of the input and a
//! pod.
//!
//! **When it stays silent.** Where the selector asks for a label that the host endpoint has.
//!
//! **Settings.** None of its own.
//!
//! **References.** "Enable a default deny policy" in Calico's documentation.

use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::model::Truth;
use crate::policy::calico::lower::{host_labels, subject};
use crate::policy::calico::selector::selects_thing;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let objects = &context.policies.plugin.calico;
    if objects.hosts.is_empty() {
        return;
    }
    for (id, _, written) in context.calico_policies() {
        if written.namespace.is_some() || !written.stage.governs_pods() {
            continue;
        }
        let whom = subject(written);
        let mut named = false;
        let mut hosts = objects.hosts.iter().filter(|host| {
            let labels = host_labels(objects, host);
            whom.visit_keys(&mut |key| named |= labels.get(key).is_some());
            selects_thing(&whom, &labels, None) == Truth::Yes
        });
        let first = hosts.next();
        let Some(host) = first.filter(|_| !named && !context.subjects(id).is_empty()) else {
            continue;
        };
        let message = format!(
            "it governs the host endpoint `{}` besides pods, and so closes a node",
            host.name
        );
        let finding = reporter.subject(id, message);
        let help = "for pods alone write selector: has(projectcalico.org/namespace)";
        reporter.push(finding.help(help));
    }
}
