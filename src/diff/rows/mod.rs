//! Rows of both sides, as runs of interned answers that compare fast.

pub mod destination_diff;
pub mod interned;
pub mod segments;
pub mod side;
pub mod unchanged;
