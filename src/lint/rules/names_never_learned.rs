//! # NP605 names-never-learned
//!
//! **What it does.** Reports `toFQDNs` of pods whose questions to the DNS Cilium does not see.
//!
//! **Why it is bad.** Cilium learns the addresses of a name from answers that pass its proxy, and
//! they pass it only where a rule of the DNS (`rules: {dns: ...}`) says so. Without one the entry
//! never matches anything.
//!
//! **What it looks at.** Rules with `toFQDNs`, and all Rules that govern one of the same pods.
//!
//! **When it stays silent.** When one of these has a rule of the DNS; when the pods are not in the
//! input.
//!
//! **Settings.** None of its own.
//!
//! **References.** "DNS based" in Cilium's documentation of layer 3 policies.

use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::policy::PolicyId;
use crate::policy::cilium::written::{EntryFields, LISTS, WrittenRule};

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (id, policy, written) in context.cilium_rules() {
        let entries = written.entries(1, false).iter().enumerate();
        let named = entries.filter(|(_, e)| e.names.as_ref().is_some_and(|n| !n.is_empty()));
        for (i, _) in named {
            if context.subjects(id).is_empty() || is_seen(context, id) {
                continue;
            }
            let at = policy.root().key(LISTS[0][1]).index(i);
            let message = "no rule of the DNS governs these pods, so no address is ever learned";
            let finding = reporter.field(id, at.key(EntryFields::NAMES), message);
            reporter.push(
                finding.help(
                    "allow the DNS pods on port 53 with rules: {dns: [{matchPattern: \"*\"}]}",
                ),
            );
        }
    }
}

/// Whether a Rule with a rule of the DNS governs one of the same pods.
fn is_seen(context: &LintContext<'_>, id: PolicyId) -> bool {
    let own = context.subjects(id);
    let policies = context.policies.iter();
    let mut seeing = policies.filter(|(_, p)| p.cilium().is_some_and(|w| sees_questions(w)));
    seeing.any(|(other, _)| context.subjects(other).iter().any(|pod| own.contains(pod)))
}

fn sees_questions(written: &WrittenRule) -> bool {
    let entries = written.entries(1, false).iter();
    let mut forms = entries.flat_map(|entry| entry.to_ports.iter().flatten());
    forms.any(|form| {
        let rules = form.rules.as_ref();
        rules.is_some_and(|rules| rules.dns.as_ref().is_some_and(|dns| !dns.is_empty()))
    })
}
