//! The coarsest partition that respects a family of sets: what no set of the family can tell apart.
//!
//! One sweep over all boundaries; each part says which sets it lies in. Cost: O(ranges x log ranges
//! plus segments x sets/64). Road not taken: splitting every part by every set in turn, which is
//! O(parts x sets) set operations.

use crate::set::hashed::IndexMap;
use crate::set::interval::IntervalSet;
use crate::set::point::Point;

/// Which sets of a family a part lies in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Members(Vec<u64>);

impl Members {
    /// Whether the part lies in the set with this index.
    pub fn contains(&self, index: usize) -> bool {
        self.0
            .get(index / 64)
            .is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    /// The indices of the sets the part lies in, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0
            .iter()
            .enumerate()
            .flat_map(move |(at, word)| set_bits(*word).map(move |bit| at * 64 + bit))
    }

    fn flip(&mut self, index: usize) {
        if let Some(word) = self.0.get_mut(index / 64) {
            *word ^= 1 << (index % 64);
        }
    }

    fn any(&self) -> bool {
        self.0.iter().any(|word| *word != 0)
    }
}

/// The positions of the bits that are set, ascending.
fn set_bits(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (word != 0).then_some(word.trailing_zeros() as usize)?;
        word &= word - 1;
        Some(bit)
    })
}

/// Cuts the union of the sets into parts, in order of their first point.
///
/// ```
/// use netpal::internals::set::{IntervalSet, partition};
/// let (low, high) = (IntervalSet::<u16>::from(1..=10), IntervalSet::from(5..=20));
/// let parts = partition(&[&low, &high]);
/// assert_eq!(parts.len(), 3);
/// assert_eq!(parts[1].0, IntervalSet::from(5..=10));
/// assert!(parts[1].1.contains(0) && parts[1].1.contains(1));
/// ```
pub fn partition<T: Point>(sets: &[&IntervalSet<T>]) -> Vec<(IntervalSet<T>, Members)> {
    let mut cuts: Vec<(T, usize)> = Vec::new();
    for (index, set) in sets.iter().enumerate() {
        for (start, end) in set.ranges() {
            cuts.push((start, index));
            cuts.extend(end.next().map(|after| (after, index)));
        }
    }
    cuts.sort_unstable();
    let mut parts: IndexMap<Members, Vec<(T, T)>> = IndexMap::default();
    let mut inside = Members(vec![0; sets.len().div_ceil(64)]);
    let mut at = 0;
    while let Some(&(start, _)) = cuts.get(at) {
        while let Some((_, index)) = cuts.get(at).filter(|(point, _)| *point == start) {
            inside.flip(*index);
            at += 1;
        }
        let end = cuts
            .get(at)
            .and_then(|(point, _)| point.previous())
            .unwrap_or(T::MAX);
        if !inside.any() {
            continue;
        }
        match parts.get_mut(&inside) {
            Some(ranges) => ranges.push((start, end)),
            None => drop(parts.insert(inside.clone(), vec![(start, end)])),
        }
    }
    parts
        .into_iter()
        .map(|(members, ranges)| (ranges.into_iter().map(|(s, e)| s..=e).collect(), members))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_disjoint_cover_all_and_know_their_sets() {
        let sets: Vec<IntervalSet<u16>> = [
            vec![0..=9, 20..=u16::MAX],
            vec![5..=25],
            vec![],
            vec![9..=9],
        ]
        .map(|ranges| ranges.into_iter().collect())
        .into();
        let family: Vec<&IntervalSet<u16>> = sets.iter().collect();
        let parts = partition(&family);
        for (i, set) in sets.iter().enumerate() {
            let inside = parts
                .iter()
                .filter(|(_, members)| members.contains(i))
                .map(|(part, _)| part);
            assert_eq!(IntervalSet::union_of(inside), *set);
        }
        for (i, (a, _)) in parts.iter().enumerate() {
            assert!(parts[..i].iter().all(|(b, _)| a.is_disjoint(b)));
        }
    }
}
