//! # NP203 metadata-reachable
//!
//! **What it does.** Reports when a workload whose egress is restricted may still reach the cloud's
//! metadata service, 169.254.169.254 port 80.
//!
//! **Why it is bad.** The service hands out the node's credentials to whoever asks.
//!
//! **What it looks at.** Address blocks of egress rules that open 80/TCP. A warning when the block
//! leaves out other ranges but not this one, or leaves out nothing; rules without `to` are a note,
//! and so are blocks without public addresses, which were written for the service.
//!
//! **When it stays silent.** When the rule does not open port 80, and for workloads that no policy
//! isolates.
//!
//! **Settings.** None of its own.
//!
//! **References.** kubescape C-0052; <https://github.com/kubernetes/kubernetes/issues/83400>.

use crate::finding::Severity;
use crate::lint::context::LintContext;
use crate::lint::peers::peers;
use crate::lint::ports::numeric_traffic;
use crate::lint::reporter::Reporter;
use crate::policy::{Direction, Peer, Peers};
use crate::set::{IpSet, Protocol, TrafficSet};
use std::collections::HashSet;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let service = IpSet::single(std::net::IpAddr::from([169, 254, 169, 254]));
    let http = TrafficSet::ports(Protocol::Tcp, 80, 80);
    let mut open: HashSet<&str> = HashSet::new();
    for (rule_ref, policy, rule) in context.network_rules() {
        if rule_ref.direction != Direction::Egress
            || !policy.isolates(Direction::Egress)
            || numeric_traffic(rule).is_disjoint(&http)
        {
            continue;
        }
        if rule.peers == Peers::Any {
            // once for each namespace: it is one decision
            if open.insert(policy.namespace.as_deref().unwrap_or_default()) {
                let finding = reporter.rule(
                    rule_ref,
                    "may reach the cloud's metadata service, as everything else",
                );
                reporter.push(
                    finding
                        .severity(Severity::Info)
                        .help("name the destinations, without 169.254.169.254"),
                );
            }
            continue;
        }
        for (i, peer) in peers(rule).iter().enumerate() {
            let Peer::Addresses(set) = peer else { continue };
            if !service.is_subset(set) {
                continue;
            }
            let finding = reporter.rule(
                rule_ref.with_peer(i),
                "may reach the cloud's metadata service at 169.254.169.254:80",
            );
            reporter.push(if set.is_disjoint(&IpSet::internet()) {
                finding
                    .severity(Severity::Info)
                    .label("named on its own")
                    .help("drop it if nobody needs the service")
            } else {
                finding
                    .label("holds 169.254.169.254")
                    .help("add 169.254.169.254/32 to `except`")
            });
        }
    }
}
