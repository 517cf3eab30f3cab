//! Text -> a tree with positions, read exactly as kubectl reads it.
//!
//! kubectl splits a file textually at lines that start with `---`, reads each chunk as YAML 1.1
//! into JSON, and decodes that; a text that starts with `{` goes to its JSON reader. [`mod@split`],
//! [`yaml`], [`scalar`] and [`json`] do the same and keep the place of every key and value;
//! [`mod@decode`] turns a tree into typed values strictly; [`locate`] finds a symbolic path again.
//!
//! Invariants: a mapping's keys are unique (of a key given twice the last value stays, with a
//! warning); depth is at most [`node::MAX_DEPTH`], so dropping a tree cannot overflow the stack.
//! Cost: O(text) and one allocation per node. Road not taken: serde straight from YAML. It loses
//! positions inside enums, and reads YAML 1.2 where kubectl reads 1.1.

pub mod chunk;
pub mod decode;
pub mod json;
mod line_breaks;
pub mod list;
pub mod locate;
mod mapping;
pub mod node;
pub mod parse;
mod pod_fields;
pub mod problem;
pub mod scalar;
mod scan;
pub mod split;
pub mod trail;
pub mod yaml;

pub use crate::tree::chunk::Chunk;
pub use crate::tree::decode::decode;
pub use crate::tree::locate::Locator;
pub use crate::tree::node::{Entry, SyntaxNode, Value};
pub use crate::tree::parse::{parse, parse_frugally, parse_part};
#[cfg(test)]
pub use crate::tree::pod_fields::binds;
pub use crate::tree::problem::{Parsed, Problem, ProblemKind};
pub use crate::tree::split::{Sniffed, sniff, split};
pub use crate::tree::trail::PathTrail;
