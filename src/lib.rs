//! netpal: ask your `NetworkPolicies` a question.

pub mod compile;
pub mod diagnostic;
pub mod input;
pub mod model;
pub mod policy;
pub mod set;
pub mod source;
pub mod tree;
