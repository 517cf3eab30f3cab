//! The lines of a listing while they pass by: what a picture needs of each, in few bytes, equal
//! things once.

use crate::picture::facts::PassingTraffic;
use crate::query::list::listing::{ListEntry, Party};
use crate::set::IpSet;
use indexmap::IndexSet;

/// The lines of a listing in twelve bytes each.
#[derive(Default)]
pub(crate) struct CompactListing {
    /// The blocks of addresses.
    pub blocks: IndexSet<IpSet>,
    /// What passes.
    pub passing: IndexSet<PassingTraffic>,
    /// From, to, and the index of what passes. Workloads by their number, blocks of addresses
    /// counted down from the last number.
    pub lines: Vec<[u32; 3]>,
    /// How many lines are allowed for certain.
    pub allowed: usize,
}

/// The block that an end stands for, if it is none of the workloads.
pub(crate) fn block(end: u32) -> Option<usize> {
    let block = u32::MAX - end;
    (block < 1 << 30).then_some(block as usize)
}

/// Marks what passes on a line that is about some of its ends only.
pub(crate) const SOME: u32 = 1 << 31;

/// Sorted lines, those of one pair merged into the first of them; and of the pairs that had
/// several, that line and what passes on all.
pub(crate) fn merge_lines(lines: &mut Vec<[u32; 3]>) -> Vec<([u32; 3], Vec<u32>)> {
    let mut merged: Vec<([u32; 3], Vec<u32>)> = Vec::new();
    lines.dedup_by(|next, first| {
        let same = next[..2] == first[..2];
        if same {
            if merged.last().is_none_or(|(known, _)| known != first) {
                merged.push((*first, vec![first[2]]));
            }
            merged
                .last_mut()
                .into_iter()
                .for_each(|(_, all)| all.push(next[2]));
        }
        same
    });
    merged
}

/// What several lines of one pair say together.
pub(crate) fn together(known: &IndexSet<PassingTraffic>, lines: &[u32]) -> PassingTraffic {
    let mut passing = None;
    for space in lines {
        add(
            &mut passing,
            &known[(space & !SOME) as usize],
            space & SOME != 0,
        );
    }
    passing.unwrap_or_default()
}

/// Adds what one line says of two places to what others said.
fn add(so_far: &mut Option<PassingTraffic>, space: &PassingTraffic, some: bool) {
    let Some(passing) = so_far else {
        *so_far = Some(PassingTraffic {
            some: space.some || some,
            ..space.clone()
        });
        return;
    };
    let differs = !passing.sure.is_empty() && passing.sure != space.sure;
    passing.add(space);
    passing.some |= some || differs;
}

impl CompactListing {
    /// Notes a line.
    pub fn add(&mut self, entry: &ListEntry) {
        let [from, to] = [&entry.source, &entry.destination].map(|party| match party {
            Party::Workload(id) => id.0,
            Party::Addresses(set) => {
                let known = self.blocks.get_index_of(set);
                u32::MAX - number(known.unwrap_or_else(|| self.blocks.insert_full(set.clone()).0))
            }
        });
        let passing = PassingTraffic {
            sure: entry.allowed.must.clone(),
            unknown: entry.allowed.unknown(),
            some: entry.differs,
            ..PassingTraffic::default()
        };
        self.allowed += usize::from(entry.is_allowed());
        self.lines
            .push([from, to, number(self.passing.insert_full(passing).0)]);
    }
}

/// An index as the 32 bits that a line keeps it in: whatever is drawn is far fewer.
fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
