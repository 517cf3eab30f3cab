//! What a search over hops is shown as: the answer of `reach`, `who` and `reach --path`, with what
//! was found out about it besides.

use crate::check::critical::Critical;
use crate::check::rule_cut::RuleCut;
use crate::doors::DoorLine;
use crate::model::WorkloadId;
use crate::query::reach::door_ends::DoorEnds;
use crate::query::reach::potential_pod::PotentialPod;
use crate::query::reach::tree::{Hop, Reach};

/// What `reach` or `who` found.
pub struct ReachView<'a> {
    /// What was found.
    pub reach: &'a Reach,
    /// Where the search starts, in words.
    pub root: &'a str,
    /// Pods that do not exist yet and would be let in.
    pub exposure: &'a [PotentialPod],
    /// The doors at its ends, where the internet is at one.
    pub doors: Option<&'a DoorEnds>,
    /// What every way leads through: to a data store that is found, or, backward, from outside
    /// addresses to the root.
    pub chokepoints: &'a [(WorkloadId, Vec<WorkloadId>)],
}

/// A shortest path between two endpoints.
pub struct PathView<'a> {
    /// The two endpoints, in words.
    pub ends: [&'a str; 2],
    /// Its hops, if there is one.
    pub hops: Option<&'a [Hop]>,
    /// Whether every hop is certain.
    pub certain: bool,
    /// The door by which the internet comes to where the hops start.
    pub door: Option<&'a DoorLine>,
    /// The workloads that every way leads through.
    pub chokepoints: &'a [WorkloadId],
}

/// The chokepoints between two endpoints.
pub struct CriticalView<'a> {
    /// The two endpoints, in words.
    pub ends: [&'a str; 2],
    /// What was found.
    pub critical: &'a Critical,
    /// The fewest rules, where they were looked for.
    pub rules: Option<&'a RuleCut>,
    /// The doors that ways start at, if they do.
    pub doors: Option<&'a DoorEnds>,
}

impl CriticalView<'_> {
    /// The door that the path starts at.
    pub(crate) fn door(&self) -> Option<&DoorLine> {
        let behind = self.critical.door.into_iter().collect();
        self.doors.and_then(|doors| doors.door_of(&behind))
    }
}
