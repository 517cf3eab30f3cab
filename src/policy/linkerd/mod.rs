//! Linkerd: `Server`, `ServerAuthorization`, `AuthorizationPolicy` and what they refer to, a layer
//! of its own at meshed destinations (the sentences LD1 to LD62 of `docs/dialects/linkerd.md`).
//!
//! Phases: [`read`] decodes and checks single objects; when all objects are read, [`take`] decides
//! who is meshed, sorts the pods by what their proxies go by ([`profile`]), and makes a policy of
//! every object that lets anything in ([`clients`]), of every Server, and of the defaults.

pub mod clients;
mod grants;
mod may_join;
pub mod member;
mod policies;
pub mod profile;
pub mod read;
pub mod settings;
pub mod take;
mod tunnels;
pub mod written;
