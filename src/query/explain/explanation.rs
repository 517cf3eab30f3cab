//! The walk through the tiers for one flow, with every policy, rule, peer and port that was asked
//! and why it did or did not match.
//!
//! Phases: `trace` asks every policy of a side, `conclude` draws the conclusion from the answers as
//! the specification does. Only policies that govern the flow's own ends are walked (their profiles
//! list them), so an explanation costs O(rules of both profiles), not O(law). Truth comes from the
//! functions of the specification.
//!
//! Invariant: [`Explanation::allowed`] is the graph's verdict on the flow, each [`Side::allowed`]
//! is what the specification says of that side, and [`Explanation::reason`] is an `ALLOW_`, `DENY_`
//! or `UNKNOWN_` code accordingly.

use crate::graph::AllowGraph;
use crate::model::{Requirement, Truth};
use crate::policy::tier::{TierCodes, TierIx, kubernetes};
use crate::policy::{Action, Direction, PolicyId, PolicySet, Ports, Rule, RuleRef, Symbol};
use crate::query::ask::via_service::ViaService;
use crate::query::explain::trace::Walker;
use crate::spec::evaluate;
use crate::spec::evaluate::{Case, ConnectionOrigin};
use crate::spec::{Endpoint, Environment, Flow, HostNetworkMode};

/// The stable reason codes (printed by `why`, kept in JSON).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // the names are the codes
pub enum Reason {
    AllowDefault,
    AllowRule,
    AllowSelf,
    AllowFromOwnNode,
    AllowTier(&'static TierCodes),
    DenyNoRuleMatches,
    DenyNoRules,
    DenyPort,
    DenyRule,
    DenyTier(&'static TierCodes),
    UnknownHostnetwork,
    UnknownUnsupportedKind,
    UnknownBrokenPolicy,
    UnknownNamespaceLabels,
    UnknownIpblockPod,
    UnknownSnat,
    UnknownNoEndpoints,
    UnknownNamedPort,
    UnknownDomainName,
    UnknownNode,
    UnknownPriority,
}

impl Reason {
    /// Every reason that policies of the Kubernetes APIs give.
    pub const ALL: [Self; 22] = [
        Self::AllowDefault,
        Self::AllowRule,
        Self::AllowSelf,
        Self::AllowFromOwnNode,
        Self::AllowTier(&kubernetes::ADMIN_CODES),
        Self::AllowTier(&kubernetes::BASELINE_CODES),
        Self::DenyNoRuleMatches,
        Self::DenyNoRules,
        Self::DenyPort,
        Self::DenyTier(&kubernetes::ADMIN_CODES),
        Self::DenyTier(&kubernetes::BASELINE_CODES),
        Self::UnknownHostnetwork,
        Self::UnknownUnsupportedKind,
        Self::UnknownBrokenPolicy,
        Self::UnknownNamespaceLabels,
        Self::UnknownIpblockPod,
        Self::UnknownSnat,
        Self::UnknownNoEndpoints,
        Self::UnknownNamedPort,
        Self::UnknownDomainName,
        Self::UnknownNode,
        Self::UnknownPriority,
    ];

    /// The code as it is printed.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AllowDefault => "ALLOW_DEFAULT",
            Self::AllowRule => "ALLOW_RULE",
            Self::AllowSelf => "ALLOW_SELF",
            Self::AllowFromOwnNode => "ALLOW_FROM_OWN_NODE",
            Self::AllowTier(codes) => codes.allow,
            Self::DenyNoRuleMatches => "DENY_NO_RULE_MATCHES",
            Self::DenyNoRules => "DENY_NO_RULES",
            Self::DenyPort => "DENY_PORT",
            Self::DenyRule => "DENY_RULE",
            Self::DenyTier(codes) => codes.deny,
            Self::UnknownHostnetwork => "UNKNOWN_HOSTNETWORK",
            Self::UnknownUnsupportedKind => "UNKNOWN_UNSUPPORTED_KIND",
            Self::UnknownBrokenPolicy => "UNKNOWN_BROKEN_POLICY",
            Self::UnknownNamespaceLabels => "UNKNOWN_NAMESPACE_LABELS",
            Self::UnknownIpblockPod => "UNKNOWN_IPBLOCK_POD",
            Self::UnknownSnat => "UNKNOWN_SNAT",
            Self::UnknownNoEndpoints => "UNKNOWN_NO_ENDPOINTS",
            Self::UnknownNamedPort => "UNKNOWN_NAMED_PORT",
            Self::UnknownDomainName => "UNKNOWN_DOMAIN_NAME",
            Self::UnknownNode => "UNKNOWN_NODE",
            Self::UnknownPriority => "UNKNOWN_PRIORITY",
        }
    }
}

/// Why a peer does not match, or cannot be told to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// The peer is in the wrong namespace: wanted this one.
    WrongNamespace(Box<str>),
    /// A label of the peer's namespace: what was wanted.
    NamespaceLabel(Requirement),
    /// The peer's namespace is only mentioned, so its labels are not known.
    NamespaceUnknown(Requirement),
    /// The values of these labels of the two namespaces do not relate as wanted.
    NamespaceRelation,
    /// A label of the peer pod: what was wanted.
    PodLabel(Requirement),
    /// Selectors never match addresses (S34).
    NotAPod,
    /// The address is not in the block.
    NotInBlock,
    /// The pod's address is not known, and the block covers part of where it may be.
    AddressUnknown,
    /// Blocks match no pods under these options (S40).
    BlocksSkipPods,
    /// Selectors do not see host-network pods (S56).
    HostNetwork,
    /// Not an address of a selected node.
    NotANode,
    /// Nothing is told about nodes.
    NodesUnknown,
    /// Which addresses a domain name stands for is not in the manifests.
    DomainUnknown(Box<str>),
    /// Not what a symbol stands for, or it is not known to be.
    Symbol(Symbol),
    /// One of those that the peer leaves out, or it is not known to be none.
    Complement,
    /// A field of a newer API, closed.
    Unreadable,
}

/// One peer of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerTrace {
    /// Which one.
    pub at: RuleRef,
    /// Whether it matches.
    pub matched: Truth,
    /// Why not, or why it cannot be told; empty where it matches.
    pub mismatches: Vec<Mismatch>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleTrace {
    /// Which one.
    pub at: RuleRef,
    /// Whether its ports match.
    pub ports: bool,
    /// Its peers; none for "anyone".
    pub peers: Vec<PeerTrace>,
    /// Whether the rule matches.
    pub matched: Truth,
}

/// One policy that governs the side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyTrace {
    /// The policy.
    pub policy: PolicyId,
    /// Whether it surely selects the subject.
    pub selects: Truth,
    /// Its rules in this direction.
    pub rules: Vec<RuleTrace>,
}

/// One tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierTrace {
    /// Which one.
    pub tier: TierIx,
    /// The policies of it that govern the subject in this direction.
    pub policies: Vec<PolicyTrace>,
    /// Whether it was asked at all.
    pub reached: bool,
}

/// One direction of a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// Which.
    pub direction: Direction,
    /// Whose rules were asked.
    pub subject: Endpoint,
    /// The other end.
    pub peer: Endpoint,
    /// Whether it lets the flow through.
    pub allowed: Truth,
    /// Why.
    pub reason: Reason,
    /// The tier that decided, if one did.
    pub decided_in: Option<TierIx>,
    /// The rule that decided (with its peer), if one did.
    pub decided_by: Option<RuleRef>,
    /// The policies that isolate the subject.
    pub isolated_by: Vec<PolicyId>,
    /// The rule that came closest, where none matched.
    pub near: Option<RuleTrace>,
    /// What could not be told, where that matters.
    pub doubts: Vec<PeerTrace>,
    /// Taints that matter: indices into the policy set's.
    pub taints: Vec<usize>,
    /// The tiers.
    pub tiers: Vec<TierTrace>,
}

/// Why a flow is decided as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The flow.
    pub flow: Flow,
    /// The verdict.
    pub allowed: Truth,
    /// The way out of the source.
    pub egress: Side,
    /// The way in to the destination.
    pub ingress: Side,
    /// Whether the two behaviours of host-network pods make the difference (S56).
    pub host_network: bool,
    /// The sides under the other behaviour of host-network pods, where both have to be considered.
    pub other: Option<Box<Way>>,
    /// What a Service on the way leaves open, where that is why the verdict is not told.
    pub led: Option<ViaService>,
}

/// Both sides under one behaviour of host-network pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The behaviour.
    pub mode: HostNetworkMode,
    /// The way out of the source.
    pub egress: Side,
    /// The way in to the destination.
    pub ingress: Side,
}

impl Way {
    /// What both sides together let through.
    pub fn allowed(&self) -> Truth {
        self.egress.allowed.and(self.ingress.allowed)
    }
}

impl Explanation {
    /// The sides, out first.
    pub fn sides(&self) -> [&Side; 2] {
        [&self.egress, &self.ingress]
    }

    /// The reason of the whole: of the side that denies, else of the one that is unknown, else of
    /// the way in. An unknown that the two behaviours of host-network pods make, or a Service on
    /// the way, is called by its name.
    pub fn reason(&self) -> Reason {
        if self.led.is_some() {
            return Reason::UnknownSnat;
        }
        if self.host_network && self.allowed == Truth::Maybe {
            return Reason::UnknownHostnetwork;
        }
        let by = |truth| self.sides().into_iter().find(|s| s.allowed == truth);
        by(Truth::No)
            .or_else(|| by(Truth::Maybe))
            .map_or(self.ingress.reason, |s| s.reason)
    }
}

/// Explains one flow.
pub fn explain(graph: &AllowGraph, flow: &Flow) -> Explanation {
    let env = graph.environment();
    if evaluate::is_self(env, flow) {
        return settled(flow, Reason::AllowSelf); // S53
    }
    explain_call(graph, flow, ConnectionOrigin::Direct)
}

/// Explains one flow that came about in some way.
pub(crate) fn explain_call(graph: &AllowGraph, flow: &Flow, call: ConnectionOrigin) -> Explanation {
    let env = graph.environment();
    let is_host = |e: &Endpoint| matches!(e, Endpoint::Pod(p) if env.cluster.pod(*p).host_network);
    let involved = [flow.source, flow.destination].iter().any(is_host);
    let host_network_modes = if involved {
        env.host_network_modes()
    } else {
        env.host_network_modes().get(..1).unwrap_or_default()
    };
    let mut ways = host_network_modes
        .iter()
        .filter_map(|b| way(graph, flow, *b, call));
    let Some(first) = ways.next() else {
        return settled(flow, Reason::AllowDefault);
    };
    let other = ways.next();
    let possible = other
        .iter()
        .fold(first.allowed(), |p, w| p.either(w.allowed()));
    let differ = other
        .as_ref()
        .is_some_and(|w| w.allowed() != first.allowed());
    // of two certain but different answers the denial is shown: it is the one that needs explaining
    let shows_other = other.as_ref().is_some_and(|w| {
        first.allowed() != possible && (w.allowed() == possible || w.allowed() == Truth::No)
    });
    let (shown, other) = match other {
        Some(other) if shows_other => (other, Some(first)),
        other => (first, other),
    };
    let Way {
        egress, ingress, ..
    } = shown;
    Explanation {
        flow: *flow,
        allowed: possible,
        egress,
        ingress,
        host_network: differ,
        other: other.map(Box::new),
        led: None,
    }
}

/// What no policy has a say in.
fn settled(flow: &Flow, reason: Reason) -> Explanation {
    let side = |direction| Side::plain(flow, direction, reason);
    Explanation {
        flow: *flow,
        allowed: Truth::Yes,
        egress: side(Direction::Egress),
        ingress: side(Direction::Ingress),
        host_network: false,
        other: None,
        led: None,
    }
}

/// The sides under one behaviour of host-network pods, in the family that gets furthest (S65).
fn way(
    graph: &AllowGraph,
    flow: &Flow,
    mode: HostNetworkMode,
    call: ConnectionOrigin,
) -> Option<Way> {
    let families = evaluate::families(graph.environment(), flow.source, flow.destination);
    let ways: Vec<Way> = families
        .into_iter()
        .map(|family| {
            let case = Case {
                origin: call,
                ..Case::new(mode, family)
            };
            let side = |direction| {
                Walker {
                    graph,
                    flow,
                    case,
                    direction,
                }
                .side()
            };
            Way {
                mode,
                egress: side(Direction::Egress),
                ingress: side(Direction::Ingress),
            }
        })
        .collect();
    let best = ways.iter().map(Way::allowed).reduce(Truth::or)?;
    // INVARIANT: the best over several families is what one of them gives
    ways.into_iter().find(|w| w.allowed() == best)
}

impl Side {
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
            taints: Vec::new(),
            tiers: Vec::new(),
        }
    }

    /// The policies of one priority that match with different actions, where that leaves the side
    /// open (S73, S103).
    pub fn rivals(&self, policies: &PolicySet) -> Vec<PolicyId> {
        let action = |p: &PolicyTrace| {
            let first = p.rules.iter().find(|r| r.matched == Truth::Yes)?;
            let action = policies.rule(first.at).action;
            Some((policies.get(p.policy).priority, action, p.policy))
        };
        let ordered = |t: &&TierTrace| policies.tiers[t.tier.index()].is_ordered();
        for tier in self.tiers.iter().filter(ordered) {
            let all: Vec<_> = tier.policies.iter().filter_map(action).collect();
            let rivals = |a: &(i32, Action, PolicyId)| all.iter().any(|b| a.0 == b.0 && a.1 != b.1);
            let found: Vec<PolicyId> = all.iter().filter(|a| rivals(a)).map(|a| a.2).collect();
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }

    /// A tier of it.
    pub fn tier(&self, tier: TierIx) -> Option<&TierTrace> {
        self.tiers.iter().find(|t| t.tier == tier)
    }

    /// The last tier that was asked.
    pub fn last_reached(&self) -> Option<TierIx> {
        self.tiers.iter().rfind(|t| t.reached).map(|t| t.tier)
    }

    /// The trace of a rule, whichever of its peers is meant.
    pub(crate) fn rule(&self, at: RuleRef) -> Option<&RuleTrace> {
        let policies = self.tiers.iter().flat_map(|tier| &tier.policies);
        let policy = policies.into_iter().find(|p| p.policy == at.policy)?;
        policy.rules.iter().find(|r| r.at.rule == at.rule)
    }

    /// The rules of the unordered tiers that were asked, as far as their policies may select the
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

impl PeerTrace {
    /// How many things are wrong with it; none where it matches.
    pub fn distance(&self) -> usize {
        if self.matched == Truth::Yes {
            0
        } else {
            self.mismatches.len().max(1)
        }
    }
}

/// The peer of a rule that came closest, if the rule has peers.
pub fn nearest_peer(rule: &RuleTrace) -> Option<&PeerTrace> {
    rule.peers.iter().min_by_key(|p| (p.distance(), p.at))
}

/// Whether a rule names ports.
pub fn names_ports(rule: &Rule) -> bool {
    matches!(rule.ports, Ports::Of(_))
}
