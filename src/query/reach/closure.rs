//! Who can get where, over any number of hops: the closure of the allow-graph over workloads.
//!
//! A hop is a connection to anything that accepts one, on any port; hops go through pods only. The
//! closure is computed on [`PodGroup`]s, never pod by pod, breadth first. What leads from one group
//! to another is computed by [`crate::query::reach::steps`].
//!
//! Soundness: a pod is found within `n` hops iff a chain of at most `n` flows that `allowed` calls
//! certain (or possible) leads there.
//!
//! Cost: destinations share their rows ([`crate::graph::RowCache`]), so between plain classes a
//! template is followed once: backward where it is first reached, forward once per level from the
//! first group that leads to it, each time only with the sources that are left or of that level.
//! Pods on their node's network are considered only while some of them are left, in large clusters
//! once per template too. A template from which nothing more can be found is spent; a further group
//! of it costs a look-up.

use crate::compile::endpoint_index::EndpointIx;
use crate::compile::peer_sets::EndpointSet;
use crate::graph::allowed_sources::Narrowed;
use crate::graph::for_rows::DestinationClassIx;
use crate::model::Truth;
use crate::query::list::numbered_endpoints::NumberedEndpoints;
pub use crate::query::reach::pod_group::{APART, PodGroup};
use crate::query::reach::search::{Discovery, SearchNode};
pub use crate::query::reach::search::{ReachQuery, Way, passing};
pub use crate::query::reach::steps::Steps;
use crate::set::Ix;
use crate::set::hashed::{HashMap, HashSet};
use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

/// The pod groups that are found.
#[derive(Debug, Clone, Default)]
pub struct Closure(Vec<Option<Discovery>>);

impl Closure {
    /// How a pod group was found, if it was.
    pub fn get(&self, group: usize) -> Option<&Discovery> {
        self.0.get(group)?.as_ref()
    }

    /// The pod groups, in order. O(pod groups of the graph).
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Discovery)> {
        self.0
            .iter()
            .enumerate()
            .filter_map(|(group, how)| Some((group, how.as_ref()?)))
    }
}

/// The classes that are not found yet.
#[derive(Default)]
struct Left {
    plain: EndpointSet,
    hosts: Rc<EndpointSet>,
    /// Both, computed lazily.
    all: Option<Rc<EndpointSet>>,
}

impl Left {
    fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.hosts.is_empty()
    }

    fn all(&mut self) -> Rc<EndpointSet> {
        Rc::clone(
            self.all
                .get_or_insert_with(|| Rc::new(self.plain.union(&self.hosts))),
        )
    }

    /// Removes classes that are found. O(ranges left).
    fn take(&mut self, found: &EndpointSet) {
        if found.is_empty() {
            return;
        }
        self.plain = self.plain.difference(found);
        if !self.hosts.is_disjoint(found) {
            self.hosts = Rc::new(self.hosts.difference(found));
        }
        self.all = None;
    }
}

/// The state of a search.
struct Search {
    least: Truth,
    hops: u32,
    found: Vec<Option<Discovery>>,
    left: Left,
    /// The nodes of the next level.
    next: Vec<SearchNode>,
    /// The templates that were followed backward from plain classes.
    plain: HashSet<DestinationClassIx>,
    /// The templates that were followed backward by their rows, each with the sources that were
    /// left then and that an own node may let through; `None` for any source.
    by_rows: HashMap<DestinationClassIx, Option<EndpointSet>>,
    /// Per template, whether nothing more can be found from it.
    spent: Vec<bool>,
    /// The peer sets narrowed to what is left.
    narrowed: Narrowed,
}

impl Search {
    fn spend(&mut self, template: DestinationClassIx) {
        let at = template.index();
        if self.spent.len() <= at {
            self.spent.resize(at + 1, false);
        }
        self.spent[at] = true;
    }
}

impl Steps<'_> {
    /// Every pod group that is found, by certainly allowed flows or by possible ones.
    pub fn closure(&mut self, least: Truth) -> Closure {
        let space = self.graph.space();
        let mut search = Search {
            least,
            hops: 0,
            found: vec![None; self.pod_groups.len()],
            left: Left {
                plain: space.pods().difference(&space.hosts),
                hosts: Rc::new(space.hosts.clone()),
                all: None,
            },
            next: self
                .roots
                .iter()
                .map(|root| SearchNode::Root(*root))
                .collect(),
            plain: HashSet::default(),
            by_rows: HashMap::default(),
            spent: Vec::new(),
            narrowed: Narrowed::default(),
        };
        while !search.next.is_empty()
            && !search.left.is_empty()
            && self.query.hops.is_none_or(|limit| search.hops < limit)
        {
            search.hops += 1;
            let level = std::mem::take(&mut search.next);
            match self.query.way {
                Way::Forward => self.forward(&level, &mut search),
                Way::Backward => level
                    .into_iter()
                    .for_each(|node| self.backward(node, &mut search)),
            }
        }
        Closure(search.found)
    }

    /// Records the pod groups, in order, that are first found from a node, and removes classes that
    /// are found completely from what is left.
    fn visit(&self, node: SearchNode, groups: Vec<usize>, search: &mut Search) {
        let new = self.record(node, groups, search);
        let is_found =
            |group: usize| search.found[group].is_some() || self.pod_groups[group].pods.is_empty();
        let classes = new.into_iter().map(|group| self.pod_groups[group].class);
        let whole: EndpointSet = classes
            .filter(|class| self.groups_of(*class).all(is_found))
            .map(|class| class..=class)
            .collect();
        search.left.take(&whole);
    }

    /// [`Self::visit`] without removing classes from what is left; returns the groups that are new.
    fn record(&self, node: SearchNode, mut groups: Vec<usize>, search: &mut Search) -> Vec<usize> {
        let how = Discovery {
            hops: search.hops,
            parent: node.pod_group(),
        };
        groups.retain(|group| search.found[*group].is_none());
        groups
            .iter()
            .for_each(|group| search.found[*group] = Some(how));
        search
            .next
            .extend(groups.iter().map(|group| SearchNode::PodGroup(*group)));
        groups
    }

    /// Finds what leads to a node.
    fn backward(&mut self, node: SearchNode, search: &mut Search) {
        let index = self.index_of(node);
        if let SearchNode::Root(root) = node {
            let left = search.left.all();
            let parts = self.rows.parts(index);
            let near = self.near(index, &left, search.least);
            let links = self.links_backward(root, &parts, &left, near.as_ref().unwrap_or(&left));
            let groups = self.passable(links, search.least, Some(&self.query.asked));
            return self.visit(node, groups, search);
        }
        let template = self.rows.template(index);
        if search.spent.get(template.index()) == Some(&true) {
            return;
        }
        let is_plain = self.is_plain(node);
        let mut plain = Vec::new();
        if is_plain && search.plain.insert(template) && !search.left.plain.is_empty() {
            let sources = self.graph.allowed_sources(
                index,
                &search.left.plain,
                search.least,
                &search.narrowed,
            );
            search.left.take(&sources);
            plain = self.groups_in(&sources);
        }
        let by_rows = !is_plain || !search.left.hosts.is_empty();
        let others = if by_rows {
            self.backward_by_rows(node, template, search)
        } else {
            Vec::new()
        };
        if others.is_empty() {
            self.record(node, plain, search);
        } else {
            self.visit(node, merged(plain, others), search);
        }
        if is_plain && search.left.hosts.is_empty() {
            search.spend(template);
        }
    }

    /// The classes among `left` that an own node may let through to an endpoint; `None` for any.
    fn near(&self, index: EndpointIx, left: &EndpointSet, least: Truth) -> Option<EndpointSet> {
        let is_pod = self.graph.space().is_class(index);
        if is_pod && least == Truth::Yes {
            self.graph.sources_needing_own_node(index, left)
        } else {
            None
        }
    }

    /// The pod groups that lead to a node according to its row; if the node is plain, only groups
    /// of pods on their node's network. The row of a template is read only once where the answer
    /// holds for all its classes, that is, apart from own nodes and, where something is unknown,
    /// from nodes that are told apart and from pods that are singled out.
    fn backward_by_rows(
        &mut self,
        node: SearchNode,
        template: DestinationClassIx,
        search: &mut Search,
    ) -> Vec<usize> {
        let (index, is_plain, is_common) = (
            self.index_of(node),
            self.is_plain(node),
            self.is_common(node),
        );
        let left = if is_plain {
            Rc::clone(&search.left.hosts)
        } else {
            search.left.all()
        };
        let again = search.by_rows.contains_key(&template);
        let near = search
            .by_rows
            .entry(template)
            .or_insert_with(|| self.near(index, &left, search.least));
        let near = near.as_ref().map_or_else(
            || Cow::Borrowed(&*left),
            |near| Cow::Owned(near.intersection(&left)),
        );
        if near.is_empty() {
            search.spend(template);
        }
        let among = match (again, near.is_empty()) {
            (false, _) => Cow::Borrowed(&*left),
            (true, true) => return Vec::new(),
            (true, false) if is_common => Cow::Owned(near.intersection(&self.singled_out)),
            (true, false) => near.clone(),
        };
        let Some(from) = self.endpoint(node) else {
            return Vec::new();
        };
        let parts = if among.is_empty() || !self.rows.may_admit(index, &among) {
            Arc::default()
        } else if is_plain {
            self.few_rows.parts(index)
        } else if is_common {
            self.rows.parts_among(index, &among)
        } else {
            self.rows.parts(index)
        };
        let links = self.links_backward(from, &parts, &among, &near);
        self.passable(links, search.least, None)
    }

    /// Finds what the nodes of a level lead to; each group is recorded where it is first found.
    fn forward(&mut self, level: &[SearchNode], search: &mut Search) {
        let mut leads = self.first_to(level, search);
        for (position, node) in level.iter().enumerate() {
            let Some(from) = self.endpoint(*node) else {
                continue;
            };
            let leads = leads.remove(&position).unwrap_or_default();
            let mut groups = Vec::new();
            for template in &leads.plain {
                groups.append(
                    &mut self
                        .groups_in(&self.templates[*template].intersection(&search.left.plain)),
                );
            }
            if !leads.by_rows.is_empty() || !search.left.hosts.is_empty() || !self.is_plain(*node) {
                let links = self.links_forward(from, &leads.by_rows, &search.left.all());
                groups.append(&mut self.passable(links, search.least, None));
            }
            groups.sort_unstable();
            self.visit(*node, groups, search);
        }
    }

    /// The templates that each node of a level has to be followed to, by the position of the node.
    /// A node that is followed like every other of its kind leads to a template only if no earlier
    /// node does, because the earlier node finds everything in the template.
    fn first_to(&mut self, level: &[SearchNode], search: &mut Search) -> HashMap<usize, Leads> {
        let mut leads: HashMap<usize, Leads> = HashMap::default();
        let nodes = LevelNodes::new(self, level);
        let (left, narrowed) = (search.left.all(), Narrowed::default());
        for template in 0..self.templates.len() {
            let classes = self.templates[template].intersection(&left);
            let Some(first) = classes.first() else {
                continue;
            };
            let is_host = self.graph.space().is_host(first);
            let (common, single) = if is_host {
                (&nodes.all, &nodes.single)
            } else {
                (&nodes.hosts, &nodes.few)
            };
            let mut lead = |node: usize| leads.entry(node).or_default().by_rows.push(template);
            single.iter().for_each(|node| lead(*node));
            if !classes.is_disjoint(&self.singled_out) {
                common.list.iter().for_each(|(_, node)| lead(*node));
            } else if !common.list.is_empty() {
                let parts = if is_host {
                    self.rows.parts(first)
                } else {
                    self.few_rows.parts(first)
                };
                let passes = parts
                    .iter()
                    .filter(|part| !passing(&part.allowed, search.least).is_empty());
                let sources = passes.map(|part| part.sources.intersection(&common.indices));
                common
                    .earliest(&EndpointSet::union_of(&sources.collect::<Vec<_>>()))
                    .into_iter()
                    .for_each(lead);
            }
            if !is_host && !nodes.plain.list.is_empty() {
                let sources = self.graph.allowed_sources(
                    first,
                    &nodes.plain.indices,
                    search.least,
                    &narrowed,
                );
                let earliest = nodes.plain.earliest(&sources);
                earliest
                    .into_iter()
                    .for_each(|node| leads.entry(node).or_default().plain.push(template));
            }
        }
        leads
    }
}

/// Both lists in one, sorted.
fn merged(mut groups: Vec<usize>, mut others: Vec<usize>) -> Vec<usize> {
    groups.append(&mut others);
    groups.sort_unstable();
    groups
}

/// The templates that one node of a level is followed to.
#[derive(Default)]
struct Leads {
    /// Between plain classes: templates that it leads to.
    plain: Vec<usize>,
    /// Templates that it may lead to, according to their rows.
    by_rows: Vec<usize>,
}

/// The nodes of a level, by their position in it, grouped by how they are followed.
#[derive(Default)]
struct LevelNodes {
    /// Towards plain classes: plain nodes; common nodes on their node's network; and the others,
    /// one by one.
    plain: NumberedEndpoints,
    hosts: NumberedEndpoints,
    few: Vec<usize>,
    /// Towards pods on their node's network: common nodes, and the others, one by one.
    all: NumberedEndpoints,
    single: Vec<usize>,
}

impl LevelNodes {
    fn new(steps: &Steps<'_>, level: &[SearchNode]) -> Self {
        let mut nodes = Self::default();
        let (mut plain, mut hosts, mut all) = (Vec::new(), Vec::new(), Vec::new());
        for (position, node) in level.iter().enumerate() {
            let index = steps.index_of(*node);
            let is_common = steps.is_common(*node);
            if steps.is_plain(*node) {
                plain.push((index, position));
            } else if is_common {
                hosts.push((index, position));
            } else {
                nodes.few.push(position);
            }
            if is_common {
                all.push((index, position));
            } else {
                nodes.single.push(position);
            }
        }
        (nodes.plain, nodes.hosts, nodes.all) = (
            NumberedEndpoints::new(plain),
            NumberedEndpoints::new(hosts),
            NumberedEndpoints::new(all),
        );
        nodes
    }
}
