//! What is behind a Service: the pods that it selects, the endpoints that are listed for it, or
//! the Service that its external name is an alias of (S59).
//!
//! A pod that is not ready is behind a Service only if the Service publishes such addresses, and
//! one without the port is behind no port of it. What nothing is behind takes no connection,
//! whatever policies say: where the input shows that, the answer is no. Cost: O(pods).

use crate::model::{Cluster, NamespaceId, Pod, PodId, Service, ServiceEndpoint, ServiceId};
use crate::query::ask::asked_traffic::{asked_of_service, service_traffic};
use crate::query::ask::dns_name::DnsName;
use crate::query::ask::resolve::Resolver;
use crate::query::ask::resolved::{Dialled, End, Note, Resolved};
use crate::set::{Family, IpSet};
use crate::spec::{Endpoint, FamilySet};
use indexmap::IndexMap;
use ipnet::IpNet;
use std::collections::{BTreeSet, HashSet};
use std::net::IpAddr;

/// Why nothing is behind a Service.
struct NothingBehind {
    why: String,
    /// Whether that is so, and not only not told.
    surely: bool,
}

impl NothingBehind {
    fn untold(why: String) -> Self {
        Self { why, surely: false }
    }

    fn no_backend(why: String) -> Self {
        Self { why, surely: true }
    }
}

/// How many aliases are followed.
const MOST_ALIASES: usize = 8;

impl Resolved {
    fn hold(&mut self, found: Result<Vec<End>, NothingBehind>) {
        match found {
            Ok(ends) => self.ends = ends,
            Err(missing) => {
                self.no_backend = missing.surely;
                self.missing = Some(missing.why.into());
            }
        }
    }
}

impl Resolver<'_> {
    /// What is behind a Service that is called by its name.
    pub(crate) fn behind(&self, id: ServiceId, service: &Service) -> Resolved {
        let Some(alias) = &service.external_name else {
            let dialled = self.by_node_port(service).then_some(Dialled::Nodes);
            return self.behind_dialled(id, service, dialled);
        };
        match self.aliased(id, alias) {
            Some(other) => {
                let mut found = self.behind(other, self.cluster.service(other));
                found.notes.insert(0, Note::Alias(id, other));
                found
            }
            None => Resolved {
                notes: vec![Note::Service(id)],
                missing: Some(
                    format!(
                        "Service {} stands for the outside name {alias}, which may lead anywhere",
                        service.name
                    )
                    .into(),
                ),
                anywhere: Some(alias.clone()),
                ..Resolved::default()
            },
        }
    }

    /// What is behind a Service that is called at an address, or by its name.
    pub(crate) fn behind_dialled(
        &self,
        id: ServiceId,
        service: &Service,
        dialled: Option<Dialled>,
    ) -> Resolved {
        let mut resolved = Resolved {
            service: Some(id),
            notes: vec![Note::Service(id)],
            dialled,
            ..Resolved::default()
        };
        resolved.notes.extend(self.at_nodes(id, service, dialled));
        let takes = |at| self.takes(service, at, dialled);
        resolved.hold(self.found(id, service, dialled, &takes));
        resolved
    }

    /// All that is behind a Service, whichever of its ports is asked about.
    pub(crate) fn behind_any_port(&self, id: ServiceId, service: &Service) -> Resolved {
        let mut resolved = Resolved {
            service: Some(id),
            ..Resolved::default()
        };
        resolved.hold(self.found(id, service, None, &|_| true));
        resolved
    }

    /// The ends behind a Service that take calls.
    fn found(
        &self,
        id: ServiceId,
        service: &Service,
        dialled: Option<Dialled>,
        takes: &dyn Fn(Endpoint) -> bool,
    ) -> Result<Vec<End>, NothingBehind> {
        match &service.selector {
            Some(_) => self.selected_pods(id, service, dialled, takes),
            None => self.listed(service, dialled, takes),
        }
    }

    /// The Service that an external name is an alias of, if it is one of the cluster.
    pub(crate) fn aliased(&self, id: ServiceId, alias: &str) -> Option<ServiceId> {
        let (mut from, mut alias) = (id, alias);
        for _ in 0..MOST_ALIASES {
            let dns = DnsName::new(alias.trim_end_matches('.'));
            let (name, namespace) = dns.stem.split_once('.').filter(|_| dns.is_service)?;
            let namespace = self.cluster.find_namespace(namespace)?;
            let called = |s: &Service| *s.name == *name && s.namespace == namespace;
            let (other, service) = self.cluster.services().find(|(_, s)| called(s))?;
            match &service.external_name {
                None => return Some(other),
                Some(_) if other == from => return None,
                Some(next) => (from, alias) = (other, next),
            }
        }
        None
    }

    /// Whether a question names ports that a Service has at the nodes only.
    fn by_node_port(&self, service: &Service) -> bool {
        let ports = self.ports.unwrap_or_default();
        let is_at_nodes = |ask| {
            asked_of_service(service, ask, None).is_empty()
                && !asked_of_service(service, ask, Some(Dialled::Nodes)).is_empty()
        };
        !service.headless && !ports.is_empty() && ports.iter().all(is_at_nodes)
    }

    /// The remark that a port is one that nodes take calls on.
    fn at_nodes(
        &self,
        id: ServiceId,
        service: &Service,
        dialled: Option<Dialled>,
    ) -> impl Iterator<Item = Note> {
        let ports = self
            .ports
            .filter(|_| dialled.is_some_and(Dialled::is_at_nodes));
        let first = ports.and_then(|ports| {
            let port = asked_of_service(service, ports.first()?, dialled);
            let port = port.first()?;
            Some(Note::NodePort(id, port.node?, port.port))
        });
        first.into_iter()
    }

    /// The pods that a Service selects and connects to on the ports that are asked about.
    fn selected_pods(
        &self,
        id: ServiceId,
        service: &Service,
        dialled: Option<Dialled>,
        takes: &dyn Fn(Endpoint) -> bool,
    ) -> Result<Vec<End>, NothingBehind> {
        let selected: HashSet<PodId> = self.cluster.service_pods(id).into_iter().collect();
        let name = &service.name;
        if selected.is_empty() {
            let why = format!(
                "no pod in the input has the labels of Service {name} ({})",
                service
                    .selector
                    .as_ref()
                    .map_or_else(String::new, ToString::to_string)
            );
            return Err(NothingBehind {
                why,
                surely: shows_running_pods(self.cluster, service.namespace),
            });
        }
        let is_called = |pod: &Pod| {
            (pod.ready || service.publishes_not_ready) && has_family(pod, &service.families)
        };
        if !selected.iter().any(|id| is_called(self.cluster.pod(*id))) {
            let why = format!("no pod behind Service {name} is ready for its calls");
            return Err(NothingBehind::no_backend(why));
        }
        let is_behind =
            |id, pod: &Pod| selected.contains(&id) && is_called(pod) && takes(Endpoint::Pod(id));
        let ends = self.pods_where(is_behind);
        if ends.is_empty() {
            let why = format!("no pod behind Service {name} has the port that it leads to");
            return Err(NothingBehind::no_backend(why));
        }
        Ok(of_family(ends, service, dialled))
    }

    /// Whether an endpoint takes any of the traffic that is asked about; one that is asked about a
    /// port that the Service does not have is kept, to say so.
    fn takes(&self, service: &Service, at: Endpoint, dialled: Option<Dialled>) -> bool {
        let asked = service_traffic(self.cluster, service, self.ports, dialled, Some(at));
        asked.map_or(true, |traffic| !traffic.is_empty())
    }

    /// What is listed for a Service without selector: addresses that are pods are these.
    fn listed(
        &self,
        service: &Service,
        dialled: Option<Dialled>,
        takes: &dyn Fn(Endpoint) -> bool,
    ) -> Result<Vec<End>, NothingBehind> {
        let name = &service.name;
        let Some(listed) = self.cluster.listed_endpoints(service.namespace, name) else {
            return Err(NothingBehind::untold(format!(
                "Service {name} has no selector: its endpoints are not in the input"
            )));
        };
        let addresses: HashSet<IpAddr> = listed.iter().map(|at| at.address).collect();
        let mut ends: Vec<End> = Vec::new();
        let mut taken: HashSet<IpAddr> = HashSet::new();
        for (id, pod) in self.cluster.pods().filter(|(_, pod)| !pod.host_network) {
            let own = pod.addresses.iter().filter(|a| addresses.contains(a));
            let before = taken.len();
            taken.extend(own.clone());
            let families = own.map(|a| Family::of(*a)).collect();
            if taken.len() > before && takes(Endpoint::Pod(id)) {
                ends.push(End::Pods {
                    workload: pod.workload,
                    pods: vec![id],
                    families,
                });
            }
        }
        ends.extend(outside_ends(listed, &taken, takes));
        if ends.is_empty() {
            return Err(NothingBehind::no_backend(format!(
                "no address is listed for this port of Service {name}"
            )));
        }
        Ok(of_family(ends, service, dialled))
    }
}

/// The listed addresses that are no pod's, those with the same ports together.
fn outside_ends(
    listed: &[ServiceEndpoint],
    taken: &HashSet<IpAddr>,
    takes: &dyn Fn(Endpoint) -> bool,
) -> Vec<End> {
    let mut ports: IndexMap<IpAddr, BTreeSet<_>> = IndexMap::new();
    for at in listed.iter().filter(|at| !taken.contains(&at.address)) {
        let port = (&*at.name, at.protocol, at.port);
        ports.entry(at.address).or_default().insert(port);
    }
    let mut groups: IndexMap<BTreeSet<_>, Vec<IpAddr>> = IndexMap::new();
    for (address, ports) in ports {
        groups.entry(ports).or_default().push(address);
    }
    let is_called = |group: &Vec<IpAddr>| {
        let first = group.first();
        first.is_some_and(|a| takes(Endpoint::Address(*a)))
    };
    let ends = groups
        .into_values()
        .filter(is_called)
        .map(|group| End::Addresses {
            name: shown(&group).into(),
            set: IpSet::from_cidrs(group.into_iter().map(IpNet::from)),
            symbolic: false,
        });
    ends.collect()
}

/// Whether the input shows the pods of a namespace as they run, with addresses: then a pod that it
/// does not show is not there.
fn shows_running_pods(cluster: &Cluster, namespace: NamespaceId) -> bool {
    let mut pods = cluster.pods().filter(|(_, pod)| pod.namespace == namespace);
    pods.any(|(_, pod)| !pod.addresses.is_empty())
}

/// Whether a pod has an address of one of a Service's families, as far as both are told.
fn has_family(pod: &Pod, families: &[Family]) -> bool {
    let mut own = pod.addresses.iter().map(|a| Family::of(*a));
    families.is_empty() || pod.addresses.is_empty() || own.any(|f| families.contains(&f))
}

/// The ends as they are reached through a Service: in the family of the address that is called, and
/// by its name in the families that it has (DO30).
fn of_family(mut ends: Vec<End>, service: &Service, dialled: Option<Dialled>) -> Vec<End> {
    let only: FamilySet = match dialled.and_then(Dialled::address) {
        Some(address) => FamilySet::only(Family::of(address)),
        None if service.families.is_empty() => FamilySet::BOTH,
        None => service.families.iter().copied().collect(),
    };
    for end in &mut ends {
        if let End::Pods { families, .. } = end {
            *families = families.intersection(only);
        }
    }
    ends
}

/// Some addresses, in words.
fn shown(addresses: &[IpAddr]) -> String {
    match addresses {
        [one] => one.to_string(),
        [first, .., last] => format!("{first} to {last} ({})", addresses.len()),
        [] => String::new(),
    }
}
