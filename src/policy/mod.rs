//! The law: the rule form, and the dialects that lower into it.

pub mod dialects;
pub mod network_policy;
pub mod rule;
pub mod validate;

pub use rule::*;
