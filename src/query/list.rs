//! The allow-graph as a table of workloads: who may send what to whom.
//!
//! Flows between two open ends are not listed one by one: an open destination is one entry of its own ("accepts from
//! anyone"). What is listed is every allowed flow with a governed end. Cost follows rows of classes and the output.

use crate::compile::peers::Runs;
use crate::compile::walk::Profile;
use crate::compile::{AllowGraph, Allowed, Endpoint, Flow};
use crate::model::{PodId, WorkloadId};
use crate::policy::Direction;
use crate::set::{IpSet, TrafficSet};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// One end of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Party {
    /// A workload.
    Workload(WorkloadId),
    /// A block of outside addresses.
    Addresses(IpSet),
}

/// One line: a source, a destination, and what passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The source.
    pub source: Party,
    /// The destination.
    pub destination: Party,
    /// What passes between every pod of the one and every pod of the other.
    pub allowed: Allowed,
    /// Whether some pods of the two may send more than that.
    pub differs: bool,
    /// One flow that shows it.
    pub example: Flow,
}

impl Entry {
    /// Whether something passes for certain; what does not may pass, for all that is known.
    pub fn is_allowed(&self) -> bool {
        !self.allowed.sure.is_empty()
    }
}

/// The table.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// The lines, by destination and source.
    pub entries: Vec<Entry>,
    /// Workloads that nothing governs on the way in.
    pub open_in: Vec<WorkloadId>,
    /// Workloads that nothing governs on the way out.
    pub open_out: Vec<WorkloadId>,
    /// Workloads on their node's network, whose verdicts are unknown unless told otherwise.
    pub host_network: Vec<WorkloadId>,
    /// The sources it was narrowed to.
    pub from: Option<Vec<WorkloadId>>,
    /// The destinations it was narrowed to.
    pub to: Option<Vec<WorkloadId>>,
}

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only these sources; all when `None`.
    pub from: Option<Vec<WorkloadId>>,
    /// Only these destinations; all when `None`.
    pub to: Option<Vec<WorkloadId>>,
    /// Also flows between two open ends.
    pub all: bool,
}

/// Lists the allow-graph.
pub fn list(graph: &AllowGraph, filter: &Filter) -> Listing {
    let mut entries = Vec::new();
    let listing = each(graph, filter, &mut |entry| {
        entries.push(entry);
        ControlFlow::Continue(())
    });
    Listing { entries, ..listing }
}

/// What is done with each entry; it may stop the listing.
pub type Visit<'v> = &'v mut dyn FnMut(Entry) -> ControlFlow<()>;

/// Lists the allow-graph one entry at a time, so that no more than one destination's sources are held; returns the rest
/// of the listing, without entries.
pub fn each(graph: &AllowGraph, filter: &Filter, visit: Visit<'_>) -> Listing {
    let listing = summary(graph, filter);
    let lister = Lister { graph, filter, members: members(graph), implied: implied(graph, filter, &listing), listing };
    let cluster = &graph.world().cluster;
    let mut wanted = cluster.workloads().filter(|(id, _)| filter.to.as_ref().is_none_or(|to| to.contains(id)));
    let flow = wanted.try_for_each(|(id, _)| lister.sources_of(id, visit));
    if filter.to.is_none() && flow.is_continue() {
        let _ = lister.outside(visit);
    }
    lister.listing
}

/// Who is open, and who is on its node's network; no entries.
pub fn summary(graph: &AllowGraph, filter: &Filter) -> Listing {
    let cluster = &graph.world().cluster;
    let mut listing = Listing { from: filter.from.clone(), to: filter.to.clone(), ..Listing::default() };
    for (id, workload) in cluster.workloads() {
        let is_open = |p: &PodId, d| graph.profile(Endpoint::Pod(*p), d).is_some_and(Profile::is_open);
        let open = |d: Direction| workload.pods.iter().all(|p| is_open(p, d));
        if workload.pods.iter().any(|p| cluster.pod(*p).host_network) {
            listing.host_network.push(id);
        }
        if open(Direction::Ingress) {
            listing.open_in.push(id);
        }
        if open(Direction::Egress) {
            listing.open_out.push(id);
        }
    }
    listing
}

/// Pods of one class that belong to one workload.
struct Member {
    workload: WorkloadId,
    pods: usize,
    first: PodId,
}

/// For each class its workloads. O(pods log pods).
fn members(graph: &AllowGraph) -> Vec<Vec<Member>> {
    let cluster = &graph.world().cluster;
    let classes = &graph.line().classes;
    let grouped = |class: u32| {
        let mut by: BTreeMap<WorkloadId, Member> = BTreeMap::new();
        for pod in classes.members(class) {
            let workload = cluster.pod(*pod).workload;
            by.entry(workload).or_insert(Member { workload, pods: 0, first: *pod }).pods += 1;
        }
        by.into_values().collect()
    };
    (0..classes.len()).map(grouped).collect()
}

/// The classes all of whose workloads are open on the way out: their flows to open ends, and to outside addresses, are
/// implied and never listed.
fn implied(graph: &AllowGraph, filter: &Filter, listing: &Listing) -> Runs {
    if filter.all {
        return Runs::empty();
    }
    let cluster = &graph.world().cluster;
    let open = |pod: &PodId| listing.open_out.binary_search(&cluster.pod(*pod).workload).is_ok();
    let classes = &graph.line().classes;
    let numbers = (0..classes.len()).filter(|class| classes.members(*class).iter().all(open));
    numbers.map(|c| c..=c).collect()
}

/// Outside addresses by what they may send, with one flow that shows it.
type Blocks = BTreeMap<Allowed, (IpSet, Flow)>;

fn merged(all: Vec<Blocks>) -> Blocks {
    let mut total = Blocks::new();
    for (allowed, (set, example)) in all.into_iter().flatten() {
        let entry = total.entry(allowed).or_insert((IpSet::empty(), example));
        entry.0 = entry.0.union(&set);
    }
    total
}

struct Lister<'a> {
    graph: &'a AllowGraph,
    filter: &'a Filter,
    members: Vec<Vec<Member>>,
    implied: Runs,
    listing: Listing,
}

impl Lister<'_> {
    fn wanted(&self, workload: WorkloadId) -> bool {
        self.filter.from.as_ref().is_none_or(|from| from.contains(&workload))
    }

    fn is_open_out(&self, workload: WorkloadId) -> bool {
        self.listing.open_out.binary_search(&workload).is_ok()
    }

    /// Every source of one destination workload: per pod class one row, joined per source workload.
    fn sources_of(&self, id: WorkloadId, visit: Visit<'_>) -> ControlFlow<()> {
        let (graph, line) = (self.graph, self.graph.line());
        let workload = graph.world().cluster.workload(id);
        let mut classes: Vec<(u32, PodId)> =
            workload.pods.iter().map(|p| (line.classes.of_pod[p.0 as usize], *p)).collect();
        classes.sort_unstable();
        classes.dedup_by_key(|(c, _)| *c);
        let skip_open = !self.filter.all && self.listing.open_in.binary_search(&id).is_ok();
        let mut workloads = BTreeMap::new();
        let mut outside: Vec<Blocks> = Vec::new();
        for (class, pod) in &classes {
            let mut blocks = Blocks::new();
            for part in graph.row(*class) {
                let sources = if skip_open { part.sources.difference(&self.implied) } else { part.sources };
                for source in sources.points() {
                    if line.is_class(source) {
                        self.join(&mut workloads, source, Endpoint::Pod(*pod), &part.allowed);
                    } else if !skip_open && self.filter.from.is_none() {
                        self.melt(&mut blocks, source, Endpoint::Pod(*pod), &part.allowed);
                    }
                }
            }
            outside.push(blocks);
        }
        let sets = |blocks: &Blocks| blocks.iter().map(|(a, (set, _))| (a.clone(), set.clone())).collect::<Vec<_>>();
        let differs = outside.windows(2).any(|pair| sets(&pair[0]) != sets(&pair[1]));
        for (allowed, (set, example)) in merged(outside) {
            visit(Entry {
                source: Party::Addresses(set),
                destination: Party::Workload(id),
                allowed,
                differs,
                example,
            })?;
        }
        for (source, joined) in workloads {
            if source == id || skip_open && self.is_open_out(source) {
                continue;
            }
            let pairs = graph.world().cluster.workload(source).pods.len() * classes.len();
            visit(joined.entry(Party::Workload(source), Party::Workload(id), pairs))?;
        }
        ControlFlow::Continue(())
    }

    /// Adds what a class of sources may send to what was found so far, per workload.
    fn join(&self, found: &mut BTreeMap<WorkloadId, Joined>, class: u32, destination: Endpoint, allowed: &Allowed) {
        for member in self.members[class as usize].iter().filter(|m| self.wanted(m.workload)) {
            let example = Flow { source: Endpoint::Pod(member.first), destination, traffic: sample(allowed) };
            found.entry(member.workload).or_insert_with(|| Joined::new(allowed, example)).add(allowed, member.pods);
        }
    }

    /// Adds a block of outside addresses; blocks of equal traffic melt.
    fn melt(&self, found: &mut Blocks, place: u32, destination: Endpoint, allowed: &Allowed) {
        let line = self.graph.line();
        let example = Flow { source: line.representative(place), destination, traffic: sample(allowed) };
        let entry = found.entry(allowed.clone()).or_insert((IpSet::empty(), example));
        entry.0 = entry.0.union(&line.atoms.addresses(place - line.classes.len()));
    }

    /// Outside addresses as destinations: only sources that are governed on the way out are told.
    fn outside(&self, visit: Visit<'_>) -> ControlFlow<()> {
        let line = self.graph.line();
        let mut found: BTreeMap<WorkloadId, BTreeMap<(Allowed, bool), (IpSet, Flow)>> = BTreeMap::new();
        for atom in 0..line.atoms.len() {
            let place = line.classes.len() + atom;
            let mut workloads = BTreeMap::new();
            for part in self.graph.row(place) {
                let sources = part.sources.difference(&self.implied);
                for source in sources.points().filter(|s| line.is_class(*s)) {
                    self.join(&mut workloads, source, line.representative(place), &part.allowed);
                }
            }
            workloads.retain(|w, _| self.filter.all || !self.is_open_out(*w));
            for (workload, joined) in workloads {
                let pods = self.graph.world().cluster.workload(workload).pods.len();
                let entry = joined.entry(Party::Workload(workload), Party::Addresses(IpSet::empty()), pods);
                let blocks = found.entry(workload).or_default();
                let block = blocks.entry((entry.allowed, entry.differs)).or_insert((IpSet::empty(), entry.example));
                block.0 = block.0.union(&line.atoms.addresses(atom));
            }
        }
        for (workload, blocks) in found {
            for ((allowed, differs), (set, example)) in blocks {
                let (source, destination) = (Party::Workload(workload), Party::Addresses(set));
                visit(Entry { source, destination, allowed, differs, example })?;
            }
        }
        ControlFlow::Continue(())
    }
}

/// What was found so far between two workloads.
#[derive(Debug, Clone)]
struct Joined {
    allowed: Allowed,
    most: Allowed,
    count: usize,
    example: Flow,
}

impl Joined {
    fn new(allowed: &Allowed, example: Flow) -> Self {
        Self { allowed: allowed.clone(), most: allowed.clone(), count: 0, example }
    }

    /// What passes between every pair of pods; where they differ, what passes between some.
    fn entry(self, source: Party, destination: Party, pairs: usize) -> Entry {
        let differs = self.count < pairs || self.allowed != self.most;
        let allowed = if differs { self.most } else { self.allowed };
        Entry { source, destination, allowed, differs, example: self.example }
    }

    fn add(&mut self, allowed: &Allowed, pods: usize) {
        self.count += pods;
        let sure = self.allowed.sure.intersection(&allowed.sure);
        let possible = |a: &Allowed| a.sure.union(&a.unknown);
        let unknown = possible(&self.allowed).intersection(&possible(allowed)).difference(&sure);
        let most_sure = self.most.sure.union(&allowed.sure);
        let most_unknown = self.most.unknown.union(&allowed.unknown).difference(&most_sure);
        self.allowed = Allowed { sure, unknown };
        self.most = Allowed { sure: most_sure, unknown: most_unknown };
    }
}

fn sample(allowed: &Allowed) -> crate::set::Traffic {
    let any = crate::set::Traffic { protocol: crate::set::Protocol::Tcp, port: 1 };
    let first = |set: &TrafficSet| set.sample();
    first(&allowed.sure).or_else(|| first(&allowed.unknown)).unwrap_or(any)
}
