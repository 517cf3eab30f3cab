//! The picture before any format: nodes, frames and edges that a person can take in.
//!
//! Phases of [`Drawing::new`]: hide and focus (`scope`), merge twins (`merge`), collapse edges
//! (`collapse`), choose the level, name everything (`label`, `build`). A node is a workload or
//! several that nothing distinguishes, never a pod; openness is a mark on a node, not edges; a
//! namespace is a frame, or one node where workloads would be too many.
//!
//! Invariants: ids and order depend on names alone; every text is clean (no control or
//! bidirectional character); what is left out is counted in the caption. petgraph holds nodes and
//! edges, so that layouts and writers share one form.

mod blocks;
mod build;
mod caption;
mod collapse;
mod compact;
mod compare;
pub mod drawing;
pub mod facts;
pub mod label;
mod merge;
mod node_text;
mod open;
pub mod options;
mod reader;
mod scene;
pub mod scope;
pub mod surroundings;

pub use crate::picture::drawing::{
    DetailLevel, Drawing, DrawnEdge, DrawnFrame, DrawnNode, EdgeCertainty, NodeShape,
};
pub use crate::picture::facts::{DrawnChange, PictureFacts};
pub use crate::picture::options::DrawOptions;
pub use crate::picture::scope::Hide;
pub use crate::picture::surroundings::Surroundings;
