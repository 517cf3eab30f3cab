//! Listings: every allowed flow between workloads, as rows or as a matrix.

pub mod entry;
pub(crate) mod laid_graph;
pub mod listing;
pub mod matrix;
pub mod numbered_endpoints;
mod on_ports;
pub mod potential_rows;
pub mod workload_index;
