//! Answers for people, in a terminal.

pub mod answer;
pub mod check;
pub mod diagnostic;
pub mod diff;
pub mod diff_context;
pub mod explain;
mod families;
pub mod findings;
pub mod fix;
pub mod frames;
pub mod inputs;
pub mod many;
mod parts;
pub mod potential;
mod potential_rows;
pub mod reach;
pub mod rules;
pub mod side;
pub mod snapshot;
pub mod snippet;
pub mod suggest;
pub mod table;
pub mod tiers;
pub mod tree;
pub mod via_service;
pub mod why;
pub mod writer;
