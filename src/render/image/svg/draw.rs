//! A placed drawing as SVG elements.

use crate::picture::{Drawing, DrawnChange, DrawnEdge, DrawnNode, EdgeCertainty, NodeShape};
use crate::render::image::svg::escape::escape;
use crate::render::image::svg::place;
use crate::render::image::svg::place::{Area, LINE, Placement, TITLE, place, titles};
use std::fmt::Write as _;
use std::io::{self, Write};

/// The colours of a picture, light, and dark for those who prefer it.
pub const STYLE: &str = include_str!("style.css");

/// Writes a drawing as a file of its own.
///
/// # Errors
/// When the writer fails.
pub fn write(drawing: &Drawing, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(picture(drawing, Some(STYLE), "").as_bytes())
}

/// Writes a drawing to stand inside a page, which styles it; ids begin with `prefix`, so that
/// pictures may stand together.
pub fn inline(drawing: &Drawing, prefix: &str) -> String {
    picture(drawing, None, prefix)
}

const MARGIN: i32 = 12;

fn picture(drawing: &Drawing, style: Option<&str>, prefix: &str) -> String {
    let placement = place(drawing);
    let caption = i32::try_from(drawing.caption.len()).unwrap_or(0) * LINE + 10;
    let text = drawing
        .caption
        .iter()
        .map(|c| place::width(c))
        .max()
        .unwrap_or(0);
    let (w, h) = (
        placement.size.0.max(text) + 2 * MARGIN,
        placement.size.1 + caption + 2 * MARGIN,
    );
    let mut svg = Svg {
        drawing,
        placement: &placement,
        out: String::new(),
        labels: Vec::new(),
        prefix,
    };
    let _ = write!(
        svg.out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"np\" role=\"img\" aria-labelledby=\"{prefix}np-title {prefix}np-desc\" \
         width=\"{w}\" height=\"{h}\" viewBox=\"{} {} {w} {h}\">\n<title id=\"{prefix}np-title\">Who may reach whom</title>\n\
         <desc id=\"{prefix}np-desc\">{}</desc>\n",
        -MARGIN,
        -MARGIN,
        escape(&drawing.summary)
    );
    if let Some(style) = style {
        let _ = write!(
            svg.out,
            "<style>\n{style}</style>\n<rect class=\"np-page\" x=\"{0}\" y=\"{0}\" width=\"{w}\" height=\"{h}\"/>\n",
            -MARGIN
        );
    }
    svg.frames();
    svg.edges();
    svg.nodes();
    for (i, line) in (0..).zip(&drawing.caption) {
        let y = placement.size.1 + 10 + (i + 1) * LINE;
        let _ = writeln!(
            svg.out,
            "<text class=\"np-caption\" x=\"0\" y=\"{y}\">{}</text>",
            escape(line)
        );
    }
    svg.out.push_str("</svg>\n");
    svg.out
}

struct Svg<'a> {
    drawing: &'a Drawing,
    placement: &'a Placement,
    out: String,
    /// What ids begin with.
    prefix: &'a str,
    /// Where labels were put.
    labels: Vec<Area>,
}

fn change_class(change: Option<DrawnChange>) -> &'static str {
    match change {
        None => "",
        Some(DrawnChange::Widened) => " np-widened",
        Some(DrawnChange::Narrowed) => " np-narrowed",
        Some(DrawnChange::Moved) => " np-moved",
    }
}

impl Svg<'_> {
    fn frames(&mut self) {
        for (frame, area) in self.drawing.frames.iter().zip(&self.placement.frames) {
            let Area { x, y, w, h } = area;
            let _ = writeln!(
                self.out,
                "<g class=\"np-frame\" id=\"{}{}\"><rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"8\"/>",
                self.prefix, frame.id
            );
            for (i, title) in (0..).zip(titles(frame)) {
                let class = if i == 0 { "np-title" } else { "np-inside" };
                let _ = writeln!(
                    self.out,
                    "<text class=\"{class}\" x=\"{}\" y=\"{}\">{}</text>",
                    x + 12,
                    y + 19 + i * TITLE,
                    escape(&title)
                );
            }
            self.out.push_str("</g>\n");
        }
    }

    fn nodes(&mut self) {
        let graph = &self.drawing.graph;
        for index in graph.node_indices() {
            let node = &graph[index];
            let Some(area) = self.placement.nodes.get(&index) else {
                continue;
            };
            if node.shape != NodeShape::Frame {
                self.node(node, *area);
            }
        }
    }

    fn node(&mut self, node: &DrawnNode, area: Area) {
        let kind = match node.shape {
            NodeShape::Workloads | NodeShape::Frame => "np-workload",
            NodeShape::Namespace => "np-namespace",
            NodeShape::Everyone => "np-everyone",
            NodeShape::Internet => "np-internet",
            NodeShape::Private => "np-private",
            NodeShape::Addresses => "np-addresses",
            NodeShape::Potential => "np-potential",
            NodeShape::Hub => "np-hub",
        };
        let marks: String = [
            (node.open[0], " np-open-in"),
            (node.open[1], " np-open-out"),
            (node.doubt, " np-doubt"),
        ]
        .iter()
        .filter(|(has, _)| *has)
        .map(|(_, class)| *class)
        .collect();
        let _ = write!(
            self.out,
            "<g class=\"np-node {kind}{marks}{}\" id=\"{}{}\"><title>{}</title>",
            change_class(node.change),
            self.prefix,
            node.id,
            escape(&node.title)
        );
        self.outline(node.shape, area);
        self.lines(node, area);
        self.out.push_str("</g>\n");
    }

    /// The shape of a node.
    fn outline(&mut self, shape: NodeShape, area: Area) {
        let Area { x, y, w, h } = area;
        let cut = h.min(28) / 3;
        let _ = match shape {
            NodeShape::Internet | NodeShape::Private => write!(
                self.out,
                "<polygon points=\"{},{y} {},{y} {},{} {},{} {},{} {},{} {x},{} {x},{}\"/>",
                x + cut,
                x + w - cut,
                x + w,
                y + cut,
                x + w,
                y + h - cut,
                x + w - cut,
                y + h,
                x + cut,
                y + h,
                y + h - cut,
                y + cut
            ),
            NodeShape::Everyone => write!(
                self.out,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\"/><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
                x + 3,
                y + 3,
                w - 6,
                h - 6
            ),
            NodeShape::Addresses => write!(
                self.out,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\"/>"
            ),
            _ => write!(
                self.out,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"6\"/>"
            ),
        };
    }

    /// The texts of a node, centred.
    fn lines(&mut self, node: &DrawnNode, area: Area) {
        let Area { x, y, w, h } = area;
        let lines: Vec<(&String, &str)> = node
            .lines
            .iter()
            .map(|l| (l, "np-name"))
            .chain(node.badges.iter().map(|l| (l, "np-badge")))
            .collect();
        let first = y + (h - i32::try_from(lines.len()).unwrap_or(0) * LINE) / 2 + 11;
        for (i, (line, class)) in (0..).zip(lines) {
            let class = if class == "np-name" && line.starts_with('(') {
                "np-note"
            } else {
                class
            };
            let _ = writeln!(
                self.out,
                "<text class=\"{class}\" x=\"{}\" y=\"{}\">{}</text>",
                x + w / 2,
                first + i * LINE,
                escape(line)
            );
        }
    }

    fn edges(&mut self) {
        let placement = self.placement;
        let graph = &self.drawing.graph;
        let boxes: Vec<Area> = graph
            .node_indices()
            .filter(|i| graph[*i].shape != NodeShape::Frame)
            .filter_map(|i| placement.nodes.get(&i))
            .copied()
            .collect();
        for (edge, route) in graph.raw_edges().iter().zip(&placement.routes) {
            let ends = [edge.source(), edge.target()].map(|i| graph[i].id.as_str());
            self.edge(&edge.weight, route, ends, &boxes);
        }
    }

    fn edge(&mut self, link: &DrawnEdge, route: &[(i32, i32)], ends: [&str; 2], boxes: &[Area]) {
        let (Some(start), Some(end)) = (route.first(), route.last()) else {
            return;
        };
        let certainty = match link.certainty {
            EdgeCertainty::Sure => "np-allow",
            EdgeCertainty::Partly => "np-allow np-partly",
            EdgeCertainty::Unknown => "np-unknown",
        };
        let door = if link.is_door { " np-door" } else { "" };
        let stands = match link.stands {
            [false, _] => " np-new",
            [_, false] => " np-gone",
            _ => "",
        };
        let same = if self.drawing.compared && link.change.is_none() {
            " np-same"
        } else {
            stands
        };
        let _ = write!(
            self.out,
            "<g class=\"np-edge {certainty}{door}{}{same}\" data-from=\"{p}{}\" data-to=\"{p}{}\"><title>{}</title>",
            change_class(link.change),
            ends[0],
            ends[1],
            escape(&link.title),
            p = self.prefix
        );
        let curve = curve(route);
        let _ = write!(self.out, "<path d=\"{curve}\"/>");
        if link.change == Some(DrawnChange::Moved) {
            // a double line: the page shows through the middle of a thick one
            let _ = write!(self.out, "<path class=\"np-core\" d=\"{curve}\"/>");
        }
        let before = route
            .len()
            .checked_sub(2)
            .and_then(|i| route.get(i))
            .unwrap_or(start);
        self.head(*end, before.0 <= end.0);
        if link.both {
            let after = route.get(1).unwrap_or(end);
            self.head(*start, after.0 <= start.0);
        }
        if !link.label.is_empty() {
            let at = self.label_at(route, place::width(&link.label), boxes);
            let _ = write!(
                self.out,
                "<text x=\"{}\" y=\"{}\">{}</text>",
                at.0,
                at.1,
                escape(&link.label)
            );
        }
        self.out.push_str("</g>\n");
    }

    /// An arrow head: edges enter boxes from the side.
    fn head(&mut self, (x, y): (i32, i32), rightwards: bool) {
        let back = if rightwards { x - 8 } else { x + 8 };
        let _ = write!(
            self.out,
            "<polygon points=\"{x},{y} {back},{} {back},{}\"/>",
            y - 4,
            y + 4
        );
    }

    /// A place on the line for a label where nothing else is; the middle of the first long piece if
    /// there is none.
    fn label_at(&mut self, route: &[(i32, i32)], width: i32, boxes: &[Area]) -> (i32, i32) {
        let level = |p: &&[(i32, i32)]| p[0].1 == p[1].1 && (p[1].0 - p[0].0).abs() > width + 8;
        let long = |p: &&[(i32, i32)]| (p[1].0 - p[0].0).abs() > 24;
        let levels = route.windows(2).filter(level).map(|p| along(p[0], p[1], 8));
        let bends = route
            .windows(2)
            .filter(long)
            .flat_map(|p| [10, 8, 11, 6, 12, 4, 13, 3].map(|t| along(p[0], p[1], t)));
        let spots: Vec<(i32, i32)> = levels.chain(bends).collect();
        let area = |(x, y): (i32, i32)| Area {
            x: x - width / 2 - 2,
            y: y - 12,
            w: width + 4,
            h: 14,
        };
        let free = |s: &&(i32, i32)| {
            !self
                .labels
                .iter()
                .chain(boxes)
                .any(|a| meets(a, &area(**s)))
        };
        let free = spots.iter().find(free).or_else(|| {
            spots
                .iter()
                .find(|s| !self.labels.iter().any(|a| meets(a, &area(**s))))
        });
        let spot = free
            .or_else(|| spots.first())
            .or_else(|| route.first())
            .copied()
            .unwrap_or_default();
        self.labels.push(area(spot));
        spot
    }
}

/// The path through the points of a route: level pieces, and bends between them.
fn curve(route: &[(i32, i32)]) -> String {
    let mut path = route
        .first()
        .map_or_else(String::new, |(x, y)| format!("M{x},{y}"));
    for pair in route.windows(2) {
        let ((x1, y1), (x2, y2)) = (pair[0], pair[1]);
        let bend = (x2 - x1) / 2;
        // INVARIANT: writing to a string does not fail
        let _ = if y1 == y2 {
            write!(path, " L{x2},{y2}")
        } else {
            write!(path, " C{},{y1} {},{y2} {x2},{y2}", x1 + bend, x2 - bend)
        };
    }
    path
}

/// A point of the curve between two points, `t` in sixteenths, a little above the line.
fn along(a: (i32, i32), b: (i32, i32), t: i32) -> (i32, i32) {
    // the curve's ends are level: in height it follows 3t² - 2t³
    let rise = (3 * t * t * 16 - 2 * t * t * t) * (b.1 - a.1) / 4096;
    (a.0 + (b.0 - a.0) * t / 16, a.1 + rise - 4)
}

fn meets(a: &Area, b: &Area) -> bool {
    a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
}
