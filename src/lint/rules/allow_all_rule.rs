//! # NP009 allow-all-rule
//!
//! **What it does.** Reports when a rule has neither peers nor ports (`- {}`), or an empty list of
//! peers written out (`from: []`).
//!
//! **Why it is bad.** An empty list of peers means not nobody but everybody: every pod, every node
//! and the whole internet. The opposite is no rule at all: `ingress: []`.
//!
//! **What it looks at.** The rule as written. A warning for ingress, and for `to: []` on every
//! port; a note for an egress rule `- {}`, which is how egress is usually left open on purpose, and
//! for `to: []` with ports.
//!
//! **When it stays silent.** When the policy's name says that it allows all.
//!
//! **Settings.** None of its own.
//!
//! **References.** Popeye POP-1203; <https://github.com/cilium/cilium/issues/35212>.

use crate::finding::Severity;
use crate::lint::context::LintContext;
use crate::lint::reporter::Reporter;
use crate::policy::{Direction, Peers, Policy, Ports, RuleRef};

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (rule_ref, policy, rule) in context.network_rules() {
        if rule.peers != Peers::Any || !policy.isolates(rule_ref.direction) || says_so(&policy.name)
        {
            continue;
        }
        let word = policy.shape.peers[rule_ref.direction.index()];
        let written_empty = context.text_contains(policy.document, word)
            && empty_list(context, policy, rule_ref, word);
        let whole = rule.ports == Ports::Any;
        if !whole && !written_empty {
            continue;
        }
        let side = if rule_ref.direction == Direction::Ingress {
            "from"
        } else {
            "to"
        };
        let ports = if whole { " on every port" } else { "" };
        let finding = reporter.rule(
            rule_ref,
            format!("this rule allows traffic {side} everybody{ports}, the internet included"),
        );
        let finding = if written_empty {
            finding.label(format!(
                "`{word}` is empty, which means everybody, not nobody"
            ))
        } else {
            finding.label("neither peers nor ports")
        };
        let finding = finding.help(format!(
            "name the peers under `{word}`, or drop the rule if nobody is meant"
        ));
        let slight = rule_ref.direction == Direction::Egress && (!written_empty || !whole);
        reporter.push(if slight {
            finding.severity(Severity::Info)
        } else {
            finding
        });
    }
}

/// Whether the name of a policy says that it allows everything.
fn says_so(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    (name.contains("allow") || name.contains("open"))
        && (name.contains("all") || name.contains("any"))
        && (name.contains("allow-all") || name.contains("allow-any") || name.contains("open"))
}

/// Whether a rule's list of peers is written out and empty.
fn empty_list(context: &LintContext<'_>, policy: &Policy, rule_ref: RuleRef, word: &str) -> bool {
    let path = policy.path(rule_ref);
    context
        .written(policy, &path.key(word), |n| n.items().is_empty())
        .unwrap_or(false)
}
