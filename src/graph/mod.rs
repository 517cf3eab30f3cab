//! The allow-graph: what is asked of the compiled form.
//!
//! A question about one flow is two short walks through the tiers ([`mod@verdict`], [`tiers`]); all
//! sources of one destination are one pass of set algebra ([`row`]), which equivalent destinations
//! share ([`row_cache`]).
//!
//! Invariant: every answer is what `spec::evaluate` says about the same flow, with classes and
//! without.

pub mod allow_graph;
pub mod allowed_sources;
pub(crate) mod common_family;
pub mod compile_error;
pub mod destination_class;
pub mod egress;
pub mod extent;
pub mod external;
pub mod for_rows;
mod invariants;
mod named_services;
mod networks;
mod of_networks;
pub mod own_node_exemption;
pub mod ports_at;
pub mod row;
pub mod row_cache;
mod service_calls;
pub mod tiers;
pub mod traffic_cut;
pub mod verdict;
pub mod via_service;

pub use allow_graph::{AllowGraph, Allowed};
pub use compile_error::CompileError;
pub use row::SourcesTraffic;
pub use row_cache::RowCache;
