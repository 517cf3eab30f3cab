//! # NP104 ingress-backend-blocked
//!
//! **What it does.** Reports when the pods behind an Ingress, a Gateway route or an `OpenShift`
//! Route do not let in the controller that sends to them.
//!
//! **Why it is bad.** Every request from outside ends in a timeout (504).
//!
//! **What it looks at.** The Services that Ingresses, routes and Routes name, their pods and target
//! ports. An error when no rule opens the port to anybody, whoever the controller is, and when the
//! controller's pods are in the input and none of the backend's pods lets them in. The controller
//! is found by `lint.ingress-controllers`, by its `IngressClass`, or by the labels that its
//! distribution and Gateways set.
//!
//! **When it stays silent.** When the controller is not in the input and some rule opens the port:
//! who is admitted cannot be known. When any pod behind the Service is not isolated, or policies of
//! another kind may govern it too.
//!
//! **Settings.** `lint.ingress-controllers`: the workloads that bring traffic in, as
//! `namespace/name`.
//!
//! **References.** <https://kubernetes.io/docs/concepts/services-networking/ingress/>,
//! <https://gateway-api.sigs.k8s.io/api-types/httproute/>.

use crate::diagnostic::Place;
use crate::lint::backends::{Backend, backends};
use crate::lint::context::LintContext;
use crate::lint::intended_traffic;
use crate::lint::intended_traffic::IntendedTraffic;
use crate::lint::reporter::Reporter;
use crate::lint::words;
use crate::policy::{Direction, PolicyId};
use crate::set::TrafficSet;
use std::collections::HashSet;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let mut reported: HashSet<(PolicyId, String)> = HashSet::new();
    for backend in backends(context) {
        let Some(intended) = &backend.intended else {
            continue;
        };
        let Some(traffics) = intended.traffics(context) else {
            continue;
        };
        let Some((policy, who)) = blocked(context, &backend, intended, &traffics) else {
            continue;
        };
        let target = format!("{} on port {}", intended.to, intended.words(context));
        if !reported.insert((policy, target.clone())) {
            continue; // another path of it, or another Ingress for the same Service
        }
        let mut finding = reporter.subject(
            policy,
            format!("{who} reach {target}, where {} sends", intended.by.title()),
        );
        finding.fingerprint.peer = target.into();
        let finding = finding
            .label("governs the pods behind it")
            .related(
                Place::Origin(intended.by.origin()),
                format!("{} sends here", intended.by.title()),
            )
            .help("add a rule that lets the controller's pods in on this port");
        reporter.push(finding);
    }
}

/// The policy that closes a backend, and who cannot reach it.
fn blocked(
    context: &LintContext<'_>,
    backend: &Backend,
    intended: &IntendedTraffic,
    traffics: &[TrafficSet],
) -> Option<(PolicyId, String)> {
    let mut all = Vec::new();
    let mut closed = true;
    for (pod, traffic) in intended.pods.iter().zip(traffics) {
        let policies = intended_traffic::isolating(context, *pod, Direction::Ingress);
        if policies.is_empty() {
            return None;
        }
        closed &= !policies.iter().any(|p| {
            intended_traffic::opens(
                context,
                context.policies.get(*p),
                context.cluster.pod(*pod),
                traffic,
            )
        });
        all.extend(policies);
    }
    let policy = intended_traffic::deciding(context, &all, Direction::Ingress)?;
    if closed {
        return Some((policy, "nobody can".to_owned()));
    }
    let controllers = &backend.controllers;
    let admitted = || {
        intended
            .pods
            .iter()
            .zip(traffics)
            .any(|(p, t)| intended_traffic::admits(context, controllers, *p, t))
    };
    let names = || format!("{} cannot", words::names(context.cluster, controllers));
    (!controllers.is_empty() && !admitted()).then(|| (policy, names()))
}
