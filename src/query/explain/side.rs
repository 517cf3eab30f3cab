//! One direction of an explained flow: its tiers, policies, rules and peers, and how each matched.
//!
//! The values are filled in by [`crate::query::explain::trace`] and
//! [`crate::query::explain::decision`].

use crate::model::{Requirement, Truth};
use crate::policy::tier::{TierIx, TierMode, Ties};
use crate::policy::{
    Action, Direction, PolicyId, PolicySet, Ports, Priority, Rule, RuleRef, Symbol,
};
use crate::query::explain::reason_code::Reason;
use crate::spec::evaluate;
use crate::spec::{Endpoint, Environment, Flow};

/// Why a peer does not match, or why it is unknown whether it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// The peer is not in this namespace.
    WrongNamespace(Box<str>),
    /// The labels of the peer's namespace do not fulfil this requirement.
    NamespaceLabel(Requirement),
    /// The peer's namespace is referenced but not declared, so its labels are unknown.
    NamespaceUnknown(Requirement),
    /// The labels of the two namespaces do not relate as required.
    NamespaceRelation,
    /// The labels of the peer pod do not fulfil this requirement.
    PodLabel(Requirement),
    /// Whether the labels of the peer pod fulfil this requirement is known only at run time.
    PodLabelUnknown(Requirement),
    /// Selectors never match addresses (S34).
    NotAPod,
    /// The address is not in the block.
    NotInBlock,
    /// The address of the pod is unknown, and the block covers a part of the range it may be in.
    AddressUnknown,
    /// Address blocks do not match pods under these options (S40).
    BlocksSkipPods,
    /// Selectors do not see host-network pods (S56).
    HostNetwork,
    /// The peer is not an address of a selected node.
    NotANode,
    /// The input has no nodes.
    NodesUnknown,
    /// The addresses of a domain name are not in the manifests.
    DomainUnknown(Box<str>),
    /// The peer is not what a symbol stands for, or is not known to be.
    Symbol(Symbol),
    /// The peer is among those that a complement excludes, or may be.
    Complement,
    /// A field of a newer API version that is not understood, so that the peer matches nothing.
    Unreadable,
}

/// How one peer of a rule matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerTrace {
    /// The rule and the peer.
    pub at: RuleRef,
    /// Whether it matches.
    pub matched: Truth,
    /// Why it does not match, or why that is unknown; empty where it matches.
    pub mismatches: Vec<Mismatch>,
    /// How many requirements of it the other end fulfils.
    pub fulfilled: usize,
}

/// How one rule matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleTrace {
    /// The rule.
    pub at: RuleRef,
    /// Whether its ports match.
    pub ports: bool,
    /// Its peers; empty if it applies to anyone.
    pub peers: Vec<PeerTrace>,
    /// Whether the rule matches.
    pub matched: Truth,
}

/// One policy that governs the side, with its rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyTrace {
    /// The policy.
    pub policy: PolicyId,
    /// Whether it selects the subject.
    pub selects: Truth,
    /// Its rules in this direction.
    pub rules: Vec<RuleTrace>,
}

/// One tier with its policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierTrace {
    /// The tier.
    pub tier: TierIx,
    /// The policies of it that govern the subject in this direction.
    pub policies: Vec<PolicyTrace>,
    /// Whether the tier was evaluated.
    pub reached: bool,
}

/// One direction of a flow: egress at the source, or ingress at the destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplanationSide {
    /// The direction.
    pub direction: Direction,
    /// The end whose policies decide.
    pub subject: Endpoint,
    /// The other end.
    pub peer: Endpoint,
    /// Whether this side allows the flow.
    pub allowed: Truth,
    /// Why it does or does not.
    pub reason: Reason,
    /// The tier that decided, if one did.
    pub decided_in: Option<TierIx>,
    /// The rule that decided (with its peer), if one did.
    pub decided_by: Option<RuleRef>,
    /// The policies that isolate the subject.
    pub isolated_by: Vec<PolicyId>,
    /// The rule that came closest, where none matched.
    pub near: Option<RuleTrace>,
    /// The peers of which it is unknown whether they match, where that matters.
    pub doubts: Vec<PeerTrace>,
    /// The rules whose conditions a flow does not show, where they matter.
    pub conditions: Vec<RuleRef>,
    /// The policies of which it is unknown whether they select the subject, where that matters.
    pub doubtful_policies: Vec<PolicyId>,
    /// The taints that matter, as indices into those of the policy set.
    pub taints: Vec<usize>,
    /// The tiers in the order of evaluation.
    pub tiers: Vec<TierTrace>,
}

impl ExplanationSide {
    pub(crate) fn plain(flow: &Flow, direction: Direction, reason: Reason) -> Self {
        let (subject, peer) = evaluate::side_of(flow, direction);
        Self {
            direction,
            subject,
            peer,
            allowed: Truth::Yes,
            reason,
            decided_in: None,
            decided_by: None,
            isolated_by: Vec::new(),
            near: None,
            doubts: Vec::new(),
            conditions: Vec::new(),
            doubtful_policies: Vec::new(),
            taints: Vec::new(),
            tiers: Vec::new(),
        }
    }

    /// The policies of equal priority that match with different actions, where that leaves the side
    /// undecided (S73, S103).
    pub fn rivals(&self, policies: &PolicySet) -> Vec<PolicyId> {
        for tier in &self.tiers {
            let ties = match policies.tiers[tier.tier.index()].mode {
                TierMode::Ordered(Ties::ByName) | TierMode::Unordered => continue,
                TierMode::Ordered(ties) => ties,
            };
            let traces = tier.policies.iter();
            let all: Vec<FirstRule> = traces
                .filter_map(|p| first_rule(p, policies, ties))
                .collect();
            let is_rival = |a: &&FirstRule| all.iter().any(|b| a.0 == b.0 && a.1 != b.1);
            let found: Vec<PolicyId> = all.iter().filter(is_rival).map(|a| a.2).collect();
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }

    /// The trace of a tier.
    pub fn tier(&self, tier: TierIx) -> Option<&TierTrace> {
        self.tiers.iter().find(|t| t.tier == tier)
    }

    /// The last tier that was evaluated.
    pub fn last_reached(&self) -> Option<TierIx> {
        self.tiers.iter().rfind(|t| t.reached).map(|t| t.tier)
    }

    /// The trace of a rule, whichever of its peers is meant.
    pub(crate) fn rule(&self, at: RuleRef) -> Option<&RuleTrace> {
        let policies = self.tiers.iter().flat_map(|tier| &tier.policies);
        let policy = policies.into_iter().find(|p| p.policy == at.policy)?;
        policy.rules.iter().find(|r| r.at.rule == at.rule)
    }

    /// The rules of the unordered tiers that were evaluated, of policies that may select the
    /// subject.
    pub(crate) fn unordered_rules(&self, env: &Environment) -> Vec<&RuleTrace> {
        let unordered =
            |t: &&TierTrace| t.reached && !env.policies.tiers[t.tier.index()].is_ordered();
        let policies = self
            .tiers
            .iter()
            .filter(unordered)
            .flat_map(|t| &t.policies);
        policies.flat_map(|p| &p.rules).collect()
    }
}

/// The place of a rule in the order of its tier, what it does, and its policy.
type FirstRule = ((Priority, u32), Action, PolicyId);

/// The rule of a policy that certainly matches first.
fn first_rule(trace: &PolicyTrace, policies: &PolicySet, ties: Ties) -> Option<FirstRule> {
    let first = trace.rules.iter().find(|r| r.matched == Truth::Yes)?;
    let policy = policies.get(trace.policy);
    let position = match ties {
        Ties::ByPosition => policy.position(first.at.direction, first.at.rule as usize),
        Ties::Undefined | Ties::ByName => 0,
    };
    let action = policies.rule(first.at).action;
    Some(((policy.priority, position), action, trace.policy))
}

/// Whether a rule names ports.
pub fn names_ports(rule: &Rule) -> bool {
    matches!(rule.ports, Ports::Of(_))
}
