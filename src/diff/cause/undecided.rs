//! Unknown before and unknown after: is it the same unknown, or another one?
//!
//! What the input does not say is one fact on both sides: how host-network pods behave, on which
//! node a pod runs, where its address lies. So each mode of host-network pods is compared on its
//! own ([`scenarios`]), and a verdict that stays unknown there is *undecided* only if it is unknown
//! because of a rule that was edited, or of a policy that cannot be modelled and differs; or if
//! more than one thing is unknown and something was edited that governs the pair. Example: an
//! `ipBlock` may or may not contain a pod whose address is unknown; if nobody edited the rule, the
//! verdict is unknown on both sides, but it is the same verdict.
//!
//! Up to [`EXACT_PAIRS`] pairs of pods are compared one by one, more of them by what their classes
//! have in common ([`Group`]). Cost: nothing is compiled again; per affected pair of ends that is
//! unknown on both sides a few verdicts and two explanations. Precision: the reasons are looked for
//! at one port of the traffic.

use crate::diff::align::endpoint::{AlignedEnd, EXACT_PAIRS, EndIx};
use crate::diff::before_after::{Side, Which};
use crate::diff::cause::edits::Edits;
use crate::diff::cause::pair::{ChangedPair, Pairing, SEARCHED_PAIRS, sample};
use crate::diff::cause::policy_edits::{PolicyEdit, is_rule_conditional};
use crate::diff::cause::rule_edit::{PolicyVersion, rule_edit};
use crate::graph::row_cache::Group;
use crate::graph::{AllowGraph, Allowed, RowCache};
use crate::model::Truth;
use crate::policy::Direction;
use crate::policy::{Policy, PolicyId, RuleRef};
use crate::query::explain::explanation;
use crate::query::explain::explanation::{Explanation, ExplanationSide, FamilyEffect};
use crate::set::TrafficSet;
use crate::set::hashed::HashMap;
use crate::spec::{Endpoint, Flow, HostNetwork};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

/// How many unknown flows of two ends are explained.
const EXPLAINED_FLOWS: usize = 100;

/// The graphs of both sides under one mode of host-network pods.
pub type ScenarioGraphs = [AllowGraph; 2];

/// Both sides under each mode of host-network pods that can make a difference.
pub fn scenarios(before: Side<'_>, after: Side<'_>) -> Vec<ScenarioGraphs> {
    if !has_host_pods(before) && !has_host_pods(after) {
        return vec![[before.graph.clone(), after.graph.clone()]];
    }
    [HostNetwork::Node, HostNetwork::Pod]
        .map(|mode| [assuming(before, mode), assuming(after, mode)])
        .into()
}

fn has_host_pods(side: Side<'_>) -> bool {
    !side.graph.space().hosts.is_empty()
}

/// A side's graph under a mode of host-network pods, if the mode is unknown and matters.
fn assuming(side: Side<'_>, mode: HostNetwork) -> AllowGraph {
    let is_open = side.graph.environment().options.host_network == HostNetwork::Unknown;
    if has_host_pods(side) && is_open {
        side.graph.assuming(mode)
    } else {
        side.graph.clone()
    }
}

/// Which of some traffic passes between pairs of pods of two ends: what must pass, and what is
/// unknown.
type PossibleVerdicts = BTreeSet<(TrafficSet, TrafficSet)>;

/// The pairs of pods of two ends, per side.
type PodPairs = [Vec<(Endpoint, Endpoint)>; 2];

/// Distinguishes unknown verdicts that may have changed from those that have not.
pub struct Undecided<'a> {
    before: Side<'a>,
    after: Side<'a>,
    edits: &'a Edits,
    scenarios: Vec<(&'a ScenarioGraphs, [RowCache<'a>; 2])>,
    /// The endpoint indices of ends, by scenario.
    groups: HashMap<(usize, EndIx), Rc<[Group; 2]>>,
}

impl<'a> Undecided<'a> {
    /// Nothing is compared yet.
    pub fn new(
        before: Side<'a>,
        after: Side<'a>,
        edits: &'a Edits,
        scenarios: &'a [ScenarioGraphs],
    ) -> Self {
        let scenarios = scenarios
            .iter()
            .map(|graphs| (graphs, graphs.each_ref().map(RowCache::new)))
            .collect();
        Self {
            before,
            after,
            edits,
            scenarios,
            groups: HashMap::default(),
        }
    }

    /// Whether the verdict on traffic that is unknown on both sides may have changed between two
    /// ends.
    pub fn may_have_changed(&mut self, pair: &ChangedPair<'_>, traffic: &TrafficSet) -> bool {
        let pods = [Which::Before, Which::After].map(|which| pair.pairs(which, EXACT_PAIRS + 1));
        (0..self.scenarios.len()).any(|scenario| {
            let [was, is, reasoned] = self.verdicts(scenario, pair, &pods, traffic);
            was != is
                || reasoned.iter().any(|(_, unknown)| {
                    self.is_edited_reason(self.scenarios[scenario].0, pair, unknown)
                })
        })
    }

    /// What passes before, after, and after without own-node exceptions: no rule says on which node
    /// a pod runs, so that an unknown exception has no edited reason.
    fn verdicts(
        &mut self,
        scenario: usize,
        pair: &ChangedPair<'_>,
        pods: &PodPairs,
        traffic: &TrafficSet,
    ) -> [PossibleVerdicts; 3] {
        let Self {
            scenarios, groups, ..
        } = self;
        let (graphs, [old, new]) = &mut scenarios[scenario];
        if pods.iter().any(|pods| pods.len() > EXACT_PAIRS) {
            let mut group = |end: EndIx| {
                let known = groups.entry((scenario, end));
                Rc::clone(known.or_insert_with(|| {
                    let AlignedEnd { before, after, .. } = &pair.ends[end];
                    Rc::new([old.group(before), new.group(after)])
                }))
            };
            let (from, into) = (group(pair.source), group(pair.destination));
            let apart = pair.pairing == Pairing::Own;
            let [was, _] = old.pairs(&from[0], &into[0], apart);
            let [is, without_own_node] = new.pairs(&from[1], &into[1], apart);
            return [was, is, without_own_node].map(|mut found| {
                found.sort_unstable_by_key(Arc::as_ptr);
                found.dedup_by(|a, b| Arc::ptr_eq(a, b));
                found
                    .iter()
                    .map(|allowed| restricted(allowed, traffic))
                    .collect()
            });
        }
        let was = between_pods(&graphs[0], &pods[0], traffic);
        let is = between_pods(&graphs[1], &pods[1], traffic);
        [was, is.clone(), is]
    }

    /// Whether an edited rule is among the reasons of what is still unknown.
    fn is_edited_reason(
        &self,
        graphs: &ScenarioGraphs,
        pair: &ChangedPair<'_>,
        unknown: &TrafficSet,
    ) -> bool {
        if unknown.is_empty() {
            return false;
        }
        let traffic = sample(unknown);
        graphs
            .iter()
            .zip([Which::Before, Which::After])
            .any(|(graph, which)| {
                let pods = pair.pairs(which, SEARCHED_PAIRS);
                let flows = pods.iter().map(|(source, destination)| Flow {
                    source: *source,
                    destination: *destination,
                    traffic,
                });
                // What is unknown of a class may be known of each of its pods.
                let mut unknown = flows
                    .filter(|flow| graph.verdict(flow) == Truth::Maybe)
                    .take(EXPLAINED_FLOWS);
                unknown.any(|flow| {
                    let explanation = explanation::explain(graph, &flow);
                    let is_open = |side: &ExplanationSide| {
                        is_tangled(&explanation) && is_open(&explanation, side)
                    };
                    let mut sides = explanation.sides().into_iter();
                    sides.any(|side| {
                        self.has_edited_reason(side, which)
                            || is_open(side) && self.is_affected(pair, side.direction)
                    })
                })
            })
    }

    fn has_edited_reason(&self, side: &ExplanationSide, which: Which) -> bool {
        let is_new = |taint: &usize| self.edits.is_new_taint(which, *taint);
        let edited = |policy: &PolicyId| self.edits.policy_edit(which, *policy).is_some();
        side.taints.iter().any(is_new)
            || side.doubts.iter().any(|d| self.is_edited(d.at, which))
            || side.conditions.iter().any(|at| self.is_edited(*at, which))
            || side.doubtful_policies.iter().any(edited)
    }

    /// Whether anything that governs one side of a pair was edited.
    fn is_affected(&self, pair: &ChangedPair<'_>, direction: Direction) -> bool {
        let end = match direction {
            Direction::Egress => pair.source,
            Direction::Ingress => pair.destination,
        };
        let by = self.edits.affected(end, direction);
        let edits = by.policies.iter().map(|edit| &self.edits.policies[*edit]);
        by.workload || by.unmodelled || edits.into_iter().any(|e| self.differs(e, direction))
    }

    /// Whether a policy differs in what it says of one direction.
    fn differs(&self, edit: &PolicyEdit, direction: Direction) -> bool {
        let versions = [Which::Before, Which::After].map(|which| self.version(edit, which));
        let [Some((before, ..)), Some((after, ..))] = versions else {
            return true;
        };
        let said = |policy: &Policy| {
            let order = (policy.tier, policy.priority, policy.isolates(direction));
            (policy.subject.clone(), order)
        };
        edit.conditions
            || said(before) != said(after)
            || before.rules(direction) != after.rules(direction)
    }

    /// Whether a rule was edited, or the subject, tier or priority of its policy.
    fn is_edited(&self, at: RuleRef, which: Which) -> bool {
        let Some(edit) = self.edits.policy_edit(which, at.policy) else {
            return false;
        };
        let edit = &self.edits.policies[edit];
        if !edit.meaning {
            return false;
        }
        let other = if which == Which::Before {
            Which::After
        } else {
            Which::Before
        };
        let Some(own) = self.version(edit, which) else {
            return false;
        };
        let theirs = self.version(edit, other);
        let rule = own.0.rules(at.direction).get(at.rule as usize);
        if edit.conditions && rule.is_some_and(is_rule_conditional) {
            return true;
        }
        let governs_others = theirs.is_none_or(|(p, _, _)| {
            p.subject != own.0.subject || p.tier != own.0.tier || p.priority != own.0.priority
        });
        governs_others || rule_edit(own, theirs, at.whole()).is_some()
    }

    /// An edited policy as it is on one side, if it exists there.
    fn version(&self, edit: &PolicyEdit, which: Which) -> Option<PolicyVersion<'a>> {
        let (id, side) = match which {
            Which::Before => (edit.before?, self.before),
            Which::After => (edit.after?, self.after),
        };
        Some((side.graph.environment().policies.get(id), id, which))
    }
}

/// Whether more than one thing is unknown, or one that decides with every rule: a policy that is
/// not modelled may allow, deny or do nothing, and a family or the number of a port is looked at by
/// all. The verdict then depends on the other rules too, whatever the unknown turns out to be; a
/// single rule that may match leaves what else decides the same on both sides, or it would be known
/// on one of them.
fn is_tangled(explanation: &Explanation) -> bool {
    let sides = explanation.sides().into_iter();
    let reasons = sides.map(|side| {
        let rules = side.doubts.len() + side.conditions.len() + side.doubtful_policies.len();
        rules + 2 * side.taints.len()
    });
    let untold = |f: FamilyEffect| f != FamilyEffect::NoneInCommon;
    let by_all = explanation.families.is_some_and(untold)
        || explanation.port_untold
        || explanation.led.is_some();
    by_all || reasons.sum::<usize>() > 1
}

/// Whether a side may deny the flow. Where a family is not told the sides are those of one that
/// denies, so that a side which allows it there allows it in every family.
fn is_open(explanation: &Explanation, side: &ExplanationSide) -> bool {
    side.allowed != Truth::Yes || explanation.port_untold || explanation.led.is_some()
}

/// What passes of some traffic, and what is unknown of it.
fn restricted(allowed: &Allowed, traffic: &TrafficSet) -> (TrafficSet, TrafficSet) {
    (
        allowed.must.intersection(traffic),
        allowed.unknown().intersection(traffic),
    )
}

/// What passes of some traffic between each of these pairs of pods.
fn between_pods(
    graph: &AllowGraph,
    pods: &[(Endpoint, Endpoint)],
    traffic: &TrafficSet,
) -> PossibleVerdicts {
    pods.iter()
        .map(|(source, destination)| restricted(&graph.allowed(*source, *destination), traffic))
        .collect()
}
