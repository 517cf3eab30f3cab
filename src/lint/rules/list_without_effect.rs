//! # NP602 list-without-effect
//!
//! **What it does.** Reports an empty list of entries in a Rule of Cilium, and an
//! `enableDefaultDeny` that is on without any entry.
//!
//! **Why it is bad.** Both read as "nothing may come in" and do nothing at all: a direction is
//! closed by an entry, and an empty list has none.
//!
//! **What it looks at.** `ingress: []`, `egress: []` and their twins that deny; `ingress: true` or
//! `egress: true` under `enableDefaultDeny` where no list of that direction has an entry.
//!
//! **When it stays silent.** When another list of the same direction has an entry.
//!
//! **Settings.** None of its own.
//!
//! **References.** "Default deny" in Cilium's documentation of policy enforcement.

use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::policy::cilium::written::LISTS;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (id, policy, written) in context.cilium_rules() {
        for d in [0, 1] {
            let has = |deny| !written.entries(d, deny).is_empty();
            if has(false) || has(true) {
                continue;
            }
            let word = LISTS[0][d];
            let help = format!("to close it write {word}: [{{}}]");
            let told = [written.default_deny.ingress, written.default_deny.egress][d];
            if told == Some(true) {
                let path = policy.root().key("enableDefaultDeny").key(word);
                let message =
                    format!("it closes no {word}: the Rule has no entry in that direction");
                let finding = reporter.field(id, path, message);
                reporter.push(finding.help(help.clone()));
            }
            for (deny, lists) in [(false, &written.allows), (true, &written.denies)] {
                if lists[d].is_some() {
                    let path = policy.root().key(LISTS[usize::from(deny)][d]);
                    let message = format!("an empty list closes no {word}");
                    reporter.push(reporter.field(id, path, message).help(help.clone()));
                }
            }
        }
    }
}
