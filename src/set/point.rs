//! [`Point`]: what intervals are made of.

/// A point on a finite line of whole numbers.
pub trait Point: Copy + Ord + std::fmt::Debug {
    /// The smallest point.
    const MIN: Self;
    /// The largest point.
    const MAX: Self;
    /// The next point, `None` at the end of the line.
    fn next(self) -> Option<Self>;
    /// The point before, `None` at the start of the line.
    fn previous(self) -> Option<Self>;
}

macro_rules! point {
    ($($t:ty),*) => {$(
        impl Point for $t {
            const MIN: Self = <$t>::MIN;
            const MAX: Self = <$t>::MAX;
            fn next(self) -> Option<Self> { self.checked_add(1) }
            fn previous(self) -> Option<Self> { self.checked_sub(1) }
        }
    )*};
}
point!(u16, u32, u128);
