//! A drawing as text for a terminal: namespaces, what may come into each from where, and the
//! counts.

use crate::picture::{Drawing, DrawnNode, NodeShape};
use crate::render::context::Style;
use petgraph::Direction;
use petgraph::visit::EdgeRef;
use std::io::{self, Write};

/// Writes a drawing as a tree: each node, and under it what may reach it.
///
/// # Errors
/// When the writer fails.
pub fn write(drawing: &Drawing, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let graph = &drawing.graph;
    for index in graph.node_indices() {
        let node = &graph[index];
        let mut edges: Vec<(String, String)> = Vec::new();
        for (direction, arrow) in [(Direction::Incoming, "<-"), (Direction::Outgoing, "->")] {
            for edge in graph.edges_directed(index, direction) {
                let other = if direction == Direction::Incoming {
                    edge.source()
                } else {
                    edge.target()
                };
                if direction == Direction::Outgoing
                    && !(edge.weight().both || graph[other].shape == NodeShape::Hub)
                {
                    continue;
                }
                let arrow = if edge.weight().both { "<->" } else { arrow };
                let label = &edge.weight().label;
                let label = if label.is_empty() {
                    String::new()
                } else {
                    format!("   {label}")
                };
                edges.push((format!("{arrow} {}", name(drawing, &graph[other])), label));
            }
        }
        if edges.is_empty() && is_idle(node) {
            continue;
        }
        let badges = if node.badges.is_empty() {
            String::new()
        } else {
            format!("   {}", node.badges.join(", "))
        };
        writeln!(out, "{}{}", style.paint("1", &name(drawing, node)), badges)?;
        let last = edges.len().saturating_sub(1);
        for (i, (other, label)) in edges.iter().enumerate() {
            writeln!(
                out,
                "{} {other}{label}",
                if i == last { "└──" } else { "├──" }
            )?;
        }
    }
    drawing
        .caption
        .iter()
        .try_for_each(|line| writeln!(out, "{}", style.dim(line)))
}

/// Whether a node says nothing without edges; pods that are not in the input say that they are not,
/// and nothing more unless policies close them off.
fn is_idle(node: &DrawnNode) -> bool {
    match node.shape {
        NodeShape::Workloads | NodeShape::Namespace => false,
        NodeShape::Potential => node.badges.len() < 2,
        _ => true,
    }
}

/// What a node is called where no frame is drawn around it.
fn name(drawing: &Drawing, node: &DrawnNode) -> String {
    let name = node.lines.join(", ");
    match (node.shape, node.frame.and_then(|f| drawing.frames.get(f))) {
        (NodeShape::Frame, Some(frame)) => frame.title.clone(),
        (NodeShape::Potential, _) => node.title.clone(),
        (NodeShape::Hub, Some(frame)) => format!("{}: {name}", frame.name),
        (_, Some(frame)) => format!("{}/{name}", frame.name),
        (_, None) => name,
    }
}
