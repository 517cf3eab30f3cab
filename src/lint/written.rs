//! The policies of network plugins as they are written, for the rules of lint that look at their
//! fields.

use crate::lint::context::LintContext;
use crate::policy::antrea::policy::AntreaPolicy;
use crate::policy::calico::policy::CalicoPolicy;
use crate::policy::cilium::written::WrittenRule;
use crate::policy::{Policy, PolicyId};

impl<'a> LintContext<'a> {
    /// The Rules of Cilium to examine, as they are written.
    pub fn cilium_rules(
        &self,
    ) -> impl Iterator<Item = (PolicyId, &'a Policy, &'a WrittenRule)> + use<'_, 'a> {
        let examined = self.policies.iter().filter(|(id, _)| self.is_examined(*id));
        examined.filter_map(|(id, p)| Some((id, p, &**p.cilium()?)))
    }

    /// The policies of Antrea to examine, as they are written.
    pub fn antrea_policies(
        &self,
    ) -> impl Iterator<Item = (PolicyId, &'a Policy, &'a AntreaPolicy)> + use<'_, 'a> {
        let examined = self.policies.iter().filter(|(id, _)| self.is_examined(*id));
        examined.filter_map(|(id, p)| Some((id, p, &**p.antrea()?)))
    }

    /// The enforced policies of Calico to examine, as they are written.
    pub fn calico_policies(
        &self,
    ) -> impl Iterator<Item = (PolicyId, &'a Policy, &'a CalicoPolicy)> + use<'_, 'a> {
        let examined = self.policies.iter().filter(|(id, _)| self.is_examined(*id));
        let written = examined.filter_map(|(id, p)| Some((id, p, &**p.calico()?)));
        written.filter(|(_, _, written)| written.staged.is_none())
    }
}
