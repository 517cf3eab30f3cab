//! Entrances: how the internet gets to a workload, by doors and by what policies let in.
//!
//! A door behind which a proxy of its own opens a new connection (an Ingress, a route) is no direct
//! way; one that leads to the pods themselves (a load balancer, a port of the node) is. Where
//! policies let the internet in and no door of the input leads there, a door may stand outside the
//! input, so that it counts as open.

use crate::audit::evidence::{Evidence, gap};
use crate::audit::fact::{Bearing, DecidedBy, Fact, FactTopic};
use crate::audit::walls::ports;
use crate::diagnostic::Place;
use crate::doors::{DoorKind, DoorLine, DoorReason, DoorStatus};
use crate::model::WorkloadId;
use crate::policy::Direction;
use crate::query::list::listing::Party;
use crate::set::{IpSet, TrafficSet};
use crate::words;

/// What a control asks of entrances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WantedEntrance {
    /// That only services which are meant to be public are.
    Public,
    /// That none leads there directly.
    Indirect,
}

impl Evidence<'_> {
    /// What is to be said of the ways of the internet to a workload.
    pub(crate) fn entrances(&self, workload: WorkloadId, wanted: WantedEntrance) -> Vec<Fact> {
        let name = self.name(workload);
        let lines = self.of.doors.lines.iter();
        let leading = |line: &&DoorLine| line.workloads(self.cluster()).contains(&workload);
        let lines: Vec<&DoorLine> = lines.filter(leading).collect();
        let mut facts = Vec::from_iter(self.doubtful(workload));
        facts.extend(
            lines
                .iter()
                .filter_map(|line| self.door(workload, line, wanted)),
        );
        let told = lines.iter().any(|l| l.door.kind == DoorKind::HostNetwork);
        if self.is_on_node(workload) && !told {
            let text = format!(
                "{name} runs on the network of its node: who reaches it is up to the node's firewall"
            );
            facts.push(Fact::new(
                Bearing::Unknown,
                FactTopic::Internet,
                &name,
                text,
            ));
        }
        facts.extend(self.let_in(workload, &lines, wanted));
        if lines.is_empty() {
            facts.extend(self.by_unread_doors(workload));
        }
        if facts.iter().all(|fact| fact.bearing == Bearing::Shown) {
            let text = format!("nothing from the internet gets to {name}");
            let by = self.isolating(self.pods(workload), Direction::Ingress);
            facts.push(Fact::new(Bearing::Shown, FactTopic::Internet, &name, text).because(by));
        }
        facts
    }

    /// What a door means for a workload behind it.
    fn door(&self, workload: WorkloadId, line: &DoorLine, wanted: WantedEntrance) -> Option<Fact> {
        let name = self.name(workload);
        let title = line.door.title();
        let port = line.target.traffic();
        let port = port.map_or_else(String::new, |traffic| format!(":{traffic}"));
        let reason = line.passage.reason.map(DoorReason::sentence);
        let why = reason.map_or_else(String::new, |reason| format!(": {reason}"));
        let (bearing, text) = match (line.passage.status, wanted) {
            (DoorStatus::Open, WantedEntrance::Indirect) if line.door.kind.is_object() => {
                let text = format!("{title} leads to {name}{port} through a proxy");
                (Bearing::Part, text)
            }
            (DoorStatus::Open, WantedEntrance::Indirect) => {
                let text = format!("{title} leads from the internet to {name}{port}");
                (Bearing::Against, text)
            }
            (DoorStatus::Open, WantedEntrance::Public) => {
                let text = format!("{title} leads from the internet to {name}{port}");
                match self.of.declared.public_by(workload) {
                    Some(tests) => {
                        let text = format!("{text}, as the policy test {tests} names");
                        (Bearing::Shown, text)
                    }
                    None => (Bearing::Review, text),
                }
            }
            (DoorStatus::Unknown, _) => {
                let text = format!("{title} may lead from the internet to {name}{port}{why}");
                (Bearing::Unknown, text)
            }
            (DoorStatus::ClosedByPolicy, _) => {
                let text =
                    format!("{title} leads to {name}{port}, and policies let nobody through");
                (Bearing::Shown, text)
            }
            (DoorStatus::Internal | DoorStatus::Refused | DoorStatus::NoBackend, _) => {
                return None;
            }
        };
        let mut by = vec![DecidedBy::At(Place::Origin(line.door.origin.clone()))];
        by.extend(line.passage.policies.iter().copied().map(DecidedBy::Policy));
        Some(Fact::new(bearing, FactTopic::Internet, &name, text).because(by))
    }

    /// What policies let in from the internet besides what open doors lead to.
    fn let_in(
        &self,
        workload: WorkloadId,
        lines: &[&DoorLine],
        wanted: WantedEntrance,
    ) -> Vec<Fact> {
        let name = self.name(workload);
        if self.is_open(workload, Direction::Ingress) {
            let text = format!(
                "{name} accepts from the internet on every port: no policy selects it for ingress"
            );
            return vec![Fact::new(
                Bearing::Against,
                FactTopic::Internet,
                &name,
                text,
            )];
        }
        let direction = Direction::Ingress;
        let with = self.with_internet(workload, direction);
        let open = behind(lines, |line| {
            line.passage.status == DoorStatus::Open && !line.door.kind.is_object()
        });
        let perhaps = behind(lines, |line| line.passage.status == DoorStatus::Unknown);
        let topic = FactTopic::Internet;
        let mut facts = Vec::new();
        let mut rest = with.anyone.difference(&open);
        if wanted == WantedEntrance::Public {
            rest = rest.difference(&perhaps); // what may be a public service
        }
        if !rest.is_empty() {
            let on = ports(&rest);
            let door = if rest.is_disjoint(&perhaps) {
                "no door of the input leads there"
            } else {
                "a door may lead there"
            };
            let text = format!("policies let the internet in to {name} on {on}, and {door}");
            let by = self.internet_rules(workload, direction, (&IpSet::internet(), &rest));
            facts.push(Fact::new(Bearing::Against, topic, &name, text).because(by));
        }
        for (block, traffic) in &with.blocks {
            let (addresses, on) = (words::addresses(block), ports(traffic));
            let text = format!(
                "policies let {addresses} in to {name} on {on}: whether that is trusted is not in the input"
            );
            let by = self.internet_rules(workload, direction, (block, traffic));
            facts.push(Fact::new(Bearing::Review, topic, &name, text).because(by));
        }
        if !with.unknown.is_empty() {
            let on = ports(&with.unknown);
            let text =
                format!("it is not known whether policies let the internet in to {name} on {on}");
            facts.push(Fact::new(Bearing::Unknown, topic, &name, text));
        }
        facts
    }

    /// What may come through a door that is not in the input: a load balancer may show the address
    /// of a node or of its own instead of the caller's.
    fn by_unread_doors(&self, workload: WorkloadId) -> Option<Fact> {
        let entries = self.entries(workload, Direction::Ingress).iter();
        let private = entries.filter_map(|entry| match &entry.source {
            Party::Addresses(set) if entry.is_allowed() => {
                Some((set.difference(&IpSet::internet()), entry))
            }
            _ => None,
        });
        let (set, entry) = private.into_iter().find(|(set, _)| !set.is_empty())?;
        let name = self.name(workload);
        let addresses = words::addresses(&set);
        let text = format!(
            "policies let {addresses} in to {name}: a load balancer that is not in the input would come from there"
        );
        let by = self.rules_of(entry);
        Some(Fact::new(Bearing::Unknown, FactTopic::Internet, &name, text).because(by))
    }

    /// Kinds of objects that may open doors and are not read.
    pub(crate) fn unread_doors(&self) -> Vec<Fact> {
        let unread = self.of.doors.unread.iter();
        let text = |kind: &str| {
            format!("the input has {kind} objects, which may open doors and are not read")
        };
        unread.map(|(kind, _)| gap(text(kind))).collect()
    }
}

/// What some doors lead to.
fn behind(lines: &[&DoorLine], wanted: impl Fn(&DoorLine) -> bool) -> TrafficSet {
    let wanted = lines.iter().filter(|line| wanted(line));
    let traffic = wanted.filter_map(|line| line.target.traffic());
    traffic.fold(TrafficSet::empty(), |sum, traffic| {
        sum.union(&TrafficSet::single(traffic))
    })
}
