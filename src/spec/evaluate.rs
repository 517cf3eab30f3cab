//! The executable specification: one flow, every rule, no tables (S130, S131). Plain, never
//! optimized.
//!
//! A decision is a set of outcomes that are possible given what is known. Where everything is told
//! the set has one member; a peer that may or may not match keeps both roads open. Unknown is then
//! simply "both allow and deny are possible", and no three-valued logic is needed beyond single
//! matches.
//!
//! Cost: O(policies x rules) for one flow. The compiled graph must agree with this file on every
//! flow.

use crate::model::{NamespaceId, Pod, PodId, Truth};
use crate::policy::{
    Action, Direction, HostPods, Namespaces, Peer, Peers, Policy, PortMatch, Ports, Rule, Subject,
    Taint, TaintEffect, Tier,
};
use crate::set::{Family, Traffic};
use crate::spec::environment::{Endpoint, Environment, Flow, HostNetworkMode, Possible};
use std::collections::BTreeMap;

/// Decides one flow.
pub fn evaluate(env: &Environment, flow: &Flow) -> Possible {
    if is_self(env, flow) {
        return Possible::ALLOW; // S53
    }
    // S56: where the two behaviours differ, both outcomes are possible
    evaluate_led(env, flow, ConnectionOrigin::Direct)
}

/// Whether a pod reaches itself: one running pod, not two replicas of one template (S53).
pub fn is_self(env: &Environment, flow: &Flow) -> bool {
    match (flow.source, flow.destination) {
        (Endpoint::Pod(a), Endpoint::Pod(b)) => a == b && env.cluster.pod(a).is_single(),
        (Endpoint::Address(a), Endpoint::Address(b)) => a == b,
        _ => false,
    }
}

/// A connection uses one family; it is reachable if one family lets it through both ways (S65).
fn under(
    env: &Environment,
    flow: &Flow,
    mode: HostNetworkMode,
    call: ConnectionOrigin,
) -> Possible {
    let families = families(env, flow.source, flow.destination);
    families
        .into_iter()
        .map(|family| {
            in_family(
                env,
                flow,
                &Case {
                    call,
                    ..Case::new(mode, family)
                },
            )
        })
        .fold(Possible::DENY, Possible::or)
}

/// Decides a flow that a Service led to its destination: a pod's call to itself (S54, S122), or one
/// whose source is the address of a node that took the caller's place (S41, S63).
pub fn evaluate_led(env: &Environment, flow: &Flow, call: ConnectionOrigin) -> Possible {
    let each = env
        .host_network_modes()
        .iter()
        .map(|&mode| under(env, flow, mode, call));
    each.reduce(Possible::either).unwrap_or(Possible::UNKNOWN)
}

/// The families a connection between the two could use. Between pods every family that either end
/// has: whether the other end has an address of it too is not a matter of policy, and may change
/// with the next restart.
pub fn families(env: &Environment, source: Endpoint, destination: Endpoint) -> Vec<Family> {
    let has = |family: Family| match (source, destination) {
        (Endpoint::Address(a), Endpoint::Address(b)) => {
            Family::of(a) == family && Family::of(b) == family
        }
        (Endpoint::Address(a), Endpoint::Pod(_)) | (Endpoint::Pod(_), Endpoint::Address(a)) => {
            Family::of(a) == family
        }
        (Endpoint::Pod(a), Endpoint::Pod(b)) => {
            env.has_family(env.cluster.pod(a), family) || env.has_family(env.cluster.pod(b), family)
        }
    };
    Family::ALL.into_iter().filter(|f| has(*f)).collect()
}

/// What is fixed while one connection is decided.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// How host-network pods behave.
    pub mode: HostNetworkMode,
    /// The connection's address family.
    pub family: Family,
    /// How the connection came about.
    pub call: ConnectionOrigin,
}

impl Case {
    /// A connection that no Service led anywhere.
    pub fn new(mode: HostNetworkMode, family: Family) -> Self {
        Self {
            mode,
            family,
            call: ConnectionOrigin::Direct,
        }
    }
}

/// How a connection came about, where that changes who decides it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ConnectionOrigin {
    /// By the destination's own address, as far as policies see.
    #[default]
    Direct,
    /// A pod calls itself through its own Service. `NetworkPolicies` let it (S54),
    /// `ClusterNetworkPolicies` are asked (S122). Of the v1alpha1 kinds the API does not tell; the
    /// flag says whether they are asked.
    OwnService {
        /// Whether the v1alpha1 kinds are asked.
        older: bool,
    },
    /// The source is the address of a node, which may be the pod's own (S41, S55).
    ByNode,
}

impl ConnectionOrigin {
    /// Whether an ordered tier's policy is asked about such a connection.
    pub fn asks(self, policy: &Policy) -> bool {
        self != Self::OwnService { older: false } || !policy.shape.is_v1alpha1()
    }

    /// Whether the Network tier lets a connection through whatever its rules say (S54, S55).
    pub fn spared(
        self,
        env: &Environment,
        pod: PodId,
        peer: Endpoint,
        mode: HostNetworkMode,
    ) -> Truth {
        let pod = env.cluster.pod(pod);
        match (self, peer) {
            (Self::OwnService { .. }, _) => Truth::Yes,
            (Self::ByNode, Endpoint::Address(address)) => env.is_own_of_nodes(pod, address),
            _ => env.is_own_node(pod, peer, mode),
        }
    }
}

/// The source's egress and the destination's ingress must both allow (S18).
fn in_family(env: &Environment, flow: &Flow, case: &Case) -> Possible {
    side(env, flow, Direction::Egress, case).and(side(env, flow, Direction::Ingress, case))
}

/// What may come out on one side of a flow, while the behaviour of host-network pods and the family
/// are fixed.
pub fn side(env: &Environment, flow: &Flow, direction: Direction, case: &Case) -> Possible {
    match side_of(flow, direction) {
        (Endpoint::Pod(pod), peer) => decide(env, flow, pod, peer, direction, case),
        (Endpoint::Address(_), _) => Possible::ALLOW, // nobody governs an outside address
    }
}

/// The governed end and the other end of a flow in one direction.
pub fn side_of(flow: &Flow, direction: Direction) -> (Endpoint, Endpoint) {
    match direction {
        Direction::Egress => (flow.source, flow.destination),
        Direction::Ingress => (flow.destination, flow.source),
    }
}

/// What a policy, a group or a tier may do with a flow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Outcomes {
    allow: bool,
    deny: bool,
    pass: bool,
    none: bool,
}

/// Decides one direction: taints, Admin, Network, Baseline, default allow (S70, S100, S130).
fn decide(
    env: &Environment,
    flow: &Flow,
    pod: PodId,
    peer: Endpoint,
    direction: Direction,
    case: &Case,
) -> Possible {
    let taint = taints(env, pod, direction, case);
    if taint.anything {
        return Possible::UNKNOWN;
    }
    let ask = Ask {
        env,
        flow,
        pod,
        peer,
        direction,
        case,
    };
    let decided = decide_tiers(&ask, &taint);
    Possible {
        allow: decided.allow,
        deny: decided.deny || taint.only_deny,
    }
}

fn decide_tiers(ask: &Ask<'_>, taint: &Tainted) -> Possible {
    let admin = ordered_tier(ask, Tier::Admin);
    let mut result = Possible {
        allow: admin.allow,
        deny: admin.deny,
    };
    if !admin.pass && !admin.none {
        return result;
    }
    let (network, further) = network_tier(ask, taint);
    result = Possible {
        allow: result.allow || network.allow,
        deny: result.deny || network.deny,
    };
    if further {
        let base = ordered_tier(ask, Tier::Baseline);
        result.allow |= base.allow || base.pass || base.none; // S106, and the default
        result.deny |= base.deny;
    }
    result
}

/// One direction of one flow, while it is decided.
struct Ask<'a> {
    env: &'a Environment,
    flow: &'a Flow,
    pod: PodId,
    peer: Endpoint,
    direction: Direction,
    case: &'a Case,
}

/// Policies in order of priority; policies of equal priority that disagree leave every one of their
/// outcomes possible (S73, S103).
fn ordered_tier(ask: &Ask<'_>, tier: Tier) -> Outcomes {
    let mut groups: BTreeMap<i32, Vec<&Policy>> = BTreeMap::new();
    for policy in ask
        .env
        .policies
        .policies
        .iter()
        .filter(|p| p.tier == tier && ask.case.call.asks(p))
    {
        groups.entry(policy.priority).or_default().push(policy);
    }
    let mut total = Outcomes {
        none: true,
        ..Outcomes::default()
    };
    for policies in groups.values() {
        if !total.none {
            break;
        }
        let each: Vec<Outcomes> = policies.iter().map(|p| first_match(ask, p)).collect();
        total.allow |= each.iter().any(|o| o.allow);
        total.deny |= each.iter().any(|o| o.deny);
        total.pass |= each.iter().any(|o| o.pass);
        total.none = each.iter().all(|o| o.none);
    }
    total
}

/// The rules of one policy in order, the first that matches decides (S72, S102).
fn first_match(ask: &Ask<'_>, policy: &Policy) -> Outcomes {
    let mut outcomes = Outcomes::default();
    let selected = selects(ask.env, policy, ask.pod, ask.case.mode);
    if !selected.possible() {
        return Outcomes {
            none: true,
            ..outcomes
        };
    }
    for rule in policy.rules(ask.direction) {
        let matched = rule_matches(ask, policy, rule);
        if matched.possible() {
            match rule.action {
                Action::Allow => outcomes.allow = true,
                Action::Deny => outcomes.deny = true,
                Action::Pass => outcomes.pass = true,
            }
        }
        if matched == Truth::Yes {
            outcomes.none = selected != Truth::Yes;
            return outcomes;
        }
    }
    outcomes.none = true;
    outcomes
}

/// Isolation, then the union of the rules (S10-S14); the own node is always let through (S55), and
/// a pod to itself (S54). Also tells whether the tiers after this one may be asked (S90, S123).
fn network_tier(ask: &Ask<'_>, taint: &Tainted) -> (Possible, bool) {
    let mut isolated = Truth::No;
    let mut matched = ask
        .case
        .call
        .spared(ask.env, ask.pod, ask.peer, ask.case.mode);
    let policies = ask
        .env
        .policies
        .policies
        .iter()
        .filter(|p| p.tier == Tier::Network && p.isolates(ask.direction));
    for policy in policies {
        let selected = selects(ask.env, policy, ask.pod, ask.case.mode);
        isolated = isolated.or(selected);
        for rule in policy.rules(ask.direction) {
            matched = matched.or(selected.and(rule_matches(ask, policy, rule)));
        }
    }
    if taint.network {
        isolated = isolated.or(Truth::Maybe);
        matched = matched.or(Truth::Maybe);
    }
    if !isolated.possible() {
        return (
            Possible {
                allow: false,
                deny: false,
            },
            true,
        );
    }
    (
        Possible {
            allow: matched.possible(),
            deny: matched != Truth::Yes,
        },
        isolated != Truth::Yes,
    )
}

/// Both the ports and the peers of one rule must match (S14).
fn rule_matches(ask: &Ask<'_>, policy: &Policy, rule: &Rule) -> Truth {
    let ports = ports_match(
        ask.env,
        rule,
        policy.host_pods,
        ask.flow.destination,
        ask.flow.traffic,
        ask.case.mode,
    );
    if !ports {
        return Truth::No;
    }
    peers_match(ask.env, policy, rule, ask.pod, ask.peer, ask.case)
}

/// Whether a policy governs a pod.
pub fn selects(env: &Environment, policy: &Policy, pod: PodId, mode: HostNetworkMode) -> Truth {
    let hidden = host_pod_hidden(env.cluster.pod(pod), policy.host_pods, mode);
    if hidden {
        Truth::No
    } else {
        subject_selects(env, &policy.subject, pod)
    }
}

fn subject_selects(env: &Environment, subject: &Subject, pod: PodId) -> Truth {
    let p = env.cluster.pod(pod);
    let labels = Truth::from(subject.pods.matches(env.cluster.labels(p.labels)));
    labels.and(namespaces_match(
        env,
        &subject.namespaces,
        p.namespace,
        p.namespace,
    ))
}

/// Whether selectors do not see a host-network pod (S56, S78, S109).
fn host_pod_hidden(pod: &Pod, host_pods: HostPods, mode: HostNetworkMode) -> bool {
    pod.host_network && (host_pods == HostPods::Excluded || mode == HostNetworkMode::Node)
}

/// Whether a namespace is meant, seen from a subject's namespace (S29-S33, S92).
pub fn namespaces_match(
    env: &Environment,
    which: &Namespaces,
    own: NamespaceId,
    other: NamespaceId,
) -> Truth {
    let (own, other) = (env.cluster.namespace(own), env.cluster.namespace(other));
    let known = own.declared.is_some() && other.declared.is_some();
    let compare = |keys: &[Box<str>]| {
        let pairs: Vec<_> = keys
            .iter()
            .map(|k| (own.labels.get(k), other.labels.get(k)))
            .collect();
        let all_present = pairs.iter().all(|(a, b)| a.is_some() && b.is_some());
        (
            all_present && !keys.is_empty(),
            pairs.iter().all(|(a, b)| a == b),
        )
    };
    let unless_unknown = |value: bool, keys: &[Box<str>]| match () {
        () if known || keys.is_empty() || own.name == other.name && own.declared.is_some() => {
            Truth::from(value)
        }
        () => Truth::Maybe,
    };
    match which {
        Namespaces::Named(name) => Truth::from(other.name == *name),
        Namespaces::Matching(selector) => other.selected_by(selector),
        Namespaces::SameLabels(keys) => {
            let (present, equal) = compare(keys);
            unless_unknown(present && equal, keys)
        }
        Namespaces::NotSameLabels(keys) => {
            let (present, equal) = compare(keys);
            unless_unknown(present && !equal, keys)
        }
    }
}

/// Whether any peer of the rule matches (S15, S32).
pub fn peers_match(
    env: &Environment,
    policy: &Policy,
    rule: &Rule,
    pod: PodId,
    peer: Endpoint,
    case: &Case,
) -> Truth {
    match &rule.peers {
        Peers::Any => Truth::Yes,
        Peers::Of(peers) => peers
            .iter()
            .map(|p| peer_matches(env, policy, p, pod, peer, case))
            .max()
            .unwrap_or(Truth::No),
    }
}

/// Whether one peer of a rule matches an endpoint, seen from the governed pod.
pub fn peer_matches(
    env: &Environment,
    policy: &Policy,
    peer: &Peer,
    pod: PodId,
    endpoint: Endpoint,
    case: &Case,
) -> Truth {
    match (peer, endpoint) {
        (Peer::Unreadable { everything }, _) => Truth::from(*everything), // S83
        (Peer::Pods(..), Endpoint::Address(_)) => Truth::No,              // S34
        (Peer::Pods(namespaces, pods), Endpoint::Pod(id)) => {
            let other = env.cluster.pod(id);
            if host_pod_hidden(other, policy.host_pods, case.mode) {
                return Truth::No;
            }
            let own = env.cluster.pod(pod).namespace;
            let labels = Truth::from(pods.matches(env.cluster.labels(other.labels)));
            labels.and(namespaces_match(env, namespaces, own, other.namespace))
        }
        (Peer::Addresses(block), Endpoint::Address(address)) => {
            let hidden = !env.options.blocks_match_pods && env.is_node_address(address).possible();
            Truth::from(block.contains(address) && !hidden) // S35, S40
        }
        (Peer::Addresses(block), Endpoint::Pod(id)) => {
            env.block_matches_pod(block, env.cluster.pod(id), case.family)
        }
        (Peer::Nodes(selector), _) => node_matches(env, selector, endpoint),
        (Peer::Domain(_), Endpoint::Address(_)) => Truth::Maybe, // S82
        (Peer::Domain(name), Endpoint::Pod(_)) => {
            Truth::from(name.ends_with(".cluster.local")).and(Truth::Maybe)
        }
    }
}

/// Whether an endpoint is one of the selected nodes: by address, hence also a pod on its network,
/// never a pod that merely runs there (S81, S113). Without Node objects nothing is told about
/// addresses.
pub fn node_matches(
    env: &Environment,
    selector: &crate::model::Selector,
    endpoint: Endpoint,
) -> Truth {
    let given = env.cluster.nodes().len() > 0;
    match endpoint {
        Endpoint::Address(_) if !given => Truth::Maybe,
        Endpoint::Address(address) => {
            let mut nodes = env
                .cluster
                .nodes()
                .filter(|(_, n)| selector.matches(&n.labels));
            Truth::from(nodes.any(|(_, n)| n.addresses.contains(&address)))
        }
        Endpoint::Pod(id) => {
            let pod = env.cluster.pod(id);
            match pod.node.as_deref().map(|name| env.cluster.find_node(name)) {
                _ if !pod.host_network => Truth::No,
                Some(Some(node)) => Truth::from(selector.matches(&node.labels)),
                _ => Truth::Maybe,
            }
        }
    }
}

/// Whether the traffic is on a port of the rule; names are looked up on the destination pod
/// (S43-S51).
pub fn ports_match(
    env: &Environment,
    rule: &Rule,
    host_pods: HostPods,
    destination: Endpoint,
    traffic: Traffic,
    mode: HostNetworkMode,
) -> bool {
    match &rule.ports {
        Ports::Any => true,
        Ports::Of(ports) => ports
            .iter()
            .any(|p| port_matches(env, p, host_pods, destination, traffic, mode)),
    }
}

/// Whether the traffic is on one port entry.
pub fn port_matches(
    env: &Environment,
    port: &PortMatch,
    host_pods: HostPods,
    destination: Endpoint,
    traffic: Traffic,
    mode: HostNetworkMode,
) -> bool {
    match (port, destination) {
        (PortMatch::Traffic(set), _) => set.contains(traffic),
        (PortMatch::Named(..), Endpoint::Address(_)) => false, // S50
        (PortMatch::Named(name, protocol), Endpoint::Pod(id)) => {
            let pod = env.cluster.pod(id);
            let agrees = protocol.is_none_or(|p| p == traffic.protocol); // S49
            agrees
                && !host_pod_hidden(pod, host_pods, mode)
                && pod
                    .named_ports(name)
                    .any(|(p, n)| p == traffic.protocol && n == traffic.port)
        }
    }
}

/// What unmodelled or broken policies may do to a pod in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Tainted {
    /// Allow or deny anything.
    pub anything: bool,
    /// Isolate or allow in the Network tier.
    pub network: bool,
    /// Deny.
    pub only_deny: bool,
}

/// Collects the taints on a pod.
pub fn taints(env: &Environment, pod: PodId, direction: Direction, case: &Case) -> Tainted {
    let mut tainted = Tainted::default();
    if !env.options.taints {
        return tainted;
    }
    for taint in env
        .policies
        .taints
        .iter()
        .filter(|t| taint_touches(env, t, pod, direction, case.mode))
    {
        match taint.effect {
            TaintEffect::Anything => tainted.anything = true,
            TaintEffect::NetworkTier => tainted.network = true,
            TaintEffect::OnlyDeny => tainted.only_deny = true,
        }
    }
    tainted
}

/// Whether a policy that could not be modelled may govern the pod.
pub fn taint_touches(
    env: &Environment,
    taint: &Taint,
    pod: PodId,
    direction: Direction,
    mode: HostNetworkMode,
) -> bool {
    taint.directions[direction.index()]
        && !Environment::is_node(env.cluster.pod(pod), mode)
        && subject_selects(env, &taint.subject, pod).possible()
}
