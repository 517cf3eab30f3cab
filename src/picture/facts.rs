//! What there is to draw, by name: namespaces, workloads, blocks of addresses, and the flows
//! between them.
//!
//! [`Facts::new`] reads a listing (one line a pair of workloads, never a pair of pods) and makes it
//! independent of the cluster it came from, so that two states can be laid over each other
//! ([`Facts::compare`]). Order is by name, so that the same input always gives the same picture.
//! Cost: O(lines of the listing); of each line a few numbers are held, while what passes and the
//! blocks of addresses are held once.

use crate::graph::AllowGraph;
use crate::model::{Cluster, Selector, WorkloadId};
use crate::picture::blocks::Splitting;
use crate::picture::compact::{SOME, Told, block, melt, together};
use crate::picture::open;
use crate::policy::Direction;
use crate::query::list::listing;
use crate::query::list::listing::{Filter, Listing};
use crate::set::TrafficSet;
use crate::set::hashed::HashMap;
use crate::spec::{Endpoint, HostNetwork};
use indexmap::IndexSet;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Index of a place in [`Facts::places`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlaceId(pub u32);

/// Index of a namespace in [`Facts::spaces`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpaceId(pub u32);

/// Index of what passes in [`Facts::passing`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PassingId(pub u32);

/// How something differs between two states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Change {
    /// More passes than before: new attack surface.
    Widened,
    /// Less passes than before.
    Narrowed,
    /// Some more, some less.
    Moved,
}

impl Change {
    /// The sign that is drawn with it: colour never stands alone.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Widened => "+",
            Self::Narrowed => "-",
            Self::Moved => "~",
        }
    }

    /// The word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Widened => "widened",
            Self::Narrowed => "narrowed",
            Self::Moved => "moved",
        }
    }

    pub(crate) fn of(wider: bool, narrower: bool) -> Option<Self> {
        match (wider, narrower) {
            (true, false) => Some(Self::Widened),
            (false, true) => Some(Self::Narrowed),
            (true, true) => Some(Self::Moved),
            (false, false) => None,
        }
    }
}

/// Whether a workload lets everything pass in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Open {
    /// It does not.
    #[default]
    No,
    /// No policy selects it.
    Default,
    /// A policy selects it, and allows everything.
    ByRule,
}

impl Open {
    /// Whether it does, for whichever reason.
    pub fn is_open(self) -> bool {
        self != Self::No
    }
}

/// Why nearly all flows of a workload are unknown in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Doubt {
    /// It runs on its node's network, and the options leave open what that means.
    HostNetwork,
    /// A policy that is not modelled, or could not be read, may govern it.
    Policy,
    /// An enforcement point that is not modelled may deny what the policies allow.
    Deny,
}

/// A namespace with workloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Space {
    /// Its name.
    pub name: String,
    /// Whether a policy isolates every pod in it, per direction (ingress, egress).
    pub deny: [bool; 2],
    /// How many policies it has.
    pub policies: usize,
}

/// A namespace drawn as one place: how many workloads it has, and how many of them are open.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Summary {
    /// Workloads.
    pub workloads: usize,
    /// How many of them are open, per direction.
    pub open: [usize; 2],
    /// Whether a policy isolates every pod in it, per direction.
    pub deny: [bool; 2],
    /// How many policies it has.
    pub policies: usize,
    /// What passes between its own workloads.
    pub inside: Option<Passing>,
}

/// What a place is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum What {
    /// A workload.
    Workload {
        /// Its namespace.
        space: SpaceId,
        /// Its name.
        name: String,
        /// Its kind.
        kind: &'static str,
    },
    /// A namespace as one place.
    Namespace {
        /// Its name.
        name: String,
        /// What is drawn of it.
        summary: Summary,
    },
    /// The internet, and whether the private ranges are meant with it.
    Internet {
        /// Whether private ranges are part of it.
        private: bool,
    },
    /// The private ranges.
    Private,
    /// Other blocks of addresses.
    Blocks(String),
}

/// An end of flows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its stable name: `namespace/Kind/name`, `internet`, `private`, or blocks.
    pub key: String,
    /// What it is.
    pub what: What,
    /// Whether it lets everything in, and out.
    pub open: [Open; 2],
    /// Why flows in, and out, are unknown.
    pub doubt: [Option<Doubt>; 2],
    /// Whether it serves cluster DNS.
    pub dns: bool,
    /// Whether it collects metrics.
    pub monitor: bool,
    /// How its openness differs, per direction.
    pub change: [Option<Change>; 2],
}

impl Place {
    /// The namespace it is in.
    pub fn space(&self) -> Option<SpaceId> {
        if let What::Workload { space, .. } = self.what {
            Some(space)
        } else {
            None
        }
    }
}

/// What passes from one place to another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Passing {
    /// Surely allowed.
    pub sure: TrafficSet,
    /// Not known.
    pub unknown: TrafficSet,
    /// Whether it holds for some of the pods or addresses only.
    pub some: bool,
    /// How it differs from before.
    pub change: Option<Difference>,
}

/// How what passes differs from before.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Difference {
    /// In which way.
    pub change: Change,
    /// What passed before.
    pub past: TrafficSet,
    /// Whether nothing passes any more; what is shown is what passed before.
    pub gone: bool,
}

/// One flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Flow {
    /// Where it starts.
    pub from: PlaceId,
    /// Where it ends.
    pub to: PlaceId,
    /// What passes.
    pub passing: PassingId,
}

/// What the caption counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Workloads.
    pub workloads: usize,
    /// Namespaces.
    pub namespaces: usize,
    /// Policies.
    pub policies: usize,
    /// Allowed flows with a governed end, as `list` counts them.
    pub flows: usize,
    /// Flows of which nothing is allowed for certain.
    pub unknown: usize,
    /// Workloads no policy selects, per direction.
    pub open: [usize; 2],
    /// Workloads that a policy selects and lets everything pass, per direction.
    pub open_by_rule: [usize; 2],
}

/// Everything there is to draw.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Namespaces with workloads, by name.
    pub spaces: Vec<Space>,
    /// Ends of flows: workloads by namespace and name, then addresses.
    pub places: Vec<Place>,
    /// The distinct things that pass.
    pub passing: IndexSet<Passing>,
    /// The flows, sorted.
    pub flows: Vec<Flow>,
    /// What is counted.
    pub tally: Tally,
    /// Whether two states were laid over each other.
    pub compared: bool,
}

pub(crate) fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// What a cluster calls its DNS: namespace and labels.
pub type Dns = (Box<str>, Selector);

impl Facts {
    /// The facts of one state.
    pub fn new(graph: &AllowGraph, dns: &Dns) -> Self {
        let mut told = Told::default();
        let listing = listing::each(graph, &Filter::default(), &mut |entry| {
            told.add(&entry);
            ControlFlow::Continue(())
        });
        Self::of(graph, &listing, told, dns)
    }

    /// The same from a listing that is held already.
    pub fn of_listing(graph: &AllowGraph, listing: &Listing, dns: &Dns) -> Self {
        let mut told = Told::default();
        listing.entries.iter().for_each(|entry| told.add(entry));
        Self::of(graph, listing, told, dns)
    }

    fn of(graph: &AllowGraph, listing: &Listing, told: Told, dns: &Dns) -> Self {
        let mut reading = Reading {
            graph,
            listing,
            dns,
            facts: Self::default(),
            workloads: BTreeMap::new(),
        };
        reading.spaces(&told);
        reading.workloads();
        reading.flows(told);
        let mut facts = reading.facts;
        open::by_rule(&mut facts);
        facts
    }

    /// The key of a workload's place.
    pub fn key(cluster: &Cluster, id: WorkloadId) -> String {
        let workload = cluster.workload(id);
        format!(
            "{}/{}/{}",
            cluster.namespace(workload.namespace).name,
            workload.kind.name(),
            workload.name
        )
    }

    /// A place by id.
    pub fn place(&self, id: PlaceId) -> &Place {
        &self.places[id.0 as usize]
    }

    /// A namespace by id.
    pub fn space(&self, id: SpaceId) -> &Space {
        &self.spaces[id.0 as usize]
    }

    /// What passes, by id.
    pub fn passing(&self, id: PassingId) -> &Passing {
        &self.passing[id.0 as usize]
    }

    pub(crate) fn intern(&mut self, passing: Passing) -> PassingId {
        PassingId(number(self.passing.insert_full(passing).0))
    }

    /// The places with their ids.
    pub fn all(&self) -> impl Iterator<Item = (PlaceId, &Place)> {
        self.places
            .iter()
            .enumerate()
            .map(|(i, p)| (PlaceId(number(i)), p))
    }

    /// Lays two states over each other: every place and flow of either, marked with how it differs.
    pub fn compare(before: &Self, after: &Self) -> Self {
        crate::picture::compare::compare(before, after)
    }
}

struct Reading<'a> {
    graph: &'a AllowGraph,
    listing: &'a Listing,
    dns: &'a Dns,
    facts: Facts,
    workloads: BTreeMap<WorkloadId, PlaceId>,
}

impl Reading<'_> {
    fn cluster(&self) -> &Cluster {
        &self.graph.environment().cluster
    }

    fn spaces(&mut self, told: &Told) {
        let env = self.graph.environment();
        let mut spaces: BTreeMap<&str, Space> = BTreeMap::new();
        for (_, workload) in env.cluster.workloads() {
            let name = &*env.cluster.namespace(workload.namespace).name;
            let new = || Space {
                name: name.to_owned(),
                deny: [false; 2],
                policies: 0,
            };
            spaces.entry(name).or_insert_with(new);
        }
        for (_, policy) in env.policies.iter() {
            let Some(space) = policy.namespace.as_deref().and_then(|n| spaces.get_mut(n)) else {
                continue;
            };
            space.policies += 1;
            if policy.subject.pods.is_everything() {
                Direction::ALL
                    .into_iter()
                    .for_each(|d| space.deny[d.index()] |= policy.isolates(d));
            }
        }
        self.facts.tally = Tally {
            workloads: env.cluster.workloads().len(),
            namespaces: env.cluster.namespaces().len(),
            policies: env.policies.policies.len(),
            flows: told.allowed,
            unknown: told.lines.len() - told.allowed,
            open: [self.listing.open_in.len(), self.listing.open_out.len()],
            open_by_rule: [0; 2],
        };
        self.facts.spaces = spaces.into_values().collect();
    }

    fn workloads(&mut self) {
        let mut found: Vec<(WorkloadId, Place)> = self
            .cluster()
            .workloads()
            .map(|(id, _)| (id, self.workload(id)))
            .collect();
        found.sort_by(|a, b| (&a.1.what, a.0).cmp(&(&b.1.what, b.0)));
        for (id, place) in found {
            self.workloads
                .insert(id, PlaceId(number(self.facts.places.len())));
            self.facts.places.push(place);
        }
    }

    fn workload(&self, id: WorkloadId) -> Place {
        let cluster = self.cluster();
        let workload = cluster.workload(id);
        let namespace = &*cluster.namespace(workload.namespace).name;
        let space = self
            .facts
            .spaces
            .binary_search_by(|s| (*s.name).cmp(namespace))
            .unwrap_or(0);
        let open = |list: &[WorkloadId]| {
            if list.binary_search(&id).is_ok() {
                Open::Default
            } else {
                Open::No
            }
        };
        let pods = || workload.pods.iter().map(|p| cluster.pod(*p));
        let serves = |p: &crate::model::Pod| self.dns.1.matches(cluster.labels(p.labels));
        let named = |p: &crate::model::Pod| {
            ["app", "app.kubernetes.io/name"]
                .iter()
                .any(|k| cluster.labels(p.labels).get(k) == Some("prometheus"))
        };
        Place {
            key: Facts::key(cluster, id),
            what: What::Workload {
                space: SpaceId(number(space)),
                name: workload.name.to_string(),
                kind: workload.kind.name(),
            },
            open: [open(&self.listing.open_in), open(&self.listing.open_out)],
            doubt: Direction::ALL.map(|d| self.doubt(id, d)),
            dns: *namespace == *self.dns.0 && pods().any(serves),
            monitor: workload.name.contains("prometheus") || pods().any(named),
            change: [None; 2],
        }
    }

    fn doubt(&self, id: WorkloadId, direction: Direction) -> Option<Doubt> {
        let undecided = self.graph.environment().options.host_network == HostNetwork::Unknown;
        if undecided && self.listing.host_network.binary_search(&id).is_ok() {
            return Some(Doubt::HostNetwork);
        }
        let pods = self.cluster().workload(id).pods.iter();
        let taints = pods
            .filter_map(|p| self.graph.effective(Endpoint::Pod(*p), direction))
            .map(|p| p.taint);
        let doubt =
            |t: crate::spec::evaluate::Tainted| match (t.anything || t.unordered, t.only_deny) {
                (true, _) => Some(Doubt::Policy),
                (false, true) => Some(Doubt::Deny),
                (false, false) => None,
            };
        taints.filter_map(doubt).min()
    }

    /// Lines as flows between places, in their own memory; equal pairs melt.
    fn flows(&mut self, told: Told) {
        let split = Splitting::of(told.blocks.iter());
        let blocks: Vec<Vec<(What, bool)>> =
            told.blocks.iter().map(|set| split.places(set)).collect();
        let mut lines = told.lines;
        let mut others = Vec::new();
        lines.retain_mut(|[source, destination, passing]| {
            if block(*source).is_none() && block(*destination).is_none() {
                let ends = [*source, *destination].map(|end| self.workloads.get(&WorkloadId(end)));
                let [Some(from), Some(to)] = ends else {
                    return false;
                };
                (*source, *destination) = (from.0, to.0);
                return true;
            }
            for (from, some_from) in self.ends(*source, &blocks) {
                for (to, some_to) in self.ends(*destination, &blocks) {
                    others.push([
                        from.0,
                        to.0,
                        *passing | if some_from || some_to { SOME } else { 0 },
                    ]);
                }
            }
            false
        });
        lines.append(&mut others);
        lines.sort_unstable();
        let mut melted = melt(&mut lines).into_iter().peekable();
        let mut known: HashMap<u32, PassingId> = HashMap::default();
        let flow = |space: [u32; 3]| {
            let [from, to, one] = space;
            let passing = match melted.next_if(|(first, _)| *first == space) {
                Some((_, all)) => self.facts.intern(together(&told.passing, &all)),
                None => *known
                    .entry(one)
                    .or_insert_with(|| self.facts.intern(together(&told.passing, &[one]))),
            };
            Flow {
                from: PlaceId(from),
                to: PlaceId(to),
                passing,
            }
        };
        self.facts.flows = lines.into_iter().map(flow).collect();
    }

    /// The places of an end, and whether only some of each is meant.
    fn ends(&mut self, end: u32, blocks: &[Vec<(What, bool)>]) -> Vec<(PlaceId, bool)> {
        match block(end) {
            None => self
                .workloads
                .get(&WorkloadId(end))
                .map(|p| (*p, false))
                .into_iter()
                .collect(),
            Some(set) => blocks[set]
                .iter()
                .map(|(what, some)| (self.outside(what.clone()), *some))
                .collect(),
        }
    }

    fn outside(&mut self, what: What) -> PlaceId {
        let places = &mut self.facts.places;
        if let Some(i) = places.iter().rposition(|p| p.what == what) {
            return PlaceId(number(i));
        }
        let key = match &what {
            What::Internet { .. } => "internet".to_owned(),
            What::Private => "private".to_owned(),
            What::Blocks(text) => text.clone(),
            What::Workload { .. } | What::Namespace { .. } => String::new(),
        };
        places.push(Place {
            key,
            what,
            open: [Open::No; 2],
            doubt: [None; 2],
            dns: false,
            monitor: false,
            change: [None; 2],
        });
        PlaceId(number(places.len() - 1))
    }
}
