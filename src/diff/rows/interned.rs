//! What passes between ends, as small numbers that compare fast.
//!
//! A *number* stands for what passes between two places, a *state* for the set of numbers over all
//! places of two ends. Each pair of states, before and after, is judged once ([`States::delta`]).

use crate::diff::Kind;
use crate::graph::Allowed;
use crate::set::TrafficSet;
use crate::set::hashed::{HashMap, IndexSet};
use std::rc::Rc;
use std::sync::Arc;

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
    judged: HashMap<Pair, Judged>,
    /// The numbers of what was met in memory that others keep, with that memory.
    kept: HashMap<*const Allowed, (Arc<Allowed>, u32)>,
    /// The states of one number more.
    joined: HashMap<(u32, u32), u32>,
}

/// What a pair of states comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    /// Whether something differs, or is unknown on both sides.
    pub loud: bool,
    /// Whether something differs.
    pub differs: bool,
    /// Whether something surely passes afterwards.
    pub passes: bool,
}

impl Judged {
    /// Whether it is only counted.
    pub fn is_quiet(self) -> bool {
        self.passes && !self.loud
    }
}

impl States {
    /// Only nothing is known.
    pub fn new() -> Self {
        let allowed = IndexSet::from_iter([Allowed::default()]);
        let (deltas, judged, joined) = (HashMap::default(), HashMap::default(), HashMap::default());
        Self {
            allowed,
            distinct: IndexSet::default(),
            deltas,
            judged,
            kept: HashMap::default(),
            joined,
        }
    }

    /// The number of what passes between two places.
    pub fn number(&mut self, allowed: &Allowed) -> u32 {
        let known = self.allowed.get_index_of(allowed);
        let index = known.unwrap_or_else(|| self.allowed.insert_full(allowed.clone()).0);
        u32::try_from(index).unwrap_or(u32::MAX)
    }

    /// The number of what passes between two places, where many share its memory.
    pub fn number_of(&mut self, allowed: &Arc<Allowed>) -> u32 {
        if let Some((_, number)) = self.kept.get(&Arc::as_ptr(allowed)) {
            return *number;
        }
        let number = self.number(allowed);
        self.kept
            .insert(Arc::as_ptr(allowed), (Arc::clone(allowed), number));
        number
    }

    /// The state of these numbers, in any order.
    pub fn state(&mut self, mut numbers: Vec<u32>) -> u32 {
        numbers.sort_unstable();
        numbers.dedup();
        u32::try_from(self.distinct.insert_full(numbers).0).unwrap_or(u32::MAX)
    }

    /// The state of one number.
    pub fn single(&mut self, number: u32) -> u32 {
        let known = self
            .distinct
            .get_index_of(&[number][..])
            .and_then(|index| u32::try_from(index).ok());
        known.unwrap_or_else(|| self.state(vec![number]))
    }

    /// The state of nothing at all.
    pub fn nothing(&mut self) -> u32 {
        self.single(NOTHING)
    }

    /// A state and one number more.
    pub fn with(&mut self, state: u32, number: u32) -> u32 {
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
    pub fn numbers(&self, state: u32) -> &[u32] {
        self.distinct
            .get_index(state as usize)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// What passes, or may, between places with these numbers.
    pub fn members(&self, state: u32) -> Vec<&Allowed> {
        self.numbers(state)
            .iter()
            .filter_map(|n| self.allowed.get_index(*n as usize))
            .collect()
    }

    /// Everything that passes, or may pass, in a state.
    pub fn possible(&self, state: u32) -> TrafficSet {
        self.members(state)
            .into_iter()
            .fold(TrafficSet::empty(), |all, a| {
                all.union(&a.must).union(&a.unknown())
            })
    }

    /// Whether something is unknown on either side.
    pub fn is_unsure(&self, pair: Pair) -> bool {
        [pair.0, pair.1].into_iter().any(|state| {
            self.members(state)
                .iter()
                .any(|allowed| !allowed.unknown().is_empty())
        })
    }

    /// What a pair of states comes to.
    pub fn judged(&mut self, pair: Pair) -> Judged {
        if let Some(known) = self.judged.get(&pair) {
            return *known;
        }
        let delta = self.delta(pair);
        let (loud, differs) = (
            !delta.is_empty(),
            delta.iter().any(|(kind, _)| *kind != Kind::Undecided),
        );
        let passes = self
            .members(pair.1)
            .iter()
            .any(|allowed| !allowed.must.is_empty());
        let judged = Judged {
            loud,
            differs,
            passes,
        };
        self.judged.insert(pair, judged);
        judged
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
