//! Law over world -> allow-graph.
//!
//! [`mod@evaluate`] is the meaning: one flow, every rule, no tables. [`graph`] is the same meaning
//! compiled: pods and addresses that no rule can tell apart ([`vocabulary`]) become classes
//! ([`classes`], [`atoms`]), rules become sets of classes ([`peers`]), and a question becomes two
//! short walks ([`walk`]) or one pass of set algebra ([`rows`]).
//!
//! Invariant: for every flow the graph's answer is `evaluate`'s, with classes on and off; tests
//! hold them together.

pub mod atoms;
mod beside;
pub mod classes;
pub mod cni;
pub mod evaluate;
pub mod graph;
mod leaving;
mod led;
pub mod line;
mod nodes;
pub mod outward;
pub mod peers;
mod points;
mod profiles;
pub mod rows;
mod select;
pub(crate) mod senders;
pub mod shared;
pub mod vocabulary;
pub mod walk;
pub mod world;

pub use cni::{CNI_PROFILES, CniProfile};
pub use evaluate::evaluate;
pub use graph::{AllowGraph, Allowed, CompileError};
pub use rows::{Part, Piece, Template};
pub use shared::Rows;
pub use world::{CompileOptions, Endpoint, Flow, HostBehaviour, HostNetwork, Possible, World};
