//! # NP504 service-vip-in-ipblock
//!
//! **What it does.** Reports when an `ipBlock` names addresses of Services.
//!
//! **Why it is bad.** A Service's address is rewritten to a pod's, in most clusters before policies
//! are applied, so that the rule matches nothing. The API leaves the order open.
//!
//! **What it looks at.** Address blocks that lie inside the range of Services, or are the address
//! of one.
//!
//! **When it stays silent.** When neither the range nor addresses of Services are known; for wider
//! blocks.
//!
//! **Settings.** `cluster.service-cidrs`.
//!
//! **References.** "Behavior of ipBlock selectors" in the Kubernetes documentation.

use crate::lint::context::LintContext;
use crate::lint::peers::peers;
use crate::lint::reporter::Reporter;
use crate::model::{Cluster, Service};
use crate::policy::{Direction, Peer};
use crate::set::IpSet;
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

/// How many endpoints are named.
const SHOWN: usize = 5;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let known = [Direction::Ingress, Direction::Egress].map(|direction| {
        let services = context.cluster.services();
        let of_each = services.flat_map(|(_, s)| addresses(context.cluster, s, direction));
        IpSet::from_cidrs(of_each.map(IpNet::from))
    });
    let configured = context
        .config
        .service_cidrs
        .clone()
        .unwrap_or_else(IpSet::empty);
    for (rule_ref, policy, rule) in context.network_rules() {
        let direction = rule_ref.direction;
        let [ingress, egress] = &known;
        let known = if direction == Direction::Ingress {
            ingress
        } else {
            egress
        };
        for (i, peer) in peers(rule).iter().enumerate() {
            let Peer::Addresses(set) = peer else { continue };
            let inside = set.is_subset(known) || set.is_subset(&configured);
            if set.is_empty() || !inside || !policy.isolates(direction) {
                continue;
            }
            let mut services = context.cluster.services().map(|(_, service)| service);
            let named =
                |s: &&Service| addresses(context.cluster, s, direction).any(|a| set.contains(a));
            let service = services.find(named);
            let finding = reporter.rule(
                rule_ref.with_peer(i),
                format!("an address block of {}", name(context.cluster, service)),
            );
            let finding =
                finding.label("rewritten to a pod's address, usually before policies see it");
            reporter.push(finding.help(instead(context.cluster, service)));
        }
    }
}

fn name(cluster: &Cluster, service: Option<&Service>) -> String {
    match service {
        Some(s) => format!("Service {}/{}", cluster.namespace(s.namespace).name, s.name),
        None => "Services".to_owned(),
    }
}

/// The addresses of a Service that are rewritten on the way out of a pod. On the way in only the
/// cluster address never is a caller's: a load balancer may call from its own. An external address
/// that is a node's may be meant as that.
fn addresses(
    cluster: &Cluster,
    service: &Service,
    direction: Direction,
) -> impl Iterator<Item = IpAddr> {
    let of_node = |address: &&IpAddr| cluster.nodes().any(|(_, n)| n.addresses.contains(address));
    let outside = service.outside_addresses.iter();
    let outside = outside.filter(move |a| direction == Direction::Egress && !of_node(a));
    service.addresses.iter().chain(outside).copied()
}

/// What to write in place of the address of a Service.
fn instead(cluster: &Cluster, service: Option<&Service>) -> String {
    let by_selector = "select the pods behind the Service by their labels, and name their port";
    let Some(service) = service.filter(|service| service.selector.is_none()) else {
        return by_selector.to_owned();
    };
    let listed = cluster.listed_endpoints(service.namespace, &service.name);
    let endpoints: BTreeSet<String> = listed
        .unwrap_or_default()
        .iter()
        .map(|at| SocketAddr::new(at.address, at.port).to_string())
        .collect();
    let shown: Vec<&str> = endpoints.iter().take(SHOWN).map(String::as_str).collect();
    let more = match endpoints.len().saturating_sub(SHOWN) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let advice = "the Service has no selector: name the addresses and ports of its endpoints";
    if shown.is_empty() {
        return advice.to_owned();
    }
    format!("{advice}, {}{more}", shown.join(", "))
}
