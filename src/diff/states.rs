//! What passes between ends, as small numbers that compare fast.
//!
//! A *number* stands for what passes between two places, a *state* for the set of numbers over all places of two ends.
//! Each pair of states, before and after, is judged once ([`States::delta`]).

use super::Kind;
use crate::compile::Allowed;
use crate::set::TrafficSet;
use crate::set::hashed::{HashMap, IndexSet};
use std::rc::Rc;

/// What differs between two states, by kind.
pub type Delta = Vec<(Kind, TrafficSet)>;

/// A state before and a state after.
pub type Pair = (u32, u32);

/// The number of nothing at all.
pub const NOTHING: u32 = 0;

/// All numbers and states that were met.
pub struct States {
    allowed: IndexSet<Allowed>,
    distinct: IndexSet<Vec<u32>>,
    deltas: HashMap<Pair, Rc<Delta>>,
}

impl States {
    /// Only nothing is known.
    pub fn new() -> Self {
        let allowed = IndexSet::from_iter([Allowed::default()]);
        Self { allowed, distinct: IndexSet::default(), deltas: HashMap::default() }
    }

    /// The number of what passes between two places.
    pub fn number(&mut self, allowed: &Allowed) -> u32 {
        let known = self.allowed.get_index_of(allowed);
        let index = known.unwrap_or_else(|| self.allowed.insert_full(allowed.clone()).0);
        u32::try_from(index).unwrap_or(u32::MAX)
    }

    /// The state of these numbers, in any order.
    pub fn state(&mut self, mut numbers: Vec<u32>) -> u32 {
        numbers.sort_unstable();
        numbers.dedup();
        u32::try_from(self.distinct.insert_full(numbers).0).unwrap_or(u32::MAX)
    }

    /// The numbers of a state.
    pub fn numbers(&self, state: u32) -> &[u32] {
        self.distinct.get_index(state as usize).map(Vec::as_slice).unwrap_or_default()
    }

    fn members(&self, state: u32) -> Vec<&Allowed> {
        self.numbers(state).iter().filter_map(|n| self.allowed.get_index(*n as usize)).collect()
    }

    /// Whether something surely passes between some places.
    pub fn passes(&self, state: u32) -> bool {
        self.members(state).iter().any(|allowed| !allowed.sure.is_empty())
    }

    /// Everything that passes, or may pass, in a state.
    pub fn possible(&self, state: u32) -> TrafficSet {
        self.members(state).into_iter().fold(TrafficSet::empty(), |all, a| all.union(&a.sure).union(&a.unknown))
    }

    /// What differs between two states.
    pub fn delta(&mut self, pair: Pair) -> Rc<Delta> {
        if let Some(known) = self.deltas.get(&pair) {
            return Rc::clone(known);
        }
        let found = Rc::new(delta(&self.members(pair.0), &self.members(pair.1)));
        self.deltas.insert(pair, Rc::clone(&found));
        found
    }
}

/// The most and the least that passes over the pod pairs of one pair of workloads.
fn bounds(allowed: &[&Allowed]) -> (Allowed, Allowed) {
    let possible = |a: &Allowed| a.sure.union(&a.unknown);
    let fold = |join: fn(&TrafficSet, &TrafficSet) -> TrafficSet| {
        let sure = allowed.iter().map(|a| a.sure.clone()).reduce(|x, y| join(&x, &y)).unwrap_or_default();
        let may = allowed.iter().map(|a| possible(a)).reduce(|x, y| join(&x, &y)).unwrap_or_default();
        Allowed { unknown: may.difference(&sure), sure }
    };
    (fold(TrafficSet::union), fold(TrafficSet::intersection))
}

/// What differs between two states: for some pod pair, or for the last one.
fn delta(before: &[&Allowed], after: &[&Allowed]) -> Delta {
    let (was, is) = (bounds(before), bounds(after));
    let (most, least) = (change(&was.0, &is.0), change(&was.1, &is.1));
    let both = Kind::ALL.into_iter().zip(most.iter().zip(&least)).map(|(k, (a, b))| (k, a.union(b)));
    let differs = was != is;
    both.filter(|(k, t)| !t.is_empty() && (differs || *k == Kind::Undecided)).collect()
}

/// The traffic of each kind of change, in the order of [`Kind::ALL`].
fn change(was: &Allowed, is: &Allowed) -> [TrafficSet; 5] {
    let may = |a: &Allowed| a.sure.union(&a.unknown);
    let (could, can) = (may(was), may(is));
    [
        is.sure.difference(&could),
        was.sure.difference(&can),
        is.unknown.difference(&could).union(&was.unknown.intersection(&is.sure)),
        was.sure.intersection(&is.unknown).union(&was.unknown.difference(&can)),
        was.unknown.intersection(&is.unknown),
    ]
}
