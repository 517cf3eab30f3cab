//! # NP801 no-such-tier
//!
//! **What it does.** Reports a policy of Antrea in a tier that the input does not have, or that
//! shares its priority with another tier.
//!
//! **Why it is bad.** Antrea refuses such a policy. Where the cluster has the tier, the input does
//! not tell before and behind which policies this one is asked, and what it could touch is unknown.
//!
//! **What it looks at.** `spec.tier`, and the Tiers of the input.
//!
//! **When it stays silent.** For the static tiers.
//!
//! **Settings.** None of its own.
//!
//! **References.** "Tier" in Antrea's documentation of its policies.

use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::source::Path;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let objects = &context.policies.plugin.antrea;
    for (id, _, written) in context.antrea_policies() {
        if objects.priority(&written.tier).is_some() {
            continue;
        }
        let is_there = objects.tiers.iter().any(|tier| tier.name == written.tier);
        let message = if is_there {
            format!("the priority of Tier `{}` is not its own", written.tier)
        } else {
            format!("the input has no Tier `{}`", written.tier)
        };
        let at = Path::root().key("spec").key("tier");
        let finding = reporter.field(id, at, message);
        reporter.push(finding.help("add the Tier, or name one that there is"));
    }
}
