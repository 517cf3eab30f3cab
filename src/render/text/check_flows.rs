//! The flows and paths that policy tests fail by, in words.

use crate::check::Status;
use crate::check::outcome::{FlowEnd, PotentialFlow};
use crate::query::ask::via_service::ViaService;
use crate::render::context::{Names, RenderContext};
use crate::render::words;
use crate::set::{IpSet, TrafficSet};
use crate::source::Location;
use crate::spec::{Endpoint, Flow};
use crate::words::plural;
use std::net::IpAddr;

/// `shop/web -> data/db:5432`, TCP unsaid.
pub fn flow(context: RenderContext<'_>, flow: &Flow) -> String {
    let names = Names::of_flow(context.graph, flow);
    let context = context.naming(&names);
    let port = if flow.traffic.protocol == crate::set::Protocol::Tcp {
        flow.traffic.port.to_string()
    } else {
        flow.traffic.to_string()
    };
    let to = end_words(context, flow.destination);
    let to = if to.contains(':') && !to.contains(' ') {
        format!("[{to}]")
    } else {
        to
    };
    format!("{} -> {to}:{port}", end_words(context, flow.source))
}

/// The same with all of the traffic that is at fault, which one port would not tell.
pub fn flow_with(context: RenderContext<'_>, of: &Flow, traffic: &TrafficSet) -> String {
    if *traffic == TrafficSet::single(of.traffic) {
        return flow(context, of);
    }
    let names = Names::of_flow(context.graph, of);
    let context = context.naming(&names);
    let [from, to] = [of.source, of.destination].map(|end| end_words(context, end));
    format!("{from} -> {to} on {}", words::traffic(traffic))
}

/// What of the traffic that was asked about is at fault; the traffic of the flow where a Service
/// that was named changes it.
pub fn affected(
    context: RenderContext<'_>,
    of: &Flow,
    asked: &TrafficSet,
    wanted: bool,
    led: Option<ViaService>,
) -> TrafficSet {
    let allowed = context.graph.allowed(of.source, of.destination);
    let sets = if wanted {
        [
            asked.difference(&allowed.may),
            asked.difference(&allowed.must),
        ]
    } else {
        [
            asked.intersection(&allowed.must),
            asked.intersection(&allowed.may),
        ]
    };
    let at_fault = sets.into_iter().find(|set| set.contains(of.traffic));
    at_fault
        .filter(|_| led.is_none())
        .unwrap_or_else(|| TrafficSet::single(of.traffic))
}

/// An end in words: that an address stands for the internet is said.
fn end_words(context: RenderContext<'_>, end: Endpoint) -> String {
    let name = words::name_of(context, end);
    match end {
        Endpoint::Address(address) if name == address.to_string() => address_words(address),
        _ => name,
    }
}

/// An address; one of the internet stands for all of those that fare like it.
fn address_words(address: IpAddr) -> String {
    if IpSet::internet().contains(address) {
        format!("internet ({address})")
    } else {
        address.to_string()
    }
}

/// How pods that are not in the input are left out.
pub const CLOSED: &str = "(world: closed leaves them out)";

/// What passes, or may, where a pod is not in the input: a flow, or those of a path.
pub fn potential(hops: &[PotentialFlow], status: Status) -> Vec<(String, Option<Location>)> {
    let is = if status == Status::Undecided {
        "is unknown"
    } else {
        "is allowed"
    };
    let beyond = format!("{is}, and not all of these pods are in the input {CLOSED}");
    if let [only] = hops {
        return vec![(format!("{} {beyond}", potential_flow(only)), None)];
    }
    let head = format!("path of {} {beyond}:", plural(hops.len(), "hop"));
    let hops = hops.iter().map(|hop| format!("  {}", potential_flow(hop)));
    std::iter::once(head)
        .chain(hops)
        .map(|line| (line, None))
        .collect()
}

fn potential_flow(flow: &PotentialFlow) -> String {
    let end = |end: &FlowEnd| match end {
        FlowEnd::Pods(name) => words::clean(name).into_owned(),
        FlowEnd::Address(address) => address_words(*address),
    };
    format!(
        "{} -> {}  {}",
        end(&flow.source),
        end(&flow.destination),
        words::potential_traffic(&flow.traffic, &flow.port_names)
    )
}
