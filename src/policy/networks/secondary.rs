//! The secondary networks of pods, and the policies of these networks (NW60-NW63, NW70-NW77).

use crate::model::{PodId, Selector, Truth};
use crate::policy::networks::attached::{AskedNetwork, OF_GKE, addresses_by, asked};
use crate::policy::networks::labels::SECONDARY;
use crate::policy::networks::plan::{
    Attachments, NetworkFault, NetworkFaultKind, NetworkPlan, NetworkPlugin, SecondaryNetwork,
    SecondaryPolicy, WireReach,
};
use crate::policy::networks::primary::{NetworkTaking, network_name};
use crate::policy::networks::settings::NetworkSettings;
use crate::policy::networks::written::{
    NetworkContent, NetworkObject, Topology, WrittenMultiPolicy,
};
use crate::policy::rule::Policy;
use crate::source::{DocumentId, Origin};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Further labels of pods.
pub type FurtherLabels = Vec<(PodId, Vec<(&'static str, Arc<str>)>)>;

/// The type of plugin that the programs know which enforce policies, unless they are told others
/// (NW77).
const USUAL_PLUGIN: &str = "macvlan";

/// What a pod is on whose annotation cannot be read.
const UNREAD: &str = "nad/?";

impl NetworkTaking<'_> {
    /// Adds the secondary networks, and gives pods the label of those that they are on.
    pub fn secondary(&self, plan: &mut NetworkPlan) -> FurtherLabels {
        let mut known: BTreeMap<Attachments, usize> = BTreeMap::new();
        let mut labels = Vec::new();
        for (id, pod) in self.cluster.pods() {
            if pod.host_network {
                continue;
            }
            let on = self.attachments(id, plan);
            if on.is_empty() {
                continue;
            }
            let next = known.len();
            let number = *known.entry(on).or_insert(next);
            labels.push((id, vec![(SECONDARY, number.to_string().into())]));
        }
        let mut numbered: Vec<(Attachments, usize)> = known.into_iter().collect();
        numbered.sort_by_key(|(_, number)| *number);
        plan.attachments = numbered.into_iter().map(|(on, _)| on).collect();
        labels
    }

    /// The secondary networks that a pod is on, with its addresses there (NW60, NW61).
    fn attachments(&self, id: PodId, plan: &mut NetworkPlan) -> Attachments {
        let Some(asked) = asked(self.cluster, self.facts, id) else {
            let unread = plan.secondary.entry(UNREAD.into());
            unread.or_insert_with(|| missing(UNREAD));
            return [(UNREAD.into(), Vec::new())].into();
        };
        let mut on = Attachments::new();
        let mut untold = BTreeSet::new();
        for one in asked {
            let name = self.network_named(&one, plan);
            let told = if one.addresses.is_empty() {
                addresses_by(self.facts, id, &one.namespace, &one.name)
            } else {
                one.addresses
            };
            if told.is_empty() {
                untold.insert(name.clone());
            }
            on.entry(name).or_default().extend(told);
        }
        for name in untold {
            on.insert(name, Vec::new());
        }
        on
    }

    /// The network of a definition that a pod or a policy names; one of its own where the
    /// definition is not in the input.
    fn network_named(&self, asked: &AskedNetwork, plan: &mut NetworkPlan) -> Box<str> {
        if *asked.namespace == *OF_GKE {
            let name: Box<str> = format!("{OF_GKE}{}", asked.name).into();
            let known = plan.secondary.entry(name.clone());
            known.or_insert_with(|| of_gke(&name));
            return name;
        }
        if let Some(object) = self.definition(&asked.namespace, &asked.name) {
            return network_name(object);
        }
        let name: Box<str> = format!("nad/{}/{}", asked.namespace, asked.name).into();
        let known = plan.secondary.entry(name.clone());
        known.or_insert_with(|| missing(&name));
        name
    }

    /// The object that makes a definition of a secondary network (NW15, NW60).
    fn definition(&self, namespace: &str, name: &str) -> Option<&NetworkObject> {
        let is_own = |o: &NetworkObject| *o.namespace == *namespace;
        let named = self.named.get(name).into_iter().flatten();
        let mut objects = named.filter_map(|at| self.objects.get(*at));
        objects.find(|object| match &object.content {
            NetworkContent::Own(topology) => !topology.primary && is_own(object),
            NetworkContent::Attachment(config) => !config.is_primary() && is_own(object),
            NetworkContent::Shared {
                namespaces,
                topology,
                ..
            } => !topology.primary && self.is_in(namespace, namespaces),
            NetworkContent::Connect(_) | NetworkContent::Policy(_) => false,
        })
    }

    /// Whether a network for some namespaces is surely for the one of a name.
    fn is_in(&self, namespace: &str, namespaces: &Selector) -> bool {
        let known = self.cluster.find_namespace(namespace);
        let known = known.map(|id| self.cluster.namespace(id));
        known.map(|namespace| namespace.selected_by(namespaces)) == Some(Truth::Yes)
    }

    /// Adds the networks that objects make (NW62, NW63).
    pub fn networks(&self, plan: &mut NetworkPlan) {
        for object in self.objects {
            let Some(network) = network_of(object) else {
                continue;
            };
            let known = plan.secondary.entry(network.wire.clone());
            let known = known.or_insert_with(|| network.clone());
            known.subnets |= network.subnets;
            known.reach = known.reach.max(network.reach);
        }
    }

    /// Adds the policies of secondary networks; what is in vain is noted.
    pub fn secondary_policies(&self, plan: &mut NetworkPlan) {
        for object in self.objects {
            let NetworkContent::Policy(written) = &object.content else {
                continue;
            };
            let networks = self.networks_for(written, plan);
            let policy = Policy {
                document: object.document,
                ..written.policy.clone()
            };
            self.note(object, &networks, plan);
            plan.policies.push(SecondaryPolicy {
                policy,
                networks,
                untyped: written.untyped,
            });
        }
    }

    /// The networks that a policy is for (NW70).
    fn networks_for(
        &self,
        written: &WrittenMultiPolicy,
        plan: &mut NetworkPlan,
    ) -> BTreeSet<Box<str>> {
        let each = written.definitions.iter();
        let asked = each.map(|(namespace, name)| AskedNetwork {
            namespace: namespace.clone(),
            name: name.clone(),
            addresses: Vec::new(),
        });
        asked
            .map(|asked| self.network_named(&asked, plan))
            .collect()
    }

    /// Notes that a policy is for no network, or for those that nobody is on.
    fn note(&self, object: &NetworkObject, networks: &BTreeSet<Box<str>>, plan: &mut NetworkPlan) {
        let is_used = |name: &str| plan.attachments.iter().any(|on| on.contains_key(name));
        let kind = if networks.is_empty() {
            NetworkFaultKind::NoNetwork
        } else if !networks.iter().any(|name| is_used(name)) {
            NetworkFaultKind::NobodyThere
        } else {
            return;
        };
        let names: Vec<&str> = networks.iter().map(|name| &**name).collect();
        plan.faults.push(NetworkFault {
            kind,
            origin: Origin::document(object.document),
            what: format!("MultiNetworkPolicy {}/{}", object.namespace, object.name).into(),
            networks: names.join(", ").into(),
        });
    }
}

/// A network whose definition is not in the input.
fn missing(name: &str) -> SecondaryNetwork {
    SecondaryNetwork {
        wire: name.into(),
        reach: WireReach::Unknown,
        plugin: NetworkPlugin::Other,
        subnets: true,
        document: DocumentId::NONE,
    }
}

/// A network of GKE: policies with an annotation are for it, and those of its other kinds for every
/// network.
fn of_gke(name: &str) -> SecondaryNetwork {
    SecondaryNetwork {
        reach: WireReach::Physical,
        plugin: NetworkPlugin::Gke,
        ..missing(name)
    }
}

/// The secondary network that an object makes.
fn network_of(object: &NetworkObject) -> Option<SecondaryNetwork> {
    let of_topology = |topology: Topology| of_ovn(object, topology);
    match &object.content {
        NetworkContent::Own(topology) | NetworkContent::Shared { topology, .. } => {
            (!topology.primary).then(|| of_topology(*topology))
        }
        NetworkContent::Attachment(config) if config.ovn => {
            (!config.topology.primary).then(|| of_topology(config.topology))
        }
        NetworkContent::Attachment(config) => Some(SecondaryNetwork {
            reach: WireReach::Physical,
            plugin: if *config.plugin == *USUAL_PLUGIN {
                NetworkPlugin::Usual
            } else {
                NetworkPlugin::Other
            },
            subnets: true,
            ..of_topology(config.topology)
        }),
        NetworkContent::Connect(_) | NetworkContent::Policy(_) => None,
    }
}

/// A network that OVN-Kubernetes serves.
fn of_ovn(object: &NetworkObject, topology: Topology) -> SecondaryNetwork {
    SecondaryNetwork {
        wire: network_name(object),
        reach: if topology.localnet {
            WireReach::Physical
        } else {
            WireReach::Closed
        },
        plugin: NetworkPlugin::Ovn,
        subnets: topology.subnets,
        document: object.document,
    }
}

impl NetworkPlan {
    /// Makes the networks one wire that are said to be one (NW62).
    pub fn join_wires(&mut self, settings: &NetworkSettings) {
        for group in &settings.same_segment {
            let known = group.iter().filter_map(|name| self.secondary.get(name));
            let wires: BTreeSet<Box<str>> = known.map(|network| network.wire.clone()).collect();
            let Some(first) = wires.first() else {
                continue;
            };
            for network in self.secondary.values_mut() {
                if wires.contains(&network.wire) {
                    network.wire = first.clone();
                }
            }
        }
    }
}
