//! # NP610 health-endpoints-closed
//!
//! **What it does.** Reports a `CiliumClusterwideNetworkPolicy` of every endpoint that closes
//! ingress and does not let in the checks of health.
//!
//! **Why it is bad.** `endpointSelector: {}` selects Cilium's own endpoints too, those that check
//! the health of nodes among them. Once their ingress is closed the nodes report each other as
//! broken.
//!
//! **What it looks at.** Rules of the cluster whose selector is empty, that close ingress.
//!
//! **When it stays silent.** When any Rule lets in `health`, `remote-node`, `cluster` or `all`.
//!
//! **Settings.** None of its own.
//!
//! **References.** "Health" in Cilium's documentation of Kubernetes policies.

use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::policy::Direction;
use crate::policy::cilium::written::{WrittenRule, WrittenSelector, WrittenSubject};

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let mut rules = context.policies.iter().filter_map(|(_, p)| p.cilium());
    if rules.any(|written| lets_in_health(written)) {
        return;
    }
    for (id, policy, written) in context.cilium_rules() {
        let every = matches!(&written.subject,
            WrittenSubject::Endpoints(subject) if *subject == WrittenSelector::default());
        if every && written.namespace.is_none() && policy.isolates(Direction::Ingress) {
            let message = "it closes the endpoints that check the health of nodes as well";
            let finding = reporter.subject(id, message);
            reporter.push(finding.help(
                "let in fromEntities: [health, remote-node], or write enableDefaultDeny: {ingress: false}",
            ));
        }
    }
}

/// Whether a Rule lets in the checks of health.
fn lets_in_health(written: &WrittenRule) -> bool {
    let mut entities = written
        .entries(0, false)
        .iter()
        .flat_map(|entry| entry.entities.iter().flatten());
    entities.any(|word| matches!(word.as_str(), "health" | "remote-node" | "cluster" | "all"))
}
