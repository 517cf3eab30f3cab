//! The model of a picture: nodes, edges and frames with their texts, before any layout.

use crate::picture::facts::DrawnChange;
use petgraph::graph::DiGraph;

/// What a node stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NodeShape {
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
    /// Pods that are not in the input.
    Potential,
    /// Each of its sources to each of its destinations.
    Hub,
    /// The frame of a namespace: an end of edges that mean all of its nodes.
    Frame,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawnNode {
    /// Letters, digits and hyphens; the same in every run.
    pub id: String,
    /// What it stands for.
    pub shape: NodeShape,
    /// The frame it lies in.
    pub frame: Option<usize>,
    /// Its name, a line each.
    pub lines: Vec<String>,
    /// Its marks, a line each: `OPEN in`, `UNKNOWN out`.
    pub badges: Vec<String>,
    /// Whether it is open in, and out; not marked where all workloads are.
    pub open: [bool; 2],
    /// Whether it is unknown in some direction.
    pub doubt: bool,
    /// How its openness changed.
    pub change: Option<DrawnChange>,
    /// The whole of it, as sentences.
    pub title: String,
    /// The keys of the places it stands for.
    pub members: Vec<String>,
}

/// How sure an edge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EdgeCertainty {
    /// It passes.
    Sure,
    /// Some of it passes, the rest is unknown.
    Partly,
    /// It is unknown.
    Unknown,
}

/// An edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawnEdge {
    /// What passes, in few words.
    pub label: String,
    /// The whole sentence.
    pub title: String,
    /// Whether the same passes the other way too.
    pub both: bool,
    /// Whether it is a door by which the internet comes in.
    pub is_door: bool,
    /// How sure it is.
    pub certainty: EdgeCertainty,
    /// How it changed.
    pub change: Option<DrawnChange>,
    /// Whether anything passes before, and after.
    pub stands: [bool; 2],
}

/// A namespace drawn around its nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawnFrame {
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
pub enum DetailLevel {
    /// Whatever stays readable.
    #[default]
    Auto,
    /// Workloads.
    Workload,
    /// Namespaces.
    Namespace,
}

/// Most nodes and edges of a picture of workloads, unless it was asked for.
pub const READABLE: (usize, usize) = (40, 120);

/// Most nodes and edges of any picture, also of one that was asked for: more is a black square that
/// takes minutes to lay out.
pub const DRAWABLE: (usize, usize) = (2_000, 1_000);

/// A picture.
#[derive(Debug, Clone)]
pub struct Drawing {
    /// Nodes and edges.
    pub graph: DiGraph<DrawnNode, DrawnEdge>,
    /// Frames, by name.
    pub frames: Vec<DrawnFrame>,
    /// What is one node.
    pub level: DetailLevel,
    /// Lines under the picture: what was counted, what is not drawn.
    pub caption: Vec<String>,
    /// One sentence for those who cannot see it.
    pub summary: String,
    /// Whether it shows two states: what did not change is drawn faintly.
    pub compared: bool,
}

impl Drawing {
    /// The same with a line of its own above the counts.
    #[must_use]
    pub fn headed(mut self, space: &str) -> Self {
        let space = crate::words::clean(space).into_owned();
        self.summary = format!("{space}. {}", self.summary);
        self.caption.insert(0, space);
        self
    }

    /// How many nodes and edges it has.
    pub fn size(&self) -> (usize, usize) {
        let nodes = self
            .graph
            .node_weights()
            .filter(|n| n.shape != NodeShape::Frame)
            .count();
        (nodes, self.graph.edge_count())
    }

    /// Whether a person can take it in.
    pub fn is_readable(&self) -> bool {
        self.fits(READABLE)
    }

    pub(crate) fn fits(&self, most: (usize, usize)) -> bool {
        let (nodes, edges) = self.size();
        nodes <= most.0 && edges <= most.1
    }
}
