//! netpal: ask your `NetworkPolicies` a question.

pub mod source;
pub mod tree;
