//! # NP008 name-contradicts-effect
//!
//! **What it does.** Reports when a policy is called `deny-all` or the like and allows something,
//! or closes one direction only.
//!
//! **Why it is bad.** Reviewers trust names, and `kubectl get netpol` shows little else.
//!
//! **What it looks at.** The name, and what the policy does. A warning when `deny-all` or
//! `default-deny` has rules; a note when it says `all` and covers one direction.
//!
//! **When it stays silent.** When the name says `ingress` or `egress`, or an exception (`except`,
//! `allow`, `but`).
//!
//! **Settings.** None of its own.
//!
//! **References.** <https://github.com/devantler-tech/platform/issues/3501>.

use crate::diagnostic::Place;
use crate::finding::Severity;
use crate::lint::context::{LintContext, rules};
use crate::lint::reporter::Reporter;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (id, policy) in context.network_policies() {
        let name = policy.name.to_ascii_lowercase();
        let denies = [
            "deny-all",
            "default-deny",
            "denyall",
            "block-all",
            "isolate-all",
        ]
        .iter()
        .any(|w| name.contains(w));
        let excused = ["allow", "except", "but", "non-", "other", "from"]
            .iter()
            .any(|w| name.contains(w));
        if !denies || excused {
            continue;
        }
        let allowing =
            rules(id, policy).find(|(rule_ref, _, _)| policy.isolates(rule_ref.direction));
        if let Some((rule_ref, _, _)) = allowing {
            let finding = reporter.policy(
                id,
                "the name says that everything is denied, but the policy allows something",
            );
            let finding = finding
                .severity(Severity::Warning)
                .likely()
                .label("says deny");
            reporter.push(
                finding
                    .related(Place::Origin(policy.origin(rule_ref)), "allows")
                    .help("rename it, or drop the rule"),
            );
            continue;
        }
        let both = policy.isolates[0] && policy.isolates[1];
        let names_direction =
            name.contains("gress") || name.contains("-in") || name.contains("-out");
        if !both && !names_direction && name.contains("all") {
            let open_direction = if policy.isolates[0] {
                "egress"
            } else {
                "ingress"
            };
            let finding = reporter.policy(
                id,
                format!("the name says that all is denied, but {open_direction} is left open"),
            );
            reporter.push(
                finding
                    .severity(Severity::Info)
                    .likely()
                    .help("name the direction in the policy's name"),
            );
        }
    }
}
