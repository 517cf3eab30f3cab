//! Calico: its policies of both scopes and both groups, tiers, network sets and host endpoints, and
//! how Calico reads the policies of Kubernetes (the sentences CA1 to CA174 of
//! `docs/dialects/calico.md`).
//!
//! Phases: [`read`] decodes and checks an object into a [`policy`] or one of the [`objects`];
//! [`lower`] makes a policy of the rule form of it; [`specialize`] lowers every policy once more
//! when a graph is compiled, now with sets, tiers and the cluster, and orders all policies.

mod boxes;
mod check;
mod check_sides;
mod endpoint_to_host;
pub mod expression;
pub mod extras;
pub mod felix;
mod host_layers;
mod host_profiles;
mod host_tiers;
mod interfaces;
pub mod knowledge;
pub mod labels;
pub mod lower;
pub mod objects;
pub mod options;
pub mod policy;
mod ports;
pub mod read;
pub mod selector;
pub mod specialize;
mod tier_table;
mod written;
