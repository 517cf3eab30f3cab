//! Tables in which everything long is written once: traffic, and rows of it.

use crate::graph::Allowed;
use crate::render::report::matrix_data::runs;
use crate::set::TrafficSet;
use indexmap::IndexSet;

/// Ranges on the line of all traffic: first, last, first, last.
pub(crate) type Ranges = Vec<u32>;

/// The tables while they are filled.
pub(crate) struct Interned {
    allowed: IndexSet<Allowed>,
    rows: IndexSet<Vec<i64>>,
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
    /// The number of some traffic.
    pub(crate) fn allowed(&mut self, allowed: Allowed) -> i64 {
        self.allowed.insert_full(allowed).0 as i64
    }

    /// The number of a row: equal neighbours are written once, with how many they are.
    pub(crate) fn row(&mut self, cells: &[i64]) -> usize {
        let places = cells.iter().map(|cell| ((cell + 1) as usize, 1));
        let runs = runs(places.collect(), |a, b| a.0 == b.0).into_iter();
        let written = runs.enumerate().map(|(i, n)| {
            let n = n as i64;
            if i % 2 == 0 { n - 1 } else { n }
        });
        let (at, is_new) = self.rows.insert_full(written.collect());
        if is_new {
            self.size += self.rows[at].len();
        }
        at
    }

    /// The rows.
    pub(crate) fn rows(&mut self) -> Vec<Vec<i64>> {
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
