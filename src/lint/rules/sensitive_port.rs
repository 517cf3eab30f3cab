//! # NP208 sensitive-port
//!
//! **What it does.** Reports when a rule opens a port of a database, a shell or an administrative
//! interface to everybody, to the internet, or to every namespace.
//!
//! **Why it is bad.** These are the ports an intruder looks for next.
//!
//! **What it looks at.** Ingress rules that name such a port, or that open all ports while the pods
//! declare one. An error for an address block of the internet; a warning for no `from` and for
//! `namespaceSelector: {}`.
//!
//! **When it stays silent.** When the peers are named, and for edges; for 10250 unless the pods
//! share their node's network.
//!
//! **Settings.** `lint.sensitive-ports`, by default 22 23 2375 2379 3306 3389 5432 6379 9200 10250
//! 11211 27017.
//!
//! **References.** kubescape C-0042.

use crate::finding::Severity;
use crate::lint::addresses::is_wide;
use crate::lint::context::LintContext;
use crate::lint::peers::{is_every_pod, peers};
use crate::lint::ports::numeric_traffic;
use crate::lint::reporter::Reporter;
use crate::policy::{Peer, Peers, Rule, RuleRef};
use crate::set::{Protocol, TrafficSet};

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (rule_ref, _, rule) in context.inner_ingress_rules() {
        let Some((here, who, severity)) = open_to(rule_ref, rule) else {
            continue;
        };
        let ports = opened(context, rule_ref, rule);
        if let Some(port) = ports.sample() {
            let finding = reporter
                .rule(here, format!("port {} is open to {who}", port.port))
                .severity(severity);
            reporter.push(
                finding
                    .label("a port that should be open to a few only")
                    .help("name the workloads that use it"),
            );
        }
    }
}

/// The part of a rule that opens it to many, to whom, and how severe that is.
fn open_to(rule_ref: RuleRef, rule: &Rule) -> Option<(RuleRef, &'static str, Severity)> {
    if rule.peers == Peers::Any {
        return Some((rule_ref, "everybody", Severity::Warning));
    }
    let internet = |p: &Peer| matches!(p, Peer::Addresses(set) if is_wide(set));
    let list = peers(rule);
    if let Some(i) = list.iter().position(internet) {
        return Some((rule_ref.with_peer(i), "the internet", Severity::Error));
    }
    list.iter()
        .position(is_every_pod)
        .map(|i| (rule_ref.with_peer(i), "every namespace", Severity::Warning))
}

/// The sensitive ports that a rule opens: those that it names, or those that the pods declare when
/// it opens every port.
fn opened(context: &LintContext<'_>, rule_ref: RuleRef, rule: &Rule) -> TrafficSet {
    let sensitive = &context.config.sensitive_ports;
    let subjects = context.subjects(rule_ref.policy);
    let pods = subjects.iter().map(|p| context.cluster.pod(*p));
    let every = TrafficSet::ports(Protocol::Tcp, 1, u16::MAX).is_subset(&numeric_traffic(rule));
    if every {
        let declared = pods.flat_map(|p| p.ports.iter());
        let declared = declared.fold(TrafficSet::empty(), |a, p| a.union(&p.traffic()));
        return declared.intersection(sensitive);
    }
    let named = pods.fold(numeric_traffic(rule), |all, p| {
        all.union(&context.traffic(rule, p))
    });
    // on a node 10250 is the kubelet's port; on a pod it is a webhook's or the metrics server's
    let kubelet = TrafficSet::ports(Protocol::Tcp, 10250, 10250);
    let has_pod_address = subjects
        .iter()
        .any(|p| !context.cluster.pod(*p).host_network);
    let named = if has_pod_address {
        named.difference(&kubelet)
    } else {
        named
    };
    named.intersection(sensitive)
}
