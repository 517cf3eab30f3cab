//! What the policies of a tier say of a flow, before it is decided what that comes to.
//!
//! Cost: O(rules of the tier).

use crate::model::Truth;
use crate::policy::tier::TierIx;
use crate::policy::{Action, Policy, PolicyId, RuleRef};
use crate::spec::matching::{rule_matches, selects};
use crate::spec::question::DirectionQuestion;

/// The policies of a tier that are asked about a flow.
pub(crate) fn policies_of<'a>(
    question: &'a DirectionQuestion<'_>,
    tier: TierIx,
) -> impl Iterator<Item = (PolicyId, &'a Policy)> {
    let of_tier =
        move |(_, p): &(PolicyId, &Policy)| p.tier == tier && p.governs(question.direction);
    let policies = &question.env.policies;
    let all = question.selecting.is_none().then(|| policies.iter());
    let selecting = question.selecting.unwrap_or_default().iter();
    let selecting = selecting.map(|id| (*id, policies.get(*id)));
    let asked = all.into_iter().flatten().chain(selecting);
    asked.filter(of_tier)
}

/// The rules of an unordered tier that a flow is asked of, with how certainly each matches.
pub(crate) struct Gathered {
    /// Whether the tier isolates.
    pub isolated: Truth,
    /// Whether it may be that the tier isolates and none of its rules matches. Where a policy that
    /// may not select is the only one to isolate, its own rules are in force whenever it isolates.
    pub unmatched: bool,
    /// The policies that isolate, and whether they select the pod.
    pub isolating: Vec<(PolicyId, Truth)>,
    /// The rules that allow.
    pub allows: Vec<(Truth, RuleRef)>,
    /// The rules that deny.
    pub denies: Vec<(Truth, RuleRef)>,
    /// Of those that allow, the ones that ask for a request: what no other rule allows may fail.
    pub requests: Vec<(Truth, RuleRef)>,
}

impl Gathered {
    /// Asks every policy of a tier.
    pub fn new(question: &DirectionQuestion<'_>, ix: TierIx) -> Self {
        let mut gathered = Self {
            isolated: Truth::No,
            unmatched: false,
            isolating: Vec::new(),
            allows: Vec::new(),
            denies: Vec::new(),
            requests: Vec::new(),
        };
        for (id, policy) in policies_of(question, ix) {
            let selected = selects(question.env, policy, question.pod, question.case.mode);
            if selected.possible() {
                gathered.add(question, (id, policy), selected);
            }
        }
        gathered
    }

    fn add(
        &mut self,
        question: &DirectionQuestion<'_>,
        (id, policy): (PolicyId, &Policy),
        selected: Truth,
    ) {
        let isolates = policy.isolates(question.direction);
        if isolates {
            self.isolated = self.isolated.or(selected);
            self.isolating.push((id, selected));
        }
        let mut own = Truth::No;
        for (at, rule) in policy.rules(question.direction).iter().enumerate() {
            let matches = rule_matches(question, policy, rule);
            let matched = selected.and(matches);
            let at = RuleRef::rule(id, question.direction, at);
            if rule.action == Action::Deny || rule.binds() {
                self.denies.push((matched, at));
            }
            if rule.action == Action::Allow {
                own = own.or(matches);
                self.allows.push((matched, at)); // of a pass, compiling refuses it
            }
            if rule.asks_for_request() {
                self.requests.push((matched, at));
            }
        }
        self.unmatched |= isolates && own != Truth::Yes;
    }
}
