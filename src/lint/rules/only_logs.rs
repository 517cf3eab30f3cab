//! # NP708 only-logs
//!
//! **What it does.** Reports a policy of Calico all of whose rules in a direction only log.
//!
//! **Why it is bad.** Log decides nothing, but the policy applies: where its tier ends in Deny,
//! everything that no other policy of the tier allows is denied for the pods that it selects. What
//! was meant to watch traffic stops it.
//!
//! **What it looks at.** Directions of policies with rules that log and no others, in tiers that
//! end in Deny.
//!
//! **When it stays silent.** In a tier whose `defaultAction` is Pass.
//!
//! **Settings.** None of its own.
//!
//! **References.** "Policy rules" in Calico's documentation.

use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::policy::Direction;
use crate::policy::calico::policy::RuleAction;
use crate::policy::tier::TierEnd;
use crate::source::Path;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (id, policy, written) in context.calico_policies() {
        if context.policies.tier_of(policy).end == TierEnd::Pass {
            continue;
        }
        for direction in Direction::ALL {
            let d = direction.index();
            let rules = &written.rules[d];
            let logs = rules.iter().all(|rule| rule.action == RuleAction::Log);
            if rules.is_empty() || !logs || !written.types[d] {
                continue;
            }
            let message = format!(
                "its rules only log, and it closes {} all the same",
                direction.name()
            );
            let at = Path::root().key("spec").key(direction.name());
            let finding = reporter.field(id, at, message);
            let help = "add a rule that allows, or put the policy in a tier whose defaultAction is \
                        Pass";
            reporter.push(finding.help(help));
        }
    }
}
