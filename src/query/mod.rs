//! Questions and answers: the endpoint grammar, verdicts over sets, and the reason for each
//! verdict.
//!
//! A question is text ([`ask::grammar`]) until its names are resolved in a cluster
//! ([`ask::resolve`]). The answer is a value with its reasons ([`ask::answer`],
//! [`explain::explanation`]), never a printed line. [`explain::why`] explains the pairs of an
//! answer and requests the addition that would change them ([`suggest`]); [`reach`] follows
//! connections over any number of hops; [`list`](mod@list) lists every allowed flow;
//! [`explain::summary`] and [`reach::potential_pod`] describe what policies do now, and for pods
//! that do not exist yet.

pub mod ask;
pub mod explain;
pub mod list;
pub mod overview;
pub mod reach;
pub mod suggest;

pub use crate::query::ask::answer::{Answer, Pair, Verdict};
pub use crate::query::ask::grammar::Question;
pub use crate::query::ask::resolve::{Context, End};
pub use crate::query::explain::explanation::{Explanation, explain};
