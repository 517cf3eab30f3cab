//! # NP702 all-is-not-the-internet
//!
//! **What it does.** Reports an egress rule of Calico towards `selector: all()` alone.
//!
//! **Why it is bad.** `all()` is every pod, host endpoint and network set that Calico knows, in a
//! `NetworkPolicy` those of its own namespace. Nothing else of the world is among them: a rule that
//! was meant to open the internet opens pods, and one that was meant to close it closes nothing.
//!
//! **What it looks at.** Destinations of egress rules that allow or deny with `selector: all()`
//! and nothing else.
//!
//! **When it stays silent.** Beside `namespaceSelector`, `nets` or ports, and where a network set
//! holds every address, so that `all()` is everybody.
//!
//! **Settings.** None of its own.
//!
//! **References.** <https://github.com/projectcalico/calico/issues/4751>.

use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::policy::calico::expression::LabelExpression;
use crate::policy::calico::objects::NetworkSet;
use crate::policy::calico::policy::{RuleAction, RuleSide};
use crate::set::{Family, IpSet};
use crate::source::Path;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let alone = RuleSide {
        selector: Some(LabelExpression::All),
        ..RuleSide::default()
    };
    let sets = &context.policies.plugin.calico.sets;
    let every = Family::ALL.map(|family| IpSet::full().only(family));
    let is_everybody = |set: &NetworkSet| every.iter().any(|all| all.is_subset(&set.nets));
    if sets.iter().any(is_everybody) {
        return;
    }
    for (id, _, written) in context.calico_policies() {
        for (i, rule) in written.rules[1].iter().enumerate() {
            let decides = matches!(rule.action, RuleAction::Allow | RuleAction::Deny);
            if !decides || rule.destination != alone {
                continue;
            }
            let path = Path::root().key("spec").key("egress").index(i);
            let path = path.key("destination").key("selector");
            let message = "`all()` is what Calico knows, and not the internet";
            let finding = reporter.field(id, path, message);
            let help = "leave the destination out for everybody, or name nets; for pods of every \
                        namespace write namespaceSelector: all()";
            reporter.push(finding.help(help));
        }
    }
}
