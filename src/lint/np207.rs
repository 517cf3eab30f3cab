//! # NP207 all-ports
//!
//! **What it does.** Tells when an ingress rule names peers and no ports.
//!
//! **Why it is bad.** Every port of every protocol is open to them, debug ports and metrics included.
//!
//! **What it looks at.** Ingress rules with peers. A note.
//!
//! **When it stays silent.** For the pods of the own namespace.
//!
//! **Settings.** None of its own.
//!
//! **References.** np-guard.

use super::facts::{Facts, peers};
use super::found::Found;
use crate::finding::Severity;
use crate::policy::{Direction, Namespaces, Peer, Ports};

pub(super) fn run(facts: &Facts<'_>, found: &mut Found<'_>) {
    for (at, policy, rule) in facts.network_rules() {
        let own = |p: &Peer| matches!(p, Peer::Pods(Namespaces::Named(n), _) if Some(n) == policy.namespace.as_ref());
        if at.direction == Direction::Ingress && rule.ports == Ports::Any && peers(rule).iter().any(|p| !own(p)) {
            let finding = found.rule(at, "opens every port to these peers").severity(Severity::Info);
            found.push(finding.help("list the ports they use"));
        }
    }
}
