//! Antrea: its policies of both scopes, tiers and groups (the sentences AN1 to AN71 of
//! `docs/dialects/antrea.md`).
//!
//! Phases: [`read`] decodes an object and [`check`] makes a [`policy`] or one of the [`objects`] of
//! it; [`lower`] makes a policy of the rule form of it; [`specialize`] lowers every policy once
//! more when a graph is compiled, now with groups, tiers and Services.
//!
//! Invariant: a rule of Antrea is one or more rules of the policy that stand at the same position
//! and follow each other. Cost: O(rules x groups that they name). Road not taken: one tier for all
//! policies with a priority made of tier and priority; answers name the tier.

mod calls;
mod check;
mod check_parts;
mod check_peers;
pub mod extras;
mod groups;
pub mod knowledge;
pub mod lower;
pub mod objects;
pub mod policy;
pub mod read;
pub mod specialize;
mod subjects;
mod tier_table;
mod written;
