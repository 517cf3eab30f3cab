//! The walk through the tiers for one flow, with every policy, rule, peer and port that was asked
//! and why it did or did not match.
//!
//! Phases: `trace` asks every policy of a side, `conclude` draws the conclusion from the answers as
//! the specification does. Only policies that govern the flow's own ends are walked (their profiles
//! list them), so an explanation costs O(rules of both profiles), not O(law). Truth comes from the
//! functions of the specification.
//!
//! Invariant: [`Explanation::possible`] is the graph's verdict on the flow, each [`Side::possible`]
//! is what the specification says of that side, and [`Explanation::reason`] is an `ALLOW_`, `DENY_`
//! or `UNKNOWN_` code accordingly.

use crate::graph::AllowGraph;
use crate::model::{Requirement, Truth};
use crate::policy::{Action, Direction, PolicyId, PolicySet, Ports, Rule, RuleRef, Tier};
use crate::query::ask::via_service::ViaService;
use crate::query::explain::trace::Walker;
use crate::spec::evaluate;
use crate::spec::evaluate::{Case, ConnectionOrigin};
use crate::spec::{Endpoint, Flow, HostNetworkMode, Possible};

/// The stable reason codes (printed by `why`, kept in JSON).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // the names are the codes
pub enum Reason {
    AllowDefault,
    AllowRule,
    AllowSelf,
    AllowFromOwnNode,
    AllowAdmin,
    AllowBaseline,
    DenyNoRuleMatches,
    DenyNoRules,
    DenyPort,
    DenyAdmin,
    DenyBaseline,
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
    /// Every reason.
    pub const ALL: [Self; 22] = [
        Self::AllowDefault,
        Self::AllowRule,
        Self::AllowSelf,
        Self::AllowFromOwnNode,
        Self::AllowAdmin,
        Self::AllowBaseline,
        Self::DenyNoRuleMatches,
        Self::DenyNoRules,
        Self::DenyPort,
        Self::DenyAdmin,
        Self::DenyBaseline,
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
            Self::AllowAdmin => "ALLOW_ADMIN",
            Self::AllowBaseline => "ALLOW_BASELINE",
            Self::DenyNoRuleMatches => "DENY_NO_RULE_MATCHES",
            Self::DenyNoRules => "DENY_NO_RULES",
            Self::DenyPort => "DENY_PORT",
            Self::DenyAdmin => "DENY_ADMIN",
            Self::DenyBaseline => "DENY_BASELINE",
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
    pub tier: Tier,
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
    /// What may come out.
    pub possible: Possible,
    /// Why.
    pub reason: Reason,
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
    pub possible: Possible,
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
    /// What may come out of both sides.
    pub fn possible(&self) -> Possible {
        self.egress.possible.and(self.ingress.possible)
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
        if self.host_network && self.possible.truth() == Truth::Maybe {
            return Reason::UnknownHostnetwork;
        }
        let by = |truth| {
            self.sides()
                .into_iter()
                .find(|s| s.possible.truth() == truth)
        };
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
        .fold(first.possible(), |p, w| p.either(w.possible()));
    let differ = other
        .as_ref()
        .is_some_and(|w| w.possible() != first.possible());
    // of two certain but different answers the denial is shown: it is the one that needs explaining
    let shows_other = other.as_ref().is_some_and(|w| {
        first.possible() != possible && (w.possible() == possible || w.possible() == Possible::DENY)
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
        possible,
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
        possible: Possible::ALLOW,
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
                call,
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
    let best = ways.iter().map(Way::possible).reduce(Possible::or)?;
    // INVARIANT: the best over several families is what one of them gives
    ways.into_iter().find(|w| w.possible() == best)
}

impl Side {
    pub(crate) fn plain(flow: &Flow, direction: Direction, reason: Reason) -> Self {
        let (subject, peer) = evaluate::side_of(flow, direction);
        Self {
            direction,
            subject,
            peer,
            possible: Possible::ALLOW,
            reason,
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
    pub fn rivals(&self, law: &PolicySet) -> Vec<PolicyId> {
        let action = |p: &PolicyTrace| {
            let first = p.rules.iter().find(|r| r.matched == Truth::Yes)?;
            Some((
                law.get(p.policy).priority,
                law.rule(first.at).action,
                p.policy,
            ))
        };
        for tier in self.tiers.iter().filter(|t| t.tier != Tier::Network) {
            let all: Vec<_> = tier.policies.iter().filter_map(action).collect();
            let rivals = |a: &(i32, Action, PolicyId)| all.iter().any(|b| a.0 == b.0 && a.1 != b.1);
            let found: Vec<PolicyId> = all.iter().filter(|a| rivals(a)).map(|a| a.2).collect();
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }

    pub(crate) fn decide(&mut self, possible: Possible, reason: Reason, by: Option<RuleRef>) {
        (self.possible, self.reason, self.decided_by) = (possible, reason, by);
    }
}

/// The peer of a rule that came closest, if the rule has peers.
pub fn nearest_peer(rule: &RuleTrace) -> Option<&PeerTrace> {
    let wrong = |p: &PeerTrace| {
        if p.matched == Truth::Yes {
            0
        } else {
            p.mismatches.len().max(1)
        }
    };
    rule.peers.iter().min_by_key(|p| (wrong(p), p.at))
}

/// Whether a rule names ports.
pub fn names_ports(rule: &Rule) -> bool {
    matches!(rule.ports, Ports::Of(_))
}
