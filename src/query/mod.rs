//! Questions and answers: the endpoint grammar, verdicts over sets, and the reason for every one of
//! them.
//!
//! A question is text ([`grammar`]) until it meets a cluster ([`resolve`]); the answer is a value
//! with its reasons ([`mod@ask`], [`mod@explain`]), never a printed line. [`why`] walks through the
//! reasons and asks [`suggest`] for the addition that would turn them; [`reach`] follows
//! connections over any number of hops ([`closure`]); [`plain`] and [`exposure`] say what policies
//! do now, and to whom that is not there yet.

pub mod ask;
pub mod explain;
pub mod list;
pub mod reach;
pub mod suggest;

pub use crate::query::ask::answer::{Answer, Pair, Verdict};
pub use crate::query::ask::grammar::Question;
pub use crate::query::ask::resolve::{Context, End};
pub use crate::query::explain::explanation::{Explanation, explain};
