//! The meaning of policies: one flow, every rule, no tables.
//!
//! [`mod@evaluate`] decides a single flow by the rulebook in `docs/semantics.md`. [`environment`]
//! holds what a verdict depends on besides the rules; [`cni`] what network plugins are documented
//! to do where the API leaves a choice.
//!
//! Invariant: for every flow the compiled graph gives the answer that [`evaluate()`] gives; tests
//! compare the two at random.

pub mod address_families;
pub mod cni;
pub mod environment;
pub mod evaluate;
mod gathered;
mod identities;
pub mod matching;
pub mod options;
mod plugin_view;
pub mod question;
pub mod tiers;
pub mod trace;

pub use address_families::{EndFamilies, FamilySet};
pub use cni::{CNI_PROFILES, CniProfile};
pub use environment::{
    CompileOptions, Endpoint, Environment, Flow, HostNetwork, HostNetworkMode, Plugin, ServiceCalls,
};
pub use evaluate::evaluate;
pub use options::ForeignPolicies;
pub use question::ConnectionOrigin;
