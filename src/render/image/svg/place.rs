//! Where a drawing's nodes, frames and edges go.
//!
//! Two levels of the same engine (`crate::render::image::svg::layered`): each frame lays out its
//! own nodes, with a point on its left or right side for every node that has edges across it; then
//! frames and loose nodes are laid out as boxes. What no edge touches goes into rows below, instead
//! of into one tall column.

use crate::picture::{Drawing, DrawnFrame, NodeShape};
use crate::render::image::svg::layered::{Job, Pin, layered};
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;
use std::collections::{BTreeMap, BTreeSet};

/// A box: x, y, width, height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Area {
    /// Left.
    pub x: i32,
    /// Top.
    pub y: i32,
    /// Width.
    pub w: i32,
    /// Height.
    pub h: i32,
}

/// Where everything is.
#[derive(Debug, Clone, Default)]
pub struct Placement {
    /// Each node; those of shape `Frame` have the area of their frame.
    pub nodes: BTreeMap<NodeIndex, Area>,
    /// Each frame.
    pub frames: Vec<Area>,
    /// The points of each edge, from end to end, in the order of the graph.
    pub routes: Vec<Vec<(i32, i32)>>,
    /// Width and height of the whole.
    pub size: (i32, i32),
}

/// Height of a line of text.
pub const LINE: i32 = 15;
/// Height of a frame's title line.
pub const TITLE: i32 = 18;
const PAD: i32 = 12;
const GAP: i32 = 16;

/// How wide a text is at 12 pixels, roughly: fonts differ.
pub fn width(text: &str) -> i32 {
    text.chars().map(tenths).sum::<i32>() / 10 + 1
}

/// The width of a character in tenths of a pixel.
fn tenths(c: char) -> i32 {
    match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | 'I' => 35,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | ' ' | '-' => 45,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' => 105,
        c if c.is_ascii_uppercase() => 85,
        c if c.is_ascii() => 69,
        _ => 110,
    }
}

/// The lines over a frame.
pub fn titles(frame: &DrawnFrame) -> Vec<String> {
    let inside = frame
        .inside
        .iter()
        .map(|t| format!("all to all inside: {t}"));
    std::iter::once(frame.title.clone()).chain(inside).collect()
}

/// Places a drawing.
pub fn place(drawing: &Drawing) -> Placement {
    let mut placer = Placer {
        drawing,
        out: Placement::default(),
        inner: Vec::new(),
    };
    placer.insides();
    placer.outside();
    placer.routes();
    placer.out
}

/// The inside of a frame, relative to its corner.
#[derive(Default)]
struct FrameLayout {
    size: (i32, i32),
    nodes: BTreeMap<NodeIndex, Area>,
    /// Per edge inside the frame, its points.
    routes: BTreeMap<usize, Vec<(i32, i32)>>,
    /// For a node with edges across a side (left, right), the points up to that side.
    exits: [BTreeMap<NodeIndex, Vec<(i32, i32)>>; 2],
}

struct Placer<'a> {
    drawing: &'a Drawing,
    out: Placement,
    inner: Vec<FrameLayout>,
}

/// A frame or a loose node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum PlacedUnit {
    Frame(usize),
    Node(NodeIndex),
}

impl Placer<'_> {
    fn unit(&self, node: NodeIndex) -> PlacedUnit {
        self.drawing.graph[node]
            .frame
            .map_or(PlacedUnit::Node(node), PlacedUnit::Frame)
    }

    fn size(&self, node: NodeIndex) -> (i32, i32) {
        let node = &self.drawing.graph[node];
        let lines = node.lines.len() + node.badges.len();
        let text = node
            .lines
            .iter()
            .chain(&node.badges)
            .map(|l| width(l))
            .max()
            .unwrap_or(0);
        let lines = i32::try_from(lines).unwrap_or(1);
        match node.shape {
            NodeShape::Hub => (text + 14, lines * LINE + 4),
            NodeShape::Internet | NodeShape::Private => (text + 40, lines * LINE + 18),
            _ => (text + 22, lines * LINE + 12),
        }
    }

    fn edges(&self) -> impl Iterator<Item = (usize, NodeIndex, NodeIndex, i32)> + '_ {
        let edges = self.drawing.graph.edge_references().enumerate();
        edges.map(|(i, e)| (i, e.source(), e.target(), width(&e.weight().label)))
    }

    fn insides(&mut self) {
        self.inner = (0..self.drawing.frames.len())
            .map(|f| self.inside(f))
            .collect();
    }

    fn inside(&self, frame: usize) -> FrameLayout {
        let graph = &self.drawing.graph;
        let mine =
            |n: NodeIndex| graph[n].frame == Some(frame) && graph[n].shape != NodeShape::Frame;
        let touched: BTreeSet<NodeIndex> = self.edges().flat_map(|(_, a, b, _)| [a, b]).collect();
        let (busy, idle): (Vec<NodeIndex>, Vec<NodeIndex>) = graph
            .node_indices()
            .filter(|n| mine(*n))
            .partition(|n| touched.contains(n));
        let at: BTreeMap<NodeIndex, usize> =
            busy.iter().enumerate().map(|(i, n)| (*n, i)).collect();
        let mut job = Job {
            gap: GAP,
            ..Job::default()
        };
        job.sizes = busy.iter().map(|n| self.size(*n)).collect();
        job.pins = vec![Pin::Free; busy.len()];
        let mut own = Vec::new();
        let mut sides: [BTreeSet<NodeIndex>; 2] = Default::default();
        for (e, a, b, label) in self.edges() {
            match (at.get(&a), at.get(&b)) {
                (Some(i), Some(j)) => {
                    own.push(e);
                    job.edges.push((*i, *j, label));
                }
                (Some(_), None) => drop(sides[1].insert(a)),
                (None, Some(_)) => drop(sides[0].insert(b)),
                (None, None) => {}
            }
        }
        let exits: Vec<(usize, NodeIndex)> = (0..2)
            .flat_map(|s| sides[s].iter().map(move |n| (s, *n)))
            .collect();
        for (side, node) in &exits {
            let i = job.sizes.len();
            job.sizes.push((0, 8));
            job.pins
                .push(if *side == 0 { Pin::First } else { Pin::Last });
            job.edges.push(if *side == 0 {
                (i, at[node], 0)
            } else {
                (at[node], i, 0)
            });
        }
        let placed = layered(&job);
        let shift = |(x, y): (i32, i32)| (x + PAD, y + self.head(frame));
        let mut inside = FrameLayout::default();
        for (i, node) in busy.iter().enumerate() {
            let ((x, y), (w, h)) = (shift(placed.at[i]), job.sizes[i]);
            inside.nodes.insert(*node, Area { x, y, w, h });
        }
        for (i, route) in placed.routes.iter().enumerate() {
            let mut points: Vec<(i32, i32)> = route.iter().map(|p| shift(*p)).collect();
            if let Some(e) = own.get(i) {
                inside.routes.insert(*e, points);
            } else if let Some((side, node)) = exits.get(i - own.len()) {
                let (x, y) = shift(placed.at[busy.len() + i - own.len()]);
                points.insert(if *side == 0 { 0 } else { points.len() }, (x, y + 4));
                inside.exits[*side].insert(*node, points);
            }
        }
        let below = self.head(frame) + placed.size.1 + if busy.is_empty() { 0 } else { GAP };
        let (w, h) = self.rows(&idle, PAD, below, placed.size.0.max(360), &mut inside.nodes);
        let title = self
            .titles(frame)
            .iter()
            .map(|t| width(t) * 5 / 4)
            .max()
            .unwrap_or(0);
        let right = (placed.size.0 + PAD).max(w).max(title + PAD);
        let bottom = if idle.is_empty() {
            self.head(frame) + placed.size.1
        } else {
            h
        };
        inside.size = (right + PAD, bottom + PAD);
        inside
    }

    /// The title lines of a frame.
    fn titles(&self, frame: usize) -> Vec<String> {
        titles(&self.drawing.frames[frame])
    }

    fn head(&self, frame: usize) -> i32 {
        i32::try_from(self.titles(frame).len()).unwrap_or(1) * TITLE + PAD
    }

    /// Stands nodes side by side, in rows of about a width; returns the right and the bottom end.
    fn rows(
        &self,
        nodes: &[NodeIndex],
        x: i32,
        y: i32,
        most: i32,
        into: &mut BTreeMap<NodeIndex, Area>,
    ) -> (i32, i32) {
        let sizes: Vec<(i32, i32)> = nodes.iter().map(|n| self.size(*n)).collect();
        let (places, right, bottom) = rows(&sizes, x, y, most);
        for ((node, (w, h)), (x, y)) in nodes.iter().zip(sizes).zip(places) {
            into.insert(*node, Area { x, y, w, h });
        }
        (right, bottom)
    }

    fn outside(&mut self) {
        let graph = &self.drawing.graph;
        let loose = graph
            .node_indices()
            .filter(|n| graph[*n].frame.is_none())
            .map(PlacedUnit::Node);
        let all: Vec<PlacedUnit> = (0..self.drawing.frames.len())
            .map(PlacedUnit::Frame)
            .chain(loose)
            .collect();
        let busy: BTreeSet<PlacedUnit> = self
            .edges()
            .map(|(_, a, b, _)| [self.unit(a), self.unit(b)])
            .filter(|[a, b]| a != b)
            .flatten()
            .collect();
        let (busy, idle): (Vec<PlacedUnit>, Vec<PlacedUnit>) =
            all.into_iter().partition(|u| busy.contains(u));
        let at: BTreeMap<PlacedUnit, usize> =
            busy.iter().enumerate().map(|(i, u)| (*u, i)).collect();
        let size = |u: &PlacedUnit| match u {
            PlacedUnit::Frame(f) => self.inner[*f].size,
            PlacedUnit::Node(n) => self.size(*n),
        };
        let mut job = Job {
            gap: GAP + 4,
            sizes: busy.iter().map(size).collect(),
            pins: vec![Pin::Free; busy.len()],
            ..Job::default()
        };
        let mut bundles: BTreeMap<(usize, usize), i32> = BTreeMap::new();
        for (_, a, b, label) in self.edges() {
            if let (Some(i), Some(j)) = (at.get(&self.unit(a)), at.get(&self.unit(b))) {
                let room = bundles.entry((*i, *j)).or_default();
                *room = label.max(*room);
            }
        }
        bundles.retain(|(a, b), _| a != b);
        job.edges = bundles
            .iter()
            .map(|((a, b), room)| (*a, *b, *room))
            .collect();
        let placed = layered(&job);
        let sizes: Vec<(i32, i32)> = idle.iter().map(size).collect();
        let below = placed.size.1 + if busy.is_empty() { 0 } else { 2 * GAP };
        let (places, right, bottom) = rows(&sizes, 0, below, placed.size.0.max(900));
        let corners: BTreeMap<PlacedUnit, (i32, i32)> = busy
            .iter()
            .copied()
            .zip(placed.at.iter().copied())
            .chain(idle.iter().copied().zip(places))
            .collect();
        let bundle: BTreeMap<(PlacedUnit, PlacedUnit), &Vec<(i32, i32)>> = bundles
            .keys()
            .map(|(a, b)| (busy[*a], busy[*b]))
            .zip(&placed.routes)
            .collect();
        self.out.size = (
            placed.size.0.max(right),
            if idle.is_empty() {
                placed.size.1
            } else {
                bottom
            },
        );
        let (areas, frames) = self.areas(&corners);
        let middles: Vec<Vec<(i32, i32)>> = self
            .edges()
            .map(|(e, a, b, _)| self.middle(e, a, b, &corners, &bundle))
            .collect();
        (self.out.nodes, self.out.frames, self.out.routes) = (areas, frames, middles);
    }

    fn areas(
        &self,
        corners: &BTreeMap<PlacedUnit, (i32, i32)>,
    ) -> (BTreeMap<NodeIndex, Area>, Vec<Area>) {
        let graph = &self.drawing.graph;
        let mut frames = Vec::new();
        let mut areas = BTreeMap::new();
        for (f, inside) in self.inner.iter().enumerate() {
            let (x, y) = corners
                .get(&PlacedUnit::Frame(f))
                .copied()
                .unwrap_or_default();
            frames.push(Area {
                x,
                y,
                w: inside.size.0,
                h: inside.size.1,
            });
            areas.extend(inside.nodes.iter().map(|(n, a)| {
                (
                    *n,
                    Area {
                        x: a.x + x,
                        y: a.y + y,
                        ..*a
                    },
                )
            }));
        }
        for n in graph.node_indices() {
            match (graph[n].shape, graph[n].frame) {
                (NodeShape::Frame, Some(f)) => drop(areas.insert(n, frames[f])),
                (_, None) => {
                    let ((x, y), (w, h)) = (
                        corners
                            .get(&PlacedUnit::Node(n))
                            .copied()
                            .unwrap_or_default(),
                        self.size(n),
                    );
                    areas.insert(n, Area { x, y, w, h });
                }
                _ => {}
            }
        }
        (areas, frames)
    }

    /// The points of an edge between the boxes of its ends.
    fn middle(
        &self,
        edge: usize,
        a: NodeIndex,
        b: NodeIndex,
        corners: &BTreeMap<PlacedUnit, (i32, i32)>,
        bundle: &BTreeMap<(PlacedUnit, PlacedUnit), &Vec<(i32, i32)>>,
    ) -> Vec<(i32, i32)> {
        let (from, to) = (self.unit(a), self.unit(b));
        let shifted = |unit: PlacedUnit, points: &Vec<(i32, i32)>| {
            let (x, y) = corners.get(&unit).copied().unwrap_or_default();
            points
                .iter()
                .map(|p| (p.0 + x, p.1 + y))
                .collect::<Vec<_>>()
        };
        if let (PlacedUnit::Frame(f), true) = (from, from == to) {
            return self.inner[f]
                .routes
                .get(&edge)
                .map(|r| shifted(from, r))
                .unwrap_or_default();
        }
        let exit = |unit: PlacedUnit, node: NodeIndex, side: usize| match unit {
            PlacedUnit::Frame(f) => self.inner[f].exits[side]
                .get(&node)
                .map(|r| shifted(unit, r))
                .unwrap_or_default(),
            PlacedUnit::Node(_) => Vec::new(),
        };
        let way = bundle
            .get(&(from, to))
            .map(|r| (*r).clone())
            .unwrap_or_default();
        let left = |unit: PlacedUnit| corners.get(&unit).map_or(0, |c| c.0);
        // against the layers an edge leaves on the left and enters on the right, past the other
        // nodes of its frame
        if left(to) < left(from) {
            return way;
        }
        [exit(from, a, 1), way, exit(to, b, 0)].concat()
    }

    /// Adds the points where edges leave and enter, spread over the side of the box.
    fn routes(&mut self) {
        let edges: Vec<(usize, NodeIndex, NodeIndex)> =
            self.edges().map(|(e, a, b, _)| (e, a, b)).collect();
        let mut ports: BTreeMap<(NodeIndex, bool), Vec<((i32, i32), usize, bool)>> =
            BTreeMap::new();
        let center = |a: &Area| (a.x + a.w / 2, a.y + a.h / 2);
        for (e, a, b) in &edges {
            let (Some(from), Some(to)) = (self.out.nodes.get(a), self.out.nodes.get(b)) else {
                continue;
            };
            let route = &self.out.routes[*e];
            let first = route.first().copied().unwrap_or_else(|| center(to));
            let last = route.last().copied().unwrap_or_else(|| center(from));
            ports
                .entry((*a, first.0 >= center(from).0))
                .or_default()
                .push(((first.1, first.0), *e, true));
            ports
                .entry((*b, last.0 >= center(to).0))
                .or_default()
                .push(((last.1, last.0), *e, false));
        }
        for ((node, right), mut list) in ports {
            list.sort_unstable();
            let Some(area) = self.out.nodes.get(&node).copied() else {
                continue;
            };
            // edges that arrive together, through one point, arrive as one
            let mut spots: Vec<(i32, i32)> = list.iter().map(|(p, ..)| *p).collect();
            spots.dedup();
            let n = i32::try_from(spots.len()).unwrap_or(1);
            let x = if right { area.x + area.w } else { area.x };
            for (point, edge, start) in list {
                let i =
                    i32::try_from(spots.iter().position(|s| *s == point).unwrap_or(0)).unwrap_or(0);
                let y =
                    area.y + area.h / 2 + (2 * i + 1 - n) * (area.h * 7 / 10).min(n * 14) / (2 * n);
                let route = &mut self.out.routes[edge];
                route.insert(if start { 0 } else { route.len() }, (x, y));
            }
        }
    }
}

/// Stands boxes side by side in rows; returns their corners, the right and the bottom end.
fn rows(sizes: &[(i32, i32)], left: i32, top: i32, most: i32) -> (Vec<(i32, i32)>, i32, i32) {
    let (mut x, mut y, mut tallest, mut right) = (left, top, 0, left);
    let mut places = Vec::new();
    for (w, h) in sizes {
        if x > left && x + w > left + most {
            (x, y, tallest) = (left, y + tallest + GAP, 0);
        }
        places.push((x, y));
        right = right.max(x + w);
        x += w + GAP;
        tallest = tallest.max(*h);
    }
    (places, right, y + tallest)
}
