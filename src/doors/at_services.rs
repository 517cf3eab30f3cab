//! The lines of Services that have something outside: a load balancer, ports at the nodes, external
//! addresses (DO40 to DO48).

use crate::doors::builder::{DoorBuilder, caller_at, is_public};
use crate::doors::caller::{Caller, family_of};
use crate::doors::line::{Door, DoorKind, DoorStatus, Passage};
use crate::doors::reason::DoorReason;
use crate::doors::services::Behind;
use crate::model::{
    BalancerAddress, BalancerTargets, OutsideService, PodId, Service, ServiceId, ServicePort, Truth,
};
use crate::set::{Family, IpSet};
use crate::spec::FamilySet;
use std::net::IpAddr;

/// Where callers dial a Service, and what is known of that place.
struct ServicePlace {
    kind: DoorKind,
    host: Box<str>,
    /// The port that they dial, where it is told.
    number: Option<u16>,
    address: Option<IpAddr>,
    /// What counts instead of policies.
    known: Option<(DoorStatus, DoorReason)>,
    /// The callers that a load balancer lets through.
    ranges: Option<IpSet>,
    /// What it calls.
    targets: BalancerTargets,
}

impl DoorBuilder<'_> {
    /// Adds the lines of a Service.
    pub fn at_service(&mut self, id: ServiceId) {
        let service = self.cluster().service(id);
        let Some(outside) = service.outside.as_deref() else {
            return;
        };
        for port in &service.ports {
            let mut places = Vec::new();
            if outside.balanced {
                places.extend(balancers(outside, port));
            }
            if outside.at_nodes || outside.balanced && port.node.is_some() {
                places.push(self.at_nodes(port));
            }
            let external = outside.external_addresses.iter();
            places.extend(external.map(|address| external_address(*address, port)));
            for place in places {
                self.at_place(id, port, &place, outside);
            }
        }
    }

    fn at_nodes(&self, port: &ServicePort) -> ServicePlace {
        let private = self.nodes_are_private();
        ServicePlace {
            kind: DoorKind::NodePort,
            host: "node".into(),
            number: port.node,
            address: None,
            known: private.then_some((DoorStatus::Internal, DoorReason::PrivateNodes)),
            ranges: None,
            targets: BalancerTargets::Nodes,
        }
    }

    /// Whether the input has nodes with addresses, all of which are private (DO43).
    pub fn nodes_are_private(&self) -> bool {
        let nodes = self.cluster().nodes();
        let addresses = nodes.flat_map(|(_, node)| &node.addresses);
        let mut addresses = addresses.peekable();
        addresses.peek().is_some() && addresses.all(|address| !is_public(*address))
    }

    fn at_place(
        &mut self,
        id: ServiceId,
        port: &ServicePort,
        place: &ServicePlace,
        outside: &OutsideService,
    ) {
        let service = self.cluster().service(id);
        let number = place
            .number
            .map_or_else(|| "auto".to_owned(), |n| n.to_string());
        let class = outside.balancer_class.clone();
        let door = Door {
            kind: place.kind,
            namespace: self.cluster().namespace(service.namespace).name.clone(),
            name: service.name.clone(),
            host: place.host.clone(),
            path: format!("{number}/{}", port.protocol).into(),
            class: class.filter(|_| place.kind == DoorKind::LoadBalancer),
            origin: service.origin.clone(),
        };
        let keeps = outside.keeps_caller || place.targets == BalancerTargets::PodsAsCaller;
        let caller = match place.targets {
            BalancerTargets::Pods => Caller::PrivateSubnet,
            _ => caller_at(place.address, families(service), keeps),
        };
        let found = self.of_family(service, port, place.address.map(Family::of));
        let first = self.lines.len();
        self.endpoints_behind(&door, &caller, id, port.protocol, found);
        if place.kind == DoorKind::NodePort {
            self.policed(first);
        }
        self.settle(first, place);
        if matches!(caller, Caller::Client(_)) {
            self.admitted_of_ranges(first, place);
        }
    }

    /// What is behind a port for callers of a family (DO31).
    fn of_family(&self, service: &Service, port: &ServicePort, family: Option<Family>) -> Behind {
        let cluster = self.cluster();
        let has = |id: PodId| {
            let addresses = &cluster.pod(id).addresses;
            let mut families = addresses.iter().map(|a| Family::of(*a));
            let has = addresses.is_empty() || family.is_none_or(|f| families.any(|own| own == f));
            Truth::from(has)
        };
        match self.index.behind(service, port, &has) {
            Behind::Endpoints(pods, mut addresses) => {
                addresses.retain(|(at, _)| family.is_none_or(|wanted| Family::of(*at) == wanted));
                if pods.is_empty() && addresses.is_empty() {
                    return Behind::Nothing;
                }
                Behind::Endpoints(pods, addresses)
            }
            other => other,
        }
    }

    /// What is known of a place outweighs what policies let through there.
    fn settle(&mut self, first: usize, place: &ServicePlace) {
        for line in &mut self.lines[first..] {
            if line.passage.status == DoorStatus::NoBackend {
                continue;
            }
            if let Some((status, reason)) = place.known {
                line.passage = Passage::because(status, reason);
            } else if let Some(ranges) = &place.ranges
                && line.passage.status == DoorStatus::Open
            {
                within_ranges(ranges, &mut line.passage);
            }
        }
    }
}

impl DoorBuilder<'_> {
    /// Where policies see the caller's address and let in none of those that the load balancer
    /// lets through, only callers of a platform that ignores its ranges come in (DO46).
    fn admitted_of_ranges(&mut self, first: usize, place: &ServicePlace) {
        let Some(ranges) = &place.ranges else {
            return;
        };
        let caller = Caller::Ranges(ranges.clone());
        for line in &mut self.lines[first..] {
            let (pod, traffic) = (line.pods().first().copied(), line.target.traffic());
            let (DoorStatus::Open, Some(pod), Some(traffic)) = (line.passage.status, pod, traffic)
            else {
                continue;
            };
            if self.calls.at_pod(&caller, pod, traffic).status != DoorStatus::Open {
                let reason = DoorReason::SourceRangesNotAdmitted;
                line.passage = Passage::because(DoorStatus::Unknown, reason);
            }
        }
    }
}

/// The places of a load balancer: its addresses, or one that is pending.
fn balancers(outside: &OutsideService, port: &ServicePort) -> Vec<ServicePlace> {
    let is_pending = outside.balancer.is_empty();
    let place = |host, address| at_balancer(outside, port, host, address);
    if is_pending {
        return vec![place("pending".into(), None)];
    }
    let addresses = outside.balancer.iter().map(|at| match at {
        BalancerAddress::Ip(address) => place(address.to_string().into(), Some(*address)),
        BalancerAddress::Name(name) => place(name.clone(), None),
    });
    addresses.collect()
}

fn at_balancer(
    outside: &OutsideService,
    port: &ServicePort,
    host: Box<str>,
    address: Option<IpAddr>,
) -> ServicePlace {
    ServicePlace {
        kind: DoorKind::LoadBalancer,
        host,
        number: Some(port.port),
        address,
        known: known_of_balancer(outside, address),
        ranges: ranges(outside, address),
        targets: outside.targets,
    }
}

fn known_of_balancer(
    outside: &OutsideService,
    address: Option<IpAddr>,
) -> Option<(DoorStatus, DoorReason)> {
    let class = outside.balancer_class.as_deref();
    if address.is_some_and(|address| !is_public(address)) {
        return Some((DoorStatus::Internal, DoorReason::PrivateAddress));
    }
    if outside.internal == Some(true) {
        return Some((DoorStatus::Internal, DoorReason::InternalLoadBalancer));
    }
    match class {
        _ if outside.by_aws_controller && outside.internal.is_none() && address.is_none() => {
            Some((DoorStatus::Internal, DoorReason::NlbSchemeDefault))
        }
        _ if outside.by_aws_controller => None,
        None => None,
        Some(_) if outside.balancer.is_empty() => {
            Some((DoorStatus::Unknown, DoorReason::LbClassNotKnown))
        }
        Some(_) => None,
    }
}

/// The public callers that a load balancer lets through to an address; `None` where it lets all
/// through.
fn ranges(outside: &OutsideService, address: Option<IpAddr>) -> Option<IpSet> {
    if outside.source_ranges.is_empty() {
        return None;
    }
    let ranges = IpSet::from_cidrs(outside.source_ranges.iter().copied());
    let families = address.map_or(FamilySet::BOTH, family_of);
    let allowed = ranges.intersection(&families.addresses(&IpSet::internet()));
    let mut families = families.iter();
    let is_all = families.any(|family| IpSet::internet().only(family).is_subset(&ranges));
    (!is_all).then_some(allowed)
}

/// What source ranges leave of an open door: some callers, or whoever gets past a platform that
/// ignores them (DO46).
fn within_ranges(ranges: &IpSet, passage: &mut Passage) {
    if ranges.is_empty() {
        *passage = Passage::because(DoorStatus::Unknown, DoorReason::SourceRangesPrivate);
    } else if passage.reason.is_none() {
        passage.reason = Some(DoorReason::PartlyBySourceRanges);
    }
}

fn external_address(address: IpAddr, port: &ServicePort) -> ServicePlace {
    let private = !is_public(address);
    ServicePlace {
        kind: DoorKind::ExternalIp,
        host: address.to_string().into(),
        number: Some(port.port),
        address: Some(address),
        known: private.then_some((DoorStatus::Internal, DoorReason::PrivateAddress)),
        ranges: None,
        targets: BalancerTargets::Nodes,
    }
}

/// The families of callers at a Service that has no address there.
fn families(service: &Service) -> FamilySet {
    if service.families.is_empty() {
        FamilySet::BOTH
    } else {
        service.families.iter().copied().collect()
    }
}
