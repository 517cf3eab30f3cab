//! # NP208 sensitive-port
//!
//! **What it does.** Tells when a rule opens a port of a database, a shell or an administrative
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
use crate::lint::facts::{Facts, peers};
use crate::lint::reporter::Reporter;
use crate::lint::rules::any_namespace::is_every_pod;
use crate::lint::rules::internet_ingress::is_wide;
use crate::policy::{Peer, Peers, Rule, RuleRef};
use crate::set::{Protocol, TrafficSet};

pub(crate) fn run(facts: &Facts<'_>, found: &mut Reporter<'_>) {
    for (at, _, rule) in facts.inner_ingress_rules() {
        let Some((here, who, severity)) = open_to(at, rule) else {
            continue;
        };
        let ports = opened(facts, at, rule);
        if let Some(port) = ports.sample() {
            let finding = found
                .rule(here, format!("port {} is open to {who}", port.port))
                .severity(severity);
            found.push(
                finding
                    .label("a port that should be open to a few only")
                    .help("name the workloads that use it"),
            );
        }
    }
}

fn open_to(at: RuleRef, rule: &Rule) -> Option<(RuleRef, &'static str, Severity)> {
    if rule.peers == Peers::Any {
        return Some((at, "everybody", Severity::Warning));
    }
    let internet = |p: &Peer| matches!(p, Peer::Addresses(set) if is_wide(set));
    let list = peers(rule);
    if let Some(i) = list.iter().position(internet) {
        return Some((at.with_peer(i), "the internet", Severity::Error));
    }
    list.iter()
        .position(is_every_pod)
        .map(|i| (at.with_peer(i), "every namespace", Severity::Warning))
}

/// The sensitive ports a rule opens: those it names, or those the pods declare where it names none.
fn opened(facts: &Facts<'_>, at: RuleRef, rule: &Rule) -> TrafficSet {
    let sensitive = &facts.config.sensitive_ports;
    let subjects = facts.subjects(at.policy);
    let pods = subjects.iter().map(|p| facts.cluster.pod(*p));
    let every =
        TrafficSet::ports(Protocol::Tcp, 1, u16::MAX).is_subset(&crate::lint::facts::numbers(rule));
    if every {
        let declared = pods.flat_map(|p| p.ports.iter());
        let declared = declared.fold(TrafficSet::empty(), |a, p| {
            a.union(&TrafficSet::ports(p.protocol, p.port, p.port))
        });
        return declared.intersection(sensitive);
    }
    let named = pods.fold(crate::lint::facts::numbers(rule), |all, p| {
        all.union(&facts.traffic(rule, p))
    });
    // 10250 is the kubelet's on a node, and the webhook's or the metrics server's own on a pod
    let kubelet = TrafficSet::ports(Protocol::Tcp, 10250, 10250);
    let own = subjects.iter().any(|p| !facts.cluster.pod(*p).host_network);
    let named = if own {
        named.difference(&kubelet)
    } else {
        named
    };
    named.intersection(sensitive)
}
