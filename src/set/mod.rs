//! Finite sets: intervals, addresses, traffic. Knows nothing of Kubernetes.
//!
//! Everything netpal reasons about is a finite set on a line of numbers: ports, addresses, classes.
//! One representation, sorted disjoint inclusive ranges, serves them all, because real policies
//! name few ranges however large the line is.

pub mod blocks;
pub mod bounds;
pub mod buckets;
pub mod hashed;
pub mod index;
pub mod interval;
pub mod ip;
pub mod partition;
pub mod point;
pub mod traffic;

pub use crate::set::bounds::{Bounds, Lattice};
pub use crate::set::buckets::Buckets;
pub(crate) use crate::set::index::index_type;
pub use crate::set::index::{Interner, Ix, Table, TooMany};
pub use crate::set::interval::IntervalSet;
pub use crate::set::ip::{Family, IpSet};
pub use crate::set::partition::{Members, partition};
pub use crate::set::point::Point;
pub use crate::set::traffic::{Protocol, Traffic, TrafficSet};
