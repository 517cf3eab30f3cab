//! Containment that holds in every cluster, not only in this one: of selectors, peers, ports,
//! rules, policies.
//!
//! `x` within `y` means: whatever pods and labels there may be, `y` matches all that `x` matches.
//! For selectors this is decided exactly: per key, the label sets that meet all requirements form a
//! set of values plus "absent", with infinitely many other values; a selector is within another iff
//! it is empty or every key's set is within the other's. The label that Kubernetes guarantees, a
//! namespace's name (S27), counts as known. For lists of peers and of rules the answer is sound but
//! not complete: a member must lie within a single member of the other list.
//!
//! Cost: O(requirements) for selectors that ask about each key once, which nearly all do, without
//! allocating; O(requirements x log) for the others.

use crate::model::label_values::{Values, by_key, is_formula, is_plain};
use crate::model::{NAMESPACE_NAME_LABEL, Requirement, Selector};
use crate::policy::{
    Action, Direction, Namespaces, Peer, Peers, Policy, PortMatch, Ports, Rule, Subject,
};
use crate::set::{Protocol, TrafficSet};

/// Whether a selector asks about each key once and is satisfiable. It then selects a label set for
/// each value that it allows.
pub fn asks_plainly(selector: &Selector) -> bool {
    is_plain(selector) && !selector.is_contradictory()
}

/// Whether every label set that `narrow` selects is selected by `wide`.
pub fn selector_within(narrow: &Selector, wide: &Selector) -> bool {
    if !(is_plain(narrow) && is_plain(wide)) {
        let mut formulas = wide.requirements().iter().filter(|r| is_formula(r));
        return formulas.all(|r| narrow.requirements().contains(r)) && within_by_key(narrow, wide);
    }
    wide.requirements()
        .iter()
        .all(|requirement| requirement_within(narrow, requirement))
        || narrow.is_contradictory()
}

/// Whether every label set that a plain selector selects meets a requirement, unless the selector
/// selects nothing at all.
fn requirement_within(narrow: &Selector, wide: &Requirement) -> bool {
    match narrow.requirements().iter().find(|r| r.key() == wide.key()) {
        Some(Requirement::In(_, values)) if matches!(wide, Requirement::In(..)) => {
            values.iter().all(|v| wide.values().contains(v))
        }
        Some(narrow) => Values::of(narrow).within(&Values::of(wide)),
        None => matches!(wide, Requirement::NotIn(_, values) if values.is_empty()),
    }
}

fn within_by_key(narrow: &Selector, wide: &Selector) -> bool {
    let (narrow, wide) = (by_key(narrow), by_key(wide));
    let empty = narrow.values().any(Values::is_empty);
    let any = Values::any();
    empty
        || wide
            .iter()
            .all(|(key, values)| narrow.get(key).unwrap_or(&any).within(values))
}

/// Whether a selector over namespaces selects the namespace of this name, whatever other labels the
/// namespace has.
fn selects_named(selector: &Selector, name: &str) -> bool {
    selector_within(&Selector::label(NAMESPACE_NAME_LABEL, name), selector)
}

/// Whether every namespace of the one is one of the other. Every namespace has its name as a label,
/// so that a namespace given by name and one selected by its name label are the same.
pub fn namespaces_within(narrow: &Namespaces, wide: &Namespaces) -> bool {
    match (narrow, wide) {
        (_, Namespaces::Matching(selector)) if selector.is_everything() => true,
        (Namespaces::Named(a), Namespaces::Named(b)) => a == b,
        (Namespaces::Named(name), Namespaces::Matching(selector)) => selects_named(selector, name),
        (Namespaces::Matching(a), Namespaces::Matching(b)) => selector_within(a, b),
        (Namespaces::Matching(selector), Namespaces::Named(name)) => {
            selector_within(selector, &Selector::label(NAMESPACE_NAME_LABEL, name))
        }
        (a, b) => a == b,
    }
}

/// Whether one peer matches nothing that the other does not match.
pub fn peer_within(narrow: &Peer, wide: &Peer) -> bool {
    match (narrow, wide) {
        (_, Peer::Unreadable { everything: true })
        | (Peer::Unreadable { everything: false }, _) => true,
        (Peer::Pods(ns, pods), _)
            if pods.is_contradictory()
                || matches!(ns, Namespaces::Matching(s) if s.is_contradictory()) =>
        {
            true
        }
        (Peer::Pods(a_ns, a_pods), Peer::Pods(b_ns, b_pods)) => {
            namespaces_within(a_ns, b_ns) && selector_within(a_pods, b_pods)
        }
        (Peer::Addresses(a), Peer::Addresses(b)) => a.is_subset(b),
        (Peer::Nodes(a), Peer::Nodes(b)) => selector_within(a, b),
        (a, b) => a == b,
    }
}

/// Whether one rule's peers match nothing that the other's do not match. Each peer must lie within
/// a single one of the other's, which a finding can then name.
pub fn peers_within(narrow: &Peers, wide: &Peers) -> bool {
    match (narrow, wide) {
        (_, Peers::Any) => true,
        (Peers::Any, Peers::Of(list)) => list
            .iter()
            .any(|p| matches!(p, Peer::Unreadable { everything: true })),
        (Peers::Of(a), Peers::Of(b)) => a.iter().all(|p| b.iter().any(|q| peer_within(p, q))),
    }
}

/// The traffic of the entries that are numbers.
fn numbers(list: &[PortMatch]) -> TrafficSet {
    list.iter().fold(TrafficSet::empty(), |all, port| {
        if let PortMatch::Traffic(set) = port {
            all.union(set)
        } else {
            all
        }
    })
}

/// Whether all traffic of one rule's ports is traffic of the other's, on every pod.
pub fn ports_within(narrow: &Ports, wide: &Ports) -> bool {
    let Ports::Of(wide) = wide else { return true };
    let wide_numbers = numbers(wide);
    let Ports::Of(narrow) = narrow else {
        return wide_numbers.is_all();
    };
    narrow.iter().all(|port| match port {
        PortMatch::Traffic(set) => set.is_subset(&wide_numbers),
        PortMatch::Portless(_) => wide.contains(port),
        PortMatch::Named(name, protocol) => {
            let all_of = |p: Protocol| TrafficSet::protocol(p).is_subset(&wide_numbers);
            protocol.is_some_and(all_of)
                || Protocol::ALL.into_iter().all(all_of)
                || wide.iter().any(|entry| opens_name(entry, name, *protocol))
        }
    })
}

/// Whether an entry opens a port name for a protocol, or for every protocol.
fn opens_name(entry: &PortMatch, name: &str, protocol: Option<Protocol>) -> bool {
    matches!(entry, PortMatch::Named(n, p) if **n == *name && (*p == protocol || p.is_none()))
}

/// Whether one rule matches nothing that the other does not match.
pub fn rule_within(narrow: &Rule, wide: &Rule) -> bool {
    ports_within(&narrow.ports, &wide.ports) && peers_within(&narrow.peers, &wide.peers)
}

/// Whether every pod that one subject selects is selected by the other.
pub fn subject_within(narrow: &Subject, wide: &Subject) -> bool {
    narrow.pods.is_contradictory()
        || namespaces_within(&narrow.namespaces, &wide.namespaces)
            && selector_within(&narrow.pods, &wide.pods)
}

/// Whether a policy of the Network tier adds nothing to the other one: the other isolates its
/// subjects wherever it does, and each of its rules lies within one of the other's.
pub fn policy_within(narrow: &Policy, wide: &Policy) -> bool {
    narrow.tier == wide.tier
        && subject_within(&narrow.subject, &wide.subject)
        && Direction::ALL
            .into_iter()
            .all(|direction| direction_within(narrow, wide, direction))
}

/// Whether a policy does not isolate in a direction, or the other isolates too and has a rule that
/// contains each of its rules.
fn direction_within(narrow: &Policy, wide: &Policy, direction: Direction) -> bool {
    !narrow.isolates(direction)
        || wide.isolates(direction)
            && narrow
                .rules(direction)
                .iter()
                .all(|r| wide.rules(direction).iter().any(|w| rule_within(r, w)))
}

/// Whether a peer matches nothing, in any cluster.
fn matches_nothing(peer: &Peer) -> bool {
    match peer {
        Peer::Pods(namespaces, pods) => {
            pods.is_contradictory()
                || matches!(namespaces, Namespaces::Matching(s) if s.is_contradictory())
        }
        Peer::Addresses(set) => set.is_empty(),
        Peer::Nodes(selector) => selector.is_contradictory(),
        Peer::Owned(_, set) => set.is_empty(),
        Peer::AnyOf(peers) => peers.iter().all(matches_nothing),
        Peer::Domain(_)
        | Peer::Symbol(_)
        | Peer::AllOf(_)
        | Peer::NoneOf(_)
        | Peer::Unreadable { .. } => false,
    }
}

/// Whether a rule can match nothing by itself, in any cluster.
pub fn unmatchable(rule: &Rule, direction: Direction) -> bool {
    let no_pod = |peer: &Peer| matches!(peer, Peer::Nodes(_) | Peer::Domain(_));
    // a port name is looked up on the destination: for ingress the governed pod, for egress a pod
    // among the peers, or one that a block covers (S50)
    let only_names = direction == Direction::Egress
        && matches!(&rule.ports, Ports::Of(list) if !list.is_empty()
        && list.iter().all(|p| matches!(p, PortMatch::Named(..))));
    let no_port = matches!(&rule.ports, Ports::Of(list)
        if list.iter().all(|p| matches!(p, PortMatch::Traffic(t) if t.is_empty())));
    let Peers::Of(peers) = &rule.peers else {
        return no_port;
    };
    no_port
        || peers
            .iter()
            .all(|p| matches_nothing(p) || only_names && no_pod(p))
            && rule.action != Action::Pass
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Labels;
    use proptest::prelude::*;

    fn requirement() -> impl Strategy<Value = Requirement> {
        let key = prop_oneof![Just("a"), Just("b")];
        let values = proptest::sample::subsequence(vec!["1", "2"], 0..=2);
        (key, values, 0..4u8).prop_map(|(key, values, op)| {
            let values = values.into_iter().map(Into::into).collect();
            match op {
                0 => Requirement::In(key.into(), values),
                1 => Requirement::NotIn(key.into(), values),
                2 => Requirement::Exists(key.into()),
                _ => Requirement::DoesNotExist(key.into()),
            }
        })
    }

    fn selector() -> impl Strategy<Value = Selector> {
        proptest::collection::vec(requirement(), 0..4).prop_map(Selector::new)
    }

    /// Every label set over two keys and three values, one of which no selector names.
    fn universe() -> Vec<Labels> {
        let values = [None, Some("1"), Some("2"), Some("other")];
        let pairs = values
            .iter()
            .flat_map(|a| values.iter().map(move |b| (*a, *b)));
        pairs
            .map(|(a, b)| {
                a.map(|v| ("a", v))
                    .into_iter()
                    .chain(b.map(|v| ("b", v)))
                    .collect()
            })
            .collect()
    }

    proptest! {
        #[test]
        fn containment_is_what_brute_force_finds(a in selector(), b in selector()) {
            let all = universe();
            let found = all.iter().all(|l| !a.matches(l) || b.matches(l));
            prop_assert_eq!(selector_within(&a, &b), found);
            prop_assert_eq!(a.is_contradictory(), !all.iter().any(|l| a.matches(l)));
        }
    }

    #[test]
    fn s27_a_namespace_has_its_name_as_a_label() {
        let by_label = Namespaces::Matching(Selector::label(NAMESPACE_NAME_LABEL, "shop"));
        let by_name = Namespaces::Named("shop".into());
        assert!(namespaces_within(&by_label, &by_name) && namespaces_within(&by_name, &by_label));
        assert!(!namespaces_within(
            &Namespaces::Matching(Selector::everything()),
            &by_name
        ));
    }
}
