//! Which host endpoint polices what a node sends and receives (CA102, CA103).
//!
//! A host endpoint is an interface of its node, or with `*` every interface that has none of its
//! own. Manifests do not tell which interface has which address, nor which one a packet takes;
//! what they tell is in [`Met`]: the traffic of a node's own processes is found by the address that
//! it is for, what a node forwards by the node alone.
//!
//! Invariants: a host endpoint is surely met only where no other one can be in its place, so that
//! what is not known is at most unknown. Cost: O(host endpoints + their nodes' addresses).

use crate::model::open_labels::{at_run_time, perhaps};
use crate::model::{Cluster, Labels, Pod};
use crate::policy::calico::objects::{CalicoObjects, EVERY_INTERFACE, HostEndpoint};
use crate::policy::host_labels::{FORWARDED, PROCESS};
use crate::set::IpSet;
use crate::source::DocumentId;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// The host endpoints that traffic meets at a node: one of these.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Met {
    /// By number, sorted.
    hosts: Vec<usize>,
    /// Whether it may meet none of them.
    perhaps_none: bool,
}

impl Met {
    /// What stands for it as the value of a label; none where nothing is met.
    fn label(&self, hosts: &[HostEndpoint], node: &str) -> Option<String> {
        if self.hosts.is_empty() {
            return None;
        }
        let names = self.hosts.iter().map(|at| hosts[*at].name.to_string());
        let none = self.perhaps_none.then(|| nothing_at(node));
        let values: Vec<String> = names.chain(none).collect();
        Some(match &values[..] {
            [only] => only.clone(),
            several => at_run_time(&several.join("|")),
        })
    }
}

/// What stands for no host endpoint at a node, where that is possible: no name has a space.
pub fn nothing_at(node: &str) -> String {
    format!("none of {node}")
}

/// The host endpoints of one node.
#[derive(Debug, Default)]
struct NodeInterfaces {
    /// That of every other interface.
    every: Option<usize>,
    /// Those of one interface each.
    named: Vec<usize>,
    /// The addresses of the node that are told.
    addresses: BTreeSet<IpAddr>,
    /// Whether the node itself tells them.
    is_told: bool,
}

/// The host endpoints of all nodes.
pub struct Interfaces<'o> {
    hosts: &'o [HostEndpoint],
    nodes: BTreeMap<&'o str, NodeInterfaces>,
}

impl<'o> Interfaces<'o> {
    /// Sorts them by node; of two for one interface the one whose name sorts first counts (CA103).
    pub fn new(objects: &'o CalicoObjects, cluster: &Cluster) -> Self {
        let hosts = &objects.hosts[..];
        let mut by_name: Vec<usize> = (0..hosts.len()).collect();
        by_name.sort_by(|a, b| hosts[*a].name.cmp(&hosts[*b].name));
        let mut nodes: BTreeMap<&str, NodeInterfaces> = BTreeMap::new();
        for at in by_name {
            let host = &hosts[at];
            let node = nodes.entry(&host.node).or_default();
            node.addresses.extend(&host.addresses);
            let same = |other: &usize| hosts[*other].interface == host.interface;
            if &*host.interface == EVERY_INTERFACE {
                node.every.get_or_insert(at);
            } else if host.interface.is_empty() || !node.named.iter().any(same) {
                node.named.push(at);
            }
        }
        for (name, node) in &mut nodes {
            if let Some(told) = cluster.find_node(name) {
                node.is_told = !told.addresses.is_empty();
                node.addresses.extend(&told.addresses);
            }
        }
        Self { hosts, nodes }
    }

    /// Whether a host endpoint is of every other interface.
    pub fn is_of_every(&self, host: usize) -> bool {
        &*self.hosts[host].interface == EVERY_INTERFACE
    }

    /// The nodes that have host endpoints, each with all that count and with its addresses.
    pub fn nodes(&self) -> impl Iterator<Item = (&'o str, Vec<usize>, IpSet)> + '_ {
        self.nodes.iter().map(|(name, node)| {
            let addresses = node.addresses.iter().map(|a| ipnet::IpNet::from(*a));
            (*name, node.all(), IpSet::from_cidrs(addresses))
        })
    }

    /// Whether a node with host endpoints has no address that is told.
    pub fn has_untold(&self) -> bool {
        self.nodes.values().any(|node| node.addresses.is_empty())
    }

    /// The label of a pod that says what its traffic meets at its node: where the pod is on the
    /// network of the node as that of the node's processes, else as what the node forwards.
    pub fn label_of(&self, pod: &Pod, key: &str) -> Option<String> {
        let is_asked = match key {
            PROCESS => pod.host_network,
            FORWARDED => !pod.host_network,
            _ => false,
        };
        if !is_asked {
            return None;
        }
        let Some(name) = pod.node.as_deref() else {
            return Some(perhaps(""));
        };
        let node = self.nodes.get(name)?;
        let met = if pod.host_network {
            self.of_processes(node)
        } else {
            self.forwarded(node)
        };
        met.label(self.hosts, name)
    }

    /// What traffic to and from one address of a node meets.
    fn at(&self, node: &NodeInterfaces, address: IpAddr) -> Met {
        let is_nameless = |host: usize| self.hosts[host].interface.is_empty();
        let lists = |host: &usize| self.hosts[*host].addresses.contains(&address);
        let listing: Vec<usize> = node.named.iter().copied().filter(lists).collect();
        let mut hosts = match listing[..] {
            [] => {
                let may_have =
                    |host: &usize| is_nameless(*host) || self.hosts[*host].addresses.is_empty();
                let mut hosts: Vec<usize> = node.named.iter().copied().filter(may_have).collect();
                hosts.extend(node.every);
                hosts
            }
            [only] => {
                // an interface that is found by its addresses may be one that has a name
                let mut others = node.named.iter().filter(|host| **host != only);
                let apart = if is_nameless(only) {
                    others.next().is_none()
                } else {
                    others.all(|host| !is_nameless(*host))
                };
                if apart { listing } else { node.named.clone() }
            }
            _ => listing,
        };
        let is_listed = node.named.iter().any(lists);
        hosts.sort_unstable();
        Met {
            hosts,
            perhaps_none: !is_listed && node.every.is_none(),
        }
    }

    /// What the traffic of a node's processes meets, whichever address it is for.
    fn of_processes(&self, node: &NodeInterfaces) -> Met {
        let mut each = node.addresses.iter().map(|a| self.at(node, *a));
        let first = each.next().filter(|_| node.is_told);
        match first {
            Some(first) if each.all(|other| other == first) => first,
            _ => node.any(),
        }
    }

    /// What traffic meets that a node forwards: what the node itself sends meets the same, unless
    /// there are several interfaces to choose from.
    fn forwarded(&self, node: &NodeInterfaces) -> Met {
        match (node.every, &node.named[..]) {
            (None, [_]) => self.of_processes(node),
            _ => node.any(),
        }
    }

    /// What stands for the addresses of the nodes, so that policies can govern them: one for all
    /// that meet the same.
    pub fn governed(&self, cluster: &mut Cluster) -> Vec<Pod> {
        let mut met: BTreeMap<IpAddr, (Met, BTreeSet<&str>)> = BTreeMap::new();
        for (name, node) in &self.nodes {
            for address in &node.addresses {
                let here = self.at(node, *address);
                let (known, nodes) = met.entry(*address).or_default();
                if nodes.insert(*name) && nodes.len() > 1 {
                    known.perhaps_none = true; // it is of one of them
                }
                known.perhaps_none |= here.perhaps_none;
                known.hosts.extend(here.hosts);
                known.hosts.sort_unstable();
                known.hosts.dedup();
            }
        }
        let mut alike: BTreeMap<(String, Option<&str>), Vec<IpAddr>> = BTreeMap::new();
        for (address, (met, nodes)) in met {
            let first = nodes.first().copied();
            let node = first.filter(|_| nodes.len() == 1);
            if let Some(label) = met.label(self.hosts, first.unwrap_or_default()) {
                alike.entry((label, node)).or_default().push(address);
            }
        }
        let each = alike.into_iter();
        each.map(|((label, node), addresses)| self.stand_in(cluster, label, node, addresses))
            .collect()
    }

    /// What stands for some addresses of a node.
    fn stand_in(
        &self,
        cluster: &mut Cluster,
        label: String,
        node: Option<&str>,
        addresses: Vec<IpAddr>,
    ) -> Pod {
        let labels: Labels = [(PROCESS.to_owned(), label)].into_iter().collect();
        let first = self.hosts.first().map(|host| host.document);
        cluster.host(labels, node, addresses, first.unwrap_or(DocumentId::NONE))
    }
}

impl NodeInterfaces {
    /// All host endpoints that count, sorted.
    fn all(&self) -> Vec<usize> {
        let mut all: Vec<usize> = self.named.iter().copied().chain(self.every).collect();
        all.sort_unstable();
        all
    }

    /// Any of them; what meets none may be, unless there is one for every interface.
    fn any(&self) -> Met {
        Met {
            hosts: self.all(),
            perhaps_none: self.every.is_none(),
        }
    }
}
