//! What objects of layers besides the network plugin's say together, once all of them are read.

use crate::diagnostic::{Code, Diagnostic, DiagnosticSeverity, Place};
use crate::load::assembly::Assembly;
use crate::policy::egress_firewall;
use crate::policy::names::tell_names;
use crate::source::Origin;

impl Assembly<'_> {
    /// Settles what depends on several objects, or on what the configuration says.
    pub(super) fn take_layers(&mut self) {
        let settings = &self.options.layers;
        let policies = &mut self.policies.policies;
        let several = egress_firewall::take_together(policies, &settings.global_namespaces);
        for i in several {
            let Some(policy) = policies.get(i) else {
                continue;
            };
            let namespace = policy.namespace.as_deref().unwrap_or_default();
            let message = format!(
                "namespace `{namespace}` has several EgressNetworkPolicies with rules: everything \
                 outside the cluster is closed to its pods"
            );
            let place = Place::Origin(Origin::document(policy.document));
            let error = Diagnostic::new(
                DiagnosticSeverity::Error,
                Code::InvalidValue,
                place,
                message,
            );
            let help = "keep one, with the rules of all";
            self.diagnostics.push(error.help(help));
        }
        if !settings.names.is_empty() {
            policies
                .iter_mut()
                .for_each(|policy| tell_names(policy, &settings.names));
        }
    }
}
