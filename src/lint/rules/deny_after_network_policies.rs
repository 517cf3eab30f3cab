//! # NP704 deny-after-network-policies
//!
//! **What it does.** Reports a rule of Calico that denies after `NetworkPolicies` of Kubernetes
//! have decided.
//!
//! **Why it is bad.** `NetworkPolicies` stand at order 1000 of tier default. What one of them
//! allows is allowed, whatever a policy of a higher order, or of none, denies.
//!
//! **What it looks at.** Rules that deny, in policies of tier default behind order 1000, and
//! `NetworkPolicies` with rules that govern the same pods in the same direction.
//!
//! **When it stays silent.** Where the pods are governed by no `NetworkPolicy` with a rule.
//!
//! **Settings.** None of its own.
//!
//! **References.** <https://github.com/projectcalico/calico/issues/9292>.

use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::policy::calico::policy::RuleAction;
use crate::policy::{Direction, Priority};
use crate::source::Path;
use std::collections::BTreeSet;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let last = Priority::from(1000);
    let mut governed: [Option<BTreeSet<_>>; 2] = [None, None];
    for (id, _, written) in context.calico_policies() {
        if &*written.tier != "default" || written.order <= last {
            continue;
        }
        for direction in Direction::ALL {
            let d = direction.index();
            let denies = |action: RuleAction| action == RuleAction::Deny;
            let at = written.rules[d].iter().position(|rule| denies(rule.action));
            let Some(at) = at.filter(|_| written.types[d]) else {
                continue;
            };
            let pods = governed[d].get_or_insert_with(|| by_network_policies(context, direction));
            if !context.subjects(id).iter().any(|pod| pods.contains(pod)) {
                continue;
            }
            let path = Path::root().key("spec").key(direction.name());
            let path = path.index(at).key("action");
            let message = "NetworkPolicies decide first for some of its pods: what they allow \
                           stays allowed";
            let finding = reporter.field(id, path, message);
            reporter.push(finding.help("give the policy an order below 1000"));
        }
    }
}

/// The pods that a `NetworkPolicy` with a rule governs.
fn by_network_policies(
    context: &LintContext<'_>,
    direction: Direction,
) -> BTreeSet<crate::model::PodId> {
    let policies = context.network_policies();
    let ruling = policies.filter(|(_, p)| p.governs(direction) && !p.rules(direction).is_empty());
    ruling
        .flat_map(|(id, _)| context.subjects(id).to_vec())
        .collect()
}
