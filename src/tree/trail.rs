//! [`PathTrail`]: the path to a node while a tree is walked, written out only when there is
//! something to report.

use crate::source::Path;

/// The path to a node, as a list of steps back to the root.
#[derive(Clone, Copy)]
pub enum PathTrail<'a> {
    /// The root.
    Root,
    /// The value under a key.
    Key(&'a PathTrail<'a>, &'a str),
    /// An item of a list.
    Index(&'a PathTrail<'a>, usize),
}

impl PathTrail<'_> {
    /// The path.
    pub fn path(&self) -> Path {
        match self {
            Self::Root => Path::root(),
            Self::Key(parent, key) => parent.path().key(key),
            Self::Index(parent, index) => parent.path().index(*index),
        }
    }
}
