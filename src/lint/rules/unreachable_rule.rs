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
use crate::policy::{Peer, Peers, Policy, Rule, RuleRef};

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    // an entry of Cilium that can match nothing may be there to close a direction
    let policies = context.policies.iter();
    for (id, policy) in policies.filter(|(_, p)| p.written.is_none()) {
        for (rule_ref, _, rule) in rules(id, policy) {
            if unmatchable(rule) {
                let finding = reporter
                    .rule(rule_ref, "this rule can match nothing")
                    .label("unmatchable");
                reporter.push(finding.help(
                    "its selectors contradict each other, or its addresses and port names do",
                ));
                continue;
            }
            if !context.policies.is_ordered(policy) {
                continue;
            }
            let blockers = blockers(context, rule_ref, policy, rule);
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

/// The rules evaluated before this one that together decide all that it matches; none when anything
/// is left for it.
fn blockers(
    context: &LintContext<'_>,
    rule_ref: RuleRef,
    policy: &Policy,
    rule: &Rule,
) -> Vec<RuleRef> {
    let earlier = context
        .policies
        .iter()
        .filter(|(_, other)| other.tier == policy.tier)
        .flat_map(|(id, other)| {
            let before = id == rule_ref.policy || other.priority < policy.priority;
            let governs = before && subject_within(&policy.subject, &other.subject);
            rules(id, other).filter(move |(there, _, _)| {
                governs && (there.policy != rule_ref.policy || there.rule < rule_ref.rule)
            })
        });
    let earlier: Vec<(RuleRef, &Rule)> = earlier
        .filter(|(there, _, wide)| {
            there.direction == rule_ref.direction && ports_within(&rule.ports, &wide.ports)
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
