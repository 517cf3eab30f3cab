//! # NP707 service-without-namespace
//!
//! **What it does.** Reports `services` without a namespace in a `NetworkPolicy` of Calico.
//!
//! **Why it is bad.** The text of the field says that the policy's own namespace is meant. The
//! code looks for a Service of no namespace, so that the rule matches nothing.
//!
//! **What it looks at.** `services` of the sides of rules.
//!
//! **When it stays silent.** Where the namespace is named.
//!
//! **Settings.** None of its own.
//!
//! **References.** "Use service rules in policy" in Calico's documentation.

use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::policy::Direction;
use crate::source::Path;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (id, policy, written) in context.calico_policies() {
        for direction in Direction::ALL {
            for (i, rule) in written.rules[direction.index()].iter().enumerate() {
                for (side, field) in [(&rule.source, "source"), (&rule.destination, "destination")]
                {
                    let Some((None, name)) = &side.service else {
                        continue;
                    };
                    let path = Path::root().key("spec").key(direction.name()).index(i);
                    let path = path.key(field).key("services");
                    let message =
                        format!("Service `{name}` is looked for in no namespace, and never found");
                    let own = policy.namespace.as_deref().unwrap_or("default");
                    let finding = reporter.field(id, path, message);
                    reporter.push(finding.help(format!("write namespace: {own}")));
                }
            }
        }
    }
}
