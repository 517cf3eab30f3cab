//! Address atoms: the partition of both address lines by the constants in the rules.
//!
//! No rule can tell two addresses of one atom apart, so an outside address is represented by its
//! atom's index. Invariant: `starts` is sorted and begins with 0, so the atoms cover the line
//! without overlap; IPv4 atoms come first. Cost: O(constants log constants) to build, O(log atoms)
//! to look up.

use crate::set::{Family, IntervalSet, IpSet, Ix, Point, TooMany, index_type};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

index_type! {
    /// Index of an address atom.
    pub struct AtomIx;
}

/// A set of atoms.
pub type AtomSet = IntervalSet<AtomIx>;

/// The partition of the address space.
#[derive(Debug, Clone)]
pub struct Atoms {
    v4: Vec<u32>,
    v6: Vec<u128>,
}

fn cuts<'a, T: Point + 'a>(sets: impl Iterator<Item = &'a IntervalSet<T>>) -> Vec<T> {
    let mut starts = vec![T::MIN];
    for set in sets {
        starts.extend(
            set.ranges()
                .flat_map(|(start, end)| [Some(start), end.next()])
                .flatten(),
        );
    }
    starts.sort_unstable();
    starts.dedup();
    starts
}

/// The place of the atom that a point lies in, from `first` on.
fn index_of<T: Point>(starts: &[T], first: usize, point: T) -> AtomIx {
    // INVARIANT: `starts` begins with the smallest point
    AtomIx::bounded(first + starts.partition_point(|s| *s <= point) - 1)
}

fn range_of<T: Point>(starts: &[T], index: usize) -> IntervalSet<T> {
    let start = starts.get(index).copied().unwrap_or(T::MIN);
    let end = starts
        .get(index + 1)
        .and_then(|s| s.previous())
        .unwrap_or(T::MAX);
    IntervalSet::from(start..=end)
}

fn range_of_all<T: Point>(starts: &[T], first: usize, last: usize) -> RangeInclusive<T> {
    let start = starts.get(first).copied().unwrap_or(T::MIN);
    let end = starts
        .get(last + 1)
        .and_then(|s| s.previous())
        .unwrap_or(T::MAX);
    start..=end
}

impl Atoms {
    /// Cuts the lines at every boundary of these sets.
    ///
    /// # Errors
    /// When there are more atoms than numbers.
    pub fn new<'a>(sets: impl Iterator<Item = &'a IpSet> + Clone) -> Result<Self, TooMany> {
        let atoms = Self {
            v4: cuts(sets.clone().map(|s| &s.v4)),
            v6: cuts(sets.map(|s| &s.v6)),
        };
        AtomIx::new(atoms.v4.len() + atoms.v6.len())?;
        Ok(atoms)
    }

    /// How many atoms there are, both families.
    pub fn len(&self) -> u32 {
        AtomIx::bounded(self.v4.len() + self.v6.len()).number()
    }

    /// How many of them are IPv4; those come first.
    pub fn v4_len(&self) -> u32 {
        AtomIx::bounded(self.v4.len()).number()
    }

    /// The atoms of one family.
    pub fn of_family(&self, family: Family) -> AtomSet {
        let v4 = AtomSet::first_of(self.v4_len());
        match family {
            Family::V4 => v4,
            Family::V6 => AtomSet::first_of(self.len()).difference(&v4),
        }
    }

    /// The atom an address lies in.
    pub fn of(&self, address: IpAddr) -> AtomIx {
        match address {
            IpAddr::V4(a) => index_of(&self.v4, 0, u32::from(a)),
            IpAddr::V6(a) => index_of(&self.v6, self.v4.len(), u128::from(a)),
        }
    }

    /// The atoms that share an address with the set. Exact when the set's boundaries were cut.
    pub fn overlapping(&self, set: &IpSet) -> AtomSet {
        let v4 = set.v4.ranges();
        let v4 = v4.map(|(a, b)| index_of(&self.v4, 0, a)..=index_of(&self.v4, 0, b));
        let (offset, v6) = (self.v4.len(), set.v6.ranges());
        let v6 = v6.map(|(a, b)| index_of(&self.v6, offset, a)..=index_of(&self.v6, offset, b));
        v4.chain(v6).collect()
    }

    /// The first address of an atom and the last.
    pub fn span(&self, atom: AtomIx) -> RangeInclusive<IpAddr> {
        let (atom, v4) = (atom.index(), self.v4.len());
        if atom < v4 {
            let (first, last) = range_of_all(&self.v4, atom, atom).into_inner();
            return IpAddr::V4(first.into())..=IpAddr::V4(last.into());
        }
        let (first, last) = range_of_all(&self.v6, atom - v4, atom - v4).into_inner();
        IpAddr::V6(first.into())..=IpAddr::V6(last.into())
    }

    /// The addresses of an atom.
    pub fn addresses(&self, atom: AtomIx) -> IpSet {
        let atom = atom.index();
        if atom < self.v4.len() {
            return IpSet {
                v4: range_of(&self.v4, atom),
                v6: IntervalSet::empty(),
            };
        }
        IpSet {
            v4: IntervalSet::empty(),
            v6: range_of(&self.v6, atom - self.v4.len()),
        }
    }

    /// The addresses of several atoms. O(ranges).
    pub fn all_addresses(&self, atoms: &AtomSet) -> IpSet {
        let v4 = self.v4.len();
        let (mut v4_ranges, mut v6_ranges) = (Vec::new(), Vec::new());
        for (first, last) in atoms.ranges() {
            let (first, last) = (first.index(), last.index());
            if first < v4 {
                v4_ranges.push(range_of_all(&self.v4, first, last.min(v4 - 1)));
            }
            if last >= v4 {
                v6_ranges.push(range_of_all(&self.v6, first.max(v4) - v4, last - v4));
            }
        }
        IpSet {
            v4: v4_ranges.into_iter().collect(),
            v6: v6_ranges.into_iter().collect(),
        }
    }

    /// One address of an atom, for all.
    pub fn representative(&self, atom: AtomIx) -> IpAddr {
        let atom = atom.index();
        let v6 = || {
            let v6 = self.v6.get(atom - self.v4.len());
            v6.copied().unwrap_or(0)
        };
        let v4 = self.v4.get(atom).map(|n| IpAddr::V4(Ipv4Addr::from(*n)));
        v4.unwrap_or_else(|| IpAddr::V6(Ipv6Addr::from(v6())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn atoms_cover_the_lines_and_respect_every_cut() {
        let block = IpSet::from_cidrs(["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]);
        let hole = IpSet::from_cidrs(["10.1.0.0/16".parse().unwrap()]);
        let atoms = Atoms::new([&block, &hole].into_iter()).unwrap();
        let whole = AtomIx::first(atoms.len())
            .map(|i| atoms.addresses(i))
            .reduce(|a, b| {
                assert!(a.is_disjoint(&b));
                a.union(&b)
            });
        assert_eq!(whole, Some(IpSet::full()));
        let some = AtomIx::first(atoms.len())
            .skip(1)
            .filter(|i| i.index() != 3);
        let some: AtomSet = some.collect();
        let one_by_one = some
            .points()
            .map(|i| atoms.addresses(i))
            .reduce(|a, b| a.union(&b));
        assert_eq!(Some(atoms.all_addresses(&some)), one_by_one);
        for i in AtomIx::first(atoms.len()) {
            let cover = atoms.addresses(i);
            for set in [&block, &hole] {
                assert!(cover.is_subset(set) || cover.is_disjoint(set));
            }
            assert_eq!(atoms.of(atoms.representative(i)), i);
        }
        assert_eq!(atoms.overlapping(&hole).count(), 1);
    }
}
