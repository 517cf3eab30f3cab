//! # NP204 except-defeated
//!
//! **What it does.** Reports when a block that one rule leaves out with `except` is let through by
//! another rule, for the same pods and the same ports.
//!
//! **Why it is bad.** Policies are added up. `except` takes addresses out of its own block only; it
//! denies nothing.
//!
//! **What it looks at.** All rules, of all policies of the namespace, whose pods overlap. An error
//! when the whole of the excepted block is let through on every port of its rule; a note when only
//! a smaller part of it is, or only some ports are (53, so that names resolve), which is usually
//! meant. To except the block there too is proposed only where that closes nothing else.
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
use crate::lint::words;
use crate::policy::validate::parse_cidr;
use crate::policy::{Direction, Peer, Peers, Policy, PolicyId, Rule, RuleRef};
use crate::set::{IpSet, Protocol, TrafficSet};
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
    policy.path(rule_ref).key("ipBlock").key("except")
}

/// Reports an exception that other rules let through.
fn check_exception(
    context: &LintContext<'_>,
    reporter: &mut Reporter<'_>,
    (rule_ref, policy, rule): (RuleRef, &Policy, &Rule),
    index: usize,
    except: IpNet,
) {
    let hole = IpSet::from_cidrs([except]);
    let holes = Holes::of(context, (rule_ref, policy, rule), &hole);
    let Some(first) = holes.rules.first() else {
        return;
    };
    let other_policy = context.policies.get(first.at.policy);
    let by = format!(
        "{} {}",
        other_policy.full_name(),
        other_policy.rule_path(first.at)
    );
    let defeated = holes.defeats(&numeric_traffic(rule));
    let message = if defeated {
        format!("the exception {except} does nothing: {by} lets it through")
    } else if first.whole {
        let ports = words::traffic(&first.traffic.intersection(&numeric_traffic(rule)));
        format!("{by} lets the exception {except} through on {ports}")
    } else {
        format!("part of the exception {except} is let through by {by}")
    };
    let finding = reporter.field(
        rule_ref.policy,
        path(policy, rule_ref).index(index),
        message,
    );
    let related = holes.rules.iter().filter(|o| o.whole || !defeated);
    let finding = related.take(SHOWN).fold(finding, |finding, other| {
        let place = Place::Origin(context.policies.get(other.at.policy).origin(other.at));
        finding.related(place, "lets it through")
    });
    let finding = finding.label("takes away from its own block only");
    reporter.push(if defeated {
        let finding = finding.severity(Severity::Error);
        if holes.may_be_closed(rule, rule_ref, &hole) {
            finding.help(format!("except {except} there too"))
        } else {
            finding.note("what else the other rule lets through may be needed")
        }
    } else {
        finding.severity(Severity::Info)
    });
}

/// The number of rules that are shown to defeat one exception.
const SHOWN: usize = 3;

/// A rule that lets some of an exception through.
struct LetThrough {
    /// The rule, or its peer.
    at: RuleRef,
    /// What it opens there.
    traffic: TrafficSet,
    /// Whether it lets the whole block through to all of the pods, and not by a decision about this
    /// block: opening exactly the excepted block again is one.
    whole: bool,
}

/// The rules that let an exception through, those first that let through all of it.
struct Holes {
    rules: Vec<LetThrough>,
}

impl Holes {
    /// The other rules for some of the same pods and ports that let a block through, or part of it.
    fn of(
        context: &LintContext<'_>,
        (rule_ref, policy, rule): (RuleRef, &Policy, &Rule),
        hole: &IpSet,
    ) -> Self {
        let wanted = numeric_traffic(rule);
        let mut found = Vec::new();
        for id in context.policies_in(policy.namespace.as_deref().unwrap_or_default()) {
            let other = context.policies.get(*id);
            if !other.isolates(rule_ref.direction) || !overlap(context, rule_ref.policy, *id) {
                continue;
            }
            for (there, _, candidate) in rules(*id, other) {
                let traffic = numeric_traffic(candidate);
                if there.direction != rule_ref.direction || wanted.is_disjoint(&traffic) {
                    continue;
                }
                let each = let_through(rule_ref, there, candidate, hole);
                let all_pods = covers(context, rule_ref.policy, *id);
                found.extend(each.into_iter().map(|o| LetThrough {
                    whole: o.whole && all_pods,
                    ..o
                }));
            }
        }
        found.sort_by_key(|o| !o.whole);
        Self { rules: found }
    }

    /// Whether they leave nothing of the exception on any port of its rule.
    fn defeats(&self, wanted: &TrafficSet) -> bool {
        let whole = self.rules.iter().filter(|o| o.whole);
        let opened = whole.fold(TrafficSet::empty(), |all, o| all.union(&o.traffic));
        wanted.is_subset(&opened)
    }

    /// Whether the exception can be made in the other rule too, without closing what the exception
    /// was never about or what the pods need: other ports, and the DNS inside the cluster.
    fn may_be_closed(&self, rule: &Rule, rule_ref: RuleRef, hole: &IpSet) -> bool {
        let wanted = numeric_traffic(rule);
        let dns = TrafficSet::ports(Protocol::Udp, 53, 53);
        let inside = !hole.is_subset(&IpSet::internet());
        let mut whole = self.rules.iter().filter(|o| o.whole);
        let (Some(only), None) = (whole.next(), whole.next()) else {
            return false;
        };
        let needed =
            rule_ref.direction == Direction::Egress && inside && !only.traffic.is_disjoint(&dns);
        only.at.peer.is_some() && only.traffic.is_subset(&wanted) && !needed
    }
}

/// Where another rule lets a block through, or part of it.
fn let_through(
    rule_ref: RuleRef,
    there: RuleRef,
    candidate: &Rule,
    hole: &IpSet,
) -> Vec<LetThrough> {
    let traffic = numeric_traffic(candidate);
    if candidate.peers == Peers::Any {
        return vec![LetThrough {
            at: there,
            traffic,
            whole: true,
        }];
    }
    let same_peer = |j: usize| {
        there.policy == rule_ref.policy
            && there.rule == rule_ref.rule
            && rule_ref.peer == u32::try_from(j).ok()
    };
    let mut found = Vec::new();
    for (j, peer) in peers(candidate).iter().enumerate() {
        let Peer::Addresses(set) = peer else { continue };
        if same_peer(j) || set.is_disjoint(hole) {
            continue;
        }
        found.push(LetThrough {
            at: there.with_peer(j),
            traffic: traffic.clone(),
            whole: hole.is_subset(set) && !set.is_subset(hole),
        });
    }
    found
}

/// Whether a policy governs every pod that another one does: every pod of the input, or every pod
/// there can be.
fn covers(context: &LintContext<'_>, narrow: PolicyId, wide: PolicyId) -> bool {
    let (of_narrow, of_wide) = (context.subjects(narrow), context.subjects(wide));
    narrow == wide
        || !of_narrow.is_empty() && of_narrow.iter().all(|p| of_wide.contains(p))
        || algebra::subject_within(
            &context.policies.get(narrow).subject,
            &context.policies.get(wide).subject,
        )
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
