//! # NP006 policytypes-omitted
//!
//! **What it does.** Tells when a policy with egress rules leaves `policyTypes` out.
//!
//! **Why it is bad.** Left out, it means Ingress, and Egress too when there are egress rules. A policy that has only egress
//! rules therefore also closes every way in: an error when no other policy closes it anyway.
//!
//! **What it looks at.** Whether the field is there, and which rules are. A note where the default is what was written.
//!
//! **When it stays silent.** When `policyTypes` is given.
//!
//! **Settings.** None of its own.
//!
//! **References.** The field's documentation in the API; cyclonus `CheckSourceMissingPolicyTypes`.

use super::facts::Facts;
use super::found::Found;
use crate::finding::{Edit, Severity};
use crate::policy::{Direction, Policy, PolicyId};
use crate::source::{Origin, Path};

pub(super) fn run(facts: &Facts<'_>, found: &mut Found<'_>) {
    for (id, policy) in facts.network_policies() {
        if facts.text(policy).contains("policyTypes") && types_given(facts, policy) {
            continue;
        }
        let (has_in, has_out) = (!policy.rules[0].is_empty(), !policy.rules[1].is_empty());
        let wrote_ingress = facts.written(policy, &Path::root().key("spec").key("ingress"), |_| ()).is_some();
        if has_out && !has_in && !wrote_ingress {
            closes_the_way_in(facts, found, id, policy);
        } else if has_out {
            found.push(
                found
                    .subject(id, "policyTypes is left out; both directions are meant, because there are egress rules")
                    .severity(Severity::Info)
                    .help("write policyTypes: [Ingress, Egress]"),
            );
        }
    }
}

fn types_given(facts: &Facts<'_>, policy: &Policy) -> bool {
    let path = Path::root().key("spec").key("policyTypes");
    facts.written(policy, &path, |n| !n.items().is_empty()).unwrap_or(false)
}

fn closes_the_way_in(facts: &Facts<'_>, found: &mut Found<'_>, id: PolicyId, policy: &Policy) {
    let others = facts.policies_in(policy.namespace.as_deref().unwrap_or_default());
    let closed_anyway = others.iter().any(|other| {
        let other_policy = facts.law.get(*other);
        *other != id
            && other_policy.isolates(Direction::Ingress)
            && (types_given(facts, other_policy) || !other_policy.rules(Direction::Ingress).is_empty())
            && super::algebra::subject_within(&policy.subject, &other_policy.subject)
    });
    let spec = Origin::new(policy.document, Path::root().key("spec"));
    let finding = found
        .field(
            id,
            Path::root().key("spec").key("egress"),
            "policyTypes is left out, so this policy closes every way in too",
        )
        .label("has only egress rules")
        .note("left out, policyTypes means Ingress, and Egress as well when there are egress rules")
        .help("write policyTypes: [Egress], or [Ingress, Egress] if that is meant");
    found.push(if closed_anyway {
        finding.severity(Severity::Info).note("another policy closes the way in anyway")
    } else {
        finding.severity(Severity::Error).fix([Edit::Insert(spec, "policyTypes".into(), "[Egress]".into())])
    });
}
