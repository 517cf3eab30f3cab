//! # NP103 service-unreachable
//!
//! **What it does.** Reports when policies open no port that a Service sends to.
//!
//! **Why it is bad.** Nobody can use the Service: the rules name another port than the pods listen
//! on, often that of an earlier version or of a neighbour.
//!
//! **What it looks at.** The pods behind each Service and the ports of every rule that governs
//! them, whoever the peers are. A warning when rules exist and none opens any port of the Service;
//! a note when some ports stay closed, or when there are no rules at all.
//!
//! **When it stays silent.** When any pod behind the Service is not isolated, or a rule names no
//! ports.
//!
//! **Settings.** None of its own.
//!
//! **References.** None.

use crate::diagnostic::Place;
use crate::finding::Severity;
use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::lint::words;
use crate::model::{PodId, Service, TargetPort, Truth};
use crate::policy::{Action, Direction, PolicyId};
use crate::set::TrafficSet;
use crate::spec::Endpoint;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (_, service) in context.cluster.services() {
        let Some(selector) = &service.selector else {
            continue;
        };
        let pods = context.pods_where(service.namespace, selector);
        if pods.is_empty() || service.ports.is_empty() {
            continue;
        }
        let Some((policies, opened)) = opened(context, &pods) else {
            continue;
        };
        let targets: Vec<TrafficSet> = (0..service.ports.len())
            .map(|i| target(context, service, i, &pods))
            .collect();
        let known = targets.iter().all(|t| !t.is_empty());
        let closed: Vec<usize> = (0..targets.len())
            .filter(|i| targets[*i].is_disjoint(&opened))
            .collect();
        if known && !closed.is_empty() {
            push(
                context,
                reporter,
                service,
                &policies,
                &opened,
                (&closed, &targets),
            );
        }
    }
}

/// The policies that govern all of these pods in the tier that isolates them, and the traffic that
/// their rules open, whoever the peers are; `None` when they do not isolate all of the pods.
fn opened(context: &LintContext<'_>, pods: &[PodId]) -> Option<(Vec<PolicyId>, TrafficSet)> {
    let (mut policies, mut opened) = (Vec::new(), TrafficSet::empty());
    for pod in pods {
        let effective = context
            .graph
            .effective(Endpoint::Pod(*pod), Direction::Ingress)?;
        let tier = effective.isolating_first()?;
        if tier.isolated != Truth::Yes || context.cluster.pod(*pod).host_network {
            return None;
        }
        for selecting in tier.selections() {
            let id = context.graph.policy_of(selecting.policy);
            policies.push(id);
            let rules = context.policies.get(id).rules(Direction::Ingress);
            for rule in rules.iter().filter(|rule| rule.action == Action::Allow) {
                opened = opened.union(&context.traffic(rule, context.cluster.pod(*pod)));
            }
        }
    }
    policies.sort_unstable();
    policies.dedup();
    Some((policies, opened))
}

/// The traffic on the pods that a Service's port is sent to.
fn target(context: &LintContext<'_>, service: &Service, i: usize, pods: &[PodId]) -> TrafficSet {
    let Some(port) = service.ports.get(i) else {
        return TrafficSet::empty();
    };
    match &port.target {
        TargetPort::Number(n) => TrafficSet::ports(port.protocol, *n, *n),
        TargetPort::Name(name) => pods.iter().fold(TrafficSet::empty(), |all, p| {
            let named = context
                .cluster
                .pod(*p)
                .named_ports(name)
                .filter(|(q, _)| *q == port.protocol);
            named.fold(all, |all, (q, n)| all.union(&TrafficSet::ports(q, n, n)))
        }),
    }
}

/// Reports the ports of a Service that no rule opens.
fn push(
    context: &LintContext<'_>,
    reporter: &mut Reporter<'_>,
    service: &Service,
    policies: &[PolicyId],
    opened: &TrafficSet,
    (closed, targets): (&[usize], &[TrafficSet]),
) {
    let with_rules = policies.iter().find(|id| {
        !context
            .policies
            .get(**id)
            .rules(Direction::Ingress)
            .is_empty()
    });
    let Some(id) = with_rules.or_else(|| policies.first()) else {
        return;
    };
    let name = format!(
        "{}/{}",
        context.cluster.namespace(service.namespace).name,
        service.name
    );
    let ports: Vec<String> = closed
        .iter()
        .map(|i| closed_port(service, *i, &targets[*i]))
        .collect();
    let mut finding = reporter.subject(
        *id,
        format!("nobody can reach Service {name} on {}", ports.join(", ")),
    );
    finding.fingerprint.peer = name.clone().into();
    let place = Place::Origin(service.origin.clone());
    let finding = finding
        .related(place, format!("Service {name}"))
        .label("governs the pods behind it");
    let all = closed.len() == targets.len();
    reporter.push(match (opened.is_empty(), all) {
        (true, _) => finding
            .severity(Severity::Info)
            .note("no rule lets anybody in"),
        (false, true) => finding
            .note(format!("the rules open {}", words::traffic(opened)))
            .help("open the port the pods listen on"),
        (false, false) => finding
            .severity(Severity::Info)
            .note(format!("the rules open {}", words::traffic(opened))),
    });
}

/// A closed port of a Service: `80`, or `80 (on the pods 8080)`.
fn closed_port(service: &Service, i: usize, target: &TrafficSet) -> String {
    let to = target
        .sample()
        .map_or_else(String::new, |t| t.port.to_string());
    let from = service.ports[i].port.to_string();
    if from == to {
        from
    } else {
        format!("{from} (on the pods {to})")
    }
}
