//! Peers by domain name in the policies of cloud providers: one peer for each entry of a list, so
//! that a rule is found again where it is written.

use crate::policy::layout::{EntryPlace, RulePlace};
use crate::policy::lowered::Checks;
use crate::policy::qualifier::Qualifier;
use crate::policy::rule::{Action, Peer, Peers, Ports, Rule};
use crate::policy::validate::is_domain;
use crate::source::Path;

/// The peer of a list of names: whatever one of them stands for.
pub fn domain_peer(names: &[String], at: &Path, checks: &mut Checks) -> Peer {
    if names.is_empty() {
        checks.invalid(at, "at least one domain name is required");
    }
    for (i, name) in names.iter().enumerate().filter(|(_, n)| !is_domain(n)) {
        let message = format!(
            "`{name}` is not a domain name with at least two labels, with or without a leading `*.`"
        );
        checks.invalid(&at.index(i), message);
    }
    let mut each = names.iter().map(|name| Peer::Domain(name.as_str().into()));
    match (each.next(), each.len()) {
        (Some(only), 0) => only,
        (first, _) => Peer::AnyOf(first.into_iter().chain(each).collect()),
    }
}

/// Where a rule of a list stands whose ports are one list too.
pub fn entry_of(list: &'static str, index: usize, peers: &'static str) -> RulePlace {
    RulePlace::Entry(EntryPlace {
        list,
        index,
        peers,
        ports: None,
    })
}

/// The rule of a direction of which it is not documented whether the policy governs it at all:
/// everything passes, or nothing.
pub fn undocumented_direction(words: &str) -> Rule {
    Rule {
        qualifiers: vec![Qualifier::Undocumented(words.into())],
        ..Rule::new(Action::Allow, Peers::Any, Ports::Any)
    }
}
