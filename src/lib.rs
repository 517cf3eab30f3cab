//! netpal: ask your `NetworkPolicies` a question.

pub mod check;
pub mod compile;
pub mod config;
pub mod diagnostic;
pub mod diff;
pub mod finding;
pub mod input;
pub mod lint;
pub mod load;
pub mod model;
pub mod policy;
pub mod query;
pub mod render;
pub mod set;
pub mod snapshot;
pub mod source;
pub mod tree;

pub use compile::{AllowGraph, CompileOptions};
pub use input::Input;
pub use load::{LoadError, LoadOptions, load, load_reader, load_str};
pub use query::{Answer, Question, Verdict, ask};
