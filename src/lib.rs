//! netpal: ask your `NetworkPolicies` a question.

pub mod check;
pub mod compile;
pub mod config;
pub mod diagnostic;
pub mod diff;
pub mod finding;
pub mod graph;
pub mod input;
pub mod lint;
pub mod load;
pub mod model;
pub mod picture;
pub mod policy;
pub mod query;
pub mod render;
pub mod set;
pub mod snapshot;
pub mod source;
pub mod spec;
pub mod tree;

pub use crate::graph::AllowGraph;
pub use crate::input::Input;
pub use crate::load::{LoadError, LoadOptions, load, load_reader, load_str};
pub use crate::query::{Answer, Question, Verdict, ask};
pub use crate::spec::CompileOptions;
