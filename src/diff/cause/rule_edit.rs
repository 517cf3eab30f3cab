//! How a rule of one side differs from the other side's version of its policy, and which part of it
//! to point at.
//!
//! Rules have no names, so a rule is unedited iff the other version contains an equal one; else its
//! counterpart is the rule at the same index, if that one was edited too.

use crate::diff::before_after::Which;
use crate::diff::cause::policy_edits::Edit;
use crate::policy::{Direction, Peers, Policy, PolicyId, Ports, Rule, RuleRef};

/// A policy as it is on one side.
pub type PolicyVersion<'a> = (&'a Policy, PolicyId, Which);

/// The part of a rule that was edited, on the side where it lives, and what happened to it.
pub type RuleEdit = (Which, RuleRef, Edit);

/// Compares a rule of one side with the other side's version of its policy: nothing if it is
/// unedited.
pub fn rule_edit(
    own: PolicyVersion<'_>,
    other: Option<PolicyVersion<'_>>,
    at: RuleRef,
) -> Option<RuleEdit> {
    let (policy, _, which) = own;
    let one_sided = if which == Which::After {
        Edit::Added
    } else {
        Edit::Removed
    };
    let Some((theirs, their_id, their_side)) = other else {
        return Some((which, at, one_sided));
    };
    let rules = theirs.rules(at.direction);
    let rule = policy.rules(at.direction).get(at.rule as usize)?;
    if rules.contains(rule) {
        return None;
    }
    let counterpart = rules
        .get(at.rule as usize)
        .filter(|r| !policy.rules(at.direction).contains(r));
    let Some(counterpart) = counterpart else {
        return Some((which, at.whole(), one_sided));
    };
    let there = RuleRef {
        policy: their_id,
        ..at
    };
    Some(if which == Which::After {
        edited_part((rule, at, which), (counterpart, there, their_side))
    } else {
        edited_part((counterpart, there, their_side), (rule, at, which))
    })
}

/// The first rule of a policy that differs from the other side's version.
pub fn first_rule_edit(own: PolicyVersion<'_>, other: PolicyVersion<'_>) -> Option<RuleEdit> {
    Direction::ALL.into_iter().find_map(|d| {
        (0..own.0.rules(d).len())
            .find_map(|i| rule_edit(own, Some(other), RuleRef::rule(own.1, d, i)))
    })
}

/// The part of a changed rule to point at: an added peer, a removed peer, else its ports, else the
/// rule.
fn edited_part(new: (&Rule, RuleRef, Which), old: (&Rule, RuleRef, Which)) -> RuleEdit {
    let (new, new_at, new_side) = new;
    let (old, old_at, old_side) = old;
    let index = |i: usize| u32::try_from(i).ok();
    if let (Peers::Of(ours), Peers::Of(theirs)) = (&new.peers, &old.peers) {
        let is_added = |i: &usize| ours.get(*i).is_some_and(|p| !theirs.contains(p));
        let named = new_at.peer.map(|p| p as usize).filter(is_added);
        if let Some(i) = named.or_else(|| (0..ours.len()).find(is_added)) {
            let at = RuleRef {
                peer: index(i),
                ..new_at.whole()
            };
            return (new_side, at, Edit::Changed);
        }
        if let Some(i) = theirs.iter().position(|p| !ours.contains(p)) {
            let at = RuleRef {
                peer: index(i),
                ..old_at.whole()
            };
            return (old_side, at, Edit::Removed);
        }
    }
    let Ports::Of(ports) = &new.ports else {
        return (new_side, new_at.whole(), Edit::Changed);
    };
    let theirs = if let Ports::Of(ports) = &old.ports {
        &**ports
    } else {
        &[]
    };
    let port = ports
        .iter()
        .position(|p| !theirs.contains(p))
        .and_then(index);
    let at = RuleRef {
        port,
        ..new_at.whole()
    };
    (new_side, at, Edit::Changed)
}
