//! What a caller of the library asks that no command asks in this form: edges as an iterator,
//! connections followed from given endpoints, and relations between two allow-graphs.
//!
//! Everything here is an adapter over the rooms that answer the question; none of it has a meaning
//! of its own.

pub mod edges;
pub mod follow;
pub mod relations;
