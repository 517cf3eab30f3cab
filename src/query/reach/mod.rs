//! Reachability over hops: trees of who reaches whom, closures, shortest paths, and pods that do
//! not exist yet.

pub mod closure;
pub mod door_ends;
pub mod inbound;
mod outside_addresses;
pub mod path;
mod perhaps_outside;
pub mod pod_group;
pub mod potential_pod;
pub mod search;
pub mod steps;
pub mod tree;
pub mod tree_builder;
pub mod tree_node;
pub mod workload_role;
