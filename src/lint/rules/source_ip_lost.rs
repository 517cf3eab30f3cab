//! # NP505 source-ip-lost
//!
//! **What it does.** Reports when callers are named by address, and a Service takes their calls at
//! the nodes.
//!
//! **Why it is bad.** On the way from one node to another the caller's address is replaced by the
//! node's, so the rule sees the node.
//!
//! **What it looks at.** Ingress rules with an address block that is not the whole internet, for
//! pods behind a Service of type `NodePort` or `LoadBalancer` without `externalTrafficPolicy:
//! Local`, on a port that the Service sends to. A note when the block is so wide a private one that
//! the nodes may be in it (IPv4 /16, IPv6 /48), or when another rule for the pods opens the port to
//! every address.
//!
//! **When it stays silent.** When the rule's ports are none of the Service's.
//!
//! **Settings.** None of its own.
//!
//! **References.** "Using Source IP" in the Kubernetes documentation.

use crate::diagnostic::Place;
use crate::finding::{Finding, Severity};
use crate::lint::addresses::is_everything;
use crate::lint::context::LintContext;
use crate::lint::intended_traffic;
use crate::lint::peers::peers;
use crate::lint::reporter::Reporter;
use crate::model::{PodId, ServiceId, TargetPort};
use crate::policy::{Direction, Peer, Peers, Rule, RuleRef};
use crate::set::{IpSet, TrafficSet};
use ipnet::IpNet;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (rule_ref, policy, rule) in context.network_rules() {
        if rule_ref.direction != Direction::Ingress || !policy.isolates(Direction::Ingress) {
            continue;
        }
        let outside = |p: &Peer| matches!(p, Peer::Addresses(set) if !is_everything(set));
        let Some(i) = peers(rule).iter().position(outside) else {
            continue;
        };
        let subjects = context.subjects(rule_ref.policy);
        let through = subjects.iter().find_map(|p| {
            let opened = context.traffic(rule, context.cluster.pod(*p));
            let services = context.services_behind(*p);
            services
                .into_iter()
                .find(|s| at_nodes(context, *s, *p, &opened))
        });
        if let Some(service) = through {
            let Some(peer) = peers(rule).get(i) else {
                continue;
            };
            let severity = if may_hold_nodes(peer) || opened_anyway(context, &subjects, rule) {
                Severity::Info
            } else {
                Severity::Warning
            };
            let finding = finding(context, reporter, rule_ref.with_peer(i), service);
            reporter.push(finding.severity(severity));
        }
    }
}

/// Whether a Service takes calls at the nodes and sends them to a pod on an opened port.
fn at_nodes(
    context: &LintContext<'_>,
    service: ServiceId,
    pod: PodId,
    opened: &TrafficSet,
) -> bool {
    let service = context.cluster.service(service);
    let reaches = |protocol, port| !TrafficSet::ports(protocol, port, port).is_disjoint(opened);
    service.takes_calls_at_nodes
        && service.ports.iter().any(|p| match &p.target {
            TargetPort::Number(n) => reaches(p.protocol, *n),
            TargetPort::Name(name) => context
                .cluster
                .pod(pod)
                .named_ports(name)
                .any(|(q, n)| q == p.protocol && reaches(q, n)),
        })
}

/// Whether a peer is a private block that is wide enough to hold the nodes of the cluster, so that
/// it admits their addresses too.
fn may_hold_nodes(peer: &Peer) -> bool {
    let Peer::Addresses(set) = peer else {
        return false;
    };
    let private = set.difference(&IpSet::internet());
    private.to_cidrs().iter().any(|c| match c {
        IpNet::V4(net) => net.prefix_len() <= 16,
        IpNet::V6(net) => net.prefix_len() <= 48,
    })
}

/// Whether some rule for any of the pods opens all that a rule opens, to every address.
fn opened_anyway(context: &LintContext<'_>, pods: &[PodId], rule: &Rule) -> bool {
    pods.iter().any(|pod| {
        let traffic = context.traffic(rule, context.cluster.pod(*pod));
        let policies = intended_traffic::isolating(context, *pod, Direction::Ingress);
        let mut rules = policies
            .iter()
            .flat_map(|id| context.policies.get(*id).rules(Direction::Ingress));
        rules.any(|other| {
            let open = other.peers == Peers::Any
                || peers(other)
                    .iter()
                    .any(|p| matches!(p, Peer::Addresses(set) if is_everything(set)));
            open && traffic.is_subset(&context.traffic(other, context.cluster.pod(*pod)))
        })
    })
}

/// The finding about a block, and the Service by which its callers come.
fn finding(
    context: &LintContext<'_>,
    reporter: &Reporter<'_>,
    rule_ref: RuleRef,
    service: ServiceId,
) -> Finding {
    let service = context.cluster.service(service);
    let name = format!(
        "{}/{}",
        context.cluster.namespace(service.namespace).name,
        service.name
    );
    let finding = reporter.rule(
        rule_ref,
        format!("the callers of Service {name} may come under the address of a node"),
    );
    let place = Place::Origin(service.origin.clone());
    let finding = finding.related(
        place,
        "takes calls at every node, without externalTrafficPolicy: Local",
    );
    finding.help("set externalTrafficPolicy: Local on the Service")
}
