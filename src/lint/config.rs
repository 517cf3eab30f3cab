//! What of lint can be chosen: which rules, how bad, and what the input cannot tell.
//!
//! Filled from the command line and from the `lint:` part of the configuration file. A rule is
//! named by its id, its name, or the start of its id (`NP3` is every rule from `NP301` on to
//! `NP306`); `ALL` and `DEFAULT` are every rule and every rule that is on unasked.

use crate::finding::{Finding, Severity};
use crate::lint::registry::{LINTS, Lint};
use crate::model::{Requirement, Selector};
use crate::set::{IpSet, Protocol, TrafficSet};

/// The choices.
#[derive(Debug, Clone)]
pub struct LintConfig {
    /// Rules to run; those that are on unasked when empty.
    pub select: Vec<Box<str>>,
    /// Rules to leave out.
    pub ignore: Vec<Box<str>>,
    /// Other severities for some rules; the last entry that names a rule counts.
    pub severity: Vec<(Box<str>, Severity)>,
    /// The least severity that is shown; by default warnings, and everything as soon as rules are
    /// selected.
    pub least: Option<Severity>,
    /// Rules to leave out in a namespace.
    pub per_namespace: Vec<(Box<str>, Vec<Box<str>>)>,
    /// Workloads that the internet may reach, as `namespace/name` or `namespace/kind/name`.
    pub edges: Vec<Box<str>>,
    /// Workloads that bring traffic from outside into the cluster, in the same words; found by
    /// well-known labels when empty.
    pub ingress_controllers: Vec<Box<str>>,
    /// Where the DNS pods are: namespace and labels.
    pub dns: (Box<str>, Selector),
    /// The pods that scrape metrics, when told: namespace and labels.
    pub monitoring: Option<(Box<str>, Selector)>,
    /// The addresses of the API server, when told.
    pub apiserver: Option<IpSet>,
    /// Labels that mark a workload or a namespace as one that holds what must not leave; one of
    /// them suffices.
    pub sensitive_labels: Vec<Requirement>,
    /// Ports that no other namespace should reach by an open rule.
    pub sensitive_ports: TrafficSet,
    /// Whether those who own a namespace may change its labels.
    pub owners_edit_labels: bool,
    /// Where pod addresses lie, when told.
    pub pod_cidrs: Option<IpSet>,
    /// Where Service addresses lie, when told.
    pub service_cidrs: Option<IpSet>,
    /// The network plugin, when told: `cilium-1.16`, `calico`.
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
            ingress_controllers: Vec::new(),
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

/// Whether a word names a rule.
fn names(word: &str, lint: &Lint) -> bool {
    match word.to_ascii_uppercase().as_str() {
        "ALL" => true,
        "DEFAULT" => lint.default,
        upper => lint.id.starts_with(upper) && upper.starts_with("NP") || word == lint.name,
    }
}

/// Whether a word names any rule at all.
pub fn is_known(word: &str) -> bool {
    LINTS.iter().any(|l| names(word, l))
}

impl LintConfig {
    /// TCP ports by their numbers.
    pub fn tcp_ports(ports: &[u16]) -> TrafficSet {
        ports.iter().fold(TrafficSet::empty(), |all, p| {
            all.union(&TrafficSet::ports(Protocol::Tcp, *p, *p))
        })
    }

    /// Whether a rule is wanted.
    pub fn selects(&self, lint: &Lint) -> bool {
        let selected = if self.select.is_empty() {
            lint.default
        } else {
            self.select.iter().any(|w| names(w, lint))
        };
        selected && !self.ignore.iter().any(|w| names(w, lint))
    }

    /// Whether a rule runs: wanted, or on only to tell that there is more to see.
    pub(crate) fn runs(&self, lint: &Lint) -> bool {
        self.selects(lint) || self.select.is_empty() && !self.ignore.iter().any(|w| names(w, lint))
    }

    /// Whether a finding is shown.
    pub(crate) fn shows(&self, finding: &Finding) -> bool {
        let least = self.least.unwrap_or(if self.select.is_empty() {
            Severity::Warning
        } else {
            Severity::Info
        });
        let lint = LINTS.iter().find(|l| l.id == finding.rule);
        finding.severity >= least && lint.is_none_or(|l| self.selects(l))
    }

    /// Whether a finding is left out where it stands.
    pub(crate) fn ignored(&self, finding: &Finding) -> bool {
        let Some(lint) = LINTS.iter().find(|l| l.id == finding.rule) else {
            return false;
        };
        let here = self
            .per_namespace
            .iter()
            .filter(|(namespace, _)| *namespace == finding.fingerprint.namespace);
        here.flat_map(|(_, words)| words).any(|w| names(w, lint))
    }

    /// The severity a finding is to have, if another one was chosen.
    pub(crate) fn severity_of(&self, finding: &Finding) -> Option<Severity> {
        let lint = LINTS.iter().find(|l| l.id == finding.rule)?;
        self.severity
            .iter()
            .rev()
            .find(|(word, _)| names(word, lint))
            .map(|(_, severity)| *severity)
    }
}
