//! Making lines: from a door and who serves it to what callers get at each endpoint behind it.

use crate::doors::assumed::AssumedCallers;
use crate::doors::caller::{Caller, Calls, Proxies, family_of, traffic};
use crate::doors::controllers::{Controller, DataPlane, PerGateway};
use crate::doors::line::{Door, DoorLine, DoorStatus, DoorTarget, Passage};
use crate::doors::reason::DoorReason;
use crate::doors::served::DoorClasses;
use crate::doors::services::{Behind, PodBehind, ServiceIndex};
use crate::graph::AllowGraph;
use crate::model::doors::{DoorObject, DoorSpec, Gateway, ReferenceGrant};
use crate::model::{
    Cluster, NamespaceId, PodId, Service, ServiceId, ServicePort, Truth, WorkloadId,
};
use crate::policy::Direction;
use crate::set::hashed::{HashMap, IndexMap};
use crate::set::{IpSet, Protocol};
use std::net::IpAddr;

/// Makes lines.
pub struct DoorBuilder<'g> {
    /// The Services and pods.
    pub index: ServiceIndex<'g>,
    /// Who serves what.
    pub classes: DoorClasses<'g>,
    /// What callers get.
    pub calls: Calls<'g>,
    /// The pods that stand in for controllers which are not loaded.
    pub assumed: &'g AssumedCallers,
    /// The `ReferenceGrant`s by their namespace.
    pub grants: HashMap<&'g str, Vec<&'g ReferenceGrant>>,
    /// The Gateways by namespace and name.
    pub gateways: HashMap<(NamespaceId, &'g str), (&'g DoorObject, &'g Gateway)>,
    /// The lines so far.
    pub lines: Vec<DoorLine>,
}

/// How a door is served: by a caller of the pods, or not, for a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DoorWay {
    /// By this caller.
    Through(Caller),
    /// By nobody who leads to a pod.
    Stopped(DoorStatus, DoorReason),
}

impl<'g> DoorBuilder<'g> {
    /// No line is made yet.
    pub fn new(graph: &'g AllowGraph, assumed: &'g AssumedCallers) -> Self {
        let cluster = &graph.environment().cluster;
        let mut grants: HashMap<&str, Vec<&ReferenceGrant>> = HashMap::default();
        let mut gateways = HashMap::default();
        for object in cluster.doors() {
            match &object.spec {
                DoorSpec::ReferenceGrant(grant) => {
                    let namespace = &*cluster.namespace(object.namespace).name;
                    grants.entry(namespace).or_default().push(grant);
                }
                DoorSpec::Gateway(gateway) => {
                    gateways.insert((object.namespace, &*object.name), (object, gateway));
                }
                _ => {}
            }
        }
        Self {
            grants,
            gateways,
            index: ServiceIndex::new(cluster),
            classes: DoorClasses::new(cluster, |id| assumed.is_stand_in(id)),
            calls: Calls::new(graph),
            assumed,
            lines: Vec::new(),
        }
    }

    /// The cluster.
    pub fn cluster(&self) -> &'g Cluster {
        self.index.cluster
    }

    /// `namespace/name` of something that a door names.
    pub fn named(&self, namespace: NamespaceId, name: &str) -> Box<str> {
        format!("{}/{name}", self.cluster().namespace(namespace).name).into()
    }

    /// `namespace/name` of a Service.
    pub fn service_name(&self, id: ServiceId) -> Box<str> {
        let service = self.cluster().service(id);
        self.named(service.namespace, &service.name)
    }

    /// Adds a line that leads nowhere.
    pub fn nowhere(
        &mut self,
        door: &Door,
        service: Option<Box<str>>,
        status: DoorStatus,
        reason: DoorReason,
    ) {
        let may_lead = match status {
            DoorStatus::Unknown => self.perhaps_behind(door, service.as_deref()),
            _ => Vec::new(),
        };
        self.lines.push(DoorLine {
            service,
            may_lead,
            ..DoorLine::nowhere(door.clone(), Passage::because(status, reason))
        });
    }

    /// The pods that a door may lead to of which that is not told: those behind its Service, if the
    /// input has that with pods behind it, else all of its namespace.
    fn perhaps_behind(&self, door: &Door, service: Option<&str>) -> Vec<PodId> {
        let named = service.and_then(|name| name.split_once('/'));
        let (namespace, name) = named.unwrap_or((&door.namespace, ""));
        let found = self.cluster().find_namespace(namespace);
        found.map_or_else(Vec::new, |at| self.index.perhaps_behind(at, name))
    }

    /// Adds the lines of a door that leads to a port of a Service.
    pub fn service_port(
        &mut self,
        door: &Door,
        caller: &Caller,
        id: ServiceId,
        port: &ServicePort,
    ) {
        let found = self
            .index
            .behind(self.cluster().service(id), port, &|_| Truth::Yes);
        self.endpoints_behind(door, caller, id, port.protocol, found);
    }

    /// Adds the lines of a door that leads to some endpoints of a Service.
    pub fn endpoints_behind(
        &mut self,
        door: &Door,
        caller: &Caller,
        id: ServiceId,
        protocol: Protocol,
        found: Behind,
    ) {
        let shown = Some(self.service_name(id));
        match found {
            Behind::Nothing => {
                self.nowhere(door, shown, DoorStatus::NoBackend, DoorReason::NoEndpoint);
            }
            Behind::Untold => {
                let reason = DoorReason::EndpointsNotInInput;
                self.nowhere(door, shown, DoorStatus::Unknown, reason);
            }
            Behind::Endpoints(pods, addresses) => {
                let first = self.lines.len();
                let (sure, others): (Vec<_>, Vec<_>) = pods.into_iter().partition(|p| p.is_sure);
                let at = |pods: Vec<PodBehind>| pods.into_iter().map(|p| (p.pod, p.port)).collect();
                self.pods_behind(door, caller, shown.as_deref(), protocol, at(others));
                self.doubt(first);
                self.pods_behind(door, caller, shown.as_deref(), protocol, at(sure));
                self.addresses_behind(door, caller, shown.as_deref(), protocol, addresses);
            }
        }
    }

    /// Whether callers get as far as a port of a node is not known where something polices nodes
    /// that is not modelled.
    pub fn policed(&mut self, first: usize) {
        if !self
            .calls
            .graph
            .environment()
            .has_policed_nodes(Direction::Ingress)
        {
            return;
        }
        let open = self.lines[first..].iter_mut();
        for line in open.filter(|line| line.passage.status == DoorStatus::Open) {
            line.passage = Passage::because(DoorStatus::Unknown, DoorReason::NodesPoliced);
        }
    }

    /// Leaves it open whether doors lead to what the lines from `first` on say.
    fn doubt(&mut self, first: usize) {
        let open = |line: &&mut DoorLine| line.passage.status == DoorStatus::Open;
        for line in self.lines[first..].iter_mut().filter(open) {
            line.passage = Passage::because(DoorStatus::Unknown, DoorReason::LabelsNotKnown);
        }
    }

    /// Adds a line for pods of one workload that no rule tells apart, on one port.
    pub fn pods_behind(
        &mut self,
        door: &Door,
        caller: &Caller,
        service: Option<&str>,
        protocol: Protocol,
        pods: Vec<(PodId, u16)>,
    ) {
        let mut alike: IndexMap<(WorkloadId, u16, Passage), Vec<PodId>> = IndexMap::default();
        for (id, port) in pods {
            let pod = self.cluster().pod(id);
            let passage = self.calls.at_pod(caller, id, traffic(port, protocol));
            alike
                .entry((pod.workload, port, passage))
                .or_default()
                .push(id);
        }
        for ((workload, port, passage), pods) in alike {
            self.lines.push(DoorLine {
                door: door.clone(),
                service: service.map(Into::into),
                target: DoorTarget::Pods(workload, pods, port, protocol),
                passage,
                may_lead: Vec::new(),
                callers: caller.loaded(),
                own_doors: None,
            });
        }
    }

    fn addresses_behind(
        &mut self,
        door: &Door,
        caller: &Caller,
        service: Option<&str>,
        protocol: Protocol,
        addresses: Vec<(IpAddr, u16)>,
    ) {
        for (address, port) in addresses {
            let passage = self
                .calls
                .at_address(caller, address, traffic(port, protocol));
            self.lines.push(DoorLine {
                door: door.clone(),
                service: service.map(Into::into),
                target: DoorTarget::Address(address, port, protocol),
                passage,
                may_lead: Vec::new(),
                callers: caller.loaded(),
                own_doors: None,
            });
        }
    }

    /// The pods of a controller as the callers behind its doors: those that are loaded, else those
    /// that are assumed; of a Gateway those that serve it.
    pub fn proxies(
        &self,
        controller: &'static Controller,
        gateway: Option<(NamespaceId, &str)>,
    ) -> Caller {
        let loaded = self.loaded(controller, gateway);
        if loaded.is_empty() && self.classes.has_told() {
            return self.classes.told();
        }
        if controller.id == "openshift-router" {
            return self.routers(loaded);
        }
        let stand_in = self.assumed.of(controller, gateway, self.cluster());
        // what a Gateway's controller makes of it by default is no more than assumed (DO58)
        let is_made = |id: &PodId| {
            let workload = self.cluster().pod(*id).workload;
            self.cluster().workload(workload).made.is_some()
        };
        if gateway.is_some() && !loaded.is_empty() && loaded.iter().all(is_made) {
            return Caller::Proxies(Proxies {
                alternatives: vec![loaded.into()],
                assumed: true,
            });
        }
        Caller::loaded_or_assumed(loaded, stand_in)
    }

    /// The loaded pods of a controller; of a Gateway those that serve it.
    fn loaded(&self, controller: &Controller, gateway: Option<(NamespaceId, &str)>) -> Vec<PodId> {
        let (Some(per), Some((namespace, name))) = (controller.per_gateway, gateway) else {
            return self.classes.pods(controller).to_vec();
        };
        let serves = |id: &PodId| self.serves(*id, per, (namespace, name));
        if per.beside_gateway {
            let all = self.cluster().pods().map(|(id, _)| id);
            return all.filter(serves).collect();
        }
        let pods = self.classes.pods(controller).iter();
        pods.copied().filter(serves).collect()
    }

    /// Whether a loaded pod is one that a controller started for a Gateway.
    fn serves(&self, id: PodId, per: PerGateway, (namespace, name): (NamespaceId, &str)) -> bool {
        let labels = self.cluster().pod_labels(id);
        let gateway_namespace = &*self.cluster().namespace(namespace).name;
        let mut of_namespace = per.namespace_label.iter();
        let beside = !per.beside_gateway || self.cluster().pod(id).namespace == namespace;
        !self.assumed.is_stand_in(id)
            && beside
            && labels.get(per.name_label) == Some(name)
            && of_namespace.all(|label| labels.get(label) == Some(gateway_namespace))
    }

    /// The routers of `OpenShift`: on the network of their nodes their packets come from a
    /// namespace of their own, as far as policies see (DO84).
    fn routers(&self, loaded: Vec<PodId>) -> Caller {
        let on_host = |id: &PodId| self.cluster().pod(*id).host_network;
        let stand_ins = &self.assumed.routers;
        if loaded.is_empty() {
            return Caller::Proxies(Proxies {
                alternatives: stand_ins.iter().map(|pod| [*pod].into()).collect(),
                assumed: true,
            });
        }
        let mut pods: Vec<PodId> = loaded.iter().copied().filter(|id| !on_host(id)).collect();
        if loaded.iter().any(on_host) {
            pods.extend(self.assumed.host_network);
        }
        Caller::Proxies(Proxies {
            alternatives: vec![pods.into()],
            assumed: false,
        })
    }

    /// Who calls the pods behind a Service through a controller of the table.
    pub fn through(
        &self,
        controller: &'static Controller,
        gateway: Option<(NamespaceId, &str)>,
        service: &Service,
        dials_pods: bool,
    ) -> DoorWay {
        let outside = service.outside.as_deref();
        let at_nodes = outside.is_some_and(|outside| outside.at_nodes);
        let families = crate::spec::FamilySet::BOTH;
        DoorWay::Through(match controller.data_plane {
            DataPlane::Pods => self.proxies(controller, gateway),
            DataPlane::CiliumIdentity => Caller::Identity,
            DataPlane::Azure => Caller::PrivateSubnet,
            DataPlane::Aws if dials_pods => Caller::PrivateSubnet,
            DataPlane::Aws if !at_nodes => {
                return DoorWay::Stopped(DoorStatus::NoBackend, DoorReason::NotAtNodes);
            }
            DataPlane::Aws => Caller::ClientOrNode(families),
            DataPlane::Google => {
                let by_group = outside.is_some_and(|outside| outside.network_endpoint_group);
                if at_nodes && !by_group && !dials_pods {
                    Caller::ClientOrNode(families)
                } else {
                    Caller::Blocks(google_front_ends())
                }
            }
        })
    }
}

/// Where Google's front ends and health checks call from (DO92).
fn google_front_ends() -> IpSet {
    let blocks = ["130.211.0.0/22", "35.191.0.0/16"];
    IpSet::from_cidrs(blocks.iter().filter_map(|block| block.parse().ok()))
}

/// Whether an address is one of the internet's. Blocks for documentation count as public.
pub fn is_public(address: IpAddr) -> bool {
    IpSet::internet().contains(address)
}

/// The caller at an address of a Service.
pub fn caller_at(address: Option<IpAddr>, families: crate::spec::FamilySet, keeps: bool) -> Caller {
    let families = address.map_or(families, family_of);
    if keeps {
        Caller::Client(families)
    } else {
        Caller::ClientOrNode(families)
    }
}
