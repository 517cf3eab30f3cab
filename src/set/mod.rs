//! Finite sets: intervals, addresses, traffic. Knows nothing of Kubernetes.
//!
//! Everything netpal reasons about is a finite set on a line of numbers: ports, addresses, classes.
//! One representation, sorted disjoint inclusive ranges, serves them all, because real policies
//! name few ranges however large the line is.

pub mod hashed;
pub mod interval;
pub mod ip;
pub mod partition;
pub mod traffic;

pub use interval::{IntervalSet, Point};
pub use ip::{Family, IpSet};
pub use partition::{Members, partition};
pub use traffic::{Protocol, Traffic, TrafficSet};
