//! Networks that pods are on: user-defined networks of OVN-Kubernetes, attachments, what joins
//! them, and the guests of virtual machines (the sentences NW1 to NW85 of
//! `docs/dialects/networks.md`).
//!
//! Phases: [`read`] and [`multi_policy`] decode and check single objects; when all objects are
//! read, [`take`] gives every pod the networks that it is on, as labels that no manifest can have,
//! makes policies of primary networks, by which what is on another one does not get there
//! ([`islands`]), and leaves a [`plan`] of what else is known. A graph of one network is one of the
//! input as that network has it ([`view`]).

pub mod attached;
pub mod calls;
pub mod exceptions;
pub mod guests;
pub mod islands;
pub mod labels;
pub mod multi_policy;
pub mod plan;
mod primary;
pub mod read;
mod secondary;
pub mod settings;
pub mod take;
pub mod view;
pub mod written;
