//! Mermaid, as code hosts draw it in comments: a flow chart from left to right.
//!
//! Every text is quoted with everything but plain characters written as `#code;`, so that no
//! name can end a label or start a directive. Cut at [`MOST`] edges: beyond, Mermaid gives up or
//! nobody reads it.

use crate::picture::{Drawing, DrawnChange, EdgeCertainty, NodeShape};
use petgraph::visit::EdgeRef;
use std::io::{self, Write};

/// Most edges that are written.
pub const MOST: usize = 60;

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '\n' => out.push_str("<br/>"),
            'a'..='z'
            | 'A'..='Z'
            | '0'..='9'
            | ' '
            | '.'
            | ','
            | '-'
            | '_'
            | '/'
            | '+'
            | ':'
            | '('
            | ')' => {
                out.push(c);
            }
            c if c.is_alphanumeric() => out.push(c),
            c => out.push_str(&format!("#{};", u32::from(c))),
        }
    }
    out.push('"');
    out
}

/// Writes a drawing.
///
/// # Errors
/// When the writer fails.
pub fn write(drawing: &Drawing, out: &mut dyn Write) -> io::Result<()> {
    let graph = &drawing.graph;
    writeln!(out, "flowchart LR")?;
    for frame in std::iter::once(None).chain((0..drawing.frames.len()).map(Some)) {
        if let Some(f) = frame {
            let frame = &drawing.frames[f];
            let inside = frame
                .inside
                .as_ref()
                .map_or_else(String::new, |t| format!("\nall to all inside: {t}"));
            writeln!(
                out,
                "  subgraph {}[{}]",
                id(&frame.id),
                quoted(&format!("{}{inside}", frame.title))
            )?;
        }
        for node in graph
            .node_weights()
            .filter(|n| n.frame == frame && n.shape != NodeShape::Frame)
        {
            let text = quoted(
                &node
                    .lines
                    .iter()
                    .chain(&node.badges)
                    .cloned()
                    .collect::<Vec<_>>()
                    .join("\n"),
            );
            let shaped = match node.shape {
                NodeShape::Internet | NodeShape::Private => format!("{{{{{text}}}}}"),
                NodeShape::Everyone => format!("[[{text}]]"),
                NodeShape::Addresses => format!("[{text}]"),
                _ => format!("({text})"),
            };
            let class = match (node.open[0], node.doubt, node.shape) {
                (true, ..) => ":::open",
                (_, true, _) => ":::doubt",
                (_, _, NodeShape::Internet) => ":::internet",
                (_, _, NodeShape::Potential) => ":::potential",
                _ => "",
            };
            writeln!(out, "    {}{shaped}{class}", id(&node.id))?;
        }
        if frame.is_some() {
            writeln!(out, "  end")?;
        }
    }
    edges(drawing, out)?;
    writeln!(
        out,
        "  classDef open fill:#fff4e6,stroke:#a65100,stroke-width:2px,stroke-dasharray:6 3,color:#1f2933"
    )?;
    writeln!(
        out,
        "  classDef doubt stroke-width:2px,stroke-dasharray:2 3"
    )?;
    writeln!(
        out,
        "  classDef internet fill:#fdf3fa,stroke:#9c1f7d,color:#9c1f7d"
    )?;
    writeln!(
        out,
        "  classDef potential fill:none,stroke:#6b7785,stroke-dasharray:5 4"
    )?;
    drawing
        .caption
        .iter()
        .try_for_each(|line| writeln!(out, "%% {}", line.replace(['{', '}', '%'], " ")))
}

fn edges(drawing: &Drawing, out: &mut dyn Write) -> io::Result<()> {
    let graph = &drawing.graph;
    for (i, edge) in graph.edge_references().take(MOST).enumerate() {
        let link = edge.weight();
        let line = match (link.both, link.certainty, link.change) {
            (false, _, Some(DrawnChange::Widened)) => "==>",
            (true, _, Some(DrawnChange::Widened)) => "<==>",
            (false, _, Some(DrawnChange::Narrowed))
            | (false, EdgeCertainty::Unknown | EdgeCertainty::Partly, _) => "-.->",
            (true, _, Some(DrawnChange::Narrowed))
            | (true, EdgeCertainty::Unknown | EdgeCertainty::Partly, _) => "<-.->",
            (false, ..) => "-->",
            (true, ..) => "<-->",
        };
        let label = if link.label.is_empty() {
            String::new()
        } else {
            format!("|{}|", quoted(&link.label))
        };
        writeln!(
            out,
            "  {} {line}{label} {}",
            id(&graph[edge.source()].id),
            id(&graph[edge.target()].id)
        )?;
        if let Some(change) = link.change {
            let colour = match change {
                DrawnChange::Widened => "#b3310c",
                DrawnChange::Narrowed => "#006d5b",
                DrawnChange::Moved => "#6a3fb5",
            };
            writeln!(out, "  linkStyle {i} stroke:{colour},color:{colour}")?;
        }
    }
    let more = graph.edge_count().saturating_sub(MOST);
    if more > 0 {
        writeln!(out, "  more[\"and {more} more edges\"]")
    } else {
        Ok(())
    }
}

/// An id that is no word of Mermaid's: `end` and friends break a chart.
fn id(id: &str) -> String {
    format!("x{}", id.replace("--", "_"))
}
