//! Questions: the endpoint grammar, the names it resolves, and the verdict over all pairs.

pub mod answer;
pub mod grammar;
pub mod resolve;
pub mod via_service;
