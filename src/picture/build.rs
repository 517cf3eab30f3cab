//! From groups and collapsed edges to a [`Drawing`]: frames, nodes, labels, sentences, caption.

use crate::picture::caption::{counts, left_out};
use crate::picture::collapse::{Collapse, EdgeEnd, GroupId, Hub, HubIx};
use crate::picture::drawing::{
    DetailLevel, Drawing, DrawnEdge, DrawnFrame, DrawnNode, EdgeCertainty, NodeShape,
};
use crate::picture::facts::DrawnChange;
use crate::picture::facts::{PassingId, PictureFacts, PicturePlace, PlaceId, PlaceKind, SpaceId};
use crate::picture::label;
use crate::picture::merge::{PlaceGroup, groups};
use crate::picture::node_text::{names, shape, title, together};
use crate::picture::options::DrawOptions;
use crate::picture::scope::Hidden;
use crate::set::Ix;
use crate::words::plural;
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::{BTreeMap, BTreeSet};

/// More namespaces than this, and those with one node are drawn without a frame.
const FRAMES: usize = 12;

/// The groups that become nodes: what is in focus stays alone.
pub fn groups_of(facts: &PictureFacts, options: &DrawOptions) -> Vec<PlaceGroup> {
    let apart: Vec<_> = facts
        .all()
        .filter(|(_, p)| options.focus.contains(&p.key))
        .map(|(id, _)| id)
        .collect();
    groups(facts, &apart)
}

/// Builds the drawing of facts at one level.
pub fn build(
    facts: &PictureFacts,
    groups: &[PlaceGroup],
    hidden: &Hidden,
    level: DetailLevel,
) -> Drawing {
    let collapse = Collapse::new(facts, groups).run();
    let t = facts.tally;
    let quiet = [0, 1].map(|d| t.workloads > 1 && t.open[d] + t.open_by_rule[d] == t.workloads);
    let at = BTreeMap::new();
    let mut builder = Builder {
        facts,
        groups,
        graph: DiGraph::new(),
        frames: Vec::new(),
        at,
        quiet,
    };
    let inside = builder.frames(&collapse);
    builder.nodes(&collapse);
    builder.edges(&collapse, &inside);
    builder.doors();
    let mut caption = counts(facts);
    caption.extend(left_out(hidden));
    if let Some(t) = everyone(&collapse) {
        caption.push(format!(
            "every workload may reach every other: {}",
            label::passing(facts.passing(t))
        ));
    }
    let summary = caption.join(". ");
    Drawing {
        graph: builder.graph,
        frames: builder.frames,
        level,
        caption,
        summary,
        compared: facts.compared,
    }
}

fn everyone(collapse: &Collapse<'_>) -> Option<PassingId> {
    collapse
        .edges
        .iter()
        .find(|(a, b, _)| (*a, *b) == (EdgeEnd::Everyone, EdgeEnd::Everyone))
        .map(|e| e.2)
}

struct Builder<'a> {
    facts: &'a PictureFacts,
    groups: &'a [PlaceGroup],
    graph: DiGraph<DrawnNode, DrawnEdge>,
    frames: Vec<DrawnFrame>,
    at: BTreeMap<EdgeEnd, NodeIndex>,
    /// Directions in which every workload is open: the caption says it once.
    quiet: [bool; 2],
}

impl Builder<'_> {
    /// Makes the frames; returns the namespaces in which everyone reaches everyone, which their
    /// frame says.
    fn frames(&mut self, collapse: &Collapse<'_>) -> BTreeMap<SpaceId, PassingId> {
        let mut sizes: BTreeMap<SpaceId, usize> = BTreeMap::new();
        self.groups
            .iter()
            .filter_map(|g| g.space)
            .for_each(|s| *sizes.entry(s).or_default() += 1);
        let inside: BTreeMap<SpaceId, PassingId> = collapse
            .edges
            .iter()
            .filter_map(|(a, b, t)| match (a, b) {
                (EdgeEnd::Space(x), EdgeEnd::Space(y)) if x == y => Some((*x, *t)),
                _ => None,
            })
            .collect();
        let many = sizes.len() > FRAMES;
        for (space, _) in sizes.into_iter().filter(|(_, n)| *n > 1 || !many) {
            let s = self.facts.space(space);
            let frame = DrawnFrame {
                id: format!("ns-{}", label::id(&s.name)),
                name: label::short(&s.name),
                title: format!(
                    "{} ({})",
                    label::short(&s.name),
                    label::deny(s.deny, s.policies)
                ),
                inside: inside
                    .get(&space)
                    .map(|t| label::passing(self.facts.passing(*t))),
            };
            let anchor = DrawnNode {
                id: frame.id.clone(),
                shape: NodeShape::Frame,
                frame: Some(self.frames.len()),
                title: frame.title.clone(),
                ..blank()
            };
            self.frames.push(frame);
            let anchor = self.graph.add_node(anchor);
            self.at.insert(EdgeEnd::Space(space), anchor);
        }
        inside
    }

    fn frame_of(&self, space: Option<SpaceId>) -> Option<usize> {
        let anchor = self.at.get(&EdgeEnd::Space(space?))?;
        self.graph[*anchor].frame
    }

    fn nodes(&mut self, collapse: &Collapse<'_>) {
        for (i, group) in self.groups.iter().enumerate() {
            let node = self.node(group);
            let index = self.graph.add_node(node);
            self.at.insert(EdgeEnd::Group(GroupId::bounded(i)), index);
        }
        for (i, hub) in collapse.hubs.iter().enumerate() {
            let node = self.hub(i, hub);
            let index = self.graph.add_node(node);
            self.at.insert(EdgeEnd::Hub(HubIx::bounded(i)), index);
        }
        if collapse
            .edges
            .iter()
            .any(|(a, b, _)| *a == EdgeEnd::Everyone || *b == EdgeEnd::Everyone)
        {
            let node = DrawnNode {
                id: "everyone".into(),
                shape: NodeShape::Everyone,
                lines: vec!["every workload".into()],
                title: "every workload in every namespace".into(),
                ..blank()
            };
            let index = self.graph.add_node(node);
            self.at.insert(EdgeEnd::Everyone, index);
        }
    }

    fn node(&self, group: &PlaceGroup) -> DrawnNode {
        let places: Vec<&PicturePlace> =
            group.members.iter().map(|p| self.facts.place(*p)).collect();
        let Some(first) = places.first() else {
            return blank();
        };
        let frame = self.frame_of(group.space);
        let mut lines = names(&places);
        if let (None, Some(space)) = (frame, group.space) {
            let space = self.facts.space(space);
            let title = label::short(&space.name);
            match lines.as_mut_slice() {
                [one] => *one = format!("{title}/{one}"),
                _ => lines.insert(0, format!("{title}:")),
            }
            lines.push(format!("({})", label::deny(space.deny, space.policies)));
        }
        if let PlaceKind::Namespace { summary, .. } = &first.what {
            let total = places.iter().map(|p| {
                if let PlaceKind::Namespace { summary: s, .. } = &p.what {
                    s.workloads
                } else {
                    0
                }
            });
            lines.push(plural(total.sum(), "workload"));
            lines.push(format!("({})", label::deny(summary.deny, summary.policies)));
            lines.extend(
                summary
                    .inside
                    .as_ref()
                    .map(|p| format!("inside: {}", label::passing(p))),
            );
        }
        if let Some(t) = group.inside {
            lines.push(format!(
                "among themselves: {}",
                label::passing(self.facts.passing(t))
            ));
        }
        DrawnNode {
            id: self.id(first, places.len()),
            shape: shape(first),
            frame,
            badges: label::badges(&together(first, &places), self.quiet),
            open: [0, 1].map(|d| first.open[d].is_open() && !self.quiet[d]),
            doubt: first.doubt.iter().any(Option::is_some),
            change: first
                .change
                .iter()
                .flatten()
                .copied()
                .reduce(|a, b| if a == b { a } else { DrawnChange::Moved }),
            title: title(&places, lines.as_slice()),
            members: places.iter().map(|p| p.key.clone()).collect(),
            lines,
        }
    }

    fn id(&self, first: &PicturePlace, count: usize) -> String {
        let more = if count > 1 {
            format!("-x{count}")
        } else {
            String::new()
        };
        format!("n-{}{more}", label::id(&first.key))
    }

    fn hub(&self, index: usize, hub: &Hub) -> DrawnNode {
        let same: BTreeSet<&EdgeEnd> = hub.sources.iter().collect();
        let all = hub.destinations.iter().all(|d| same.contains(d))
            && hub.sources.len() == hub.destinations.len();
        let space = if all { "all to all" } else { "each to each" };
        let frames: BTreeSet<Option<usize>> = hub
            .sources
            .iter()
            .chain(&hub.destinations)
            .map(|u| self.frame_at(u))
            .collect();
        let frame = if frames.len() == 1 {
            frames.into_iter().next().flatten()
        } else {
            None
        };
        let passing = label::passing(self.facts.passing(hub.passing));
        DrawnNode {
            id: format!("hub-{index}"),
            shape: NodeShape::Hub,
            frame,
            lines: vec![format!("{space}: {passing}")],
            title: format!(
                "each of {} may send {} to each of {}",
                plural(hub.sources.len(), "source"),
                label::sentence(self.facts.passing(hub.passing)),
                plural(hub.destinations.len(), "destination")
            ),
            ..blank()
        }
    }

    fn frame_at(&self, unit: &EdgeEnd) -> Option<usize> {
        self.at.get(unit).and_then(|i| self.graph[*i].frame)
    }

    /// Adds the edges: parallel ones joined, equal ones of both directions as one with two heads.
    fn edges(&mut self, collapse: &Collapse<'_>, inside: &BTreeMap<SpaceId, PassingId>) {
        let mut joined: BTreeMap<(EdgeEnd, EdgeEnd), Vec<PassingId>> = BTreeMap::new();
        for (a, b, t) in &collapse.edges {
            let told = matches!(a, EdgeEnd::Space(s) if a == b && inside.get(s) == Some(t));
            if !told && a != b {
                joined.entry((*a, *b)).or_default().push(*t);
            }
        }
        let pairs: Vec<((EdgeEnd, EdgeEnd), Vec<PassingId>)> =
            joined.iter().map(|(k, v)| (*k, v.clone())).collect();
        for ((a, b), list) in pairs {
            let two = |u: &EdgeEnd| !matches!(u, EdgeEnd::Hub(_));
            let both = two(&a) && two(&b) && joined.get(&(b, a)) == Some(&list);
            if both && b < a {
                continue;
            }
            let (Some(from), Some(to)) = (self.end(a, b), self.end(b, a)) else {
                continue;
            };
            let link = self.link(&list, from, to, both);
            self.graph.add_edge(from, to, link);
        }
    }

    /// The node an edge ends at. An edge between a node and all others of its own frame ends at a
    /// node for them.
    fn end(&mut self, unit: EdgeEnd, other: EdgeEnd) -> Option<NodeIndex> {
        let index = self.at.get(&unit).copied()?;
        let (EdgeEnd::Space(_), Some(frame)) = (unit, self.frame_at(&other)) else {
            return Some(index);
        };
        if self.graph[index].frame != Some(frame) || matches!(other, EdgeEnd::Space(_)) {
            return Some(index);
        }
        let id = format!("{}-others", self.graph[index].id);
        if let Some(there) = self.graph.node_indices().find(|i| self.graph[*i].id == id) {
            return Some(there);
        }
        let title = "every other workload of this namespace".to_owned();
        let lines = vec!["all others here".to_owned()];
        Some(self.graph.add_node(DrawnNode {
            id,
            shape: NodeShape::Hub,
            frame: Some(frame),
            lines,
            title,
            ..blank()
        }))
    }

    fn link(&self, list: &[PassingId], from: NodeIndex, to: NodeIndex, both: bool) -> DrawnEdge {
        let facts = self.facts;
        let hub = |i: NodeIndex| {
            self.graph[i].shape == NodeShape::Hub && !self.graph[i].id.ends_with("-others")
        };
        let text = if hub(from) || hub(to) {
            String::new()
        } else {
            list.iter()
                .map(|t| label::passing(facts.passing(*t)))
                .collect::<Vec<_>>()
                .join("; ")
        };
        let words = list
            .iter()
            .map(|t| label::sentence(facts.passing(*t)))
            .collect::<Vec<_>>()
            .join("; and ");
        let unknown = list.iter().any(|t| !facts.passing(*t).unknown.is_empty());
        let sure = list.iter().any(|t| !facts.passing(*t).sure.is_empty());
        let back = if both { ", and back" } else { "" };
        DrawnEdge {
            label: text,
            title: format!(
                "{} may send {words} to {}{back}",
                self.name(from),
                self.name(to)
            ),
            both,
            is_door: false,
            certainty: match (sure, unknown) {
                (_, false) => EdgeCertainty::Sure,
                (true, true) => EdgeCertainty::Partly,
                (false, true) => EdgeCertainty::Unknown,
            },
            change: list
                .iter()
                .filter_map(|t| facts.passing(*t).change.as_ref().map(|d| d.change))
                .reduce(|a, b| if a == b { a } else { DrawnChange::Moved }),
            stands: [
                list.iter().any(|t| {
                    facts
                        .passing(*t)
                        .change
                        .as_ref()
                        .is_none_or(|d| !d.past.is_empty())
                }),
                list.iter()
                    .any(|t| facts.passing(*t).change.as_ref().is_none_or(|d| !d.gone)),
            ],
        }
    }

    /// The node that shows a place.
    fn node_of(&self, place: PlaceId) -> Option<NodeIndex> {
        let mut groups = self.groups.iter();
        let group = groups.position(|group| group.members.contains(&place))?;
        let end = EdgeEnd::Group(GroupId::bounded(group));
        self.at.get(&end).copied()
    }

    /// An edge for each door, from the internet to the node with the workload behind it.
    fn doors(&mut self) {
        let doors = self.facts.doors.iter();
        let placed =
            doors.filter_map(|door| Some((self.node_of(door.from)?, self.node_of(door.to)?, door)));
        let placed: Vec<_> = placed.collect();
        for (from, to, door) in placed {
            let to_name = label::name(self.facts.place(door.to));
            let edge = DrawnEdge {
                label: label::door(door),
                title: label::door_sentence(door, &crate::words::clean(&to_name)),
                both: false,
                is_door: true,
                certainty: if door.certain {
                    EdgeCertainty::Sure
                } else {
                    EdgeCertainty::Unknown
                },
                change: door.change,
                stands: door.stands,
            };
            self.graph.add_edge(from, to, edge);
        }
    }

    /// What a node is called in a sentence.
    fn name(&self, index: NodeIndex) -> String {
        let node = &self.graph[index];
        match node.shape {
            NodeShape::Frame => format!(
                "every workload of {}",
                self.frames[node.frame.unwrap_or(0)].title
            ),
            NodeShape::Hub | NodeShape::Everyone => node.title.clone(),
            _ => {
                let shown: Vec<String> = node
                    .members
                    .iter()
                    .take(8)
                    .map(|m| crate::words::clean(m).into_owned())
                    .collect();
                let more = node.members.len() - shown.len();
                if more > 0 {
                    format!("{} and {more} more", shown.join(", "))
                } else {
                    shown.join(", ")
                }
            }
        }
    }
}

fn blank() -> DrawnNode {
    DrawnNode {
        id: String::new(),
        shape: NodeShape::Workloads,
        frame: None,
        lines: Vec::new(),
        badges: Vec::new(),
        open: [false; 2],
        doubt: false,
        change: None,
        title: String::new(),
        members: Vec::new(),
    }
}
