//! Policies and labels -> the indexes that the allow-graph is made of.
//!
//! Pods and addresses that no rule can tell apart ([`vocabulary`]) become classes ([`classes`],
//! [`atoms`]), which are numbered in one [`endpoint_space`]; the peers of a rule become sets of
//! those numbers ([`peer_sets`]); and what governs a class becomes its effective policy
//! ([`effective_policies`]). Nothing here answers a question: that is `graph`.

mod address_peers;
pub mod atoms;
pub mod classes;
pub mod compiled_policy;
pub mod effective_policies;
pub mod effective_policy;
pub mod egress_index;
pub mod endpoint_bounds;
pub mod endpoint_index;
pub mod endpoint_space;
pub mod equivalent_sources;
pub mod inside;
pub mod node_index;
pub mod peer_sets;
pub mod port_sets;
pub mod selector_index;
pub mod subject_parts;
pub mod tier_order;
pub mod vocabulary;
