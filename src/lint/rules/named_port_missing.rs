//! # NP012 named-port-missing
//!
//! **What it does.** Reports when a rule names a port that the pods its traffic goes to do not
//! declare under that name and protocol.
//!
//! **Why it is bad.** A name is looked up on each pod. Where it is missing, the rule opens nothing.
//!
//! **What it looks at.** The declared container ports of the destination pods. An error when none
//! has the name (a warning when another port of the rule is there), a note when some do. A named
//! port in a rule for addresses can never match: an error.
//!
//! **When it stays silent.** When the destination pods are not all in the input.
//!
//! **Settings.** None of its own.
//!
//! **References.** The `port` field in the API.

use crate::finding::Severity;
use crate::lint::context::LintContext;
use crate::lint::peers::peers;
use crate::lint::reporter::Reporter;
use crate::lint::words;
use crate::model::{Pod, PodId};
use crate::policy::{Direction, Peer, PortMatch, Ports, RuleRef};
use crate::set::Protocol;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (rule_ref, _, rule) in context.network_rules() {
        let Ports::Of(list) = &rule.ports else {
            continue;
        };
        for (i, port) in list.iter().enumerate() {
            let PortMatch::Named(name, protocol) = port else {
                continue;
            };
            let entry = RuleRef {
                port: u32::try_from(i).ok(),
                ..rule_ref
            };
            let blocks = !peers(rule).is_empty()
                && peers(rule).iter().all(|p| matches!(p, Peer::Addresses(_)));
            if rule_ref.direction == Direction::Egress && blocks {
                let finding = reporter.rule(
                    entry,
                    format!("port name \"{name}\" means nothing to an address: no traffic matches"),
                );
                reporter.push(finding.severity(Severity::Error).help("write the number"));
                continue;
            }
            let to = context.destinations(rule_ref, rule);
            if !to.open && !to.pods.is_empty() {
                let others = to
                    .pods
                    .iter()
                    .any(|p| !context.traffic(rule, context.cluster.pod(*p)).is_empty());
                check_pods(
                    context,
                    reporter,
                    entry,
                    (name, *protocol, others),
                    &to.pods,
                );
            }
        }
    }
}

/// A port name, its protocol, and whether the rule opens anything else on these pods.
type Wanted<'n> = (&'n str, Option<Protocol>, bool);

/// Reports the pods that do not declare a port name.
fn check_pods(
    context: &LintContext<'_>,
    reporter: &mut Reporter<'_>,
    rule_ref: RuleRef,
    (name, protocol, others): Wanted<'_>,
    pods: &[PodId],
) {
    let has = |p: &Pod| {
        p.named_ports(name)
            .any(|(q, _)| protocol.is_none_or(|wanted| wanted == q))
    };
    let without: Vec<PodId> = pods
        .iter()
        .copied()
        .filter(|p| !has(context.cluster.pod(*p)))
        .collect();
    if without.is_empty() {
        return;
    }
    let who = words::names(context.cluster, &without);
    let kind = protocol.map_or_else(String::new, |p| format!(" for {p}"));
    let finding = reporter.rule(rule_ref, format!("{who} declares no port \"{name}\"{kind}"));
    let finding = finding
        .label("looked up on each pod")
        .help("declare the port under this name, or write its number");
    let number = without
        .iter()
        .find_map(|p| context.cluster.pod(*p).named_ports(name).next());
    let finding = match number {
        Some((other, n)) => finding.note(format!("it is declared as {n}/{other}")),
        None => finding,
    };
    reporter.push(
        finding.severity(match (without.len() < pods.len(), others) {
            (true, _) => Severity::Info,
            (false, true) => Severity::Warning,
            (false, false) => Severity::Error,
        }),
    );
}
