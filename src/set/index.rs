//! Typed indexes: the number of a thing in one table, as a type of its own.
//!
//! A class and a policy may both be number 7, and nothing but the type tells one from the other.
//! [`index_type!`](crate::set::index_type) makes such a type; a [`Table`] is indexed by it alone,
//! and an [`Interner`] numbers distinct things.
//!
//! ```text
//! index_type! { /// Index of a port list.  pub struct PortSetIx }
//! let mut sets: Table<PortSetIx, PortSet> = Table::default();
//! let any = sets.push(everything)?;      // sets[any]; sets[7] does not compile
//! ```
//!
//! Invariant: whatever is in a table or an interner has a number of its own below `u32::MAX`, which
//! is left for "none": both refuse what does not fit with [`TooMany`], the one place where that is
//! decided. Cost: that of a `Vec` and an `IndexSet` of 32-bit numbers. Road not taken: numbers that
//! end at the largest one, so that two things share it; a broken numbering would then be a wrong
//! verdict.

use crate::set::hashed::IndexSet;
use crate::set::point::Point;
use std::borrow::Borrow;
use std::hash::Hash;
use std::marker::PhantomData;
use std::ops::{Deref, Index, IndexMut, Range};

/// More things of one kind than can be numbered, and how many there are at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany(pub u64);

/// An index of one kind.
pub trait Ix: Point + Hash {
    /// The index with a number.
    fn from_number(number: u32) -> Self;
    /// Its number.
    fn number(self) -> u32;

    /// Its place in a table.
    #[inline]
    fn index(self) -> usize {
        self.number() as usize
    }

    /// The index of a place in a table.
    ///
    /// # Errors
    /// When there are more places than numbers.
    fn new(index: usize) -> Result<Self, TooMany> {
        match u32::try_from(index) {
            Ok(number) if number < u32::MAX => Ok(Self::from_number(number)),
            _ => Err(TooMany(index as u64 + 1)),
        }
    }

    /// The index of one of some things, of which there are no more than of others that have
    /// numbers, or which compiling counts and refuses.
    fn bounded(index: usize) -> Self {
        // INVARIANT: the caller's
        Self::from_number(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// The first so many indexes, in order.
    fn first(count: u32) -> impl ExactSizeIterator<Item = Self> + DoubleEndedIterator {
        (0..count).map(Self::from_number)
    }
}

/// Declares index types; of one with a public number, `(pub u32)`, others can be made than a table
/// hands out.
macro_rules! index_type {
    ($($(#[$doc:meta])* $vis:vis struct $name:ident $(($field:vis u32))?;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $vis struct $name($($field)? u32);

        impl $crate::set::Point for $name {
            const MIN: Self = Self(0);
            const MAX: Self = Self(u32::MAX);
            #[inline]
            fn next(self) -> Option<Self> {
                self.0.checked_add(1).map(Self)
            }
            #[inline]
            fn previous(self) -> Option<Self> {
                self.0.checked_sub(1).map(Self)
            }
        }

        impl $crate::set::Ix for $name {
            #[inline]
            fn from_number(number: u32) -> Self {
                Self(number)
            }
            #[inline]
            fn number(self) -> u32 {
                self.0
            }
        }
    )+};
}
pub(crate) use index_type;

/// A list that one kind of index alone looks up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table<I, T> {
    items: Vec<T>,
    index: PhantomData<fn(I) -> I>,
}

impl<I, T> Default for Table<I, T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            index: PhantomData,
        }
    }
}

impl<I: Ix, T> Table<I, T> {
    /// An empty table with room for so many items.
    pub fn with_room(items: usize) -> Self {
        Self {
            items: Vec::with_capacity(items),
            index: PhantomData,
        }
    }

    /// A table of these items.
    ///
    /// # Errors
    /// When there are more items than numbers.
    pub fn new(items: Vec<T>) -> Result<Self, TooMany> {
        if let Some(last) = items.len().checked_sub(1) {
            I::new(last)?;
        }
        Ok(Self {
            items,
            index: PhantomData,
        })
    }

    /// A table of items of which there are no more than of others that have numbers.
    pub fn of_bounded(items: Vec<T>) -> Self {
        // INVARIANT: the caller's
        Self {
            items,
            index: PhantomData,
        }
    }

    /// A table of what is made for each of the first so many indexes.
    pub fn first(count: u32, make: impl FnMut(I) -> T) -> Self {
        Self {
            items: I::first(count).map(make).collect(),
            index: PhantomData,
        }
    }

    /// Adds an item, and says where.
    ///
    /// # Errors
    /// When all numbers are taken.
    pub fn push(&mut self, item: T) -> Result<I, TooMany> {
        let index = I::new(self.items.len())?;
        self.items.push(item);
        Ok(index)
    }

    /// The items of a range of indexes.
    pub fn range(&self, range: Range<I>) -> &[T] {
        &self.items[range.start.index()..range.end.index()]
    }

    /// All indexes, in order.
    pub fn indexes(&self) -> impl ExactSizeIterator<Item = I> + DoubleEndedIterator + use<I, T> {
        // INVARIANT: the length is a number, as everything that was added has one
        I::first(u32::try_from(self.items.len()).unwrap_or(u32::MAX))
    }

    /// All items with their indexes, in order.
    pub fn enumerated(&self) -> impl ExactSizeIterator<Item = (I, &T)> + DoubleEndedIterator {
        self.indexes().zip(&self.items)
    }

    /// A table of what is made of each item, by the same indexes.
    pub fn map<U>(&self, make: impl FnMut(&T) -> U) -> Table<I, U> {
        Table {
            items: self.items.iter().map(make).collect(),
            index: PhantomData,
        }
    }
}

impl<I: Ix, T> Deref for Table<I, T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<I: Ix, T> Index<I> for Table<I, T> {
    type Output = T;
    #[inline]
    fn index(&self, index: I) -> &T {
        &self.items[index.index()]
    }
}

impl<I: Ix, T> IndexMut<I> for Table<I, T> {
    #[inline]
    fn index_mut(&mut self, index: I) -> &mut T {
        &mut self.items[index.index()]
    }
}

impl<'a, I, T> IntoIterator for &'a Table<I, T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

/// Numbers distinct things in the order in which they are met.
#[derive(Debug, Clone)]
pub struct Interner<I, T> {
    items: IndexSet<T>,
    index: PhantomData<fn(I) -> I>,
}

impl<I, T> Default for Interner<I, T> {
    fn default() -> Self {
        Self {
            items: IndexSet::default(),
            index: PhantomData,
        }
    }
}

impl<I: Ix, T: Hash + Eq> Interner<I, T> {
    /// An empty interner with room for so many items.
    pub fn with_room(items: usize) -> Self {
        let mut interner = Self::default();
        interner.items.reserve(items);
        interner
    }

    /// The index of an item, which is added where it is new.
    ///
    /// # Errors
    /// When it is new and all numbers are taken.
    pub fn intern(&mut self, item: T) -> Result<I, TooMany> {
        I::new(self.items.insert_full(item).0)
    }

    /// The index of an item, if it was met.
    pub fn find<Q: Hash + Eq + ?Sized>(&self, item: &Q) -> Option<I>
    where
        T: Borrow<Q>,
    {
        I::new(self.items.get_index_of(item)?).ok()
    }

    /// An item by its index.
    pub fn get(&self, index: I) -> Option<&T> {
        self.items.get_index(index.index())
    }

    /// The distinct items, by index.
    pub fn into_table(self) -> Table<I, T> {
        Table {
            items: self.items.into_iter().collect(),
            index: PhantomData,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    index_type! {
        /// Index of a letter.
        pub struct LetterIx;
    }

    #[test]
    fn equal_things_have_one_number() {
        let mut letters: Interner<LetterIx, char> = Interner::default();
        let numbered = ['b', 'a', 'b'].map(|letter| letters.intern(letter).unwrap());
        assert_eq!(numbered[0], numbered[2]);
        assert_eq!(letters.find(&'a'), Some(numbered[1]));
        let table = letters.into_table();
        assert_eq!(table[numbered[0]], 'b');
        assert_eq!(
            table.indexes().collect::<Vec<_>>(),
            [numbered[0], numbered[1]]
        );
    }

    #[test]
    fn what_cannot_be_numbered_is_refused() {
        assert_eq!(LetterIx::new(7).map(Ix::number), Ok(7));
        let largest = u32::MAX as usize;
        assert_eq!(LetterIx::new(largest - 1).map(Ix::index), Ok(largest - 1));
        for beyond in [largest, largest + 1] {
            assert_eq!(LetterIx::new(beyond), Err(TooMany(beyond as u64 + 1)));
        }
    }
}
