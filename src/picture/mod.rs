//! The picture before any format: nodes, frames and edges that a person can take in.
//!
//! Phases of [`Drawing::new`]: hide and focus (`scope`), merge twins (`merge`), collapse edges
//! (`collapse`), choose the level, name everything (`label`, `build`). A node is a workload or
//! several that nothing tells apart, never a pod; openness is a mark on a node, not edges; a
//! namespace is a frame, or one node where workloads would be too many.
//!
//! Invariants: ids and order depend on names alone; every text is clean (no control or
//! bidirectional character); what is left out is counted in the caption. petgraph holds nodes and
//! edges, so that layouts and writers share one form.

mod blocks;
mod build;
pub mod collapse;
mod compact;
mod compare;
pub mod facts;
pub mod label;
pub mod merge;
mod open;
pub mod scope;

pub use crate::picture::facts::{Change, Facts};
pub use crate::picture::scope::{Hidden, Hide};

use petgraph::graph::DiGraph;
use std::collections::BTreeSet;

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
    /// Whether anything passes before, and after.
    pub stands: [bool; 2],
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
        Self {
            level: Level::Auto,
            focus: Vec::new(),
            hops: 1,
            only_changed: false,
            hide: Hide::default(),
        }
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
    /// Whether it shows two states: what did not change stands back.
    pub compared: bool,
}

impl Drawing {
    /// Draws the facts.
    pub fn new(facts: &Facts, options: &Options) -> Self {
        let scene = Scene::new(facts, options);
        match options.level {
            Level::Workload => scene.detailed(&scene.groups()),
            Level::Namespace => scene.coarse(),
            Level::Auto if facts.spaces.len() < 2 => scene.detailed(&scene.groups()),
            Level::Auto => scene.within(READABLE).unwrap_or_else(|| scene.readable()),
        }
    }

    /// Draws workloads, if the picture has no more nodes and edges than that.
    pub fn within(facts: &Facts, options: &Options, most: (usize, usize)) -> Option<Self> {
        Scene::new(facts, options).within(most)
    }

    /// The same with a line of its own above the counts.
    #[must_use]
    pub fn headed(mut self, space: &str) -> Self {
        let space = crate::render::words::clean(space).into_owned();
        self.summary = format!("{space}. {}", self.summary);
        self.caption.insert(0, space);
        self
    }

    /// How many nodes and edges it has.
    pub fn size(&self) -> (usize, usize) {
        let nodes = self
            .graph
            .node_weights()
            .filter(|n| n.shape != Shape::Frame)
            .count();
        (nodes, self.graph.edge_count())
    }

    /// Whether a person can take it in.
    pub fn is_readable(&self) -> bool {
        self.fits(READABLE)
    }

    fn fits(&self, most: (usize, usize)) -> bool {
        let (nodes, edges) = self.size();
        nodes <= most.0 && edges <= most.1
    }
}

/// The facts that are drawn, and what was left out of them.
struct Scene<'a> {
    facts: Facts,
    options: &'a Options,
    hidden: Hidden,
}

impl<'a> Scene<'a> {
    fn new(facts: &Facts, options: &'a Options) -> Self {
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
        Self {
            facts,
            options,
            hidden,
        }
    }

    fn groups(&self) -> Vec<merge::Group> {
        build::groups_of(&self.facts, self.options)
    }

    fn detailed(&self, groups: &[merge::Group]) -> Drawing {
        build::build(&self.facts, groups, &self.hidden, Level::Workload)
    }

    fn coarse(&self) -> Drawing {
        let facts = scope::by_namespace(&self.facts);
        build::build(
            &facts,
            &build::groups_of(&facts, self.options),
            &self.hidden,
            Level::Namespace,
        )
    }

    /// Namespaces; where there is too much between them to be seen, only what each of them is.
    fn readable(&self) -> Drawing {
        let coarse = self.coarse();
        if coarse.is_readable() {
            return coarse;
        }
        let mut facts = scope::by_namespace(&self.facts);
        let hidden = Hidden {
            dense: coarse.size().1,
            ..self.hidden.clone()
        };
        facts.flows.clear();
        scope::drop_idle_addresses(&mut facts);
        build::build(
            &facts,
            &build::groups_of(&facts, self.options),
            &hidden,
            Level::Namespace,
        )
    }

    /// Workloads, if they fit. Each group becomes a node, so that too many of them need no edges to
    /// be collapsed.
    fn within(&self, most: (usize, usize)) -> Option<Drawing> {
        // no group has members of two namespaces
        let spaces: BTreeSet<_> = self
            .facts
            .places
            .iter()
            .filter_map(facts::Place::space)
            .collect();
        if spaces.len() > most.0 {
            return None;
        }
        let groups = self.groups();
        (groups.len() <= most.0)
            .then(|| self.detailed(&groups))
            .filter(|d| d.fits(most))
    }
}
