//! [`Watch`]: who is told how far reading is.

/// An observer of the progress of loading. Called from many threads, often.
pub trait Watch: Sync {
    /// There is so much more to read, in bytes.
    fn more(&self, bytes: u64);

    /// So much more has been read.
    fn done(&self, bytes: u64);

    /// This is being asked of the cluster, as the request of this number among so many; their
    /// number is 0 before it is known.
    fn fetching(&self, _what: &str, _number: usize, _of: usize) {}
}

/// An observer that does nothing.
pub(super) struct Unwatched;

impl Watch for Unwatched {
    fn more(&self, _: u64) {}
    fn done(&self, _: u64) {}
}
