//! Rules that name Services: they see the address that is called, and not the pod behind it (AN40).

use crate::policy::antrea::policy::ServicePeer;
use crate::policy::rule::{Direction, Policy};

impl Policy {
    /// The Services that its rules name.
    fn services_called(&self) -> impl Iterator<Item = &ServicePeer> {
        let written = self.antrea().into_iter();
        let rules = written.flat_map(|written| &written.rules[Direction::Egress.index()]);
        rules.flat_map(|rule| &rule.services)
    }

    /// Whether a rule names some Service.
    pub fn sees_calls(&self) -> bool {
        self.services_called().next().is_some()
    }

    /// Whether a rule names a Service, by namespace and name.
    pub fn sees_calls_of(&self, called: &[Box<str>; 2]) -> bool {
        self.services_called().any(|service| service.is(called))
    }
}
