//! What a verdict depends on besides the rules: options, assumptions about addresses, nodes.
//!
//! A [`Environment`] is the cluster and the policies under one set of options. It answers the
//! questions about a single endpoint that both the specification and the compiled graph ask, so
//! that an assumption is made in one place only.

use crate::input::Input;
use crate::model::{Cluster, Pod, PodId, Truth};
use crate::policy::cilium::options::CiliumOptions;
use crate::policy::networks::labels::{POLICED, SECONDARY};
use crate::policy::tier::{LayerIx, TierIx};
use crate::policy::{Direction, PolicySet, TaintSubject};
use crate::set::{Family, IpSet, Traffic};
use crate::spec::address_families::{EndFamilies, FamilySet};
pub use crate::spec::options::{
    CompileOptions, HostNetwork, HostNetworkMode, Plugin, ServiceCalls,
};
use crate::spec::plugin_view::{PluginView, api_servers};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// One end of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    /// A pod of the cluster.
    Pod(PodId),
    /// An address that is no pod of the cluster.
    Address(IpAddr),
}

/// One concrete question: may this traffic pass from here to there? The port is the destination's
/// own, after any Service translation (S51).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Flow {
    /// Where it starts.
    pub source: Endpoint,
    /// Where it goes.
    pub destination: Endpoint,
    /// Protocol and destination port.
    pub traffic: Traffic,
}

/// The cluster and the policies under one set of options.
#[derive(Debug, Clone)]
pub struct Environment {
    /// The cluster.
    pub cluster: Arc<Cluster>,
    /// The policies.
    pub policies: Arc<PolicySet>,
    /// The options.
    pub options: CompileOptions,
    /// Where the address of a pod without one may lie.
    pub assumed: IpSet,
    /// The address families of pods without addresses (S65).
    pub untold_families: EndFamilies,
    /// The families a connection may use: both, unless a question names a pod by an address, whose
    /// family is then asked about (S65).
    pub asked_families: FamilySet,
    /// The addresses of the Node objects.
    pub node_addresses: IpSet,
    /// Whether secondary networks carry something that the pod network may not.
    pub has_secondary_networks: bool,
    /// The addresses of nodes that something polices which is not modelled, by direction.
    pub policed_nodes: [IpSet; 2],
    /// The addresses that policies govern, with what stands for each.
    pub governed_addresses: BTreeMap<IpAddr, PodId>,
    /// The layers, each with its tiers in the order in which they are asked.
    pub layers: Arc<[(LayerIx, Vec<TierIx>)]>,
    /// The options of Cilium's agent, where the cluster runs it.
    pub cilium: Option<Arc<CiliumOptions>>,
    /// The addresses of the API server, as far as they are told.
    pub api_servers: IpSet,
}

impl Environment {
    /// Fixes the assumptions for an input. O(policies' address blocks + pods).
    pub fn new(input: &Input, options: &CompileOptions) -> Self {
        let PluginView {
            options,
            cluster,
            policies,
            cilium,
        } = PluginView::new(input, options);
        let assumed = options
            .pod_cidrs
            .clone()
            .unwrap_or_else(IpSet::assumed_pods);
        let untold_families = EndFamilies::of_untold(
            cluster.pods().map(|(_, pod)| pod),
            cluster
                .services()
                .flat_map(|(_, service)| service.families.iter().copied()),
            options.pod_cidrs.as_ref(),
        );
        let of_nodes = cluster
            .nodes()
            .flat_map(|(_, n)| n.addresses.iter().map(|a| ipnet::IpNet::from(*a)));
        let node_addresses = IpSet::from_cidrs(of_nodes);
        let layers = policies.layers().into();
        let has_secondary_networks = has_secondary_networks(&policies);
        let policed_nodes = policed_nodes(&policies, &options);
        let api_servers = api_servers(&cluster, &options);
        let hosts = cluster.hosts();
        let governed = hosts.flat_map(|(id, host)| host.addresses.iter().map(move |a| (*a, id)));
        let governed_addresses = governed.collect();
        Self {
            governed_addresses,
            cluster,
            policies,
            options,
            assumed,
            untold_families,
            asked_families: FamilySet::BOTH,
            node_addresses,
            has_secondary_networks,
            policed_nodes,
            layers,
            cilium,
            api_servers,
        }
    }

    /// The behaviours of host-network pods to consider.
    pub fn host_network_modes(&self) -> &'static [HostNetworkMode] {
        match self.options.host_network {
            HostNetwork::Unknown => &[HostNetworkMode::Node, HostNetworkMode::Pod],
            HostNetwork::Node => &[HostNetworkMode::Node],
            HostNetwork::Pod => &[HostNetworkMode::Pod],
        }
    }

    /// What policies ask about where an end is governed: the pod, or what stands for an address
    /// of a node.
    pub fn governed(&self, end: Endpoint) -> Option<PodId> {
        match end {
            Endpoint::Pod(pod) => Some(pod),
            Endpoint::Address(address) => self.governed_addresses.get(&address).copied(),
        }
    }

    /// The pod's known addresses: its own, or its node's when it shares the node's network.
    pub fn addresses<'w>(&'w self, pod: &'w Pod) -> &'w [IpAddr] {
        if !pod.addresses.is_empty() || !pod.host_network {
            return &pod.addresses;
        }
        let node = pod
            .node
            .as_deref()
            .and_then(|name| self.cluster.find_node(name));
        node.map_or(&[], |node| &node.addresses)
    }

    /// The address families of a pod (S65).
    pub fn families(&self, pod: &Pod) -> EndFamilies {
        let known = self.addresses(pod);
        if known.is_empty() {
            self.untold_families
        } else {
            let told = known.iter().map(|a| Family::of(*a)).collect();
            if self.has_secondary_networks && self.is_on_secondary_network(pod) {
                EndFamilies::Joined(told)
            } else {
                EndFamilies::Told(told)
            }
        }
    }

    fn is_on_secondary_network(&self, pod: &Pod) -> bool {
        let labels = self.cluster.labels(pod.labels);
        [SECONDARY, POLICED]
            .iter()
            .any(|key| labels.get(key).is_some())
    }

    /// The address families of one end of a connection (S65).
    pub fn end_families(&self, end: Endpoint) -> EndFamilies {
        match end {
            Endpoint::Address(address) => EndFamilies::Told(FamilySet::only(Family::of(address))),
            Endpoint::Pod(pod) => self.families(self.cluster.pod(pod)),
        }
    }

    /// The families that each case leaves to the connection between two ends. One case where the
    /// ends tell their families; a verdict has to hold in all of them.
    pub fn family_cases(&self, source: Endpoint, destination: Endpoint) -> Vec<FamilySet> {
        let ends = [source, destination].map(|end| self.end_families(end));
        if ends[0].may_meet_elsewhere(ends[1]) {
            return vec![FamilySet::default(), self.asked_families];
        }
        let of = |end: EndFamilies, untold: FamilySet| end.told().unwrap_or(untold);
        let presupposed = self.asked_families != FamilySet::BOTH
            || [source, destination]
                .iter()
                .any(|end| matches!(end, Endpoint::Address(_)));
        let all = [
            FamilySet::only(Family::V4),
            FamilySet::only(Family::V6),
            FamilySet::BOTH,
        ];
        let cases = if presupposed || !ends.contains(&EndFamilies::Untold) {
            &all[2..]
        } else {
            &all[..]
        };
        cases
            .iter()
            .map(|untold| of(ends[0], *untold).intersection(of(ends[1], *untold)))
            .map(|common| common.intersection(self.asked_families))
            .collect()
    }

    /// Where the pod's address of one family may lie: the known ones, else the assumed ranges; the
    /// address of an unknown node may be any.
    pub fn pod_addresses(&self, pod: &Pod, family: Family) -> PodAddress {
        let known = self.addresses(pod);
        if known.is_empty() {
            return PodAddress::Within(
                if pod.host_network || pod.own_network {
                    IpSet::full()
                } else {
                    self.assumed.clone()
                }
                .only(family),
            );
        }
        PodAddress::Known(
            known
                .iter()
                .copied()
                .filter(|a| Family::of(*a) == family)
                .collect(),
        )
    }

    /// Whether an address block matches the pod in one family (S35, S40).
    pub fn block_matches_pod(&self, block: &IpSet, pod: &Pod, family: Family) -> Truth {
        if !self.options.blocks_match_pods {
            return Truth::No;
        }
        self.pod_addresses(pod, family).inside(block)
    }

    /// Whether the pod behaves as its node here, so that selectors and port names do not see it
    /// (S56).
    pub fn is_node(pod: &Pod, mode: HostNetworkMode) -> bool {
        pod.host_network && mode == HostNetworkMode::Node
    }

    /// Whether `peer` is the node `pod` runs on, as far as that exempts traffic in a direction of
    /// the pod (S55).
    pub fn is_own_node(
        &self,
        pod: &Pod,
        peer: Endpoint,
        mode: HostNetworkMode,
        direction: Direction,
    ) -> Truth {
        match peer {
            _ if direction == Direction::Egress && !self.options.own_node_egress => Truth::No,
            Endpoint::Address(address) => self.address_of_own_node(pod, address),
            Endpoint::Pod(id) => {
                let other = self.cluster.pod(id);
                if !Self::is_node(other, mode) {
                    return Truth::No;
                }
                match (&pod.node, &other.node) {
                    (Some(a), Some(b)) => Truth::from(a == b),
                    _ => Truth::Maybe,
                }
            }
        }
    }

    fn address_of_own_node(&self, pod: &Pod, address: IpAddr) -> Truth {
        let in_node_range =
            Truth::from(self.options.node_cidrs.contains(address)).and(Truth::Maybe);
        match pod.node.as_deref().map(|name| self.cluster.find_node(name)) {
            Some(Some(node)) => Truth::from(node.addresses.contains(&address)),
            Some(None) if self.is_told_of_own(pod, address) => Truth::Yes,
            Some(None) => in_node_range,
            None => in_node_range.or(self.is_node_address(address).and(Truth::Maybe)),
        }
    }

    /// Whether pods tell that an address is that of the node `pod` runs on, whose object is not
    /// loaded.
    fn is_told_of_own(&self, pod: &Pod, address: IpAddr) -> bool {
        let node = pod.node.as_deref();
        node.is_some_and(|name| self.cluster.told_of_node(name).any(|told| told == address))
    }

    /// Whether an address that is some node's is that of the node `pod` runs on (S55).
    pub fn is_own_of_nodes(&self, pod: &Pod, address: IpAddr) -> Truth {
        let node = pod
            .node
            .as_deref()
            .and_then(|name| self.cluster.find_node(name));
        match node {
            Some(node) if !node.addresses.is_empty() => {
                Truth::from(node.addresses.contains(&address))
            }
            _ => Truth::Maybe,
        }
    }

    /// Where the address of a node that stands in for a caller may lie: the nodes' own, as far as
    /// they are told; else where private addresses lie (S41).
    pub fn may_be_nodes(&self, family: Family) -> IpSet {
        let told = self
            .node_addresses
            .union(&self.options.node_cidrs)
            .only(family);
        if told.is_empty() {
            IpSet::assumed_pods().only(family)
        } else {
            told
        }
    }

    /// Whether something that is not modelled may deny what an end sends or receives because it is
    /// a node, or on a node's network.
    pub fn may_be_policed_node(&self, end: Endpoint, direction: Direction) -> bool {
        let policed = &self.policed_nodes[direction.index()];
        !policed.is_empty() && self.may_be_node_of(end, policed)
    }

    /// Whether something that is not modelled polices some node in a direction.
    pub fn has_policed_nodes(&self, direction: Direction) -> bool {
        !self.policed_nodes[direction.index()].is_empty()
    }

    /// Whether an end is, or may be, one of the nodes with these addresses: a pod on its node's
    /// network is its node.
    pub fn may_be_node_of(&self, end: Endpoint, addresses: &IpSet) -> bool {
        match end {
            Endpoint::Address(address) => addresses.contains(address),
            Endpoint::Pod(pod) => self.cluster.pod(pod).host_network && !addresses.is_empty(),
        }
    }

    /// Whether an address belongs to a node, as far as Node objects tell.
    pub fn is_node_address(&self, address: IpAddr) -> Truth {
        Truth::from(self.node_addresses.contains(address))
    }
}

/// Whether secondary networks carry something that the pod network may not (NW3).
fn has_secondary_networks(policies: &PolicySet) -> bool {
    let mut proxies = policies.plugin.proxies.iter();
    proxies.any(|beside| [SECONDARY, POLICED].contains(&beside.key))
}

/// The addresses of the nodes that something polices which is not modelled; with
/// `--node-cidrs`, any address there may be such a node's.
fn policed_nodes(policies: &PolicySet, options: &CompileOptions) -> [IpSet; 2] {
    Direction::ALL.map(|direction| {
        let taints = policies.taints.iter();
        let policed = taints.filter(|t| options.taints && t.directions[direction.index()]);
        let addresses = policed.filter_map(|taint| match &taint.subject {
            TaintSubject::Nodes(addresses) => Some(addresses),
            TaintSubject::Pods(_) => None,
        });
        let told = addresses.fold(IpSet::empty(), |so_far, more| so_far.union(more));
        if told.is_empty() {
            told
        } else {
            told.union(&options.node_cidrs)
        }
    })
}

/// What is known of a pod's addresses in one family.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PodAddress {
    /// These.
    Known(Vec<IpAddr>),
    /// One somewhere in here; nowhere if the set is empty.
    Within(IpSet),
}

impl PodAddress {
    /// Whether an address lies in the block: surely, surely not, or not told.
    pub fn inside(&self, block: &IpSet) -> Truth {
        match self {
            Self::Known(known) => Truth::from(known.iter().any(|a| block.contains(*a))),
            Self::Within(range) if range.is_empty() || range.is_disjoint(block) => Truth::No,
            Self::Within(range) => Truth::from(range.is_subset(block)).or(Truth::Maybe),
        }
    }
}
