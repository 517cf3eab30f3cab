//! Rows that destinations share.
//!
//! Destinations of one template ([`crate::graph::row`]) have the same row but for their own nodes
//! (S55), which touch a few sources of each. [`RowCache`] makes the common parts once per template
//! ([`RowCache::parts`]), and tells of a destination only what its own nodes change
//! ([`RowCache::own_node_sources`]): the 5,000 classes of a `DaemonSet` on its nodes' network cost
//! a few rows.
//!
//! Invariant: the parts, except for the sources that stand beside, and what those may send, are
//! [`AllowGraph::row`]. Cost: one row per template met, one walk per pair of alike sources and
//! templates on one node. Memory: rows are forgotten when they hold more than [`MOST`] ranges, so
//! nothing grows with the answer.

use crate::compile::effective_policy::EffectiveIx;
use crate::compile::endpoint_index::EndpointIx;
use crate::compile::node_index::HomeIx;
use crate::compile::peer_sets::EndpointSet;
use crate::graph::allow_graph::{ANY, AllowGraph, Allowed};
use crate::graph::for_rows::DestinationClassIx;
use crate::graph::own_node_exemption::{NodeRelation, SomePods};
use crate::graph::row::SourcesTraffic;
use crate::policy::Direction;
use crate::set::hashed::{HashMap, HashSet, IndexMap};
use crate::spec::EndFamilies;
use crate::spec::environment::{Endpoint, Flow};
use crate::spec::evaluate::is_self;
use std::hash::Hash;
use std::sync::Arc;

/// How many ranges of sources are kept.
const MOST: usize = 8_000_000;

/// What of a source decides what it may send to its node: all that rules see of it, or, where the
/// destination lets everyone in, what governs its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum SourceKey {
    Equivalent(EndpointIx),
    Governed {
        by: EffectiveIx,
        host: bool,
        policed: bool,
        families: EndFamilies,
    },
}

/// Places, by what they are alike in as sources and as destinations: each kind with one of them and
/// how many there are.
#[derive(Debug)]
pub struct Group {
    places: Box<[(EndpointIx, bool)]>,
    equivalent_sources: IndexMap<EndpointIx, (EndpointIx, usize)>,
    templates: IndexMap<DestinationClassIx, (EndpointIx, usize)>,
}

impl Group {
    fn find(&self, at: EndpointIx) -> Option<bool> {
        let index = self
            .places
            .binary_search_by_key(&at, |(place, _)| *place)
            .ok()?;
        Some(self.places[index].1)
    }

    fn has_several(&self, at: EndpointIx) -> bool {
        self.find(at) == Some(true)
    }
}

/// The rows of one graph.
pub struct RowCache<'g> {
    graph: &'g AllowGraph,
    /// Whether the sources' own policies count.
    egress: bool,
    /// Of which sources; of all, if not told.
    among: Option<EndpointSet>,
    /// The places beside which one of those may stand, where it is not any.
    near: Option<EndpointSet>,
    parts: HashMap<DestinationClassIx, Arc<[SourcesTraffic]>>,
    held: usize,
    between: HashMap<(DestinationClassIx, SourceKey, NodeRelation), Arc<Allowed>>,
}

impl<'g> RowCache<'g> {
    /// What may reach each destination.
    pub fn new(graph: &'g AllowGraph) -> Self {
        Self::of(graph, true)
    }

    /// What each destination admits, whether or not the sources' own policies let it out.
    pub fn admitted(graph: &'g AllowGraph) -> Self {
        Self::of(graph, false)
    }

    /// The graph.
    pub fn graph(&self) -> &'g AllowGraph {
        self.graph
    }

    /// Of what may reach each destination, what comes from these places. Numbers the
    /// destination classes.
    pub fn among(graph: &'g AllowGraph, sources: EndpointSet) -> Self {
        let no_nodes = graph.space.are_pods(&sources) && sources.is_disjoint(&graph.space.hosts);
        let near = no_nodes.then(|| graph.nodes_of(&sources));
        graph.destination_class_numbers();
        Self {
            near,
            among: Some(sources),
            ..Self::of(graph, true)
        }
    }

    fn of(graph: &'g AllowGraph, egress: bool) -> Self {
        Self {
            graph,
            egress,
            among: None,
            near: None,
            parts: HashMap::default(),
            held: 0,
            between: HashMap::default(),
        }
    }

    /// Whether its rows tell of a source.
    pub fn tells_of(&self, source: EndpointIx) -> bool {
        self.among
            .as_ref()
            .is_none_or(|among| among.contains(source))
    }

    /// The number of a destination's template: equal numbers, equal parts.
    pub fn template(&self, destination: EndpointIx) -> DestinationClassIx {
        self.graph.destination_class_of(destination)
    }

    /// Who may send what to every destination of a place's template, apart from own nodes; by what
    /// is allowed.
    pub fn parts(&mut self, destination: EndpointIx) -> Arc<[SourcesTraffic]> {
        let template = self.template(destination);
        if let Some(known) = self.parts.get(&template) {
            return Arc::clone(known);
        }
        let parts: Arc<[SourcesTraffic]> = self
            .graph
            .shared_parts(destination, self.egress, self.among.as_ref())
            .into();
        self.keep(template, &parts);
        parts
    }

    /// [`Self::parts`], of sources among these only; made anew where the whole is not known.
    pub fn parts_among(
        &self,
        destination: EndpointIx,
        among: &EndpointSet,
    ) -> Arc<[SourcesTraffic]> {
        if among.is_empty() || !self.may_admit(destination, among) {
            return Arc::default();
        }
        let known = self.parts.get(&self.template(destination)).map(Arc::clone);
        known.unwrap_or_else(|| {
            self.graph
                .shared_parts(destination, self.egress, Some(among))
                .into()
        })
    }

    /// Forgets the parts.
    pub fn forget(&mut self) {
        self.parts.clear();
        self.held = 0;
    }

    fn keep(&mut self, template: DestinationClassIx, parts: &Arc<[SourcesTraffic]>) {
        if self.held > MOST {
            self.forget();
        }
        self.held += parts
            .iter()
            .map(|p| p.sources.ranges().len() + 1)
            .sum::<usize>();
        self.parts.insert(template, Arc::clone(parts));
    }

    /// Whether [`Self::own_node_sources`] may tell anything of a destination; a no is certain.
    pub fn may_have_own_node(&self, destination: EndpointIx) -> bool {
        self.near
            .as_ref()
            .is_none_or(|near| near.contains(destination))
    }

    /// Makes the parts of these destinations' templates, on all processors, as far as they can be
    /// kept.
    pub fn make(&mut self, destinations: &[EndpointIx]) {
        use rayon::prelude::*;
        let mut seen = HashSet::default();
        let firsts: Vec<EndpointIx> = destinations
            .iter()
            .copied()
            .filter(|d| seen.insert(self.template(*d)))
            .collect();
        let (graph, egress, among) = (self.graph, self.egress, self.among.clone());
        for some in firsts.chunks(1_000) {
            let made: Vec<Arc<[SourcesTraffic]>> = some
                .par_iter()
                .map(|first| graph.shared_parts(*first, egress, among.as_ref()).into())
                .collect();
            for (first, parts) in some.iter().zip(&made) {
                self.keep(self.template(*first), parts);
            }
            if self.held > MOST {
                return;
            }
        }
    }

    /// The sources that may be the node of the destination's pods, or whose node the destination
    /// may be, in order, with what they may send: that, and not what the parts tell of them.
    pub fn own_node_sources(&mut self, destination: EndpointIx) -> Vec<(EndpointIx, Arc<Allowed>)> {
        if !self.may_have_own_node(destination) {
            return Vec::new();
        }
        let own_node_sources =
            self.graph
                .own_node_sources_among(destination, self.egress, self.among.as_ref());
        self.told(destination, own_node_sources)
    }

    /// [`Self::own_node_sources`] of the destination's pods of one home (of all of them, if not
    /// told), each for those of the source's pods for which it holds. Of other pods the parts tell.
    pub(crate) fn own_node_pods(
        &mut self,
        destination: EndpointIx,
        home: Option<HomeIx>,
    ) -> Vec<(SomePods, Arc<Allowed>)> {
        let found = self.graph.own_node_pods(destination, home, self.egress);
        let told = |(pods, near): (SomePods, NodeRelation)| {
            let allowed = self.between(pods.class, destination, near);
            (pods, allowed)
        };
        found.into_iter().map(told).collect()
    }

    /// [`Self::own_node_sources`], of sources among these only.
    pub fn own_node_sources_among(
        &mut self,
        destination: EndpointIx,
        among: &EndpointSet,
    ) -> Vec<(EndpointIx, Arc<Allowed>)> {
        let own_node_sources =
            self.graph
                .own_node_sources_among(destination, self.egress, Some(among));
        self.told(destination, own_node_sources)
    }

    fn told(
        &mut self,
        destination: EndpointIx,
        own_node_sources: Vec<(EndpointIx, NodeRelation)>,
    ) -> Vec<(EndpointIx, Arc<Allowed>)> {
        let told = |(source, near)| (source, self.between(source, destination, near));
        own_node_sources.into_iter().map(told).collect()
    }

    /// Whether a destination may admit any of these sources, own nodes aside; a no is certain.
    pub fn may_admit(&self, destination: EndpointIx, among: &EndpointSet) -> bool {
        self.graph.may_admit(destination, among)
    }

    /// The classes of which a source may be the node, or which may be its node, in order, with what
    /// it may send to them.
    pub fn own_node_destinations(&mut self, source: EndpointIx) -> Vec<(EndpointIx, Arc<Allowed>)> {
        let own_node_sources = self.graph.own_node_destinations(source);
        let told = |(destination, near)| (destination, self.between(source, destination, near));
        own_node_sources.into_iter().map(told).collect()
    }

    /// Places, which come in order, each with whether it has several pods.
    pub fn group(&self, places: &[(EndpointIx, bool)]) -> Group {
        let (equivalent_sources, templates) = (
            alike(places, |s| self.equivalent_source(s)),
            alike(places, |d| self.template(d)),
        );
        Group {
            places: places.into(),
            equivalent_sources,
            templates,
        }
    }

    /// What may pass between two pods or addresses, whichever node each is on; only where the
    /// sources' own policies count.
    pub fn exact(&mut self, source: Endpoint, destination: Endpoint) -> Option<Arc<Allowed>> {
        if !self.egress {
            return None;
        }
        let graph = self.graph;
        let flow = Flow {
            source,
            destination,
            traffic: ANY,
        };
        if is_self(graph.environment(), &flow) {
            return Some(graph.allowed(source, destination).into());
        }
        let places = [source, destination].map(|end| graph.space.index_of(end));
        Some(self.between(
            places[0],
            places[1],
            graph.relation_of_endpoints(source, destination),
        ))
    }

    /// What may pass from any place of one group to any of another, and the same as if no place
    /// were beside another (S55). If `apart`, a lone pod is not asked about itself.
    ///
    /// O(what stands beside the fewer of them); each pair of alike sources and templates is asked
    /// once.
    pub fn pairs(&mut self, from: &Group, into: &Group, apart: bool) -> [Vec<Arc<Allowed>>; 2] {
        let mut many: IndexMap<(EndpointIx, DestinationClassIx), (EndpointIx, EndpointIx, usize)> =
            IndexMap::default();
        for (equivalent_source, (source, of)) in &from.equivalent_sources {
            for (template, (destination, to)) in &into.templates {
                many.insert(
                    (*equivalent_source, *template),
                    (*source, *destination, of * to),
                );
            }
        }
        let bare = many.values().map(|(source, destination, _)| {
            self.between(*source, *destination, NodeRelation::NONE)
        });
        let bare = bare.collect();
        let is_lone = |source: EndpointIx, destination: EndpointIx| {
            apart && source == destination && !from.has_several(source)
        };
        let mut told = Vec::new();
        let mut leave_out = |rows: &Self, source: EndpointIx, destination: EndpointIx| {
            let alike = many.get_mut(&(rows.equivalent_source(source), rows.template(destination)));
            alike.into_iter().for_each(|(.., pairs)| *pairs -= 1);
        };
        from.places
            .iter()
            .filter(|(p, _)| is_lone(*p, *p))
            .for_each(|(p, _)| leave_out(self, *p, *p));
        for (source, destination, allowed) in self.near(from, into) {
            if !is_lone(source, destination) {
                leave_out(self, source, destination);
                told.push(allowed);
            }
        }
        let left = many.into_values().filter(|(.., pairs)| *pairs > 0);
        told.extend(
            left.map(|(source, destination, _)| {
                self.between(source, destination, NodeRelation::NONE)
            }),
        );
        [told, bare]
    }

    /// Of some sources and destinations those that stand beside each other, with what may pass.
    fn near(&mut self, from: &Group, into: &Group) -> Vec<(EndpointIx, EndpointIx, Arc<Allowed>)> {
        let mut near = Vec::new();
        let outside = into
            .places
            .iter()
            .any(|(d, _)| !self.graph.space.is_class(*d));
        if outside || into.places.len() <= from.places.len() {
            for (destination, _) in &into.places {
                let own_node_sources = self
                    .own_node_sources(*destination)
                    .into_iter()
                    .filter(|(source, _)| from.find(*source).is_some());
                near.extend(
                    own_node_sources.map(|(source, allowed)| (source, *destination, allowed)),
                );
            }
            return near;
        }
        for (source, _) in &from.places {
            let own_node_sources = self
                .own_node_destinations(*source)
                .into_iter()
                .filter(|(to, _)| into.find(*to).is_some());
            near.extend(
                own_node_sources.map(|(destination, allowed)| (*source, destination, allowed)),
            );
        }
        near
    }

    fn equivalent_source(&self, place: EndpointIx) -> EndpointIx {
        self.graph.equivalent_sources()[place]
    }

    fn between(
        &mut self,
        source: EndpointIx,
        destination: EndpointIx,
        near: NodeRelation,
    ) -> Arc<Allowed> {
        let graph = self.graph;
        if self.between.len() > MOST {
            self.between.clear();
        }
        let open = graph.space.is_class(destination)
            && graph
                .effective_policy(destination, Direction::Ingress)
                .is_open();
        let key = (
            self.template(destination),
            source_key(graph, source, open),
            near,
        );
        let known = self.between.entry(key);
        Arc::clone(
            known.or_insert_with(|| graph.between(source, destination, self.egress, near).into()),
        )
    }

    /// What a source may send to a destination, own node included.
    pub fn one(&mut self, source: EndpointIx, destination: EndpointIx) -> Arc<Allowed> {
        self.between(source, destination, self.graph.near(source, destination))
    }
}

fn alike<K: Hash + Eq>(
    places: &[(EndpointIx, bool)],
    kind: impl Fn(EndpointIx) -> K,
) -> IndexMap<K, (EndpointIx, usize)> {
    let mut kinds: IndexMap<K, (EndpointIx, usize)> = IndexMap::default();
    places
        .iter()
        .for_each(|(place, _)| kinds.entry(kind(*place)).or_insert((*place, 0)).1 += 1);
    kinds
}

fn source_key(graph: &AllowGraph, source: EndpointIx, open: bool) -> SourceKey {
    if !open || !graph.space.is_class(source) {
        return SourceKey::Equivalent(graph.equivalent_sources()[source]);
    }
    let effective = graph.governed_by(source, Direction::Egress);
    let families = graph.space.end_families(source);
    SourceKey::Governed {
        by: graph.egress_index().contents[effective],
        host: graph.space.is_host(source),
        policed: graph.space.is_policed(source, Direction::Egress),
        families,
    }
}
