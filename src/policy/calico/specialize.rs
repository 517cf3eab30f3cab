//! The policy set as Calico reads it: once for each graph, with network sets, host endpoints, tiers
//! and the cluster at hand.
//!
//! Phases of [`specialize`]: every policy of Calico is lowered once more from what is written;
//! cluster network policies are rewritten where Calico reads their peers otherwise; the tiers get
//! the order and the ends that Calico gives them ([`TierTable`]); `NetworkPolicies` get their place
//! among the policies of tier default (CA121).
//!
//! Invariants: the policies keep their indices, names and documents, so that every reference stays
//! right; to do it twice is to do it once. Cost: O(policies x (sets + hosts)).

use crate::model::{Cluster, Labels, Selector, Truth};
use crate::policy::calico::endpoint_to_host::add_endpoint_to_host;
use crate::policy::calico::host_layers::{add, without};
use crate::policy::calico::interfaces::Interfaces;
use crate::policy::calico::knowledge::CalicoKnowledge;
use crate::policy::calico::labels::{NumbersOfNames, seen_by_calico};
use crate::policy::calico::lower::{PolicyStanding, STAGED_KUBERNETES, lower};
use crate::policy::calico::objects::{CalicoObjects, HostEndpoint};
use crate::policy::calico::options::{CalicoSettings, EndpointToHost};
use crate::policy::calico::policy::{Stage, StagedAction};
use crate::policy::calico::ports::names;
use crate::policy::calico::tier_table::TierTable;
use crate::policy::foreign::not_in_force;
use crate::policy::interner::PolicyInterner;
use crate::policy::policy_set::PolicySet;
use crate::policy::rule::Direction;
use crate::policy::rule::{Action, Namespaces, Peer, Peers, Policy, Ports, Rule, Subject};
use crate::policy::taint::{Taint, TaintEffect, TaintReason, TaintSubject};
use crate::policy::tier::kubernetes;
use crate::set::IpSet;
use crate::source::Origin;
use std::collections::BTreeSet;

/// What the taints are called that stand for host endpoints.
const OF_HOSTS: &str = "HostEndpoint";

/// What decides about host endpoints, as objects are called that could not be read.
const OF_CALICO: [&str; 4] = ["GlobalNetworkPolicy", "HostEndpoint", "Tier", "Profile"];

/// The place of `NetworkPolicies` in tier default (CA121).
const OF_NETWORK_POLICIES: i32 = 1000;

/// Policies and cluster as Calico reads them.
pub struct SeenByCalico {
    /// The policies; none where they are read as their API says.
    pub policies: Option<PolicySet>,
    /// The cluster; none where rules ask for nothing that it does not tell.
    pub cluster: Option<Cluster>,
}

/// What Calico makes of policies and cluster.
pub fn specialize(
    policies: &PolicySet,
    cluster: &Cluster,
    settings: &CalicoSettings,
) -> SeenByCalico {
    let objects = &policies.plugin.calico;
    let interfaces = Interfaces::new(objects, cluster);
    let is_read_otherwise = policies
        .policies
        .iter()
        .any(|p| p.calico().is_some() || is_of_admin(p) || is_staged_kubernetes(p));
    if !is_read_otherwise && objects.hosts.is_empty() && !closes_hosts(objects, settings) {
        return SeenByCalico {
            cluster: seen_by_calico(cluster, policies, objects, &interfaces),
            policies: None,
        };
    }
    let known = CalicoKnowledge {
        objects,
        cluster: Some(cluster),
        settings,
        ports: NumbersOfNames::of(cluster, &asked_names(policies)),
    };
    let mut special = policies.clone();
    without(&mut special);
    let mut interner = PolicyInterner::default();
    let table = TierTable::new(objects, policies, settings);
    special.tiers = table.tiers(&policies.tiers);
    for policy in &mut special.policies {
        match policy.calico().cloned() {
            Some(written) => {
                let standing = PolicyStanding {
                    name: &policy.name,
                    document: policy.document,
                    stored: policy.shape.api_version.starts_with("crd."),
                };
                let mut read = lower(&written, &standing, &known);
                read.generated.clone_from(&policy.generated);
                read.tier = table.index(&written.tier);
                *policy = read;
            }
            None if !is_of_kubernetes(policy) => {}
            None if is_unread(policy, settings) => policy.applies = [false, false],
            None => rewrite(policy, &known, cluster),
        }
        interner.share(policy);
    }
    let gone = if settings.staged {
        promote(&mut special)
    } else {
        BTreeSet::new()
    };
    for taint in &mut special.taints {
        if taint.effect == TaintEffect::UnorderedTier {
            taint.effect = TaintEffect::Anything; // its place among ordered policies is not known
        }
    }
    if closes_hosts(objects, settings) {
        add_endpoint_to_host(&mut special, cluster, objects, settings);
    }
    special.taints.retain(|taint| *taint.what != *OF_HOSTS);
    let decides = decides_hosts(&special, &interfaces);
    if decides {
        add(&mut special, &gone, &known, &table, &interfaces);
    } else {
        let of_hosts = of_hosts(&special, cluster);
        special.taints.extend(of_hosts);
    }
    let mut seen = seen_by_calico(cluster, &special, objects, &interfaces);
    if decides && !objects.hosts.is_empty() {
        let cluster = seen.get_or_insert_with(|| cluster.clone());
        let governed = interfaces.governed(cluster);
        cluster.govern_hosts(governed);
    }
    SeenByCalico {
        cluster: seen,
        policies: Some(special),
    }
}

/// Whether what pods send their own nodes may be stopped behind their policies (CA101).
fn closes_hosts(objects: &CalicoObjects, settings: &CalicoSettings) -> bool {
    let told = objects
        .felix
        .iter()
        .filter_map(|felix| felix.endpoint_to_host);
    let mut all = told.chain(settings.endpoint_to_host);
    all.any(|action| action != EndpointToHost::Accept)
}

/// Whether it can be decided what host endpoints let in and out: the addresses of their nodes are
/// told, and every policy that may select them could be read.
fn decides_hosts(special: &PolicySet, interfaces: &Interfaces<'_>) -> bool {
    let may_select = |taint: &Taint| {
        let kind = taint.what.split(' ').next();
        kind.is_some_and(|kind| OF_CALICO.contains(&kind))
    };
    !interfaces.has_untold() && !special.taints.iter().any(may_select)
}

/// What host endpoints let in and out is not decided here: it may be denied at their nodes, and
/// where a policy is for what is forwarded, at every pod (CA102, CA106).
fn of_hosts(special: &PolicySet, cluster: &Cluster) -> Vec<Taint> {
    let objects = &special.plugin.calico;
    let mut taints = Vec::new();
    for host in &objects.hosts {
        let node = cluster.find_node(&host.node);
        let own = node.map(|node| IpSet::from_cidrs(node.addresses.iter().map(|a| (*a).into())));
        let addresses = host.set().union(&own.unwrap_or_else(IpSet::empty));
        let told = Some(addresses).filter(|set| !set.is_empty());
        taints.push(TaintSubject::Nodes(told.unwrap_or_else(IpSet::full)));
    }
    let policies = special.policies.iter().filter_map(Policy::calico);
    let forwarded = policies.filter(|w| w.stage != Stage::Normal).count() > 0;
    if forwarded && !objects.hosts.is_empty() {
        taints.push(TaintSubject::Pods(Subject {
            namespaces: Namespaces::Matching(Selector::everything()),
            pods: Selector::everything(),
        }));
    }
    let origin = objects.hosts.first().map(|h| Origin::document(h.document));
    let taint = |subject| taint_of_host(subject, origin.clone());
    taints.into_iter().map(taint).collect()
}

fn taint_of_host(subject: TaintSubject, origin: Option<Origin>) -> Taint {
    Taint {
        what: OF_HOSTS.into(),
        reason: TaintReason::UnmodelledKind,
        effect: TaintEffect::OnlyDeny,
        subject,
        directions: [true, true],
        origin,
    }
}

/// The names of ports that rules ask for other than as those of a destination.
fn asked_names(policies: &PolicySet) -> BTreeSet<&str> {
    let mut all = BTreeSet::new();
    let written = policies.policies.iter().filter_map(Policy::calico);
    for rule in written.flat_map(|w| w.rules.iter().flatten()) {
        let (source, destination) = (&rule.source, &rule.destination);
        all.extend(names(&source.ports));
        all.extend(names(&source.not_ports));
        all.extend(names(&destination.not_ports));
        if !destination.not_ports.is_empty() {
            all.extend(names(&destination.ports));
        }
    }
    all
}

/// Whether a policy is of a kind that the version that is told does not read yet (CA40).
fn is_unread(policy: &Policy, settings: &CalicoSettings) -> bool {
    let since = match policy.shape.kind {
        "ClusterNetworkPolicy" => 32,
        "BaselineAdminNetworkPolicy" => 30,
        "AdminNetworkPolicy" => 29,
        _ => 0,
    };
    settings.version.is_some_and(|told| told < since)
}

/// Whether a policy is a cluster network policy.
fn is_of_admin(policy: &Policy) -> bool {
    [kubernetes::ADMIN, kubernetes::BASELINE].contains(&policy.tier)
}

/// Whether a policy is of the Kubernetes APIs, and of no other layer.
fn is_of_kubernetes(policy: &Policy) -> bool {
    is_of_admin(policy) || policy.tier == kubernetes::NETWORK
}

/// A policy of Kubernetes as Calico reads it (CA120-CA137).
fn rewrite(policy: &mut Policy, known: &CalicoKnowledge<'_>, cluster: &Cluster) {
    let (objects, settings) = (known.objects, known.settings);
    policy.sees_own_service = Truth::Yes; // CA49
    let ordered = is_of_admin(policy);
    policy.tie = Some(tie_of_kubernetes(policy, ordered, settings).into());
    if !ordered {
        policy.priority = OF_NETWORK_POLICIES.into();
        return;
    }
    for direction in Direction::ALL {
        for i in 0..policy.rules(direction).len() {
            let rule = policy.rules(direction)[i].clone();
            policy.rules[direction.index()][i] = rewritten(rule, |peer| {
                let whole = policy.is_whole_namespaces(direction, i, peer);
                whole.then_some((objects, cluster))
            });
        }
    }
}

/// A rule of a cluster network policy; of peers that are whole namespaces it is told what may be
/// there besides pods.
fn rewritten<'o>(
    mut rule: Rule,
    whole: impl Fn(usize) -> Option<(&'o CalicoObjects, &'o Cluster)>,
) -> Rule {
    let Peers::Of(list) = &rule.peers else {
        return rule;
    };
    if list.iter().any(is_unknown) {
        return cannot_be_read(rule);
    }
    let with = |(i, peer): (usize, &Peer)| {
        let (objects, cluster) = whole(i)?;
        with_sets(peer, objects, cluster)
    };
    let read: Vec<Option<Peer>> = list.iter().enumerate().map(with).collect();
    if read.iter().any(Option::is_some) {
        let each = read.into_iter().zip(list.iter());
        let each = each.map(|(new, old)| new.unwrap_or_else(|| old.clone()));
        rule.peers = Peers::Of(each.collect());
    }
    rule
}

/// What decides between a policy of Kubernetes and others of its order (CA45, CA132).
fn tie_of_kubernetes(policy: &Policy, ordered: bool, settings: &CalicoSettings) -> String {
    let name = &policy.name;
    let namespace = policy.namespace.as_deref().unwrap_or_default();
    match (settings.ties_by_name(), ordered) {
        (true, false) => format!("{name}/{namespace}/KubernetesNetworkPolicy"),
        (true, true) => format!("{name}//KubernetesClusterNetworkPolicy"),
        (false, false) => format!("{namespace}/knp.default.{name}"),
        (false, true) => format!("kanp.adminnetworkpolicy.{name}"),
    }
}

/// Whether Calico cannot convert a peer.
fn is_unknown(peer: &Peer) -> bool {
    matches!(
        peer,
        Peer::Nodes(_) | Peer::Domain(_) | Peer::Unreadable { .. }
    )
}

/// A rule that Calico cannot convert: one that allows is left out, others deny everything (CA135).
fn cannot_be_read(mut rule: Rule) -> Rule {
    if rule.action == Action::Allow {
        rule.peers = Peers::Of([].into());
    } else {
        rule.action = Action::Deny;
        rule.peers = Peers::Any;
        rule.ports = Ports::Any;
    }
    rule
}

/// A peer of whole namespaces with the network sets there (CA133).
fn with_sets(peer: &Peer, objects: &CalicoObjects, cluster: &Cluster) -> Option<Peer> {
    let pods = match peer {
        Peer::AnyOf(list) => list.first()?,
        pods => pods,
    };
    let Peer::Pods(namespaces, _) = pods else {
        return None;
    };
    let mut nets = IpSet::empty();
    if let Namespaces::Matching(selector) = namespaces
        && !selector.is_everything()
        && selector.matches(&Labels::default())
    {
        // what is in no namespace has none of the labels that the selector does not want (CA55)
        let sets = objects.sets.iter().filter(|set| set.namespace.is_none());
        let sets = sets.map(|set| set.nets.clone());
        let all = sets.chain(objects.hosts.iter().map(HostEndpoint::set));
        nets = all.fold(nets, |so_far, more| so_far.union(&more));
    }
    for set in &objects.sets {
        let Some(name) = set.namespace.as_deref() else {
            continue;
        };
        let meant = match namespaces {
            Namespaces::Named(own) => **own == *name,
            Namespaces::Matching(selector) => {
                let id = cluster.find_namespace(name);
                id.is_some_and(|id| cluster.namespace(id).selected_by(selector).possible())
            }
            Namespaces::SameLabels(_) | Namespaces::NotSameLabels(_) => false,
        };
        if meant {
            nets = nets.union(&set.nets);
        }
    }
    (!nets.is_empty()).then(|| Peer::AnyOf([pods.clone(), Peer::Addresses(nets)].into()))
}

/// Whether a policy is a `NetworkPolicy` that is staged.
fn is_staged_kubernetes(policy: &Policy) -> bool {
    policy.shape.kind == STAGED_KUBERNETES.kind
}

/// Staged policies count; an enforced one of the same name makes room, and so does one that is to
/// be deleted (CA112). Which of the policies are not in force.
fn promote(special: &mut PolicySet) -> BTreeSet<usize> {
    let key = |p: &Policy| (p.calico().is_some(), p.namespace.clone(), p.name.clone());
    let replaced: BTreeSet<_> = special
        .policies
        .iter()
        .filter(|p| p.staged().is_some())
        .map(key)
        .collect();
    let mut gone = BTreeSet::new();
    for (i, policy) in special.policies.iter_mut().enumerate() {
        let is_admin = policy.calico().is_none() && policy.namespace.is_none();
        let goes = match policy.staged() {
            Some(action) => action == StagedAction::Delete,
            None => !is_admin && replaced.contains(&key(policy)),
        };
        if is_staged_kubernetes(policy) {
            policy.applies = [true, true];
        }
        if goes {
            policy.applies = [false, false];
            gone.insert(i);
        }
    }
    gone
}

/// The policy set under a network plugin that reads no policies of Calico: whether they are in
/// force, by whatever reads them, is not known.
pub fn without_policies(policies: &PolicySet) -> PolicySet {
    let is_own = |p: &Policy| p.calico().is_some();
    let is_staged = |p: &Policy| p.calico().is_some_and(|written| written.staged.is_some());
    not_in_force(policies, is_own, |p| !is_staged(p))
}
