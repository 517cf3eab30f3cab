//! What lies around the loaded workloads of a picture: the doors by which the internet comes in,
//! and pods that are not in the input.
//!
//! Doors stay beside the flows, since a flow says what policies would let through and a door says
//! that there is a way; both start at one node for the internet. Pods that may come are a place for
//! each way in which policies speak about them. Their flows are merged into those that are there,
//! so that a pair of places stays one flow. Cost: O(lines × log flows).

use crate::doors::{DoorLine, DoorList, DoorStatus};
use crate::model::{Cluster, WorkloadId};
use crate::picture::blocks::Splitting;
use crate::picture::facts::{
    Openness, PassingTraffic, PictureDoor, PictureFacts, PictureFlow, PicturePlace, PlaceId,
    PlaceKind,
};
use crate::policy::Direction;
use crate::query::list::potential_rows::{
    GovernedEnd, LineEnd, PotentialLine, PotentialPeers, PotentialRow, PotentialRows,
};
use crate::set::{Ix, TrafficSet};
use std::collections::{BTreeMap, BTreeSet};

/// What a picture shows beside the flows between loaded workloads and addresses.
#[derive(Debug, Clone, Copy, Default)]
pub struct Surroundings<'a> {
    /// The doors of the input, where they are wanted.
    pub doors: Option<&'a DoorList>,
    /// The rows about pods that are not in the input, where they are wanted.
    pub potential: Option<&'a PotentialRows>,
}

/// Flows that are added to those of the facts, by their ends.
type AddedFlows = BTreeMap<(PlaceId, PlaceId), PassingTraffic>;

/// Adds to facts what lies around them; `workloads` tells the place of each workload.
pub fn add(
    facts: &mut PictureFacts,
    cluster: &Cluster,
    workloads: &BTreeMap<WorkloadId, PlaceId>,
    around: Surroundings<'_>,
) {
    let mut surveyor = Surveyor {
        facts,
        workloads,
        added: AddedFlows::new(),
    };
    if let Some(doors) = around.doors {
        surveyor.doors(doors);
    }
    if let Some(rows) = around.potential {
        surveyor.potential(cluster, rows);
    }
    surveyor.merge();
}

/// What is drawn of the doors of one object that lead to one workload.
#[derive(Default)]
struct DrawnDoor {
    kinds: BTreeSet<&'static str>,
    traffic: TrafficSet,
    certain: bool,
}

struct Surveyor<'a> {
    facts: &'a mut PictureFacts,
    workloads: &'a BTreeMap<WorkloadId, PlaceId>,
    added: AddedFlows,
}

impl Surveyor<'_> {
    fn doors(&mut self, doors: &DoorList) {
        let count = |status: DoorStatus| {
            let lines = doors.lines.iter();
            lines.filter(|l| l.passage.status == status).count()
        };
        self.facts.tally.doors = [
            DoorStatus::Open,
            DoorStatus::Unknown,
            DoorStatus::ClosedByPolicy,
        ]
        .map(count);
        let passes =
            |l: &&DoorLine| matches!(l.passage.status, DoorStatus::Open | DoorStatus::Unknown);
        let mut found: BTreeMap<(String, PlaceId), DrawnDoor> = BTreeMap::new();
        for line in doors.lines.iter().filter(passes) {
            // a controller that is assumed has no place
            let place = line
                .target
                .workload()
                .and_then(|id| self.workloads.get(&id));
            let (Some(to), Some(traffic)) = (place, line.target.traffic()) else {
                continue;
            };
            let name = format!("{}/{}", line.door.namespace, line.door.name);
            let arriving = TrafficSet::ports(traffic.protocol, traffic.port, traffic.port);
            let known = found.entry((name, *to)).or_default();
            known.kinds.insert(line.door.kind.name());
            known.traffic = known.traffic.union(&arriving);
            known.certain |= line.passage.status == DoorStatus::Open;
        }
        if !found.is_empty() {
            let from = self.internet();
            let doors = found.into_iter().map(|((name, to), door)| PictureDoor {
                name: format!("{} {name}", Vec::from_iter(door.kinds).join(", ")),
                from,
                to,
                traffic: door.traffic,
                certain: door.certain,
                change: None,
                stands: [true; 2],
            });
            self.facts.doors = doors.collect();
        }
    }

    /// The node of the internet.
    fn internet(&mut self) -> PlaceId {
        let known = self.facts.all().find(|(_, p)| p.is_internet());
        let known = known.map(|(id, _)| id);
        known.unwrap_or_else(|| {
            let what = PlaceKind::Internet { private: false };
            self.facts.outside(what)
        })
    }

    fn potential(&mut self, cluster: &Cluster, rows: &PotentialRows) {
        let blocks = rows.rows.iter().filter_map(|row| match &row.peers {
            PotentialPeers::Addresses(set) => Some(set),
            PotentialPeers::Kinds(_) | PotentialPeers::Nobody => None,
        });
        let split = Splitting::of(blocks);
        for (row, line) in rows.rows.iter().zip(rows.lines(cluster)) {
            self.row(row, line, &split);
        }
    }

    fn row(&mut self, row: &PotentialRow, line: PotentialLine, split: &Splitting) {
        let (source, destination) = (&line.source, &line.destination);
        let (governed, peers) = match row.direction {
            Direction::Ingress => (destination, source),
            Direction::Egress => (source, destination),
        };
        let governed = match row.governed {
            GovernedEnd::Workload(id) => self.workloads.get(&id).copied(),
            GovernedEnd::Subject(_) => self.ends(governed, split).pop(),
        };
        let Some(governed) = governed else { return };
        if row.peers == PotentialPeers::Nobody {
            self.close(governed, row.direction);
            return;
        }
        let (sure, unknown) = if line.certain {
            (line.traffic, TrafficSet::empty())
        } else {
            (TrafficSet::empty(), line.traffic)
        };
        let passing = PassingTraffic {
            sure,
            unknown,
            port_names: line.port_names,
            ..PassingTraffic::default()
        };
        for peer in self.ends(peers, split) {
            let pair = match row.direction {
                Direction::Ingress => (peer, governed),
                Direction::Egress => (governed, peer),
            };
            if peer != governed {
                self.added.entry(pair).or_default().add(&passing);
            }
        }
    }

    /// The places of one end of a row.
    fn ends(&mut self, end: &LineEnd, split: &Splitting) -> Vec<PlaceId> {
        let places: Vec<PlaceKind> = match end {
            LineEnd::Pods(parts) => parts
                .iter()
                .map(|words| PlaceKind::Potential {
                    words: words.clone(),
                    closed: [false; 2],
                })
                .collect(),
            LineEnd::Addresses(set) => {
                let places = split.places(set).into_iter();
                places.map(|(what, _)| what).collect()
            }
        };
        let found = places.into_iter().map(|what| self.facts.outside(what));
        found.collect()
    }

    /// Marks pods that are not in the input and that nothing reaches, or that reach nothing.
    fn close(&mut self, place: PlaceId, direction: Direction) {
        let place = &mut self.facts.places[place.index()];
        if let PlaceKind::Potential { closed, .. } = &mut place.what {
            closed[direction.index()] = true;
        }
    }

    /// Merges what was added into the flows of the facts.
    fn merge(self) {
        let Self { facts, added, .. } = self;
        let mut new = Vec::new();
        for ((from, to), mut passing) in added {
            let at = facts
                .flows
                .binary_search_by_key(&(from, to), |f| (f.from, f.to));
            if let Ok(at) = at {
                passing.add(facts.passing(facts.flows[at].passing));
                facts.flows[at].passing = facts.intern(passing);
            } else {
                let passing = facts.intern(passing);
                new.push(PictureFlow { from, to, passing });
            }
        }
        facts.flows.append(&mut new);
        facts.flows.sort_unstable();
    }
}

impl PictureFacts {
    /// The place of something outside the loaded workloads; made where it is not there yet.
    pub(crate) fn outside(&mut self, what: PlaceKind) -> PlaceId {
        let words = |what: &PlaceKind| match what {
            PlaceKind::Potential { words, .. } => Some(words.clone()),
            _ => None,
        };
        let wanted = words(&what);
        let is_same = |p: &PicturePlace| match &wanted {
            None => p.what == what,
            Some(_) => words(&p.what) == wanted,
        };
        if let Some(i) = self.places.iter().rposition(is_same) {
            return PlaceId::bounded(i);
        }
        let key = match &what {
            PlaceKind::Internet { .. } => "internet".to_owned(),
            PlaceKind::Private => "private".to_owned(),
            PlaceKind::Blocks(text) | PlaceKind::Potential { words: text, .. } => text.clone(),
            PlaceKind::Workload { .. } | PlaceKind::Namespace { .. } => String::new(),
        };
        self.places.push(PicturePlace {
            key,
            what,
            open: [Openness::No; 2],
            doubt: [None; 2],
            dns: false,
            monitor: false,
            change: [None; 2],
        });
        PlaceId::bounded(self.places.len() - 1)
    }
}
