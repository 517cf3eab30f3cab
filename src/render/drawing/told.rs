//! The lines of a listing while they pass by: what a picture needs of each, in few bytes, equal things once.

use super::facts::{Passing, number};
use crate::compile::Allowed;
use crate::model::WorkloadId;
use crate::query::list::{Entry, Party};
use crate::set::IpSet;
use indexmap::IndexSet;

/// One end of a line.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    /// A workload.
    Workload(WorkloadId),
    /// Index of a block of addresses.
    Addresses(usize),
}

/// The lines of a listing in few bytes each.
#[derive(Default)]
pub(super) struct Told {
    /// The blocks of addresses.
    pub blocks: IndexSet<IpSet>,
    /// What passes.
    pub passing: IndexSet<Passing>,
    /// From, to, and the index of what passes.
    pub lines: Vec<(End, End, u32)>,
    /// How many lines are allowed for certain.
    pub allowed: usize,
}

impl Told {
    /// Notes a line.
    pub fn add(&mut self, entry: &Entry) {
        let [from, to] = [&entry.source, &entry.destination].map(|party| match party {
            Party::Workload(id) => End::Workload(*id),
            Party::Addresses(set) => End::Addresses(match self.blocks.get_index_of(set) {
                Some(known) => known,
                None => self.blocks.insert_full(set.clone()).0,
            }),
        });
        let Allowed { sure, unknown } = entry.allowed.clone();
        let passing = Passing { sure, unknown, some: entry.differs, change: None };
        self.allowed += usize::from(entry.is_allowed());
        self.lines.push((from, to, number(self.passing.insert_full(passing).0)));
    }
}
