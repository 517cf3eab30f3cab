//! # NP505 source-ip-lost
//!
//! **What it does.** Tells when callers are named by address, and a Service takes their calls at
//! the nodes.
//!
//! **Why it is bad.** On the way from one node to another the caller's address is replaced by the
//! node's, so the rule sees the node. A note.
//!
//! **What it looks at.** Ingress rules with an address block that is not the whole internet, for
//! pods behind a Service of type `NodePort` or `LoadBalancer` without `externalTrafficPolicy:
//! Local`, on a port that the Service sends to.
//!
//! **When it stays silent.** When the rule's ports are none of the Service's.
//!
//! **Settings.** None of its own.
//!
//! **References.** "Using Source IP" in the Kubernetes documentation.

use crate::diagnostic::Place;
use crate::finding::Severity;
use crate::lint::facts::{Facts, peers};
use crate::lint::reporter::Reporter;
use crate::lint::rules::ipblock_on_pods;
use crate::model::{PodId, ServiceId, TargetPort};
use crate::policy::{Direction, Peer, RuleRef};
use crate::set::TrafficSet;

pub(crate) fn run(facts: &Facts<'_>, found: &mut Reporter<'_>) {
    for (at, policy, rule) in facts.network_rules() {
        if at.direction != Direction::Ingress || !policy.isolates(Direction::Ingress) {
            continue;
        }
        let outside =
            |p: &Peer| matches!(p, Peer::Addresses(set) if !ipblock_on_pods::is_everything(set));
        let Some(i) = peers(rule).iter().position(outside) else {
            continue;
        };
        let subjects = facts.subjects(at.policy);
        let through = subjects.iter().find_map(|p| {
            let opened = facts.traffic(rule, facts.cluster.pod(*p));
            let services = facts.services_behind(*p);
            services
                .into_iter()
                .find(|s| at_nodes(facts, *s, *p, &opened))
        });
        if let Some(service) = through {
            push(facts, found, at.with_peer(i), service);
        }
    }
}

/// Whether a Service takes calls at the nodes and sends them to a pod on an opened port.
fn at_nodes(facts: &Facts<'_>, service: ServiceId, pod: PodId, opened: &TrafficSet) -> bool {
    let service = facts.cluster.service(service);
    let reaches = |protocol, port| !TrafficSet::ports(protocol, port, port).is_disjoint(opened);
    service.takes_calls_at_nodes
        && service.ports.iter().any(|p| match &p.target {
            TargetPort::Number(n) => reaches(p.protocol, *n),
            TargetPort::Name(name) => facts
                .cluster
                .pod(pod)
                .named_ports(name)
                .any(|(q, n)| q == p.protocol && reaches(q, n)),
        })
}

fn push(facts: &Facts<'_>, found: &mut Reporter<'_>, at: RuleRef, service: ServiceId) {
    let service = facts.cluster.service(service);
    let name = format!(
        "{}/{}",
        facts.cluster.namespace(service.namespace).name,
        service.name
    );
    let finding = found.rule(
        at,
        format!("the callers of Service {name} may come under the address of a node"),
    );
    let place = Place::Origin(service.origin.clone());
    let finding = finding.related(
        place,
        "takes calls at every node, without externalTrafficPolicy: Local",
    );
    found.push(
        finding
            .severity(Severity::Info)
            .help("set externalTrafficPolicy: Local on the Service"),
    );
}
