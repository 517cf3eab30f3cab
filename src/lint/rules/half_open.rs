//! # NP102 half-open
//!
//! **What it does.** Reports when one side of a connection was opened by name and the other side
//! denies all of it.
//!
//! **Why it is bad.** Both must agree: the egress of the source and the ingress of the destination.
//! A rule on one side alone opens nothing.
//!
//! **What it looks at.** Rules whose peers are named by labels. All pods on both sides are in the
//! input, the other side is isolated, and none of the rule's traffic passes between any two of
//! them.
//!
//! **When it stays silent.** When any of the named traffic passes, or may pass as far as the input
//! shows.
//!
//! **Settings.** None of its own.
//!
//! **References.** "The two sorts of pod isolation" in the Kubernetes documentation.

use crate::diagnostic::Place;
use crate::lint::context::LintContext;
use crate::lint::peers::peers;
use crate::lint::reporter::Reporter;
use crate::lint::words;
use crate::model::PodId;
use crate::policy::{Direction, Namespaces, Peer, PolicyId, Rule, RuleRef};
use crate::spec::Endpoint;
use std::collections::BTreeMap;

/// Rules with more pairs of classes are not examined: they are not about particular pods.
const MAX_PAIRS: usize = 400;

/// The side that blocks: the direction, and the policies that isolate in it.
type ClosedSide = (Direction, Vec<PolicyId>);

/// The side that is opened: the first rule that opens it, the pods of the other side that this rule
/// names, and the number of such rules.
struct OpenedSide {
    rule_ref: RuleRef,
    others: Vec<PodId>,
    count: usize,
}

pub(crate) fn run(context: &LintContext<'_>, reporter: &mut Reporter<'_>) {
    let mut closed_sides: BTreeMap<ClosedSide, OpenedSide> = BTreeMap::new();
    for (rule_ref, policy, rule) in context.network_rules() {
        if !policy.isolates(rule_ref.direction) {
            continue;
        }
        let subjects = two_per_class(context, &context.subjects(rule_ref.policy));
        for (i, peer) in peers(rule).iter().enumerate() {
            if !names_pods(peer) {
                continue;
            }
            let Some(selected) = context.peer(peer).filter(|s| !s.open && !s.pods.is_empty())
            else {
                continue;
            };
            let others = two_per_class(context, &selected.pods);
            if let Some(by) = blocked(context, rule_ref.direction, rule, &subjects, &others) {
                let other = if rule_ref.direction == Direction::Ingress {
                    Direction::Egress
                } else {
                    Direction::Ingress
                };
                let first = || OpenedSide {
                    rule_ref: rule_ref.with_peer(i),
                    others: selected.pods.clone(),
                    count: 0,
                };
                closed_sides.entry((other, by)).or_insert_with(first).count += 1;
            }
        }
    }
    for (closed_side, opened) in closed_sides {
        push(context, reporter, &closed_side, &opened);
    }
}

/// Whether a peer names particular pods.
fn names_pods(peer: &Peer) -> bool {
    match peer {
        Peer::Pods(Namespaces::Matching(namespaces), _) => !namespaces.is_everything(),
        Peer::Pods(_, pods) => !pods.is_everything(),
        _ => false,
    }
}

/// One pod of each class, and a second one where there is any: two pods of a class are two pods.
fn two_per_class(context: &LintContext<'_>, pods: &[PodId]) -> Vec<PodId> {
    let class = |p: &PodId| context.graph.space().classes.of_pod[*p];
    let mut pods = pods.to_vec();
    pods.sort_by_key(|p| (class(p), *p));
    pods.dedup();
    let mut kept: Vec<PodId> = Vec::new();
    for pod in pods {
        let before = kept.len().checked_sub(2).and_then(|i| kept.get(i));
        if before.is_none_or(|p| class(p) != class(&pod)) {
            kept.push(pod);
        }
    }
    kept
}

/// Whether two pods may be one and the same, which nothing keeps from reaching itself.
fn are_one(context: &LintContext<'_>, a: PodId, b: PodId) -> bool {
    a == b && context.cluster.pod(a).is_single()
}

/// The policies that isolate the other side, when none of a rule's traffic passes between its
/// subjects and the others.
fn blocked(
    context: &LintContext<'_>,
    direction: Direction,
    rule: &Rule,
    subjects: &[PodId],
    others: &[PodId],
) -> Option<Vec<PolicyId>> {
    if subjects.is_empty() || subjects.len() * others.len() > MAX_PAIRS {
        return None;
    }
    let other = if direction == Direction::Ingress {
        Direction::Egress
    } else {
        Direction::Ingress
    };
    let mut by = Vec::new();
    for pod in others {
        let isolating = isolating(context, *pod, other)?;
        by.extend(isolating);
        for subject in subjects.iter().filter(|s| !are_one(context, **s, *pod)) {
            let (from, to) = if direction == Direction::Ingress {
                (pod, subject)
            } else {
                (subject, pod)
            };
            let allowed = context
                .graph
                .allowed(Endpoint::Pod(*from), Endpoint::Pod(*to));
            let named = context.traffic(rule, context.cluster.pod(*to));
            if named.is_empty() || !allowed.may.is_disjoint(&named) {
                return None;
            }
        }
    }
    let only_itself = match (subjects, others) {
        ([subject], [other]) => are_one(context, *subject, *other),
        _ => false,
    };
    by.sort_unstable();
    by.dedup();
    (!only_itself).then_some(by)
}

/// The policies that certainly isolate a pod; `None` when there are none, or something else governs
/// the pod too.
fn isolating(context: &LintContext<'_>, pod: PodId, direction: Direction) -> Option<Vec<PolicyId>> {
    let effective = context.graph.effective(Endpoint::Pod(pod), direction)?;
    let tier = effective.isolating_first()?;
    let certain = tier.isolating.iter().filter(|s| s.certain);
    let certain: Vec<PolicyId> = certain.map(|s| context.graph.policy_of(s.policy)).collect();
    (!certain.is_empty() && !context.cluster.pod(pod).host_network).then_some(certain)
}

/// Reports the first of the rules that one closed side blocks.
fn push(
    context: &LintContext<'_>,
    reporter: &mut Reporter<'_>,
    (direction, by): &ClosedSide,
    opened: &OpenedSide,
) {
    let OpenedSide {
        rule_ref,
        others,
        count,
    } = opened;
    let who = words::names(context.cluster, others);
    let subjects = words::names(context.cluster, &context.subjects(rule_ref.policy));
    let (side, verb) = match direction {
        Direction::Egress => ("egress", format!("{who} may not send it to {subjects}")),
        Direction::Ingress => (
            "ingress",
            format!("{who} does not admit it from {subjects}"),
        ),
    };
    let mut finding = reporter.rule(*rule_ref, format!("opened on this side only: {verb}"));
    finding.fingerprint.peer = who.into();
    let closing = by
        .iter()
        .find(|p| context.policies.get(**p).rules(*direction).is_empty())
        .or_else(|| by.first());
    if let Some(policy) = closing.map(|p| context.policies.get(*p)) {
        let text = format!("{} closes this {side}", policy.full_name());
        finding = finding.related(Place::Origin(policy.subject_origin()), text);
    }
    if *count > 1 {
        finding = finding.note(format!(
            "{} more of this kind, blocked by the same policies",
            words::count(count - 1, "rule")
        ));
    }
    reporter.push(finding.label("nothing of this passes").help(format!(
        "add the mirror rule to the {side} side, or drop this one"
    )));
}
