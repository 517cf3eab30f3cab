//! # NP202 internet-egress
//!
//! **What it does.** Tells when a rule lets a workload send anywhere on the internet.
//!
//! **Why it is bad.** Whoever takes over the pod can carry data away.
//!
//! **What it looks at.** Each egress rule of a policy: no `to`, or an address block that holds a public range wider than
//! /8. A note: many workloads need it.
//!
//! **When it stays silent.** For workloads whose egress no policy isolates (NP302).
//!
//! **Settings.** None of its own.
//!
//! **References.** Trivy KUBE-0002.

use super::facts::Facts;
use super::found::Found;
use super::np201::wide;
use crate::finding::Severity;
use crate::policy::Direction;

pub(super) fn run(facts: &Facts<'_>, found: &mut Found<'_>) {
    for (at, policy, rule) in facts.network_rules() {
        if at.direction == Direction::Egress
            && policy.isolates(Direction::Egress)
            && let Some(here) = wide(at, rule)
        {
            let finding = found.rule(here, "lets the pods send anywhere on the internet").severity(Severity::Info);
            found.push(finding.help("list the addresses, or send through a proxy"));
        }
    }
}
