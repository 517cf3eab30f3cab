//! # NP402 redundant-rule
//!
//! **What it does.** Tells when a rule allows nothing that another rule for the same pods does not
//! allow.
//!
//! **Why it is bad.** Within one policy the narrower rule looks like a restriction and is none: a
//! warning. Across policies it may well be meant, so it is a note.
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
use crate::lint::facts::{Facts, rules};
use crate::lint::reporter::Reporter;
use crate::lint::rules::redundant_policy;
use crate::policy::{Policy, Rule, RuleRef};

pub(crate) fn run(facts: &Facts<'_>, found: &mut Reporter<'_>) {
    for (at, policy, rule) in facts.network_rules() {
        if !policy.isolates(at.direction)
            || redundant_policy::container(facts, at.policy, policy).is_some()
        {
            continue;
        }
        let Some(other) = container(facts, at, policy, rule) else {
            continue;
        };
        let wide = facts.law.get(other.policy);
        let same = other.policy == at.policy;
        let name = if same {
            wide.rule_path(other).to_string()
        } else {
            format!("{} {}", wide.full_name(), wide.rule_path(other))
        };
        let finding = found.rule(at, format!("allows nothing that {name} does not allow"));
        let finding = finding
            .label("adds nothing")
            .related(Place::Origin(wide.origin(other)), "allows all of it");
        let finding = finding.help(format!("drop this rule, or narrow {name}"));
        found.push(finding.severity(if same {
            Severity::Warning
        } else {
            Severity::Info
        }));
    }
}

/// The rule that makes another one redundant.
pub fn container(facts: &Facts<'_>, at: RuleRef, policy: &Policy, rule: &Rule) -> Option<RuleRef> {
    let governing = facts.may_hold(policy).into_iter().filter(|id| {
        let other = facts.law.get(*id);
        *id == at.policy
            || other.isolates(at.direction) && subject_within(&policy.subject, &other.subject)
    });
    let candidates = governing.flat_map(|id| rules(id, facts.law.get(id)));
    let mut same_direction =
        candidates.filter(|(there, _, _)| there.direction == at.direction && *there != at);
    let found = same_direction.find(|(there, other, wide)| {
        let equal = || rule_within(wide, rule) && subject_within(&other.subject, &policy.subject);
        rule_within(rule, wide) && (*there < at || !equal())
    });
    found.map(|(there, _, _)| there)
}
