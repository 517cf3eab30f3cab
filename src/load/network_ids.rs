//! [`NetworkIds`]: which namespaces `OpenShift`'s older plugin puts on which network.
//!
//! Namespaces of one id are joined, those of id 0 reach and are reached by all, and only one plugin
//! looks at ids at all.

use crate::load::object::{Contribution, LoadedObject};
use crate::model::{NAMESPACE_NAME_LABEL, Requirement, Selector};
use crate::policy::unmodelled::{SparedPeers, SparedPods, TaintNamespaces};

/// The plugin that keeps network ids apart.
const MULTITENANT: &str = "redhat/openshift-ovs-multitenant";

/// The network ids of namespaces.
#[derive(Default)]
pub struct NetworkIds {
    /// The selectors of namespaces, each with the id.
    ids: Vec<(i64, Vec<Requirement>)>,
    /// Whether the cluster says that another plugin is in charge.
    is_other_plugin: bool,
}

impl NetworkIds {
    /// What the objects of an input say.
    pub fn of(objects: &[LoadedObject]) -> Self {
        let mut found = Self::default();
        for object in objects {
            match &object.contribution {
                Contribution::NetworkPlugin(name) if !name.is_empty() => {
                    found.is_other_plugin = **name != *MULTITENANT;
                }
                Contribution::Unmodelled(policy) => {
                    for reach in &policy.reaches {
                        let spares = reach.spares.as_ref().map(|spares| &spares.pods);
                        if let (Some(SparedPods::OfNetwork(id)), TaintNamespaces::Matching(own)) =
                            (spares, &reach.namespaces)
                        {
                            found.ids.push((*id, own.requirements().to_vec()));
                        }
                    }
                }
                _ => {}
            }
        }
        found
    }

    /// Whom an object leaves alone where ids are looked up; none where it touches nobody.
    pub fn settle(&self, spares: &SparedPeers) -> Option<SparedPeers> {
        let SparedPods::OfNetwork(id) = spares.pods else {
            return Some(spares.clone());
        };
        if id == 0 || self.is_other_plugin {
            return None;
        }
        let joined = self
            .ids
            .iter()
            .filter(|(other, _)| *other == id || *other == 0);
        let named = joined.flat_map(|(_, own)| own);
        let names = named.flat_map(|requirement| requirement.values().iter().cloned());
        let names = Requirement::In(NAMESPACE_NAME_LABEL.into(), names.collect());
        Some(SparedPeers {
            pods: SparedPods::In(Selector::new([names])),
            ..spares.clone()
        })
    }
}
