//! What a rule asks for: ports, requests, and conditions (IS36, IS37).

use crate::policy::istio::callers::told;
use crate::policy::istio::read::port;
use crate::policy::istio::written::{ConditionForm, OperationForm, RuleOfIstio, SourceForm};
use crate::set::{Protocol, TrafficSet};

/// All of TCP.
pub fn tcp() -> TrafficSet {
    TrafficSet::protocol(Protocol::Tcp)
}

/// The conditions of a rule on the destination's address.
pub fn addresses(rule: &RuleOfIstio) -> impl Iterator<Item = &ConditionForm> {
    let all = rule.when.iter().flatten();
    all.filter(|condition| condition.key == "destination.ip")
}

/// The ports of a list.
fn ports(values: Option<&Vec<String>>) -> Option<TrafficSet> {
    let values = values.filter(|values| !values.is_empty())?;
    let each = values.iter().filter_map(|text| port(text));
    let each = each.map(|port| TrafficSet::ports(Protocol::Tcp, port, port));
    Some(each.fold(TrafficSet::empty(), |all, one| all.union(&one)))
}

/// What an entry of `to` asks for.
pub struct Asked {
    pub ports: TrafficSet,
    pub requests: Vec<&'static str>,
    /// Whether it has a field that a connection shows.
    pub is_told: bool,
    /// Its place below the rule.
    pub place: Option<usize>,
}

/// What an operation asks for.
pub fn asked(operation: &OperationForm, place: usize) -> Asked {
    let wanted = ports(operation.ports.as_ref());
    let others = ports(operation.not_ports.as_ref());
    let is_told = wanted.is_some() || others.is_some();
    let requests = [
        ("hosts", &operation.hosts),
        ("notHosts", &operation.not_hosts),
        ("methods", &operation.methods),
        ("notMethods", &operation.not_methods),
        ("paths", &operation.paths),
        ("notPaths", &operation.not_paths),
    ];
    Asked {
        ports: wanted
            .unwrap_or_else(tcp)
            .difference(&others.unwrap_or_default()),
        requests: told(&requests),
        is_told,
        place: Some(place),
    }
}

/// The conditions of a rule, as fields of every entry of `from` and `to` (IS37).
#[derive(Default)]
pub struct Conditions {
    pub sources: Vec<SourceForm>,
    pub ports: TrafficSet,
    pub requests: bool,
}

impl Conditions {
    pub fn new(rule: &RuleOfIstio) -> Self {
        let mut all = Self {
            ports: tcp(),
            ..Self::default()
        };
        for condition in rule.when.iter().flatten() {
            let (yes, no) = (condition.values.clone(), condition.not_values.clone());
            let mut source = SourceForm::default();
            match &*condition.key {
                "source.ip" => (source.ip_blocks, source.not_ip_blocks) = (yes, no),
                "source.namespace" => (source.namespaces, source.not_namespaces) = (yes, no),
                "source.principal" => (source.principals, source.not_principals) = (yes, no),
                "source.serviceAccount" => {
                    (source.service_accounts, source.not_service_accounts) = (yes, no);
                }
                "destination.ip" => {
                    continue;
                }
                "destination.port" => {
                    let wanted = ports(yes.as_ref()).unwrap_or_else(tcp);
                    let others = ports(no.as_ref()).unwrap_or_default();
                    all.ports = all.ports.intersection(&wanted).difference(&others);
                    continue;
                }
                _ => {
                    all.requests = true;
                    continue;
                }
            }
            all.sources.push(source);
        }
        all
    }
}

impl Conditions {
    /// How many constraints the conditions add to every caller.
    pub fn constraints(&self) -> usize {
        self.sources.iter().map(constraints).sum()
    }
}

/// How many fields of a source that a connection shows are there.
fn constraints(source: &SourceForm) -> usize {
    let fields = [
        &source.principals,
        &source.not_principals,
        &source.namespaces,
        &source.not_namespaces,
        &source.service_accounts,
        &source.not_service_accounts,
        &source.ip_blocks,
        &source.not_ip_blocks,
    ];
    let there = |list: &&&Option<Vec<String>>| list.as_ref().is_some_and(|l| !l.is_empty());
    fields.iter().filter(there).count()
}
