//! What Antrea refuses of a policy and its rules (AN11, AN12, AN20, AN70), and forms made into
//! values. What peers and ports are is in [`super::check_peers`] and [`super::check_parts`].

use crate::policy::antrea::objects::{BASELINE, DEFAULT};
use crate::policy::antrea::policy::{
    AntreaAction, AntreaPolicy, AntreaRule, AppliedTo, ServicePeer,
};
use crate::policy::antrea::written::{AntreaPolicyForm, AntreaRuleForm, L7Form, ServicePeerForm};
use crate::policy::lowered::Checks;
use crate::policy::priority::Priority;
use crate::policy::rule::Direction;
use crate::source::Path;
use std::collections::BTreeSet;

/// The most that a priority may be (AN7).
const LAST_PRIORITY: f64 = 10_000.0;

/// Collects what is refused of one object.
pub struct AntreaDoor<'c> {
    /// What is wrong.
    pub checks: &'c mut Checks,
    /// The namespace of the object; none where it is of the whole cluster.
    pub namespace: Option<&'c str>,
    /// Whether address blocks are checked as Kubernetes does since 1.36.
    pub strict_cidrs: bool,
}

impl AntreaDoor<'_> {
    /// A policy of either scope.
    pub fn policy(&mut self, form: &AntreaPolicyForm, older: bool) -> AntreaPolicy {
        let at = Path::root().key("spec");
        let tier = form.tier.as_deref().filter(|tier| !tier.is_empty());
        let tier = tier.unwrap_or(DEFAULT);
        let lists = [
            (&form.ingress, Direction::Ingress),
            (&form.egress, Direction::Egress),
        ];
        let mut names = BTreeSet::new();
        let rules = lists.map(|(list, direction)| {
            let here = at.key(direction.name());
            let rules = list.iter().flatten().enumerate();
            let mut read = Vec::new();
            for (i, rule) in rules {
                let here = here.index(i);
                self.name(rule, &mut names, &here);
                read.push(self.rule(rule, direction, tier, &here));
            }
            read
        });
        let applied_to = self.applied_to(form.applied_to.as_deref(), &at.key("appliedTo"));
        self.where_applied(&applied_to, &rules, &at);
        AntreaPolicy {
            namespace: self.namespace.map(Into::into),
            older,
            tier: tier.into(),
            priority: self.priority(form.priority, &at.key("priority")),
            applied_to,
            rules,
        }
    }

    /// AN7.
    fn priority(&mut self, priority: Option<f64>, at: &Path) -> Priority {
        let Some(number) = priority else {
            let help = "write a number from 1 to 10000; lower is asked first";
            self.checks
                .invalid_help(at, "a policy has a priority", help);
            return Priority::LAST;
        };
        if !(1.0..=LAST_PRIORITY).contains(&number) {
            let message = format!("`{number}` is no priority: it must be 1 to 10000");
            self.checks.refused(at, message);
        }
        Priority::of(number)
    }

    /// Names of rules are unique in a policy (AN70).
    fn name<'f>(&mut self, rule: &'f AntreaRuleForm, names: &mut BTreeSet<&'f str>, at: &Path) {
        let name = rule.name.as_deref().filter(|name| !name.is_empty());
        if let Some(name) = name.filter(|name| !names.insert(name)) {
            let message = format!("another rule is called `{name}`");
            self.checks.refused(&at.key("name"), message);
        }
    }

    /// `appliedTo` stands in the policy or in each rule (AN20).
    fn where_applied(&mut self, whole: &[AppliedTo], rules: &[Vec<AntreaRule>; 2], at: &Path) {
        let of_rules = || rules.iter().flatten();
        let own = of_rules().filter(|rule| !rule.applied_to.is_empty());
        let (own, count) = (own.count(), of_rules().count());
        let here = at.key("appliedTo");
        if !whole.is_empty() && own > 0 {
            let message = "`appliedTo` stands in the policy or in its rules, not in both";
            self.checks.invalid(&here, message);
        } else if whole.is_empty() && own < count {
            let message = "`appliedTo` stands in the policy, or in each of its rules";
            self.checks.invalid(&here, message);
        }
    }

    fn rule(
        &mut self,
        form: &AntreaRuleForm,
        direction: Direction,
        tier: &str,
        at: &Path,
    ) -> AntreaRule {
        let egress = direction == Direction::Egress;
        let action = self.action(form.action.as_deref(), tier, &at.key("action"));
        let (word, peers, other, foreign) = if egress {
            ("to", &form.to, "from", form.from.is_some())
        } else {
            ("from", &form.from, "to", form.to.is_some())
        };
        if foreign {
            let message = format!("a rule of {} has no `{other}`", direction.name());
            self.checks.invalid(&at.key(other), message);
        }
        AntreaRule {
            action,
            name: form.name.as_deref().map(Into::into),
            applied_to: self.applied_to(form.applied_to.as_deref(), &at.key("appliedTo")),
            peers: self.peers(peers.as_deref(), egress, &at.key(word)),
            services: self.services(form, egress, &at.key("toServices")),
            ports: self.ports(form, at),
            request: self.request(form, action, &at.key("l7Protocols")),
        }
    }

    /// AN11, AN12.
    fn action(&mut self, action: Option<&str>, tier: &str, at: &Path) -> AntreaAction {
        match action {
            Some("Allow") => AntreaAction::Allow,
            Some("Drop" | "Reject") => AntreaAction::Deny,
            Some("Pass") => {
                if tier == BASELINE {
                    let message = "nothing is behind tier baseline that Pass could lead to";
                    self.checks.invalid(at, message);
                }
                AntreaAction::Pass
            }
            Some(other) => {
                let message = format!("`{other}` is not an action");
                let help = if other == "Deny" {
                    "write Drop; Deny is no action of Antrea"
                } else {
                    "use Allow, Drop, Reject or Pass"
                };
                self.checks.invalid_help(at, message, help);
                AntreaAction::Deny
            }
            None => {
                let help = "write one of Allow, Drop, Reject and Pass";
                self.checks.invalid_help(at, "a rule has an action", help);
                AntreaAction::Deny
            }
        }
    }

    /// AN40, AN70.
    fn services(&mut self, form: &AntreaRuleForm, egress: bool, at: &Path) -> Vec<ServicePeer> {
        let list = form.to_services.as_deref().unwrap_or_default();
        if list.is_empty() {
            return Vec::new();
        }
        let is_filled = [
            form.to.as_ref().is_some_and(|list| !list.is_empty()),
            form.ports.as_ref().is_some_and(|list| !list.is_empty()),
            form.protocols.as_ref().is_some_and(|list| !list.is_empty()),
        ];
        if is_filled.contains(&true) {
            let message = "`toServices` stands without `to`, `ports` and `protocols`";
            self.checks.invalid(at, message);
        }
        if !egress {
            let message = "`toServices` is a field of rules of egress";
            self.checks.invalid(at, message);
        }
        let mut services = Vec::new();
        for (i, service) in list.iter().enumerate() {
            services.extend(self.service(service, &at.index(i)));
        }
        services
    }

    fn service(&mut self, form: &ServicePeerForm, at: &Path) -> Option<ServicePeer> {
        let everywhere = self.scope(form.scope.as_deref(), &at.key("scope"));
        let name = self.named(form.namespace.as_deref(), form.name.as_deref(), at)?;
        Some(ServicePeer { name, everywhere })
    }

    /// Whether the peers of other clusters are meant too (AN41).
    pub(super) fn scope(&mut self, scope: Option<&str>, at: &Path) -> bool {
        match scope {
            None | Some("" | "Cluster") => false,
            Some("ClusterSet") => true,
            Some(other) => {
                let message = format!("`{other}` is neither Cluster nor ClusterSet");
                self.checks.invalid(at, message);
                true
            }
        }
    }

    /// AN53.
    fn request(
        &mut self,
        form: &AntreaRuleForm,
        action: AntreaAction,
        at: &Path,
    ) -> Option<Box<str>> {
        let list = form.l7_protocols.as_deref().unwrap_or_default();
        if list.is_empty() {
            return None;
        }
        if action != AntreaAction::Allow {
            let message = "`l7Protocols` stands in rules that allow";
            self.checks.invalid(at, message);
        }
        let words: Vec<String> = list.iter().map(L7Form::words).collect();
        Some(words.join(" or ").into())
    }
}
