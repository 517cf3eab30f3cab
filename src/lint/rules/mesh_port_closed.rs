//! # NP861 mesh-port-closed
//!
//! **What it does.** Reports a rule that opens ports between pods of a service mesh, and not the
//! port on which their proxies send.
//!
//! **Why it is bad.** Between pods of a mesh packets travel to a port of the proxy: 15008 where one
//! of them is of Istio's ambient mode, 4143 between pods of Linkerd's mesh. The network plugin sees
//! that port alone. A rule that lists the application's port lets in nobody of the mesh.
//!
//! **What it looks at.** Rules with ports of `NetworkPolicies`, and the pods that they select on
//! both sides, as far as labels, annotations, containers and settings say that they are of a mesh.
//!
//! **When it stays silent.** Where any rule opens the port of the proxy between the same pods;
//! where it is not sure that both are of the mesh, or a waypoint stands in between; for ports that
//! either pod keeps from its proxy.
//!
//! **Settings.** `cluster.istio`, `cluster.linkerd`.
//!
//! **References.** Istio's page on ambient mode and network policies; "Using Kubernetes
//! network policies" in Linkerd's.

use crate::lint::context::LintContext;
use crate::lint::peers::peers;
use crate::lint::ports::port_traffic;
use crate::lint::reporter::Reporter;
use crate::lint::words;
use crate::model::PodId;
use crate::policy::proxies::{MeshProxies, TunnelWay};
use crate::policy::{Direction, Peers, Ports, Rule, RuleRef};
use crate::set::{Protocol, TrafficSet};
use crate::spec::Endpoint;
use std::collections::BTreeMap;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let is_mesh = |proxies: &&MeshProxies| {
        let mut ways = proxies.tunnels.iter().map(|tunnel| &tunnel.way);
        ways.any(|way| matches!(way, TunnelWay::Port(_)))
    };
    // what the policies are asked about here travels as it is written
    let meshes = context.input.policies.plugin.proxies.iter();
    let meshes = meshes.filter(is_mesh);
    let meshes: Vec<&MeshProxies> = meshes.collect();
    if meshes.is_empty() {
        return;
    }
    for (at, _, rule) in context.network_rules() {
        if rule.ports == Ports::Any {
            continue;
        }
        let found = meshes
            .iter()
            .find_map(|mesh| cut_off(context, mesh, at, rule));
        if let Some((pair, port)) = found {
            let [from, to] = pair.map(|pod| words::names(context.cluster, &[pod]));
            let message = format!(
                "proxies of the mesh send on port {port}, which no rule opens from {from} to {to}"
            );
            let help = format!("list port {port} beside those of the application");
            let finding = reporter.rule(at, message);
            reporter.push(finding.help(help));
        }
    }
}

/// Pods of a mesh that a rule means to let through, and the port of the proxy that is closed to
/// them.
fn cut_off(
    context: &LintContext<'_>,
    mesh: &MeshProxies,
    at: RuleRef,
    rule: &Rule,
) -> Option<([PodId; 2], u16)> {
    let subjects = by_value(context, mesh, &context.subjects(at.policy));
    let others = by_value(context, mesh, &selected(context, rule));
    for subject in &subjects {
        for other in &others {
            let [from, to] = match at.direction {
                Direction::Ingress => [other, subject],
                Direction::Egress => [subject, other],
            };
            let pair = [from.1, to.1];
            let Some(port) = sent_to(context, mesh, [from.0, to.0], pair[1], rule) else {
                continue;
            };
            let [source, destination] = pair.map(Endpoint::Pod);
            let open = context.graph.allowed_on(at.direction, source, destination);
            let proxy = TrafficSet::ports(Protocol::Tcp, port, port);
            if pair[0] != pair[1] && open.may.is_disjoint(&proxy) {
                return Some((pair, port));
            }
        }
    }
    None
}

/// The pods that the peers of a rule select by labels; all of them where it has no peers.
fn selected(context: &LintContext<'_>, rule: &Rule) -> Vec<PodId> {
    if rule.peers == Peers::Any {
        return context.cluster.pods().map(|(id, _)| id).collect();
    }
    let each = peers(rule).iter().filter_map(|peer| context.peer(peer));
    each.flat_map(|selected| selected.pods.clone()).collect()
}

/// One pod for each kind of proxy, of those that surely have one; two, as pods are not asked about
/// themselves.
fn by_value<'c>(
    context: &'c LintContext<'_>,
    mesh: &MeshProxies,
    pods: &[PodId],
) -> Vec<(&'c str, PodId)> {
    let mut found: BTreeMap<&str, Vec<PodId>> = BTreeMap::new();
    for pod in pods {
        let labels = context.cluster.pod_labels(*pod);
        let value = labels.get(mesh.key).filter(|_| !labels.is_open(mesh.key));
        if let Some(value) = value {
            let known = found.entry(value).or_default();
            if known.len() < 2 && !known.contains(pod) {
                known.push(*pod);
            }
        }
    }
    let each = found.into_iter();
    each.flat_map(|(value, pods)| pods.into_iter().map(move |pod| (value, pod)))
        .collect()
}

/// The port of the proxy to which something travels that a rule opens at a destination.
fn sent_to(
    context: &LintContext<'_>,
    mesh: &MeshProxies,
    [from, to]: [&str; 2],
    destination: PodId,
    rule: &Rule,
) -> Option<u16> {
    let Ports::Of(list) = &rule.ports else {
        return None;
    };
    let pod = context.cluster.pod(destination);
    let opened = list.iter().map(|port| port_traffic(port, pod));
    let opened = opened.fold(TrafficSet::empty(), |all, one| all.union(&one));
    let mut tunnels = mesh.tunnels.iter();
    let first = tunnels.find(|tunnel| {
        tunnel.sources.contains(from)
            && tunnel.destinations.contains(to)
            && !tunnel.traffic.is_disjoint(&opened)
    })?;
    match first.way {
        TunnelWay::Port(port) => Some(port),
        TunnelWay::Beside { .. } | TunnelWay::Between(_) => None,
    }
}
