//! # NP006 policytypes-omitted
//!
//! **What it does.** Reports when a policy leaves `policyTypes` out.
//!
//! **Why it is bad.** Left out, it means Ingress, and Egress too when there are egress rules. A
//! policy that has only egress rules therefore also isolates ingress: an error when no other policy
//! isolates it anyway.
//!
//! **What it looks at.** Whether the field is there, and which rules are. A warning when there are
//! rules for both directions, because removing the egress rules would open all egress; a note when
//! there are none for egress.
//!
//! **When it stays silent.** When `policyTypes` is given.
//!
//! **Settings.** None of its own.
//!
//! **References.** The field's documentation in the API; cyclonus `CheckSourceMissingPolicyTypes`.

use crate::finding::{Severity, TreeEdit};
use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::policy::{Direction, Policy, PolicyId};
use crate::source::{Origin, Path};

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (id, policy) in context.network_policies() {
        let (has_ingress, has_egress) = (!policy.rules[0].is_empty(), !policy.rules[1].is_empty());
        // without egress rules nothing depends on the field, so that its name in the text suffices
        let enough = !has_egress && is_only_object(context, policy);
        if context.text_contains(policy.document, "policyTypes")
            && (enough || types_given(context, policy))
        {
            continue;
        }
        let wrote_ingress = || {
            context
                .written(policy, &Path::root().key("spec").key("ingress"), |_| ())
                .is_some()
        };
        let (meaning, types, severity) =
            match (has_egress, has_ingress || has_egress && wrote_ingress()) {
                (true, false) => {
                    report_closed_ingress(context, reporter, id, policy);
                    continue;
                }
                (true, true) => (
                    "both directions are meant, because there are egress rules",
                    "[Ingress, Egress]",
                    Severity::Warning,
                ),
                (false, _) => (
                    "Ingress is meant, because there are no egress rules",
                    "[Ingress]",
                    Severity::Info,
                ),
            };
        let finding = reporter
            .subject(id, format!("policyTypes is left out; {meaning}"))
            .severity(severity);
        reporter.push(finding.help(format!("write policyTypes: {types}")));
    }
}

/// Whether the text of a policy's document holds nothing else, unlike the items of a List.
fn is_only_object(context: &LintContext<'_>, policy: &Policy) -> bool {
    context
        .input
        .sources
        .document(policy.document)
        .is_some_and(|d| d.base.is_whole())
}

/// Whether `policyTypes` is given and not empty.
fn types_given(context: &LintContext<'_>, policy: &Policy) -> bool {
    let path = Path::root().key("spec").key("policyTypes");
    context
        .written(policy, &path, |n| !n.items().is_empty())
        .unwrap_or(false)
}

/// Reports a policy with only egress rules, which isolates ingress too.
fn report_closed_ingress(
    context: &LintContext<'_>,
    reporter: &mut Reporter<'_>,
    id: PolicyId,
    policy: &Policy,
) {
    let closed_anyway = context.may_contain(policy).iter().any(|other| {
        let other_policy = context.policies.get(*other);
        *other != id
            && other_policy.isolates(Direction::Ingress)
            && (types_given(context, other_policy)
                || !other_policy.rules(Direction::Ingress).is_empty())
            && crate::lint::algebra::subject_within(&policy.subject, &other_policy.subject)
    });
    let spec = Origin::new(policy.document, Path::root().key("spec"));
    let finding = reporter
        .field(
            id,
            Path::root().key("spec").key("egress"),
            "policyTypes is left out, so this policy closes every way in too",
        )
        .label("has only egress rules")
        .note("left out, policyTypes means Ingress, and Egress as well when there are egress rules")
        .help("write policyTypes: [Egress], or [Ingress, Egress] if that is meant");
    reporter.push(if closed_anyway {
        finding
            .severity(Severity::Info)
            .note("another policy closes the way in anyway")
    } else {
        finding.severity(Severity::Error).fix([TreeEdit::Insert(
            spec,
            "policyTypes".into(),
            "[Egress]".into(),
        )])
    });
}
