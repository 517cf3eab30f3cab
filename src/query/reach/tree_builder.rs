//! Builds the tree of a reach query from the closure.
//!
//! Each pod group is shown below the group that it was first found from. Groups that are reached
//! from elsewhere too are repeated with a mark, up to a limit; workloads that accept from anyone
//! are gathered in one node. Invariant: every group of the closure is shown without the mark
//! exactly once.

use crate::compile::effective_policy::EffectivePolicy;
use crate::compile::endpoint_index::EndpointIx;
use crate::graph::{AllowGraph, Allowed};
use crate::model::{Truth, WorkloadId};
use crate::policy::Direction;
use crate::query::ask::grammar::Keyword;
use crate::query::list::listing::addresses;
use crate::query::reach::closure::Closure;
use crate::query::reach::perhaps_outside::PerhapsOutside;
use crate::query::reach::pod_group::PodGroup;
use crate::query::reach::search::{ReachQuery, Way, passing};
use crate::query::reach::steps::Steps;
use crate::query::reach::tree_node::{
    Item, TreeNode, bare, gather_leaves, merge_equal, merge_outside,
};
use crate::query::reach::workload_role::{is_api_server, is_store};
use crate::set::Ix;
use crate::set::hashed::HashMap;
use crate::set::{Family, IpSet, TrafficSet};
use crate::spec::{EndFamilies, Endpoint};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The number of nodes of one parent that are repeated although they are shown elsewhere.
const REPEATED: usize = 12;

/// The workloads of a pod group, and the roles that any of them has.
struct GroupSummary {
    names: Vec<WorkloadId>,
    store: bool,
    api_server: bool,
}

/// Builds the tree below the roots. Cost: a few edge queries per node, and the rows of the groups
/// that are shown.
pub(crate) struct TreeBuilder<'g> {
    pub(super) graph: &'g AllowGraph,
    query: &'g ReachQuery,
    steps: Steps<'g>,
    certain: Closure,
    /// What passes on the hop by which each group is found, computed lazily.
    carried: HashMap<usize, TrafficSet>,
    /// The summaries of the groups, computed lazily.
    summaries: HashMap<usize, Rc<GroupSummary>>,
    /// The groups that were first found from each group, or from the roots.
    children: BTreeMap<Option<usize>, Vec<usize>>,
    /// The groups that are shown already, with the traffic.
    shown: BTreeMap<usize, Vec<TrafficSet>>,
    /// The well-known sets of addresses that are shown already, with the traffic (forward).
    pub(super) outside: BTreeMap<&'static str, TrafficSet>,
    /// The effective egress policies for which outside addresses were looked up already, with
    /// whether the pod has IPv6 and whether it is on its node's network (forward).
    looked_up: BTreeSet<(usize, EndFamilies, bool)>,
    /// The outside addresses that are shown already.
    pub(super) sources: Vec<(Item, TrafficSet)>,
    /// The outside addresses of which it is not told whether anything passes.
    pub(super) perhaps: PerhapsOutside,
}

impl<'g> TreeBuilder<'g> {
    /// Starts with the groups that are certainly found.
    pub(crate) fn new(
        graph: &'g AllowGraph,
        query: &'g ReachQuery,
        steps: Steps<'g>,
        certain: Closure,
    ) -> Self {
        let mut children: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
        for (group, how) in certain.iter() {
            children.entry(how.parent).or_default().push(group);
        }
        Self {
            graph,
            query,
            steps,
            certain,
            carried: HashMap::default(),
            summaries: HashMap::default(),
            children,
            shown: BTreeMap::new(),
            outside: BTreeMap::new(),
            looked_up: BTreeSet::new(),
            sources: Vec::new(),
            perhaps: PerhapsOutside::default(),
        }
    }

    /// The nodes below the roots.
    pub(crate) fn build(&mut self) -> Vec<TreeNode> {
        let pods: Vec<Endpoint> = self.query.pods.iter().map(|p| Endpoint::Pod(*p)).collect();
        let mut nodes: Vec<TreeNode> = Vec::new();
        // replicas that no rule tells apart reach the same
        let space = self.graph.space();
        let unlike: BTreeMap<EndpointIx, Endpoint> = pods
            .iter()
            .rev()
            .map(|p| (space.index_of(*p), *p))
            .collect();
        for root in unlike.into_values() {
            nodes.extend(self.outside(root, true));
        }
        nodes.extend(self.below(None, &pods));
        merge_outside(nodes)
    }

    /// The outside addresses that may, but do not certainly, connect to what is shown or to what
    /// may be found besides, with the traffic; to be asked after [`Self::build`].
    pub(crate) fn unknown_outside(mut self, possible: &Closure) -> Vec<(IpSet, TrafficSet)> {
        for (group, how) in possible.iter() {
            let is_last = self.query.hops.is_some_and(|limit| how.hops >= limit);
            if self.certain.get(group).is_none() && !is_last {
                let end = self.steps.representative(group);
                end.map(|end| self.outside(end, false));
            }
        }
        self.perhaps.unknown()
    }

    /// The nodes below a group, or below the roots.
    fn below(&mut self, parent: Option<usize>, from: &[Endpoint]) -> Vec<TreeNode> {
        let found: Vec<usize> = self.children.get(&parent).cloned().unwrap_or_default();
        let (open, closed): (Vec<usize>, Vec<usize>) = found
            .into_iter()
            .partition(|u| self.query.way == Way::Forward && self.is_open(*u));
        let mut shown: Vec<(usize, TrafficSet, bool)> = Vec::new();
        for group in closed {
            let traffic = self.carried(group);
            self.shown.entry(group).or_default().push(traffic.clone());
            shown.push((group, traffic, false));
        }
        shown.extend(self.repeats(parent, from));
        let mut nodes: Vec<(usize, TreeNode)> = shown
            .into_iter()
            .map(|(group, traffic, repeated)| (group, self.node(group, traffic, repeated)))
            .collect();
        nodes.sort_by_cached_key(|(_, node)| self.rank(node));
        for (group, node) in nodes.iter_mut().filter(|(_, node)| !node.repeated) {
            node.next = self.beyond(*group);
        }
        let mut nodes = merge_equal(nodes.into_iter().map(|(_, node)| node).collect());
        let mut by_traffic: BTreeMap<TrafficSet, Vec<usize>> = BTreeMap::new();
        for group in open {
            let traffic = self.carried(group);
            by_traffic.entry(traffic).or_default().push(group);
        }
        for (traffic, open) in by_traffic.into_iter().rev() {
            nodes.push(self.gathered(&open, traffic));
        }
        if self.query.way == Way::Backward {
            gather_leaves(nodes)
        } else {
            nodes
        }
    }

    /// The nodes that are reached from a group.
    fn beyond(&mut self, group: usize) -> Vec<TreeNode> {
        let Some(end) = self.steps.representative(group) else {
            return Vec::new();
        };
        if self
            .query
            .hops
            .is_some_and(|limit| self.certain.get(group).is_none_or(|f| f.hops >= limit))
        {
            return Vec::new();
        }
        let mut next = self.outside(end, false);
        next.extend(self.below(Some(group), &[end]));
        next
    }

    /// What passes on the hop by which a group is found.
    fn carried(&mut self, group: usize) -> TrafficSet {
        let Some(how) = self.certain.get(group) else {
            return TrafficSet::empty();
        };
        let carried = self.carried.entry(group);
        carried
            .or_insert_with(|| self.steps.traffic(group, how, Truth::Yes))
            .clone()
    }

    /// Groups that are reached from here too, but were first found from elsewhere. Open workloads
    /// are left out, because they are reached from everywhere.
    fn repeats(
        &mut self,
        parent: Option<usize>,
        from: &[Endpoint],
    ) -> Vec<(usize, TrafficSet, bool)> {
        let open_parent = parent.is_some_and(|p| self.is_open(p));
        if parent.is_none() || (self.query.way == Way::Backward && open_parent) {
            return Vec::new();
        }
        let mut found = Vec::new();
        let (mut first, mut width) = (0, 64);
        while first < self.graph.space().classes.len() && found.len() < REPEATED {
            let [from_class, to_class] =
                [first, first.saturating_add(width - 1)].map(EndpointIx::from_number);
            let classes = from_class..=to_class;
            let next = from
                .iter()
                .flat_map(|e| self.steps.next(*e, classes.clone()))
                .collect::<Vec<_>>();
            for (group, allowed) in next {
                found.extend(self.repeated(parent, group, &allowed));
            }
            (first, width) = (first + width, width * 2);
        }
        found.truncate(REPEATED);
        for (group, traffic, again) in &mut found {
            let shown = self.shown.entry(*group).or_default();
            *again |= shown.contains(traffic) || self.query.way == Way::Backward;
            shown.push(traffic.clone());
        }
        found
    }

    /// A group that is reached from a parent too, but was first found from elsewhere; and whether
    /// it is shown there with the same traffic.
    fn repeated(
        &mut self,
        parent: Option<usize>,
        group: usize,
        allowed: &Allowed,
    ) -> Option<(usize, TrafficSet, bool)> {
        let how = *self.certain.get(group)?;
        let traffic = passing(allowed, Truth::Yes);
        let elsewhere = how.parent != parent && Some(group) != parent;
        let open = self.query.way == Way::Forward && self.is_open(group);
        if !elsewhere || open || traffic.is_empty() {
            return None;
        }
        let again = self.carried(group) == traffic;
        Some((group, traffic, again))
    }

    /// Open workloads that the same traffic gets to in one node, with what only they lead to below
    /// it.
    fn gathered(&mut self, open: &[usize], traffic: TrafficSet) -> TreeNode {
        let cluster = &self.graph.environment().cluster;
        let mut names: Vec<WorkloadId> = open
            .iter()
            .flat_map(|group| self.summary(*group).names.clone())
            .collect();
        names.sort_by_cached_key(|w| cluster.workload_name(*w));
        names.dedup();
        let hops = open
            .iter()
            .filter_map(|group| self.certain.get(*group))
            .map(|how| how.hops)
            .min()
            .unwrap_or(1);
        let mut next = Vec::new();
        for group in open {
            let via = self.summary(*group).names.first().copied();
            let new = self.beyond(*group).into_iter().filter(|s| !s.repeated);
            next.extend(new.map(|s| TreeNode {
                via: if open.len() > 1 || names.len() > 1 {
                    via
                } else {
                    None
                },
                ..s
            }));
        }
        next.sort_by_cached_key(|s| self.rank(s));
        let next = merge_equal(next);
        TreeNode {
            open: true,
            next,
            hops,
            ..bare(Item::Open(names), traffic)
        }
    }

    fn summary(&mut self, group: usize) -> Rc<GroupSummary> {
        let (graph, steps) = (self.graph, &self.steps);
        let summary = self.summaries.entry(group).or_insert_with(|| {
            let cluster = &graph.environment().cluster;
            let names = workloads(graph, &steps.pod_groups[group]);
            let store = names.iter().any(|w| is_store(cluster, *w));
            let api_server = names.iter().any(|w| is_api_server(cluster, *w));
            Rc::new(GroupSummary {
                names,
                store,
                api_server,
            })
        });
        Rc::clone(summary)
    }

    fn node(&mut self, group: usize, traffic: TrafficSet, repeated: bool) -> TreeNode {
        let summary = self.summary(group);
        let GroupSummary {
            store, api_server, ..
        } = *summary;
        let not_listening = self.query.way == Way::Forward && self.not_listening(group, &traffic);
        let hops = self.certain.get(group).map_or(0, |f| f.hops);
        let open = self.is_open(group);
        let item = Item::Workloads(summary.names.clone());
        TreeNode {
            repeated,
            open,
            store,
            api_server,
            deaf: not_listening,
            hops,
            ..bare(item, traffic)
        }
    }

    /// Whether all pods of a group declare ports, and none of these.
    fn not_listening(&self, group: usize, traffic: &TrafficSet) -> bool {
        let cluster = &self.graph.environment().cluster;
        self.steps.pod_groups[group].pods.iter().all(|p| {
            let ports = &cluster.pod(*p).ports;
            let is_open = |c: &crate::model::ContainerPort| {
                traffic.contains(crate::set::Traffic {
                    protocol: c.protocol,
                    port: c.port,
                })
            };
            !ports.is_empty() && !ports.iter().any(is_open)
        })
    }

    fn is_open(&self, group: usize) -> bool {
        let Some(end) = self.steps.representative(group) else {
            return false;
        };
        let effective = self.graph.effective(end, Direction::Ingress);
        !self.steps.pod_groups[group].host && effective.is_some_and(EffectivePolicy::is_open)
    }

    /// The order in which nodes are shown.
    fn rank(&self, node: &TreeNode) -> (u8, bool, u32, String) {
        let cluster = &self.graph.environment().cluster;
        let name = |list: &[WorkloadId]| {
            list.first()
                .map(|w| cluster.workload_name(*w))
                .unwrap_or_default()
        };
        match &node.item {
            Item::Known(Keyword::Internet) => (0, false, 0, String::new()),
            Item::Known(_) => (1, false, 0, String::new()),
            Item::Addresses(_) => (2, false, 0, String::new()),
            Item::Workloads(list) if node.api_server => (3, node.repeated, node.hops, name(list)),
            Item::Workloads(list) if node.store && self.query.way == Way::Forward => {
                (4, node.repeated, node.hops, name(list))
            }
            Item::Workloads(list) => (5, node.repeated, node.hops, name(list)),
            Item::Open(list) => (6, false, node.hops, name(list)),
        }
    }

    /// The outside addresses next to a pod: forward the well-known sets, each where it is first
    /// reached, backward the sources.
    fn outside(&mut self, end: Endpoint, root: bool) -> Vec<TreeNode> {
        match self.query.way {
            Way::Forward => {
                if self.query.pods.is_empty() || !self.is_new_egress(end) {
                    return Vec::new();
                }
                let sets = [Keyword::Internet, Keyword::Imds, Keyword::Private];
                let mut found: Vec<TreeNode> =
                    sets.into_iter().flat_map(|k| self.known(k, end)).collect();
                found.extend(self.other_addresses(end));
                found
            }
            Way::Backward => {
                let mut found = self.sources(end, root);
                found.retain(|s| !self.sources.contains(&(s.item.clone(), s.traffic.clone())));
                self.sources
                    .extend(found.iter().map(|s| (s.item.clone(), s.traffic.clone())));
                found
            }
        }
    }

    /// Whether no pod with the same effective egress policies was looked up before; these decide
    /// which addresses a pod reaches.
    fn is_new_egress(&mut self, end: Endpoint) -> bool {
        let (Endpoint::Pod(pod), Some(effective)) =
            (end, self.graph.effective(end, Direction::Egress))
        else {
            return true;
        };
        let env = self.graph.environment();
        let families = env.families(env.cluster.pod(pod));
        let host = env.cluster.pod(pod).host_network;
        self.looked_up
            .insert((std::ptr::from_ref(effective) as usize, families, host))
    }

    /// The outside addresses that may connect to a pod.
    fn sources(&mut self, end: Endpoint, root: bool) -> Vec<TreeNode> {
        let space = self.graph.space();
        let Endpoint::Pod(_) = end else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for part in self.steps.outside(end, !root).unwrap_or_default() {
            let asked = if root {
                self.query.asked.clone()
            } else {
                TrafficSet::all()
            };
            let traffic = part.allowed.must.intersection(&asked);
            let set = addresses(space, &part.sources);
            self.perhaps.add(&set, &part.allowed, &asked);
            if traffic.is_empty() || set.is_empty() {
                continue;
            }
            let is_internet = IpSet::internet().only(Family::V4).is_subset(&set);
            let item = if is_internet {
                Item::Known(Keyword::Internet)
            } else {
                Item::Addresses(set)
            };
            found.push(TreeNode {
                hops: 1,
                ..bare(item, traffic)
            });
        }
        found
    }
}

/// The workloads of the pods of a group.
pub(crate) fn workloads(graph: &AllowGraph, group: &PodGroup<'_>) -> Vec<WorkloadId> {
    let cluster = &graph.environment().cluster;
    let found: BTreeSet<WorkloadId> = group
        .pods
        .iter()
        .map(|p| cluster.pod(*p).workload)
        .collect();
    found.into_iter().collect()
}
