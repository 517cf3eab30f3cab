//! # NP013 port-not-declared
//!
//! **What it does.** Tells when no pod that a rule's traffic goes to declares the port the rule
//! opens.
//!
//! **Why it is bad.** Often a slip, or the port of an earlier version. Ports need not be declared,
//! so it is only a note.
//!
//! **What it looks at.** Declared container ports of the destination pods.
//!
//! **When it stays silent.** When the pods declare no ports at all, are not all in the input (a
//! rule for every pod of every namespace has more of them in a cluster), or the port is a Service's
//! (NP011).
//!
//! **Settings.** None of its own.
//!
//! **References.** <https://github.com/k8sgpt-ai/k8sgpt/issues/157>.

use crate::finding::Severity;
use crate::lint::facts::{Facts, peers};
use crate::lint::reporter::Reporter;
use crate::lint::rules::any_namespace::is_every_pod;
use crate::lint::words;
use crate::policy::{Direction, PortMatch, Ports, RuleRef};
use crate::set::TrafficSet;

pub(crate) fn run(facts: &Facts<'_>, found: &mut Reporter<'_>) {
    for (at, _, rule) in facts.network_rules() {
        let Ports::Of(list) = &rule.ports else {
            continue;
        };
        let to = facts.destinations(at, rule);
        let declares = !to.pods.is_empty()
            && to
                .pods
                .iter()
                .all(|p| !facts.cluster.pod(*p).ports.is_empty());
        if to.open
            || !declares
            || (at.direction == Direction::Egress && peers(rule).iter().any(is_every_pod))
        {
            continue;
        }
        let ports = to
            .pods
            .iter()
            .flat_map(|p| facts.cluster.pod(*p).ports.iter());
        let declared = ports.fold(TrafficSet::empty(), |all, p| {
            all.union(&TrafficSet::ports(p.protocol, p.port, p.port))
        });
        let service = to
            .pods
            .iter()
            .flat_map(|p| facts.services_behind(*p))
            .flat_map(|s| &facts.cluster.service(s).ports);
        let dialled = service.fold(TrafficSet::empty(), |all, p| {
            all.union(&TrafficSet::ports(p.protocol, p.port, p.port))
        });
        for (i, port) in list.iter().enumerate() {
            let PortMatch::Traffic(set) = port else {
                continue;
            };
            if set.is_disjoint(&declared) && set.is_disjoint(&dialled) && set.sample().is_some() {
                let entry = RuleRef {
                    port: u32::try_from(i).ok(),
                    ..at
                };
                let who = words::names(facts.cluster, &to.pods);
                let finding = found.rule(entry, format!("{who} does not declare this port"));
                found.push(
                    finding
                        .severity(Severity::Info)
                        .help("check the number; ports need not be declared"),
                );
            }
        }
    }
}
