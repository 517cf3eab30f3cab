//! What rules do with calls of a Service that they name: they see the address that is called, and
//! not the pod behind it (AN40).

use crate::policy::antrea::policy::{AntreaAction, AntreaRule};
use crate::policy::rule::{Action, Direction, Policy};

impl Policy {
    /// What the rules do that decide calls of a Service before its address is translated.
    pub fn actions_at_service<'p>(
        &'p self,
        namespace: &'p str,
        name: &'p str,
    ) -> impl Iterator<Item = Action> + 'p {
        let written = self.antrea().into_iter();
        let rules = written.flat_map(|written| &written.rules[Direction::Egress.index()]);
        let names = move |rule: &&AntreaRule| {
            let mut services = rule.services.iter().map(|service| &service.name);
            services.any(|s| *s.namespace == *namespace && *s.name == *name)
        };
        rules.filter(names).map(|rule| match rule.action {
            AntreaAction::Allow => Action::Allow,
            AntreaAction::Deny => Action::Deny,
            AntreaAction::Pass => Action::Pass,
        })
    }
}
