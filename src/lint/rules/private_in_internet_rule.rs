//! # NP205 private-in-internet-rule
//!
//! **What it does.** Reports when an egress rule for the internet leaves out some private ranges
//! but not all of them.
//!
//! **Why it is bad.** The forgotten ranges are open: another network of the company, the nodes, and
//! under some network plugins pods.
//!
//! **What it looks at.** Address blocks that hold the whole IPv4 internet. A warning when at least
//! one of 10.0.0.0/8, 172.16.0.0/12 and 192.168.0.0/16 is left out and another is not; a note when
//! none is.
//!
//! **When it stays silent.** For ingress (NP201); when all its ports are names, which addresses do
//! not have (NP012).
//!
//! **Settings.** None of its own.
//!
//! **References.** <https://github.com/aws/aws-network-policy-agent/issues/120>.

use crate::finding::Severity;
use crate::lint::context::LintContext;
use crate::lint::peers::peers;
use crate::lint::reporter::Reporter;
use crate::policy::{Direction, Peer, PortMatch, Ports};
use crate::set::{Family, IpSet};

/// The private ranges of IPv4.
const PRIVATE: [&str; 3] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let internet = IpSet::internet().only(Family::V4);
    for (rule_ref, policy, rule) in context.network_rules() {
        if rule_ref.direction != Direction::Egress || !policy.isolates(Direction::Egress) {
            continue;
        }
        if only_port_names(&rule.ports) {
            continue;
        }
        for (i, peer) in peers(rule).iter().enumerate() {
            let Peer::Addresses(set) = peer else { continue };
            let holds = |text: &&&str| {
                text.parse()
                    .is_ok_and(|net| IpSet::from_cidrs([net]).is_subset(set))
            };
            let opened: Vec<&str> = PRIVATE.iter().filter(holds).copied().collect();
            if !internet.is_subset(set) || opened.is_empty() {
                continue;
            }
            let severity = if opened.len() == PRIVATE.len() {
                Severity::Info
            } else {
                Severity::Warning
            };
            let ranges = opened.join(" and ");
            let finding = reporter.rule(
                rule_ref.with_peer(i),
                format!("a rule for the internet that also opens {ranges}"),
            );
            reporter.push(
                finding
                    .severity(severity)
                    .help(format!("add {ranges} to `except`")),
            );
        }
    }
}

/// Whether every entry of a list of ports is a name.
fn only_port_names(ports: &Ports) -> bool {
    matches!(ports, Ports::Of(list)
        if list.iter().all(|p| matches!(p, PortMatch::Named(..))))
}
