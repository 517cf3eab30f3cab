//! # NP701 missing-tier
//!
//! **What it does.** Reports a policy of Calico in a tier that nobody defines.
//!
//! **Why it is bad.** calicoctl and the API server refuse such a policy. Where the tier went later,
//! the policy is still enforced: its tier is asked after all others and ends in Deny.
//!
//! **What it looks at.** `spec.tier`, and the Tiers of the input.
//!
//! **When it stays silent.** For the built-in tiers.
//!
//! **Settings.** `cluster.calico.version` decides what the built-in tiers are called.
//!
//! **References.** "Tiered policy" in Calico's documentation.

use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::source::Path;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (id, _, written) in context.calico_policies() {
        if context.policies.plugin.calico.defines(&written.tier) {
            continue;
        }
        let message = format!("the input has no Tier `{}`", written.tier);
        let at = Path::root().key("spec").key("tier");
        let finding = reporter.field(id, at, message);
        reporter.push(finding.help("add the Tier, or name one that there is"));
    }
}
