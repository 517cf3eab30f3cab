//! Doors: who comes in from the internet, and by which door (DO1 to DO107).
//!
//! A door is an object, or a port of a pod, through which a client outside the cluster can start a
//! connection that ends at a pod. Policy is decided for the packet behind the door, on the pod's
//! own port: behind a proxy that is a packet of the proxy's pod.
//!
//! ```text
//! client ──▶ Ingress shop.example ──▶ ingress-nginx/controller ──▶ shop/web:8080
//!            a door                   the caller that policies see   a line's target
//! ```
//!
//! [`DoorList::of`] makes one [`DoorLine`] for each door and workload behind it. Controllers are a
//! table ([`controllers`]); one that is not loaded is assumed ([`assumed`]), which may open a door
//! and never closes one. Cost: O(objects + endpoints behind them); what callers get is decided once
//! for each pair of classes ([`caller`]).
//!
//! Road not taken: to follow a packet through the controller, with its own door as the first hop of
//! every line. The controller's door is a line of its own, and how the two are joined is said where
//! it matters (DO98).

pub mod assumed;
mod at_pods;
mod at_services;
mod attach;
mod builder;
pub mod caller;
pub mod controllers;
mod gateway;
mod grants;
mod hosts;
mod ingress;
mod istio;
pub mod line;
mod merge;
mod openshift;
mod own_doors;
pub mod reason;
mod served;
mod services;

pub use crate::doors::assumed::{AssumedCallers, with_assumed_callers, with_controller};
pub use crate::doors::controllers::{CONTROLLERS, Controller};
pub use crate::doors::line::{Door, DoorKind, DoorLine, DoorStatus, DoorTarget, OwnDoors, Passage};
pub use crate::doors::reason::DoorReason;

use crate::doors::builder::DoorBuilder;
use crate::doors::own_doors::look_at_own_doors;
use crate::graph::{AllowGraph, CompileError};
use crate::input::Input;
use crate::model::ServiceId;
use crate::model::doors::DoorSpec;
use std::collections::BTreeMap;

/// The kinds of which a cluster has to be asked: what could not be listed of them may be a door, or
/// be behind one.
const LISTED: [&str; 16] = [
    "Pod",
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "Service",
    "Ingress",
    "Gateway",
    "HTTPRoute",
    "GRPCRoute",
    "TLSRoute",
    "TCPRoute",
    "UDPRoute",
    "Route",
    "VirtualService",
    "EndpointSlice",
];

/// Every door of an input.
#[derive(Debug, Clone, Default)]
pub struct DoorList {
    /// The lines: Services first, then pods, then objects, each in input order.
    pub lines: Vec<DoorLine>,
    /// The kinds of objects that may open further doors and are not read, with how many there are
    /// (DO106).
    pub unread: Vec<(Box<str>, usize)>,
    /// The controllers that were assumed.
    pub assumed: Vec<&'static str>,
}

impl DoorList {
    /// The doors of a graph that was compiled from an input with these stand-ins.
    pub fn of(graph: &AllowGraph, assumed: &AssumedCallers) -> Self {
        let mut builder = DoorBuilder::new(graph, assumed);
        let cluster = builder.cluster();
        let mut unread: BTreeMap<Box<str>, usize> = BTreeMap::new();
        let services: Vec<ServiceId> = cluster.services().map(|(id, _)| id).collect();
        for id in services {
            builder.at_service(id);
        }
        builder.at_pods();
        for object in cluster.doors() {
            match &object.spec {
                DoorSpec::Ingress(ingress) => builder.ingress(object, ingress),
                DoorSpec::GatewayRoute(route) => builder.gateway_route(object, route),
                DoorSpec::Route(route) => builder.openshift_route(object, route),
                DoorSpec::VirtualService(service) => builder.virtual_service(object, service),
                DoorSpec::Unread(kind) => *unread.entry(kind.clone()).or_default() += 1,
                _ => {}
            }
        }
        let is_told = |pod| {
            let workload = cluster.workload(cluster.pod(pod).workload);
            unread.is_empty() && workload.made.is_none()
        };
        look_at_own_doors(&mut builder.lines, is_told);
        Self {
            lines: builder.lines,
            unread: unread.into_iter().collect(),
            assumed: assumed.controllers(),
        }
    }

    /// The doors of an input that a graph was compiled from: compiled again with the controllers
    /// that are assumed, where there are any.
    ///
    /// # Errors
    /// When the input with these is too large to compile.
    pub fn of_input(input: &Input, graph: &AllowGraph) -> Result<Self, CompileError> {
        let (laid, assumed) = with_assumed_callers(input);
        let mut list = if assumed.is_empty() {
            Self::of(graph, &assumed)
        } else {
            let laid = AllowGraph::compile(&laid, &graph.environment().options)?;
            Self::of(&laid, &assumed)
        };
        let unlisted = input.unlisted.iter().filter(|u| u.was_asked_for());
        let kinds = unlisted
            .map(|u| &*u.kind)
            .filter(|kind| LISTED.contains(kind));
        let unread = kinds.map(|kind| (format!("list of {kind}s").into(), 1));
        list.unread.extend(unread);
        Ok(list)
    }

    /// Whether it is sure that there are no other doors.
    pub fn is_complete(&self) -> bool {
        self.unread.is_empty()
    }
}
