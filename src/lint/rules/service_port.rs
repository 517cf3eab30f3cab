//! # NP011 service-port
//!
//! **What it does.** Reports when a rule names the port of a Service, or its `nodePort`, where the
//! port of its pods is needed.
//!
//! **Why it is bad.** A policy sees the port after the Service has translated it. A rule for 80
//! does not admit what arrives at 7070, although every client connects to 80.
//!
//! **What it looks at.** The pods the rule's traffic goes to; a Service that selects all of them
//! has this port and sends it elsewhere, and none of the pods declares the port. Fixed
//! automatically: the port of the pods is written instead. Where a pod declares no ports at all it
//! is a warning, and there is no fix; where the rule opens the port of the pods as well, a
//! `nodePort` is a warning and the port of a Service a note.
//!
//! **When it stays silent.** When one of the pods declares the port.
//!
//! **Settings.** None of its own.
//!
//! **References.** <https://github.com/kubernetes/website/issues/8295>,
//! <https://github.com/projectcalico/calico/issues/8049>,
//! <https://github.com/codecentric/helm-charts/pull/432>.

use crate::diagnostic::Place;
use crate::finding::{Finding, Severity, TreeEdit};
use crate::lint::context::LintContext;
use crate::lint::ports::numeric_traffic;
use crate::lint::reporter::Reporter;
use crate::model::{Cluster, PodId, ServiceId, ServicePort, TargetPort};
use crate::policy::{Policy, PortMatch, Ports, RuleRef};
use crate::set::traffic::TrafficRange;
use crate::set::{Protocol, TrafficSet};
use crate::source::Origin;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (rule_ref, policy, rule) in context.network_rules() {
        let Ports::Of(list) = &rule.ports else {
            continue;
        };
        let to = context.destinations(rule_ref, rule);
        if to.open || to.pods.is_empty() {
            continue;
        }
        for (i, port) in list.iter().enumerate() {
            let PortMatch::Traffic(set) = port else {
                continue;
            };
            let mut pieces = set.pieces();
            let (Some(TrafficRange::Ports(protocol, first, last)), None) =
                (pieces.next(), pieces.next())
            else {
                continue;
            };
            if first != last || !nobody_listens(context.cluster, &to.pods, first) {
                continue;
            }
            let Some(found) = translated(context, &to.pods, protocol, first) else {
                continue;
            };
            let finding = finding(context, reporter, (policy, rule_ref, i), first, &found);
            let target = TrafficSet::ports(protocol, found.target, found.target);
            let declares = |p: &PodId| !context.cluster.pod(*p).ports.is_empty();
            reporter.push(if !target.is_disjoint(&numeric_traffic(rule)) {
                let severity = if found.at_nodes {
                    Severity::Warning
                } else {
                    Severity::Info
                };
                let help = format!("take it out: the rule opens {} as well", found.target);
                unfixed(finding.severity(severity).help(help))
            } else if to.pods.iter().all(declares) {
                finding
            } else {
                unfixed(finding.severity(Severity::Warning))
            });
        }
    }
}

/// A finding without an automatic fix.
fn unfixed(finding: Finding) -> Finding {
    Finding {
        fix: None,
        ..finding
    }
}

/// Whether none of the pods declares this port.
fn nobody_listens(cluster: &Cluster, pods: &[PodId], port: u16) -> bool {
    pods.iter()
        .all(|p| cluster.pod(*p).ports.iter().all(|c| c.port != port))
}

/// A port that a Service sends to another one.
struct Translated {
    service: ServiceId,
    /// Whether it is the port at the nodes.
    at_nodes: bool,
    /// The port of the pods.
    target: u16,
}

/// The Service that selects all of these pods and sends this port to another one.
fn translated(
    context: &LintContext<'_>,
    pods: &[PodId],
    protocol: Protocol,
    port: u16,
) -> Option<Translated> {
    let mut services = context.services_behind(*pods.first()?).into_iter();
    services.find_map(|id| {
        let service = context.cluster.service(id);
        let all = pods
            .iter()
            .all(|p| context.services_behind(*p).contains(&id));
        let is_port = |s: &&ServicePort| s.port == port && s.protocol == protocol;
        let is_node_port = |s: &&ServicePort| s.node == Some(port) && s.protocol == protocol;
        let mut ports = service.ports.iter();
        let by_port = ports.find(is_port);
        let entry = by_port.or_else(|| service.ports.iter().find(is_node_port))?;
        let targets = pods.iter().map(|p| match &entry.target {
            TargetPort::Number(n) => Some(*n),
            TargetPort::Name(name) => context
                .cluster
                .pod(*p)
                .named_ports(name)
                .next()
                .map(|(_, n)| n),
        });
        let mut targets: Vec<u16> = targets.collect::<Option<_>>()?;
        targets.sort_unstable();
        targets.dedup();
        let [single] = targets.as_slice() else {
            return None;
        };
        (all && *single != port).then_some(Translated {
            service: id,
            at_nodes: by_port.is_none(),
            target: *single,
        })
    })
}

/// The finding about a rule's port that is a Service's, with the fix.
fn finding(
    context: &LintContext<'_>,
    reporter: &Reporter<'_>,
    (policy, rule_ref, i): (&Policy, RuleRef, usize),
    port: u16,
    found: &Translated,
) -> Finding {
    let entry = RuleRef {
        port: u32::try_from(i).ok(),
        ..rule_ref
    };
    let path = policy.path(entry).key("port");
    let here = Origin::new(policy.document, path.clone());
    let target = found.target;
    let service = context.cluster.service(found.service);
    let kind = if found.at_nodes { "nodePort" } else { "port" };
    let name = format!(
        "{}/{}",
        context.cluster.namespace(service.namespace).name,
        service.name
    );
    reporter
        .field(
            rule_ref.policy,
            path,
            format!("{port} is the {kind} of Service {name}; its pods listen on {target}"),
        )
        .severity(Severity::Error)
        .label("policies see the port of the pod")
        .related(
            Place::Origin(service.origin.clone()),
            format!("Service {name} sends {port} to {target}"),
        )
        .help(format!("write {target}"))
        .fix([TreeEdit::Replace(here, target.to_string().into())])
}
