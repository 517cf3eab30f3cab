//! Cilium: `CiliumNetworkPolicy`, `CiliumClusterwideNetworkPolicy` and `CiliumCIDRGroup`, and how
//! Cilium reads the policies of Kubernetes (the sentences CI1 to CI280 of
//! `docs/dialects/cilium.md`).
//!
//! Phases: [`read`] decodes and checks an object into a [`written`] Rule; [`lower`] makes a policy
//! of it; [`specialize`] lowers every Rule once more when a graph is compiled, now with the options
//! of the agent, the Services and the groups, and rewrites what Cilium reads otherwise.

mod always;
mod blocks;
mod check;
mod host_firewall;
pub mod lower;
pub mod options;
mod ports;
pub mod read;
mod refusals;
pub mod selector;
pub mod settings;
pub mod specialize;
pub mod written;
