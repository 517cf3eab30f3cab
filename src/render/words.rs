//! Words for the parts of an answer, shared by the formats: ends, peers, rules. Those
//! for counts, traffic and addresses are in [`crate::words`].

pub use crate::words::{addresses, clean, clean_lines, clean_sentence, traffic, written_block};

use crate::graph::AllowGraph;
use crate::model::{Cluster, Requirement, Selector};
use crate::policy::cilium::selector::governed_nodes;
use crate::policy::host_labels;
use crate::policy::networks::labels;
use crate::policy::{
    AddressOwner, Namespaces, Peer, Peers, Policy, PolicyId, PolicySet, PortMatch, Ports,
    Qualifier, Rule, RuleRef, Symbol,
};
use crate::query::End;
use crate::query::list::potential_rows::LineEnd;
use crate::render::context::RenderContext;
use crate::set::{IpSet, TrafficSet};
use crate::spec::Endpoint;
use std::borrow::Cow;

/// `namespace/name` of a workload, or what a block of addresses is called.
pub fn end(cluster: &Cluster, end: &End) -> String {
    match end {
        End::Pods { workload, pods, .. } => {
            let name = cluster.workload_name(*workload);
            let all = cluster.workload(*workload).pods.len();
            let name = match pods.as_slice() {
                [pod] if all > 1 => format!("{name} ({})", cluster.pod(*pod).name),
                some if some.len() < all => format!("{name} ({} of {all} pods)", some.len()),
                _ => name,
            };
            clean(&name).into_owned()
        }
        End::Addresses { name, .. } => clean(name).into_owned(),
    }
}

/// An end with the traffic that is asked about, if that is not everything: `shop/db:5432`.
pub fn root(cluster: &Cluster, of: &End, asked: &TrafficSet) -> String {
    let ports = if asked.is_all() {
        String::new()
    } else {
        format!(":{}", traffic(asked))
    };
    format!("{}{ports}", end(cluster, of))
}

/// An endpoint of one flow: its workload, or the address.
pub fn endpoint(cluster: &Cluster, endpoint: Endpoint) -> String {
    match endpoint {
        Endpoint::Pod(pod) => clean(&cluster.workload_name(cluster.pod(pod).workload)).into_owned(),
        Endpoint::Address(address) => address.to_string(),
    }
}

/// What an end of a flow is called.
pub fn name_of(context: RenderContext<'_>, end: Endpoint) -> String {
    let given = context.names.and_then(|names| names.get(end));
    given.map_or_else(
        || endpoint(&context.graph.environment().cluster, end),
        ToOwned::to_owned,
    )
}

/// `namespace/name` of a policy.
pub fn policy(graph: &AllowGraph, id: PolicyId) -> String {
    let policy = graph.environment().policies.get(id);
    let name = clean(&policy.full_name()).into_owned();
    match &policy.generated {
        Some(generated) => format!("{name} (made by {})", clean(&generated.by)),
        None => name,
    }
}

/// A rule as it is cited: `data/database-ingress ingress[0].from[0]`.
pub fn rule(graph: &AllowGraph, at: RuleRef) -> String {
    let policy = graph.environment().policies.get(at.policy);
    let cited = format!("{} {}", clean(&policy.full_name()), policy.rule_path(at));
    cited.trim_end().to_owned()
}

/// Whom of its policy's subjects a rule is for, if not for all.
pub fn rule_subjects(rule: &Rule) -> Option<String> {
    let Peers::Of(list) = &rule.subjects else {
        return None;
    };
    let each: Vec<String> = list.iter().map(peer).collect();
    Some(each.join(" or "))
}

/// Whether a peer selects pods, so that workloads of today can be counted.
pub fn is_pods(policies: &PolicySet, at: RuleRef) -> bool {
    let Peers::Of(list) = &policies.rule(at).peers else {
        return false;
    };
    at.peer
        .and_then(|i| list.get(i as usize))
        .is_some_and(|p| matches!(p, Peer::Pods(..)))
}

/// A rule with a single peer is cited as a whole: the peer adds nothing.
pub fn shortest(policies: &PolicySet, at: RuleRef) -> RuleRef {
    let one = matches!(&policies.rule(at).peers, Peers::Of(list) if list.len() == 1);
    if one {
        RuleRef { peer: None, ..at }
    } else {
        at
    }
}

/// A rule as it is cited, as short as can be.
pub fn cited(graph: &AllowGraph, at: RuleRef) -> String {
    rule(graph, shortest(&graph.environment().policies, at))
}

fn selector(selector: &Selector) -> String {
    clean(&labels::written(selector).to_string()).into_owned()
}

/// What a rule's peer (or the rule, where it names no peer) admits, in plain English.
pub fn admits(graph: &AllowGraph, at: RuleRef) -> String {
    let policies = &graph.environment().policies;
    let rule: &Rule = policies.rule(at);
    match (&rule.peers, at.peer) {
        (Peers::Any, _) => "anyone".to_owned(),
        (Peers::Of(list), Some(i)) => list.get(i as usize).map_or_else(String::new, peer),
        (Peers::Of(list), None) => list.iter().map(peer).collect::<Vec<_>>().join(" or "),
    }
}

/// What a selector says of nodes and their host endpoints, if it says that alone.
fn of_hosts(pods: &Selector) -> Option<String> {
    let [only] = pods.requirements() else {
        return None;
    };
    host_labels::words(only).map(|words| clean(&words).into_owned())
}

/// A peer in plain English.
pub fn peer(peer: &Peer) -> String {
    match peer {
        Peer::Pods(namespaces, pods) => {
            if let Some(words) = of_hosts(pods) {
                return words;
            }
            let on_networks = pods.requirements().iter().find_map(labels::words);
            let on_networks = on_networks.filter(|_| labels::written(pods).is_everything());
            let which = if let Some(on) = on_networks {
                format!("pods on {}", clean(&on))
            } else if labels::written(pods).is_everything() {
                "every pod".to_owned()
            } else {
                format!("pods {}", selector(pods))
            };
            format!("{which} {}", namespaces_words(namespaces))
        }
        Peer::Addresses(set) => written_block(set),
        Peer::Nodes(s) if s.is_everything() => "every node".into(),
        Peer::Nodes(s) => format!("nodes {}", selector(s)),
        Peer::Domain(name) => format!("domain name {}", clean(name)),
        Peer::Symbol(symbol) => self::symbol(*symbol).into(),
        Peer::Owned(owner, set) => owned(*owner, set),
        Peer::AnyOf(peers) if peers.is_empty() => "nobody".into(),
        Peer::AnyOf(peers) => {
            let each: Vec<String> = peers.iter().map(self::peer).collect();
            each.join(" or ")
        }
        Peer::AllOf(peers) => {
            let each: Vec<String> = peers.iter().map(self::peer).collect();
            each.join(", which are ")
        }
        Peer::NoneOf(peers) => {
            let each: Vec<String> = peers.iter().map(self::peer).collect();
            format!("everyone but {}", each.join(" and "))
        }
        Peer::Unreadable { everything: true } => {
            "everything (a peer of a newer API, closed)".into()
        }
        Peer::Unreadable { everything: false } => "nothing (a peer of a newer API, closed)".into(),
    }
}

fn symbol(symbol: Symbol) -> &'static str {
    match symbol {
        Symbol::World => "every address outside the cluster",
        Symbol::Nodes => "every node",
        Symbol::ApiServer => "the API server",
        Symbol::OwnNode => "the node it runs on",
        Symbol::OtherNodes => "every other node",
        Symbol::Everything => "everything",
        Symbol::IngressProxy => "the proxy that serves Ingresses and Gateways",
        Symbol::SomeOutside => "addresses of a group of the cloud",
        Symbol::PerhapsNoPod => "perhaps everything that is no pod",
        Symbol::Perhaps => "perhaps everything",
    }
}

/// What one endpoint would be, to be meant by a symbol.
pub(super) fn symbol_alone(symbol: Symbol) -> &'static str {
    match symbol {
        Symbol::World => "an address outside the cluster",
        Symbol::Nodes => "a node",
        Symbol::OtherNodes => "another node",
        Symbol::SomeOutside => "an address of a group of the cloud",
        other => self::symbol(other),
    }
}

fn owned(owner: AddressOwner, set: &IpSet) -> String {
    let block = written_block(set);
    match owner {
        AddressOwner::Nodes => format!("nodes in {block}"),
        AddressOwner::Pods => format!("pods in {block}"),
        AddressOwner::NoPod => format!("{block}, pods aside"),
        AddressOwner::Anyone => block,
        AddressOwner::Plugin if set.is_empty() => "an endpoint of the network plugin".into(),
        AddressOwner::Plugin => format!("an endpoint of the network plugin, {block}"),
    }
}

fn namespaces_words(namespaces: &Namespaces) -> String {
    match namespaces {
        Namespaces::Named(name) => format!("in namespace {}", clean(name)),
        Namespaces::Matching(s) if s.is_everything() => "of every namespace".into(),
        Namespaces::Matching(s) => match s.requirements() {
            [Requirement::In(key, values)] if &**key == crate::model::NAMESPACE_NAME_LABEL => {
                let names: Vec<Cow<'_, str>> = values.iter().map(|v| clean(v)).collect();
                format!("in namespace {}", names.join(" or "))
            }
            _ => format!("in namespaces {}", selector(s)),
        },
        Namespaces::SameLabels(keys) => {
            format!("in namespaces with the same {}", clean(&keys.join(", ")))
        }
        Namespaces::NotSameLabels(keys) => {
            format!("in namespaces with another {}", clean(&keys.join(", ")))
        }
    }
}

/// Whether a policy governs nodes, and no pods.
pub fn is_of_nodes(policy: &Policy) -> bool {
    let written = policy.cilium();
    written.is_some_and(|written| governed_nodes(written).is_some())
}

/// Whom a policy governs, as its own field says it: `app=database`, `podSelector {}`.
pub fn subject(policy: &Policy) -> String {
    if let Some(nodes) = policy.cilium().and_then(|written| governed_nodes(written)) {
        return format!("nodeSelector {}", braces(&nodes));
    }
    match (policy.shape.has_actions, &policy.subject.namespaces) {
        (false, _) if labels::written(&policy.subject.pods).is_everything() => {
            format!("{} {{}}", policy.shape.subject)
        }
        (false, _) => selector(&policy.subject.pods),
        (_, namespaces) => peer(&Peer::Pods(namespaces.clone(), policy.subject.pods.clone())),
    }
}

/// A peer in the words of the manifest: `namespaceSelector kubernetes.io/metadata.name=shop`.
pub fn peer_as_written(policies: &PolicySet, at: RuleRef) -> String {
    let Peers::Of(list) = &policies.rule(at).peers else {
        return "anyone".to_owned();
    };
    let Some(found) = at.peer.and_then(|i| list.get(i as usize)) else {
        return String::new();
    };
    match found {
        other if policies.get(at.policy).layout.is_some() => peer(other),
        Peer::Pods(Namespaces::Named(name), pods) => {
            format!("podSelector {} in namespace {}", braces(pods), clean(name))
        }
        Peer::Pods(Namespaces::Matching(s), pods) if !policies.get(at.policy).shape.has_actions => {
            let pods = if pods.is_everything() {
                String::new()
            } else {
                format!(" podSelector {}", selector(pods))
            };
            format!("namespaceSelector {}{pods}", braces(s))
        }
        other => peer(other),
    }
}

/// A selector; `{}` for the one that selects everything.
fn braces(s: &Selector) -> String {
    if s.is_everything() {
        "{}".to_owned()
    } else {
        selector(s)
    }
}

/// The ports of a rule.
pub fn ports(rule: &Rule) -> String {
    let Ports::Of(list) = &rule.ports else {
        return "every port".into();
    };
    let one = |p: &PortMatch| match p {
        PortMatch::Traffic(set) => traffic(set),
        PortMatch::Named(name, Some(protocol)) => format!("\"{}\"/{protocol}", clean(name)),
        PortMatch::Named(name, None) => format!("\"{}\"", clean(name)),
        PortMatch::Portless(protocol) => clean(protocol).into_owned(),
    };
    list.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// What a rule depends on that a flow does not show: `HTTP GET /public`.
pub fn conditions(rule: &Rule) -> String {
    let all = rule.qualifiers.iter().map(condition);
    all.collect::<Vec<_>>().join(" and ")
}

fn condition(qualifier: &Qualifier) -> String {
    match qualifier {
        Qualifier::SourcePorts(ranges) => {
            let ports = ranges.iter().map(|(a, b)| format!("{a}-{b}"));
            format!("source port {}", ports.collect::<Vec<_>>().join(","))
        }
        Qualifier::Application(what) | Qualifier::Identity(what) | Qualifier::Handshake(what) => {
            clean(what).into_owned()
        }
        Qualifier::Undocumented(what) => format!("it is so, which is not told: {}", clean(what)),
    }
}

/// Traffic of pods that are not in the input, with the names of ports that are part of it.
pub fn potential_traffic(numbers: &TrafficSet, names: &[String]) -> String {
    let numbers = (!numbers.is_empty()).then(|| traffic(numbers));
    let names = names.iter().map(|name| clean(name).into_owned());
    numbers
        .into_iter()
        .chain(names)
        .collect::<Vec<_>>()
        .join(" ")
}

/// One end of a row about pods that are not in the input, part by part.
pub fn line_end(end: &LineEnd) -> Vec<String> {
    end.parts(addresses)
}
