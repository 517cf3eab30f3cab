//! Pods that are not in the input and may exist: what policies say beyond what is loaded.
//!
//! A policy speaks of labels, and so of pods that nobody has loaded. Rules tell two such pods apart
//! only by the selectors that policies use; a *kind* is one satisfiable combination of their
//! answers ([`kinds`]), in a namespace that is loaded, named by a rule, or any other
//! ([`namespaces`]). [`pods`] takes one pod for each kind and lays all of them over a copy of an
//! input, so that every engine meets them as pods like any other: on the pod network, running, two
//! of each kind, with every port name that a rule looks up, and without addresses or a node.
//!
//! ```text
//! podSelector: {app: web}        kinds in a namespace:   app=web   anything else
//! podSelector: {tier: front}                             each with tier=front, and without
//! ```
//!
//! Invariant: two pods that may exist get the same answers from every selector of the vocabulary if
//! they belong to one kind. A namespace that is loaded has exactly its labels; of any other only
//! its name is certain, and one flow sees one set of its labels. Cost: O(kinds x selectors); about
//! [`pods::MOST`] kinds are made at most, and where that leaves some out it is said.

pub mod assumed;
pub mod few;
pub mod kinds;
pub mod namespaces;
pub mod phrase;
pub mod phrases;
pub mod pods;
pub mod port_names;
pub(crate) mod regions;
pub mod stand_in;
pub mod vocabulary;
pub mod words;
mod world;

pub use assumed::{AssumedPods, with_assumed};
pub use pods::{PodKind, PotentialPods};
pub use stand_in::{AskedPods, AskedPorts, with_stand_ins};
pub use world::World;
