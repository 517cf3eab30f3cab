//! Coverage: which rules of the policies no test exercises.
//!
//! A rule is exercised if it decided a flow that a test asked about. Cost: O(rules).

use crate::policy::{Direction, PolicySet, RuleRef};
use std::collections::BTreeSet;

/// The rules of the policy set, by whether a test exercises them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Exercised.
    pub exercised: Vec<RuleRef>,
    /// Not exercised.
    pub rest: Vec<RuleRef>,
}

/// Splits the rules of the policy set by whether they are exercised.
pub fn coverage(policies: &PolicySet, exercised: &BTreeSet<RuleRef>) -> Coverage {
    let mut coverage = Coverage::default();
    for (id, policy) in policies.iter() {
        for direction in Direction::ALL {
            for i in 0..policy.rules(direction).len() {
                let rule = RuleRef::rule(id, direction, i);
                let list = if exercised.contains(&rule) {
                    &mut coverage.exercised
                } else {
                    &mut coverage.rest
                };
                list.push(rule);
            }
        }
    }
    coverage
}
