//! The policies that keep networks apart, and their tier (NW20-NW22, NW41).

use crate::model::{Cluster, Requirement, Selector};
use crate::policy::layer_policy::{LayerPolicies, PolicyHead};
use crate::policy::layout::RulePlace;
use crate::policy::networks::labels::{DEFAULT, OPEN, PRIMARY};
use crate::policy::networks::primary::{JoinedNetworks, PrimaryNetworks};
use crate::policy::networks::written::NetworkObject;
use crate::policy::policy_set::PolicySet;
use crate::policy::rule::{
    Action, AddressOwner, Direction, GeneratedBy, Namespaces, Peer, Peers, Policy, PortMatch,
    Ports, Qualifier, Rule, Shape, Subject,
};
use crate::policy::tier::{LayerIx, Tier, TierEnd, TierMode, Ties};
use crate::set::{IpSet, TrafficSet};
use crate::source::{DocumentId, Path};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How the parts of a network are called.
pub static NETWORK: Shape = Shape {
    kind: "network",
    api_version: "k8s.ovn.org/v1",
    rules: ["spec", "spec"],
    peers: ["from", "to"],
    ports: "ports",
    subject: "spec",
    allow: "allow",
    has_actions: false,
};

/// The Services that every pod reaches (NW41).
const INFRA_SERVICES: [&str; 3] = [
    "default/kubernetes",
    "kube-system/kube-dns",
    "openshift-dns/dns-default",
];

/// The condition of what reaches a pod by its Service alone.
const BY_SERVICE: &str = "the call goes to the Service, and not to the pod itself";

/// What the policies of networks are made of.
pub struct NetworkPolicies<'p> {
    /// The cluster.
    pub cluster: &'p Cluster,
    /// The primary networks.
    pub primary: &'p PrimaryNetworks,
    /// Networks that are joined.
    pub joined: &'p JoinedNetworks,
    /// The ports that pods leave open on the default network; none where they cannot be read.
    pub open: &'p [Option<TrafficSet>],
    /// Further Services that every pod reaches.
    pub infra: &'p [Box<str>],
}

/// That the primary network is one of these.
pub fn among(networks: &BTreeSet<Box<str>>) -> Requirement {
    Requirement::In(PRIMARY.into(), networks.iter().cloned().collect())
}

fn pods_of(requirement: Requirement) -> Peer {
    let everywhere = Namespaces::Matching(Selector::everything());
    Peer::Pods(everywhere, Selector::new([requirement]))
}

/// Nodes and the pods on their network.
fn nodes() -> Peer {
    Peer::Owned(AddressOwner::Nodes, IpSet::full())
}

fn rule(action: Action, peers: Vec<Peer>) -> Rule {
    Rule::new(action, Peers::Of(peers.into()), Ports::Any)
}

impl NetworkPolicies<'_> {
    /// The policies: one of each network, and the exceptions.
    pub fn policies(&self, objects: &[NetworkObject]) -> Vec<Policy> {
        let mut made = self.exceptions();
        for (name, object) in &self.primary.networks {
            let object = objects.get(*object);
            let document = object.map_or(DocumentId::NONE, |object| object.document);
            made.push(self.network(name, document));
        }
        made.push(self.network(DEFAULT, DocumentId::NONE));
        made
    }

    /// What keeps a network apart (NW20, NW21).
    fn network(&self, name: &str, document: DocumentId) -> Policy {
        let with = |pairs: &BTreeSet<(Box<str>, Box<str>)>| -> BTreeSet<Box<str>> {
            let of = pairs.iter().filter(|(a, _)| **a == *name);
            of.map(|(_, b)| b.clone()).collect()
        };
        let mut own = with(&self.joined.pairs);
        own.insert(name.into());
        let by_service = Rule {
            qualifiers: vec![Qualifier::Application(BY_SERVICE.into())],
            ..rule(
                Action::Allow,
                vec![pods_of(among(&with(&self.joined.services)))],
            )
        };
        let allowed = rule(Action::Allow, vec![pods_of(among(&own))]);
        let mut others = vec![pods_of(Requirement::Not(Selector::new([among(&own)])))];
        if name != DEFAULT {
            others.push(nodes());
        }
        let rules = vec![allowed, by_service, rule(Action::Deny, others)];
        let subject = Subject {
            namespaces: Namespaces::Matching(Selector::everything()),
            pods: Selector::new([among(&[name.into()].into())]),
        };
        policy(name, document, 0, subject, rules)
    }

    /// What is let in besides: ports that pods leave open, and Services that every pod reaches.
    fn exceptions(&self) -> Vec<Policy> {
        let mut made = Vec::new();
        for (number, ports) in self.open.iter().enumerate() {
            let from = vec![pods_of(among(&[DEFAULT.into()].into())), nodes()];
            let unread = "which ports of the default network are open";
            let doubt = ports
                .is_none()
                .then(|| Qualifier::Undocumented(unread.into()));
            let open = Rule {
                ports: ports.as_ref().map_or(Ports::Any, |ports| {
                    Ports::Of([PortMatch::Traffic(ports.clone())].into())
                }),
                qualifiers: doubt.into_iter().collect(),
                ..rule(Action::Allow, from)
            };
            let subject = Subject {
                namespaces: Namespaces::Matching(Selector::everything()),
                pods: Selector::label(OPEN, &number.to_string()),
            };
            made.push(policy(
                "open default ports",
                DocumentId::NONE,
                -1,
                subject,
                vec![open],
            ));
        }
        made.extend(self.services());
        made
    }

    /// Pods behind Services that every pod reaches: by the Service, and not by themselves.
    fn services(&self) -> Vec<Policy> {
        let listed = |name: &str| {
            INFRA_SERVICES.contains(&name) || self.infra.iter().any(|other| **other == *name)
        };
        let services = self.cluster.services().filter(|(_, service)| {
            let namespace = &self.cluster.namespace(service.namespace).name;
            listed(&format!("{namespace}/{}", service.name))
        });
        let each = services.filter_map(|(_, service)| {
            let open = Rule {
                qualifiers: vec![Qualifier::Application(BY_SERVICE.into())],
                ..rule(
                    Action::Allow,
                    vec![pods_of(Requirement::Exists(PRIMARY.into()))],
                )
            };
            let namespace = self.cluster.namespace(service.namespace).name.clone();
            let subject = Subject {
                namespaces: Namespaces::Named(namespace),
                pods: service.selector.clone()?,
            };
            Some(policy(
                "services of the cluster",
                DocumentId::NONE,
                -1,
                subject,
                vec![open],
            ))
        });
        each.collect()
    }

    /// Adds the policies in their tier, which is the only one of its layer.
    pub fn add(policies: &mut PolicySet, made: Vec<Policy>) {
        let (layer, mode) = (LayerIx::NETWORKS, TierMode::Ordered(Ties::ByName));
        let tier = || Tier::of_layer(layer, "network", "networks", mode, TierEnd::Pass);
        let mut added = LayerPolicies::new(policies);
        made.into_iter()
            .for_each(|policy| added.add(tier(), policy));
    }
}

fn policy(
    name: &str,
    document: DocumentId,
    priority: i32,
    subject: Subject,
    rules: Vec<Rule>,
) -> Policy {
    let placed = |rule| (rule, RulePlace::whole(Path::root()));
    let head = PolicyHead {
        namespace: None,
        name: name.into(),
        document,
        shape: &NETWORK,
    };
    let made = document == DocumentId::NONE;
    let generated = made.then(|| {
        Arc::new(GeneratedBy {
            by: "primary user-defined networks".into(),
            unless: None,
        })
    });
    let rules = rules.into_iter().map(placed).collect();
    Policy {
        priority: priority.into(),
        generated,
        ..head.policy(Direction::Ingress, subject, rules)
    }
}
