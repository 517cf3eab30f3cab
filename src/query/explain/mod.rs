//! Explanations: the walk through the tiers for one flow, and summaries of what policies do.

pub mod by_node;
pub mod contributing;
pub mod decision;
pub mod explanation;
pub mod nearest;
pub mod reason_code;
pub mod side;
pub mod summary;
pub mod trace;
pub mod why;
