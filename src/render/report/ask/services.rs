//! Services: their ports, what is behind them, and what they change about a connection (S59).
//!
//! What differs from a question about the pods behind a Service is worked out for each place a call
//! may come from. Where a rule names the Service, or it leads to pods on the caller's own node and
//! nodes are told, the page does not know the answer. Cost: for each Service with a cluster address
//! an edge query for each place and each class behind it.

use crate::compile::endpoint_index::EndpointIx;
use crate::graph::AllowGraph;
use crate::model::{Cluster, PodId, Service, ServiceId, TargetPort};
use crate::query::ask::asked_traffic::traffic_behind;
use crate::query::ask::outside_name::leaving;
use crate::query::ask::resolve::{Context, Resolver};
use crate::query::ask::resolved::{End, Resolved};
use crate::query::ask::service_effect::{self, ViaService, classify};
use crate::render::report::ask::ends::{EndData, PodNumbers, end, protocol};
use crate::render::report::ask::interned::{Interned, NOT_TOLD, NOTHING, Ranges, ranges_of};
use crate::render::report::ask::rows::{Places, agreed};
use crate::render::words;
use crate::set::{Ix, TrafficSet};
use crate::spec::Endpoint;
use indexmap::IndexSet;
use serde::Serialize;
use std::collections::BTreeMap;

/// The most edge queries that are made for what Services change.
const MOST_ASKED: usize = 400_000;

/// A port: name, protocol, number, number at the nodes or 0.
type PortData = (String, u8, u16, u16);

/// All Services.
#[derive(Debug, Serialize)]
pub(super) struct Services {
    list: Vec<ServiceData>,
    /// The traffic that ports lead to.
    behind: Vec<Ranges>,
    /// Of each class behind a Service that takes calls at nodes the number of the row of what
    /// passes from each place outside.
    through_nodes: BTreeMap<usize, usize>,
    /// Of each class what may leave it for anywhere: the first pod, and the others. `None` where
    /// that is not told or nobody asks.
    leaving: Option<Vec<[Ranges; 2]>>,
    /// The first pod of each class.
    first: BTreeMap<usize, usize>,
}

/// A Service.
#[derive(Debug, Default, Serialize)]
struct ServiceData {
    namespace: usize,
    name: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    headless: bool,
    ports: Vec<PortData>,
    /// The addresses that are its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    addresses: Vec<String>,
    /// The Service that it is an alias of.
    #[serde(skip_serializing_if = "Option::is_none")]
    alias: Option<usize>,
    /// The outside name that it stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    anywhere: Option<String>,
    /// Why nothing is behind it, and whether that is sure.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<(String, bool)>,
    /// Ends behind it, and the traffic that each port leads to there.
    ends: Vec<(EndData, Vec<usize>)>,
    /// The pods that have names below a headless one.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    hosts: BTreeMap<String, Vec<usize>>,
    /// Whether it takes calls at the nodes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    at_nodes: bool,
    /// Whether it leads to the caller's own node, and no node is told.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    own_node: bool,
    /// Whether the page does not know what it changes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    special: bool,
    /// Of classes behind it the number of the row of what passes by way of it, where that differs.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    rows: BTreeMap<usize, usize>,
    /// Where its ports lead on a pod.
    targets: Vec<PortOnPod>,
    /// The workload whose pods are all that it selects.
    #[serde(skip_serializing_if = "Option::is_none")]
    selects: Option<usize>,
}

/// Where a port leads on a pod.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum PortOnPod {
    Number(u16),
    Name(String),
}

/// What passes by way of a Service whose address policies may see.
enum ByAddress {
    /// What passes to the pods themselves.
    AsPods,
    /// The number of a row.
    Row(usize),
    /// That is too much to ask.
    NotTold,
}

impl Services {
    /// The Services of a graph's cluster. Unless rows are told, what they change is not.
    pub(super) fn new(
        graph: &AllowGraph,
        names: &Context,
        told: bool,
        interned: &mut Interned,
    ) -> Self {
        let cluster = &graph.environment().cluster;
        let mut reader = ServiceReader {
            graph,
            cluster,
            names,
            numbers: PodNumbers::new(cluster),
            places: Places::new(graph),
            behind: IndexSet::new(),
            asked: 0,
            told,
        };
        let list: Vec<ServiceData> = cluster
            .services()
            .map(|(id, service)| reader.service(id, service, interned))
            .collect();
        let has_outside_names = list.iter().any(|s| s.anywhere.is_some());
        let leaving = (told && has_outside_names)
            .then(|| reader.leaving())
            .flatten();
        let through_nodes = if told {
            reader.through_nodes(&list, interned)
        } else {
            BTreeMap::new()
        };
        let first = leaving.as_ref().map(|_| reader.first()).unwrap_or_default();
        Self {
            list,
            behind: reader.behind.iter().map(ranges_of).collect(),
            through_nodes,
            leaving,
            first,
        }
    }
}

struct ServiceReader<'g> {
    graph: &'g AllowGraph,
    cluster: &'g Cluster,
    names: &'g Context,
    numbers: PodNumbers,
    places: Places<'g>,
    behind: IndexSet<TrafficSet>,
    /// How many edge queries were made.
    asked: usize,
    told: bool,
}

impl ServiceReader<'_> {
    fn service(
        &mut self,
        id: ServiceId,
        service: &Service,
        interned: &mut Interned,
    ) -> ServiceData {
        let resolver = Resolver {
            cluster: self.cluster,
            context: self.names,
            text: "",
            ports: None,
        };
        let clean = |text: &str| words::clean(text).into_owned();
        let ports = service.ports.iter().map(|port| {
            let name = port.name.as_deref().unwrap_or_default();
            let node = port.node.unwrap_or(0);
            (clean(name), protocol(port.protocol), port.port, node)
        });
        let targets = service.ports.iter().map(|port| match &port.target {
            TargetPort::Number(number) => PortOnPod::Number(*number),
            TargetPort::Name(name) => PortOnPod::Name(clean(name)),
        });
        let addresses = service.addresses.iter().chain(&service.outside_addresses);
        let mut data = ServiceData {
            namespace: service.namespace.0 as usize,
            name: clean(&service.name),
            headless: service.headless,
            ports: ports.collect(),
            addresses: addresses.map(ToString::to_string).collect(),
            targets: targets.collect(),
            selects: self.selected(id),
            at_nodes: service.takes_calls_at_nodes,
            special: !self.told,
            ..ServiceData::default()
        };
        if let Some(outside) = &service.external_name {
            let alias = resolver.aliased(id, outside);
            data.alias = alias.map(|id| id.0 as usize);
            data.anywhere = alias.is_none().then(|| clean(outside));
            return data;
        }
        let found = resolver.behind_any_port(id, service);
        if let Some(why) = &found.missing {
            data.missing = Some((clean(why), found.no_backend));
        }
        data.ends = self.ends(service, &found);
        data.hosts = self.hosts(id, service);
        if self.told {
            self.changes(&mut data, service, &found, interned);
        }
        data
    }

    /// The workload whose pods are those that a Service selects, if there is one.
    fn selected(&self, id: ServiceId) -> Option<usize> {
        let behind = self.cluster.service_pods(id);
        let workload = self.cluster.pod(*behind.first()?).workload;
        let own = &self.cluster.workload(workload).pods;
        let is_same = own.len() == behind.len() && own.iter().all(|pod| behind.contains(pod));
        is_same.then_some(workload.0 as usize)
    }

    /// The ends behind a Service, pods with the same ports together.
    fn ends(&mut self, service: &Service, found: &Resolved) -> Vec<(EndData, Vec<usize>)> {
        let mut ends = Vec::new();
        for one in &found.ends {
            let End::Pods {
                workload,
                pods,
                families,
            } = one
            else {
                let End::Addresses { set, .. } = one else {
                    continue;
                };
                let at = set.first().map(Endpoint::Address);
                ends.push((end(&self.numbers, one), self.ports(service, at)));
                continue;
            };
            let mut alike: BTreeMap<Vec<usize>, Vec<PodId>> = BTreeMap::new();
            for pod in pods {
                let ports = self.ports(service, Some(Endpoint::Pod(*pod)));
                alike.entry(ports).or_default().push(*pod);
            }
            for (ports, pods) in alike {
                let part = End::Pods {
                    workload: *workload,
                    pods,
                    families: *families,
                };
                ends.push((end(&self.numbers, &part), ports));
            }
        }
        ends
    }

    /// The traffic that each port of a Service leads to at an endpoint.
    fn ports(&mut self, service: &Service, at: Option<Endpoint>) -> Vec<usize> {
        let mut numbers = Vec::new();
        for port in &service.ports {
            let traffic = traffic_behind(self.cluster, service, port, at);
            numbers.push(self.behind.insert_full(traffic).0);
        }
        numbers
    }

    /// The pods that have names of their own below a headless Service, where such a name is one of
    /// a single workload.
    fn hosts(&self, id: ServiceId, service: &Service) -> BTreeMap<String, Vec<usize>> {
        let mut hosts: BTreeMap<&str, Vec<PodId>> = BTreeMap::new();
        if !service.headless {
            return BTreeMap::new();
        }
        for id in self.cluster.service_pods(id) {
            let pod = self.cluster.pod(id);
            let is_called = pod.ready || service.publishes_not_ready;
            if let Some(dns) = pod.dns_name.as_deref().filter(|_| is_called)
                && dns.subdomain == service.name
            {
                hosts.entry(&dns.hostname).or_default().push(id);
            }
        }
        let of_one = |pods: &Vec<PodId>| {
            let workload = |pod: &PodId| self.cluster.pod(*pod).workload;
            pods.windows(2)
                .all(|two| workload(&two[0]) == workload(&two[1]))
        };
        let hosts = hosts.into_iter().filter(|(_, pods)| of_one(pods));
        hosts
            .map(|(name, pods)| (words::clean(name).into_owned(), self.numbers.runs(&pods)))
            .collect()
    }

    /// What a Service changes.
    fn changes(
        &mut self,
        data: &mut ServiceData,
        service: &Service,
        found: &Resolved,
        interned: &mut Interned,
    ) {
        let namespace = &self.cluster.namespace(service.namespace).name;
        let called = [namespace.clone(), service.name.clone()];
        let mut policies = self.graph.environment().policies.policies.iter();
        let is_named = policies.any(|policy| policy.sees_calls_of(&called));
        let pods = || {
            let of = |end: &End| match end {
                End::Pods { pods, .. } => pods.clone(),
                End::Addresses { .. } => Vec::new(),
            };
            found.ends.iter().flat_map(of)
        };
        data.special |= is_named;
        if service.only_own_node && !service.headless {
            let mut all = self.cluster.pods();
            data.own_node = all.all(|(_, pod)| pod.node.is_none());
            data.special |= !data.own_node;
        } else if !service.addresses.is_empty() && !data.special {
            let is_outside = |end: &End| matches!(end, End::Addresses { .. });
            data.special |= found.ends.iter().any(is_outside);
            let mut classes: Vec<EndpointIx> = pods()
                .map(|pod| self.graph.space().index_of(Endpoint::Pod(pod)))
                .collect();
            classes.sort_unstable();
            classes.dedup();
            for class in classes {
                match self.by_address(class, found, interned) {
                    ByAddress::AsPods => {}
                    ByAddress::Row(row) => drop(data.rows.insert(class.index(), row)),
                    ByAddress::NotTold => data.special = true,
                }
            }
        }
    }

    /// What passes to a class by way of a Service whose address policies may see.
    fn by_address(
        &mut self,
        to: EndpointIx,
        found: &Resolved,
        interned: &mut Interned,
    ) -> ByAddress {
        let space = self.graph.space();
        let Some(destinations) = self.places.endpoints(to) else {
            return ByAddress::NotTold;
        };
        let mut cells = vec![NOTHING; space.len() as usize];
        let mut differs = false;
        for from in space.indexes().filter(|at| space.is_class(*at)) {
            let sources = self.places.endpoints(from).unwrap_or_default();
            self.asked += sources.len() * destinations.len();
            if sources.is_empty() || self.asked > MOST_ASKED {
                return ByAddress::NotTold;
            }
            let pairs = sources.iter().flat_map(|source| {
                let others = destinations.iter().filter(move |d| *d != source);
                others.map(move |destination| (*source, *destination))
            });
            let mut is_changed = false;
            let all = pairs.map(|(source, destination)| {
                let via = classify(self.graph, found, source, destination);
                is_changed |= via.is_some() && via != Some(ViaService::ToItself);
                let allowed = service_effect::allowed(self.graph, via, source, destination);
                interned.allowed(allowed)
            });
            cells[from.index()] = agreed(all);
            differs |= is_changed;
        }
        if differs {
            ByAddress::Row(interned.row(&cells))
        } else {
            ByAddress::AsPods
        }
    }

    /// What passes from outside to the classes behind Services that take calls at the nodes.
    fn through_nodes(
        &mut self,
        list: &[ServiceData],
        interned: &mut Interned,
    ) -> BTreeMap<usize, usize> {
        let mut rows = BTreeMap::new();
        let space = self.graph.space();
        let services = self.cluster.services().zip(list);
        for ((id, _), _) in services.filter(|(_, data)| data.at_nodes) {
            for pod in self.cluster.service_pods(id) {
                let to = space.index_of(Endpoint::Pod(pod));
                rows.entry(to.index()).or_insert_with(|| {
                    let cells = self.through_nodes_to(to, interned);
                    interned.row(&cells)
                });
            }
        }
        rows
    }

    fn through_nodes_to(&mut self, to: EndpointIx, interned: &mut Interned) -> Vec<usize> {
        let space = self.graph.space();
        let Some(destinations) = self.places.endpoints(to) else {
            return vec![NOT_TOLD; space.len() as usize];
        };
        let mut cells = vec![NOTHING; space.len() as usize];
        for from in space.indexes() {
            let Endpoint::Address(caller) = space.representative(from) else {
                continue;
            };
            self.asked += destinations.len();
            let pods = destinations.iter().filter_map(|d| match d {
                Endpoint::Pod(pod) => Some(*pod),
                Endpoint::Address(_) => None,
            });
            cells[from.index()] = if self.asked > MOST_ASKED {
                NOT_TOLD
            } else {
                let allowed = |pod| self.graph.allowed_through_node(caller, pod);
                agreed(pods.map(|pod| interned.allowed(allowed(pod))))
            };
        }
        cells
    }

    /// The first pod of each class, as the input has them.
    fn first(&self) -> BTreeMap<usize, usize> {
        let space = self.graph.space();
        let mut first = BTreeMap::new();
        for (pod, _) in self.cluster.pods() {
            let class = space.index_of(Endpoint::Pod(pod)).index();
            let number = self.numbers.runs(&[pod]).first().copied();
            first.entry(class).or_insert(number.unwrap_or(0));
        }
        first
    }

    /// What may leave each class, where no node is told: the first pod of it, and another.
    fn leaving(&self) -> Option<Vec<[Ranges; 2]>> {
        let space = self.graph.space();
        let are_told = self.cluster.pods().any(|(_, pod)| pod.node.is_some());
        let places = space.len() as usize;
        if are_told || places * places > MOST_ASKED {
            return None;
        }
        let classes = space.indexes().filter(|at| space.is_class(*at));
        Some(classes.map(|at| self.leaving_class(at)).collect())
    }

    fn leaving_class(&self, at: EndpointIx) -> [Ranges; 2] {
        let members = self.graph.space().classes.members(at);
        let first = members.iter().min().copied();
        let other = members.iter().find(|pod| Some(**pod) != first).copied();
        let pods: Vec<PodId> = first.into_iter().chain(other.or(first)).collect();
        let all = leaving(self.graph, &pods);
        [0, 1].map(|i| all.get(i).map(ranges_of).unwrap_or_default())
    }
}
