//! The host firewall: Rules with a `nodeSelector` govern nodes, and pods on their networks as these
//! (CI150-CI155).
//!
//! A node is a further enforcement point beside the policies of pods: a flow passes if the policies
//! of its pods let it *and* those of every node that is one of its ends. So it is a layer of its
//! own, in which a Rule of nodes stands once more, with the nodes that it selects as its subject;
//! where it is written it governs no pod.
//!
//! ```text
//! nodeSelector: {matchLabels: {zone: b}}
//!   => the addresses of nodes n2 and n3, and the pods on their networks
//! ```
//!
//! Who is governed is said by a label that no manifest can have ([`HOST_NODE`]). Of a pod whose
//! node is not told or not in the input the label is certain and its value is not, so that what
//! governs all nodes governs it. Invariants: nothing is added where the firewall is off or no Rule
//! governs nodes; to do it twice is to do it once. Cost: O(Rules of nodes x nodes + pods). Road not
//! taken: pods that stand for nodes, which would be listed, counted and drawn.

use crate::model::open_labels::at_run_time;
use crate::model::{Cluster, Labels, Pod, Requirement, Selector};
use crate::policy::cilium::always::closing_everything;
use crate::policy::cilium::options::{CiliumOptions, EnforcementMode};
use crate::policy::cilium::selector::governed_nodes;
use crate::policy::host_labels::HOST_NODE;
use crate::policy::layer_policy::LayerPolicies;
use crate::policy::layout::RulePlace;
use crate::policy::policy_set::PolicySet;
use crate::policy::rule::{
    Action, Direction, Namespaces, Peer, Peers, Policy, Ports, Qualifier, Rule, Subject, Symbol,
};
use crate::policy::taint::{Taint, TaintEffect, TaintReason, TaintSubject};
use crate::policy::tier::{HostPods, LayerIx, OwnNode, Tier, TierEnd, TierMode};
use crate::set::IpSet;
use crate::source::{DocumentId, Origin, Path};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

/// What stands for a node that is not in the input: no name of a node has a space.
const OTHER_NODE: &str = "a node that is not in the input";

/// The policy set without what [`add_host_firewall`] added to it.
pub fn without_host_firewall(special: &mut PolicySet) {
    let tiers = &special.tiers;
    special
        .policies
        .retain(|p| !tiers[p.tier.index()].layer.is_of_hosts());
}

/// Adds what nodes ask to a policy set in which every Rule is lowered; the cluster with what is
/// governed there, if anything is.
pub fn add_host_firewall(
    special: &mut PolicySet,
    cluster: &Cluster,
    options: &CiliumOptions,
    node_cidrs: &IpSet,
) -> Option<Cluster> {
    let is_on = options.host_firewall && options.enforcement != EnforcementMode::Never;
    let rules = special.policies.iter().filter(|_| is_on);
    let mut rules: Vec<Policy> = rules.filter_map(|p| at_nodes(p, cluster)).collect();
    let closes_all = is_on && options.enforcement == EnforcementMode::Always;
    rules.extend(closes_all.then(closing_every_node));
    let document = rules.first()?.document;
    let taints = rules.iter();
    let taints = taints.filter_map(|rule| untold(rule, cluster, node_cidrs));
    let taints: Vec<Taint> = taints.collect();
    special.taints.extend(taints);
    let mut added = LayerPolicies::new(special);
    for rule in rules {
        added.add(tier(), rule);
    }
    Some(with_nodes(cluster, document))
}

/// Where nodes are asked: a deny wins, and the own node is one like others (CI152, CI154).
fn tier() -> Tier {
    Tier {
        name: "host firewall".into(),
        policies: "policies",
        layer: LayerIx::HOSTS,
        order: 0,
        mode: TierMode::Unordered,
        end: TierEnd::DenyIsolated,
        pass_to: None,
        host_pods: HostPods::AsNodes,
        own_node: OwnNode::Policed,
        codes: None,
    }
}

/// A Rule of nodes as it stands at these; none of another one, or of one that is void.
fn at_nodes(policy: &Policy, cluster: &Cluster) -> Option<Policy> {
    let selector = governed_nodes(policy.cilium()?)?;
    let pods = if selector.is_everything() {
        Requirement::Exists(HOST_NODE.into())
    } else {
        let selected = cluster
            .nodes()
            .filter(|(_, node)| selector.matches(&node.labels));
        let names = selected.map(|(_, node)| node.name.as_ref().into());
        Requirement::In(HOST_NODE.into(), names.chain([OTHER_NODE.into()]).collect())
    };
    let mut copy = policy.clone();
    copy.subject = Subject {
        namespaces: Namespaces::Matching(Selector::everything()),
        pods: Selector::new([pods]),
    };
    for way in Direction::ALL
        .into_iter()
        .filter(|way| policy.isolates(*way))
    {
        if let Some(layout) = &mut copy.layout {
            let place = RulePlace::whole(Path::root().key("nodeSelector"));
            Arc::make_mut(layout).rules[way.index()].push(place);
            copy.rules[way.index()].push(from_itself());
        }
    }
    let is_in_force = Direction::ALL.iter().any(|way| policy.governs(*way));
    is_in_force.then_some(copy)
}

/// What closes every node in the mode in which every endpoint is closed (CI15).
fn closing_every_node() -> Policy {
    let itself = || vec![from_itself()];
    Policy {
        subject: Subject {
            namespaces: Namespaces::Matching(Selector::everything()),
            pods: Selector::new([Requirement::Exists(HOST_NODE.into())]),
        },
        rules: [itself(), itself()],
        ..closing_everything()
    }
}

/// What a node sends itself: by its text the firewall asks about it as about any other, and yet it
/// never leaves the node by the interfaces at which that stands.
fn from_itself() -> Rule {
    let words = "whether what a node sends itself meets its firewall";
    let own = Peers::Of([Peer::Symbol(Symbol::OwnNode)].into());
    Rule {
        qualifiers: vec![Qualifier::Undocumented(words.into())],
        ..Rule::new(Action::Allow, own, Ports::Any)
    }
}

/// What may be denied at addresses that may be those of nodes: which of them are is not told, nor
/// which labels these nodes have.
fn untold(rule: &Policy, cluster: &Cluster, node_cidrs: &IpSet) -> Option<Taint> {
    let told = cluster.nodes().flat_map(|(_, node)| &node.addresses);
    let told = IpSet::from_cidrs(told.map(|address| ipnet::IpNet::from(*address)));
    let addresses = match (node_cidrs.is_empty(), told.is_empty()) {
        (false, _) => node_cidrs.difference(&told),
        (true, true) => IpSet::assumed_pods(), // private addresses: one of them may be a node's
        (true, false) => IpSet::empty(),
    };
    (!addresses.is_empty()).then(|| Taint {
        what: format!("{} {}", rule.shape.kind, rule.full_name()).into(),
        reason: TaintReason::UnmodelledKind,
        effect: TaintEffect::OnlyDeny,
        subject: TaintSubject::Nodes(addresses),
        directions: Direction::ALL.map(|direction| rule.governs(direction)),
        origin: Some(Origin::document(rule.document)).filter(|o| o.document != DocumentId::NONE),
    })
}

/// The cluster with labels that say who is on which node's network, and with the addresses of nodes
/// governed.
fn with_nodes(cluster: &Cluster, document: DocumentId) -> Cluster {
    let mut seen = cluster.clone();
    let key = |pod: &Pod| {
        let node = pod.host_network.then(|| pod.node.clone());
        (pod.labels, node)
    };
    seen.relabel_pods(key, |cluster, pod| {
        let own = cluster.labels(pod.labels).iter();
        let own = own.map(|(key, value)| (key.to_owned(), value.to_owned()));
        own.filter(|(key, _)| key != HOST_NODE)
            .chain(label(cluster, pod))
            .collect()
    });
    let mut owners: BTreeMap<IpAddr, BTreeSet<&str>> = BTreeMap::new();
    for (_, node) in cluster.nodes() {
        for address in &node.addresses {
            owners.entry(*address).or_default().insert(&node.name);
        }
    }
    let mut alike: BTreeMap<BTreeSet<&str>, Vec<IpAddr>> = BTreeMap::new();
    for (address, nodes) in owners {
        alike.entry(nodes).or_default().push(address);
    }
    let mut hosts = Vec::new();
    for (nodes, addresses) in alike {
        let names: Vec<&str> = nodes.into_iter().collect();
        let (node, value) = match names[..] {
            [only] => (Some(only), only.to_owned()),
            _ => (None, at_run_time(&names.join("|"))), // it is of one of them
        };
        let labels: Labels = [(HOST_NODE.to_owned(), value)].into_iter().collect();
        hosts.push(seen.host(labels, node, addresses, document));
    }
    seen.govern_hosts(hosts);
    seen
}

/// The label of a pod that says on which node's network it is; none of another pod.
fn label(cluster: &Cluster, pod: &Pod) -> Option<(String, String)> {
    let node = pod.node.as_deref();
    let known = node.filter(|name| cluster.find_node(name).is_some());
    let value = known.map_or_else(|| at_run_time(""), str::to_owned);
    pod.host_network.then(|| (HOST_NODE.to_owned(), value))
}
