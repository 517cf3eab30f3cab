//! Trees of who can get where: what a workload reaches (`reach`), what reaches it (`who`).
//!
//! Phases: the closure finds every unit and the hop it is first found on; [`TreeBuilder`] hangs
//! each under the unit it was found from, gathers workloads that accept from anyone, and marks what
//! is shown elsewhere. What only may be reached is kept apart. Ranking: the internet, cloud
//! credentials, the API server, data stores, then by name.

use crate::graph::{AllowGraph, Allowed};
use crate::model::{PodId, Truth, WorkloadId};
use crate::policy::Direction;
use crate::query::ask::grammar::Keyword;
use crate::query::reach::closure::{Closure, PodGroup, ReachQuery, Steps, Way, passing};
pub use crate::query::reach::path::{Hop, path};
use crate::query::reach::workload_role::{is_api_server, is_store};
use crate::set::hashed::{HashMap, IndexMap};
use crate::set::{Family, IpSet, TrafficSet};
use crate::spec::Endpoint;
use indexmap::map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What stands on a line of a tree.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Item {
    /// Workloads that nothing tells apart.
    Workloads(Vec<WorkloadId>),
    /// Workloads that accept from anyone, gathered.
    Open(Vec<WorkloadId>),
    /// Outside addresses under a well-known name.
    Known(Keyword),
    /// Other outside addresses.
    Addresses(IpSet),
}

/// One line of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeNode {
    /// Who.
    pub item: Item,
    /// What passes on this hop.
    pub traffic: TrafficSet,
    /// Whether some of the addresses get less than that.
    pub partly: bool,
    /// Whether the same stands elsewhere in the tree.
    pub repeated: bool,
    /// The member of a gathered parent it is reached from.
    pub via: Option<WorkloadId>,
    /// Whether it accepts from anyone.
    pub open: bool,
    /// Whether it looks like a data store.
    pub store: bool,
    /// Whether it looks like the API server.
    pub api_server: bool,
    /// Whether nothing is declared to listen on any of these ports.
    pub deaf: bool,
    /// After how many hops it is first found.
    pub hops: u32,
    /// What comes next.
    pub next: Vec<Self>,
}

/// The answer.
#[derive(Debug, Clone)]
pub struct Reach {
    /// The direction.
    pub way: Way,
    /// Whether nothing restricts the way out of the roots (forward), or the way in (backward).
    pub unrestricted: bool,
    /// Whether it starts at pods; else at outside addresses.
    pub from_pods: bool,
    /// The tree below the roots.
    pub stops: Vec<TreeNode>,
    /// Every workload that is found, with the hops.
    pub found: BTreeMap<WorkloadId, u32>,
    /// Workloads that may be found, for all that is known.
    pub unknown: Vec<WorkloadId>,
    /// The data stores that are found.
    pub stores: Vec<(WorkloadId, u32)>,
    /// How many workloads there are besides the roots'.
    pub others: usize,
    /// The most hops that were followed.
    pub hops: Option<u32>,
    /// What the hop next to the roots had to carry some of.
    pub asked: TrafficSet,
}

/// Follows a trip.
pub fn reach(graph: &AllowGraph, trip: &ReachQuery) -> Reach {
    let mut links = Steps::new(graph, trip);
    let sure = links.closure(Truth::Yes);
    let possible = links.closure(Truth::Maybe);
    let cluster = &graph.environment().cluster;
    let roots: BTreeSet<WorkloadId> = trip.pods.iter().map(|p| cluster.pod(*p).workload).collect();
    let mut found: BTreeMap<WorkloadId, u32> = BTreeMap::new();
    for (unit, how) in sure.iter() {
        for workload in workloads(graph, &links.units[unit]) {
            let hops = found.entry(workload).or_insert(how.hops);
            *hops = how.hops.min(*hops);
        }
    }
    let maybe = possible
        .iter()
        .flat_map(|(u, _)| workloads(graph, &links.units[u]))
        .collect::<BTreeSet<_>>();
    let unknown = maybe
        .into_iter()
        .filter(|w| !found.contains_key(w) && !roots.contains(w))
        .collect();
    found.retain(|w, _| !roots.contains(w));
    let stores = found
        .iter()
        .filter(|(w, _)| is_store(cluster, **w))
        .map(|(w, h)| (*w, *h))
        .collect();
    let direction = if trip.way == Way::Forward {
        Direction::Egress
    } else {
        Direction::Ingress
    };
    let free = |p: &PodId| {
        graph
            .effective(Endpoint::Pod(*p), direction)
            .is_some_and(crate::compile::effective_policies::EffectivePolicy::is_open)
    };
    let unrestricted = !trip.pods.is_empty() && trip.pods.iter().all(free);
    let mut children: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
    sure.iter()
        .for_each(|(unit, how)| children.entry(how.parent).or_default().push(unit));
    let mut planter = TreeBuilder {
        graph,
        trip,
        links,
        sure,
        carried: HashMap::default(),
        looks: HashMap::default(),
        children,
        shown: BTreeMap::new(),
        outside: BTreeSet::new(),
        looked_at: BTreeSet::new(),
        sources: Vec::new(),
    };
    let stops = planter.plant();
    let others = cluster
        .workloads()
        .filter(|(id, _)| !roots.contains(id))
        .count();
    let from_pods = !trip.pods.is_empty();
    Reach {
        way: trip.way,
        unrestricted,
        from_pods,
        stops,
        found,
        unknown,
        stores,
        others,
        hops: trip.hops,
        asked: trip.asked.clone(),
    }
}

fn workloads(graph: &AllowGraph, unit: &PodGroup<'_>) -> Vec<WorkloadId> {
    let cluster = &graph.environment().cluster;
    let found: BTreeSet<WorkloadId> = unit.pods.iter().map(|p| cluster.pod(*p).workload).collect();
    found.into_iter().collect()
}

/// How many stops of one parent that are shown elsewhere are repeated.
const REPEATED: usize = 12;

/// The workloads of a unit, and what any of them looks like.
struct Looks {
    names: Vec<WorkloadId>,
    store: bool,
    api_server: bool,
}

struct TreeBuilder<'g> {
    graph: &'g AllowGraph,
    trip: &'g ReachQuery,
    links: Steps<'g>,
    sure: Closure,
    /// What passes on the hop each unit is found by, as far as somebody asked.
    carried: HashMap<usize, TrafficSet>,
    /// What the units look like that were shown so far.
    looks: HashMap<usize, Rc<Looks>>,
    /// The units that were first found from a unit, or from the roots.
    children: BTreeMap<Option<usize>, Vec<usize>>,
    /// The units already shown, with the traffic.
    shown: BTreeMap<usize, Vec<TrafficSet>>,
    /// The well-known outside sets already shown (forward).
    outside: BTreeSet<&'static str>,
    /// The ways out that were looked at for outside addresses already, with what else decides
    /// (forward): they are shared.
    looked_at: BTreeSet<(usize, bool, bool)>,
    /// The outside sources already shown (backward).
    sources: Vec<(Item, TrafficSet)>,
}

impl TreeBuilder<'_> {
    fn plant(&mut self) -> Vec<TreeNode> {
        let pods: Vec<Endpoint> = self.trip.pods.iter().map(|p| Endpoint::Pod(*p)).collect();
        let mut stops: Vec<TreeNode> = Vec::new();
        for root in pods.iter().take(1) {
            stops.extend(self.outside(*root, true));
        }
        stops.extend(self.below(None, &pods));
        stops
    }

    /// What hangs below a unit, or below the roots.
    fn below(&mut self, parent: Option<usize>, from: &[Endpoint]) -> Vec<TreeNode> {
        let owned: Vec<usize> = self.owned(parent);
        let (open, closed): (Vec<usize>, Vec<usize>) = owned
            .into_iter()
            .partition(|u| self.trip.way == Way::Forward && self.is_open(*u));
        let mut lines: Vec<(usize, TrafficSet, bool)> = Vec::new();
        for unit in closed {
            let traffic = self.carried(unit);
            self.shown.entry(unit).or_default().push(traffic.clone());
            lines.push((unit, traffic, false));
        }
        lines.extend(self.repeats(parent, from));
        let mut stops: Vec<(usize, TreeNode)> = lines
            .into_iter()
            .map(|(u, t, again)| (u, self.stop(u, t, again)))
            .collect();
        stops.sort_by_cached_key(|(_, s)| self.rank(s));
        for (unit, stop) in stops.iter_mut().filter(|(_, s)| !s.repeated) {
            stop.next = self.beyond(*unit);
        }
        let mut stops = melted(stops.into_iter().map(|(_, s)| s).collect());
        if !open.is_empty() {
            stops.push(self.gathered(&open));
        }
        if self.trip.way == Way::Backward {
            gather_leaves(stops)
        } else {
            stops
        }
    }

    fn beyond(&mut self, unit: usize) -> Vec<TreeNode> {
        let Some(end) = self.links.representative(unit) else {
            return Vec::new();
        };
        if self
            .trip
            .hops
            .is_some_and(|most| self.sure.get(unit).is_none_or(|f| f.hops >= most))
        {
            return Vec::new();
        }
        let mut next = self.outside(end, false);
        next.extend(self.below(Some(unit), &[end]));
        next
    }

    /// What passes on the hop that a unit is found by.
    fn carried(&mut self, unit: usize) -> TrafficSet {
        let Some(how) = self.sure.get(unit) else {
            return TrafficSet::empty();
        };
        let told = self.carried.entry(unit);
        told.or_insert_with(|| self.links.traffic(unit, how, Truth::Yes))
            .clone()
    }

    fn owned(&self, parent: Option<usize>) -> Vec<usize> {
        self.children.get(&parent).cloned().unwrap_or_default()
    }

    /// Units that are reached from here too, but hang elsewhere. What is open is reached from
    /// everywhere.
    fn repeats(
        &mut self,
        parent: Option<usize>,
        from: &[Endpoint],
    ) -> Vec<(usize, TrafficSet, bool)> {
        let open_parent = parent.is_some_and(|p| self.is_open(p));
        if parent.is_none() || (self.trip.way == Way::Backward && open_parent) {
            return Vec::new();
        }
        let mut found = Vec::new();
        let (mut first, mut width) = (0, 64);
        while first < self.graph.space().classes.len() && found.len() < REPEATED {
            let classes = first..=first.saturating_add(width - 1);
            let next = from
                .iter()
                .flat_map(|e| self.links.next(*e, classes.clone()))
                .collect::<Vec<_>>();
            for (unit, allowed) in next {
                found.extend(self.repeated(parent, unit, &allowed));
            }
            (first, width) = (first + width, width * 2);
        }
        found.truncate(REPEATED);
        for (unit, traffic, again) in &mut found {
            let shown = self.shown.entry(*unit).or_default();
            *again |= shown.contains(traffic) || self.trip.way == Way::Backward;
            shown.push(traffic.clone());
        }
        found
    }

    /// A unit that is reached from a parent too, but hangs elsewhere; and whether it is shown there
    /// with the same traffic.
    fn repeated(
        &mut self,
        parent: Option<usize>,
        unit: usize,
        allowed: &Allowed,
    ) -> Option<(usize, TrafficSet, bool)> {
        let owner = *self.sure.get(unit)?;
        let traffic = passing(allowed, Truth::Yes);
        let elsewhere = owner.parent != parent && Some(unit) != parent;
        let open = self.trip.way == Way::Forward && self.is_open(unit);
        if !elsewhere || open || traffic.is_empty() {
            return None;
        }
        let again = self.carried(unit) == traffic;
        Some((unit, traffic, again))
    }

    /// Open workloads in one line, with what only they lead to below it.
    fn gathered(&mut self, open: &[usize]) -> TreeNode {
        let cluster = &self.graph.environment().cluster;
        let mut names: Vec<WorkloadId> = open
            .iter()
            .flat_map(|u| self.looks(*u).names.clone())
            .collect();
        names.sort_by_cached_key(|w| cluster.workload_name(*w));
        names.dedup();
        let hops = open
            .iter()
            .filter_map(|u| self.sure.get(*u))
            .map(|f| f.hops)
            .min()
            .unwrap_or(1);
        let mut next = Vec::new();
        for unit in open {
            let via = self.looks(*unit).names.first().copied();
            let news = self.beyond(*unit).into_iter().filter(|s| !s.repeated);
            next.extend(news.map(|s| TreeNode {
                via: if open.len() > 1 || names.len() > 1 {
                    via
                } else {
                    None
                },
                ..s
            }));
        }
        next.sort_by_cached_key(|s| self.rank(s));
        let next = melted(next);
        let traffic = TrafficSet::all();
        TreeNode {
            open: true,
            next,
            hops,
            ..bare(Item::Open(names), traffic)
        }
    }

    fn looks(&mut self, unit: usize) -> Rc<Looks> {
        let (graph, links) = (self.graph, &self.links);
        let looks = self.looks.entry(unit).or_insert_with(|| {
            let cluster = &graph.environment().cluster;
            let names = workloads(graph, &links.units[unit]);
            let store = names.iter().any(|w| is_store(cluster, *w));
            let api_server = names.iter().any(|w| is_api_server(cluster, *w));
            Rc::new(Looks {
                names,
                store,
                api_server,
            })
        });
        Rc::clone(looks)
    }

    fn stop(&mut self, unit: usize, traffic: TrafficSet, repeated: bool) -> TreeNode {
        let looks = self.looks(unit);
        let Looks {
            store, api_server, ..
        } = *looks;
        let deaf = self.trip.way == Way::Forward && self.is_deaf(unit, &traffic);
        let hops = self.sure.get(unit).map_or(0, |f| f.hops);
        let open = self.is_open(unit);
        let item = Item::Workloads(looks.names.clone());
        TreeNode {
            repeated,
            open,
            store,
            api_server,
            deaf,
            hops,
            ..bare(item, traffic)
        }
    }

    /// Whether the pods declare ports, and none of these.
    fn is_deaf(&self, unit: usize, traffic: &TrafficSet) -> bool {
        let cluster = &self.graph.environment().cluster;
        self.links.units[unit].pods.iter().all(|p| {
            let ports = &cluster.pod(*p).ports;
            let heard = |c: &crate::model::ContainerPort| {
                traffic.contains(crate::set::Traffic {
                    protocol: c.protocol,
                    port: c.port,
                })
            };
            !ports.is_empty() && !ports.iter().any(heard)
        })
    }

    fn is_open(&self, unit: usize) -> bool {
        let Some(end) = self.links.representative(unit) else {
            return false;
        };
        let profile = self.graph.effective(end, Direction::Ingress);
        !self.links.units[unit].host
            && profile.is_some_and(crate::compile::effective_policies::EffectivePolicy::is_open)
    }

    fn rank(&self, stop: &TreeNode) -> (u8, bool, u32, String) {
        let cluster = &self.graph.environment().cluster;
        let name = |list: &[WorkloadId]| {
            list.first()
                .map(|w| cluster.workload_name(*w))
                .unwrap_or_default()
        };
        match &stop.item {
            Item::Known(Keyword::Internet) => (0, false, 0, String::new()),
            Item::Known(_) => (1, false, 0, String::new()),
            Item::Addresses(_) => (2, false, 0, String::new()),
            Item::Workloads(list) if stop.api_server => (3, stop.repeated, stop.hops, name(list)),
            Item::Workloads(list) if stop.store && self.trip.way == Way::Forward => {
                (4, stop.repeated, stop.hops, name(list))
            }
            Item::Workloads(list) => (5, stop.repeated, stop.hops, name(list)),
            Item::Open(list) => (6, false, stop.hops, name(list)),
        }
    }

    /// Outside addresses next to a pod: forward the well-known sets, each where it is first
    /// reached; backward the sources.
    fn outside(&mut self, end: Endpoint, root: bool) -> Vec<TreeNode> {
        match self.trip.way {
            Way::Forward => {
                let pods_only = !self.trip.pods.is_empty() && self.is_new_way_out(end);
                let sets = [Keyword::Internet, Keyword::Imds, Keyword::Private];
                sets.into_iter()
                    .filter(|_| pods_only)
                    .filter_map(|k| self.known(k, end))
                    .collect()
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

    /// Whether nothing with the same way out was looked at: what governs it decides which addresses
    /// it reaches.
    fn is_new_way_out(&mut self, end: Endpoint) -> bool {
        let (Endpoint::Pod(pod), Some(profile)) =
            (end, self.graph.effective(end, Direction::Egress))
        else {
            return true;
        };
        let env = self.graph.environment();
        let six = env.has_family(env.cluster.pod(pod), Family::V6);
        let host = env.cluster.pod(pod).host_network;
        self.looked_at
            .insert((std::ptr::from_ref(profile) as usize, six, host))
    }

    fn known(&mut self, keyword: Keyword, end: Endpoint) -> Option<TreeNode> {
        if self.outside.contains(keyword.word()) {
            return None;
        }
        let Endpoint::Pod(pod) = end else { return None };
        let env = self.graph.environment();
        let set = keyword.addresses()?;
        let families = Family::ALL
            .into_iter()
            .filter(|f| env.has_family(env.cluster.pod(pod), *f));
        let set = families
            .map(|f| set.only(f))
            .fold(IpSet::empty(), |a, b| a.union(&b));
        let (mut all, mut any) = (TrafficSet::all(), TrafficSet::empty());
        for outside in crate::query::suggest::trial::ends(self.graph, &BTreeSet::new(), &set) {
            let sure = self.graph.allowed(end, outside).must;
            (all, any) = (all.intersection(&sure), any.union(&sure));
        }
        // where everything outside is open, the private part of it is no news
        let news = keyword != Keyword::Private || !self.outside.contains(Keyword::Internet.word());
        if any.is_empty() || !news {
            return None;
        }
        self.outside.insert(keyword.word());
        Some(TreeNode {
            partly: all != any,
            hops: 1,
            ..bare(Item::Known(keyword), any)
        })
    }

    /// Outside addresses that may connect to a pod.
    fn sources(&mut self, end: Endpoint, root: bool) -> Vec<TreeNode> {
        let space = self.graph.space();
        let Endpoint::Pod(_) = end else {
            return Vec::new();
        };
        let mut found: Vec<(TrafficSet, IpSet)> = Vec::new();
        for part in self.links.outside(end, !root).unwrap_or_default() {
            let asked = if root {
                self.trip.asked.clone()
            } else {
                TrafficSet::all()
            };
            let traffic = part.allowed.must.intersection(&asked);
            let set = crate::query::list::listing::addresses(space, &part.sources);
            if !traffic.is_empty() && !set.is_empty() {
                found.push((traffic, set));
            }
        }
        let stop = |(traffic, set): (TrafficSet, IpSet)| {
            let everything = IpSet::internet().only(Family::V4).is_subset(&set);
            let item = if everything {
                Item::Known(Keyword::Internet)
            } else {
                Item::Addresses(set)
            };
            TreeNode {
                hops: 1,
                ..bare(item, traffic)
            }
        };
        found.into_iter().map(stop).collect()
    }
}

/// Pods of one workload on several nodes stand in one line.
fn melted(stops: Vec<TreeNode>) -> Vec<TreeNode> {
    let mut kept: IndexMap<(Item, TrafficSet), TreeNode> = IndexMap::default();
    for stop in stops {
        match kept.entry((stop.item.clone(), stop.traffic.clone())) {
            Entry::Occupied(mut same) => {
                let same = same.get_mut();
                same.next.extend(stop.next);
                same.next = melted(std::mem::take(&mut same.next));
            }
            Entry::Vacant(new) => drop(new.insert(stop)),
        }
    }
    kept.into_values().collect()
}

fn bare(item: Item, traffic: TrafficSet) -> TreeNode {
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

/// How many sources without anything behind them are listed one by one.
const LEAVES: usize = 3;

/// Backward, sources that lead no further back stand in one line where they are many, or where
/// anyone is let in.
fn gather_leaves(stops: Vec<TreeNode>) -> Vec<TreeNode> {
    let is_leaf =
        |s: &TreeNode| s.next.is_empty() && !s.repeated && matches!(s.item, Item::Workloads(_));
    let whole = TrafficSet::all();
    let leaves = stops.iter().filter(|s| is_leaf(s)).count();
    let gathers = |s: &TreeNode| is_leaf(s) && (s.traffic == whole || leaves > LEAVES);
    let (together, mut rest): (Vec<TreeNode>, Vec<TreeNode>) = stops.into_iter().partition(gathers);
    let mut by: BTreeMap<TrafficSet, TreeNode> = BTreeMap::new();
    for stop in together {
        let Item::Workloads(mut list) = stop.item.clone() else {
            continue;
        };
        match by
            .get_mut(&stop.traffic)
            .map(|s| (&mut s.item, &mut s.open))
        {
            Some((Item::Workloads(names), open)) => {
                names.append(&mut list);
                *open &= stop.open;
            }
            _ => {
                by.insert(stop.traffic.clone(), stop);
            }
        }
    }
    rest.extend(by.into_values());
    rest
}
