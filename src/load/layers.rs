//! What objects of layers besides the network plugin's say together, once all of them are read.

use crate::diagnostic::{Code, Diagnostic, DiagnosticSeverity, Place};
use crate::load::assembly::Assembly;
use crate::model::Cluster;
use crate::policy::Policy;
use crate::policy::egress_firewall;
use crate::policy::istio;
use crate::policy::layer_object::LayerObject;
use crate::policy::linkerd;
use crate::policy::names::tell_names;
use crate::policy::networks;
use crate::policy::object_facts::ObjectFacts;
use crate::source::Origin;
use std::sync::Arc;

impl Assembly<'_> {
    /// What objects of the cluster say besides labels.
    fn object_facts(&mut self) -> ObjectFacts {
        let mut facts = std::mem::take(&mut self.facts);
        for bound in &self.bound_pods {
            if let Some(account) = &bound.account {
                facts.accounts.insert(bound.pod, Arc::clone(account));
            }
            if !bound.annotations.is_empty() {
                facts.pods.insert(bound.pod, bound.annotations.clone());
            }
        }
        facts
    }

    /// Settles what depends on several objects, or on what the configuration says.
    pub(super) fn take_layers(&mut self, cluster: &mut Cluster) {
        cluster.tell_controllers(&self.options.ingress_controllers);
        let settings = &self.options.layers;
        let facts = self.object_facts();
        let (mut istio, mut linkerd) = (Vec::new(), Vec::new());
        let mut networks = Vec::new();
        for object in std::mem::take(&mut self.layer_objects) {
            match object {
                LayerObject::Istio(object) => istio.push(object),
                LayerObject::Linkerd(object) => linkerd.push(object),
                LayerObject::Network(object) => networks.push(object),
            }
        }
        istio::take::take(&istio, cluster, &mut self.policies, &facts, &settings.istio);
        linkerd::take::take(
            &linkerd,
            cluster,
            &mut self.policies,
            &facts,
            &settings.linkerd,
        );
        let problems = networks::take::take(
            &networks,
            cluster,
            &mut self.policies,
            &facts,
            &settings.networks,
        );
        for problem in problems {
            let place = Place::Origin(problem.origin.unwrap_or_else(Origin::nowhere));
            let error = Diagnostic::new(
                DiagnosticSeverity::Error,
                Code::InvalidValue,
                place,
                problem.message,
            );
            self.diagnostics.push(error);
        }
        let policies = &mut self.policies.policies;
        let taken = egress_firewall::take_together(policies, &settings.global_namespaces);
        let those = |numbers: Vec<usize>| numbers.into_iter().filter_map(|i| policies.get(i));
        let several = those(taken.several).map(of_several);
        let ignored = those(taken.ignored).map(of_global_namespace);
        self.diagnostics.extend(several.chain(ignored));
        if !settings.names.is_empty() {
            policies
                .iter_mut()
                .for_each(|policy| tell_names(policy, &settings.names));
        }
    }
}

/// Of several egress firewalls of the older kind in one namespace (EF7).
fn of_several(policy: &Policy) -> Diagnostic {
    let namespace = policy.namespace.as_deref().unwrap_or_default();
    let message = format!(
        "namespace `{namespace}` has several EgressNetworkPolicies with rules: everything outside \
         the cluster is closed to its pods"
    );
    about(policy, DiagnosticSeverity::Error, message).help("keep one, with the rules of all")
}

/// Of an egress firewall of the older kind that nobody reads (EF6).
fn of_global_namespace(policy: &Policy) -> Diagnostic {
    let namespace = policy.namespace.as_deref().unwrap_or_default();
    let message =
        format!("`{namespace}` is a global namespace: no EgressNetworkPolicy has an effect there");
    let help = "give the namespace that it is meant for, in its metadata or with -n";
    about(policy, DiagnosticSeverity::Warning, message).help(help)
}

/// What is wrong with a whole object.
fn about(policy: &Policy, severity: DiagnosticSeverity, message: String) -> Diagnostic {
    let place = Place::Origin(Origin::document(policy.document));
    Diagnostic::new(severity, Code::InvalidValue, place, message)
}
