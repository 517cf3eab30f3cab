//! Causes: the edits between the two sides, and which of them is behind a change.

pub mod declared_uses;
pub mod edits;
pub mod grounds;
pub mod masked;
pub mod undecided;
