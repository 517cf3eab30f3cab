//! # NP011 service-port
//!
//! **What it does.** Reports when a rule names the port of a Service where the port of its pods is
//! needed.
//!
//! **Why it is bad.** A policy sees the port after the Service has translated it. A rule for 80
//! does not admit what arrives at 7070, although every client connects to 80.
//!
//! **What it looks at.** The pods the rule's traffic goes to; a Service that selects all of them
//! has this port and sends it elsewhere, and none of the pods declares the port. Fixed
//! automatically: the port of the pods is written instead.
//!
//! **When it stays silent.** When the pods declare no ports, or one of them declares this one.
//!
//! **Settings.** None of its own.
//!
//! **References.** <https://github.com/kubernetes/website/issues/8295>,
//! <https://github.com/projectcalico/calico/issues/8049>,
//! <https://github.com/codecentric/helm-charts/pull/432>.

use crate::diagnostic::Place;
use crate::finding::{Severity, TreeEdit};
use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::model::{Cluster, PodId, ServiceId, TargetPort};
use crate::policy::{Policy, PortMatch, Ports, RuleRef};
use crate::set::Protocol;
use crate::set::traffic::TrafficRange;
use crate::source::{Origin, Path};

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
            if let Some((service, target)) = translated(context, &to.pods, protocol, first) {
                push(
                    context,
                    reporter,
                    (policy, rule_ref, i),
                    first,
                    service,
                    target,
                );
            }
        }
    }
}

/// Whether all pods declare ports, and none of them this one.
fn nobody_listens(cluster: &Cluster, pods: &[PodId], port: u16) -> bool {
    pods.iter()
        .map(|p| cluster.pod(*p))
        .all(|p| !p.ports.is_empty() && p.ports.iter().all(|c| c.port != port))
}

/// The Service that selects all of these pods and sends this port to another one, with that other
/// port.
fn translated(
    context: &LintContext<'_>,
    pods: &[PodId],
    protocol: Protocol,
    port: u16,
) -> Option<(ServiceId, u16)> {
    let mut services = context.services_behind(*pods.first()?).into_iter();
    services.find_map(|id| {
        let service = context.cluster.service(id);
        let all = pods
            .iter()
            .all(|p| context.services_behind(*p).contains(&id));
        let entry = service
            .ports
            .iter()
            .find(|s| s.port == port && s.protocol == protocol)?;
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
        (all && *single != port).then_some((id, *single))
    })
}

/// Reports a rule's port that is a Service's, with the fix.
fn push(
    context: &LintContext<'_>,
    reporter: &mut Reporter<'_>,
    (policy, rule_ref, i): (&Policy, RuleRef, usize),
    port: u16,
    service: ServiceId,
    target: u16,
) {
    let entry = RuleRef {
        port: u32::try_from(i).ok(),
        ..rule_ref
    };
    let mut path = Path::root().key("spec");
    path.0.extend(policy.rule_path(entry).0);
    let path = path.key("port");
    let here = Origin::new(policy.document, path.clone());
    let service = context.cluster.service(service);
    let name = format!(
        "{}/{}",
        context.cluster.namespace(service.namespace).name,
        service.name
    );
    reporter.push(
        reporter
            .field(
                rule_ref.policy,
                path,
                format!("{port} is the port of Service {name}; its pods listen on {target}"),
            )
            .severity(Severity::Error)
            .label("policies see the port of the pod")
            .related(
                Place::Origin(service.origin.clone()),
                format!("Service {name} sends {port} to {target}"),
            )
            .help(format!("write {target}"))
            .fix([TreeEdit::Replace(here, target.to_string().into())]),
    );
}
