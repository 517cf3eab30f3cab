//! Istio: `AuthorizationPolicy` and `PeerAuthentication`, a layer of its own at meshed
//! destinations (the sentences IS1 to IS62 of `docs/dialects/istio.md`).
//!
//! Phases: [`read`] decodes and checks single objects; when all objects are read, [`take`] decides
//! who is meshed and gives each pod what its proxy goes by ([`profile`]) as labels that no
//! manifest can have ([`labels`]); [`lower`] makes a policy of every object, once for each kind of
//! proxy that it means something else to.

mod callers;
mod conditions;
pub mod labels;
mod lower;
mod may_join;
mod member;
mod modes;
mod operations;
mod plain_calls;
mod policies;
pub mod profile;
pub mod read;
pub mod settings;
pub mod take;
pub mod written;
