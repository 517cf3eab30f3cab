//! Pod groups: the pods that a search over hops takes together.
//!
//! A group holds the pods of one class and, where pods on their node's network make a difference,
//! of one node. Cost: O(pods), and O(pods log pods) where nodes are told apart.

use crate::compile::endpoint_index::EndpointIx;
use crate::graph::AllowGraph;
use crate::model::PodId;
use crate::set::Ix;
use std::borrow::Cow;
use std::ops::Range;

/// The number of pods up to which the nodes that they run on are told apart. In larger clusters,
/// what holds on some nodes only is unknown, unless both ends are single pods.
pub const APART: usize = 2_000;

/// Pods that neither a rule nor a node tells apart.
#[derive(Debug, Clone)]
pub struct PodGroup<'g> {
    /// Their class.
    pub class: EndpointIx,
    /// The pods, without those that the search starts at.
    pub pods: Cow<'g, [PodId]>,
    /// Whether the pods share their node's network.
    pub host: bool,
}

/// The pod groups of all classes and, where nodes are told apart, the range of the groups of each
/// class.
pub(crate) fn pod_groups(
    graph: &AllowGraph,
    by_node: bool,
) -> (Vec<PodGroup<'_>>, Vec<Range<usize>>) {
    let (space, cluster) = (graph.space(), &graph.environment().cluster);
    let mut groups = Vec::with_capacity(space.classes.list.len());
    let mut of_class = Vec::new();
    let mut members_by_node: Vec<(Option<&str>, usize)> = Vec::new();
    for (class, known) in space.classes.list.enumerated() {
        let (members, first, host) = (space.classes.members(class), groups.len(), known.host);
        if by_node && members.len() > 1 {
            members_by_node.clear();
            members_by_node.extend(
                members
                    .iter()
                    .enumerate()
                    .map(|(i, p)| (cluster.pod(*p).node.as_deref(), i)),
            );
            members_by_node.sort();
            groups.extend(members_by_node.chunk_by(|a, b| a.0 == b.0).map(|same| {
                let pods = match same {
                    [(_, single)] => Cow::Borrowed(&members[*single..=*single]),
                    several => several.iter().map(|(_, i)| members[*i]).collect(),
                };
                PodGroup { class, pods, host }
            }));
        } else {
            groups.push(PodGroup {
                class,
                pods: Cow::Borrowed(members),
                host,
            });
        }
        if by_node {
            of_class.push(first..groups.len());
        }
    }
    (groups, of_class)
}

/// The range of the groups of a class, given the ranges that [`pod_groups`] returns.
pub(crate) fn range_of(of_class: &[Range<usize>], class: EndpointIx) -> Range<usize> {
    of_class
        .get(class.index())
        .cloned()
        .unwrap_or(class.index()..class.index() + 1)
}
