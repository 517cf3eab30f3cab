//! Coverage: which rules of the policies no test exercises.
//!
//! A rule is exercised when it decided a flow that some test asked about. O(law).

use crate::policy::{Direction, PolicySet, RuleRef};
use std::collections::BTreeSet;

/// The rules of the law, told apart by whether a test exercises them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Exercised.
    pub exercised: Vec<RuleRef>,
    /// Not exercised.
    pub rest: Vec<RuleRef>,
}

/// Sorts the rules of the law.
pub fn coverage(policies: &PolicySet, exercised: &BTreeSet<RuleRef>) -> Coverage {
    let mut coverage = Coverage::default();
    for (id, policy) in policies.iter() {
        for direction in Direction::ALL {
            for i in 0..policy.rules(direction).len() {
                let at = RuleRef::rule(id, direction, i);
                let list = if exercised.contains(&at) {
                    &mut coverage.exercised
                } else {
                    &mut coverage.rest
                };
                list.push(at);
            }
        }
    }
    coverage
}
