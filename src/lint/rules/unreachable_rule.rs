//! # NP406 unreachable-rule
//!
//! **What it does.** Reports when a rule can never decide a flow, in any cluster. *Blocked*:
//! earlier rules of its policy, or a policy evaluated earlier, already decide all that it matches.
//! *Unmatchable*: it matches nothing by itself.
//!
//! **Why it is bad.** It is read as if it had an effect; a Deny that is blocked denies nothing.
//!
//! **What it looks at.** The ordered tiers (`AdminNetworkPolicy`, `BaselineAdminNetworkPolicy`,
//! `ClusterNetworkPolicy`) for blocked rules, every policy for unmatchable ones: contradictory
//! selectors, an `except` that leaves nothing, a port name for addresses.
//!
//! **When it stays silent.** When anything is left for the rule to decide; when only policies of
//! equal priority block it, whose order is undefined.
//!
//! **Settings.** None of its own.
//!
//! **References.** Batfish's filter line reachability.

use crate::diagnostic::Place;
use crate::lint::algebra::{peer_within, ports_within, subject_within, unmatchable};
use crate::lint::context::{LintContext, rules};
use crate::lint::peers::peers;
use crate::lint::reporter::Reporter;
use crate::policy::{Peer, Peers, Policy, PolicyId, Rule, RuleRef};

/// Of more policies than this only the rules of one policy are compared with each other.
const MOST_COMPARED: usize = 2_000;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    // an entry of Cilium that can match nothing may be there to close a direction
    let policies = context.policies.iter();
    let is_asked = |p: &Policy| p.cilium().is_none() && !context.stands_at_nodes(p);
    for (id, policy) in policies.filter(|(_, p)| is_asked(p)) {
        for (rule_ref, _, rule) in rules(id, policy) {
            if unmatchable(rule, rule_ref.direction) && is_alone(policy, rule_ref) {
                let finding = reporter
                    .rule(rule_ref, "this rule can match nothing")
                    .label("unmatchable");
                reporter.push(finding.help(
                    "its selectors contradict each other, or its addresses and port names do",
                ));
                continue;
            }
            if policy.is_additive() || !is_first_of_its_place(policy, rule_ref) {
                continue;
            }
            let blockers = blockers_of_place(context, rule_ref, policy);
            if let Some(first) = blockers.first() {
                let other = context.policies.get(first.policy);
                let name = format!("{} {}", other.full_name(), other.rule_path(*first));
                let finding = reporter.rule(
                    rule_ref,
                    format!("this rule never decides anything: {name} comes first"),
                );
                let finding = blockers.iter().fold(finding.label("blocked"), |f, b| {
                    f.related(
                        Place::Origin(context.policies.get(b.policy).origin(*b)),
                        "decides what this rule matches",
                    )
                });
                reporter.push(finding.help("move it up, or drop it"));
            }
        }
    }
}

/// The rules that are made of the same rule of the manifest, this one among them: neighbours.
fn same_place(policy: &Policy, at: RuleRef) -> Vec<RuleRef> {
    let Some(layout) = &policy.layout else {
        return vec![at];
    };
    let places = &layout.rules[at.direction.index()];
    let place = |i: usize| places.get(i).map(|place| place.path(None, None));
    let own = at.rule as usize;
    let before = (0..own)
        .rev()
        .take_while(|i| place(*i) == place(own))
        .count();
    let behind = (own..places.len()).take_while(|i| place(*i) == place(own));
    let all = own - before..own + behind.count();
    all.map(|i| RuleRef::rule(at.policy, at.direction, i))
        .collect()
}

fn is_first_of_its_place(policy: &Policy, at: RuleRef) -> bool {
    same_place(policy, at).first() == Some(&at)
}

fn is_alone(policy: &Policy, at: RuleRef) -> bool {
    same_place(policy, at).len() == 1
}

/// [`blockers`] of a rule of the manifest: none when anything is left for a part of it.
fn blockers_of_place(context: &LintContext<'_>, at: RuleRef, policy: &Policy) -> Vec<RuleRef> {
    let mut deciding = Vec::new();
    for part in same_place(policy, at) {
        let found = blockers(context, part, policy, context.policies.rule(part));
        if found.is_empty() {
            return found;
        }
        deciding.extend(found);
    }
    deciding.sort_unstable();
    deciding.dedup();
    deciding
}

/// The rules evaluated before this one that together decide all that it matches; none when anything
/// is left for it.
fn blockers(
    context: &LintContext<'_>,
    rule_ref: RuleRef,
    policy: &Policy,
    rule: &Rule,
) -> Vec<RuleRef> {
    let many = context.policies.policies.len() > MOST_COMPARED;
    let is_asked = |(id, other): &(PolicyId, &Policy)| {
        other.tier == policy.tier && (!many || *id == rule_ref.policy)
    };
    let earlier = context
        .policies
        .iter()
        .filter(is_asked)
        .flat_map(|(id, other)| {
            let rank = |p: &Policy| (p.priority, p.tie.clone());
            let before = id == rule_ref.policy || rank(other) < rank(policy);
            let governs = before && subject_within(&policy.subject, &other.subject);
            rules(id, other).filter(move |(there, _, _)| {
                governs && (there.policy != rule_ref.policy || there.rule < rule_ref.rule)
            })
        });
    let is_for_all = |wide: &Rule| wide.subjects == Peers::Any && wide.qualifiers.is_empty();
    let earlier: Vec<(RuleRef, &Rule)> = earlier
        .filter(|(there, _, wide)| {
            is_for_all(wide)
                && there.direction == rule_ref.direction
                && ports_within(&rule.ports, &wide.ports)
        })
        .map(|(there, _, wide)| (there, wide))
        .collect();
    let covers = |peer: Option<&Peer>, wide: &Rule| match (&wide.peers, peer) {
        (Peers::Any, _) => true,
        (Peers::Of(list), Some(peer)) => list.iter().any(|w| peer_within(peer, w)),
        (Peers::Of(_), None) => false,
    };
    let mut deciding = Vec::new();
    let wanted: Vec<Option<&Peer>> = match &rule.peers {
        Peers::Any => vec![None],
        Peers::Of(_) => peers(rule).iter().map(Some).collect(),
    };
    for peer in wanted {
        let Some((by, _)) = earlier.iter().find(|(_, wide)| covers(peer, wide)) else {
            return Vec::new();
        };
        deciding.push(*by);
    }
    deciding.sort_unstable();
    deciding.dedup();
    deciding
}
