//! # NP007 rules-without-type
//!
//! **What it does.** Reports when a policy has rules for a direction that its `policyTypes` does
//! not list.
//!
//! **Why it is bad.** The rules are ignored. Fixed automatically: the direction is added.
//!
//! **What it looks at.** `policyTypes` and the rules.
//!
//! **When it stays silent.** When `policyTypes` is left out: then the default lists the direction
//! (NP006).
//!
//! **Settings.** None of its own.
//!
//! **References.** The `policyTypes` field in the API.

use crate::finding::TreeEdit;
use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::policy::Direction;
use crate::source::{Origin, Path};

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (id, policy) in context.network_policies() {
        for direction in Direction::ALL {
            let rules = policy.rules(direction);
            if rules.is_empty() || policy.isolates(direction) {
                continue;
            }
            let word = direction.name();
            let kind = if direction == Direction::Ingress {
                "Ingress"
            } else {
                "Egress"
            };
            let path = Path::root().key("spec").key(word);
            let types = Path::root().key("spec").key("policyTypes");
            reporter.push(
                reporter
                    .field(
                        id,
                        path,
                        format!("the {word} rules are ignored: policyTypes does not list {kind}"),
                    )
                    .label("has no effect")
                    .help(format!("add {kind} to policyTypes, or drop the rules"))
                    .fix([TreeEdit::Append(
                        Origin::new(policy.document, types),
                        kind.into(),
                    )]),
            );
        }
    }
}
