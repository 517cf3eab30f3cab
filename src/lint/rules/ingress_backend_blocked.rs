//! # NP104 ingress-backend-blocked
//!
//! **What it does.** Reports when the pods behind an Ingress, a route of a Gateway, an `OpenShift`
//! Route or a `VirtualService` do not let in the controller that sends to them, or the controller
//! is not let out to them.
//!
//! **Why it is bad.** Every request from outside ends in a timeout (504).
//!
//! **What it looks at.** The doors that `netpal doors` lists as closed by policy: a controller that
//! is in the input and gets to none of the pods, or, whoever the controller is, pods that let
//! nobody in on the port.
//!
//! **When it stays silent.** When the controller is not in the input and some rule opens the port:
//! who is admitted cannot be known. When policies of another kind may govern the pods too.
//!
//! **Settings.** `cluster.ingress-controllers`: the workloads that bring traffic in, as
//! `namespace/name`, where the input does not show which do.
//!
//! **References.** <https://kubernetes.io/docs/concepts/services-networking/ingress/>,
//! <https://gateway-api.sigs.k8s.io/api-types/httproute/>.

use crate::diagnostic::Place;
use crate::doors::{DoorLine, DoorStatus};
use crate::lint::context::LintContext;
use crate::lint::intended_traffic;
use crate::lint::reporter::Reporter;
use crate::lint::words;
use crate::model::Truth;
use crate::policy::{Direction, PolicyId};
use crate::set::TrafficSet;
use crate::spec::ConnectionOrigin;
use std::collections::HashSet;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let mut reported: HashSet<(PolicyId, String)> = HashSet::new();
    for line in context
        .doors()
        .iter()
        .filter(|line| line.door.kind.is_object())
    {
        let (Some(closed), Some(traffic)) = (closed(context, line), line.target.traffic()) else {
            continue;
        };
        let name = line.target.name(context.cluster).unwrap_or_default();
        let target = format!(
            "{name} on port {}",
            words::traffic(&TrafficSet::single(traffic))
        );
        if !reported.insert((closed.policy, target.clone())) {
            continue; // another path of it, or another door to the same pods
        }
        let (door, who) = (line.door.title(), &closed.who);
        let mut finding = reporter.subject(
            closed.policy,
            format!("{who} reach {target}, where {door} sends"),
        );
        finding.fingerprint.peer = target.into();
        let sends = format!("{door} sends here");
        let finding = finding
            .label(closed.label)
            .related(Place::Origin(line.door.origin.clone()), sends)
            .help(closed.help);
        reporter.push(finding);
    }
}

/// What closes a door.
struct Closed {
    policy: PolicyId,
    /// Who does not get through.
    who: String,
    /// What the policy does.
    label: &'static str,
    help: &'static str,
}

/// What closes a door, if policies surely do.
fn closed(context: &LintContext<'_>, line: &DoorLine) -> Option<Closed> {
    let (pod, traffic) = (line.target.pods().first(), line.target.traffic()?);
    let pod = *pod.filter(|_| line.passage.status == DoorStatus::ClosedByPolicy)?;
    let policies = &line.passage.policies;
    let controller = words::names(context.cluster, &line.passage.closed_to);
    let at_the_pods = intended_traffic::isolating(context, pod, Direction::Ingress);
    if !policies.iter().any(|id| at_the_pods.contains(id)) {
        return Some(Closed {
            policy: intended_traffic::deciding(context, policies, Direction::Egress)?,
            who: format!("{controller} cannot"),
            label: "governs the controller",
            help: "add a rule that lets the controller out to these pods on this port",
        });
    }
    let anybody = context
        .graph
        .admits_from(ConnectionOrigin::Untold, pod, traffic);
    Some(Closed {
        policy: intended_traffic::deciding(context, policies, Direction::Ingress)?,
        who: match anybody {
            Truth::No => "nobody can".to_owned(),
            _ => format!("{controller} cannot"),
        },
        label: "governs the pods behind it",
        help: "add a rule that lets the controller's pods in on this port",
    })
}
