//! The policy set as Cilium reads it: once for each graph, with the options of the agent, the
//! Services and the groups of address blocks at hand.
//!
//! Phases of [`specialize`]: every Rule of Cilium is lowered once more from what is written;
//! policies of Kubernetes are rewritten where Cilium reads their selectors otherwise; the tiers get
//! the ends that Cilium gives them; the enforcement mode is applied.
//!
//! Invariants: the policies keep their indices, names and documents, so that every reference stays
//! right (a mode that closes everything adds one policy at the end); to do it twice is to do it
//! once. Cost: O(policies); nothing, if no policy is read otherwise.

use crate::model::{Cluster, Labels};
use crate::policy::cilium::always::{closing_everything, is_mode};
use crate::policy::cilium::host_firewall::{add_host_firewall, without_host_firewall};
use crate::policy::cilium::lower::{Knowledge, Standing, lower};
use crate::policy::cilium::options::{CiliumOptions, EnforcementMode};
use crate::policy::cilium::read::nodes_by_label;
use crate::policy::cilium::selector::{any_of, holds_without_namespace, of_kubernetes};
use crate::policy::cilium::written::WrittenRule;
use crate::policy::foreign::not_in_force;
use crate::policy::interner::PolicyInterner;
use crate::policy::policy_set::PolicySet;
use crate::policy::rule::{
    Action, AddressOwner, Direction, Namespaces, Peer, Peers, Policy, Ports, Rule, Subject, Symbol,
};
use crate::policy::taint::{Taint, TaintEffect, TaintReason, TaintSubject};
use crate::policy::tier::{LayerIx, OwnNode, TierEnd, kubernetes};
use crate::set::{Family, IpSet};
use std::collections::BTreeSet;

/// What the taint is called that stands for policies of the plugin's own endpoints.
const OWN_ENDPOINTS: &str = "policies of Cilium's own endpoints";

/// Policies and cluster as Cilium reads them.
pub struct SeenByCilium {
    /// The policies.
    pub policies: PolicySet,
    /// The cluster; none where nothing of it is read otherwise.
    pub cluster: Option<Cluster>,
}

/// What is told of the cluster's addresses.
#[derive(Debug, Clone, Copy)]
pub struct ToldAddresses<'a> {
    /// Whether it is told where the API server listens.
    pub api_server: bool,
    /// Where the addresses of nodes lie.
    pub nodes: &'a IpSet,
}

/// Policies and cluster as Cilium reads them; none where it reads nothing otherwise.
pub fn specialize(
    policies: &PolicySet,
    cluster: &Cluster,
    options: &CiliumOptions,
    told: ToldAddresses<'_>,
) -> Option<SeenByCilium> {
    if !policies
        .policies
        .iter()
        .any(|p| is_read_otherwise(p, policies, options))
        && is_plain(options)
    {
        return None;
    }
    let known = Knowledge {
        options,
        cluster: Some(cluster),
        groups: &policies.plugin.groups,
        tells_api_server: told.api_server,
    };
    let void = documents_of_nodes(policies, options);
    let mut special = policies.clone();
    special.policies.retain(|p| !is_mode(p));
    without_host_firewall(&mut special);
    let mut interner = PolicyInterner::default();
    for policy in &mut special.policies {
        match policy.cilium().cloned() {
            Some(written) => {
                let standing = Standing {
                    name: &policy.name,
                    document: policy.document,
                    root: policy.root(),
                };
                let mut read = lower(&written, &standing, known);
                if void.contains(&policy.document.0) {
                    read.applies = [false, false]; // CI223
                }
                read.generated.clone_from(&policy.generated);
                *policy = read;
            }
            None => rewrite(policy, policies.is_ordered(policy), options),
        }
        interner.share(policy);
    }
    special.taints.retain(|taint| *taint.what != *OWN_ENDPOINTS);
    special.taints.extend(of_own_endpoints(options));
    tiers(&mut special, options);
    enforce(&mut special, options);
    let cluster = add_host_firewall(&mut special, cluster, options, told.nodes);
    Some(SeenByCilium {
        policies: special,
        cluster,
    })
}

/// Whether the options are those under which policies of Kubernetes are read as their API says.
fn is_plain(options: &CiliumOptions) -> bool {
    options.enforcement == EnforcementMode::Default
        && options.local_cluster
        && options.allow_localhost
        && options.reserved.is_empty()
        && options.match_mode == crate::policy::cilium::options::MatchMode::default()
}

/// Whether Cilium reads a policy otherwise than its API says.
fn is_read_otherwise(policy: &Policy, policies: &PolicySet, options: &CiliumOptions) -> bool {
    let selects = &policy.subject;
    let subject = of_kubernetes(&selects.namespaces, &selects.pods, options).is_some();
    let peers = policy.rules.iter().flatten().any(|rule| match &rule.peers {
        Peers::Any => false,
        Peers::Of(list) => list.iter().any(|peer| match peer {
            Peer::Pods(namespaces, pods) => of_kubernetes(namespaces, pods, options).is_some(),
            _ => false,
        }),
    });
    policy.cilium().is_some() || policies.is_ordered(policy) || subject || peers
}

/// The documents with a Rule that selects nodes by their labels, which the agent refuses without
/// the option (CI223).
fn documents_of_nodes(policies: &PolicySet, options: &CiliumOptions) -> BTreeSet<u32> {
    if options.node_labels {
        return BTreeSet::new();
    }
    let with = policies.policies.iter();
    let with = with.filter(|p| p.cilium().is_some_and(|w| selects_nodes(w)));
    with.map(|p| p.document.0).collect()
}

fn selects_nodes(written: &WrittenRule) -> bool {
    nodes_by_label(written).is_some()
}

/// A policy of Kubernetes as Cilium reads it (CI133-CI149).
fn rewrite(policy: &mut Policy, ordered: bool, options: &CiliumOptions) {
    let Subject { namespaces, pods } = &policy.subject;
    if let Some((namespaces, pods)) = of_kubernetes(namespaces, pods, options) {
        policy.subject = Subject { namespaces, pods };
    }
    for rule in policy.rules.iter_mut().flatten() {
        let Peers::Of(list) = &rule.peers else {
            continue;
        };
        let read: Vec<Option<Peer>> = list.iter().map(|p| peer(p, ordered, options)).collect();
        if read.iter().all(Option::is_none) {
            continue;
        }
        let each = read.into_iter().zip(list.iter());
        rule.peers = Peers::Of(
            each.map(|(new, old)| new.unwrap_or_else(|| old.clone()))
                .collect(),
        );
    }
}

/// A peer, if it is read otherwise.
fn peer(peer: &Peer, ordered: bool, options: &CiliumOptions) -> Option<Peer> {
    match peer {
        Peer::Pods(namespaces, pods) => {
            let read = of_kubernetes(namespaces, pods, options);
            let without =
                matches!(namespaces, Namespaces::Matching(s) if holds_without_namespace(s));
            let mut others = Vec::new();
            // what is no pod has no labels to select either
            let without = without && pods.matches(&Labels::default());
            if without && !ordered && !options.local_cluster {
                others = not_pods(options); // CI133
            }
            if read.is_none() && others.is_empty() {
                return None;
            }
            let (namespaces, pods) = read.unwrap_or((namespaces.clone(), pods.clone()));
            others.insert(0, Peer::Pods(namespaces, pods));
            Some(any_of(others))
        }
        Peer::Addresses(set) => {
            let (mode, narrow) = (options.match_mode, without_zero(set));
            let owners = [
                (mode.nodes, AddressOwner::Nodes),
                (mode.pods, AddressOwner::Pods),
            ];
            let matched = owners
                .into_iter()
                .filter(|(on, _)| *on && !narrow.is_empty());
            let mut all = vec![peer.clone()];
            all.extend(matched.map(|(_, owner)| Peer::Owned(owner, narrow.clone())));
            (all.len() > 1).then(|| any_of(all)) // CI84, CI134
        }
        Peer::AnyOf(list) if ordered && matches!(&list[..], [Peer::Pods(..)]) => {
            let mut all = list.to_vec();
            all.extend(not_pods(options)); // CI149: see `whole_namespaces`
            Some(Peer::AnyOf(all.into()))
        }
        Peer::Nodes(_) if ordered => {
            let perhaps = Peer::Symbol(Symbol::PerhapsNoPod);
            Some(Peer::AnyOf([perhaps].into())) // CI146
        }
        _ => None,
    }
}

/// The addresses without those of a family that are there altogether: a prefix of length 0 stands
/// for the world alone (CI84).
fn without_zero(set: &IpSet) -> IpSet {
    let parts = Family::ALL.map(|family| (set.only(family), IpSet::full().only(family)));
    let narrow = parts.into_iter().filter(|(part, whole)| part != whole);
    narrow.fold(IpSet::empty(), |all, (part, _)| all.union(&part))
}

/// Everything that is no pod.
fn not_pods(options: &CiliumOptions) -> Vec<Peer> {
    let own = options.reserved_addresses(None);
    let reserved = (!own.is_empty()).then_some(Peer::Owned(AddressOwner::Plugin, own));
    let mut all = vec![Peer::Symbol(Symbol::Nodes), Peer::Symbol(Symbol::World)];
    all.extend(reserved);
    all
}

/// Policies that govern the plugin's own endpoints are not modelled (CI17, CI27).
fn of_own_endpoints(options: &CiliumOptions) -> Option<Taint> {
    let addresses = options.reserved_addresses(None);
    let governed = options.enforcement != EnforcementMode::Never && !addresses.is_empty();
    governed.then(|| Taint {
        what: OWN_ENDPOINTS.into(),
        reason: TaintReason::UnmodelledKind,
        effect: TaintEffect::OnlyDeny,
        subject: TaintSubject::Nodes(addresses),
        directions: [true, true],
        origin: None,
    })
}

/// The tiers as Cilium asks them: Baseline comes before what is closed (CI144), and the own node is
/// let in unless an option says otherwise (CI18).
fn tiers(policies: &mut PolicySet, options: &CiliumOptions) {
    let has_baseline = policies
        .policies
        .iter()
        .any(|p| p.tier == kubernetes::BASELINE);
    if let Some(network) = policies.tiers.get_mut(kubernetes::NETWORK.index()) {
        if has_baseline {
            network.end = TierEnd::DenyIsolatedLast;
        }
        network.own_node = if options.allow_localhost {
            OwnNode::Exempt
        } else {
            OwnNode::Policed
        };
        if policies.policies.iter().any(|p| p.cilium().is_some()) {
            network.policies = "policies";
        }
    }
}

/// Applies the enforcement mode (CI15, CI16), and leaves out what is not read (CI140).
fn enforce(policies: &mut PolicySet, options: &CiliumOptions) {
    let never = options.enforcement == EnforcementMode::Never;
    let (all, tiers) = (&mut policies.policies, &policies.tiers);
    for policy in all.iter_mut() {
        let tier = &tiers[policy.tier.index()];
        let unread = tier.is_ordered() && !options.cluster_network_policy;
        if tier.layer == LayerIx::CLUSTER_NETWORK && (never || unread) {
            policy.applies = [false, false];
        }
    }
    if options.enforcement != EnforcementMode::Always {
        return;
    }
    if let Some(network) = policies.tiers.get_mut(kubernetes::NETWORK.index()) {
        network.own_node = OwnNode::Policed; // only beside a Rule
    }
    if options.allow_localhost {
        let of_tier = policies
            .policies
            .iter_mut()
            .filter(|p| p.tier == kubernetes::NETWORK);
        of_tier
            .filter(|p| p.governs(Direction::Ingress))
            .for_each(|p| {
                p.rules[Direction::Ingress.index()].push(from_own_node());
            });
    }
    policies.policies.push(closing_everything());
}

/// What lets in the own node.
fn from_own_node() -> Rule {
    let own_node = Peers::Of([Peer::Symbol(Symbol::OwnNode)].into());
    Rule::new(Action::Allow, own_node, Ports::Any)
}

/// The policy set under a network plugin that reads no policies of Cilium: whether they are in
/// force, by whatever reads them, is not known.
pub fn without_rules(policies: &PolicySet) -> PolicySet {
    not_in_force(policies, |p| p.cilium().is_some(), |_| true)
}
