//! Objects -> [`crate::policy::PolicySet`]: every policy that was read, or a taint in its place.

use crate::diagnostic::{Code, Diagnostic, Place, Severity};
use crate::load::assembly::{Assembly, count};
use crate::load::object::{Contribution, LoadedObject};
use crate::load::taints::Suspicion;
use crate::model::{Selector, Truth};
use crate::policy::dialects;
use crate::policy::lowered::Lowered;
use crate::policy::tier::Tier;
use crate::policy::{Namespaces, Policy, Subject, Taint, TaintReason};
use crate::source::{FileId, Origin};

impl Assembly<'_> {
    /// Takes up every policy, or leaves a taint in its place.
    pub(super) fn take_policies(&mut self, objects: Vec<LoadedObject>) {
        for mut object in objects {
            match std::mem::replace(&mut object.contribution, Contribution::Nothing) {
                Contribution::Policy(lowered) => self.policy(&object, *lowered),
                Contribution::Unmodelled(pods) => self.unmodelled(&object, *pods),
                _ => continue,
            }
            count(&mut self.tally.read, &object.kind);
        }
    }

    fn policy(&mut self, object: &LoadedObject, lowered: Lowered) {
        let file = self
            .sources
            .document(object.document)
            .map_or(FileId(0), |d| d.file);
        for problem in &lowered.problems {
            let severity = if problem.is_error() {
                Severity::Error
            } else {
                Severity::Warning
            };
            let diagnostic = self.diagnostic(file, Some(object.document), severity, problem);
            self.diagnostics.push(diagnostic);
        }
        for invalid in &lowered.invalid {
            let place = Place::Origin(Origin::new(object.document, invalid.path.clone()));
            let message = format!("{}: {}", invalid.path, invalid.message);
            let code = if invalid.unknown_field {
                Code::UnknownField
            } else {
                Code::InvalidValue
            };
            let mut diagnostic = Diagnostic::new(Severity::Error, code, place, message);
            diagnostic.help = invalid.help.clone().map(Into::into);
            self.diagnostics.push(diagnostic);
        }
        if let Some(mut policy) = self.placed_in_tier(lowered.policy, lowered.tier) {
            self.interner.share(&mut policy);
            self.policies.policies.push(policy);
        } else {
            let namespace = self.namespace_of(object);
            // not by what was read, which is taken out of the object here: a broken policy of the
            // whole cluster touches it all
            let namespaced =
                dialects::find(&object.api_version, &object.kind).is_some_and(|d| d.namespaced);
            let what = format!("{} {}/{}", object.kind, namespace, object.name);
            let suspicion = if namespaced {
                Suspicion::Network
            } else {
                Suspicion::Any
            };
            let scope = namespaced.then_some(&*namespace);
            self.taint_unread(
                &what,
                suspicion,
                scope,
                Some(Origin::document(object.document)),
            );
        }
    }

    /// A policy in the tier that its dialect brings along; none where the table of tiers is full.
    fn placed_in_tier(&mut self, policy: Option<Policy>, tier: Option<Tier>) -> Option<Policy> {
        let mut policy = policy?;
        if let Some(tier) = tier {
            policy.tier = self.policies.tier(tier)?;
        }
        Some(policy)
    }

    fn unmodelled(&mut self, object: &LoadedObject, pods: Selector) {
        let Some(row) = dialects::find_unmodelled(&object.api_version, &object.kind) else {
            return;
        };
        let namespaces = if row.namespaced {
            Namespaces::Named((&*self.namespace_of(object)).into())
        } else {
            Namespaces::Matching(Selector::everything())
        };
        let kind = if dialects::is_modelled_kind(&object.kind) {
            // the same word means another kind elsewhere
            format!("{}.{}", object.kind, object.group())
        } else {
            object.kind.to_string()
        };
        let what = match &object.namespace {
            Some(namespace) => format!("{kind} {namespace}/{}", object.name),
            None => format!("{kind} {}", object.name),
        };
        let place = Place::Origin(Origin::document(object.document));
        let message = format!("{what} is not modelled; verdicts it could touch are unknown");
        self.diagnostics.push(Diagnostic::new(
            Severity::Warning,
            Code::UnmodelledPolicy,
            place,
            message,
        ));
        self.policies.taints.push(Taint {
            what: what.into(),
            reason: TaintReason::UnmodelledKind,
            effect: row.effect,
            subject: Subject { namespaces, pods },
            directions: row.directions,
            origin: Some(Origin::document(object.document)),
        });
    }

    /// Both generations of admin policies in one input: the API does not say how they work together
    /// (S125).
    pub(super) fn both_generations(&mut self) {
        let ordered = || {
            self.policies
                .policies
                .iter()
                .filter(|p| self.policies.is_ordered(p))
        };
        let older = ordered().find(|p| p.sees_own_service == Truth::Maybe);
        let newer = ordered().find(|p| p.sees_own_service != Truth::Maybe);
        let (Some(older), Some(newer)) = (older, newer) else {
            return;
        };
        let name = |p: &Policy| format!("{} {}", p.shape.kind, p.full_name());
        let message = format!(
            "{} and {} are of two generations, and the API does not say how both work in one cluster; each tier is taken \
             as one, in the order of priority",
            name(older),
            name(newer)
        );
        let place = |p: &Policy| Place::Origin(Origin::document(p.document));
        let related = vec![(place(newer), Box::from("the newer generation"))];
        let diagnostic =
            Diagnostic::new(Severity::Warning, Code::Assumption, place(older), message);
        let diagnostic = Diagnostic { related, ..diagnostic }
            .help("keep one of them: ClusterNetworkPolicy (v1alpha2) replaces AdminNetworkPolicy and its baseline");
        self.diagnostics.push(diagnostic);
    }
}
