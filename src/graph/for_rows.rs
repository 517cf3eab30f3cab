//! [`ForRows`]: what only rows need, made when the first row is asked for.
//!
//! A single question needs none of it, so a command that answers one does not pay for it.

use crate::compile::egress_index::EgressIndex;
use crate::compile::own_nodes::NodeIndex;
use crate::graph::common_family::CommonFamilies;
use std::sync::OnceLock;

/// The templates of a line, numbered in order of their first place.
#[derive(Debug, Clone, Default)]
pub(crate) struct DestinationClasses {
    /// The template of each place.
    pub of_place: Vec<u32>,
    /// The first place of each template.
    pub firsts: Vec<u32>,
}

/// What only rows need, made when the first one is asked for.
#[derive(Default)]
pub(crate) struct ForRows {
    pub(crate) node_index: OnceLock<NodeIndex>,
    pub(crate) egress_index: OnceLock<EgressIndex>,
    pub(crate) equivalent_sources: OnceLock<Vec<u32>>,
    pub(crate) destination_classes: OnceLock<DestinationClasses>,
    /// By the families of a destination, and whether it is a class.
    pub(crate) common_families: [OnceLock<CommonFamilies>; 8],
}
