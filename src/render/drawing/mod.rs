//! The picture before any format: nodes, frames and edges that a person can take in.
//!
//! Phases of [`Drawing::new`]: hide and focus (`scope`), merge twins (`merge`), collapse edges (`collapse`), choose the
//! level, name everything (`label`, `build`). A node is a workload or several that nothing tells apart, never a pod;
//! openness is a mark on a node, not edges; a namespace is a frame, or one node where workloads would be too many.
//!
//! Invariants: ids and order depend on names alone; every text is clean (no control or bidirectional character); what is
//! left out is counted in the caption. petgraph holds nodes and edges, so that layouts and writers share one form.

mod build;
pub mod collapse;
mod compare;
pub mod facts;
pub mod label;
pub mod merge;
mod open;
pub mod scope;

pub use facts::{Change, Facts};
pub use scope::{Hidden, Hide};

use petgraph::graph::DiGraph;

/// What a node stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Shape {
    /// One or several workloads.
    Workloads,
    /// A namespace as a whole.
    Namespace,
    /// Every workload there is.
    Everyone,
    /// The internet.
    Internet,
    /// The private ranges.
    Private,
    /// Other blocks of addresses.
    Addresses,
    /// Each of its sources to each of its destinations.
    Hub,
    /// The frame of a namespace: an end of edges that mean all of its nodes.
    Frame,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Letters, digits and hyphens; the same in every run.
    pub id: String,
    /// What it stands for.
    pub shape: Shape,
    /// The frame it lies in.
    pub frame: Option<usize>,
    /// Its name, a line each.
    pub lines: Vec<String>,
    /// Its marks, a line each: `OPEN in`, `UNKNOWN out`.
    pub badges: Vec<String>,
    /// Whether it is open in, and out; not told where all workloads are.
    pub open: [bool; 2],
    /// Whether it is unknown in some direction.
    pub doubt: bool,
    /// How its openness changed.
    pub change: Option<Change>,
    /// The whole of it, as sentences.
    pub title: String,
    /// The keys of the places it stands for.
    pub members: Vec<String>,
}

/// How sure an edge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Certainty {
    /// It passes.
    Sure,
    /// Some of it passes, the rest is unknown.
    Partly,
    /// It is unknown.
    Unknown,
}

/// An edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What passes, in few words.
    pub label: String,
    /// The whole sentence.
    pub title: String,
    /// Whether the same passes the other way too.
    pub both: bool,
    /// How sure it is.
    pub certainty: Certainty,
    /// How it changed.
    pub change: Option<Change>,
}

/// A namespace drawn around its nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Letters, digits and hyphens.
    pub id: String,
    /// The namespace's name.
    pub name: String,
    /// The name, and what it denies by default.
    pub title: String,
    /// What passes between all of its nodes, if all may reach each other.
    pub inside: Option<String>,
}

/// What is one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Level {
    /// Whatever stays readable.
    #[default]
    Auto,
    /// Workloads.
    Workload,
    /// Namespaces.
    Namespace,
}

/// What to draw.
#[derive(Debug, Clone)]
pub struct Options {
    /// What is one node.
    pub level: Level,
    /// Draw only what is near these places (keys), when there are any.
    pub focus: Vec<String>,
    /// How many flows away from the focus.
    pub hops: u32,
    /// Draw only what differs.
    pub only_changed: bool,
    /// What is left out.
    pub hide: Hide,
}

impl Default for Options {
    fn default() -> Self {
        Self { level: Level::Auto, focus: Vec::new(), hops: 1, only_changed: false, hide: Hide::default() }
    }
}

/// Most nodes and edges of a picture of workloads, unless it was asked for.
pub const READABLE: (usize, usize) = (40, 120);

/// A picture.
#[derive(Debug, Clone)]
pub struct Drawing {
    /// Nodes and edges.
    pub graph: DiGraph<Node, Link>,
    /// Frames, by name.
    pub frames: Vec<Frame>,
    /// What is one node.
    pub level: Level,
    /// Lines under the picture: what was counted, what is not drawn.
    pub caption: Vec<String>,
    /// One sentence for those who cannot see it.
    pub summary: String,
}

impl Drawing {
    /// Draws the facts.
    pub fn new(facts: &Facts, options: &Options) -> Self {
        let mut facts = facts.clone();
        let mut hidden = Hidden::default();
        scope::hide(&mut facts, options.hide, &mut hidden);
        if !options.focus.is_empty() {
            scope::focus(&mut facts, &options.focus, options.hops, &mut hidden);
        }
        if options.only_changed {
            scope::only_changed(&mut facts, &mut hidden);
        }
        scope::drop_idle_addresses(&mut facts);
        let detailed = || build::build(&facts, options, &hidden, Level::Workload);
        let coarse = || build::build(&scope::by_namespace(&facts), options, &hidden, Level::Namespace);
        match options.level {
            Level::Workload => detailed(),
            Level::Namespace => coarse(),
            Level::Auto => {
                let drawing = detailed();
                if drawing.is_readable() || facts.spaces.len() < 2 { drawing } else { coarse() }
            }
        }
    }

    /// Whether a person can take it in.
    pub fn is_readable(&self) -> bool {
        let nodes = self.graph.node_weights().filter(|n| n.shape != Shape::Frame).count();
        nodes <= READABLE.0 && self.graph.edge_count() <= READABLE.1
    }
}
