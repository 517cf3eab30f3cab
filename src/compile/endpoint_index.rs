//! [`EndpointIx`]: the number of everything that can send or receive, and sets of them.
//!
//! Classes of pods come first, address atoms after them; [`crate::compile::endpoint_space`] says
//! which is which.

use crate::set::{IntervalSet, index_type};

index_type! {
    /// Index of a class of pods or of an address atom in the endpoint space.
    pub struct EndpointIx;
}

/// A set of classes and atoms.
pub type EndpointSet = IntervalSet<EndpointIx>;
