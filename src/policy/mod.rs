//! The law: the rule form, and the dialects that lower into it.

pub mod admin;
pub mod admin_v1alpha1;
pub mod author;
pub mod cluster_network_policy;
pub mod dialects;
pub mod network_policy;
pub mod pool;
pub mod rule;
pub mod tier;
pub mod validate;

pub use crate::policy::rule::*;
