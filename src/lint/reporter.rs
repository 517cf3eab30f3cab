//! Collects what a rule finds. A finding starts out with the rule's id, name and usual severity,
//! its place, and its identity for baselines.
//!
//! Invariant: a finding about a policy has the policy's namespace and name in its fingerprint, and
//! the path of what it points at without `spec.`. Suppressions, baselines and the choice between
//! two explanations of one cause rely on it.

use crate::diagnostic::Place;
use crate::finding::{Finding, Fingerprint, Severity};
use crate::lint::context::LintContext;
use crate::policy::{Policy, PolicyId, RuleRef};
use crate::source::{Origin, Path};

/// The findings of one rule.
pub struct Reporter<'f> {
    rule: &'static str,
    name: &'static str,
    severity: Severity,
    context: &'f LintContext<'f>,
    pub(crate) findings: Vec<Finding>,
}

impl<'f> Reporter<'f> {
    /// A reporter for the rule of an id and a name, whose findings usually have this severity.
    pub(crate) fn new(
        rule: &'static str,
        name: &'static str,
        severity: Severity,
        context: &'f LintContext<'f>,
    ) -> Self {
        Self {
            rule,
            name,
            severity,
            context,
            findings: Vec::new(),
        }
    }

    /// A finding at any place, about any object.
    pub fn anywhere(
        &self,
        place: Place,
        about: Fingerprint,
        message: impl Into<Box<str>>,
    ) -> Finding {
        let mut finding =
            Finding::new(self.rule, self.name, place, message).severity(self.severity);
        finding.fingerprint = about;
        finding
    }

    /// A finding about a policy as a whole; it points at its name.
    pub fn policy(&self, id: PolicyId, message: impl Into<Box<str>>) -> Finding {
        let policy = self.context.policies.get(id);
        let place = Origin::new(policy.document, Path::root().key("metadata").key("name"));
        self.anywhere(Place::Origin(place), about(policy, ""), message)
    }

    /// A finding about the pods that a policy selects; it points at its selector.
    pub fn subject(&self, id: PolicyId, message: impl Into<Box<str>>) -> Finding {
        let policy = self.context.policies.get(id);
        self.anywhere(
            Place::Origin(policy.subject_origin()),
            about(policy, policy.shape.subject),
            message,
        )
    }

    /// A finding about a rule, or about the peer or port of it that the reference names.
    pub fn rule(&self, rule_ref: RuleRef, message: impl Into<Box<str>>) -> Finding {
        let policy = self.context.policies.get(rule_ref.policy);
        let path = policy.rule_path(rule_ref).to_string();
        self.anywhere(
            Place::Origin(policy.origin(rule_ref)),
            about(policy, &path),
            message,
        )
    }

    /// A finding about any field of a policy.
    pub fn field(&self, id: PolicyId, path: Path, message: impl Into<Box<str>>) -> Finding {
        let policy = self.context.policies.get(id);
        let printed = path.to_string();
        let about = about(policy, printed.strip_prefix("spec.").unwrap_or(&printed));
        self.anywhere(
            Place::Origin(Origin::new(policy.document, path)),
            about,
            message,
        )
    }

    /// Keeps a finding.
    pub fn push(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
}

fn about(policy: &Policy, path: &str) -> Fingerprint {
    Fingerprint {
        namespace: policy.namespace.clone().unwrap_or_default(),
        name: policy.name.clone(),
        path: path.into(),
        peer: Box::default(),
    }
}
