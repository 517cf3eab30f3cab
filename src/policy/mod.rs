//! The law: the rule form, and the dialects that lower into it.

pub mod rule;

pub use rule::*;
