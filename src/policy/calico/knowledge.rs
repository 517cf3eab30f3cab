//! What decides the meaning of a policy besides its text, and what a side of a rule means.

use crate::model::Cluster;
use crate::policy::calico::labels::NumbersOfNames;
use crate::policy::calico::objects::CalicoObjects;
use crate::policy::calico::options::CalicoSettings;
use crate::policy::rule::Peer;
use crate::set::IpSet;

/// What decides the meaning of a policy besides its text.
pub struct CalicoKnowledge<'k> {
    /// Network sets, host endpoints, slices.
    pub objects: &'k CalicoObjects,
    /// The cluster, with its namespaces and Services; none while a single object is read.
    pub cluster: Option<&'k Cluster>,
    /// Settings.
    pub settings: &'k CalicoSettings,
    /// The ports that pods name.
    pub ports: NumbersOfNames,
}

impl<'k> CalicoKnowledge<'k> {
    /// What is known while a single object is read.
    pub fn alone(objects: &'k CalicoObjects, settings: &'k CalicoSettings) -> Self {
        Self {
            objects,
            cluster: None,
            settings,
            ports: NumbersOfNames::default(),
        }
    }
}

/// Whom a side of a rule means.
#[derive(Debug, Clone)]
pub struct SidePeers {
    /// The endpoints that it selects and the addresses of the sets; none if it selects nothing in
    /// particular.
    pub selected: Option<Peer>,
    /// Of these the pods; every pod, if it selects nothing in particular.
    pub pods: Peer,
    /// What holds besides: blocks, and what it is not.
    pub besides: Vec<Peer>,
    /// The host endpoints that it selects.
    pub hosts: Vec<usize>,
    /// The families in which it means anybody.
    pub families: [bool; 2],
}

impl SidePeers {
    /// All that has to hold.
    pub fn whole(&self) -> Vec<Peer> {
        self.selected.iter().chain(&self.besides).cloned().collect()
    }

    /// The same of pods that are selected by their labels.
    pub fn of_pods(&self) -> Vec<Peer> {
        std::iter::once(&self.pods)
            .chain(&self.besides)
            .cloned()
            .collect()
    }

    /// The same of addresses.
    pub fn of_addresses(&self, addresses: IpSet) -> Vec<Peer> {
        let own = Peer::Addresses(addresses);
        std::iter::once(&own)
            .chain(&self.besides)
            .cloned()
            .collect()
    }
}
