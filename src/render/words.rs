//! Words for the parts of an answer, shared by the formats: ends, peers, rules, mismatches. Those
//! for counts, traffic and addresses are in [`crate::words`].

pub use crate::words::{addresses, clean, clean_lines, traffic, written_block};

use crate::graph::AllowGraph;
use crate::model::{Cluster, PodId, Requirement, Selector, Truth};
use crate::policy::calico::host_labels;
use crate::policy::istio::labels::IDENTITY;
use crate::policy::networks::labels;
use crate::policy::{
    AddressOwner, Namespaces, Peer, Peers, Policy, PolicyId, PolicySet, PortMatch, Ports,
    Qualifier, Rule, RuleRef, Symbol,
};
use crate::query::End;
use crate::query::explain::explanation::Mismatch;
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
        Symbol::SomeOutside => "addresses of a group of the cloud",
        Symbol::PerhapsNoPod => "perhaps everything that is no pod",
        Symbol::Perhaps => "perhaps everything",
    }
}

/// What one endpoint would be, to be meant by a symbol.
fn symbol_alone(symbol: Symbol) -> &'static str {
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

/// Whom a policy governs, as its own field says it: `app=database`, `podSelector {}`.
pub fn subject(policy: &Policy) -> String {
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

/// Why an address, or that of a pod, is not what a peer wants.
fn address_mismatch(context: RenderContext<'_>, mismatch: &Mismatch, other: Endpoint) -> String {
    match (mismatch, other) {
        (Mismatch::NotInBlock, Endpoint::Address(address))
            if !context.graph.environment().options.blocks_match_pods
                && context.graph.environment().is_node_address(address) == Truth::Yes =>
        {
            format!("{address} is a node, and address blocks match no nodes under this CNI")
        }
        (Mismatch::NotInBlock, _) => {
            format!("{} is not in the block", name_of(context, other))
        }
        (Mismatch::AddressUnknown, _) => format!(
            "the address of {} is not known, and the block covers part of where it may lie",
            name_of(context, other)
        ),
        (Mismatch::BlocksSkipPods, _) => "address blocks match no pods under this CNI".into(),
        (Mismatch::NotANode, _) => format!(
            "{} is not an address of a selected node",
            name_of(context, other)
        ),
        (Mismatch::NodesUnknown, _) => {
            "no Node is in the input, so its addresses are not known".into()
        }
        _ => String::new(),
    }
}

/// That a pod does not show the identity of the mesh that a peer wants.
fn mesh_identity(context: RenderContext<'_>, wanted: &str, pod: PodId) -> String {
    let identity = context.graph.environment().cluster.pod_labels(pod);
    let is = identity.get(IDENTITY).map_or_else(
        || "has none: it has no sidecar, or is not of the mesh".to_owned(),
        |identity| format!("is {}", clean(identity)),
    );
    let wanted = wanted.replace(&format!("{IDENTITY}="), "");
    let name = name_of(context, Endpoint::Pod(pod));
    format!("needs the mesh identity {wanted}; {name} {is}")
}

/// What is there instead of what a peer wants, where the peer itself is shown next to it.
pub fn had(context: RenderContext<'_>, found: &Mismatch, other: Endpoint) -> String {
    let cluster = &context.graph.environment().cluster;
    let name = match other {
        Endpoint::Pod(p) => clean(&cluster.pod_namespace(p).name).into_owned(),
        Endpoint::Address(_) => String::new(),
    };
    let has = |of: &str, key: &str, value: Option<&str>| match value {
        Some(value) if key == IDENTITY => format!("{of} is {}", clean(value)),
        None if key == IDENTITY => format!("{of} has no mesh identity"),
        Some(value) => format!("{of} has {}={}", clean(key), clean(value)),
        None => format!("{of} has no label {}", clean(key)),
    };
    match (found, other) {
        (Mismatch::WrongNamespace(_), _) => format!("wrong namespace ({name})"),
        (Mismatch::NamespaceLabel(r), Endpoint::Pod(p)) => {
            has(&name, r.key(), cluster.pod_namespace(p).labels.get(r.key()))
        }
        (Mismatch::NamespaceUnknown(_), _) => {
            format!("the labels of namespace {name} are not in the input")
        }
        (Mismatch::PodLabelUnknown(r), _) => {
            format!("its label {} is known only at run time", clean(r.key()))
        }
        (Mismatch::AddressUnknown, _) => "where its address lies is not known".to_owned(),
        (Mismatch::DomainUnknown(_), _) => "its addresses are in no manifest".to_owned(),
        (Mismatch::PodLabel(r), Endpoint::Pod(p)) => has(
            &name_of(context, other),
            r.key(),
            cluster.pod_labels(p).get(r.key()),
        ),
        _ => mismatch(context, found, other),
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

/// That a label decides which is known only at run time.
fn label_unknown(context: RenderContext<'_>, r: &Requirement, other: Endpoint) -> String {
    format!(
        "needs pod label {}; that of {} is known only at run time",
        clean(&r.to_string()),
        name_of(context, other)
    )
}

/// Why a peer does not match, or may not match: what was wanted and what is there.
pub fn mismatch(context: RenderContext<'_>, mismatch: &Mismatch, other: Endpoint) -> String {
    let cluster = &context.graph.environment().cluster;
    let namespace = |of: Endpoint| match of {
        Endpoint::Pod(p) => Some(cluster.pod_namespace(p)),
        Endpoint::Address(_) => None,
    };
    let had = |value: Option<&str>| {
        value.map_or_else(|| "has none".to_owned(), |v| format!("has ={}", clean(v)))
    };
    let wanted = |r: &Requirement| clean(&r.to_string()).into_owned();
    match (mismatch, other) {
        (Mismatch::PodLabelUnknown(r), _) => label_unknown(context, r, other),
        (Mismatch::WrongNamespace(name), _) => {
            let is = namespace(other).map_or_else(String::new, |n| {
                format!("; {} is in {}", name_of(context, other), clean(&n.name))
            });
            format!("needs a pod of namespace {}{is}", clean(name))
        }
        (Mismatch::NamespaceLabel(r), _) => {
            let has = namespace(other).map_or_else(String::new, |n| {
                format!("; {} {}", clean(&n.name), had(n.labels.get(r.key())))
            });
            format!("needs namespace label {}{has}", wanted(r))
        }
        (Mismatch::NamespaceUnknown(r), _) => {
            let name = namespace(other).map(|n| clean(&n.name).into_owned());
            let name = name.unwrap_or_default();
            format!(
                "needs namespace label {}; the labels of namespace {name} are not in the input",
                wanted(r)
            )
        }
        (Mismatch::NamespaceRelation, _) => "the namespaces' labels do not relate as wanted".into(),
        (Mismatch::PodLabel(r), Endpoint::Pod(p)) if r.key() == IDENTITY => {
            mesh_identity(context, &wanted(r), p)
        }
        (Mismatch::PodLabel(r), Endpoint::Pod(p)) => {
            format!(
                "needs pod label {}; {} {}",
                wanted(r),
                name_of(context, other),
                had(cluster.pod_labels(p).get(r.key()))
            )
        }
        (Mismatch::PodLabel(r), Endpoint::Address(_)) => format!("needs pod label {}", wanted(r)),
        (Mismatch::NotAPod, _) => "selects pods; an outside address is none".into(),
        (
            Mismatch::NotInBlock
            | Mismatch::AddressUnknown
            | Mismatch::BlocksSkipPods
            | Mismatch::NotANode
            | Mismatch::NodesUnknown,
            _,
        ) => address_mismatch(context, mismatch, other),
        (Mismatch::HostNetwork, _) => {
            format!(
                "{} runs with hostNetwork; selectors do not see it",
                name_of(context, other)
            )
        }
        (Mismatch::DomainUnknown(name), _) => {
            format!(
                "which addresses {} stands for is not in the manifests",
                clean(name)
            )
        }
        (Mismatch::Symbol(symbol), _) => {
            let what = symbol_alone(*symbol);
            format!("{} is not known to be {what}", name_of(context, other))
        }
        (Mismatch::Complement, _) => {
            format!("{} may be one of those left out", name_of(context, other))
        }
        (Mismatch::Unreadable, _) => "a peer of a newer API".into(),
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
