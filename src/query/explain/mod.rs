//! Reasons: the walk through the tiers for one flow, and what policies mean in plain English.

pub mod decision;
pub mod explanation;
pub mod summary;
pub mod trace;
pub mod why;
