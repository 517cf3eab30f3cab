//! The secondary networks of pods, and what these may carry besides (NW3, NW60-NW63).

use crate::model::PodId;
use crate::policy::networks::attached::asked;
use crate::policy::networks::labels::SECONDARY;
use crate::policy::networks::primary::{NetworkTaking, network_name};
use crate::policy::networks::written::{NetworkContent, NetworkObject};
use crate::policy::proxies::{MeshProxies, Tunnel, TunnelWay};
use crate::set::TrafficSet;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Labels of pods on secondary networks, and how traffic may travel there.
pub type Secondary = (Vec<(PodId, Vec<(&'static str, Arc<str>)>)>, MeshProxies);

/// The definitions of other plugins, all together: they may be one wire (NW62).
const OF_OTHERS: &str = "of another plugin";

impl NetworkTaking<'_> {
    /// The labels of pods on secondary networks, and what these may carry besides (NW3).
    pub fn secondary(&self) -> Option<Secondary> {
        let mut combinations: BTreeMap<BTreeSet<Box<str>>, usize> = BTreeMap::new();
        let mut labels = Vec::new();
        for (id, _) in self.cluster.pods() {
            let networks = self.networks_of(id);
            if networks.is_empty() {
                continue;
            }
            let next = combinations.len();
            let number = *combinations.entry(networks).or_insert(next);
            labels.push((id, vec![(SECONDARY, number.to_string().into())]));
        }
        let is_policy = |o: &NetworkObject| matches!(o.content, NetworkContent::Policy);
        let policed = self.objects.iter().any(is_policy);
        let networks: BTreeSet<Box<str>> = combinations
            .keys()
            .flat_map(|all| all.iter().cloned())
            .collect();
        let tunnels = networks.iter().map(|network| {
            let on = combinations.iter().filter(|(all, _)| all.contains(network));
            let on: BTreeSet<Box<str>> = on.map(|(_, i)| i.to_string().into()).collect();
            let what = format!("what travels on the secondary network {network}");
            Tunnel {
                sources: on.clone(),
                destinations: on,
                traffic: TrafficSet::all(),
                way: TunnelWay::Beside {
                    what: what.into(),
                    certain: !policed && **network != *OF_OTHERS,
                },
            }
        });
        let proxies = MeshProxies {
            key: SECONDARY,
            names: BTreeMap::new(),
            tunnels: tunnels.collect(),
        };
        (!labels.is_empty()).then_some((labels, proxies))
    }

    /// The secondary networks that a pod asks for (NW60, NW63).
    fn networks_of(&self, id: PodId) -> BTreeSet<Box<str>> {
        let Some(asked) = asked(self.cluster, self.facts, id) else {
            return [OF_OTHERS.into()].into();
        };
        let own = |object: &NetworkObject, namespace: &str, name: &str| match &object.content {
            NetworkContent::Connect(_) | NetworkContent::Policy => false,
            NetworkContent::Shared { .. } => *object.name == *name,
            _ => *object.namespace == *namespace && *object.name == *name,
        };
        let mut networks = BTreeSet::new();
        for (namespace, name) in &asked {
            let found = self
                .objects
                .iter()
                .find(|object| own(object, namespace, name));
            let Some(object) = found else {
                networks.insert(OF_OTHERS.into());
                continue;
            };
            networks.insert(network_name(object));
            if matches!(&object.content, NetworkContent::Attachment(config) if !config.ovn) {
                networks.insert(OF_OTHERS.into());
            }
        }
        networks
    }
}
