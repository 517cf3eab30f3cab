//! [`IntervalSet`]: sorted, disjoint, non-adjacent inclusive ranges over an ordered, finite line.
//!
//! Invariant: for neighbours `a`, `b` in the list, `a.end` and `b.start` are at least two apart.
//! The form is canonical, so `==` is set equality and hashing a set hashes its meaning.
//!
//! Cost: union is one merge, O(ranges of both); intersection and difference gallop through the
//! larger set, so a set of few ranges against one of many costs little; `contains` is a binary
//! search. Nothing depends on how many points the ranges cover. Road not taken: bitmaps. A port
//! line has 196,609 points and an IPv6 line 2^128, while a rule names one or two ranges.

use crate::set::index::Ix;
use crate::set::point::Point;
use std::fmt;
use std::ops::RangeInclusive;

/// A set of points as sorted, disjoint, non-adjacent inclusive ranges.
///
/// ```
/// use netpal::internals::set::IntervalSet;
/// let low: IntervalSet<u16> = [1..=80, 81..=90].into_iter().collect();
/// assert_eq!(low, IntervalSet::from(1..=90)); // canonical: adjacent ranges merge
/// assert!(low.contains(80) && !low.contains(91));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IntervalSet<T> {
    // INVARIANT: sorted, disjoint, non-adjacent, every range non-empty.
    ranges: Vec<(T, T)>,
}

impl<T> Default for IntervalSet<T> {
    fn default() -> Self {
        Self { ranges: Vec::new() }
    }
}

impl<T: Point> From<RangeInclusive<T>> for IntervalSet<T> {
    fn from(range: RangeInclusive<T>) -> Self {
        let (start, end) = range.into_inner();
        Self {
            ranges: if start <= end {
                vec![(start, end)]
            } else {
                Vec::new()
            },
        }
    }
}

impl<T: Point> FromIterator<RangeInclusive<T>> for IntervalSet<T> {
    /// O(ranges) where they come in order, and only the merged ranges is held; else they are
    /// sorted.
    fn from_iter<I: IntoIterator<Item = RangeInclusive<T>>>(iter: I) -> Self {
        let iter = iter.into_iter();
        let mut ranges: Vec<(T, T)> = Vec::with_capacity(iter.size_hint().0.min(64));
        let mut in_order = true;
        for (start, end) in iter.map(RangeInclusive::into_inner).filter(|(s, e)| s <= e) {
            match ranges.last_mut() {
                Some(last) if start >= last.0 && last.1.next().is_none_or(|next| start <= next) => {
                    last.1 = last.1.max(end);
                }
                last => {
                    in_order &= last.is_none_or(|last| start >= last.0);
                    ranges.push((start, end));
                }
            }
        }
        if !in_order {
            return Self::melted(ranges);
        }
        if ranges.capacity() > 2 * ranges.len() {
            ranges.shrink_to_fit();
        }
        Self { ranges }
    }
}

impl<T: Point> IntervalSet<T> {
    /// The empty set.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The whole line.
    pub fn full() -> Self {
        Self::from(T::MIN..=T::MAX)
    }

    /// One point.
    pub fn point(point: T) -> Self {
        Self::from(point..=point)
    }

    /// Whether no point is in the set.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether `point` is in the set. O(log ranges).
    pub fn contains(&self, point: T) -> bool {
        let at = self.ranges.partition_point(|&(_, end)| end < point);
        self.ranges
            .get(at)
            .is_some_and(|&(start, _)| start <= point)
    }

    /// The ranges, sorted, each inclusive.
    pub fn ranges(&self) -> impl ExactSizeIterator<Item = (T, T)> + DoubleEndedIterator + '_ {
        self.ranges.iter().copied()
    }

    /// The smallest point, if any.
    pub fn first(&self) -> Option<T> {
        self.ranges.first().map(|&(start, _)| start)
    }

    /// Appends a range that starts at or after every range so far, merging it into the last where
    /// they touch.
    fn push(&mut self, start: T, end: T) {
        if let Some(last) = self.ranges.last_mut()
            && (start <= last.1 || last.1.next() == Some(start))
        {
            last.1 = last.1.max(end);
            return;
        }
        self.ranges.push((start, end));
    }

    /// Points of either set. O(ranges of both).
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        if self.is_empty() {
            return other.clone();
        }
        let mut out = Self {
            ranges: Vec::with_capacity(self.ranges.len() + other.ranges.len()),
        };
        let (mut a, mut b) = (
            self.ranges.iter().peekable(),
            other.ranges.iter().peekable(),
        );
        loop {
            let next = match (a.peek(), b.peek()) {
                (Some(x), Some(y)) if x <= y => a.next(),
                (Some(_), None) => a.next(),
                _ => b.next(),
            };
            let Some(&(start, end)) = next else {
                return out;
            };
            out.push(start, end);
        }
    }

    /// Points of any of the sets. O(ranges log ranges), however many sets they are spread over.
    pub fn union_of<'a>(sets: impl IntoIterator<Item = &'a Self>) -> Self
    where
        T: 'a,
    {
        let sets: Vec<&Self> = sets.into_iter().filter(|s| !s.is_empty()).collect();
        match sets[..] {
            [] => return Self::empty(),
            [one] => return one.clone(),
            _ => {}
        }
        let mut ranges = Vec::with_capacity(sets.iter().map(|s| s.ranges.len()).sum());
        sets.iter()
            .for_each(|set| ranges.extend_from_slice(&set.ranges));
        Self::melted(ranges)
    }

    /// A set of any ranges, in their own memory.
    fn melted(mut ranges: Vec<(T, T)>) -> Self {
        ranges.sort(); // mostly a few sorted stretches, which this sort merges
        ranges.dedup_by(|next, last| {
            let touches = next.0 <= last.1 || last.1.next() == Some(next.0);
            if touches {
                last.1 = last.1.max(next.1);
            }
            touches
        });
        Self { ranges }
    }

    /// The index of the first range at or after `from` that does not end before `point`. O(log of
    /// the distance).
    fn seek(&self, from: usize, point: T) -> usize {
        let ends_before = |r: &(T, T)| r.1 < point;
        let (mut low, mut step) = (from, 1);
        while self.ranges.get(low + step - 1).is_some_and(ends_before) {
            low += step;
            step *= 2;
        }
        let high = (low + step - 1).min(self.ranges.len());
        low + self
            .ranges
            .get(low..high)
            .map_or(0, |between| between.partition_point(ends_before))
    }

    /// Points of both sets. O(ranges of the smaller x log ranges of the larger), at most O(ranges
    /// of both).
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let (smaller, larger) = if self.ranges.len() <= other.ranges.len() {
            (self, other)
        } else {
            (other, self)
        };
        let mut ranges = Vec::with_capacity(smaller.ranges.len());
        let mut j = 0;
        for &(start, end) in &smaller.ranges {
            j = larger.seek(j, start);
            while let Some(&(c, d)) = larger.ranges.get(j).filter(|r| r.0 <= end) {
                ranges.push((start.max(c), end.min(d)));
                if d > end {
                    break;
                }
                j += 1;
            }
        }
        Self { ranges }
    }

    /// Points of this set that are not in `other`. O(ranges of this x log ranges of the other +
    /// what is cut).
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let mut ranges = Vec::with_capacity(self.ranges.len());
        let mut j = 0;
        for &(start, end) in &self.ranges {
            j = other.seek(j, start);
            let mut from = Some(start);
            while let (Some(at), Some(&(c, d))) = (from, other.ranges.get(j).filter(|r| r.0 <= end))
            {
                if let Some(before) = c.previous().filter(|_| c > at) {
                    ranges.push((at, before));
                }
                from = d.next().filter(|_| d < end);
                if d > end {
                    break;
                }
                j += 1;
            }
            if let Some(at) = from {
                ranges.push((at, end));
            }
        }
        Self { ranges }
    }

    /// Everything on the line that is not in the set.
    #[must_use]
    pub fn complement(&self) -> Self {
        Self::full().difference(self)
    }

    /// Whether every point of this set is in `other`.
    pub fn is_subset(&self, other: &Self) -> bool {
        let mut j = 0;
        self.ranges.iter().all(|&(start, end)| {
            j = other.seek(j, start);
            other
                .ranges
                .get(j)
                .is_some_and(|&(c, d)| c <= start && end <= d)
        })
    }

    /// Whether the sets share no point. O(ranges of the smaller x log ranges of the larger).
    pub fn is_disjoint(&self, other: &Self) -> bool {
        let (smaller, larger) = if self.ranges.len() <= other.ranges.len() {
            (self, other)
        } else {
            (other, self)
        };
        let mut j = 0;
        smaller.ranges.iter().all(|&(start, end)| {
            j = larger.seek(j, start);
            larger.ranges.get(j).is_none_or(|next| next.0 > end)
        })
    }
}

impl<I: Ix> IntervalSet<I> {
    /// The indexes one by one. O(indexes): only for sets known to be small or when the output has
    /// them all.
    pub fn points(&self) -> impl Iterator<Item = I> + '_ {
        let numbers = |&(start, end): &(I, I)| start.number()..=end.number();
        self.ranges.iter().flat_map(numbers).map(I::from_number)
    }

    /// How many indexes there are. O(ranges).
    pub fn count(&self) -> u64 {
        self.ranges
            .iter()
            .map(|&(start, end)| u64::from(end.number() - start.number()) + 1)
            .sum()
    }

    /// The first so many indexes.
    pub fn first_of(count: u32) -> Self {
        let last = count.checked_sub(1);
        last.map_or_else(Self::empty, |last| {
            Self::from(I::from_number(0)..=I::from_number(last))
        })
    }
}

impl<T: Point> FromIterator<T> for IntervalSet<T> {
    /// As a set of ranges of one point each.
    fn from_iter<I: IntoIterator<Item = T>>(iter: I) -> Self {
        iter.into_iter().map(|point| point..=point).collect()
    }
}

impl<T: Point> fmt::Debug for IntervalSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.ranges.iter().map(|(s, e)| *s..=*e))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn small() -> impl Strategy<Value = (IntervalSet<u16>, BTreeSet<u16>)> {
        prop::collection::vec((0u16..40, 0u16..6), 0..8).prop_map(|pairs| {
            let ranges = pairs.iter().map(|&(s, n)| s..=s + n);
            let points = pairs.iter().flat_map(|&(s, n)| s..=s + n).collect();
            (ranges.collect(), points)
        })
    }

    fn points(set: &IntervalSet<u16>) -> BTreeSet<u16> {
        set.ranges().flat_map(|(s, e)| s..=e).collect()
    }

    fn canonical(set: &IntervalSet<u16>) -> bool {
        set.ranges.windows(2).all(|w| w[0].1 + 1 < w[1].0) && set.ranges.iter().all(|(s, e)| s <= e)
    }

    proptest! {
        #[test]
        fn algebra_agrees_with_point_sets((a, pa) in small(), (b, pb) in small()) {
            prop_assert_eq!(points(&a), pa.clone());
            for (set, want) in [
                (a.union(&b), pa.union(&pb).copied().collect::<BTreeSet<_>>()),
                (IntervalSet::union_of([&a, &b, &a]), pa.union(&pb).copied().collect()),
                (a.intersection(&b), pa.intersection(&pb).copied().collect()),
                (a.difference(&b), pa.difference(&pb).copied().collect()),
            ] {
                prop_assert!(canonical(&set), "{:?}", set);
                prop_assert_eq!(points(&set), want);
            }
            prop_assert_eq!(a.is_subset(&b), pa.is_subset(&pb));
            prop_assert_eq!(a.is_disjoint(&b), pa.is_disjoint(&pb));
            prop_assert_eq!(a.complement().complement(), a.clone());
            for p in 0..50 { prop_assert_eq!(a.contains(p), pa.contains(&p)); }
        }
    }

    #[test]
    fn the_ends_of_the_line_hold() {
        let all = IntervalSet::<u32>::full();
        assert!(all.difference(&all).is_empty());
        assert_eq!(
            all.difference(&IntervalSet::point(0)),
            IntervalSet::from(1..=u32::MAX)
        );
        assert_eq!(
            all.difference(&IntervalSet::point(u32::MAX)),
            IntervalSet::from(0..=u32::MAX - 1)
        );
        assert_eq!(IntervalSet::<u32>::empty().complement(), all);
    }
}
