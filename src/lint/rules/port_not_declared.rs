//! # NP013 port-not-declared
//!
//! **What it does.** Reports when no pod that a rule's traffic goes to declares the port the rule
//! opens.
//!
//! **Why it is bad.** Often a mistake, or the port of an earlier version. Ports need not be
//! declared, so it is only a note.
//!
//! **What it looks at.** Declared container ports of the destination pods.
//!
//! **When it stays silent.** When the pods declare no ports at all, are not all in the input (a
//! rule for every pod of every namespace has more of them in a cluster), the port is a Service's
//! (NP011), or that of the proxies of a mesh.
//!
//! **Settings.** None of its own.
//!
//! **References.** <https://github.com/k8sgpt-ai/k8sgpt/issues/157>.

use crate::finding::Severity;
use crate::lint::context::LintContext;
use crate::lint::peers::{is_every_pod, peers};
use crate::lint::reporter::Reporter;
use crate::lint::words;
use crate::policy::proxies::TunnelWay;
use crate::policy::{Direction, PortMatch, Ports, RuleRef};
use crate::set::{Protocol, TrafficSet};

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (rule_ref, _, rule) in context.network_rules() {
        let Ports::Of(list) = &rule.ports else {
            continue;
        };
        let to = context.destinations(rule_ref, rule);
        let declares = !to.pods.is_empty()
            && to
                .pods
                .iter()
                .all(|p| !context.cluster.pod(*p).ports.is_empty());
        if to.open
            || !declares
            || (rule_ref.direction == Direction::Egress && peers(rule).iter().any(is_every_pod))
        {
            continue;
        }
        let ports = to
            .pods
            .iter()
            .flat_map(|p| context.cluster.pod(*p).ports.iter());
        let declared = ports.fold(TrafficSet::empty(), |all, p| all.union(&p.traffic()));
        let service = to
            .pods
            .iter()
            .flat_map(|p| context.services_behind(*p))
            .flat_map(|s| &context.cluster.service(s).ports);
        let service_ports = service.fold(proxies(context), |all, p| {
            all.union(&TrafficSet::ports(p.protocol, p.port, p.port))
        });
        for (i, port) in list.iter().enumerate() {
            let PortMatch::Traffic(set) = port else {
                continue;
            };
            if set.is_disjoint(&declared)
                && set.is_disjoint(&service_ports)
                && set.sample().is_some()
            {
                let entry = RuleRef {
                    port: u32::try_from(i).ok(),
                    ..rule_ref
                };
                let who = words::names(context.cluster, &to.pods);
                let finding = reporter.rule(entry, format!("{who} does not declare this port"));
                reporter.push(
                    finding
                        .severity(Severity::Info)
                        .help("check the number; ports need not be declared"),
                );
            }
        }
    }
}

/// The ports on which the proxies of meshes send.
fn proxies(context: &LintContext<'_>) -> TrafficSet {
    let meshes = context.input.policies.plugin.proxies.iter();
    let ports = meshes
        .flat_map(|mesh| &mesh.tunnels)
        .filter_map(|t| match t.way {
            TunnelWay::Port(port) => Some(TrafficSet::ports(Protocol::Tcp, port, port)),
            _ => None,
        });
    ports.fold(TrafficSet::empty(), |all, one| all.union(&one))
}
