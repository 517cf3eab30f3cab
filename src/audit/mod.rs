//! Controls of audits: what each asks, and how far an input shows that it is met.
//!
//! [`profile`] lists the controls of each standard in our own words. [`evidence`] gathers once what
//! the input shows of the workloads in scope; [`walls`], [`entrances`] and [`namespaces`] turn that
//! into facts; [`judge`] makes the result of each control of the facts it is about.
//!
//! Invariants: a control is *met* only if everything it asks is in the input and nothing that it
//! depends on is unknown; every other result names who decides, with policies and their places.
//! Facts are in one order, whatever order the input was read in. Cost: one pass over the flows, one
//! compilation with the pods that may come ([`beyond`]), an explanation for each wall, and one for
//! each flow by name, of which [`evidence::MOST_EXPLAINED`] are made at most. Road not taken: to
//! judge from the counts of the summary; a count cannot be checked, and hides what is unknown.

pub mod beyond;
pub mod control;
pub mod declared;
pub mod entrances;
pub mod evidence;
pub mod fact;
pub mod flows;
pub mod judge;
pub mod namespaces;
pub mod outside;
pub mod plugin;
pub mod profile;
pub mod scope;
pub mod sides;
pub mod standards;
pub mod walls;

pub use crate::audit::control::Control;
pub use crate::audit::declared::Declared;
pub use crate::audit::evidence::AuditSubject;
pub use crate::audit::fact::{Bearing, ControlResult, DecidedBy, Fact, FactTopic};
pub use crate::audit::judge::{Assessment, assess};
pub use crate::audit::profile::Profile;
pub use crate::audit::scope::AuditScope;
