//! Listings: every allowed flow between workloads, as rows or as a matrix.

pub mod endpoint_order;
pub mod listing;
pub mod matrix;
pub mod workload_index;
