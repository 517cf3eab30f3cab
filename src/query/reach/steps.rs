//! The steps of a search over hops: what leads from one end to the pods of another, in either
//! direction. The closure ([`crate::query::reach::closure`]) follows them.
//!
//! Pods are taken together as [`PodGroup`]s. *Plain* classes are those of pods that do not share
//! their node's network. Between plain classes no node plays a part, so a search only needs to know
//! whether anything passes ([`AllowGraph::allowed_sources`]); what passes is computed lazily, for
//! the links that are shown ([`Steps::traffic`]). Where either end is a pod on its node's network,
//! and at the roots of the search, rows are read and own nodes are considered (S55).

use crate::compile::endpoint_index::EndpointIx;
use crate::compile::peer_sets::EndpointSet;
use crate::graph::for_rows::DestinationClassIx;
use crate::graph::row::with_own;
use crate::graph::{AllowGraph, Allowed, RowCache, SourcesTraffic};
use crate::model::{PodId, Truth};
use crate::query::reach::pod_group::{APART, PodGroup, pod_groups, range_of};
use crate::query::reach::search::{Discovery, ReachQuery, SearchNode, Way, passing};
use crate::set::Ix;
use crate::set::TrafficSet;
use crate::set::hashed::HashSet;
use crate::spec::Endpoint;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// A pod group by its index, with what passes to it or from it.
pub type GroupLink = (usize, Arc<Allowed>);

/// The pod groups of a graph with what leads from one to another.
pub struct Steps<'g> {
    pub(crate) graph: &'g AllowGraph,
    /// The pod groups, by class.
    pub pod_groups: Vec<PodGroup<'g>>,
    /// The range of the groups of each class, where a class may have several.
    of_class: Vec<Range<usize>>,
    pub(crate) rows: RowCache<'g>,
    /// Rows restricted to the few sources that are looked up one by one: the roots, and pods on
    /// their node's network.
    pub(crate) few_rows: RowCache<'g>,
    /// The classes of each template (forward).
    pub(crate) templates: Vec<EndpointSet>,
    pub(crate) roots: Vec<Endpoint>,
    pub(crate) query: ReachQuery,
    /// Whether nodes are told apart.
    pub(crate) by_node: bool,
    /// The classes of which the roots leave a single pod, which is then looked up on its own.
    pub(crate) singled_out: EndpointSet,
    /// The templates of the ends whose outside sources were requested.
    asked_outside: HashSet<DestinationClassIx>,
}

impl<'g> Steps<'g> {
    /// Prepares the search for a query.
    pub fn new(graph: &'g AllowGraph, query: &ReachQuery) -> Self {
        let space = graph.space();
        let by_node = !space.hosts.is_empty() && graph.environment().cluster.pods().len() <= APART;
        let (mut groups, of_class) = pod_groups(graph, by_node);
        let mut singled_out = Vec::new();
        for pod in &query.pods {
            let class = space.index_of(Endpoint::Pod(*pod));
            for group in &mut groups[range_of(&of_class, class)] {
                group.pods.to_mut().retain(|p| !query.pods.contains(p));
                singled_out.extend((group.pods.len() == 1).then_some(class..=class));
            }
        }
        let pods = query.pods.iter().map(|p| Endpoint::Pod(*p));
        let roots: Vec<Endpoint> = pods
            .chain(crate::query::suggest::trial::ends(
                graph,
                &BTreeSet::new(),
                &query.addresses,
            ))
            .collect();
        let mut templates = Vec::new();
        if query.way == Way::Forward {
            templates = graph
                .destination_classes()
                .into_iter()
                .map(|t| classes(graph, &t.destinations))
                .collect();
        }
        let few_sources: EndpointSet = roots
            .iter()
            .map(|root| space.index_of(*root))
            .map(|index| index..=index)
            .collect();
        Self {
            graph,
            pod_groups: groups,
            of_class,
            rows: RowCache::new(graph),
            few_rows: RowCache::among(graph, few_sources.union(&space.hosts)),
            templates,
            roots,
            query: query.clone(),
            by_node,
            singled_out: singled_out.into_iter().collect(),
            asked_outside: HashSet::default(),
        }
    }

    /// What leads from an end to pod groups of some classes (forward), or from such groups to the
    /// end (backward), in the order of the groups.
    pub fn next(
        &mut self,
        from: Endpoint,
        classes: std::ops::RangeInclusive<EndpointIx>,
    ) -> Vec<GroupLink> {
        let classes = EndpointSet::from(classes).intersection(&self.graph.space().pods());
        match self.query.way {
            Way::Forward => {
                let mut templates: Vec<usize> = classes
                    .points()
                    .map(|c| self.rows.template(c).index())
                    .collect();
                templates.sort_unstable();
                templates.dedup();
                self.links_forward(from, &templates, &classes)
            }
            Way::Backward => {
                let parts = self.rows.parts(self.graph.space().index_of(from));
                self.links_backward(from, &parts, &classes, &classes)
            }
        }
    }

    /// The outside addresses that may send to an end, by what they may send. With `once`, `None` if
    /// the same answer was returned for an earlier end.
    pub fn outside(&mut self, end: Endpoint, once: bool) -> Option<Vec<SourcesTraffic>> {
        let space = self.graph.space();
        let index = space.index_of(end);
        let atoms = space.full().difference(&space.pods());
        let own_node: Vec<(EndpointIx, Arc<Allowed>)> = self
            .rows
            .own_node_sources(index)
            .into_iter()
            .filter(|(source, _)| !space.is_class(*source))
            .collect();
        if once && !self.asked_outside.insert(self.rows.template(index)) && own_node.is_empty() {
            return None;
        }
        let parts: Vec<SourcesTraffic> = self
            .rows
            .parts(index)
            .iter()
            .filter_map(|part| part.among(&atoms))
            .collect();
        Some(with_own(&parts, &own_node))
    }

    /// What passes on the hop by which a pod group was found, from any of the roots where these
    /// lead to it, in a search for what certainly passes or for what may pass.
    pub fn traffic(&mut self, group: usize, how: &Discovery, least: Truth) -> TrafficSet {
        let from = how.parent.and_then(|parent| self.representative(parent));
        let roots = if from.is_some() {
            Vec::new()
        } else {
            self.roots.clone()
        };
        let (space, class) = (self.graph.space(), self.pod_groups[group].class);
        let mut total = TrafficSet::empty();
        let mut asked = HashSet::default();
        for from in from.into_iter().chain(roots) {
            let index = space.index_of(from);
            let again = !asked.insert(index);
            if total.is_all() || again && !(self.by_node || space.is_host(class)) {
                continue; // replicas of a root, which no rule tells apart
            }
            let allowed = match self.query.way {
                Way::Forward => self.rows.one(index, class),
                Way::Backward => self.rows.one(class, index),
            };
            let Some(allowed) = self.exact(from, group, &allowed) else {
                continue;
            };
            let mut traffic = passing(&allowed, least);
            if how.parent.is_none() && self.query.way == Way::Backward {
                traffic = traffic.intersection(&self.query.asked);
            }
            total = total.union(&traffic);
        }
        total
    }

    /// The pod groups of a class.
    pub(crate) fn groups_of(&self, class: EndpointIx) -> Range<usize> {
        range_of(&self.of_class, class)
    }

    /// The pod that stands for all pods of a group.
    pub fn representative(&self, group: usize) -> Option<Endpoint> {
        self.pod_groups[group]
            .pods
            .first()
            .map(|p| Endpoint::Pod(*p))
    }

    /// What leads to an end, whose row is given by `parts`, from pod groups of the classes `among`.
    /// Sources that own nodes decide, and sources of which nothing certainly passes, are limited to
    /// the classes `near`.
    pub(crate) fn links_backward(
        &mut self,
        from: Endpoint,
        parts: &[SourcesTraffic],
        among: &EndpointSet,
        near: &EndpointSet,
    ) -> Vec<GroupLink> {
        let own_node = self
            .rows
            .own_node_sources_among(self.graph.space().index_of(from), near);
        let own_node_sources: EndpointSet = own_node
            .iter()
            .map(|(source, _)| *source..=*source)
            .collect();
        let mut found: Vec<(EndpointIx, Arc<Allowed>)> = Vec::new();
        for part in parts {
            let mut sources = part.sources.intersection(among);
            if part.allowed.must.is_empty() {
                sources = sources.intersection(near);
            }
            let sources = sources.difference(&own_node_sources);
            let allowed = if sources.is_empty() {
                Arc::default()
            } else {
                Arc::new(part.allowed.clone())
            };
            found.extend(sources.points().map(|s| (s, Arc::clone(&allowed))));
        }
        self.linked(from, found, own_node, near)
    }

    /// What leads from an end to pod groups of some templates and, where own nodes decide, of any
    /// template; only of the classes that are left.
    pub(crate) fn links_forward(
        &mut self,
        from: Endpoint,
        templates: &[usize],
        left: &EndpointSet,
    ) -> Vec<GroupLink> {
        let space = self.graph.space();
        let index = space.index_of(from);
        let own_node = self.rows.own_node_destinations(index);
        let own_node_destinations: EndpointSet = own_node
            .iter()
            .map(|(destination, _)| *destination..=*destination)
            .collect();
        let is_one_of_few = self.few_rows.tells_of(index);
        let mut found: Vec<(EndpointIx, Arc<Allowed>)> = Vec::new();
        for template in templates {
            let classes = self.templates[*template].intersection(left);
            let Some(first) = classes.first() else {
                continue;
            };
            let parts = if is_one_of_few && !space.is_host(first) {
                self.few_rows.parts(first)
            } else {
                self.rows.parts(first)
            };
            if let Some(part) = parts.iter().find(|part| part.sources.contains(index)) {
                let allowed = Arc::new(part.allowed.clone());
                found.extend(
                    classes
                        .difference(&own_node_destinations)
                        .points()
                        .map(|d| (d, Arc::clone(&allowed))),
                );
            }
        }
        self.linked(from, found, own_node, left)
    }

    /// The pod groups of the classes that are found, in order, with what own nodes change for the
    /// classes `near`.
    fn linked(
        &mut self,
        from: Endpoint,
        mut found: Vec<(EndpointIx, Arc<Allowed>)>,
        own_node: Vec<(EndpointIx, Arc<Allowed>)>,
        near: &EndpointSet,
    ) -> Vec<GroupLink> {
        found.extend(
            own_node
                .into_iter()
                .filter(|(class, allowed)| !allowed.is_nothing() && near.contains(*class)),
        );
        found.sort_unstable_by_key(|(class, _)| *class);
        let mut links = Vec::with_capacity(found.len());
        for (class, allowed) in found {
            for group in self.groups_of(class) {
                links.extend(
                    self.exact(from, group, &allowed)
                        .map(|allowed| (group, allowed)),
                );
            }
        }
        links
    }

    /// What passes between an end and a pod group, given what passes between the end and the class
    /// of the group. A class may have pods on several nodes; where that leaves a flow unknown, a
    /// pod of the group is looked up.
    fn exact(
        &mut self,
        from: Endpoint,
        group: usize,
        allowed: &Arc<Allowed>,
    ) -> Option<Arc<Allowed>> {
        let PodGroup { pods, class, .. } = &self.pod_groups[group];
        if pods.is_empty() {
            return None;
        }
        if allowed.is_exact()
            || self.is_single(*class) && self.is_single(self.graph.space().index_of(from))
        {
            return pods
                .iter()
                .any(|p| Endpoint::Pod(*p) != from)
                .then(|| Arc::clone(allowed));
        }
        let other = pods.iter().find(|p| Endpoint::Pod(**p) != from)?;
        let host = |p: PodId| self.graph.environment().cluster.pod(p).host_network;
        let near = host(*other)
            || matches!(from, Endpoint::Pod(p) if host(p))
            || matches!(from, Endpoint::Address(_));
        let node_is_known = self.by_node || (pods.len() == 1 && self.stands_alone(from));
        if !near || !node_is_known {
            return Some(Arc::clone(allowed));
        }
        let exact = match self.query.way {
            Way::Forward => self.rows.exact(from, Endpoint::Pod(*other)),
            Way::Backward => self.rows.exact(Endpoint::Pod(*other), from),
        };
        exact.filter(|exact| !exact.is_nothing())
    }

    /// Whether an index stands for a single pod, or for addresses, so that its row is exact.
    fn is_single(&self, index: EndpointIx) -> bool {
        let space = self.graph.space();
        !space.is_class(index) || space.classes.members(index).len() == 1
    }

    /// Whether an end stands only for itself: a root, or the only pod of its group.
    fn stands_alone(&self, end: Endpoint) -> bool {
        let Endpoint::Pod(pod) = end else { return true };
        let groups = self.groups_of(self.graph.space().index_of(end));
        let is_only_pod = |group: usize| *self.pod_groups[group].pods == [pod];
        self.query.pods.contains(&pod) || groups.into_iter().any(is_only_pod)
    }

    /// The index of a search node in the endpoint space.
    pub(crate) fn index_of(&self, node: SearchNode) -> EndpointIx {
        match node {
            SearchNode::Root(root) => self.graph.space().index_of(root),
            SearchNode::PodGroup(group) => self.pod_groups[group].class,
        }
    }

    /// The endpoint that stands for a search node.
    pub(crate) fn endpoint(&self, node: SearchNode) -> Option<Endpoint> {
        match node {
            SearchNode::Root(root) => Some(root),
            SearchNode::PodGroup(group) => self.representative(group),
        }
    }

    /// Whether a search node is a pod group of a plain class.
    pub(crate) fn is_plain(&self, node: SearchNode) -> bool {
        matches!(node, SearchNode::PodGroup(group) if !self.pod_groups[group].host)
    }

    /// Whether a search node is followed like every other of its class, apart from own nodes: not a
    /// root, not where nodes are told apart, and not the single pod that the roots leave of a
    /// class.
    pub(crate) fn is_common(&self, node: SearchNode) -> bool {
        let is_singled_out = |group: usize| self.singled_out.contains(self.pod_groups[group].class);
        matches!(node, SearchNode::PodGroup(group) if !self.by_node && !is_singled_out(group))
    }

    /// The pod groups of some classes in which the roots leave any pods, in order.
    pub(crate) fn groups_in(&self, classes: &EndpointSet) -> Vec<usize> {
        let groups = classes.points().flat_map(|class| self.groups_of(class));
        groups
            .filter(|group| !self.pod_groups[*group].pods.is_empty())
            .collect()
    }

    /// The pod groups to which any of the traffic that is asked about passes.
    pub(crate) fn passable(
        &self,
        links: Vec<GroupLink>,
        least: Truth,
        asked: Option<&TrafficSet>,
    ) -> Vec<usize> {
        // Neighbouring links mostly share what passes, so the last answer is remembered.
        let mut last: Option<(Arc<Allowed>, bool)> = None;
        let mut groups = Vec::new();
        for (group, allowed) in links {
            let passes = match &last {
                Some((known, passes)) if Arc::ptr_eq(known, &allowed) => *passes,
                _ => {
                    let traffic = passing(&allowed, least);
                    asked.map_or(!traffic.is_empty(), |asked| !traffic.is_disjoint(asked))
                }
            };
            last = Some((allowed, passes));
            groups.extend(passes.then_some(group));
        }
        groups
    }
}

/// The classes among some indices.
fn classes(graph: &AllowGraph, indices: &[EndpointIx]) -> EndpointSet {
    indices
        .iter()
        .filter(|p| graph.space().is_class(**p))
        .map(|p| *p..=*p)
        .collect()
}
