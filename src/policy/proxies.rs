//! Proxies of a mesh, and how traffic travels between them: what [`crate::policy::tunnel`] rewrites
//! the policies of the network plugin by.

use crate::model::Pod;
use crate::set::TrafficSet;
use std::collections::{BTreeMap, BTreeSet};

/// The pods of a mesh, by a label that says by what their proxies go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeshProxies {
    /// The label.
    pub key: &'static str,
    /// What port names stand for at pods with a value of the label.
    pub names: BTreeMap<Box<str>, PortNames>,
    /// How traffic travels between them.
    pub tunnels: Vec<Tunnel>,
    /// By which other ways they may reach what is no pod, and be reached by it.
    pub outside: Vec<OutsideWay>,
}

impl MeshProxies {
    /// Whether all traffic travels as it is written.
    pub fn change_nothing(&self) -> bool {
        self.tunnels.is_empty() && self.outside.is_empty()
    }
}

/// A way by which some pods may reach what is no pod, and be reached by it, whatever policies say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutsideWay {
    /// The values of the label of these pods.
    pub values: BTreeSet<Box<str>>,
    /// What travels there.
    pub what: Box<str>,
}

/// Port names with what they stand for.
pub type PortNames = Vec<(Box<str>, TrafficSet)>;

/// What the port names of a pod stand for.
pub fn port_names(pod: &Pod) -> PortNames {
    let named = pod.ports.iter();
    let named = named.filter_map(|port| Some((port.name.clone()?, port.traffic())));
    let mut all: BTreeMap<Box<str>, TrafficSet> = BTreeMap::new();
    for (name, traffic) in named {
        let known = all.entry(name).or_default();
        *known = known.union(&traffic);
    }
    all.into_iter().collect()
}

/// How traffic between some pods travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tunnel {
    /// The values of the label at the source.
    pub sources: BTreeSet<Box<str>>,
    /// The values at the destination.
    pub destinations: BTreeSet<Box<str>>,
    /// The traffic that travels so, by the ports that it is for.
    pub traffic: TrafficSet,
    /// How it travels.
    pub way: TunnelWay,
}

/// How traffic travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TunnelWay {
    /// To a port of the proxy.
    Port(u16),
    /// As it does, and perhaps by another way too, which policies of these do not see.
    Beside {
        /// What travels there.
        what: Box<str>,
        /// Whether everything surely does.
        certain: bool,
    },
    /// By something in between, so that it is not known what policies make of it.
    Between(Box<str>),
}
