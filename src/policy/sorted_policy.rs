//! A policy with everything in order whose order means nothing, so that two that are written in
//! different orders are equal.
//!
//! Peers and port entries of a rule are added up, and so are the rules of a tier without an order;
//! in an ordered tier rules may change places with neighbours of the same action. Blocks of
//! addresses count by what they cover together: one block and its two halves are the same.

use crate::policy::{
    Action, Peer, Peers, Policy, PolicySet, PortMatch, Ports, Priority, Rule, Subject,
};
use crate::set::{IpSet, TrafficSet};
use std::collections::{BTreeMap, BTreeSet};

/// What a policy means, as far as it can be told without looking into selectors.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SortedPolicy {
    tier: usize,
    priority: Priority,
    name: Option<Box<str>>,
    subject: Subject,
    applies: [bool; 2],
    isolates: [bool; 2],
    /// Runs of rules with one action, per direction.
    rules: [Vec<(Action, BTreeSet<String>)>; 2],
}

impl SortedPolicy {
    pub(crate) fn of(policies: &PolicySet, policy: &Policy) -> Self {
        let ordered = policies.tier_of(policy).is_ordered();
        Self {
            tier: policy.tier.index(),
            priority: policy.priority,
            name: ordered.then(|| policy.name.clone()),
            subject: policy.subject.clone(),
            applies: policy.applies,
            isolates: policy.isolates,
            rules: policy.rules.each_ref().map(|rules| runs(rules, ordered)),
        }
    }
}

/// What policies of one subject in a tier without an order say together.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AddedUp {
    isolates: [bool; 2],
    rules: [BTreeMap<Action, BTreeSet<String>>; 2],
}

impl AddedUp {
    pub(crate) fn of(policies: &[&Policy]) -> Self {
        let rules = [0, 1].map(|direction| {
            let all = policies.iter().flat_map(|p| &p.rules[direction]);
            let mut by_action: BTreeMap<Action, Vec<&Rule>> = BTreeMap::new();
            all.for_each(|rule| by_action.entry(rule.action).or_default().push(rule));
            let sums = by_action.into_iter();
            sums.map(|(action, rules)| (action, added_up(&rules)))
                .collect()
        });
        Self {
            isolates: [0, 1].map(|direction| policies.iter().any(|p| p.isolates[direction])),
            rules,
        }
    }
}

fn runs(rules: &[Rule], ordered: bool) -> Vec<(Action, BTreeSet<String>)> {
    let mut runs: Vec<(Action, Vec<&Rule>)> = Vec::new();
    for rule in rules {
        let place = if ordered {
            runs.last_mut().filter(|(action, _)| *action == rule.action)
        } else {
            runs.iter_mut().find(|(action, _)| *action == rule.action)
        };
        match place {
            Some((_, run)) => run.push(rule),
            None => runs.push((rule.action, vec![rule])),
        }
    }
    let run = |(action, run): (Action, Vec<&Rule>)| (action, added_up(&run));
    runs.into_iter().map(run).collect()
}

/// Rules of one action as text: the peers of those with the same ports together.
fn added_up(rules: &[&Rule]) -> BTreeSet<String> {
    let mut by_ports: BTreeMap<String, Vec<&Peers>> = BTreeMap::new();
    for rule in rules {
        let (qualifiers, subjects) = (&rule.qualifiers, &rule.subjects);
        let ports = format!("{} {qualifiers:?} {subjects:?}", ports(&rule.ports));
        by_ports.entry(ports).or_default().push(&rule.peers);
    }
    let written = by_ports.into_iter();
    written
        .map(|(ports, lists)| format!("{} {ports}", peers(&lists)))
        .collect()
}

/// Lists of peers as one, in order; blocks of addresses by what they cover together.
fn peers(lists: &[&Peers]) -> String {
    let mut blocks = IpSet::empty();
    let mut others = BTreeSet::new();
    for list in lists {
        let Peers::Of(list) = list else {
            return "anyone".to_owned();
        };
        for peer in list.iter() {
            match peer {
                Peer::Addresses(set) => blocks = blocks.union(set),
                other => _ = others.insert(format!("{other:?}")),
            }
        }
    }
    format!("{blocks:?} {others:?}")
}

/// Port entries in order; numbers by what they cover together.
fn ports(ports: &Ports) -> String {
    let Ports::Of(list) = ports else {
        return "any".to_owned();
    };
    let mut numbers = TrafficSet::empty();
    let mut others = BTreeSet::new();
    for port in list.iter() {
        match port {
            PortMatch::Traffic(set) => numbers = numbers.union(set),
            other => _ = others.insert(format!("{other:?}")),
        }
    }
    format!("{numbers:?} {others:?}")
}
