//! The pods whose egress policies deny something.
//!
//! For every template of destinations that are no nodes, the row of what passes is compared with
//! the row of what is admitted; where own nodes decide (S55), what each lets pass is compared
//! instead. What a policy denies to some pods of a class only, as the others run on the
//! destination, is kept by home. Cost: two rows per template and the own nodes of every class.

use crate::compile::endpoint_index::EndpointIx;
use crate::compile::node_index::HomeIx;
use crate::compile::peer_sets::EndpointSet;
use crate::graph::own_node_exemption::SomePods;
use crate::graph::row::SourcesTraffic;
use crate::graph::row_cache::RowCache;
use crate::graph::{AllowGraph, Allowed};
use crate::model::PodId;
use crate::set::hashed::{HashMap, HashSet};
use std::sync::Arc;

/// Pods, as whole classes and as those of some homes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Restricted {
    classes: EndpointSet,
    at_home: HashSet<(EndpointIx, HomeIx)>,
}

impl Restricted {
    /// Finds them, from what passes and what is admitted.
    pub(crate) fn new(rows: &mut RowCache<'_>, admitted: &mut RowCache<'_>) -> Self {
        let graph = rows.graph();
        let (space, mut restricted) = (graph.space(), Self::default());
        for template in graph.destination_classes() {
            let first = template.destinations.first().copied();
            let Some(first) = first.filter(|d| !space.hosts.contains(*d)) else {
                continue;
            };
            let (passes, admits) = (rows.parts(first), admitted.parts(first));
            let mut excepted: Option<Self> = None;
            for destination in template.destinations {
                for home in homes(graph, destination) {
                    let own_node = rows.own_node_pods(destination, home);
                    let admitted: HashMap<EndpointIx, Arc<Allowed>> = admitted
                        .own_node_pods(destination, home)
                        .into_iter()
                        .map(|(pods, allowed)| (pods.class, allowed))
                        .collect();
                    let near = Self::of(own_node.iter().map(|(pods, _)| pods));
                    let found = own_node
                        .iter()
                        .filter(|entry| differs_on_own_node(entry, &admitted, &admits));
                    let found = Self::of(found.map(|(pods, _)| pods));
                    restricted.add(graph, destination, found);
                    excepted = Some(match excepted {
                        None => near,
                        Some(so_far) => so_far.intersection(&near),
                    });
                }
            }
            let by_row = differing(&passes, &admits);
            let by_row = excepted.unwrap_or_default().left_of(graph, &by_row);
            restricted.add(graph, first, by_row);
        }
        restricted
    }

    fn of<'p>(list: impl Iterator<Item = &'p SomePods>) -> Self {
        let (mut classes, mut at_home) = (Vec::new(), HashSet::default());
        for pods in list {
            match &pods.homes {
                None => classes.push(pods.class),
                Some(homes) => at_home.extend(homes.iter().map(|home| (pods.class, *home))),
            }
        }
        Self {
            classes: classes.into_iter().collect(),
            at_home,
        }
    }

    /// Adds the sources that can be governed towards a destination: traffic between outside
    /// addresses is not.
    fn add(&mut self, graph: &AllowGraph, destination: EndpointIx, found: Self) {
        let space = graph.space();
        let classes = if space.is_class(destination) {
            found.classes
        } else {
            found.classes.intersection(&space.pods())
        };
        self.classes = self.classes.union(&classes);
        self.at_home.extend(found.at_home);
    }

    fn has(&self, class: EndpointIx, home: HomeIx) -> bool {
        self.classes.contains(class) || self.at_home.contains(&(class, home))
    }

    fn intersection(&self, other: &Self) -> Self {
        let both = |a: &Self, b: &Self| -> Vec<(EndpointIx, HomeIx)> {
            let pods = a.at_home.iter().copied();
            pods.filter(|(class, home)| b.has(*class, *home)).collect()
        };
        Self {
            classes: self.classes.intersection(&other.classes),
            at_home: both(self, other)
                .into_iter()
                .chain(both(other, self))
                .collect(),
        }
    }

    /// Of some classes the pods that are not among these.
    fn left_of(&self, graph: &AllowGraph, classes: &EndpointSet) -> Self {
        let cut: EndpointSet = self.at_home.iter().map(|(c, _)| *c..=*c).collect();
        let left = classes.difference(&self.classes);
        let mut at_home = HashSet::default();
        for class in left.intersection(&cut).points() {
            let homes = graph.node_index().homes(class).iter();
            let others = homes.filter(|home| !self.at_home.contains(&(class, **home)));
            at_home.extend(others.map(|home| (class, *home)));
        }
        Self {
            classes: left.difference(&cut),
            at_home,
        }
    }

    /// Whether a pod is among them.
    pub(crate) fn contains(&self, graph: &AllowGraph, pod: PodId) -> bool {
        let class = graph.space().classes.of_pod[pod];
        match graph.node_index().home(pod) {
            Some(home) => self.has(class, home),
            None => self.classes.contains(class),
        }
    }
}

/// The homes of a destination's pods, where they make a difference to what it lets in.
fn homes(graph: &AllowGraph, destination: EndpointIx) -> Vec<Option<HomeIx>> {
    let nodes = graph.node_index();
    if !nodes.has_several_homes(destination) || !graph.may_let_in_its_node(destination) {
        return vec![None];
    }
    let homes = nodes.homes(destination).iter();
    homes.map(|home| Some(*home)).collect()
}

/// Whether a source that the own node decides may send other traffic (`passes`) than the
/// destination admits; `admitted` are the own-node entries and `admits` the parts of the row
/// without egress policies.
fn differs_on_own_node(
    (pods, passes): &(SomePods, Arc<Allowed>),
    admitted: &HashMap<EndpointIx, Arc<Allowed>>,
    admits: &[SourcesTraffic],
) -> bool {
    let admits = admitted
        .get(&pods.class)
        .map(AsRef::as_ref)
        .or_else(|| part_of(admits, pods.class));
    admits.map_or(!passes.is_nothing(), |admits| *admits != **passes)
}

/// What a source may send according to these parts, which do not overlap.
fn part_of(parts: &[SourcesTraffic], source: EndpointIx) -> Option<&Allowed> {
    parts
        .iter()
        .find(|part| part.sources.contains(source))
        .map(|part| &part.allowed)
}

/// The sources whose traffic differs between two rows. Both rows have one part per traffic, in
/// order.
fn differing(left: &[SourcesTraffic], right: &[SourcesTraffic]) -> EndpointSet {
    let mut same: Vec<EndpointSet> = Vec::new();
    for part in left {
        if let Ok(i) = right.binary_search_by(|p| p.allowed.cmp(&part.allowed)) {
            same.push(part.sources.intersection(&right[i].sources));
        }
    }
    let all = EndpointSet::union_of(left.iter().chain(right).map(|p| &p.sources));
    all.difference(&EndpointSet::union_of(&same))
}
