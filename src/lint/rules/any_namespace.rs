//! # NP206 any-namespace
//!
//! **What it does.** Tells when a peer is every pod of every namespace: `namespaceSelector: {}`.
//!
//! **Why it is bad.** It also means the namespaces that come tomorrow, and other tenants.
//!
//! **What it looks at.** Ingress rules. A note; where the port is one that stores data, NP208 says
//! so.
//!
//! **When it stays silent.** When a `podSelector` narrows it, and for egress.
//!
//! **Settings.** None of its own.
//!
//! **References.** np-guard's exposure to the "entire-cluster".

use crate::finding::Severity;
use crate::lint::facts::{Facts, peers};
use crate::lint::reporter::Reporter;
use crate::policy::{Direction, Namespaces, Peer};

/// Whether a peer is every pod of every namespace.
pub(crate) fn is_every_pod(peer: &Peer) -> bool {
    matches!(peer, Peer::Pods(Namespaces::Matching(s), pods) if s.is_everything() && pods.is_everything())
}

pub(crate) fn run(facts: &Facts<'_>, found: &mut Reporter<'_>) {
    for (at, _, rule) in facts.network_rules() {
        if at.direction != Direction::Ingress {
            continue;
        }
        if let Some(i) = peers(rule).iter().position(is_every_pod) {
            let finding = found.rule(
                at.with_peer(i),
                "lets in every pod of every namespace, also of those to come",
            );
            found.push(finding.severity(Severity::Info).help("name the namespaces"));
        }
    }
}
