//! Questions and answers: the endpoint grammar, verdicts over sets, and the reason for every one of
//! them.
//!
//! A question is text ([`grammar`]) until it meets a cluster ([`resolve`]); the answer is a value
//! with its reasons ([`mod@ask`], [`mod@explain`]), never a printed line. [`why`] walks through the
//! reasons and asks [`suggest`] for the addition that would turn them; [`reach`] follows
//! connections over any number of hops ([`closure`]); [`plain`] and [`exposure`] say what policies
//! do now, and to whom that is not there yet.

pub mod ask;
pub mod closure;
mod conclude;
pub mod destination;
pub mod edit;
pub mod explain;
pub mod exposure;
pub mod grammar;
pub mod led;
mod links;
pub mod list;
pub mod matrix;
pub mod members;
pub mod order;
pub mod plain;
pub mod reach;
pub mod resolve;
mod select;
pub mod stores;
pub mod suggest;
mod trace;
mod ways;
pub mod why;

pub use ask::{Answer, Pair, Verdict, ask};
pub use explain::{Explanation, Reason, Side, explain};
pub use grammar::{ParseError, Question, Target};
pub use list::{Entry as ListEntry, Listing, list};
pub use resolve::{Context, End, ResolveError};
