//! The specification as formulas, and what is proved of them: [`spec`] with [`tiers`], [`matching`]
//! and [`identities`] are the sentences of the rulebook, [`written`] and [`lowered`] read policies
//! into one [`form`], a [`world`] holds what is not told, and [`proof`] asks the [`solver`].

pub mod form;
mod identities;
mod lowered;
mod matching;
pub mod proof;
mod solver;
mod spec;
mod term;
mod tiers;
mod world;
mod written;
