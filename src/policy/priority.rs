//! [`Priority`]: the place of a policy among those of an ordered tier.
//!
//! The Kubernetes APIs have whole numbers, others have fractions and policies behind all numbers.
//! Invariant: never a number that is none, and one zero, so that places are in a total order.

use std::cmp::Ordering;
use std::fmt;

/// A place in an order: a number, or behind all numbers.
#[derive(Debug, Clone, Copy)]
pub struct Priority(f64);

impl Priority {
    /// Behind all numbers.
    pub const LAST: Self = Self(f64::INFINITY);

    /// The place of a number; of what is none the last one.
    pub fn of(number: f64) -> Self {
        // adding zero makes one of the two zeros
        if number.is_nan() {
            Self::LAST
        } else {
            Self(number + 0.0)
        }
    }
}

impl Priority {
    /// The number, where it is a whole one.
    #[allow(clippy::cast_possible_truncation)] // what is cut off is compared
    pub fn number(self) -> Option<i32> {
        let number = self.0 as i32;
        (f64::from(number).total_cmp(&self.0) == Ordering::Equal).then_some(number)
    }
}

impl From<i32> for Priority {
    fn from(number: i32) -> Self {
        Self(f64::from(number))
    }
}

impl Ord for Priority {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Priority {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Priority {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Priority {}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::LAST {
            return f.write_str("last");
        }
        self.0.fmt(f)
    }
}
