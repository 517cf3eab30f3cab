//! Objects -> [`crate::policy::PolicySet`]: every policy that was read, or a taint in its place.

use crate::diagnostic::{Code, Diagnostic, DiagnosticSeverity, Place};
use crate::load::assembly::{Assembly, count, help};
use crate::load::object::{Contribution, LoadedObject, UnmodelledPolicy};
use crate::load::taints::Suspicion;
use crate::model::{Cluster, Truth};
use crate::policy::dialects;
use crate::policy::lowered::Lowered;
use crate::policy::tier::Tier;
use crate::policy::{Policy, TaintReason};
use crate::source::{FileId, Origin};

impl Assembly<'_> {
    /// Takes up every policy, or leaves a taint in its place.
    pub(super) fn take_policies(&mut self, objects: Vec<LoadedObject>, cluster: &Cluster) {
        for mut object in objects {
            self.remarks(&mut object);
            self.annotated(&object, cluster);
            match std::mem::replace(&mut object.contribution, Contribution::Nothing) {
                Contribution::Policy(lowered) => self.policy(&object, *lowered),
                Contribution::Unmodelled(policy) => self.unmodelled(&object, &policy, cluster),
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
                DiagnosticSeverity::Error
            } else {
                DiagnosticSeverity::Warning
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
            let severity = if invalid.in_force {
                DiagnosticSeverity::Warning
            } else {
                DiagnosticSeverity::Error
            };
            let mut diagnostic = Diagnostic::new(severity, code, place, message);
            diagnostic.help = help(invalid);
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

    fn unmodelled(&mut self, object: &LoadedObject, policy: &UnmodelledPolicy, cluster: &Cluster) {
        let what = self.name_of(object);
        let origin = Origin::document(object.document);
        if let Some(why) = &policy.why {
            let message = format!("{what} {why}; verdicts it could touch are unknown");
            let place = Place::Origin(origin.clone());
            let warning = Diagnostic::new(
                DiagnosticSeverity::Warning,
                Code::UnmodelledPolicy,
                place,
                message,
            );
            self.diagnostics.push(warning);
        }
        if policy.reason == TaintReason::Broken && self.options.ignore_broken {
            return;
        }
        let own = policy.namespaced.then(|| self.namespace_of(object));
        self.taint_reaches(
            &what,
            policy.reason,
            &policy.reaches,
            own.as_deref(),
            Some(&origin),
            cluster,
        );
    }

    /// Taints what the labels and annotations of an object of the cluster let others touch.
    fn annotated(&mut self, object: &LoadedObject, cluster: &Cluster) {
        if object.reaches.is_empty() {
            return;
        }
        let what = self.name_of(object);
        let own = self.namespace_of(object);
        let origin = Origin::document(object.document);
        let reason = TaintReason::UnmodelledKind;
        let reaches = &object.reaches;
        self.taint_reaches(&what, reason, reaches, Some(&own), Some(&origin), cluster);
    }

    /// The kind and name of an object, with the group where the kind alone means another one.
    fn name_of(&self, object: &LoadedObject) -> String {
        let other_group = dialects::is_modelled_kind(&object.kind)
            && dialects::find(&object.api_version, &object.kind).is_none();
        let kind = if other_group && !object.group().is_empty() {
            format!("{}.{}", object.kind, object.group())
        } else {
            object.kind.to_string()
        };
        match &object.namespace {
            Some(namespace) => format!("{kind} {namespace}/{}", object.name),
            None => format!("{kind} {}", object.name),
        }
    }

    /// Both generations of admin policies in one input: the API does not say how they work together
    /// (S125).
    pub(super) fn both_generations(&mut self) {
        let all = &self.policies.policies;
        let ordered = || all.iter().filter(|p| self.policies.is_ordered(p));
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
        let diagnostic = Diagnostic::new(
            DiagnosticSeverity::Warning,
            Code::Assumption,
            place(older),
            message,
        );
        let diagnostic = Diagnostic { related, ..diagnostic }
            .help("keep one of them: ClusterNetworkPolicy (v1alpha2) replaces AdminNetworkPolicy and its baseline");
        self.diagnostics.push(diagnostic);
    }
}
