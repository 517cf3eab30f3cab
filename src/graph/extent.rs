//! [`Extent`]: the little of a peer set that answers most questions about one place.

use crate::compile::endpoint_index::EndpointIx;
use crate::compile::peer_sets::EndpointBounds;
use crate::set::Point;

/// Of a peer set in one scenario: where it begins and ends, and whether that says all.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    pub(super) first: EndpointIx,
    pub(super) last: EndpointIx,
    /// Whether it is all of `first..=last`, without doubt.
    pub(super) solid: bool,
    /// Whether nothing is in doubt.
    pub(super) exact: bool,
}

impl Extent {
    /// The extent of what may match.
    pub fn of(matched: &EndpointBounds) -> Self {
        let mut ranges = matched.may.ranges();
        let runs = ranges.len();
        let (first, end) = ranges.next().unwrap_or((EndpointIx::MAX, EndpointIx::MIN));
        let last = ranges.next_back().map_or(end, |(_, last)| last);
        let exact = matched.is_exact();
        Self {
            first,
            last,
            solid: exact && runs <= 1,
            exact,
        }
    }
}
