//! [`Buckets`]: things sorted into numbered buckets, one list behind the other.
//!
//! Two allocations however many buckets there are. Cost: O(things + buckets) to sort, counting
//! first and filling then; O(1) to look up. Invariant: `starts` has one place more than there are
//! buckets, and ends with the number of things.

use crate::set::index::Ix;
use std::marker::PhantomData;

/// Things by bucket, each bucket's in the order of their indexes.
#[derive(Debug, Clone)]
pub struct Buckets<B, T> {
    things: Vec<T>,
    starts: Vec<usize>,
    bucket: PhantomData<fn(B) -> B>,
}

impl<B: Ix, T: Ix> Buckets<B, T> {
    /// Sorts things, given the bucket of each, into so many buckets.
    pub fn new(bucket_of: &[B], count: usize) -> Self {
        let mut starts = vec![0; count + 1];
        for bucket in bucket_of {
            starts[bucket.index() + 1] += 1;
        }
        for bucket in 0..count {
            starts[bucket + 1] += starts[bucket];
        }
        let mut next = starts.clone();
        let mut things = vec![T::from_number(0); bucket_of.len()];
        for (index, bucket) in bucket_of.iter().enumerate() {
            let at = &mut next[bucket.index()];
            things[*at] = T::bounded(index);
            *at += 1;
        }
        Self {
            things,
            starts,
            bucket: PhantomData,
        }
    }

    /// The things of a bucket.
    pub fn of(&self, bucket: B) -> &[T] {
        let bucket = bucket.index();
        &self.things[self.starts[bucket]..self.starts[bucket + 1]]
    }

    /// How many things the buckets before this one hold; of all, for one that is none.
    pub fn before(&self, bucket: B) -> usize {
        let start = self.starts.get(bucket.index()).or(self.starts.last());
        start.copied().unwrap_or(0)
    }

    /// The things, bucket after bucket.
    pub fn iter(&self) -> impl Iterator<Item = &[T]> {
        let buckets = self.starts.windows(2);
        buckets.map(|span| &self.things[span[0]..span[1]])
    }
}
