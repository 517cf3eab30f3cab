//! What Calico refuses (CA140-CA145), and forms made into values.
//!
//! There are two doors. calicoctl and the API server run Calico's validator and the schema of the
//! kind; what is applied to the custom resources of `projectcalico.org/v3` directly meets the
//! schema alone. What only the validator would have refused is then in the cluster, and what the
//! dataplane makes of it is told where it is known, else left open.

use crate::policy::calico::expression::{LabelExpression, MOST};
use crate::policy::calico::policy::{CalicoRule, RuleAction, RuleSide};
use crate::policy::calico::ports;
use crate::policy::calico::written::{CalicoIcmpForm, CalicoRuleForm};
use crate::policy::lowered::Checks;
use crate::set::{Family, TrafficSet};
use crate::source::Path;
use ipnet::IpNet;
use serde_json::Value as Json;

/// The most rules of a direction (CA142).
const MOST_RULES: usize = 1024;

/// Collects what is refused, and by whom.
pub struct CalicoDoor<'c> {
    /// What is wrong.
    pub checks: &'c mut Checks,
    /// Whether objects meet the schema alone.
    pub native: bool,
    /// Whether the dataplane drops the whole policy (CA145).
    pub dropped: bool,
    /// Whether what the dataplane makes of the policy is not known.
    pub open: bool,
}

impl CalicoDoor<'_> {
    /// What both doors refuse.
    pub fn refuse(&mut self, at: &Path, message: impl Into<String>) {
        self.checks.invalid(at, message);
    }

    /// What only the validator refuses; behind the other door it is in force, somehow.
    pub fn validator(&mut self, at: &Path, message: impl Into<String>) {
        self.checks.invalid(at, message);
        if self.native {
            self.open = true;
            self.warn_only();
        }
    }

    /// The same, where it is known what the dataplane makes of it.
    pub(super) fn meant(&mut self, at: &Path, message: impl Into<String>) {
        self.checks.refused(at, message);
        if self.native {
            self.warn_only();
        }
    }

    /// The same, where the dataplane drops the whole policy.
    fn drops(&mut self, at: &Path, message: impl Into<String>) {
        let help = "Felix drops the whole policy, so that it protects nothing";
        self.checks.invalid_help(at, message, help);
        if self.native {
            self.dropped = true;
            self.warn_only();
        }
    }

    fn warn_only(&mut self) {
        if let Some(last) = self.checks.0.last_mut() {
            last.in_force = true;
            last.doubt = false;
        }
    }

    /// A field that this kind does not have.
    pub fn unknown(&mut self, at: &Path, message: impl Into<String>) {
        self.checks.invalid(at, message);
        if let Some(last) = self.checks.0.last_mut() {
            last.unknown_field = true;
        }
    }

    /// A selector, none where it is empty (CA20, CA145).
    pub fn selector(
        &mut self,
        text: Option<&str>,
        at: &Path,
        role: SelectorRole,
    ) -> Option<LabelExpression> {
        let text = text.filter(|text| !text.is_empty())?;
        if text.len() > MOST {
            self.refuse(at, format!("a selector has at most {MOST} characters"));
            return None;
        }
        match LabelExpression::parse(text) {
            Ok(found) => {
                self.global(&found, at, role);
                Some(found)
            }
            Err(error) => {
                let message = format!("this is no selector: {error}");
                if role == SelectorRole::Whole {
                    self.drops(at, message);
                } else {
                    self.validator(at, message);
                }
                None
            }
        }
    }

    /// `global()` stands alone, in the `namespaceSelector` of a rule (CA33).
    fn global(&mut self, found: &LabelExpression, at: &Path, role: SelectorRole) {
        if !found.has_global() {
            return;
        }
        let message = "`global()` stands alone, in the `namespaceSelector` of a rule";
        match role {
            SelectorRole::NamespacesOfRule if *found == LabelExpression::Global => {}
            SelectorRole::NamespacesOfRule => self.validator(at, message),
            _ => {
                let mut above = at.clone();
                above.0.pop();
                self.refuse(&above, message);
            }
        }
    }

    /// The rules of a direction.
    pub fn rules(
        &mut self,
        list: Option<&Vec<CalicoRuleForm>>,
        way: RuleWay,
        at: &Path,
    ) -> Vec<CalicoRule> {
        let list = list.map(Vec::as_slice).unwrap_or_default();
        if list.len() > MOST_RULES {
            self.refuse(at, format!("at most {MOST_RULES} rules"));
        }
        let each = list.iter().enumerate();
        each.map(|(i, form)| self.rule(form, way, &at.index(i)))
            .collect()
    }

    fn rule(&mut self, form: &CalicoRuleForm, way: RuleWay, at: &Path) -> CalicoRule {
        let action = self.action(form.action.as_deref(), &at.key("action"));
        let family = match form.ip_version {
            None => None,
            Some(4) => Some(Family::V4),
            Some(6) => Some(Family::V6),
            Some(_) => {
                self.refuse(&at.key("ipVersion"), "the versions are 4 and 6");
                None
            }
        };
        let protocol = self.protocol(form.protocol.as_ref(), &at.key("protocol"));
        let not_protocol = self.protocol(form.not_protocol.as_ref(), &at.key("notProtocol"));
        self.icmp(form, protocol.as_ref(), family, at);
        let [source, destination] = [(&form.source, "source"), (&form.destination, "destination")]
            .map(|(side, field)| match side {
                Some(side) => self.side(side, form, way, field, protocol.as_ref(), at),
                None => RuleSide::default(),
            });
        self.families(form, family, at);
        if let Some(http) = &form.http {
            self.http(http, action, protocol.as_ref(), way, at);
        }
        let mut traffic = protocol
            .as_ref()
            .map_or_else(TrafficSet::all, |p| p.traffic.clone());
        if let Some(not) = not_protocol {
            traffic = traffic.difference(&not.traffic);
        }
        let messages = |icmp: Option<CalicoIcmpForm>| ports::messages(icmp, &traffic);
        if let Some(messages) = messages(form.icmp) {
            traffic = traffic.intersection(&messages);
        }
        if let Some(not) = ports::messages(form.not_icmp, &traffic) {
            traffic = traffic.difference(&not);
        }
        CalicoRule {
            action,
            families: family.or(protocol.and_then(|p| p.family)),
            traffic,
            source,
            destination,
            http: form.http.as_ref().map(|http| http.words().into()),
        }
    }

    fn action(&mut self, action: Option<&str>, at: &Path) -> RuleAction {
        match action {
            Some("Allow") => RuleAction::Allow,
            Some("Deny") => RuleAction::Deny,
            Some("Pass") => RuleAction::Pass,
            Some("Log") => RuleAction::Log,
            Some(other) => {
                let message = format!("`{other}` is none of Allow, Deny, Log and Pass");
                self.refuse(at, message);
                RuleAction::Log
            }
            None => {
                self.refuse(at, "a rule has an action: Allow, Deny, Log or Pass");
                RuleAction::Log
            }
        }
    }

    fn protocol(&mut self, value: Option<&Json>, at: &Path) -> Option<ports::CalicoProtocol> {
        let value = value.filter(|value| !value.is_null())?;
        let found = ports::protocol(value);
        if found.is_none() {
            let message = "a protocol is TCP, UDP, ICMP, ICMPv6, SCTP, UDPLite or a number from 1 \
                           to 255";
            self.validator(at, message);
        }
        found
    }

    /// CA74, CA142.
    fn icmp(
        &mut self,
        form: &CalicoRuleForm,
        protocol: Option<&ports::CalicoProtocol>,
        family: Option<Family>,
        at: &Path,
    ) {
        for (icmp, field) in [(form.icmp, "icmp"), (form.not_icmp, "notICMP")] {
            let Some(icmp) = icmp else { continue };
            let at_field = at.key(field);
            if icmp.kind.is_none() && icmp.code.is_some() {
                self.refuse(&at_field, "a code is of a type");
            }
            if icmp.kind.is_some_and(|kind| !(0..=254).contains(&kind)) {
                self.refuse(&at_field.key("type"), "a type is a number from 0 to 254");
            }
            if icmp.code.is_some_and(|code| !(0..=255).contains(&code)) {
                self.refuse(&at_field.key("code"), "a code is a number from 0 to 255");
            }
            if !protocol.is_some_and(ports::CalicoProtocol::is_icmp) {
                let message = format!("`{field}` wants protocol ICMP or ICMPv6");
                self.refuse(at, message);
            }
        }
        let named = protocol.and_then(|p| p.family);
        if let (Some(named), Some(family)) = (named, family)
            && named != family
        {
            self.refuse(at, "ICMP is of IPv4, and ICMPv6 of IPv6");
        }
    }

    /// Blocks of one family in all lists of a rule (CA78).
    fn families(&mut self, form: &CalicoRuleForm, family: Option<Family>, at: &Path) {
        let mut seen = family;
        for (side, field) in [(&form.source, "source"), (&form.destination, "destination")] {
            let Some(side) = side else { continue };
            for (list, name) in [(&side.nets, "nets"), (&side.not_nets, "notNets")] {
                let nets = list.iter().flatten();
                for net in nets.filter_map(|text| text.parse::<IpNet>().ok()) {
                    let own = Family::of(net.addr());
                    let expected = *seen.get_or_insert(own);
                    if expected != own {
                        let at = at.key(field).key(name);
                        self.meant(&at, "a rule has blocks of one address family");
                        return;
                    }
                }
            }
        }
    }
}

/// What a selector is for, which decides who refuses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelectorRole {
    /// A bad one voids the policy.
    Whole,
    /// A bad one is dropped alone, which widens.
    Part,
    /// The same, of the namespaces of a rule's side.
    NamespacesOfRule,
}

/// The rules that are checked: their direction, and whether they are of a global policy.
#[derive(Debug, Clone, Copy)]
pub struct RuleWay {
    /// The direction's number.
    pub direction: usize,
    /// Whether the policy is of no namespace.
    pub global: bool,
}
