//! # NP207 all-ports
//!
//! **What it does.** Reports when an ingress rule names peers and no ports.
//!
//! **Why it is bad.** Every port of every protocol is open to them, debug ports and metrics
//! included.
//!
//! **What it looks at.** Ingress rules with peers. A note.
//!
//! **When it stays silent.** For the pods of the policy's own namespace.
//!
//! **Settings.** None of its own.
//!
//! **References.** np-guard.

use crate::finding::Severity;
use crate::lint::context::LintContext;
use crate::lint::peers::{is_own_namespace, peers};
use crate::lint::reporter::Reporter;
use crate::lint::words;
use crate::model::Selector;
use crate::policy::{Direction, Namespaces, Peer, Ports};

/// A peer, in words.
fn who(peer: &Peer) -> String {
    let pods = |s: &Selector| {
        if s.is_everything() {
            "every pod".to_owned()
        } else {
            format!("pods {s}")
        }
    };
    match peer {
        Peer::Pods(Namespaces::Named(name), s) => format!("{} of namespace {name}", pods(s)),
        Peer::Pods(Namespaces::Matching(n), s) if n.is_everything() => {
            format!("{} of every namespace", pods(s))
        }
        Peer::Pods(Namespaces::Matching(n), s) => format!("{} of namespaces {n}", pods(s)),
        Peer::Pods(..) => "pods of namespaces like its own".to_owned(),
        Peer::Addresses(_) => "an address block".to_owned(),
        Peer::Nodes(_) => "nodes".to_owned(),
        Peer::Domain(_)
        | Peer::Symbol(_)
        | Peer::Owned(..)
        | Peer::AnyOf(_)
        | Peer::AllOf(_)
        | Peer::NoneOf(_)
        | Peer::Unreadable { .. } => "others".to_owned(),
    }
}

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (rule_ref, policy, rule) in context.network_rules() {
        if rule_ref.direction != Direction::Ingress || rule.ports != Ports::Any {
            continue;
        }
        let others: Vec<String> = peers(rule)
            .iter()
            .filter(|p| !is_own_namespace(p, policy))
            .map(who)
            .collect();
        if others.is_empty() {
            continue;
        }
        let message = format!("opens every port to {}", words::some(&others));
        reporter.push(
            reporter
                .rule(rule_ref, message)
                .severity(Severity::Info)
                .help("list the ports they use"),
        );
    }
}
