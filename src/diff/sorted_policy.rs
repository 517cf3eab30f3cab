//! A policy with everything in order whose order means nothing, so that two that are written in
//! different orders are equal.
//!
//! Peers and port entries of a rule are added up, and so are the rules of a tier without an order;
//! in an ordered tier rules may change places with neighbours of the same action.

use crate::policy::{Action, Peers, Policy, PolicySet, Ports, Rule, Subject};
use std::collections::BTreeSet;
use std::fmt::Debug;

/// What a policy means, as far as it can be told without looking into selectors.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SortedPolicy {
    tier: usize,
    priority: i32,
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

fn runs(rules: &[Rule], ordered: bool) -> Vec<(Action, BTreeSet<String>)> {
    let mut runs: Vec<(Action, BTreeSet<String>)> = Vec::new();
    for rule in rules {
        let place = if ordered {
            runs.last_mut().filter(|(action, _)| *action == rule.action)
        } else {
            runs.iter_mut().find(|(action, _)| *action == rule.action)
        };
        match place {
            Some((_, run)) => _ = run.insert(written(rule)),
            None => runs.push((rule.action, BTreeSet::from([written(rule)]))),
        }
    }
    runs
}

/// A rule as text, its peers and ports in order.
fn written(rule: &Rule) -> String {
    let peers = match &rule.peers {
        Peers::Any => None,
        Peers::Of(list) => Some(in_order(list)),
    };
    let ports = match &rule.ports {
        Ports::Any => None,
        Ports::Of(list) => Some(in_order(list)),
    };
    format!("{peers:?} {ports:?} {:?}", rule.qualifiers)
}

fn in_order<T: Debug>(list: &[T]) -> BTreeSet<String> {
    list.iter().map(|item| format!("{item:?}")).collect()
}
