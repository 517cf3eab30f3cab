//! A policy of Calico after it was checked: values instead of texts, still without the objects that
//! decide what they mean ([`super::lower`]).

use crate::policy::calico::expression::LabelExpression;
use crate::policy::priority::Priority;
use crate::set::{Family, TrafficSet};
use ipnet::IpNet;

/// What a rule does (CA71, CA72).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleAction {
    /// Lets it through.
    Allow,
    /// Stops it.
    Deny,
    /// Leaves the tier.
    Pass,
    /// Notes it, and goes on.
    Log,
}

/// What promoting a staged policy does (CA112).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StagedAction {
    /// It is enforced in place of an enforced one of its name.
    Set,
    /// The enforced one of its name goes.
    Delete,
}

/// A policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalicoPolicy {
    /// Its namespace; none of a global one.
    pub namespace: Option<Box<str>>,
    /// The name it is stored under, which ties go by (CA171).
    pub stored_name: Box<str>,
    /// Its tier.
    pub tier: Box<str>,
    /// Its place there.
    pub order: Priority,
    /// Which endpoints it governs.
    pub selector: Option<LabelExpression>,
    /// In which namespaces.
    pub namespaces: Option<LabelExpression>,
    /// Of which service accounts.
    pub accounts: Option<LabelExpression>,
    /// The directions that it is for.
    pub types: [bool; 2],
    /// Its rules, by direction.
    pub rules: [Vec<CalicoRule>; 2],
    /// Where at hosts it is asked.
    pub stage: Stage,
    /// What promoting it does, if it is staged.
    pub staged: Option<StagedAction>,
}

impl CalicoPolicy {
    /// The names of ports that its rules mention, on either side and in exceptions.
    pub fn port_names(&self) -> impl Iterator<Item = &str> {
        let sides = self.rules.iter().flatten();
        let sides = sides.flat_map(|rule| [&rule.source, &rule.destination]);
        let lists = sides.flat_map(|side| [&side.ports, &side.not_ports]);
        lists.flatten().filter_map(|port| match port {
            CalicoPort::Name(name) => Some(&**name),
            CalicoPort::Numbers(..) => None,
        })
    }
}

/// Where a policy is asked at host endpoints (CA106, CA107, CA109).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Of processes of the host.
    Normal,
    /// Also of what is forwarded.
    Forward,
    /// Before Services are translated.
    PreDnat,
    /// Before connections are tracked.
    Untracked,
}

impl Stage {
    /// Whether pods are governed as well.
    pub const fn governs_pods(self) -> bool {
        matches!(self, Self::Normal | Self::Forward)
    }
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalicoRule {
    /// What it does.
    pub action: RuleAction,
    /// The families that it is for, where it says so.
    pub families: Option<Family>,
    /// The protocols, and messages of ICMP.
    pub traffic: TrafficSet,
    /// Who sends.
    pub source: RuleSide,
    /// Who receives.
    pub destination: RuleSide,
    /// The requests of HTTP that it is for, in words.
    pub http: Option<Box<str>>,
}

/// One side of a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleSide {
    /// Blocks of which one holds the address.
    pub nets: Vec<IpNet>,
    /// Blocks of which none holds it.
    pub not_nets: Vec<IpNet>,
    /// What it is.
    pub selector: Option<LabelExpression>,
    /// What it is not.
    pub not_selector: Option<LabelExpression>,
    /// Which namespaces it is in.
    pub namespaces: Option<LabelExpression>,
    /// The names of its service account.
    pub account_names: Vec<Box<str>>,
    /// What its service account is.
    pub accounts: Option<LabelExpression>,
    /// The Service that it is behind: namespace, if told, and name.
    pub service: Option<(Option<Box<str>>, Box<str>)>,
    /// Its ports.
    pub ports: Vec<CalicoPort>,
    /// Ports that are not its.
    pub not_ports: Vec<CalicoPort>,
}

impl RuleSide {
    /// Whether it says nothing.
    pub fn is_anyone(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it selects by labels or accounts, so that a policy of a namespace means its own one
    /// (CA56).
    pub fn selects(&self) -> bool {
        self.selector.is_some()
            || self.not_selector.is_some()
            || !self.account_names.is_empty()
            || self.accounts.is_some()
    }
}

/// A port as it is written (CA82).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CalicoPort {
    /// Numbers, first to last.
    Numbers(u16, u16),
    /// A name.
    Name(Box<str>),
}
