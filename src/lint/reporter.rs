//! Where a lint puts what it finds: findings that start out with the lint's id, place and identity
//! filled in.

use crate::diagnostic::Place;
use crate::finding::{Finding, Fingerprint};
use crate::lint::facts::Facts;
use crate::lint::registry::Lint;
use crate::policy::{Policy, PolicyId, RuleRef};
use crate::source::{Origin, Path};

/// The findings of one lint.
pub struct Reporter<'f> {
    lint: &'static Lint,
    facts: &'f Facts<'f>,
    pub(crate) findings: Vec<Finding>,
}

impl<'f> Reporter<'f> {
    /// Nothing found yet.
    pub(crate) fn new(lint: &'static Lint, facts: &'f Facts<'f>) -> Self {
        Self {
            lint,
            facts,
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
            Finding::new(self.lint.id, self.lint.name, place, message).severity(self.lint.severity);
        finding.fingerprint = about;
        finding
    }

    /// A finding about a policy as a whole; it points at its name.
    pub fn policy(&self, id: PolicyId, message: impl Into<Box<str>>) -> Finding {
        let policy = self.facts.law.get(id);
        let place = Origin::new(policy.document, Path::root().key("metadata").key("name"));
        self.anywhere(Place::Origin(place), about(policy, ""), message)
    }

    /// A finding about the pods a policy selects; it points at its selector.
    pub fn subject(&self, id: PolicyId, message: impl Into<Box<str>>) -> Finding {
        let policy = self.facts.law.get(id);
        self.anywhere(
            Place::Origin(policy.subject_origin()),
            about(policy, policy.shape.subject),
            message,
        )
    }

    /// A finding about a rule, or the peer or port of it that the reference names.
    pub fn rule(&self, at: RuleRef, message: impl Into<Box<str>>) -> Finding {
        let policy = self.facts.law.get(at.policy);
        let path = policy.rule_path(at).to_string();
        self.anywhere(
            Place::Origin(policy.origin(at)),
            about(policy, &path),
            message,
        )
    }

    /// A finding about some field of a policy's spec.
    pub fn field(&self, id: PolicyId, path: Path, message: impl Into<Box<str>>) -> Finding {
        let policy = self.facts.law.get(id);
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
