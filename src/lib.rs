//! netpal: ask your `NetworkPolicies` a question.

pub mod diagnostic;
pub mod model;
pub mod policy;
pub mod set;
pub mod source;
pub mod tree;
