//! Answers for people, in a terminal.

pub mod check;
pub mod diff;
pub mod explain;
pub mod findings;
pub mod fix;
pub mod frames;
pub mod inputs;
pub mod reach;
pub mod rules;
pub mod snapshot;
pub mod snippet;
pub mod suggest;
pub mod table;
pub mod tree;
pub mod via_service;
pub mod why;
pub mod writer;
