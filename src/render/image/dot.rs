//! Graphviz. dot-writer escapes nothing, so nothing reaches it but through [`quoted`] and
//! [`AttrWriter`].
//!
//! Quoting: a DOT string ends at `"`, and `\` starts an escape that dot expands when it draws (`\N`
//! would print the node's name), so both are escaped; a line break becomes `\n`. Frames are
//! clusters; an edge to a frame ends at one of its nodes and is clipped at the frame (`compound`,
//! `lhead`). Colours carry no meaning that line and sign do not carry too.

use crate::picture::{Drawing, DrawnChange, DrawnEdge, DrawnNode, EdgeCertainty, NodeShape};
use dot_writer::{Attributes, AttributesList, DotWriter, Scope};
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// A DOT string with its quotes: any text.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in crate::render::words::clean_lines(text).chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            // the tools that read DOT turn entities into characters, so an ampersand is one itself
            '&' => out.push_str("&amp;"),
            c => out.push(c),
        }
    }
    out
}

/// The only way to an attribute: its value is quoted, whatever it is.
struct AttrWriter<'a, 'd, 'w>(&'a mut AttributesList<'d, 'w>);

impl AttrWriter<'_, '_, '_> {
    fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.0.set(name, &escaped(value), true);
        self
    }

    fn all(&mut self, pairs: &[(&str, &str)]) -> &mut Self {
        for (name, value) in pairs {
            self.set(name, value);
        }
        self
    }
}

/// How many nodes without edges stand in a row.
const IDLE: usize = 5;

const FONT: &str = "Helvetica,Arial,sans-serif";
const TEXT: &str = "#1f2933";
const BLUE: &str = "#0b62b0";
const ORANGE: &str = "#a65100";
const MAGENTA: &str = "#9c1f7d";
const MUTED: &str = "#6b7785";
const WIDENED: &str = "#b3310c";
const NARROWED: &str = "#006d5b";
const MOVED: &str = "#6a3fb5";

/// Writes a drawing.
///
/// # Errors
/// When the writer fails.
pub fn write(drawing: &Drawing, out: &mut dyn Write) -> io::Result<()> {
    let mut bytes = Vec::new();
    {
        let mut writer = DotWriter::from(&mut bytes);
        writer.set_pretty_print(true);
        let mut graph = writer.digraph();
        Picture {
            drawing,
            anchors: anchors(drawing),
        }
        .write(&mut graph);
    }
    out.write_all(&bytes)
}

/// The node inside each frame that edges to the frame end at.
fn anchors(drawing: &Drawing) -> BTreeMap<usize, NodeIndex> {
    let mut anchors = BTreeMap::new();
    for i in drawing
        .graph
        .node_indices()
        .filter(|i| drawing.graph[*i].shape != NodeShape::Frame)
    {
        if let Some(frame) = drawing.graph[i].frame {
            anchors.entry(frame).or_insert(i);
        }
    }
    anchors
}

struct Picture<'a> {
    drawing: &'a Drawing,
    anchors: BTreeMap<usize, NodeIndex>,
}

impl Picture<'_> {
    fn write(&self, graph: &mut Scope<'_, '_>) {
        for (name, value) in [
            ("rankdir", "LR"),
            ("compound", "true"),
            ("newrank", "true"),
            ("bgcolor", "white"),
            ("fontname", FONT),
            ("fontsize", "11"),
            ("fontcolor", MUTED),
            ("labelloc", "b"),
            ("labeljust", "l"),
            ("nodesep", "0.25"),
            ("ranksep", "0.9"),
        ] {
            graph.set(name, &escaped(value), true);
        }
        // `\l` ends a line that is set flush left
        let caption: String = self
            .drawing
            .caption
            .iter()
            .flat_map(|line| [escaped(line), "\\l".into()])
            .collect();
        graph.set("label", &caption, true);
        AttrWriter(&mut graph.node_attributes()).all(&[
            ("fontname", FONT),
            ("fontsize", "11"),
            ("fontcolor", TEXT),
            ("shape", "box"),
            ("style", "rounded,filled"),
            ("fillcolor", "#f7f9fb"),
            ("color", MUTED),
        ]);
        AttrWriter(&mut graph.edge_attributes()).all(&[
            ("fontname", FONT),
            ("fontsize", "10"),
            ("fontcolor", BLUE),
            ("color", BLUE),
            ("arrowsize", "0.7"),
        ]);
        self.nodes_of(None, graph);
        for (i, frame) in self.drawing.frames.iter().enumerate() {
            let mut cluster = graph.cluster();
            let mut title = frame.title.clone();
            if let Some(inside) = &frame.inside {
                title = format!("{title}\nall to all inside: {inside}");
            }
            for (name, value) in [
                ("label", title.as_str()),
                ("id", &frame.id),
                ("style", "rounded"),
                ("color", MUTED),
                ("fontcolor", TEXT),
                ("labeljust", "l"),
                ("labelloc", "t"),
                ("margin", "12"),
            ] {
                cluster.set(name, &escaped(value), true);
            }
            self.nodes_of(Some(i), &mut cluster);
        }
        for row in self.idle().chunks(IDLE) {
            row.windows(2).for_each(|pair| {
                let mut attributes = graph.edge(quoted(&pair[0]), quoted(&pair[1])).attributes();
                AttrWriter(&mut attributes).all(&[("style", "invis"), ("minlen", "1")]);
            });
        }
        for edge in self.drawing.graph.edge_references() {
            self.edge(edge.source(), edge.target(), edge.weight(), graph);
        }
    }

    /// Nodes no edge touches, one of each frame that no edge touches: they are laid out in rows,
    /// not in one tall column.
    fn idle(&self) -> Vec<String> {
        let graph = &self.drawing.graph;
        let frame = |i: NodeIndex| graph[i].frame;
        let busy: Vec<NodeIndex> = graph
            .edge_references()
            .flat_map(|e| [e.source(), e.target()])
            .collect();
        let frames: Vec<usize> = busy.iter().filter_map(|i| frame(*i)).collect();
        let nodes = graph.node_indices().filter(|i| match frame(*i) {
            Some(f) => self.anchors.get(&f) == Some(i) && !frames.contains(&f),
            None => !busy.contains(i) && graph[*i].shape != NodeShape::Frame,
        });
        nodes.map(|i| graph[i].id.clone()).collect()
    }

    fn nodes_of(&self, frame: Option<usize>, scope: &mut Scope<'_, '_>) {
        let nodes = self.drawing.graph.node_weights();
        for node in nodes.filter(|n| n.frame == frame && n.shape != NodeShape::Frame) {
            let mut attributes = scope.node_named(quoted(&node.id));
            for (name, value) in attributes_of(node) {
                attributes.set(name, &escaped(&value), true);
            }
        }
    }

    /// The node an edge is written to, and the frame it is clipped at.
    fn end(&self, index: NodeIndex) -> Option<(String, Option<usize>)> {
        let node = &self.drawing.graph[index];
        match (node.shape, node.frame) {
            (NodeShape::Frame, Some(frame)) => Some((
                self.drawing.graph[*self.anchors.get(&frame)?].id.clone(),
                Some(frame),
            )),
            _ => Some((node.id.clone(), None)),
        }
    }

    fn edge(&self, from: NodeIndex, to: NodeIndex, link: &DrawnEdge, graph: &mut Scope<'_, '_>) {
        let (Some((tail, ltail)), Some((head, lhead))) = (self.end(from), self.end(to)) else {
            return;
        };
        let mut attributes = graph.edge(quoted(&tail), quoted(&head)).attributes();
        let mut sheet = AttrWriter(&mut attributes);
        sheet
            .set("label", &link.label)
            .set("edgetooltip", &link.title)
            .set("labeltooltip", &link.title);
        if let Some(frame) = ltail {
            sheet.set("ltail", &format!("cluster_{frame}"));
        }
        if let Some(frame) = lhead {
            sheet.set("lhead", &format!("cluster_{frame}"));
        }
        if link.both {
            sheet.set("dir", "both");
        }
        sheet.all(line(link));
        if self.drawing.compared && link.change.is_none() {
            sheet.all(&[("color", MUTED), ("fontcolor", MUTED), ("penwidth", "0.6")]);
        }
    }
}

/// How the line of an edge is drawn.
fn line(link: &DrawnEdge) -> &'static [(&'static str, &'static str)] {
    match (link.change, link.certainty) {
        (Some(DrawnChange::Widened), _) => &[
            ("penwidth", "2.5"),
            ("color", WIDENED),
            ("fontcolor", WIDENED),
        ],
        (Some(DrawnChange::Narrowed), _) => &[
            ("style", "dashed"),
            ("penwidth", "1.5"),
            ("color", NARROWED),
            ("fontcolor", NARROWED),
        ],
        (Some(DrawnChange::Moved), _) => &[
            ("style", "bold"),
            ("color", "#6a3fb5:#6a3fb5"),
            ("fontcolor", MOVED),
        ],
        (None, EdgeCertainty::Sure) if link.is_door => &[
            ("color", MAGENTA),
            ("fontcolor", MAGENTA),
            ("penwidth", "1.6"),
        ],
        (None, EdgeCertainty::Sure) => &[],
        (None, EdgeCertainty::Partly) => &[("style", "dashed")],
        (None, EdgeCertainty::Unknown) => {
            &[("style", "dotted"), ("color", MUTED), ("fontcolor", MUTED)]
        }
    }
}

fn attributes_of(node: &DrawnNode) -> Vec<(&'static str, String)> {
    let lines = node
        .lines
        .iter()
        .chain(&node.badges)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    let mut list = vec![
        ("id", node.id.clone()),
        ("label", lines),
        ("tooltip", node.title.clone()),
    ];
    let mut set = |pairs: &[(&'static str, &str)]| {
        list.extend(pairs.iter().map(|(k, v)| (*k, (*v).to_owned())));
    };
    match node.shape {
        NodeShape::Workloads | NodeShape::Namespace | NodeShape::Frame => {}
        NodeShape::Internet => set(&[
            ("shape", "octagon"),
            ("style", "filled"),
            ("color", MAGENTA),
            ("fontcolor", MAGENTA),
            ("fillcolor", "#fdf3fa"),
        ]),
        NodeShape::Private => set(&[("shape", "octagon"), ("style", "filled")]),
        NodeShape::Addresses => set(&[("shape", "box"), ("style", "filled")]),
        NodeShape::Potential => set(&[("style", "rounded,dashed"), ("color", MUTED)]),
        NodeShape::Everyone => set(&[("shape", "box"), ("peripheries", "2"), ("style", "filled")]),
        NodeShape::Hub => set(&[
            ("shape", "box"),
            ("style", "rounded,filled"),
            ("fillcolor", "#ffffff"),
            ("color", BLUE),
            ("fontcolor", BLUE),
            ("fontsize", "10"),
            ("height", "0.3"),
        ]),
    }
    if node.open[1] {
        set(&[("color", ORANGE)]);
    }
    if node.open[0] {
        set(&[
            ("color", ORANGE),
            ("style", "rounded,filled,dashed"),
            ("penwidth", "2"),
            ("fillcolor", "#fff4e6"),
        ]);
    } else if node.doubt {
        set(&[("style", "rounded,filled,dotted"), ("penwidth", "2")]);
    }
    match node.change {
        None => {}
        Some(DrawnChange::Widened) => set(&[("color", WIDENED), ("fontcolor", WIDENED)]),
        Some(DrawnChange::Narrowed) => set(&[("color", NARROWED), ("fontcolor", NARROWED)]),
        Some(DrawnChange::Moved) => set(&[("color", MOVED), ("fontcolor", MOVED)]),
    }
    list
}
