//! Facts that bear on a control, and the results that are made of them.

use crate::diagnostic::Place;
use crate::policy::{Direction, PolicyId, RuleRef};
use std::collections::BTreeMap;

/// How far a control is met, as far as the input shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ControlResult {
    /// Everything that the control asks is in the input, and holds.
    Met,
    /// A part of it holds; the rest does not, is unknown, or is not in any input.
    Partly,
    /// The input shows that it does not hold.
    NotMet,
    /// The input does not show it.
    NotAssessable,
}

impl ControlResult {
    /// As it is printed.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Partly => "partly",
            Self::NotMet => "not met",
            Self::NotAssessable => "not assessable",
        }
    }

    /// As style sheets have it.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Partly => "partly",
            Self::NotMet => "unmet",
            Self::NotAssessable => "unassessed",
        }
    }
}

/// How a fact bears on a control, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bearing {
    /// It speaks for it.
    Shown,
    /// It is allowed by name, and whether that is right is not in the input.
    Review,
    /// It holds for what is loaded, or with something between.
    Part,
    /// It is not known.
    Unknown,
    /// It speaks against it.
    Against,
}

impl Bearing {
    /// As it is printed before a fact.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::Review => "to confirm",
            Self::Part => "in part",
            Self::Unknown => "unknown",
            Self::Against => "against",
        }
    }
}

/// What decides a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecidedBy {
    /// A rule.
    Rule(RuleRef),
    /// A policy.
    Policy(PolicyId),
    /// Something else that is written somewhere.
    At(Place),
}

/// What a fact is of, so that a control can leave out what it is not about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FactTopic {
    /// What the pods of the cluster may do.
    Pods,
    /// What the internet may do.
    Internet,
    /// Both.
    Anyone,
    /// One flow that is allowed by name.
    Flow,
    /// What passes between a pod and its own node, whatever policies say (S55).
    OwnNode,
}

/// A fact about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// How it bears on the control.
    pub bearing: Bearing,
    /// What it is of.
    pub topic: FactTopic,
    /// What it is about, as a key: a workload, a namespace, one direction of these, or the input.
    pub about: String,
    /// The fact, in a sentence without its end; names as the input has them.
    pub text: String,
    /// What decides it, sorted as it is printed.
    pub deciding: Vec<DecidedBy>,
}

impl Fact {
    /// A fact that nothing written decides.
    pub fn new(bearing: Bearing, topic: FactTopic, about: &str, text: String) -> Self {
        Self {
            bearing,
            topic,
            about: about.to_owned(),
            text,
            deciding: Vec::new(),
        }
    }

    /// The same with what decides it.
    #[must_use]
    pub fn because(mut self, deciding: Vec<DecidedBy>) -> Self {
        self.deciding = deciding;
        self
    }
}

/// Facts about one direction each: a workload may be closed in one and open in the other.
pub(crate) fn of_side(facts: Vec<Fact>, direction: Direction) -> impl Iterator<Item = Fact> {
    facts.into_iter().map(move |fact| Fact {
        about: format!("{} {}", fact.about, direction.index()),
        ..fact
    })
}

/// What a fact about the input as a whole is about.
pub const INPUT: &str = "the input";

/// The worst bearing of the facts about each thing, but the input.
fn states(facts: &[Fact]) -> Vec<Bearing> {
    let mut states: BTreeMap<&str, Bearing> = BTreeMap::new();
    for fact in facts.iter().filter(|fact| fact.about != INPUT) {
        let state = states.entry(&fact.about).or_insert(fact.bearing);
        *state = (*state).max(fact.bearing);
    }
    states.into_values().collect()
}

/// The result of a control that everything in scope has to fulfil.
pub fn for_all(facts: &[Fact]) -> ControlResult {
    let states = states(facts);
    let is = |bearing| move |state: &&Bearing| **state == bearing;
    let count = |bearing| states.iter().filter(is(bearing)).count();
    let (against, unknown) = (count(Bearing::Against), count(Bearing::Unknown));
    match states.len() {
        0 => ControlResult::NotAssessable,
        n if against == n => ControlResult::NotMet,
        n if against == 0 && unknown == n => ControlResult::NotAssessable,
        n if count(Bearing::Shown) == n && !has_gap(facts) => ControlResult::Met,
        _ => ControlResult::Partly,
    }
}

/// The result of a control that nothing in scope may break.
pub fn for_none(facts: &[Fact]) -> ControlResult {
    let states = states(facts);
    let has = |bearing| states.contains(&bearing);
    match () {
        () if states.is_empty() => ControlResult::NotAssessable,
        () if has(Bearing::Against) => ControlResult::NotMet,
        () if has(Bearing::Unknown) || has_gap(facts) => ControlResult::NotAssessable,
        () if has(Bearing::Part) || has(Bearing::Review) => ControlResult::Partly,
        () => ControlResult::Met,
    }
}

/// Whether something about the input as a whole keeps a control from being met.
fn has_gap(facts: &[Fact]) -> bool {
    let gap = |fact: &Fact| fact.about == INPUT && fact.bearing != Bearing::Shown;
    facts.iter().any(gap)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(bearings: &[Bearing]) -> Vec<Fact> {
        let each = bearings.iter().enumerate();
        let fact = |(i, b): (usize, &Bearing)| {
            Fact::new(*b, FactTopic::Anyone, &format!("w{i}"), String::new())
        };
        each.map(fact).collect()
    }

    fn with_gap(bearings: &[Bearing]) -> Vec<Fact> {
        let mut all = facts(bearings);
        all.push(Fact::new(
            Bearing::Unknown,
            FactTopic::Anyone,
            INPUT,
            String::new(),
        ));
        all
    }

    #[test]
    fn what_all_have_to_fulfil_is_met_only_where_everything_is_shown() {
        use Bearing::{Against, Part, Review, Shown, Unknown};
        use ControlResult::{Met, NotAssessable, NotMet, Partly};
        for (bearings, wanted) in [
            (&[][..], NotAssessable),
            (&[Shown, Shown], Met),
            (&[Shown, Against], Partly),
            (&[Against, Against], NotMet),
            (&[Shown, Unknown], Partly),
            (&[Unknown, Unknown], NotAssessable),
            (&[Unknown, Against], Partly),
            (&[Shown, Review], Partly),
            (&[Part], Partly),
        ] {
            assert_eq!(for_all(&facts(bearings)), wanted, "{bearings:?}");
            assert_ne!(for_all(&with_gap(bearings)), Met, "{bearings:?}");
        }
    }

    #[test]
    fn what_nothing_may_break_is_not_met_by_one() {
        use Bearing::{Against, Part, Review, Shown, Unknown};
        use ControlResult::{Met, NotAssessable, NotMet, Partly};
        for (bearings, wanted) in [
            (&[][..], NotAssessable),
            (&[Shown, Shown], Met),
            (&[Shown, Against], NotMet),
            (&[Unknown, Against], NotMet),
            (&[Shown, Unknown], NotAssessable),
            (&[Part, Unknown], NotAssessable),
            (&[Shown, Part], Partly),
            (&[Shown, Review], Partly),
        ] {
            assert_eq!(for_none(&facts(bearings)), wanted, "{bearings:?}");
            assert_ne!(for_none(&with_gap(bearings)), Met, "{bearings:?}");
        }
    }

    #[test]
    fn of_several_facts_about_one_thing_the_worst_counts() {
        let mut both = facts(&[Bearing::Shown]);
        both.extend(facts(&[Bearing::Against]));
        assert_eq!(for_all(&both), ControlResult::NotMet);
    }
}
