//! Reachability over hops: trees of who reaches whom, closures, and shortest paths.

pub mod closure;
pub mod inbound;
pub mod path;
pub mod potential_pod;
pub mod steps;
pub mod tree;
pub mod workload_role;
