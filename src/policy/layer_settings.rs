//! What the configuration says of layers besides the network plugin's: which names stand for which
//! addresses, and which namespaces an egress firewall leaves alone.

use crate::policy::istio::settings::IstioSettings;
use crate::policy::linkerd::settings::LinkerdSettings;
use crate::policy::networks::settings::NetworkSettings;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Settings of layers, as far as they were told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LayerSettings {
    /// The addresses that domain names stand for, by the name in small letters.
    pub names: BTreeMap<Box<str>, Vec<IpAddr>>,
    /// The namespaces that objects of the older egress firewall leave alone (EF6).
    pub global_namespaces: BTreeSet<Box<str>>,
    /// Settings of Istio.
    pub istio: IstioSettings,
    /// Settings of Linkerd.
    pub linkerd: LinkerdSettings,
    /// Settings of networks.
    pub networks: NetworkSettings,
}
