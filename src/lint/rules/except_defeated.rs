//! # NP204 except-defeated
//!
//! **What it does.** Reports when a block that one rule leaves out with `except` is let through by
//! another rule, for the same pods and the same ports.
//!
//! **Why it is bad.** Policies are added up. `except` takes addresses out of its own block only; it
//! denies nothing.
//!
//! **What it looks at.** All rules, of all policies of the namespace, whose pods overlap. An error
//! when the whole of the excepted block is let through; a note when only a smaller part of it is,
//! which is usually meant.
//!
//! **When it stays silent.** When the ports do not overlap, or the subjects have no pod in common
//! that is known or certain.
//!
//! **Settings.** None of its own.
//!
//! **References.** <https://github.com/aws/aws-network-policy-agent/issues/120>,
//! <https://github.com/kinvolk/lokomotive/pull/464>.

use crate::diagnostic::Place;
use crate::finding::Severity;
use crate::lint::algebra;
use crate::lint::context::{LintContext, rules};
use crate::lint::peers::peers;
use crate::lint::ports::numeric_traffic;
use crate::lint::reporter::Reporter;
use crate::policy::validate::parse_cidr;
use crate::policy::{Peer, Peers, Policy, PolicyId, Rule, RuleRef};
use crate::set::IpSet;
use crate::source::Path;
use ipnet::IpNet;

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    for (rule_ref, policy, rule) in context.network_rules() {
        for (i, peer) in peers(rule).iter().enumerate() {
            if !matches!(peer, Peer::Addresses(_)) || !policy.isolates(rule_ref.direction) {
                continue;
            }
            for (index, except) in excepts(context, policy, rule_ref.with_peer(i)) {
                check_exception(
                    context,
                    reporter,
                    (rule_ref.with_peer(i), policy, rule),
                    index,
                    except,
                );
            }
        }
    }
}

/// The blocks that a peer leaves out, with their index, as they are written.
fn excepts(context: &LintContext<'_>, policy: &Policy, rule_ref: RuleRef) -> Vec<(usize, IpNet)> {
    let path = path(policy, rule_ref);
    let read = |n: &crate::tree::SyntaxNode| {
        let each = n.items().iter().enumerate();
        each.filter_map(|(index, item)| Some((index, parse_cidr(item.as_str()?)?)))
            .collect()
    };
    context.written(policy, &path, read).unwrap_or_default()
}

/// The path of the list of exceptions of a peer.
fn path(policy: &Policy, rule_ref: RuleRef) -> Path {
    let mut path = Path::root().key("spec");
    path.0.extend(policy.rule_path(rule_ref).0);
    path.key("ipBlock").key("except")
}

/// Reports an exception that another rule lets through.
fn check_exception(
    context: &LintContext<'_>,
    reporter: &mut Reporter<'_>,
    (rule_ref, policy, rule): (RuleRef, &Policy, &Rule),
    index: usize,
    except: IpNet,
) {
    let hole = IpSet::from_cidrs([except]);
    let Some((other, whole)) = defeated_by(context, (rule_ref, policy, rule), &hole) else {
        return;
    };
    let other_policy = context.policies.get(other.policy);
    let by = format!(
        "{} {}",
        other_policy.full_name(),
        other_policy.rule_path(other)
    );
    let message = if whole {
        format!("the exception {except} does nothing: {by} lets it through")
    } else {
        format!("part of the exception {except} is let through by {by}")
    };
    let place = Place::Origin(other_policy.origin(other));
    let finding = reporter
        .field(
            rule_ref.policy,
            path(policy, rule_ref).index(index),
            message,
        )
        .related(place, "lets it through");
    let finding = finding.label("takes away from its own block only");
    reporter.push(if whole {
        finding
            .severity(Severity::Error)
            .help(format!("drop the other rule, or except {except} there too"))
    } else {
        finding.severity(Severity::Info)
    });
}

/// Another rule for some of the same pods and ports that lets a block through, and whether all of
/// it by mistake; a rule that lets all of it through is preferred.
fn defeated_by(
    context: &LintContext<'_>,
    (rule_ref, policy, rule): (RuleRef, &Policy, &Rule),
    hole: &IpSet,
) -> Option<(RuleRef, bool)> {
    let mut part = None;
    for id in context.policies_in(policy.namespace.as_deref().unwrap_or_default()) {
        let other = context.policies.get(*id);
        if !other.isolates(rule_ref.direction) || !overlap(context, rule_ref.policy, *id) {
            continue;
        }
        for (there, _, candidate) in rules(*id, other) {
            let same_peer = |j: usize| {
                there.policy == rule_ref.policy
                    && there.rule == rule_ref.rule
                    && rule_ref.peer == u32::try_from(j).ok()
            };
            if there.direction != rule_ref.direction
                || numeric_traffic(rule).is_disjoint(&numeric_traffic(candidate))
            {
                continue;
            }
            if candidate.peers == Peers::Any {
                return Some((there, true));
            }
            for (j, peer) in peers(candidate).iter().enumerate() {
                let Peer::Addresses(set) = peer else { continue };
                if same_peer(j) || set.is_disjoint(hole) {
                    continue;
                }
                if hole.is_subset(set) {
                    // opening exactly the excepted block again is a decision; a wider block is not
                    let deliberate = set.is_subset(hole);
                    return Some((there.with_peer(j), !deliberate));
                }
                part = part.or(Some((there.with_peer(j), false)));
            }
        }
    }
    part
}

/// Whether two policies govern a pod in common: a pod of the input, or every pod that the first may
/// select.
fn overlap(context: &LintContext<'_>, a: PolicyId, b: PolicyId) -> bool {
    let (of_a, of_b) = (context.subjects(a), context.subjects(b));
    let (subject_a, subject_b) = (
        &context.policies.get(a).subject,
        &context.policies.get(b).subject,
    );
    a == b || of_a.iter().any(|p| of_b.contains(p)) || algebra::subject_within(subject_a, subject_b)
}
