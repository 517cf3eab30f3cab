//! # NP601 deny-only-closes
//!
//! **What it does.** Reports a Rule of Cilium that only denies in a direction, and with that closes
//! the whole direction.
//!
//! **Why it is bad.** Cilium closes a direction as soon as a Rule has an entry in it, of whatever
//! kind. Whoever adds a deny to forbid one thing cuts off everything that nobody allows.
//!
//! **What it looks at.** Rules with `ingressDeny` and without `ingress`, or with `egressDeny` and
//! without `egress`, whose `enableDefaultDeny` is not given.
//!
//! **When it stays silent.** When it denies everybody, which is meant to close; when another policy
//! allows something in that direction for one of the same pods.
//!
//! **Settings.** None of its own.
//!
//! **References.** <https://github.com/cilium/cilium/issues/28136>,
//! <https://github.com/cilium/cilium/issues/35558>.

use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::policy::cilium::written::{CiliumEntry, LISTS};
use crate::policy::{Action, Direction, PolicyId};

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (id, policy, written) in context.cilium_rules() {
        for direction in Direction::ALL {
            let d = direction.index();
            let told = [written.default_deny.ingress, written.default_deny.egress][d];
            let only_denies =
                !written.entries(d, true).is_empty() && written.entries(d, false).is_empty();
            if !only_denies
                || told.is_some()
                || written.entries(d, true).iter().any(denies_everybody)
                || is_opened(context, id, direction)
            {
                continue;
            }
            let [allow, deny] = [LISTS[0][d], LISTS[1][d]];
            let message = format!(
                "`{deny}` alone closes all {allow} of the pods it selects, not what it names alone"
            );
            let finding = reporter.field(id, policy.root().key(deny), message);
            reporter.push(finding.help(format!(
                "write enableDefaultDeny: {{{allow}: false}}, or allow what is to stay open"
            )));
        }
    }
}

/// Whether an entry denies everything to everybody.
fn denies_everybody(entry: &CiliumEntry) -> bool {
    let mut entities = entry.entities.iter().flatten();
    entities.any(|word| word == "all") && entry.to_ports.is_none() && entry.icmps.is_none()
}

/// Whether another policy allows something for one of the same pods.
fn is_opened(context: &LintContext<'_>, id: PolicyId, direction: Direction) -> bool {
    let own = context.subjects(id);
    context.policies.iter().any(|(other, policy)| {
        let rules = policy.rules(direction).iter();
        let allows = rules.filter(|rule| rule.action == Action::Allow).count();
        allows > 0 && context.subjects(other).iter().any(|pod| own.contains(pod))
    })
}
