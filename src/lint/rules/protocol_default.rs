//! # NP014 protocol-default
//!
//! **What it does.** Reports when an egress rule opens port 53 for one protocol only.
//!
//! **Why it is bad.** A port without a protocol is TCP. Names are looked up over UDP first, so that
//! with TCP alone nothing is resolved: an error. With UDP alone, answers that are too large for a
//! datagram fail: a warning. Fixed automatically: the other protocol is added.
//!
//! **What it looks at.** The ports of each egress rule, and whether another rule of a policy for
//! the same pods opens the other protocol.
//!
//! **When it stays silent.** When port 53 is not named.
//!
//! **Settings.** None of its own.
//!
//! **References.** cyclonus `CheckSourcePortMissingProtocol`; RFC 7766 on DNS over TCP.

use crate::finding::{Severity, TreeEdit};
use crate::lint::context::LintContext;
use crate::lint::ports::numeric_traffic;
use crate::lint::reporter::Reporter;
use crate::policy::{Direction, Policy, PortMatch, Ports, RuleRef};
use crate::set::{Protocol, TrafficSet};

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (rule_ref, policy, rule) in context.network_rules() {
        let Ports::Of(list) = &rule.ports else {
            continue;
        };
        if rule_ref.direction != Direction::Egress {
            continue;
        }
        let [tcp, udp] = [Protocol::Tcp, Protocol::Udp].map(|p| TrafficSet::ports(p, 53, 53));
        let opened = numeric_traffic(rule);
        let (missing, word) = match (tcp.is_subset(&opened), udp.is_subset(&opened)) {
            (true, false) => (udp, "UDP"),
            (false, true) => (tcp, "TCP"),
            _ => continue,
        };
        let is_53 = |p: &PortMatch| {
            matches!(p, PortMatch::Traffic(t) if *t == TrafficSet::ports(Protocol::Tcp, 53, 53)
            || *t == TrafficSet::ports(Protocol::Udp, 53, 53))
        };
        let Some(i) = list.iter().position(is_53) else {
            continue;
        };
        if opened_elsewhere(context, policy, &missing) {
            continue;
        }
        let entry = RuleRef {
            port: u32::try_from(i).ok(),
            ..rule_ref
        };
        let finding = match word {
            "UDP" => reporter
                .rule(
                    entry,
                    "port 53 is opened for TCP only, so no name is resolved",
                )
                .severity(Severity::Error)
                .label("without `protocol: UDP` this is TCP"),
            _ => reporter
                .rule(
                    entry,
                    "port 53 is opened for UDP only, so answers too large for a datagram are lost",
                )
                .severity(Severity::Warning)
                .label("DNS falls back to TCP"),
        };
        let mut ports = policy.origin(rule_ref);
        ports.path = ports.path.key(policy.shape.ports);
        let item = format!("{{protocol: {word}, port: 53}}");
        reporter.push(
            finding
                .help(format!("open 53/{word} as well"))
                .fix([TreeEdit::Append(ports, item.into())]),
        );
    }
}

/// Whether some egress rule for the same pods opens this traffic.
fn opened_elsewhere(context: &LintContext<'_>, policy: &Policy, missing: &TrafficSet) -> bool {
    context
        .may_contain(policy)
        .into_iter()
        .map(|id| context.policies.get(id))
        .any(|other| {
            crate::lint::algebra::subject_within(&policy.subject, &other.subject)
                && other.isolates(Direction::Egress)
                && other
                    .rules(Direction::Egress)
                    .iter()
                    .any(|r| missing.is_subset(&numeric_traffic(r)))
        })
}
