//! Whether a policy selects a pod and whether a rule matches a flow: the single matches of the
//! specification (S14-S51, S78-S92, S109-S123).
//!
//! Every answer is a [`Truth`]: what is not known may match. The compiled graph asks these
//! functions about representatives, so that a single match has one definition.

use crate::model::{Namespace, NamespaceId, Pod, PodId, Selector, Truth};
use crate::policy::tier::HostPods;
use crate::policy::{
    AddressOwner, Namespaces, Peer, Peers, Policy, PortMatch, Ports, Qualifier, Rule, Subject,
    Symbol,
};
use crate::set::{Family, IpSet, Traffic};
use crate::spec::environment::{Endpoint, Environment, HostNetworkMode};
use crate::spec::question::{Case, ConnectionOrigin, DirectionQuestion, side_of};
use std::net::IpAddr;

/// Both the ports and the peers of one rule must match (S14); a rule with a qualifier never
/// certainly does.
pub(crate) fn rule_matches(
    question: &DirectionQuestion<'_>,
    policy: &Policy,
    rule: &Rule,
) -> Truth {
    let DirectionQuestion {
        env, flow, case, ..
    } = *question;
    let host_pods = env.policies.tier_of(policy).host_pods;
    let ports = ports_match(
        env,
        rule,
        host_pods,
        flow.destination,
        flow.traffic,
        case.mode,
    );
    if !ports {
        return Truth::No;
    }
    let (own, _) = side_of(flow, question.direction);
    let subjects = subjects_match(env, policy, rule, question.pod, own, case);
    let peers = peers_match(env, policy, rule, question.pod, question.peer, case);
    subjects.and(peers).and(unqualified(env, rule))
}

/// Whether the conditions of a rule hold that are no peers and no ports.
pub fn unqualified(env: &Environment, rule: &Rule) -> Truth {
    let each = rule.qualifiers.iter().map(|q| qualifier_holds(env, q));
    each.min().unwrap_or(Truth::Yes)
}

/// Whether a condition holds: of a question that names no source port nothing is known.
fn qualifier_holds(env: &Environment, qualifier: &Qualifier) -> Truth {
    match (qualifier, env.options.source_port) {
        (Qualifier::SourcePorts(ranges), Some(port)) => {
            Truth::from(ranges.iter().any(|(a, b)| (*a..=*b).contains(&port)))
        }
        _ => Truth::Maybe,
    }
}

/// Whether a rule is for an end that its policy selects.
pub fn subjects_match(
    env: &Environment,
    policy: &Policy,
    rule: &Rule,
    pod: PodId,
    own: Endpoint,
    case: &Case,
) -> Truth {
    match &rule.subjects {
        Peers::Any => Truth::Yes,
        Peers::Of(list) => any_matches(env, policy, list, pod, own, case),
    }
}

/// Whether a policy governs a pod, or something else that policies govern.
pub fn selects(env: &Environment, policy: &Policy, pod: PodId, mode: HostNetworkMode) -> Truth {
    let host_pods = env.policies.tier_of(policy).host_pods;
    let as_nodes = host_pods == HostPods::AsNodes;
    let hidden = if env.cluster.is_host(pod) {
        !as_nodes
    } else {
        !as_nodes && host_pod_hidden(env.cluster.pod(pod), host_pods, mode)
    };
    if hidden {
        Truth::No
    } else {
        subject_selects(env, &policy.subject, pod).and(policy.presence())
    }
}

pub(crate) fn subject_selects(env: &Environment, subject: &Subject, pod: PodId) -> Truth {
    let p = env.cluster.pod(pod);
    let labels = subject.pods.selects(env.cluster.labels(p.labels));
    if env.cluster.is_host(pod) {
        return labels; // it is in no namespace
    }
    labels.and(namespaces_match(
        env,
        &subject.namespaces,
        p.namespace,
        p.namespace,
    ))
}

/// Whether selectors of peers do not see a host-network pod (S56, S78, S109).
pub fn host_pod_hidden(pod: &Pod, host_pods: HostPods, mode: HostNetworkMode) -> bool {
    pod.host_network && (host_pods != HostPods::Undefined || mode == HostNetworkMode::Node)
}

/// How the values of one label compare in two namespaces.
struct ComparedLabel {
    /// Whether it is known that both carry it.
    present: Truth,
    /// Whether the values are known to be equal.
    equal: Truth,
}

/// Compares two namespaces by a label. What the object of a namespace would say is not known where
/// it is missing, but its name is, and that is a label too (S27).
fn compare(own: &Namespace, other: &Namespace, key: &str) -> ComparedLabel {
    let is_same = own.name == other.name && own.declared.is_some();
    if is_same {
        return ComparedLabel {
            present: Truth::from(own.labels.get(key).is_some()),
            equal: Truth::Yes,
        };
    }
    let is_told = |namespace: &Namespace| {
        let is_known = namespace.labels.get(key).is_some() || namespace.declared.is_some();
        is_known && !namespace.labels.is_open(key)
    };
    let told = [own, other].map(is_told);
    let values = [own, other].map(|namespace| namespace.labels.get(key));
    let if_told = |told: bool, value: bool| {
        if told {
            Truth::from(value)
        } else {
            Truth::Maybe
        }
    };
    let is_there = [0, 1].map(|i| if_told(told[i], values[i].is_some()));
    ComparedLabel {
        present: is_there[0].and(is_there[1]),
        equal: if_told(told[0] && told[1], values[0] == values[1]),
    }
}

/// Whether a namespace is meant, seen from a subject's namespace (S29-S33, S92).
pub fn namespaces_match(
    env: &Environment,
    which: &Namespaces,
    own: NamespaceId,
    other: NamespaceId,
) -> Truth {
    let (own, other) = (env.cluster.namespace(own), env.cluster.namespace(other));
    let relation = |keys: &[Box<str>]| {
        let each = keys.iter().map(|key| compare(own, other, key));
        let nothing = ComparedLabel {
            present: Truth::from(!keys.is_empty()),
            equal: Truth::Yes,
        };
        each.fold(nothing, |all, one| ComparedLabel {
            present: all.present.and(one.present),
            equal: all.equal.and(one.equal),
        })
    };
    match which {
        Namespaces::Named(name) => Truth::from(other.name == *name),
        Namespaces::Matching(selector) => other.selected_by(selector),
        Namespaces::SameLabels(keys) => {
            let ComparedLabel { present, equal } = relation(keys);
            present.and(equal)
        }
        Namespaces::NotSameLabels(keys) => {
            let ComparedLabel { present, equal } = relation(keys);
            present.and(equal.not())
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
        Peers::Of(peers) if case.origin.is_named().is_some() => {
            let of_proxy = case.origin == ConnectionOrigin::Identity;
            let means_it = |p: &Peer| means_everybody(p, of_proxy);
            let named = case.origin.is_named().filter(|_| !peers.is_empty());
            Truth::from(peers.iter().any(means_it)).or(named.unwrap_or(Truth::No))
        }
        Peers::Of(peers) => peers
            .iter()
            .map(|p| peer_matches(env, policy, p, pod, peer, case))
            .max()
            .unwrap_or(Truth::No),
    }
}

/// Whether a peer is everybody; of the proxy of the network plugin, or that among others (DO94).
fn means_everybody(peer: &Peer, of_proxy: bool) -> bool {
    match peer {
        Peer::Unreadable { everything } => *everything,
        Peer::Symbol(Symbol::Everything) => true,
        Peer::Symbol(Symbol::IngressProxy) => of_proxy,
        Peer::AnyOf(list) => list.iter().any(|peer| means_everybody(peer, of_proxy)),
        _ => false,
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
            let host_pods = env.policies.tier_of(policy).host_pods;
            if host_pod_hidden(other, host_pods, case.mode) {
                return Truth::No;
            }
            let own = env.cluster.pod(pod).namespace;
            let labels = pods.selects(env.cluster.labels(other.labels));
            labels.and(namespaces_match(env, namespaces, own, other.namespace))
        }
        (Peer::Addresses(block), Endpoint::Address(address)) => {
            let inside = Truth::from(block.contains(address)); // S35, S40
            if env.options.blocks_match_pods {
                inside
            } else {
                inside.and(env.is_outside(address))
            }
        }
        (Peer::Addresses(block), Endpoint::Pod(id)) => {
            env.block_matches_pod(block, env.cluster.pod(id), case.family)
        }
        (Peer::Nodes(selector), _) => node_matches(env, selector, endpoint),
        (Peer::Owned(owner, block), _) => owned_matches(env, *owner, block, endpoint, case.family),
        (Peer::Domain(_), Endpoint::Address(address)) => domain_matches(env, address), // S82
        (Peer::Symbol(symbol), _) => symbol_matches(env, *symbol, Some(pod), endpoint),
        (Peer::AnyOf(peers), _) => any_matches(env, policy, peers, pod, endpoint, case),
        (Peer::AllOf(peers), _) => {
            let each = peers.iter();
            let each = each.map(|p| peer_matches(env, policy, p, pod, endpoint, case));
            each.fold(Truth::Yes, Truth::and)
        }
        (Peer::NoneOf(peers), _) => any_matches(env, policy, peers, pod, endpoint, case).not(),
        (Peer::Domain(name), Endpoint::Pod(_)) => {
            let inside = env.options.blocks_match_pods && name.ends_with(".cluster.local");
            Truth::from(inside).and(Truth::Maybe)
        }
    }
}

fn any_matches(
    env: &Environment,
    policy: &Policy,
    peers: &[Peer],
    pod: PodId,
    endpoint: Endpoint,
    case: &Case,
) -> Truth {
    let each = peers.iter();
    let each = each.map(|p| peer_matches(env, policy, p, pod, endpoint, case));
    each.fold(Truth::No, Truth::or)
}

/// Whether a domain name may stand for an address: where blocks mean the outside alone, so do
/// names.
pub fn domain_matches(env: &Environment, address: IpAddr) -> Truth {
    let outside = if env.options.blocks_match_pods {
        Truth::Yes
    } else {
        env.is_outside(address)
    };
    outside.and(Truth::Maybe)
}

/// Whether an endpoint has one of these addresses and is of this kind.
pub fn owned_matches(
    env: &Environment,
    owner: AddressOwner,
    block: &IpSet,
    endpoint: Endpoint,
    family: Family,
) -> Truth {
    match (owner, endpoint) {
        (AddressOwner::Plugin | AddressOwner::Anyone, Endpoint::Address(address)) => {
            Truth::from(block.contains(address))
        }
        (AddressOwner::Anyone, Endpoint::Pod(id)) => {
            env.pod_addresses(env.cluster.pod(id), family).inside(block)
        }
        (AddressOwner::Nodes, Endpoint::Address(address)) => {
            let node = symbol_matches(env, Symbol::Nodes, None, endpoint);
            Truth::from(block.contains(address)).and(node)
        }
        (AddressOwner::NoPod, Endpoint::Address(address)) => {
            Truth::from(block.contains(address) && !env.is_of_pod_network(address))
        }
        (AddressOwner::Pods, Endpoint::Address(_)) | (AddressOwner::Plugin, _) => Truth::No,
        (AddressOwner::Nodes | AddressOwner::NoPod, Endpoint::Pod(id)) => {
            let pod = env.cluster.pod(id);
            let inside = env.pod_addresses(pod, family).inside(block);
            Truth::from(pod.host_network).and(inside)
        }
        (AddressOwner::Pods, Endpoint::Pod(id)) => {
            let pod = env.cluster.pod(id);
            let inside = env.pod_addresses(pod, family).inside(block);
            Truth::from(!pod.host_network).and(inside)
        }
    }
}

/// Whether an endpoint is one of the selected nodes: by address, hence also a pod on its network,
/// never a pod that merely runs there (S81, S113). Without Node objects nothing is told about
/// addresses.
pub fn node_matches(env: &Environment, selector: &Selector, endpoint: Endpoint) -> Truth {
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
                _ if selector.is_everything() => Truth::Yes, // whichever node it is on
                _ => Truth::Maybe,
            }
        }
    }
}

/// Whether an endpoint is what a symbol stands for. Where no manifest says so it may be.
pub fn symbol_matches(
    env: &Environment,
    symbol: Symbol,
    subject: Option<PodId>,
    endpoint: Endpoint,
) -> Truth {
    let is_host = |id: PodId| Truth::from(env.cluster.pod(id).host_network);
    match (symbol, endpoint) {
        (Symbol::Everything, _) => Truth::Yes,
        (Symbol::IngressProxy, _) => Truth::No,
        (Symbol::World | Symbol::SomeOutside, Endpoint::Pod(_)) => Truth::No,
        (Symbol::SomeOutside, Endpoint::Address(address)) => {
            env.is_outside(address).and(Truth::Maybe)
        }
        (Symbol::World, Endpoint::Address(address)) if env.cilium.is_some() => {
            env.is_outside(address).and(env.is_some_node(address).not())
        }
        (Symbol::World, Endpoint::Address(address)) => env.is_outside(address),
        (Symbol::Nodes, Endpoint::Address(address)) if env.cilium.is_some() => {
            env.is_some_node(address)
        }
        (Symbol::Nodes, _) => node_matches(env, &Selector::everything(), endpoint),
        (Symbol::ApiServer, Endpoint::Address(address)) => env.is_api_server(address),
        (Symbol::ApiServer, Endpoint::Pod(id)) => {
            let pod = env.cluster.pod(id);
            is_host(id).and(env.is_on_api_server(pod))
        }
        (Symbol::OwnNode | Symbol::OtherNodes, _) => {
            let is_node = symbol_matches(env, Symbol::Nodes, None, endpoint);
            let own = subject.map_or(Truth::Maybe, |pod| env.is_node_of(pod, endpoint));
            is_node.and(if symbol == Symbol::OwnNode {
                own
            } else {
                own.not()
            })
        }
        (Symbol::Perhaps, _) | (Symbol::PerhapsNoPod, Endpoint::Address(_)) => Truth::Maybe,
        (Symbol::PerhapsNoPod, Endpoint::Pod(id)) => is_host(id).and(Truth::Maybe),
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
        (PortMatch::Portless(_), _) => false,
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
