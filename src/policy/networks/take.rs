//! All objects of networks together: which network each pod is on, and what keeps them apart.

use crate::model::open_labels::perhaps;
use crate::model::{Cluster, Namespace, NamespaceId, PodId, Requirement, Selector};
use crate::policy::networks::attached::{
    DEFAULT_NETWORK, GKE_INTERFACES, NETWORKS, OPEN_PORTS, open_ports, primary_addresses,
};
use crate::policy::networks::labels::{
    DEFAULT, OPEN, PRIMARY, REPLACED, SECONDARY, among, not, subjects,
};
use crate::policy::networks::plan::{NetworkPlan, NetworkPlugin};
use crate::policy::networks::primary::{
    JoinedNetworks, NetworkProblem, NetworkTaking, PrimaryNetworks,
};
use crate::policy::networks::secondary::FurtherLabels;
use crate::policy::networks::settings::NetworkSettings;
use crate::policy::networks::written::NetworkObject;
use crate::policy::networks::{exceptions, guests, islands};
use crate::policy::object_facts::ObjectFacts;
use crate::policy::policy_set::PolicySet;
use crate::policy::rule::{Namespaces, Peer, Peers, Subject};
use crate::policy::taint::{Taint, TaintEffect, TaintReason, TaintSubject};
use crate::policy::tier::LayerIx;
use crate::policy::unmodelled::PRIMARY_NETWORK_LABEL;
use crate::set::TrafficSet;
use crate::set::hashed::HashMap;
use crate::source::{DocumentId, Origin};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

/// Takes up the objects of networks; what is wrong with them together is returned.
pub fn take(
    objects: &[NetworkObject],
    cluster: &mut Cluster,
    policies: &mut PolicySet,
    facts: &ObjectFacts,
    settings: &NetworkSettings,
) -> Vec<NetworkProblem> {
    take_guests(cluster, policies, facts);
    let labelled =
        |(_, n): (NamespaceId, &Namespace)| n.labels.get(PRIMARY_NETWORK_LABEL).is_some();
    let asking = |key| move |pod: &PodId| facts.of_pod(*pod, key).is_some();
    let replaced: Vec<PodId> = facts.pods.keys().copied().collect();
    let replaced: Vec<PodId> = replaced
        .into_iter()
        .filter(asking(DEFAULT_NETWORK))
        .collect();
    let asks = |key| facts.pods.keys().any(asking(key));
    let has_further = asks(GKE_INTERFACES) || asks(NETWORKS);
    let nobody = objects.is_empty() && replaced.is_empty() && !has_further;
    if nobody && !cluster.namespaces().any(labelled) {
        return Vec::new();
    }
    take_replaced(cluster, policies, replaced);
    let taking = NetworkTaking {
        objects,
        cluster,
        facts,
        named: by_name(objects),
    };
    let mut problems = Vec::new();
    let primary = taking.primary(&mut problems);
    let joined = taking.joined(&primary);
    let mut further = taking.labels(&primary);
    let moved = taking.moved(&primary);
    policies.taints.extend(taking.taints(&primary, &joined));
    let (open, opened) = taking.open(&primary);
    let mut plan = taking.plan(&primary, &joined, policies);
    taking.networks(&mut plan);
    further.extend(taking.secondary(&mut plan));
    taking.secondary_policies(&mut plan);
    plan.join_wires(settings);
    problems.extend(plan.refused());
    if !plan.primary.is_empty() {
        let mut made = exceptions::open_ports(&open);
        made.extend(exceptions::services(cluster, &settings.infra_services));
        made.extend(plan.islands());
        restrict(policies, cluster, &primary, &joined);
        islands::add(policies, made);
        cluster.leave_untold([(PRIMARY, primary.untold())]);
    }
    add_labels(cluster, further);
    add_labels(cluster, opened);
    for (pod, addresses) in moved {
        cluster.put_on_own_network(pod, addresses);
    }
    if !plan.attachments.is_empty() {
        cluster.leave_untold([(SECONDARY, perhaps(&plan.told()))]);
        policies.plugin.proxies.push(plan.carried(true));
    }
    plan.open = open;
    policies.plugin.networks = Some(Arc::new(plan));
    problems
}

/// The objects of each name.
fn by_name(objects: &[NetworkObject]) -> HashMap<&str, Vec<usize>> {
    let mut named: HashMap<&str, Vec<usize>> = HashMap::default();
    for (at, object) in objects.iter().enumerate() {
        named.entry(&*object.name).or_default().push(at);
    }
    named
}

/// What guests of virtual machines have of the pod network.
fn take_guests(cluster: &mut Cluster, policies: &mut PolicySet, facts: &ObjectFacts) {
    let (made, labels) = guests::guests(cluster, facts);
    if !made.is_empty() {
        add_labels(cluster, labels);
        guests::add(policies, made);
    }
}

/// It is not known what is in the place of the default network of a pod (NW60).
fn take_replaced(cluster: &mut Cluster, policies: &mut PolicySet, pods: Vec<PodId>) {
    if pods.is_empty() {
        return;
    }
    let labels = pods.into_iter().map(|id| (id, vec![(REPLACED, "".into())]));
    add_labels(cluster, labels.collect());
    policies.taints.push(Taint {
        what: "the network in the place of the default one".into(),
        reason: TaintReason::UnmodelledKind,
        effect: TaintEffect::Anything,
        subject: TaintSubject::Pods(subjects(Requirement::Exists(REPLACED.into()))),
        directions: [true, true],
        origin: None,
    });
}

fn add_labels(cluster: &mut Cluster, further: FurtherLabels) {
    cluster.add_labels(&further);
}

/// So many combinations of networks are told of pods that are not loaded; of more, any.
const MOST_TOLD: usize = 64;

impl PrimaryNetworks {
    /// The label of a pod whose primary network is not known.
    fn untold(&self) -> String {
        let names: Vec<&str> = self.networks.keys().map(|n| &**n).collect();
        perhaps(&[&names[..], &[DEFAULT]].concat().join("|"))
    }
}

impl NetworkPlan {
    /// The values of the label of secondary networks that a pod may have which is not loaded.
    fn told(&self) -> String {
        let count = self.attachments.len();
        let numbers = (0..count).take_while(|_| count <= MOST_TOLD);
        let numbers: Vec<String> = numbers.map(|n| n.to_string()).collect();
        numbers.join("|")
    }

    /// The policies that are refused as a whole (NW76).
    fn refused(&self) -> Vec<NetworkProblem> {
        let is_bare = |name: &str| {
            let network = self.secondary.get(name);
            network.is_some_and(|n| n.plugin == NetworkPlugin::Ovn && !n.subnets)
        };
        let refused = self.policies.iter().filter(|p| p.selects_peers());
        let refused = refused.filter_map(|p| Some((p, p.networks.iter().find(|n| is_bare(n))?)));
        let each = refused.map(|(policy, network)| NetworkProblem {
            origin: Some(Origin::document(policy.policy.document)),
            message: format!(
                "MultiNetworkPolicy {} selects peers by labels on network `{network}`, which has no \
                 subnets: OVN-Kubernetes refuses it as a whole",
                policy.policy.full_name()
            ),
        });
        each.collect()
    }
}

impl NetworkTaking<'_> {
    /// The plan, as far as primary networks go.
    fn plan(
        &self,
        primary: &PrimaryNetworks,
        joined: &JoinedNetworks,
        policies: &PolicySet,
    ) -> NetworkPlan {
        let document = |at: usize| {
            self.objects
                .get(at)
                .map_or(DocumentId::NONE, |o| o.document)
        };
        let networks = primary.networks.iter();
        let is_mesh = |layer| layer == LayerIx::ISTIO || layer == LayerIx::LINKERD;
        let mut layers = policies.policies.iter().map(|p| policies.tier_of(p).layer);
        let mut plan = NetworkPlan {
            primary: networks.map(|(n, at)| (n.clone(), document(*at))).collect(),
            joined: joined.pairs.clone(),
            services: joined.services.clone(),
            meshed: layers.any(is_mesh) || !policies.plugin.proxies.is_empty(),
            ..NetworkPlan::default()
        };
        plan.faults.extend(self.unlabelled());
        plan
    }

    fn labels(&self, primary: &PrimaryNetworks) -> FurtherLabels {
        if primary.networks.is_empty() {
            return Vec::new();
        }
        let pods = self.cluster.pods().filter(|(_, pod)| !pod.host_network);
        let untold = primary.untold();
        let each = pods.map(|(id, pod)| {
            let network = match primary.of.get(&pod.namespace) {
                Some(name) => name,
                None if primary.unknown.contains(&pod.namespace) => &*untold,
                None => DEFAULT,
            };
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
        let each = elsewhere.map(|(id, _)| (id, primary_addresses(self.facts, id)));
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
    let outside = not(among(PRIMARY, others));
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
            .filter(|_| !(joined.pairs.is_empty() && joined.services.is_empty()));
        let Some(namespace) = namespace else { continue };
        let network = primary
            .of
            .get(&namespace)
            .map_or(DEFAULT, |network| network);
        let own = among(PRIMARY, [network]);
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
