//! Tables in which everything long is written once: traffic, and rows of it.

use crate::graph::Allowed;
use crate::render::report::matrix_data::runs;
use crate::set::TrafficSet;
use indexmap::IndexSet;

/// Ranges on the line of all traffic: first, last, first, last.
pub(crate) type Ranges = Vec<u32>;

/// What stands in place of the number of some traffic: the command line knows it.
pub(crate) const NOT_TOLD: usize = 0;

/// No traffic.
pub(crate) const NOTHING: usize = 1;

/// The tables while they are filled.
pub(crate) struct Interned {
    allowed: IndexSet<Allowed>,
    rows: IndexSet<Vec<usize>>,
    /// How many numbers the rows have.
    pub size: usize,
}

impl Default for Interned {
    fn default() -> Self {
        Self {
            allowed: IndexSet::from([Allowed::nothing(), Allowed::exact(TrafficSet::all())]),
            rows: IndexSet::new(),
            size: 0,
        }
    }
}

impl Interned {
    /// The number of some traffic, from 1.
    pub(crate) fn allowed(&mut self, allowed: Allowed) -> usize {
        self.allowed.insert_full(allowed).0 + 1
    }

    /// The number of a row: equal neighbours are written once, with how many they are.
    pub(crate) fn row(&mut self, cells: &[usize]) -> usize {
        let single = cells.iter().map(|cell| (*cell, 1)).collect();
        let (at, is_new) = self.rows.insert_full(runs(single, |a, b| a.0 == b.0));
        if is_new {
            self.size += self.rows[at].len();
        }
        at
    }

    /// The rows.
    pub(crate) fn rows(&mut self) -> Vec<Vec<usize>> {
        std::mem::take(&mut self.rows).into_iter().collect()
    }

    /// The traffic.
    pub(crate) fn traffic(self) -> Vec<[Ranges; 2]> {
        let allowed = self.allowed.into_iter();
        allowed.map(|a| [&a.must, &a.may].map(ranges_of)).collect()
    }
}

/// The ranges of some traffic.
pub(crate) fn ranges_of(set: &TrafficSet) -> Ranges {
    set.ranges()
        .flat_map(|(first, last)| [first, last])
        .collect()
}
