//! An input as one network has it: who is on it, with which addresses, and which policies act
//! there. A graph of it answers what a question about that network asks.
//!
//! Invariants: policies keep their indices, those that do not act there say nothing; what is added
//! stands at the end. Cost: O(pods + policies). Road not taken: every network in one graph, as
//! address families are; each walk would have had to ask once for each network, and clusters
//! without further networks, nearly all, would have paid for it.

use crate::model::{Cluster, Requirement, Selector};
use crate::policy::layer_policy::LayerPolicies;
use crate::policy::networks::exceptions::OPEN_PORTS;
use crate::policy::networks::islands::{self, NETWORK};
use crate::policy::networks::labels::{DEFAULT, PRIMARY, SECONDARY, among, not, subjects};
use crate::policy::networks::plan::{
    NetworkPlan, NetworkPlugin, SecondaryNetwork, SecondaryPolicy,
};
use crate::policy::plugin::PluginObjects;
use crate::policy::policy_set::PolicySet;
use crate::policy::proxies::MeshProxies;
use crate::policy::rule::{Direction, GeneratedBy, Peer, Peers, Policy, Subject};
use crate::policy::taint::{Taint, TaintEffect, TaintReason, TaintSubject};
use crate::policy::tier::{LayerIx, Tier, TierEnd, TierMode};
use crate::source::Origin;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

/// An input as a network has it.
pub struct NetworkView {
    /// Its pods.
    pub cluster: Cluster,
    /// The policies that act there.
    pub policies: PolicySet,
    /// Whether it is a secondary network, where nothing of the network plugin's own acts.
    pub secondary: bool,
}

/// The input as a network has it; none where no network is called so.
pub fn on_network(cluster: &Cluster, policies: &PolicySet, name: &str) -> Option<NetworkView> {
    let empty = Arc::default();
    let plan = policies.plugin.networks.as_ref().unwrap_or(&empty);
    if name == DEFAULT || plan.primary.contains_key(name) {
        return Some(primary(cluster, policies, plan, name));
    }
    let network = plan.secondary.get(name)?;
    Some(secondary(cluster, policies, plan, network))
}

/// Takes away what a policy says.
fn silence(policy: &mut Policy) {
    policy.applies = [false, false];
    policy.isolates = [false, false];
    policy.rules = [Vec::new(), Vec::new()];
    policy.written = None;
}

/// A subject with a further requirement.
fn restricted(subject: &Subject, further: Requirement) -> Subject {
    let own = subject.pods.requirements().iter().cloned();
    Subject {
        namespaces: subject.namespaces.clone(),
        pods: Selector::new(own.chain([further])),
    }
}

fn primary(cluster: &Cluster, policies: &PolicySet, plan: &NetworkPlan, name: &str) -> NetworkView {
    let (mut cluster, mut policies) = (cluster.clone(), policies.clone());
    policies.plugin.proxies.retain(|p| p.key != SECONDARY);
    let others = not(among(PRIMARY, plan.primary.keys().cloned()));
    let tiers = policies.tiers.clone();
    for policy in &mut policies.policies {
        let layer = tiers[policy.tier.index()].layer;
        let is_open = name == DEFAULT && *policy.name == *OPEN_PORTS;
        if layer == LayerIx::NETWORKS && *policy.shape == NETWORK && !is_open {
            silence(policy);
        } else if layer == LayerIx::CLUSTER_NETWORK && name == DEFAULT {
            policy.subject = restricted(&policy.subject, others.clone()); // NW30
        }
    }
    if !plan.primary.is_empty() {
        islands::add(&mut policies, plan.alone(name));
    }
    if name == DEFAULT {
        cluster.change_pods(|pod| {
            if pod.own_network {
                // their addresses on the default network are not those that are known
                (pod.own_network, pod.addresses) = (false, Box::default());
            }
        });
    } else {
        cluster.change_pods(|pod| pod.host_network = false); // NW21
    }
    NetworkView {
        cluster,
        policies,
        secondary: false,
    }
}

fn secondary(
    cluster: &Cluster,
    policies: &PolicySet,
    plan: &NetworkPlan,
    network: &SecondaryNetwork,
) -> NetworkView {
    let (wire, mut policies) = (&*network.wire, policies.clone());
    let mut doubts = of_meshes(&policies);
    if plan.is_of_gke(wire) {
        let everyone = subjects(Requirement::Exists(SECONDARY.into()));
        let (effect, both) = (TaintEffect::OnlyDeny, [true, true]);
        doubts.push(doubt(OF_GKE, effect, everyone, both));
    }
    policies.policies.iter_mut().for_each(silence);
    policies.plugin = PluginObjects {
        networks: policies.plugin.networks.take(),
        ..PluginObjects::default()
    };
    let is_of_plugin = |taint: &Taint| taint.effect == TaintEffect::UnorderedTier;
    policies.taints.retain(|taint| !is_of_plugin(taint)); // NW35
    policies.taints.extend(doubts);
    islands::add(&mut policies, plan.wire_alone(wire, network.document));
    let acting = WirePolicies { plan, wire };
    acting.add(&mut policies);
    NetworkView {
        cluster: moved(cluster, plan, wire),
        policies,
        secondary: true,
    }
}

/// The cluster with the addresses that pods have on a wire (NW61).
fn moved(cluster: &Cluster, plan: &NetworkPlan, wire: &str) -> Cluster {
    let numbers = plan.attachments.iter().map(|on| {
        let of_wire = |name: &str| plan.secondary.get(name).is_some_and(|n| *n.wire == *wire);
        let lists: Vec<_> = on.iter().filter(|(name, _)| of_wire(name)).collect();
        let untold = lists.iter().any(|(_, list)| list.is_empty());
        let all = lists.iter().flat_map(|(_, list)| list.iter().copied());
        all.filter(|_| !untold).collect()
    });
    let numbers: Vec<Box<[IpAddr]>> = numbers.collect();
    let of_pods = cluster.pods().map(|(id, _)| {
        let number = cluster.pod_labels(id).get(SECONDARY);
        let number = number.and_then(|n| n.parse::<usize>().ok());
        let told = number.and_then(|n| numbers.get(n));
        told.cloned().unwrap_or_default()
    });
    let of_pods: Vec<Box<[IpAddr]>> = of_pods.collect();
    let mut cluster = cluster.clone();
    let mut addresses = of_pods.into_iter();
    cluster.change_pods(|pod| {
        pod.addresses = addresses.next().unwrap_or_default();
        pod.own_network = true;
        pod.host_network = false;
    });
    cluster
}

/// What is not known of networks of GKE.
const OF_GKE: &str = "what policies say of networks of GKE";

/// What is not known of a mesh.
const OF_MESH: &str = "what the service mesh does on secondary networks";

/// What service meshes do on secondary networks is not known: they may deny what their policies
/// govern, and send what proxies take over in another way.
fn of_meshes(policies: &PolicySet) -> Vec<Taint> {
    let is_mesh = |layer| layer == LayerIx::ISTIO || layer == LayerIx::LINKERD;
    let governing = policies.policies.iter();
    let governing = governing.filter(|policy| is_mesh(policies.tier_of(policy).layer));
    let denied = governing.map(|policy| {
        doubt(
            OF_MESH,
            TaintEffect::OnlyDeny,
            policy.subject.clone(),
            policy.applies,
        )
    });
    let proxies = policies
        .plugin
        .proxies
        .iter()
        .filter(|p| p.key != SECONDARY);
    let sent = proxies.map(|proxies| {
        let subject = subjects(among(proxies.key, ends(proxies)));
        doubt(OF_MESH, TaintEffect::Anything, subject, [true, true])
    });
    denied.chain(sent).collect()
}

/// The values of the label of pods whose traffic goes by proxies.
fn ends(proxies: &MeshProxies) -> BTreeSet<Box<str>> {
    let tunnels = proxies.tunnels.iter();
    let ends = tunnels.flat_map(|t| t.sources.iter().chain(&t.destinations));
    ends.cloned().collect()
}

fn doubt(what: &str, effect: TaintEffect, subject: Subject, directions: [bool; 2]) -> Taint {
    Taint {
        what: what.into(),
        reason: TaintReason::UnmodelledKind,
        effect,
        subject: TaintSubject::Pods(subject),
        directions,
        origin: None,
    }
}

/// The policies that act on a wire.
struct WirePolicies<'p> {
    plan: &'p NetworkPlan,
    wire: &'p str,
}

impl WirePolicies<'_> {
    fn add(&self, policies: &mut PolicySet) {
        let mut made = Vec::new();
        for policy in &self.plan.policies {
            let on = self.subjects(policy);
            if on.is_empty() {
                continue;
            }
            let subject = restricted(&policy.policy.subject, among(SECONDARY, on));
            match self.refused(policy) {
                Some(what) => {
                    let directions = policy.policy.applies;
                    policies.taints.push(Taint {
                        reason: TaintReason::Broken,
                        origin: Some(Origin::document(policy.policy.document)),
                        ..doubt(&what, TaintEffect::Anything, subject, directions)
                    });
                }
                None => made.extend(self.parts(policy, &subject)),
            }
        }
        let (layer, mode) = (LayerIx::CLUSTER_NETWORK, TierMode::Unordered);
        let (name, plural) = ("MultiNetworkPolicy", "MultiNetworkPolicies");
        let tier = || Tier::of_layer(layer, name, plural, mode, TierEnd::DenyIsolated);
        let mut added = LayerPolicies::new(policies);
        made.into_iter()
            .for_each(|policy| added.add(tier(), policy));
    }

    /// The pods whose way onto the wire a policy governs: those that are there by a network that
    /// it is for, and those that may be there by one.
    fn subjects(&self, policy: &SecondaryPolicy) -> BTreeSet<Box<str>> {
        let plan = self.plan;
        let by = |on_wire: bool| {
            plan.values(|name, network| {
                policy.networks.contains(name) && (*network.wire == *self.wire) == on_wire
            })
        };
        let on = plan.on_wire(self.wire);
        let perhaps = plan.perhaps_on_wire(self.wire);
        let elsewhere = by(false);
        let only = elsewhere
            .intersection(&perhaps)
            .filter(|v| !on.contains(*v));
        by(true).into_iter().chain(only.cloned()).collect()
    }

    /// The networks of a policy that are, or may be, the wire.
    fn networks<'a>(&'a self, policy: &'a SecondaryPolicy) -> Vec<&'a SecondaryNetwork> {
        let known = policy.networks.iter();
        known
            .filter_map(|name| self.plan.secondary.get(name))
            .collect()
    }

    /// A policy that is refused as a whole, as selectors of peers are on networks without subnets
    /// (NW76).
    fn refused(&self, policy: &SecondaryPolicy) -> Option<String> {
        let networks = self.networks(policy);
        let refuses = |n: &&SecondaryNetwork| n.plugin == NetworkPlugin::Ovn && !n.subnets;
        let refused = networks.iter().any(refuses) && policy.selects_peers();
        refused.then(|| format!("MultiNetworkPolicy {}", policy.policy.full_name()))
    }

    /// A policy for its pods on the wire; where it is not sure whether a part of it acts, that part
    /// is a policy of its own.
    fn parts(&self, policy: &SecondaryPolicy, subject: &Subject) -> Vec<Policy> {
        let networks = self.networks(policy);
        let is_own = |n: &&SecondaryNetwork| n.plugin == NetworkPlugin::Ovn;
        let (own, usual) = (
            networks.iter().all(is_own),
            networks.iter().all(|n| n.plugin != NetworkPlugin::Other),
        );
        let peers = self.plan.values(|name, _| policy.networks.contains(name));
        let mut whole = policy.policy.clone();
        whole.subject = subject.clone();
        for rule in whole.rules.iter_mut().flatten() {
            if let Peers::Of(list) = &rule.peers {
                let found = list.iter().map(|peer| found_among(peer, &peers));
                rule.peers = Peers::Of(found.collect()); // NW71
            }
        }
        if !usual {
            let why = "policies are enforced on networks of the types that are configured alone";
            whole.generated = Some(doubtful(why)); // NW77
        }
        let no_ingress = policy.untyped && whole.rules(Direction::Ingress).is_empty();
        if own || !no_ingress {
            return vec![whole];
        }
        let mut part = whole.clone();
        let d = Direction::Ingress.index();
        (whole.applies[d], whole.isolates[d]) = (false, false);
        let e = Direction::Egress.index();
        (part.applies[e], part.isolates[e]) = (false, false);
        let why =
            "without `policyTypes` some implementations take directions that have rules alone";
        part.generated = Some(doubtful(why)); // NW72
        vec![part, whole]
    }
}

/// That a policy may not act.
fn doubtful(why: &str) -> Arc<GeneratedBy> {
    Arc::new(GeneratedBy {
        by: "what enforces policies of secondary networks".into(),
        unless: Some(why.into()),
    })
}

impl SecondaryPolicy {
    /// Whether it has peers by labels.
    pub fn selects_peers(&self) -> bool {
        let rules = self.policy.rules.iter().flatten();
        let selects = |peer: &Peer| matches!(peer, Peer::Pods(..));
        rules.into_iter().any(|rule| match &rule.peers {
            Peers::Of(list) => list.iter().any(selects),
            Peers::Any => false,
        })
    }
}

/// A peer whose selectors find pods of some networks alone.
fn found_among(peer: &Peer, values: &BTreeSet<Box<str>>) -> Peer {
    match peer {
        Peer::Pods(namespaces, pods) => {
            let own = pods.requirements().iter().cloned();
            let on = among(SECONDARY, values.iter().cloned());
            Peer::Pods(namespaces.clone(), Selector::new(own.chain([on])))
        }
        other => other.clone(),
    }
}
