//! Networks that pods are on: user-defined networks of OVN-Kubernetes, attachments, and what joins
//! them (the sentences NW1 to NW85 of `docs/dialects/networks.md`).
//!
//! Phases: [`read`] decodes and checks single objects; when all objects are read, [`take`] gives
//! every pod the networks that it is on, as labels that no manifest can have, and makes a policy of
//! every primary network: what is on another one does not get there.

mod attached;
mod labels;
mod policies;
mod primary;
pub mod read;
mod secondary;
pub mod settings;
pub mod take;
pub mod written;
