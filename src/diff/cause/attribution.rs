//! The edit behind a change: both sides explain one flow that shows it, and the edit is looked for
//! where the explanations differ.
//!
//! For a path that opens, the direction of the flow that denied it before is examined: the rule
//! that allows it now, if that rule is new or different; else the policy that used to deny it; else
//! the pods' own labels. A path that closes is the same question with the two sides exchanged.
//! Cost: two explanations per distinct change of a destination.

use crate::diff::align::endpoint::EndMembers;
use crate::diff::before_after::{Side, Which};
use crate::diff::cause::assumption::Assumption;
use crate::diff::cause::pair::{ChangedPair, opens};
use crate::diff::cause::policy_edits::Edit;
use crate::diff::cause::rule_edit::{first_rule_edit, rule_edit};
use crate::diff::kind::Kind;
use crate::model::{NamespaceId, WorkloadId};
use crate::policy::{Direction, PolicyId, RuleRef};
use crate::query::explain::explanation;
use crate::query::explain::explanation::Explanation;
use crate::source::Origin;
use crate::spec::Flow;

/// What was edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum What {
    /// A rule of a policy, or one peer or port entry of it.
    Rule(RuleRef),
    /// A policy as a whole: whom it selects, what it isolates, or that it exists at all.
    Policy(PolicyId),
    /// The pods of a workload: labels, ports, addresses, node.
    Workload(WorkloadId),
    /// The labels of a namespace.
    Namespace(NamespaceId),
    /// A policy that cannot be modelled: its index among the taints.
    Unmodelled(usize),
    /// An assumption that the two sides were compiled under.
    Options(Assumption),
    /// Something else: a node, a Service.
    Other,
}

/// The edit that made a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cause {
    /// What was edited, in the ids of its side.
    pub what: What,
    /// The side where it lives.
    pub side: Which,
    /// What happened to it.
    pub how: Edit,
    /// The policy edit it is part of: its index in [`crate::diff::Diff::edits`].
    pub edit: Option<usize>,
}

impl Cause {
    fn of(what: What) -> Self {
        Self {
            what,
            side: Which::After,
            how: Edit::Changed,
            edit: None,
        }
    }

    /// Where it is written, in the texts of its side.
    pub fn origin(&self, side: Side<'_>) -> Option<Origin> {
        let policies = &side.graph.environment().policies;
        match self.what {
            What::Rule(at) => Some(policies.get(at.policy).origin(at)),
            What::Policy(id) if self.how == Edit::Changed => {
                Some(policies.get(id).subject_origin())
            }
            What::Policy(id) => Some(Origin::document(policies.get(id).document)),
            What::Workload(id) => Some(side.input.cluster.workload(id).origin.clone()),
            What::Namespace(id) => side.input.cluster.namespace(id).declared.clone(),
            What::Unmodelled(taint) => policies.taints.get(taint).and_then(|t| t.origin.clone()),
            What::Options(_) | What::Other => None,
        }
    }
}

/// The explanation of one direction of a flow, on one side of the diff.
type ExplainedSide<'a> = (&'a explanation::ExplanationSide, Which);

impl ChangedPair<'_> {
    /// The edit behind a change of this kind, which these flows show.
    pub fn find(&self, kind: Kind, flows: &(Flow, Flow)) -> Cause {
        let (before, after) = flows;
        let explanations = (
            explanation::explain(self.before.graph, before),
            explanation::explain(self.after.graph, after),
        );
        match self.policy_cause(opens(kind), &explanations) {
            Some(cause) if matches!(cause.how, Edit::ReadOtherwise(_)) => Cause {
                how: Edit::ReadOtherwise(self.assumption(flows)),
                ..cause
            },
            Some(cause) => cause,
            None => self.other_cause(flows),
        }
    }

    /// The assumption that decides flows otherwise.
    fn assumption(&self, flows: &(Flow, Flow)) -> Assumption {
        let sides = [self.before, self.after].map(|side| side.graph.environment());
        Assumption::behind(sides[0], sides[1], flows)
    }

    /// The edited policy or rule that makes the explanations differ.
    fn policy_cause(
        &self,
        opens: bool,
        explanations: &(Explanation, Explanation),
    ) -> Option<Cause> {
        let mut pairs: Vec<(&explanation::ExplanationSide, &explanation::ExplanationSide)> =
            explanations
                .0
                .sides()
                .into_iter()
                .zip(explanations.1.sides())
                .collect();
        let changed = |(b, a): &(&explanation::ExplanationSide, &explanation::ExplanationSide)| {
            b.allowed != a.allowed || b.reason != a.reason
        };
        pairs.sort_by_key(|p| (p.0.allowed == p.1.allowed, !changed(p)));
        pairs.iter().find_map(|(b, a)| {
            if opens {
                self.opened((a, Which::After), (b, Which::Before))
            } else {
                self.opened((b, Which::Before), (a, Which::After))
            }
        })
    }

    /// Why `open` lets through what `closed` does not; for a path that closes, the sides come
    /// exchanged.
    fn opened(&self, open: ExplainedSide<'_>, closed: ExplainedSide<'_>) -> Option<Cause> {
        self.deciding_rule(open)
            .or_else(|| self.deciding_rule(closed))
            .or_else(|| self.isolating_policy(closed))
            .or_else(|| self.isolating_policy(open))
            .or_else(|| self.tier_policy(open))
            .or_else(|| self.tier_policy(closed))
    }

    /// The rule that decides, if it was edited.
    fn deciding_rule(&self, (side, which): ExplainedSide<'_>) -> Option<Cause> {
        side.decided_by.and_then(|at| self.rule(at, which))
    }

    /// The first edited policy that isolates the subject.
    fn isolating_policy(&self, (side, which): ExplainedSide<'_>) -> Option<Cause> {
        side.isolated_by.iter().find_map(|p| self.policy(*p, which))
    }

    /// The first edited policy of any tier.
    fn tier_policy(&self, (side, which): ExplainedSide<'_>) -> Option<Cause> {
        side.tiers
            .iter()
            .flat_map(|t| &t.policies)
            .find_map(|p| self.policy(p.policy, which))
    }

    /// The other side's version of an edited policy.
    fn counterpart(&self, edit: usize, which: Which) -> Option<(PolicyId, Which)> {
        let edit = &self.edits.policies[edit];
        match which {
            Which::After => edit.before.map(|id| (id, Which::Before)),
            Which::Before => edit.after.map(|id| (id, Which::After)),
        }
    }

    /// A rule, if it or its policy was edited.
    fn rule(&self, at: RuleRef, which: Which) -> Option<Cause> {
        let edit = self
            .edits
            .policy_edit(which, at.policy)
            .filter(|e| self.edits.policies[*e].meaning)?;
        match self.edits.policies[edit].edit {
            Edit::Enforced | Edit::Unenforced => return self.policy(at.policy, which),
            how @ Edit::ReadOtherwise(_) => {
                return Some(Cause {
                    what: What::Rule(at),
                    side: which,
                    how,
                    edit: Some(edit),
                });
            }
            Edit::Added | Edit::Removed | Edit::Changed => {}
        }
        let own = self.side(which).graph.environment().policies.get(at.policy);
        let other = self.counterpart(edit, which);
        let other = other.map(|(id, side)| {
            (
                self.side(side).graph.environment().policies.get(id),
                id,
                side,
            )
        });
        match rule_edit((own, at.policy, which), other, at) {
            Some((side, at, how)) => Some(Cause {
                what: What::Rule(at),
                side,
                how,
                edit: Some(edit),
            }),
            None => self.policy(at.policy, which),
        }
    }

    /// A policy, if it was edited: as a whole, or the first of its rules that differs.
    fn policy(&self, id: PolicyId, which: Which) -> Option<Cause> {
        let index = self
            .edits
            .policy_edit(which, id)
            .filter(|e| self.edits.policies[*e].meaning)?;
        let edit = &self.edits.policies[index];
        let (side, policy) = edit
            .after
            .map(|id| (Which::After, id))
            .or(edit.before.map(|id| (Which::Before, id)))?;
        let whole = Cause {
            what: What::Policy(policy),
            side,
            how: edit.edit,
            edit: Some(index),
        };
        let (Some(old), Some(new)) = (edit.before, edit.after) else {
            return Some(whole);
        };
        let (was, is) = (
            self.before.graph.environment().policies.get(old),
            self.after.graph.environment().policies.get(new),
        );
        let is_whole = edit.edit != Edit::Changed
            || was.subject != is.subject
            || was.isolates != is.isolates
            || was.priority != is.priority;
        if is_whole {
            return Some(whole);
        }
        let (old, new) = ((was, old, Which::Before), (is, new, Which::After));
        let found = first_rule_edit(new, old).or_else(|| first_rule_edit(old, new));
        let rule = found.map(|(side, at, how)| Cause {
            what: What::Rule(at),
            side,
            how,
            edit: Some(index),
        });
        Some(rule.unwrap_or(whole))
    }

    /// The cause where no policy that governs the flow was edited: something that policies depend
    /// on was.
    fn other_cause(&self, flows: &(Flow, Flow)) -> Cause {
        let edited = [self.source, self.destination]
            .into_iter()
            .find(|e| self.edits.affected(*e, Direction::Ingress).workload);
        if let Some(EndMembers::Workloads(list)) = edited.map(|e| &self.ends[e].members)
            && let Some((before, after)) = list.first()
        {
            return self.workload_cause(*before, *after);
        }
        if self
            .governed_ends()
            .into_iter()
            .any(|(e, d)| self.edits.affected(e, d).unmodelled)
        {
            let sides = [Which::After, Which::Before];
            let found = sides
                .into_iter()
                .find_map(|side| Some((side, self.edits.new_taint(side)?)));
            let (side, taint) = found.unwrap_or((Which::After, 0));
            return Cause {
                side,
                ..Cause::of(What::Unmodelled(taint))
            };
        }
        Cause::of(if self.edits.options {
            What::Options(self.assumption(flows))
        } else {
            What::Other
        })
    }

    /// An edited workload: its namespace, if that was edited, else its pods.
    fn workload_cause(&self, before: WorkloadId, after: WorkloadId) -> Cause {
        let (old, new) = (&self.before.input.cluster, &self.after.input.cluster);
        let (was, is) = (
            old.workload(before).namespace,
            new.workload(after).namespace,
        );
        let same = old.namespace(was).labels == new.namespace(is).labels
            && old.namespace(was).declared.is_some() == new.namespace(is).declared.is_some();
        if same {
            Cause::of(What::Workload(after))
        } else {
            Cause::of(What::Namespace(is))
        }
    }
}
