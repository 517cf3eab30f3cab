//! Objects -> [`crate::policy::PolicySet`]: every policy that was read, or a taint in its place.

use crate::diagnostic::{Code, Diagnostic, DiagnosticSeverity, Place};
use crate::load::assembly::{Assembly, count, help};
use crate::load::network_ids::NetworkIds;
use crate::load::object::{Contribution, LoadedObject, UnmodelledPolicy};
use crate::load::taints::Suspicion;
use crate::model::{Cluster, EndpointSource, Truth};
use crate::policy::antrea;
use crate::policy::antrea::objects::AntreaTier;
use crate::policy::calico;
use crate::policy::calico::objects::{CalicoExtra, Slice};
use crate::policy::cilium::options::CiliumOptions;
use crate::policy::cilium::read::{asks_for_account, nodes_by_label};
use crate::policy::dialects;
use crate::policy::lowered::Lowered;
use crate::policy::tier::Tier;
use crate::policy::unmodelled::TaintReach;
use crate::policy::{Policy, TaintReason};
use crate::source::{FileId, Origin, Path};

/// Whether an object is an enforced policy of Calico.
fn is_of_calico(object: &LoadedObject) -> bool {
    let is_policy = matches!(object.contribution, Contribution::Policy(_));
    let kinds = ["NetworkPolicy", "GlobalNetworkPolicy"];
    is_policy && object.group().ends_with("projectcalico.org") && kinds.contains(&&*object.kind)
}

/// Whether an object is a policy of Antrea.
fn is_of_antrea(object: &LoadedObject) -> bool {
    let is_policy = matches!(object.contribution, Contribution::Policy(_));
    is_policy && object.group() == antrea::extras::GROUP
}

/// Whether a policy asks for the service account of pods, which Cilium makes a label.
fn names_accounts(object: &LoadedObject) -> bool {
    let Contribution::Policy(lowered) = &object.contribution else {
        return false;
    };
    lowered.policies.iter().any(|policy| match policy.cilium() {
        Some(written) => asks_for_account(written),
        None => lowered.reaches.is_some(),
    })
}

impl Assembly<'_> {
    /// Takes up every policy, or leaves a taint in its place.
    pub(super) fn take_policies(&mut self, objects: Vec<LoadedObject>, cluster: &Cluster) {
        self.network_ids = NetworkIds::of(&objects);
        for mut object in objects {
            self.remarks(&mut object);
            self.annotated(&object, cluster);
            match std::mem::replace(&mut object.contribution, Contribution::Nothing) {
                Contribution::Policy(lowered) => self.policy(&object, *lowered, cluster),
                Contribution::Unmodelled(policy) => self.unmodelled(&object, &policy, cluster),
                _ => continue,
            }
            if !object.made {
                count(&mut self.tally.read, &object.kind);
            }
        }
    }

    fn policy(&mut self, object: &LoadedObject, lowered: Lowered, cluster: &Cluster) {
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
        if lowered.void {
            return;
        }
        let Lowered {
            policies,
            tier,
            reaches,
            layer,
            ..
        } = lowered;
        if let Some(layer) = layer {
            return self
                .layer_objects
                .push((*layer).with_document(object.document));
        }
        let unread = policies.is_empty();
        if let Some(reaches) = reaches.filter(|_| unread || !self.policies.plugin.is_cilium) {
            return self.unread(object, unread, reaches, cluster);
        }
        let placed = self.placed_in_tier(policies, tier);
        if let Some(policies) = placed.filter(|_| !unread) {
            for mut policy in policies {
                self.interner.share(&mut policy);
                self.policies.policies.push(policy);
            }
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

    /// A policy that could not be read, or not under the network plugin that is told.
    fn unread(
        &mut self,
        object: &LoadedObject,
        broken: bool,
        reaches: Vec<TaintReach>,
        cluster: &Cluster,
    ) {
        let namespaced =
            dialects::find(&object.api_version, &object.kind).is_some_and(|d| d.namespaced);
        let why = "selects by labels that only a network plugin gives to pods";
        let policy = UnmodelledPolicy {
            reaches,
            namespaced,
            reason: if broken {
                TaintReason::Broken
            } else {
                TaintReason::UnmodelledKind
            },
            why: (!broken).then(|| why.into()),
        };
        self.unmodelled(object, &policy, cluster);
    }

    /// The policies in the tier that their dialect brings along; none where the table of tiers is
    /// full.
    fn placed_in_tier(
        &mut self,
        mut policies: Vec<Policy>,
        tier: Option<Tier>,
    ) -> Option<Vec<Policy>> {
        if let Some(tier) = tier {
            let tier = self.policies.tier(tier)?;
            policies.iter_mut().for_each(|policy| policy.tier = tier);
        }
        Some(policies)
    }

    /// Takes up what the objects of a network plugin say besides policies.
    pub(super) fn take_plugin(&mut self, objects: &mut [LoadedObject]) {
        let is_cilium = |object: &LoadedObject| {
            let kinds = ["CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"];
            kinds.contains(&&*object.kind) && matches!(object.contribution, Contribution::Policy(_))
        };
        let plugin = &mut self.policies.plugin;
        plugin.has_cilium_policies = objects.iter().any(is_cilium);
        plugin.calico.has_policies = objects.iter().any(is_of_calico);
        plugin.antrea.has_policies = objects.iter().any(is_of_antrea);
        plugin.is_cilium = plugin.has_cilium_policies || self.options.cilium.is_some();
        self.names_accounts = plugin.is_cilium && objects.iter().any(names_accounts);
        for object in objects {
            let plugin = &mut self.policies.plugin;
            match &object.contribution {
                Contribution::Group(group) => plugin.groups.push((**group).clone()),
                Contribution::AgentSettings(settings) => {
                    plugin.settings = settings.over(&plugin.settings);
                }
                Contribution::Endpoints(listed) if listed.source == EndpointSource::Slice => {
                    let endpoints = listed.endpoints.iter().chain(listed.unready.iter());
                    plugin.calico.slices.push(Slice {
                        namespace: (&*object
                            .namespace
                            .clone()
                            .unwrap_or_else(|| self.namespace.clone()))
                            .into(),
                        service: listed.service.clone(),
                        endpoints: endpoints.cloned().collect(),
                    });
                    continue;
                }
                Contribution::Calico(_) => {
                    self.take_of_calico(object);
                    continue;
                }
                Contribution::Antrea(extra) => {
                    plugin.antrea.add((**extra).clone(), object.document);
                }
                _ => continue,
            }
            object.contribution = Contribution::Nothing;
            self.remarks(object);
            count(&mut self.tally.read, &object.kind);
        }
    }

    /// Takes up an object of Calico that is no policy.
    fn take_of_calico(&mut self, object: &mut LoadedObject) {
        let taken = std::mem::replace(&mut object.contribution, Contribution::Nothing);
        let Contribution::Calico(mut extra) = taken else {
            return;
        };
        let is_account = matches!(*extra, CalicoExtra::Account(_));
        calico::extras::placed(&mut extra, object.document);
        self.policies.plugin.calico.add(*extra);
        self.remarks(object);
        let tally = if is_account {
            &mut self.tally.skipped
        } else {
            &mut self.tally.read
        };
        count(tally, &object.kind);
    }

    /// Tiers of Antrea that share a priority: but for one of them they are refused (AN3).
    pub(super) fn tiers_of_one_priority(&mut self) {
        let tiers = &self.policies.plugin.antrea.tiers;
        for (i, tier) in tiers.iter().enumerate() {
            let shares =
                |other: &&AntreaTier| other.priority == tier.priority && other.name != tier.name;
            let Some(other) = tiers.iter().take(i).find(shares) else {
                continue;
            };
            let Some(priority) = tier.priority else {
                continue;
            };
            let at = Path::root().key("spec").key("priority");
            let message = format!("{at}: Tier `{}` has priority {priority}, too", other.name);
            let place = |tier: &AntreaTier| Place::Origin(Origin::new(tier.document, at.clone()));
            let error = DiagnosticSeverity::Error;
            let diagnostic = Diagnostic::new(error, Code::InvalidValue, place(tier), message);
            let related = vec![(place(other), Box::from("the same priority"))];
            let diagnostic = Diagnostic {
                related,
                ..diagnostic
            };
            let help = "give each Tier a priority of its own; what policies of both could touch \
                        is unknown";
            self.diagnostics.push(diagnostic.help(help));
        }
    }

    /// Policies of Cilium that its agent refuses because an option is off (CI223).
    pub(super) fn refused_for_options(&mut self) {
        let told = self.options.cilium.clone().unwrap_or_default();
        let options = CiliumOptions::new(&told.over(&self.policies.plugin.settings));
        if options.node_labels {
            return;
        }
        for policy in &self.policies.policies {
            let at = policy.cilium().and_then(|w| nodes_by_label(w));
            let Some(at) = at.map(|at| policy.root().then(&at)) else {
                continue;
            };
            let message = format!("{at}: selecting nodes by their labels is an option that is off");
            let place = Place::Origin(Origin::new(policy.document, at));
            let error = Diagnostic::new(
                DiagnosticSeverity::Error,
                Code::InvalidValue,
                place,
                message,
            );
            let help = "Cilium's agent refuses the whole object without it; say \
                        cluster.cilium.node-selector-labels: true where it is on";
            self.diagnostics.push(error.help(help));
        }
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
        let of_kubernetes = |p: &&Policy| self.policies.is_ordered(p) && !p.is_of_plugin();
        let ordered = || all.iter().filter(of_kubernetes);
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
