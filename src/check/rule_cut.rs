//! The fewest rules without which nothing leads from one end to another.
//!
//! Whatever separates the ends takes a rule away from every path, so that the rules on which the
//! hops of one path rest are all that can come next. Sets of rules are tried in order of size:
//! without each of them a shortest path is looked for, and the set grows by one of the rules of
//! that path. A path of which a hop rests on no rule at all on either side may still be cut at
//! another hop; one that rests on none can never be cut so. A door to the first workload may rest
//! on any rule that lets somebody in there. To take a rule away is to let it match nobody; what its
//! policy isolates stays isolated. Cost: a compilation and a search for each set,
//! of which [`MOST`] are tried.

use crate::check::critical::certain_or_possible;
use crate::check::paths::{PathEnds, PathQuery, Paths};
use crate::graph::AllowGraph;
use crate::input::Input;
use crate::model::PodId;
use crate::policy::{Action, Direction, Peers, RuleRef};
use crate::query::explain::contributing::{contributing, deciding};
use crate::set::hashed::HashSet;
use crate::spec::Endpoint;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// Most sets of rules that are tried.
const MOST: usize = 400;

/// Whether rules can be taken away so that nothing leads there, and which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleCut {
    /// Without these nothing leads there, and with any fewer something does; none where nothing
    /// leads there anyway.
    Rules(Vec<RuleRef>),
    /// A path rests on no rule: nothing governs its hops, or what governs them is not known.
    RestsOnNone,
    /// More sets would have to be tried than are.
    TooMany,
}

/// Looks for the fewest rules.
pub fn rule_cut(input: &Input, graph: &AllowGraph, asked: &PathEnds) -> RuleCut {
    let mut seen: HashSet<BTreeSet<RuleRef>> = HashSet::default();
    let mut queue = VecDeque::from([BTreeSet::new()]);
    for _ in 0..MOST {
        let Some(taken) = queue.pop_front() else {
            return RuleCut::RestsOnNone;
        };
        let options = &graph.environment().options;
        let input = without(input, &taken);
        let Ok(without) = AllowGraph::compile(&input, options) else {
            return RuleCut::TooMany;
        };
        let Ok(asked) = asked.after_a_change(&input, &without) else {
            return RuleCut::TooMany;
        };
        let Some(rules) = rules_of_a_path(&without, &asked) else {
            return RuleCut::Rules(taken.into_iter().collect());
        };
        if rules.is_empty() {
            return RuleCut::RestsOnNone;
        }
        for rule in rules {
            let mut more = taken.clone();
            if more.insert(rule) && seen.insert(more.clone()) {
                queue.push_back(more);
            }
        }
    }
    RuleCut::TooMany
}

/// The input with some rules that match nobody.
fn without(input: &Input, taken: &BTreeSet<RuleRef>) -> Input {
    let mut input = input.clone();
    let policies = Arc::make_mut(&mut input.policies);
    for at in taken {
        let Some(policy) = policies.policies.get_mut(at.policy.0 as usize) else {
            continue; // one that the graph has besides those of the input
        };
        let rule = policy.rules[at.direction.index()].get_mut(at.rule as usize);
        if let Some(rule) = rule {
            rule.peers = Peers::Of(Arc::from([]));
        }
    }
    input
}

/// The rules that let others in to a pod: on some of them a door to it rests, if on any.
fn rules_into(graph: &AllowGraph, pod: PodId) -> BTreeSet<RuleRef> {
    let way = Direction::Ingress;
    let effective = graph.effective(Endpoint::Pod(pod), way);
    let selections = effective
        .iter()
        .flat_map(|effective| effective.selections());
    let policies = selections.map(|selection| graph.policy_of(selection.policy));
    policies
        .flat_map(|id| {
            let rules = graph.environment().policies.get(id).rules(way).len();
            (0..rules).map(move |rule| RuleRef::rule(id, way, rule))
        })
        .collect()
}

/// The rules that let the hops of a shortest path through; `None` if there is no path.
fn rules_of_a_path(graph: &AllowGraph, asked: &PathEnds) -> Option<BTreeSet<RuleRef>> {
    let query = PathQuery::between(graph, asked);
    let paths = Paths::new(&query, certain_or_possible);
    let start = paths.nearest(&query)?;
    let flows = paths.hops(&query, start);
    let policies = &graph.environment().policies;
    let is_allow = |at: &RuleRef| policies.rule(*at).action == Action::Allow;
    let mut rules: BTreeSet<RuleRef> = start.door.map_or_else(BTreeSet::new, |pod| {
        rules_into(graph, pod)
            .into_iter()
            .filter(is_allow)
            .collect()
    });
    for flow in flows {
        let traffic = graph.allowed(flow.source, flow.destination).may;
        let decided = deciding(&contributing(graph, &flow, &traffic)).into_iter();
        rules.extend(decided.map(RuleRef::whole).filter(is_allow));
    }
    Some(rules)
}
