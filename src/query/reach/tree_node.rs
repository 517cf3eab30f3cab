//! The nodes of a tree of who can get where, and how lists of nodes are merged and gathered.

use crate::model::WorkloadId;
use crate::query::ask::grammar::Keyword;
use crate::set::hashed::IndexMap;
use crate::set::{IpSet, TrafficSet};
use indexmap::map::Entry;
use std::collections::BTreeMap;

/// What a node of a tree stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Item {
    /// Workloads that neither a rule nor a node tells apart.
    Workloads(Vec<WorkloadId>),
    /// Workloads that accept from anyone, gathered in one node.
    Open(Vec<WorkloadId>),
    /// Outside addresses under a well-known name.
    Known(Keyword),
    /// Other outside addresses.
    Addresses(IpSet),
}

/// One node of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeNode {
    /// What it stands for.
    pub item: Item,
    /// What passes on this hop.
    pub traffic: TrafficSet,
    /// Whether less than that passes for some of the addresses.
    pub partly: bool,
    /// Whether the same item with the same traffic is shown elsewhere in the tree.
    pub repeated: bool,
    /// The member of a gathered parent that it is reached from.
    pub via: Option<WorkloadId>,
    /// Whether it accepts from anyone.
    pub open: bool,
    /// Whether it looks like a data store.
    pub store: bool,
    /// Whether it looks like the API server.
    pub api_server: bool,
    /// Whether no container declares any of the ports that are open.
    pub deaf: bool,
    /// The number of hops after which it is first found.
    pub hops: u32,
    /// The nodes of the next hop.
    pub next: Vec<Self>,
}

/// Merges nodes with equal items and traffic, such as pods of one workload on several nodes.
pub(crate) fn merge_equal(nodes: Vec<TreeNode>) -> Vec<TreeNode> {
    let mut kept: IndexMap<(Item, TrafficSet), TreeNode> = IndexMap::default();
    for node in nodes {
        match kept.entry((node.item.clone(), node.traffic.clone())) {
            Entry::Occupied(mut same) => {
                let same = same.get_mut();
                same.next.extend(node.next);
                same.next = merge_equal(std::mem::take(&mut same.next));
            }
            Entry::Vacant(new) => drop(new.insert(node)),
        }
    }
    kept.into_values().collect()
}

/// Takes together what several roots reach of the same outside addresses: the traffic of any of
/// them.
pub(crate) fn merge_outside(nodes: Vec<TreeNode>) -> Vec<TreeNode> {
    let mut kept: Vec<TreeNode> = Vec::new();
    for node in nodes {
        let outside = matches!(node.item, Item::Known(_) | Item::Addresses(_));
        let same = kept.iter_mut().find(|k| outside && k.item == node.item);
        match same {
            Some(known) => {
                known.partly |= node.partly || known.traffic != node.traffic;
                known.traffic = known.traffic.union(&node.traffic);
            }
            None => kept.push(node),
        }
    }
    kept
}

/// A node without any mark and without children.
pub(crate) fn bare(item: Item, traffic: TrafficSet) -> TreeNode {
    TreeNode {
        item,
        traffic,
        partly: false,
        repeated: false,
        via: None,
        open: false,
        store: false,
        api_server: false,
        deaf: false,
        hops: 0,
        next: Vec::new(),
    }
}

/// The number of leaves up to which they are listed one by one.
const LEAVES: usize = 3;

/// Backward: gathers sources without further sources in one node per traffic, if there are many of
/// them or if they may send anything.
pub(crate) fn gather_leaves(nodes: Vec<TreeNode>) -> Vec<TreeNode> {
    let is_leaf =
        |s: &TreeNode| s.next.is_empty() && !s.repeated && matches!(s.item, Item::Workloads(_));
    let whole = TrafficSet::all();
    let leaves = nodes.iter().filter(|s| is_leaf(s)).count();
    let gathers = |s: &TreeNode| is_leaf(s) && (s.traffic == whole || leaves > LEAVES);
    let (together, mut rest): (Vec<TreeNode>, Vec<TreeNode>) = nodes.into_iter().partition(gathers);
    let mut by_traffic: BTreeMap<TrafficSet, TreeNode> = BTreeMap::new();
    for node in together {
        let Item::Workloads(mut list) = node.item.clone() else {
            continue;
        };
        match by_traffic
            .get_mut(&node.traffic)
            .map(|s| (&mut s.item, &mut s.open))
        {
            Some((Item::Workloads(names), open)) => {
                names.append(&mut list);
                *open &= node.open;
            }
            _ => {
                by_traffic.insert(node.traffic.clone(), node);
            }
        }
    }
    rest.extend(by_traffic.into_values());
    rest
}
