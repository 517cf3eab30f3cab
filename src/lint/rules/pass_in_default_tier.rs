//! # NP705 pass-in-default-tier
//!
//! **What it does.** Reports a rule of Calico that passes in tier default.
//!
//! **Why it is bad.** Pass leaves the tier. `NetworkPolicies` of Kubernetes are policies of tier
//! default: those behind the rule are skipped, and where no later tier decides, the profile of the
//! namespace lets the traffic through.
//!
//! **What it looks at.** Rules with `action: Pass` in policies of tier default.
//!
//! **When it stays silent.** In every other tier.
//!
//! **Settings.** None of its own.
//!
//! **References.** "Tiered policy" in Calico's documentation.

use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::policy::Direction;
use crate::policy::calico::policy::RuleAction;
use crate::source::Path;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (id, _, written) in context.calico_policies() {
        if &*written.tier != "default" {
            continue;
        }
        for direction in Direction::ALL {
            let rules = written.rules[direction.index()].iter().enumerate();
            for (i, _) in rules.filter(|(_, rule)| rule.action == RuleAction::Pass) {
                let path = Path::root().key("spec").key(direction.name());
                let path = path.index(i).key("action");
                let message = "Pass in tier default skips every policy behind it, NetworkPolicies \
                               of Kubernetes among them";
                let finding = reporter.field(id, path, message);
                let help = "leave the rule out to go on in this tier, or move the policy to a tier \
                            of its own";
                reporter.push(finding.help(help));
            }
        }
    }
}
