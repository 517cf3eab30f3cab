//! What passes between aligned ends, as small numbers that compare fast.
//!
//! A *number* stands for what passes between two endpoint indices, a *state* for the set of numbers
//! over all pairs of indices of two ends. Example: an end of two classes as a source of one class,
//! where TCP/80 passes from the first class (number 1) and nothing from the second (number 0), has
//! the state `{0, 1}`. Each pair of states, before and after, is compared once
//! ([`States::delta`]).

use crate::diff::kind::Kind;
use crate::graph::Allowed;
use crate::set::hashed::{HashMap, IndexSet};
use crate::set::{Ix, TrafficSet, index_type};
use std::rc::Rc;
use std::sync::Arc;

index_type! {
    /// Index of a distinct value of what passes: the *number* of the example above.
    pub struct AllowedIx;
    /// Index of a state.
    #[derive(Default)]
    pub struct StateIx;
}

/// What differs between two states, by kind.
pub type Delta = Vec<(Kind, TrafficSet)>;

/// A state before and a state after.
pub type StatePair = (StateIx, StateIx);

/// The number of no traffic at all.
pub const NOTHING: AllowedIx = AllowedIx(0);

/// All numbers and states so far.
pub struct States {
    allowed: IndexSet<Allowed>,
    distinct: IndexSet<Vec<AllowedIx>>,
    deltas: HashMap<StatePair, Rc<Delta>>,
    comparisons: HashMap<StatePair, StateComparison>,
    /// The numbers of shared values by their address. The values are kept, so that no address is
    /// used twice.
    by_address: HashMap<*const Allowed, (Arc<Allowed>, AllowedIx)>,
    /// The states that result from adding a number to a state.
    joined: HashMap<(StateIx, AllowedIx), StateIx>,
}

/// The summary of a pair of states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateComparison {
    /// Whether something differs, or is unknown on both sides and may differ.
    pub changed: bool,
    /// Whether something differs.
    pub differs: bool,
    /// Whether something passes for certain afterwards.
    pub passes: bool,
}

impl StateComparison {
    /// Whether the pair is only counted: something passes, and nothing may differ.
    pub fn is_unchanged(self) -> bool {
        self.passes && !self.changed
    }
}

impl States {
    /// Only [`NOTHING`] has a number yet.
    pub fn new() -> Self {
        let allowed = IndexSet::from_iter([Allowed::default()]);
        Self {
            allowed,
            distinct: IndexSet::default(),
            deltas: HashMap::default(),
            comparisons: HashMap::default(),
            by_address: HashMap::default(),
            joined: HashMap::default(),
        }
    }

    /// The number of what passes between two endpoint indices.
    pub fn number(&mut self, allowed: &Allowed) -> AllowedIx {
        let known = self.allowed.get_index_of(allowed);
        let index = known.unwrap_or_else(|| self.allowed.insert_full(allowed.clone()).0);
        AllowedIx::bounded(index)
    }

    /// The number of a shared value; looked up by its address first.
    pub fn number_of(&mut self, allowed: &Arc<Allowed>) -> AllowedIx {
        if let Some((_, number)) = self.by_address.get(&Arc::as_ptr(allowed)) {
            return *number;
        }
        let number = self.number(allowed);
        self.by_address
            .insert(Arc::as_ptr(allowed), (Arc::clone(allowed), number));
        number
    }

    /// The state of these numbers, in any order.
    pub fn state(&mut self, mut numbers: Vec<AllowedIx>) -> StateIx {
        numbers.sort_unstable();
        numbers.dedup();
        StateIx::bounded(self.distinct.insert_full(numbers).0)
    }

    /// The state of one number.
    pub fn single(&mut self, number: AllowedIx) -> StateIx {
        let known = self.distinct.get_index_of(&[number][..]);
        known.map_or_else(|| self.state(vec![number]), StateIx::bounded)
    }

    /// The state of no traffic at all.
    pub fn nothing(&mut self) -> StateIx {
        self.single(NOTHING)
    }

    /// A state with one number more.
    pub fn with(&mut self, state: StateIx, number: AllowedIx) -> StateIx {
        if let Some(known) = self.joined.get(&(state, number)) {
            return *known;
        }
        let numbers = self
            .numbers(state)
            .iter()
            .copied()
            .chain([number])
            .collect();
        let joined = self.state(numbers);
        self.joined.insert((state, number), joined);
        joined
    }

    /// The numbers of a state.
    pub fn numbers(&self, state: StateIx) -> &[AllowedIx] {
        self.distinct
            .get_index(state.index())
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// What the numbers of a state stand for.
    pub fn members(&self, state: StateIx) -> Vec<&Allowed> {
        self.numbers(state)
            .iter()
            .filter_map(|n| self.allowed.get_index(n.index()))
            .collect()
    }

    /// Everything that passes, or may pass, in a state.
    pub fn possible(&self, state: StateIx) -> TrafficSet {
        self.members(state)
            .into_iter()
            .fold(TrafficSet::empty(), |all, a| {
                all.union(&a.must).union(&a.unknown())
            })
    }

    /// Whether something is unknown on either side.
    pub fn is_uncertain(&self, pair: StatePair) -> bool {
        [pair.0, pair.1].into_iter().any(|state| {
            self.members(state)
                .iter()
                .any(|allowed| !allowed.is_exact())
        })
    }

    /// The summary of a pair of states.
    pub fn comparison(&mut self, pair: StatePair) -> StateComparison {
        if let Some(known) = self.comparisons.get(&pair) {
            return *known;
        }
        let delta = self.delta(pair);
        let (changed, differs) = (
            !delta.is_empty(),
            delta.iter().any(|(kind, _)| *kind != Kind::Undecided),
        );
        let passes = self
            .members(pair.1)
            .iter()
            .any(|allowed| !allowed.must.is_empty());
        let comparison = StateComparison {
            changed,
            differs,
            passes,
        };
        self.comparisons.insert(pair, comparison);
        comparison
    }

    /// What differs between two states.
    pub fn delta(&mut self, pair: StatePair) -> Rc<Delta> {
        if let Some(known) = self.deltas.get(&pair) {
            return Rc::clone(known);
        }
        let found = Rc::new(delta(&self.members(pair.0), &self.members(pair.1)));
        self.deltas.insert(pair, Rc::clone(&found));
        found
    }
}

/// What differs between two states: for some pod pair, or for the last one.
fn delta(before: &[&Allowed], after: &[&Allowed]) -> Delta {
    let (was, is) = (
        Allowed::least_and_most(before),
        Allowed::least_and_most(after),
    );
    let (least, most) = (change(&was.0, &is.0), change(&was.1, &is.1));
    let both = Kind::ALL
        .into_iter()
        .zip(most.iter().zip(&least))
        .map(|(k, (a, b))| (k, a.union(b)));
    let differs = was != is;
    both.filter(|(k, t)| !t.is_empty() && (differs || *k == Kind::Undecided))
        .collect()
}

/// The traffic of each kind of change, in the order of [`Kind::ALL`].
fn change(was: &Allowed, is: &Allowed) -> [TrafficSet; 5] {
    let (could, can) = (&was.may, &is.may);
    [
        is.must.difference(could),
        was.must.difference(can),
        is.unknown()
            .difference(could)
            .union(&was.unknown().intersection(&is.must)),
        was.must
            .intersection(&is.unknown())
            .union(&was.unknown().difference(can)),
        was.unknown().intersection(&is.unknown()),
    ]
}
