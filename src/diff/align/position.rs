//! [`PositionIx`]: where an aligned end stands in the common order of both sides.

use crate::set::{IntervalSet, index_type};

index_type! {
    /// Index of an aligned end in the order of ends.
    pub struct PositionIx;
}

/// A set of positions.
pub type PositionSet = IntervalSet<PositionIx>;
