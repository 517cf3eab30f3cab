//! Whether the internet reaches what a question names by a door, told apart from whether policies
//! would let it in.
//!
//! A policy may admit the internet where no door leads, and a door may lead where policies admit
//! nobody. Several doors to one workload are one way in each: one that is open is enough. Cost: the
//! pairs of the answer times the doors.

use crate::doors::{DoorLine, DoorList, DoorStatus};
use crate::model::PodId;
use crate::query::ask::answer::{Answer, Pair, Verdict};
use crate::query::ask::resolved::End;

/// How a question about the internet fares by doors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entrance {
    /// Over all destinations: yes if a door to each is open, no if none is.
    pub verdict: Verdict,
    /// Why.
    pub ground: EntranceGround,
    /// The doors that lead there, the most open first.
    pub lines: Vec<DoorLine>,
    /// Whether policies would let the internet in, wherever doors lead.
    pub by_policy: Verdict,
    /// Kinds that may open further doors and are not read.
    pub unread: Vec<(Box<str>, usize)>,
}

/// Why the internet comes in or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntranceGround {
    /// No door leads there.
    NoDoor,
    /// A door leads there, and policies, or the door itself, let nobody through.
    Closed,
    /// It is not told.
    Unknown,
    /// A door leads there, and lets callers through.
    Open,
}

impl EntranceGround {
    /// The code for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoDoor => "NO_DOOR",
            Self::Closed => "DOOR_CLOSED",
            Self::Unknown => "UNKNOWN_DOOR",
            Self::Open => "DOOR_OPEN",
        }
    }

    fn verdict(self) -> Verdict {
        match self {
            Self::Open => Verdict::Yes,
            Self::Unknown => Verdict::Unknown,
            Self::Closed | Self::NoDoor => Verdict::No,
        }
    }
}

/// What doors make of a question whose source is the internet.
pub fn entrance(list: &DoorList, answer: &Answer) -> Entrance {
    let mut lines: Vec<DoorLine> = Vec::new();
    let mut verdict: Option<Verdict> = None;
    let mut ground: Option<EntranceGround> = None;
    for pair in &answer.pairs {
        let End::Pods { pods, .. } = &pair.destination else {
            continue;
        };
        let leading = list.lines.iter().filter(|line| leads_to(line, pods, pair));
        let leading: Vec<&DoorLine> = leading.collect();
        let mut one = ground_of(&leading);
        if one == EntranceGround::NoDoor && !list.is_complete() {
            one = EntranceGround::Unknown;
        }
        verdict = Some(verdict.map_or(one.verdict(), |v| v.combine(one.verdict())));
        ground = ground.max(Some(one));
        lines.extend(leading.into_iter().cloned());
    }
    lines.sort_by_key(|line| std::cmp::Reverse(line.passage.status));
    Entrance {
        verdict: verdict.unwrap_or(Verdict::Unknown),
        ground: ground.unwrap_or(EntranceGround::Unknown),
        lines,
        by_policy: answer.verdict,
        unread: list.unread.clone(),
    }
}

/// Whether a door leads to one of some pods, on a port that is asked about.
fn leads_to(line: &DoorLine, pods: &[PodId], pair: &Pair) -> bool {
    let is_asked = match line.target.traffic() {
        Some(traffic) => pair.asked.contains(traffic),
        None => true, // on which port is not told
    };
    is_asked && line.pods().iter().any(|pod| pods.contains(pod))
}

fn ground_of(leading: &[&DoorLine]) -> EntranceGround {
    let statuses = leading.iter().map(|line| line.passage.status);
    let grounds = statuses.map(|status| match status {
        DoorStatus::Open => EntranceGround::Open,
        DoorStatus::Unknown => EntranceGround::Unknown,
        DoorStatus::ClosedByPolicy => EntranceGround::Closed,
        DoorStatus::NoBackend | DoorStatus::Refused | DoorStatus::Internal => {
            EntranceGround::NoDoor
        }
    });
    grounds.max().unwrap_or(EntranceGround::NoDoor)
}
