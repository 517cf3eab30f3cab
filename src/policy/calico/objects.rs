//! Objects of Calico that are no policies and decide what policies mean.

use crate::model::{Cluster, Labels, NamedAddresses, NamedBy, ServiceEndpoint};
use crate::policy::calico::felix::FelixSettings;
use crate::policy::calico::options::CalicoSettings;
use crate::policy::calico::policy::CalicoRule;
use crate::policy::priority::Priority;
use crate::set::{IpSet, Protocol};
use crate::source::DocumentId;
use std::net::IpAddr;

/// The interface name of a host endpoint that stands for every other interface (CA103).
pub const EVERY_INTERFACE: &str = "*";

/// What was read of Calico besides policies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CalicoObjects {
    /// Whether the input has policies of Calico, so that the cluster runs it.
    pub has_policies: bool,
    /// The tiers.
    pub tiers: Vec<CalicoTier>,
    /// The network sets of both kinds.
    pub sets: Vec<NetworkSet>,
    /// The host endpoints.
    pub hosts: Vec<HostEndpoint>,
    /// The profiles.
    pub profiles: Vec<CalicoProfile>,
    /// The service accounts that have an object.
    pub accounts: Vec<Account>,
    /// What slices list for Services, whether ready or not (CA90).
    pub slices: Vec<Slice>,
    /// Settings of Felix, for every node and for single ones.
    pub felix: Vec<FelixSettings>,
}

/// An object that adds something to [`CalicoObjects`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CalicoExtra {
    /// A tier.
    Tier(CalicoTier),
    /// A network set.
    Set(NetworkSet),
    /// A host endpoint.
    Host(HostEndpoint),
    /// A profile.
    Profile(CalicoProfile),
    /// A service account.
    Account(Account),
    /// Settings of Felix.
    Felix(FelixSettings),
}

impl CalicoExtra {
    /// Whether its objects live in namespaces.
    pub fn is_namespaced(&self) -> bool {
        match self {
            Self::Set(set) => set.namespace.is_some(),
            Self::Account(_) => true,
            Self::Tier(_) | Self::Host(_) | Self::Profile(_) | Self::Felix(_) => false,
        }
    }
}

impl CalicoObjects {
    /// Whether the input has something that Calico enforces.
    pub fn is_enforced(&self) -> bool {
        self.has_policies || !self.hosts.is_empty()
    }

    /// The addresses that network sets and host endpoints name. A host endpoint of every interface
    /// without addresses has those of its node.
    pub fn named_addresses(&self, cluster: &Cluster) -> Vec<NamedAddresses> {
        let sets = self.sets.iter().map(|set| NamedAddresses {
            kind: NamedBy::NetworkSet,
            namespace: set.namespace.clone(),
            name: set.name.clone(),
            addresses: set.nets.clone(),
        });
        let hosts = self.hosts.iter().map(|host| {
            let of_node = cluster
                .find_node(&host.node)
                .filter(|_| host.addresses.is_empty() && &*host.interface == EVERY_INTERFACE);
            let of_node = of_node.iter().flat_map(|node| &node.addresses);
            let all = host.addresses.iter().chain(of_node);
            NamedAddresses {
                kind: NamedBy::HostEndpoint,
                namespace: None,
                name: host.name.clone(),
                addresses: IpSet::from_cidrs(all.map(|a| ipnet::IpNet::from(*a))),
            }
        });
        sets.chain(hosts).collect()
    }

    /// Whether it is assumed what becomes of traffic from pods to their own nodes, where host
    /// endpoints show that nodes are policed (CA101).
    pub fn assumes_endpoint_to_host(&self, settings: &CalicoSettings) -> bool {
        let told = |felix: &FelixSettings| felix.node.is_none() && felix.endpoint_to_host.is_some();
        let is_told = settings.endpoint_to_host.is_some() || self.felix.iter().any(told);
        !self.hosts.is_empty() && !is_told
    }

    /// Whether a tier is built in, or one of the input.
    pub fn defines(&self, tier: &str) -> bool {
        const FIXED: [&str; 5] = [
            "default",
            "kube-admin",
            "kube-baseline",
            "adminnetworkpolicy",
            "baselineadminnetworkpolicy",
        ];
        FIXED.contains(&tier) || self.tiers.iter().any(|own| *own.name == *tier)
    }

    /// Takes up an object; of two of one name, as of the same one in both groups, the first stays
    /// (CA170).
    pub fn add(&mut self, extra: CalicoExtra) {
        match extra {
            CalicoExtra::Tier(tier) => {
                if self.tiers.iter().all(|t| t.name != tier.name) {
                    self.tiers.push(tier);
                }
            }
            CalicoExtra::Set(set) => {
                let is_it = |s: &NetworkSet| s.name == set.name && s.namespace == set.namespace;
                if !self.sets.iter().any(is_it) {
                    self.sets.push(set);
                }
            }
            CalicoExtra::Host(host) => {
                if self.hosts.iter().all(|h| h.name != host.name) {
                    self.hosts.push(host);
                }
            }
            CalicoExtra::Profile(profile) => {
                if self.profiles.iter().all(|p| p.name != profile.name) {
                    self.profiles.push(profile);
                }
            }
            CalicoExtra::Account(account) => self.accounts.push(account),
            CalicoExtra::Felix(felix) => {
                if self.felix.iter().all(|f| f.node != felix.node) {
                    self.felix.push(felix);
                }
            }
        }
    }
}

/// A tier (CA7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalicoTier {
    /// Its name.
    pub name: Box<str>,
    /// Its place among the tiers.
    pub order: Priority,
    /// Whether what it does not decide goes on to the next tier.
    pub passes: bool,
    /// The object.
    pub document: DocumentId,
}

/// A network set (CA8, CA19).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkSet {
    /// Its namespace; none of a global one.
    pub namespace: Option<Box<str>>,
    /// Its name.
    pub name: Box<str>,
    /// Its labels.
    pub labels: Labels,
    /// Its addresses.
    pub nets: IpSet,
    /// The object.
    pub document: DocumentId,
}

/// A host endpoint (CA9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostEndpoint {
    /// Its name.
    pub name: Box<str>,
    /// Its labels.
    pub labels: Labels,
    /// Its node.
    pub node: Box<str>,
    /// The name of its interface: one, `*`, or none.
    pub interface: Box<str>,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// The profiles behind its policies.
    pub profiles: Vec<Box<str>>,
    /// Its named ports.
    pub ports: Vec<(Box<str>, Protocol, u16)>,
    /// The object.
    pub document: DocumentId,
}

impl HostEndpoint {
    /// Its addresses as a set.
    pub fn set(&self) -> IpSet {
        IpSet::from_cidrs(self.addresses.iter().map(|a| ipnet::IpNet::from(*a)))
    }
}

/// A profile (CA10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalicoProfile {
    /// Its name.
    pub name: Box<str>,
    /// The labels that it gives.
    pub labels: Labels,
    /// Its rules, by direction.
    pub rules: [Vec<CalicoRule>; 2],
}

/// A service account with its labels (CA16).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its namespace.
    pub namespace: Box<str>,
    /// Its name.
    pub name: Box<str>,
    /// Its labels.
    pub labels: Labels,
}

/// The endpoints that slices list for one Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// The namespace of the Service.
    pub namespace: Box<str>,
    /// Its name.
    pub service: Box<str>,
    /// The endpoints.
    pub endpoints: Vec<ServiceEndpoint>,
}
