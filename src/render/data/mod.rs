//! Answers for programs: JSON, YAML and CSV.

pub mod check;
pub mod critical;
pub mod csv;
pub mod diff;
pub mod diff_csv;
pub mod doors;
pub mod explain;
pub mod findings;
pub mod inputs;
pub mod json;
pub mod listing;
pub mod parts;
pub mod ports;
pub mod questions;
pub mod reach;
pub mod schema;
pub mod suggest;
pub mod why;
pub mod yaml;
