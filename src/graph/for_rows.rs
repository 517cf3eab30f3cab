//! [`ForRows`]: what only rows need, made when the first row is asked for.
//!
//! A single question needs none of it, so a command that answers one does not pay for it.

use crate::compile::egress_index::EgressIndex;
use crate::compile::endpoint_index::EndpointIx;
use crate::compile::node_index::NodeIndex;
use crate::graph::common_family::CommonFamilies;
use crate::set::{Table, index_type};
use std::sync::OnceLock;

index_type! {
    /// Index of a class of destinations with the same rows but for own nodes.
    pub struct DestinationClassIx;
}

/// The templates of a line, numbered in order of their first place.
#[derive(Debug, Clone, Default)]
pub(crate) struct DestinationClasses {
    /// The template of each place.
    pub of_place: Table<EndpointIx, DestinationClassIx>,
    /// The first place of each template.
    pub firsts: Vec<EndpointIx>,
}

/// What only rows need, made when the first one is asked for.
#[derive(Default)]
pub(crate) struct ForRows {
    pub(crate) node_index: OnceLock<NodeIndex>,
    pub(crate) egress_index: OnceLock<EgressIndex>,
    pub(crate) equivalent_sources: OnceLock<Table<EndpointIx, EndpointIx>>,
    pub(crate) destination_classes: OnceLock<DestinationClasses>,
    /// By the families of a destination, whether it is a class, and whether it may be a node that
    /// is policed.
    pub(crate) common_families: [OnceLock<CommonFamilies>; 32],
}
