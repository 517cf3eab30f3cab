//! Which primary network each namespace has, and which of them are joined (NW10-NW14, NW50).

use crate::model::{Cluster, NamespaceId, Selector, Truth};
use crate::policy::networks::plan::{NetworkFault, NetworkFaultKind};
use crate::policy::networks::written::{NetworkContent, NetworkObject};
use crate::policy::object_facts::ObjectFacts;
use crate::policy::unmodelled::PRIMARY_NETWORK_LABEL;
use crate::set::hashed::HashMap;
use crate::source::Origin;
use std::collections::{BTreeMap, BTreeSet};

/// Something that is wrong with the networks of a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkProblem {
    /// Where.
    pub origin: Option<Origin>,
    /// What.
    pub message: String,
}

/// The objects of networks while they are taken up.
pub struct NetworkTaking<'t> {
    /// The objects.
    pub objects: &'t [NetworkObject],
    /// The cluster.
    pub cluster: &'t Cluster,
    /// What its objects say besides labels.
    pub facts: &'t ObjectFacts,
    /// The objects of each name.
    pub named: HashMap<&'t str, Vec<usize>>,
}

/// The primary networks.
#[derive(Debug, Default)]
pub struct PrimaryNetworks {
    /// The networks besides the default one, each with the object that stands for it.
    pub networks: BTreeMap<Box<str>, usize>,
    /// The network of each namespace that is not on the default one.
    pub of: BTreeMap<NamespaceId, Box<str>>,
    /// The namespaces of which it is not known.
    pub unknown: BTreeSet<NamespaceId>,
}

/// Which networks reach each other.
#[derive(Debug, Default)]
pub struct JoinedNetworks {
    /// Pairs whose pods reach each other, in both orders.
    pub pairs: BTreeSet<(Box<str>, Box<str>)>,
    /// Pairs whose pods reach each other's Services.
    pub services: BTreeSet<(Box<str>, Box<str>)>,
    /// Whether more may be joined.
    pub unread: bool,
}

impl NetworkTaking<'_> {
    /// The primary network of each namespace (NW10-NW14).
    pub fn primary(&self, problems: &mut Vec<NetworkProblem>) -> PrimaryNetworks {
        let mut primary = PrimaryNetworks::default();
        for (id, namespace) in self.cluster.namespaces() {
            let found = self.candidates(id);
            let names: BTreeSet<&Box<str>> = found.iter().map(|(name, ..)| name).collect();
            let labelled = namespace.labels.get(PRIMARY_NETWORK_LABEL).is_some();
            if namespace.declared.is_none() && !found.is_empty() {
                primary.unknown.insert(id);
                continue;
            }
            if !labelled {
                continue; // NW12
            }
            let certain = found.iter().all(|(_, _, certain)| *certain);
            match (found.first(), names.len()) {
                (Some((name, object, _)), 1) if certain => {
                    primary.networks.entry(name.clone()).or_insert(*object);
                    primary.of.insert(id, name.clone());
                }
                (_, count) => {
                    primary.unknown.insert(id);
                    if count > 1 {
                        problems.push(NetworkProblem {
                            origin: namespace.declared.clone(),
                            message: format!(
                                "namespace `{}` has several primary networks, so that its pods \
                                 cannot start",
                                namespace.name
                            ),
                        });
                    }
                }
            }
        }
        primary
    }

    /// The primary networks that may be a namespace's: name, object, and whether surely.
    fn candidates(&self, id: NamespaceId) -> Vec<(Box<str>, usize, bool)> {
        let namespace = self.cluster.namespace(id);
        let own = |object: &NetworkObject| object.namespace == namespace.name;
        let each = self.objects.iter().enumerate();
        each.filter_map(|(i, object)| match &object.content {
            NetworkContent::Own(topology) if topology.primary && own(object) => {
                Some((network_name(object), i, true))
            }
            NetworkContent::Shared {
                namespaces,
                topology,
                ..
            } if topology.primary => {
                let selected = namespace.selected_by(namespaces);
                let certain = selected == Truth::Yes;
                selected
                    .possible()
                    .then(|| (network_name(object), i, certain))
            }
            NetworkContent::Attachment(config) if config.is_primary() && own(object) => {
                Some((network_name(object), i, true))
            }
            _ => None,
        })
        .collect()
    }

    /// Primary networks for namespaces that lack the label, which have no effect there (NW12).
    pub fn unlabelled(&self) -> Vec<NetworkFault> {
        let mut faults = Vec::new();
        for (id, namespace) in self.cluster.namespaces() {
            let labelled = namespace.labels.get(PRIMARY_NETWORK_LABEL).is_some();
            if labelled || namespace.declared.is_none() {
                continue;
            }
            for (network, at, certain) in self.candidates(id) {
                let object = self.objects.get(at).filter(|_| certain);
                // what selects every namespace means those that have the label
                let Some(object) = object.filter(|object| !object.selects_all()) else {
                    continue;
                };
                faults.push(NetworkFault {
                    kind: NetworkFaultKind::NoLabel,
                    origin: Origin::document(object.document),
                    what: format!("namespace {}", namespace.name).into(),
                    networks: network,
                });
            }
        }
        faults
    }

    /// Which networks connections join (NW50).
    pub fn joined(&self, primary: &PrimaryNetworks) -> JoinedNetworks {
        let mut joined = JoinedNetworks::default();
        for object in self.objects {
            let NetworkContent::Connect(connection) = &object.content else {
                continue;
            };
            joined.unread |= connection.unread;
            let mut all: BTreeSet<Box<str>> = BTreeSet::new();
            for other in self.objects {
                let NetworkContent::Shared { labels, .. } = &other.content else {
                    continue;
                };
                if connection.networks.iter().any(|s| s.matches(labels)) {
                    all.insert(network_name(other));
                }
            }
            for (id, network) in &primary.of {
                let namespace = self.cluster.namespace(*id);
                let selects = |s: &Selector| namespace.selected_by(s).possible();
                if connection.namespaces.iter().any(selects) {
                    all.insert(network.clone());
                }
            }
            let pairs = all
                .iter()
                .flat_map(|a| all.iter().map(move |b| (a.clone(), b.clone())));
            let pairs = pairs.filter(|(a, b)| a != b);
            let pairs: Vec<(Box<str>, Box<str>)> = pairs.collect();
            if connection.services {
                joined.services.extend(pairs.iter().cloned());
            }
            if connection.pods {
                joined.pairs.extend(pairs);
            }
        }
        joined
    }
}

/// What a network is called (NW2).
pub fn network_name(object: &NetworkObject) -> Box<str> {
    match &object.content {
        NetworkContent::Own(_) => format!("udn/{}/{}", object.namespace, object.name).into(),
        NetworkContent::Shared { .. } => format!("cudn/{}", object.name).into(),
        NetworkContent::Attachment(config) if config.ovn => format!("nad/{}", config.name).into(),
        NetworkContent::Attachment(_) | NetworkContent::Connect(_) | NetworkContent::Policy(_) => {
            format!("nad/{}/{}", object.namespace, object.name).into()
        }
    }
}
