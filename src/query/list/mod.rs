//! Listings: every allowed flow between workloads, as rows or as a matrix.

pub mod first_match;
pub mod listing;
pub mod matrix;
pub mod workload_index;
