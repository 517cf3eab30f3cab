//! The settings of lint: which rules run, how severe their findings are, and what the input alone
//! cannot say about the cluster.
//!
//! Plain data, filled from the command line and from the `lint:` part of the configuration file. It
//! knows no rule, so that everything in lint may read it; what the names of rules in it mean is
//! decided in [`crate::lint::config`].

use crate::finding::Severity;
use crate::model::{Requirement, Selector};
use crate::set::{IpSet, Protocol, TrafficSet};

/// The settings of lint.
#[derive(Debug, Clone)]
pub struct LintConfig {
    /// The rules to run; when empty, those of the default set.
    pub select: Vec<Box<str>>,
    /// The rules to leave out.
    pub ignore: Vec<Box<str>>,
    /// The severities of some rules; the last entry that names a rule counts.
    pub severity: Vec<(Box<str>, Severity)>,
    /// The least severity that is shown. By default that is a warning, and everything as soon as
    /// rules are selected.
    pub least: Option<Severity>,
    /// The rules to leave out in a namespace.
    pub per_namespace: Vec<(Box<str>, Vec<Box<str>>)>,
    /// Workloads that the internet may reach, as `namespace/name` or `namespace/kind/name`.
    pub edges: Vec<Box<str>>,
    /// The namespace and the labels of the DNS pods.
    pub dns: (Box<str>, Selector),
    /// The namespace and the labels of the pods that scrape metrics, if known.
    pub monitoring: Option<(Box<str>, Selector)>,
    /// The addresses of the API server, if known.
    pub apiserver: Option<IpSet>,
    /// Labels that mark a workload or a namespace whose data must not leave; one of them suffices.
    pub sensitive_labels: Vec<Requirement>,
    /// Ports that no other namespace should reach through an open rule.
    pub sensitive_ports: TrafficSet,
    /// Whether the owners of a namespace may change its labels.
    pub owners_edit_labels: bool,
    /// The ranges of pod addresses, if known.
    pub pod_cidrs: Option<IpSet>,
    /// The ranges of Service addresses, if known.
    pub service_cidrs: Option<IpSet>,
    /// The network plugin, if known: `cilium-1.16`, `calico`.
    pub cni: Option<Box<str>>,
}

/// Ports of shells, databases and administrative interfaces.
const SENSITIVE: [u16; 12] = [
    22, 23, 2375, 2379, 3306, 3389, 5432, 6379, 9200, 10250, 11211, 27017,
];

impl Default for LintConfig {
    fn default() -> Self {
        Self {
            select: Vec::new(),
            ignore: Vec::new(),
            severity: Vec::new(),
            least: None,
            per_namespace: Vec::new(),
            edges: Vec::new(),
            dns: ("kube-system".into(), Selector::label("k8s-app", "kube-dns")),
            monitoring: None,
            apiserver: None,
            sensitive_labels: Vec::new(),
            sensitive_ports: Self::tcp_ports(&SENSITIVE),
            owners_edit_labels: false,
            pod_cidrs: None,
            service_cidrs: None,
            cni: None,
        }
    }
}

impl LintConfig {
    /// TCP ports by their numbers.
    pub fn tcp_ports(ports: &[u16]) -> TrafficSet {
        ports.iter().fold(TrafficSet::empty(), |all, p| {
            all.union(&TrafficSet::ports(Protocol::Tcp, *p, *p))
        })
    }

    /// Whether the network plugin is Cilium.
    pub(crate) fn is_cilium(&self) -> bool {
        self.cni.as_deref().is_some_and(|c| c.starts_with("cilium"))
    }
}
