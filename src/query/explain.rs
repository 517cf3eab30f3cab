//! The walk through the tiers for one flow, with every policy, rule, peer and port that was asked and why it did or did
//! not match.
//!
//! Only policies that govern the flow's own ends are walked (their profiles list them), so an explanation costs
//! O(rules of both profiles), not O(law). Truth comes from the functions of the specification.

use crate::compile::evaluate::{self, Case};
use crate::compile::world::PodAddress;
use crate::compile::{AllowGraph, Endpoint, Flow, HostBehaviour, Possible, World};
use crate::model::{NamespaceId, PodId, Requirement, Truth};
use crate::policy::{
    Action, Direction, HostPods, Namespaces, Peer, Peers, Policy, PolicyId, Ports, Rule, RuleRef, TaintEffect, Tier,
};

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
}

impl Explanation {
    /// The sides, out first.
    pub fn sides(&self) -> [&Side; 2] {
        [&self.egress, &self.ingress]
    }

    /// The reason of the whole: of the side that denies, else of the one that is unknown, else of the way in.
    pub fn reason(&self) -> Reason {
        if self.host_network && self.possible.truth() == Truth::Maybe {
            return Reason::UnknownHostnetwork;
        }
        let by = |truth| self.sides().into_iter().find(|s| s.possible.truth() == truth);
        by(Truth::No).or_else(|| by(Truth::Maybe)).map_or(self.ingress.reason, |s| s.reason)
    }
}

/// Explains one flow.
pub fn explain(graph: &AllowGraph, flow: &Flow) -> Explanation {
    let world = graph.world();
    let possible = graph.verdict(flow);
    if evaluate::is_self(world, flow) {
        let side = |direction| Side::plain(flow, direction, Reason::AllowSelf);
        return Explanation {
            flow: *flow,
            possible,
            egress: side(Direction::Egress),
            ingress: side(Direction::Ingress),
            host_network: false,
        };
    }
    let host = [flow.source, flow.destination]
        .iter()
        .any(|e| matches!(e, Endpoint::Pod(p) if world.cluster.pod(*p).host_network));
    let mut cases = cases(world, flow, host).into_iter().map(|case| {
        let side = |direction| Walker { graph, flow, case, direction }.side();
        (side(Direction::Egress), side(Direction::Ingress))
    });
    let Some(first) = cases.next() else {
        let side = |direction| Side::plain(flow, direction, Reason::AllowDefault);
        return Explanation {
            flow: *flow,
            possible,
            egress: side(Direction::Egress),
            ingress: side(Direction::Ingress),
            host_network: false,
        };
    };
    let agrees = |pair: &(Side, Side)| pair.0.possible.and(pair.1.possible).truth() == possible.truth();
    let mut differ = false;
    let mut best = first;
    for pair in cases {
        differ |= pair.0.possible.and(pair.1.possible) != best.0.possible.and(best.1.possible);
        if !agrees(&best) && agrees(&pair) {
            best = pair;
        }
    }
    Explanation { flow: *flow, possible, egress: best.0, ingress: best.1, host_network: host && differ }
}

fn cases(world: &World, flow: &Flow, host: bool) -> Vec<Case> {
    let behaviours = if host { world.behaviours() } else { world.behaviours().get(..1).unwrap_or_default() };
    let families = evaluate::families(world, flow.source, flow.destination);
    behaviours.iter().flat_map(|b| families.iter().map(|f| Case { behaviour: *b, family: *f })).collect()
}

impl Side {
    fn plain(flow: &Flow, direction: Direction, reason: Reason) -> Self {
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

    fn decide(&mut self, possible: Possible, reason: Reason, by: Option<RuleRef>) {
        (self.possible, self.reason, self.decided_by) = (possible, reason, by);
    }
}

struct Walker<'a> {
    graph: &'a AllowGraph,
    flow: &'a Flow,
    case: Case,
    direction: Direction,
}

/// What an ordered tier came to.
enum Ordered {
    Decided(Action, RuleRef),
    Passed,
    Unknown(Reason),
}

impl Walker<'_> {
    fn side(&self) -> Side {
        let mut side = Side::plain(self.flow, self.direction, Reason::AllowDefault);
        let Endpoint::Pod(pod) = side.subject else { return side };
        let Some(profile) = self.graph.profile(side.subject, self.direction) else { return side };
        let trace = |tier, groups: &[Vec<crate::compile::walk::Selecting>]| TierTrace {
            tier,
            policies: groups
                .iter()
                .flatten()
                .map(|s| self.policy(self.graph.policy_of(s.policy), pod, side.peer))
                .collect(),
            reached: true,
        };
        let hidden = World::is_node(self.graph.world().cluster.pod(pod), self.case.behaviour);
        let network = if hidden { Vec::new() } else { vec![profile.network.clone()] };
        side.tiers = vec![
            trace(Tier::Admin, &profile.admin),
            trace(Tier::Network, &network),
            trace(Tier::Baseline, &profile.baseline),
        ];
        self.conclude(&mut side, pod);
        side
    }

    fn policy(&self, id: PolicyId, pod: PodId, peer: Endpoint) -> PolicyTrace {
        let world = self.graph.world();
        let policy = world.policies.get(id);
        let rules = policy.rules(self.direction).iter().enumerate();
        PolicyTrace {
            policy: id,
            selects: evaluate::selects(world, policy, pod, self.case.behaviour),
            rules: rules
                .map(|(i, rule)| self.rule(policy, rule, RuleRef::rule(id, self.direction, i), pod, peer))
                .collect(),
        }
    }

    fn rule(&self, policy: &Policy, rule: &Rule, at: RuleRef, pod: PodId, endpoint: Endpoint) -> RuleTrace {
        let world = self.graph.world();
        let ports = evaluate::ports_match(
            world,
            rule,
            policy.host_pods,
            self.flow.destination,
            self.flow.traffic,
            self.case.behaviour,
        );
        let peers: Vec<PeerTrace> = match &rule.peers {
            Peers::Any => Vec::new(),
            Peers::Of(list) => {
                list.iter().enumerate().map(|(i, p)| self.peer(policy, p, at.with_peer(i), pod, endpoint)).collect()
            }
        };
        let best = peers.iter().map(|p| p.matched).max().unwrap_or(match &rule.peers {
            Peers::Any => Truth::Yes,
            Peers::Of(_) => Truth::No,
        });
        RuleTrace { at, ports, matched: if ports { best } else { Truth::No }, peers }
    }

    fn peer(&self, policy: &Policy, peer: &Peer, at: RuleRef, pod: PodId, endpoint: Endpoint) -> PeerTrace {
        let world = self.graph.world();
        let matched = evaluate::peer_matches(world, policy, peer, pod, endpoint, &self.case);
        let mismatches = if matched == Truth::Yes { Vec::new() } else { self.mismatches(policy, peer, pod, endpoint) };
        PeerTrace { at, matched, mismatches }
    }

    fn mismatches(&self, policy: &Policy, peer: &Peer, pod: PodId, endpoint: Endpoint) -> Vec<Mismatch> {
        let world = self.graph.world();
        match (peer, endpoint) {
            (Peer::Pods(..), Endpoint::Address(_)) => vec![Mismatch::NotAPod],
            (Peer::Pods(namespaces, pods), Endpoint::Pod(other)) => {
                let p = world.cluster.pod(other);
                if p.host_network
                    && (policy.host_pods == HostPods::Excluded || self.case.behaviour == HostBehaviour::Node)
                {
                    return vec![Mismatch::HostNetwork];
                }
                let own = world.cluster.pod(pod).namespace;
                let mut found = namespace_mismatches(world, namespaces, own, p.namespace);
                let labels = world.cluster.labels(p.labels);
                found
                    .extend(pods.requirements().iter().filter(|r| !r.matches(labels)).cloned().map(Mismatch::PodLabel));
                found
            }
            (Peer::Addresses(_), Endpoint::Pod(_)) if !world.options.blocks_match_pods => {
                vec![Mismatch::BlocksSkipPods]
            }
            (Peer::Addresses(_), Endpoint::Pod(other)) => {
                let address = world.pod_addresses(world.cluster.pod(other), self.case.family);
                let known = matches!(address, PodAddress::Known(_));
                let doubt = !known
                    && world.block_matches_pod(block_of(peer), world.cluster.pod(other), self.case.family)
                        == Truth::Maybe;
                vec![if doubt { Mismatch::AddressUnknown } else { Mismatch::NotInBlock }]
            }
            (Peer::Addresses(_), Endpoint::Address(_)) => vec![Mismatch::NotInBlock],
            (Peer::Nodes(_), _) if world.cluster.nodes().len() == 0 => vec![Mismatch::NodesUnknown],
            (Peer::Nodes(_), _) => vec![Mismatch::NotANode],
            (Peer::Domain(name), _) => vec![Mismatch::DomainUnknown(name.clone())],
            (Peer::Unreadable { .. }, _) => vec![Mismatch::Unreadable],
        }
    }

    /// From the traces to the outcome, tier by tier, as the specification does.
    fn conclude(&self, side: &mut Side, pod: PodId) {
        let tainted = self.taints(side, pod);
        if tainted.anything {
            let reason = self.taint_reason(side, TaintEffect::Anything);
            side.decide(Possible::UNKNOWN, reason, None);
            return;
        }
        self.tiers(side, pod, tainted.network);
        if tainted.only_deny && side.possible.allow {
            let reason = self.taint_reason(side, TaintEffect::OnlyDeny);
            side.decide(Possible::UNKNOWN, reason, None);
        }
    }

    fn taints(&self, side: &mut Side, pod: PodId) -> evaluate::Tainted {
        let world = self.graph.world();
        if !world.options.taints {
            return evaluate::Tainted::default();
        }
        let touching = world.policies.taints.iter().enumerate();
        let touching =
            touching.filter(|(_, t)| evaluate::taint_touches(world, t, pod, self.direction, self.case.behaviour));
        side.taints = touching.map(|(i, _)| i).collect();
        evaluate::taints(world, pod, self.direction, &self.case)
    }

    fn taint_reason(&self, side: &mut Side, effect: TaintEffect) -> Reason {
        let taints = &self.graph.world().policies.taints;
        side.taints.retain(|i| taints[*i].effect == effect);
        match side.taints.first().map(|i| taints[*i].reason) {
            Some(crate::policy::TaintReason::Broken) => Reason::UnknownBrokenPolicy,
            _ => Reason::UnknownUnsupportedKind,
        }
    }

    fn tiers(&self, side: &mut Side, pod: PodId, tainted: bool) {
        match self.ordered(&side.tiers[0]) {
            Ordered::Decided(Action::Allow, by) => {
                side.decide(Possible::ALLOW, Reason::AllowAdmin, Some(by));
                return unreached(side, 1);
            }
            Ordered::Decided(_, by) => {
                side.decide(Possible::DENY, Reason::DenyAdmin, Some(by));
                return unreached(side, 1);
            }
            Ordered::Unknown(reason) => {
                side.doubts = doubts(&side.tiers[0]);
                return side.decide(Possible::UNKNOWN, reason, None);
            }
            Ordered::Passed => {}
        }
        if self.network(side, pod, tainted) {
            return unreached(side, 2);
        }
        match self.ordered(&side.tiers[2]) {
            Ordered::Decided(Action::Deny, by) => side.decide(Possible::DENY, Reason::DenyBaseline, Some(by)),
            Ordered::Decided(_, by) => side.decide(Possible::ALLOW, Reason::AllowBaseline, Some(by)),
            Ordered::Passed => side.decide(Possible::ALLOW, Reason::AllowDefault, None),
            Ordered::Unknown(reason) => {
                side.doubts = doubts(&side.tiers[2]);
                side.decide(Possible::UNKNOWN, reason, None);
            }
        }
    }

    fn ordered(&self, tier: &TierTrace) -> Ordered {
        let law = &self.graph.world().policies;
        for group in tier.policies.chunk_by(|a, b| law.get(a.policy).priority == law.get(b.policy).priority) {
            let mut firsts = Vec::new();
            for policy in group {
                match first(law, policy) {
                    First::None => {}
                    First::Match(action, at) => firsts.push((action, at)),
                    First::Unknown(reason) => return Ordered::Unknown(reason),
                }
            }
            let Some((action, at)) = firsts.first().copied() else { continue };
            if firsts.iter().any(|(other, _)| *other != action) {
                return Ordered::Unknown(Reason::UnknownPriority);
            }
            return if action == Action::Pass { Ordered::Passed } else { Ordered::Decided(action, at) };
        }
        Ordered::Passed
    }

    /// Decides the Network tier; whether that is final.
    fn network(&self, side: &mut Side, pod: PodId, tainted: bool) -> bool {
        let world = self.graph.world();
        let tier = side.tiers[1].clone();
        side.isolated_by = tier.policies.iter().map(|p| p.policy).collect();
        if tier.policies.is_empty() && !tainted {
            return false;
        }
        let rules: Vec<&RuleTrace> = tier.policies.iter().flat_map(|p| &p.rules).collect();
        let yes = rules.iter().find(|r| r.matched == Truth::Yes);
        if let Some(rule) = yes {
            side.decide(Possible::ALLOW, Reason::AllowRule, Some(matching_peer(rule)));
            return true;
        }
        match world.is_own_node(world.cluster.pod(pod), side.peer, self.case.behaviour) {
            Truth::Yes => {
                side.decide(Possible::ALLOW, Reason::AllowFromOwnNode, None);
                return true;
            }
            Truth::Maybe => {
                side.decide(Possible::UNKNOWN, Reason::UnknownNode, None);
                return true;
            }
            Truth::No => {}
        }
        if tainted {
            let reason = self.taint_reason(side, TaintEffect::NetworkTier);
            side.decide(Possible::UNKNOWN, reason, None);
            return true;
        }
        side.doubts = doubts(&tier);
        if let Some(doubt) = side.doubts.first() {
            let reason = doubt_reason(doubt);
            side.decide(Possible::UNKNOWN, reason, None);
            return true;
        }
        side.near = nearest(&rules);
        let reason = match &side.near {
            None => Reason::DenyNoRules,
            Some(near)
                if !near.ports && near.peers.iter().all(|p| p.matched == Truth::No) && !near.peers.is_empty() =>
            {
                Reason::DenyNoRuleMatches
            }
            Some(near) if !near.ports => Reason::DenyPort,
            Some(_) => Reason::DenyNoRuleMatches,
        };
        side.decide(Possible::DENY, reason, None);
        true
    }
}

/// Marks the tiers that were not asked any more.
fn unreached(side: &mut Side, from: usize) {
    side.tiers.iter_mut().skip(from).for_each(|t| t.reached = false);
}

fn block_of(peer: &Peer) -> &crate::set::IpSet {
    static NOTHING: std::sync::LazyLock<crate::set::IpSet> = std::sync::LazyLock::new(crate::set::IpSet::empty);
    if let Peer::Addresses(set) = peer { set } else { &NOTHING }
}

fn namespace_mismatches(world: &World, which: &Namespaces, own: NamespaceId, other: NamespaceId) -> Vec<Mismatch> {
    let matched = evaluate::namespaces_match(world, which, own, other);
    let namespace = world.cluster.namespace(other);
    match which {
        _ if matched == Truth::Yes => Vec::new(),
        Namespaces::Named(name) => vec![Mismatch::WrongNamespace(name.clone())],
        Namespaces::SameLabels(_) | Namespaces::NotSameLabels(_) => vec![Mismatch::NamespaceRelation],
        Namespaces::Matching(selector) => {
            let told = |r: &Requirement| namespace.declared.is_some() || namespace.labels.get(r.key()).is_some();
            let failing = selector.requirements().iter().filter(|r| !told(r) || !r.matches(&namespace.labels));
            failing
                .map(
                    |r| {
                        if told(r) {
                            Mismatch::NamespaceLabel(r.clone())
                        } else {
                            Mismatch::NamespaceUnknown(r.clone())
                        }
                    },
                )
                .collect()
        }
    }
}

enum First {
    None,
    Match(Action, RuleRef),
    Unknown(Reason),
}

/// The first rule of a policy that matches; unknown as soon as one may.
fn first(law: &crate::policy::PolicySet, policy: &PolicyTrace) -> First {
    for rule in &policy.rules {
        match rule.matched {
            Truth::No => {}
            Truth::Yes if policy.selects == Truth::Yes => {
                return First::Match(law.rule(rule.at).action, matching_peer(rule));
            }
            Truth::Yes => return First::Unknown(Reason::UnknownNamespaceLabels),
            Truth::Maybe => {
                let doubt = rule.peers.iter().find(|p| p.matched == Truth::Maybe);
                return First::Unknown(doubt.map_or(Reason::UnknownNode, doubt_reason));
            }
        }
    }
    First::None
}

fn matching_peer(rule: &RuleTrace) -> RuleRef {
    rule.peers.iter().find(|p| p.matched == Truth::Yes).map_or(rule.at, |p| p.at)
}

/// The peers of a tier that may match, where the ports do.
fn doubts(tier: &TierTrace) -> Vec<PeerTrace> {
    let rules = tier.policies.iter().flat_map(|p| &p.rules).filter(|r| r.ports && r.matched == Truth::Maybe);
    rules.flat_map(|r| &r.peers).filter(|p| p.matched == Truth::Maybe).cloned().collect()
}

fn doubt_reason(peer: &PeerTrace) -> Reason {
    match peer.mismatches.first() {
        Some(Mismatch::AddressUnknown) => Reason::UnknownIpblockPod,
        Some(Mismatch::DomainUnknown(_)) => Reason::UnknownDomainName,
        Some(Mismatch::NodesUnknown | Mismatch::NotANode) => Reason::UnknownNode,
        _ => Reason::UnknownNamespaceLabels,
    }
}

/// The rule that came closest: fewest things wrong with its ports and its best peer.
fn nearest(rules: &[&RuleTrace]) -> Option<RuleTrace> {
    let wrong = |r: &RuleTrace| {
        let peers = r
            .peers
            .iter()
            .map(|p| if p.matched == Truth::Yes { 0 } else { p.mismatches.len().max(1) })
            .min()
            .unwrap_or(0);
        peers + usize::from(!r.ports)
    };
    rules.iter().min_by_key(|r| (wrong(r), r.at)).map(|r| (*r).clone())
}

/// The peer of a rule that came closest, if the rule has peers.
pub fn nearest_peer(rule: &RuleTrace) -> Option<&PeerTrace> {
    let wrong = |p: &PeerTrace| if p.matched == Truth::Yes { 0 } else { p.mismatches.len().max(1) };
    rule.peers.iter().min_by_key(|p| (wrong(p), p.at))
}

/// Whether a rule names ports.
pub fn names_ports(rule: &Rule) -> bool {
    matches!(rule.ports, Ports::Of(_))
}
