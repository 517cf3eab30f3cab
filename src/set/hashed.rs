//! Hash tables with a fast hash, for what is interned by the million.
//!
//! The standard library's hash withstands an attacker who chooses every key; here it was a third of
//! compiling. These tables hash with foldhash, seeded at random for every process and table: who
//! writes labels does not know the seed, and sees no timing he could learn it from, because a run
//! reads one input and ends. Invariant: nothing that is printed depends on the order of a
//! [`HashMap`] or [`HashSet`]; where order matters there are [`IndexMap`] and [`IndexSet`], in
//! order of insertion. Road not taken: an unseeded hash (rustc-hash), a little faster still, and
//! floodable with labels computed beforehand.

use foldhash::fast::RandomState;

/// A hash map.
pub type HashMap<K, V> = std::collections::HashMap<K, V, RandomState>;
/// A hash set.
pub type HashSet<K> = std::collections::HashSet<K, RandomState>;
/// A hash map in order of insertion.
pub type IndexMap<K, V> = indexmap::IndexMap<K, V, RandomState>;
/// A hash set in order of insertion.
pub type IndexSet<K> = indexmap::IndexSet<K, RandomState>;

/// An empty hash map with room for this many entries: a table that grows hashes all its keys again.
pub fn room_for<K, V>(entries: usize) -> HashMap<K, V> {
    HashMap::with_capacity_and_hasher(entries, RandomState::default())
}
