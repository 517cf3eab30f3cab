//! What there is to draw, by name: namespaces, workloads, blocks of addresses, and the flows
//! between them.
//!
//! They are independent of the cluster they came from ([`crate::picture::reader`]), so that two
//! states can be laid over each other ([`PictureFacts::compare`]). Order is by name, so that the
//! same input always gives the same picture.

use crate::model::{Cluster, Selector, WorkloadId};
use crate::set::{Ix, TrafficSet, index_type};
use indexmap::IndexSet;
use std::collections::BTreeSet;

index_type! {
    /// Index of a place in [`PictureFacts::places`].
    pub struct PlaceId(pub u32);
    /// Index of a namespace in [`PictureFacts::spaces`].
    pub struct SpaceId(pub u32);
    /// Index of what passes in [`PictureFacts::passing`].
    pub struct PassingId(pub u32);
}

/// How something differs between two states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DrawnChange {
    /// More passes than before: new attack surface.
    Widened,
    /// Less passes than before.
    Narrowed,
    /// Some more, some less.
    Moved,
}

impl DrawnChange {
    /// The sign that is drawn with it: colour is never the only sign.
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
pub enum Openness {
    /// It does not.
    #[default]
    No,
    /// No policy selects it.
    Default,
    /// A policy selects it, and allows everything.
    ByRule,
}

impl Openness {
    /// Whether it does, for whichever reason.
    pub fn is_open(self) -> bool {
        self != Self::No
    }
}

/// Why nearly all flows of a workload are unknown in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WorkloadDoubt {
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
    pub inside: Option<PassingTraffic>,
}

/// What a place is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PlaceKind {
    /// A workload.
    Workload {
        /// Its namespace.
        space: SpaceId,
        /// Its name.
        name: String,
        /// Its kind.
        kind: String,
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
    /// Pods that are not in the input and that a policy speaks about.
    Potential {
        /// Which pods, in the policies' own words.
        words: String,
        /// Whether policies govern them and let nothing in, or out.
        closed: [bool; 2],
    },
}

/// An end of flows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PicturePlace {
    /// Its stable name: `namespace/Kind/name`, `internet`, `private`, or blocks.
    pub key: String,
    /// What it is.
    pub what: PlaceKind,
    /// Whether it lets everything in, and out.
    pub open: [Openness; 2],
    /// Why flows in, and out, are unknown.
    pub doubt: [Option<WorkloadDoubt>; 2],
    /// Whether it serves cluster DNS.
    pub dns: bool,
    /// Whether it collects metrics.
    pub monitor: bool,
    /// How its openness differs, per direction.
    pub change: [Option<DrawnChange>; 2],
}

impl PicturePlace {
    /// Whether it is the internet.
    pub fn is_internet(&self) -> bool {
        matches!(self.what, PlaceKind::Internet { .. })
    }

    /// The namespace it is in.
    pub fn space(&self) -> Option<SpaceId> {
        if let PlaceKind::Workload { space, .. } = self.what {
            Some(space)
        } else {
            None
        }
    }
}

/// What passes from one place to another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct PassingTraffic {
    /// Surely allowed.
    pub sure: TrafficSet,
    /// Not known.
    pub unknown: TrafficSet,
    /// Whether it holds for some of the pods or addresses only.
    pub some: bool,
    /// Names of ports that are part of it, or excepted from it: `"https"/TCP`.
    pub port_names: Vec<String>,
    /// How it differs from before.
    pub change: Option<Difference>,
}

impl PassingTraffic {
    /// Adds what passes the same way for another reason.
    pub(crate) fn add(&mut self, other: &Self) {
        self.sure = self.sure.union(&other.sure);
        let unknown = self.unknown.union(&other.unknown);
        self.unknown = unknown.difference(&self.sure);
        self.some |= other.some;
        let mut names = [&*self.port_names, &*other.port_names].concat();
        names.sort_unstable();
        names.dedup();
        self.port_names = names;
    }

    /// Whether nothing passes.
    pub fn is_nothing(&self) -> bool {
        self.sure.is_empty() && self.unknown.is_empty() && self.port_names.is_empty()
    }
}

/// A door of the input by which the internet comes to a workload.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PictureDoor {
    /// What it is called: `Ingress shop/web`.
    pub name: String,
    /// The internet.
    pub from: PlaceId,
    /// The workload behind it.
    pub to: PlaceId,
    /// What arrives there, on the pods' own ports.
    pub traffic: TrafficSet,
    /// Whether it is open for certain.
    pub certain: bool,
    /// How it differs from before: it opened, closed, or another port is behind it.
    pub change: Option<DrawnChange>,
    /// Whether it is there before, and after.
    pub stands: [bool; 2],
}

/// How what passes differs from before.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Difference {
    /// In which way.
    pub change: DrawnChange,
    /// What passed before.
    pub past: TrafficSet,
    /// Whether nothing passes any more; what is shown is what passed before.
    pub gone: bool,
}

/// One flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PictureFlow {
    /// Where it starts.
    pub from: PlaceId,
    /// Where it ends.
    pub to: PlaceId,
    /// What passes.
    pub passing: PassingId,
}

/// What the caption counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PictureTally {
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
    /// Ways in from the internet: open, unknown, closed by policy.
    pub doors: [usize; 3],
    /// Workloads into which policies let the internet and to which no door leads.
    pub without_door: usize,
}

/// Everything there is to draw.
#[derive(Debug, Clone, Default)]
pub struct PictureFacts {
    /// Namespaces with workloads, by name.
    pub spaces: Vec<Space>,
    /// Ends of flows: workloads by namespace and name, then addresses.
    pub places: Vec<PicturePlace>,
    /// The distinct things that pass.
    pub passing: IndexSet<PassingTraffic>,
    /// The flows, sorted.
    pub flows: Vec<PictureFlow>,
    /// The doors, sorted.
    pub doors: Vec<PictureDoor>,
    /// What is counted.
    pub tally: PictureTally,
    /// Whether two states were laid over each other.
    pub compared: bool,
}

/// What a cluster calls its DNS: namespace and labels.
pub type Dns = (Box<str>, Selector);

impl PictureFacts {
    /// The key of a workload's place.
    pub fn key(cluster: &Cluster, id: WorkloadId) -> String {
        cluster.long_workload_name(id)
    }

    /// A place by id.
    pub fn place(&self, id: PlaceId) -> &PicturePlace {
        &self.places[id.0 as usize]
    }

    /// A namespace by id.
    pub fn space(&self, id: SpaceId) -> &Space {
        &self.spaces[id.0 as usize]
    }

    /// What passes, by id.
    pub fn passing(&self, id: PassingId) -> &PassingTraffic {
        &self.passing[id.0 as usize]
    }

    /// The same on some of the traffic: flows of which nothing is left are not drawn.
    #[must_use]
    pub fn on_ports(mut self, asked: &TrafficSet) -> Self {
        let flows = std::mem::take(&mut self.flows);
        for flow in flows {
            let passing = self.passing(flow.passing).clone();
            let cut = PassingTraffic {
                sure: passing.sure.intersection(asked),
                unknown: passing.unknown.intersection(asked),
                ..passing
            };
            if !cut.is_nothing() {
                let passing = self.intern(cut);
                self.flows.push(PictureFlow { passing, ..flow });
            }
        }
        self.flows.sort_unstable();
        let unknown = |flow: &&PictureFlow| self.passing(flow.passing).sure.is_empty();
        self.tally.unknown = self.flows.iter().filter(unknown).count();
        self.tally.flows = self.flows.len() - self.tally.unknown;
        for door in &mut self.doors {
            door.traffic = door.traffic.intersection(asked);
        }
        self.doors.retain(|door| !door.traffic.is_empty());
        self
    }

    pub(crate) fn intern(&mut self, passing: PassingTraffic) -> PassingId {
        PassingId::bounded(self.passing.insert_full(passing).0)
    }

    /// The places where a flow or a door starts or ends.
    pub fn ends(&self) -> BTreeSet<PlaceId> {
        let flows = self.flows.iter().flat_map(|f| [f.from, f.to]);
        flows
            .chain(self.doors.iter().flat_map(|door| [door.from, door.to]))
            .collect()
    }

    /// The places with their ids.
    pub fn all(&self) -> impl Iterator<Item = (PlaceId, &PicturePlace)> {
        self.places
            .iter()
            .enumerate()
            .map(|(i, p)| (PlaceId::bounded(i), p))
    }
}
