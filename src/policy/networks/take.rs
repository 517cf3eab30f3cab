//! All objects of networks together: which network each pod is on, and what keeps them apart.

use crate::model::open_labels::perhaps;
use crate::model::{Cluster, Namespace, NamespaceId, PodId, Requirement, Selector};
use crate::policy::networks::attached::{OPEN_PORTS, POD_NETWORKS, open_ports, primary_addresses};
use crate::policy::networks::labels::{DEFAULT, OPEN, PRIMARY};
use crate::policy::networks::policies::{NetworkPolicies, among};
use crate::policy::networks::primary::{
    JoinedNetworks, NetworkProblem, NetworkTaking, PrimaryNetworks,
};
use crate::policy::networks::settings::NetworkSettings;
use crate::policy::networks::written::NetworkObject;
use crate::policy::object_facts::ObjectFacts;
use crate::policy::policy_set::PolicySet;
use crate::policy::rule::{Namespaces, Peer, Peers, Subject};
use crate::policy::taint::{Taint, TaintEffect, TaintReason, TaintSubject};
use crate::policy::tier::LayerIx;
use crate::policy::unmodelled::PRIMARY_NETWORK_LABEL;
use crate::set::TrafficSet;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

/// Further labels of pods.
type FurtherLabels = Vec<(PodId, Vec<(&'static str, Arc<str>)>)>;

/// Takes up the objects of networks; what is wrong with them together is returned.
pub fn take(
    objects: &[NetworkObject],
    cluster: &mut Cluster,
    policies: &mut PolicySet,
    facts: &ObjectFacts,
    settings: &NetworkSettings,
) -> Vec<NetworkProblem> {
    let labelled =
        |(_, n): (NamespaceId, &Namespace)| n.labels.get(PRIMARY_NETWORK_LABEL).is_some();
    if objects.is_empty() && !cluster.namespaces().any(labelled) {
        return Vec::new();
    }
    let taking = NetworkTaking {
        objects,
        cluster,
        facts,
    };
    let mut problems = Vec::new();
    let primary = taking.primary(&mut problems);
    let joined = taking.joined(&primary);
    let further = taking.labels(&primary);
    let moved = taking.moved(&primary);
    let secondary = taking.secondary();
    let taints = taking.taints(&primary, &joined);
    let (open, opened) = taking.open(&primary);
    if !primary.networks.is_empty() {
        let made = NetworkPolicies {
            cluster,
            primary: &primary,
            joined: &joined,
            open: &open,
            infra: &settings.infra_services,
        };
        let made = made.policies(objects);
        restrict(policies, cluster, &primary, &joined);
        NetworkPolicies::add(policies, made);
        let names: BTreeSet<&str> = primary.networks.keys().map(|n| &**n).collect();
        let names: Vec<&str> = names.into_iter().chain([DEFAULT]).collect();
        cluster.leave_untold([(PRIMARY, perhaps(&names.join("|")))]);
    }
    cluster.add_labels(&further);
    cluster.add_labels(&opened);
    for (pod, addresses) in moved {
        cluster.put_on_own_network(pod, addresses);
    }
    if let Some((labels, proxies)) = secondary {
        cluster.add_labels(&labels);
        policies.plugin.proxies.push(proxies);
    }
    policies.taints.extend(taints);
    problems
}

impl NetworkTaking<'_> {
    fn labels(&self, primary: &PrimaryNetworks) -> FurtherLabels {
        if primary.networks.is_empty() {
            return Vec::new();
        }
        let pods = self.cluster.pods().filter(|(_, pod)| !pod.host_network);
        let each = pods.map(|(id, pod)| {
            let network = primary.of.get(&pod.namespace).map_or(DEFAULT, |n| n);
            (id, vec![(PRIMARY, network.into())])
        });
        each.collect()
    }

    /// The pods whose address is one of another network, and what it is (NW23).
    fn moved(&self, primary: &PrimaryNetworks) -> Vec<(PodId, Vec<IpAddr>)> {
        let pods = self.cluster.pods();
        let elsewhere = pods.filter(|(_, pod)| {
            let other =
                primary.of.contains_key(&pod.namespace) || primary.unknown.contains(&pod.namespace);
            other && !pod.host_network
        });
        let each = elsewhere.map(|(id, _)| {
            let told = self.facts.of_pod(id, POD_NETWORKS).map(primary_addresses);
            (id, told.unwrap_or_default())
        });
        each.collect()
    }

    /// The ports that pods leave open on the default network (NW22).
    fn open(&self, primary: &PrimaryNetworks) -> (Vec<Option<TrafficSet>>, FurtherLabels) {
        let pods = self.cluster.pods();
        let pods = pods.filter(|(_, pod)| primary.of.contains_key(&pod.namespace));
        let told = pods.filter_map(|(id, _)| Some((id, self.facts.of_pod(id, OPEN_PORTS)?)));
        let (mut sets, mut labels) = (Vec::new(), Vec::new());
        for (id, value) in told {
            let ports = open_ports(value);
            let known = sets.iter().position(|set| *set == ports);
            let number = known.unwrap_or(sets.len());
            if known.is_none() {
                sets.push(ports);
            }
            labels.push((id, vec![(OPEN, number.to_string().into())]));
        }
        (sets, labels)
    }

    /// What is not known of networks.
    fn taints(&self, primary: &PrimaryNetworks, joined: &JoinedNetworks) -> Vec<Taint> {
        let unread = joined.unread.then_some(&primary.of).into_iter().flatten();
        let unread = unread.map(|(id, _)| *id);
        let all: BTreeSet<NamespaceId> = primary.unknown.iter().copied().chain(unread).collect();
        let each = all.into_iter().map(|id| {
            let namespace = self.cluster.namespace(id);
            Taint {
                what: format!("the primary network of namespace {}", namespace.name).into(),
                reason: TaintReason::UnmodelledKind,
                effect: TaintEffect::Anything,
                subject: TaintSubject::Pods(Subject {
                    namespaces: Namespaces::Named(namespace.name.clone()),
                    pods: Selector::everything(),
                }),
                directions: [true, true],
                origin: namespace.declared.clone(),
            }
        });
        each.collect()
    }
}

/// Policies act on the networks that they are for: admin policies on the default one (NW33), and
/// selectors find nobody across a connection (NW51).
fn restrict(
    policies: &mut PolicySet,
    cluster: &Cluster,
    primary: &PrimaryNetworks,
    joined: &JoinedNetworks,
) {
    let others: BTreeSet<Box<str>> = primary.networks.keys().cloned().collect();
    let outside = Requirement::Not(Selector::new([among(&others)]));
    let tiers = policies.tiers.clone();
    for policy in &mut policies.policies {
        let tier = &tiers[policy.tier.index()];
        if tier.layer != LayerIx::CLUSTER_NETWORK {
            continue;
        }
        if tier.is_ordered() {
            let own = policy.subject.pods.requirements().iter().cloned();
            policy.subject.pods = Selector::new(own.chain([outside.clone()]));
            continue;
        }
        let Namespaces::Named(name) = &policy.subject.namespaces else {
            continue;
        };
        let namespace = cluster
            .find_namespace(name)
            .filter(|_| !joined.pairs.is_empty());
        let Some(namespace) = namespace else { continue };
        let network = primary
            .of
            .get(&namespace)
            .map_or(DEFAULT, |network| network);
        let own = among(&[network.into()].into());
        for rule in policy.rules.iter_mut().flatten() {
            if let Peers::Of(list) = &rule.peers {
                rule.peers = Peers::Of(list.iter().map(|peer| found_on(peer, &own)).collect());
            }
        }
    }
}

/// A peer whose selectors find pods of one network alone.
fn found_on(peer: &Peer, own: &Requirement) -> Peer {
    match peer {
        Peer::Pods(namespaces, pods) => {
            let all = pods.requirements().iter().cloned().chain([own.clone()]);
            Peer::Pods(namespaces.clone(), Selector::new(all))
        }
        other => other.clone(),
    }
}
