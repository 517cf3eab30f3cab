//! [`Bounds`]: what certainly holds, and what may.
//!
//! Facts that are not in the input leave an answer between two sets: what passes whatever they are,
//! and what passes for some of them. Both ends are computed by the same algebra ([`Lattice`]) over
//! single flows (`bool`), traffic, or sets of endpoints.
//!
//! Invariant: `must` is a part of `may`. What is in `may` and not in `must` is unknown.
//!
//! ```
//! use netpal::{Bounds, Protocol, TrafficSet};
//! let http = TrafficSet::ports(Protocol::Tcp, 80, 80);
//! let either = Bounds::exact(http.clone()).either(&Bounds::exact(TrafficSet::empty()));
//! assert!(either.must.is_empty() && either.may == http);
//! ```

use crate::set::{IntervalSet, Point, TrafficSet};

/// A set of whatever a question ranges over.
pub trait Lattice: Clone + PartialEq {
    /// Nothing.
    fn none() -> Self;
    /// Everything in either.
    #[must_use]
    fn union(&self, other: &Self) -> Self;
    /// Everything in both.
    #[must_use]
    fn intersection(&self, other: &Self) -> Self;
    /// The first without the second.
    #[must_use]
    fn difference(&self, other: &Self) -> Self;
    /// Whether nothing is in it.
    fn is_none(&self) -> bool;
    /// Adds more; copies nothing where one of the two is empty.
    fn add(&mut self, more: Self) {
        if self.is_none() {
            *self = more;
        } else if !more.is_none() {
            *self = self.union(&more);
        }
    }
    /// Whether everything is known to be in it; a cheap test that may miss some.
    fn is_all(&self) -> bool;
}

impl Lattice for bool {
    #[inline]
    fn none() -> Self {
        false
    }
    #[inline]
    fn union(&self, other: &Self) -> Self {
        *self || *other
    }
    #[inline]
    fn intersection(&self, other: &Self) -> Self {
        *self && *other
    }
    #[inline]
    fn difference(&self, other: &Self) -> Self {
        *self && !*other
    }
    #[inline]
    fn is_none(&self) -> bool {
        !*self
    }
    #[inline]
    fn is_all(&self) -> bool {
        *self
    }
}

impl Lattice for TrafficSet {
    fn none() -> Self {
        Self::empty()
    }
    fn union(&self, other: &Self) -> Self {
        Self::union(self, other)
    }
    fn intersection(&self, other: &Self) -> Self {
        Self::intersection(self, other)
    }
    fn difference(&self, other: &Self) -> Self {
        Self::difference(self, other)
    }
    fn is_none(&self) -> bool {
        self.is_empty()
    }
    fn is_all(&self) -> bool {
        Self::is_all(self)
    }
}

impl<P: Point> Lattice for IntervalSet<P> {
    fn none() -> Self {
        Self::empty()
    }
    fn union(&self, other: &Self) -> Self {
        Self::union(self, other)
    }
    fn intersection(&self, other: &Self) -> Self {
        Self::intersection(self, other)
    }
    fn difference(&self, other: &Self) -> Self {
        Self::difference(self, other)
    }
    fn is_none(&self) -> bool {
        self.is_empty()
    }
    fn is_all(&self) -> bool {
        false
    }
}

/// What certainly holds, and what may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Bounds<T> {
    // INVARIANT: a part of `may`
    /// Certainly.
    pub must: T,
    /// Certainly or possibly.
    pub may: T,
}

impl<T: Clone> Bounds<T> {
    /// Where nothing is unknown.
    pub fn exact(set: T) -> Self {
        Self {
            must: set.clone(),
            may: set,
        }
    }
}

impl<T: Lattice> Bounds<T> {
    /// Certainly nothing.
    pub fn nothing() -> Self {
        Self::exact(T::none())
    }

    /// From what may be allowed and what may be denied of everything that was asked about: all that
    /// may be allowed, and certainly what cannot be denied.
    pub fn of_outcomes(allow: T, deny: &T) -> Self {
        Self {
            must: allow.difference(deny),
            may: allow,
        }
    }

    /// Both hold.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            must: self.must.intersection(&other.must),
            may: self.may.intersection(&other.may),
        }
    }

    /// One of the two suffices.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        Self {
            must: self.must.union(&other.must),
            may: self.may.union(&other.may),
        }
    }

    /// One of the two holds, and it is not known which.
    #[must_use]
    pub fn either(&self, other: &Self) -> Self {
        Self {
            must: self.must.intersection(&other.must),
            may: self.may.union(&other.may),
        }
    }

    /// What may hold and does not certainly.
    pub fn unknown(&self) -> T {
        self.may.difference(&self.must)
    }

    /// Whether nothing is unknown.
    pub fn is_exact(&self) -> bool {
        self.must == self.may
    }

    /// Whether certainly nothing holds.
    pub fn is_nothing(&self) -> bool {
        self.may.is_none()
    }

    /// Whether everything is known to hold certainly.
    pub fn is_everything(&self) -> bool {
        self.must.is_all()
    }

    /// The least and the most over several: what holds of all of them, and what of any.
    pub fn least_and_most(all: &[&Self]) -> (Self, Self) {
        let Some((first, others)) = all.split_first() else {
            return (Self::nothing(), Self::nothing());
        };
        let ends = ((*first).clone(), (*first).clone());
        others
            .iter()
            .fold(ends, |(least, most), next| (least.and(next), most.or(next)))
    }
}
