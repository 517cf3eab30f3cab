//! What a network plugin's own objects and options say besides policies: they decide what its
//! policies mean, and are looked up when the policies are lowered once more for a graph
//! ([`crate::policy::cilium::specialize`], [`crate::policy::calico::specialize`],
//! [`crate::policy::antrea::specialize`]).

use crate::model::Labels;
use crate::policy::antrea::objects::AntreaObjects;
use crate::policy::calico::objects::CalicoObjects;
use crate::policy::cilium::options::CiliumSettings;
use crate::policy::networks::plan::NetworkPlan;
use crate::policy::proxies::MeshProxies;
use crate::set::IpSet;
use ipnet::IpNet;
use std::sync::Arc;

/// What was read of a network plugin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PluginObjects {
    /// Whether the input has policies of Cilium, so that the cluster runs it.
    pub has_cilium_policies: bool,
    /// Whether the network plugin is Cilium, because someone told or because of its policies.
    pub is_cilium: bool,
    /// Settings of Cilium's agent that were found in the input.
    pub settings: CiliumSettings,
    /// Groups of address blocks.
    pub groups: Vec<CidrGroup>,
    /// Objects of Calico.
    pub calico: CalicoObjects,
    /// Objects of Antrea.
    pub antrea: AntreaObjects,
    /// The proxies of meshes between which traffic travels on another port.
    pub proxies: Vec<MeshProxies>,
    /// What is known of networks besides the default one, where the input has any.
    pub networks: Option<Arc<NetworkPlan>>,
}

/// A network plugin whose policies imply it, where none is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // they are called so
pub enum ImpliedPlugin {
    Cilium,
    Calico,
    Antrea,
}

impl ImpliedPlugin {
    /// As it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cilium => "Cilium",
            Self::Calico => "Calico",
            Self::Antrea => "Antrea",
        }
    }
}

impl PluginObjects {
    /// The plugin that the policies of the input imply; of several the first counts.
    pub fn implied(&self) -> Option<ImpliedPlugin> {
        let each = [
            (self.has_cilium_policies, ImpliedPlugin::Cilium),
            (self.calico.is_enforced(), ImpliedPlugin::Calico),
            (self.antrea.has_policies, ImpliedPlugin::Antrea),
        ];
        let found = each.into_iter().find(|(is_there, _)| *is_there);
        found.map(|(_, plugin)| plugin)
    }
}

/// A named group of address blocks (CI87).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CidrGroup {
    /// Its name.
    pub name: Box<str>,
    /// Its labels.
    pub labels: Labels,
    /// Its blocks.
    pub blocks: Vec<IpNet>,
}

impl CidrGroup {
    /// The addresses of its blocks.
    pub fn addresses(&self) -> IpSet {
        IpSet::from_cidrs(self.blocks.iter().copied())
    }
}
