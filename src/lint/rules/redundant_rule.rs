//! # NP402 redundant-rule
//!
//! **What it does.** Reports when a rule allows nothing that another rule for the same pods does
//! not allow.
//!
//! **Why it is bad.** Within one policy the narrower rule looks like a restriction but is none: a
//! warning. Across policies it may well be intended, so it is a note.
//!
//! **What it looks at.** Peers and ports of both rules, for every possible label set and address.
//!
//! **When it stays silent.** When the whole policy is redundant (NP401). Of two equal rules only
//! the second is reported.
//!
//! **Settings.** None of its own.
//!
//! **References.** np-guard; cyclonus.

use crate::diagnostic::Place;
use crate::finding::Severity;
use crate::lint::algebra::{rule_within, subject_within};
use crate::lint::context::{LintContext, rules};
use crate::lint::redundancy::containing_policy;
use crate::lint::reporter::Reporter;
use crate::policy::{Policy, Rule, RuleRef};

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (rule_ref, policy, rule) in context.network_rules() {
        if !policy.isolates(rule_ref.direction)
            || containing_policy(context, rule_ref.policy, policy).is_some()
        {
            continue;
        }
        let Some(other) = containing_rule(context, rule_ref, policy, rule) else {
            continue;
        };
        let wide = context.policies.get(other.policy);
        let same = other.policy == rule_ref.policy;
        let name = if same {
            wide.rule_path(other).to_string()
        } else {
            format!("{} {}", wide.full_name(), wide.rule_path(other))
        };
        let finding = reporter.rule(
            rule_ref,
            format!("allows nothing that {name} does not allow"),
        );
        let finding = finding
            .label("adds nothing")
            .related(Place::Origin(wide.origin(other)), "allows all of it");
        let finding = finding.help(format!("drop this rule, or narrow {name}"));
        reporter.push(finding.severity(if same {
            Severity::Warning
        } else {
            Severity::Info
        }));
    }
}

/// The rule that makes another one redundant. Of two equal rules the first makes the second
/// redundant.
fn containing_rule(
    context: &LintContext<'_>,
    rule_ref: RuleRef,
    policy: &Policy,
    rule: &Rule,
) -> Option<RuleRef> {
    let governing = context.may_contain(policy).into_iter().filter(|id| {
        let other = context.policies.get(*id);
        *id == rule_ref.policy
            || other.isolates(rule_ref.direction) && subject_within(&policy.subject, &other.subject)
    });
    let candidates = governing.flat_map(|id| rules(id, context.policies.get(id)));
    let mut same_direction = candidates
        .filter(|(there, _, _)| there.direction == rule_ref.direction && *there != rule_ref);
    let containing = same_direction.find(|(there, other, wide)| {
        let equal = || rule_within(wide, rule) && subject_within(&other.subject, &policy.subject);
        rule_within(rule, wide) && (*there < rule_ref || !equal())
    });
    containing.map(|(there, _, _)| there)
}
