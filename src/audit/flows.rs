//! Flows that rules allow by name: whether somebody approved of them, and of which ports they are.

use crate::audit::evidence::Evidence;
use crate::audit::fact::{Bearing, Fact, FactTopic};
use crate::audit::outside::internet_of;
use crate::audit::walls::ports;
use crate::model::WorkloadId;
use crate::policy::Direction;
use crate::query::list::entry::ListEntry;
use crate::query::list::potential_rows::{GovernedEnd, PotentialLine};
use crate::words;
use std::borrow::Cow;

impl Evidence<'_> {
    /// The flows that a workload is allowed by name, each with the rules that allow it. Those that
    /// a policy test declares are shown to be meant.
    pub(crate) fn approved(&self, workload: WorkloadId, direction: Direction) -> Vec<Fact> {
        let name = self.name(workload);
        let tests = self.of.declared.tests(workload, direction);
        let (bearing, declared) = match tests {
            Some(tests) => (
                Bearing::Shown,
                format!(", as the policy test {tests} names"),
            ),
            None => (Bearing::Review, String::new()),
        };
        let entries = self.entries(workload, direction).iter();
        let named =
            entries.filter(|entry| entry.is_allowed() && internet_of(entry, direction).is_none());
        let named = named.filter(|_| self.names_flow());
        let flow = |entry: &Cow<'_, ListEntry>| {
            let [from, to] = [&entry.source, &entry.destination].map(|end| self.party(end));
            let on = ports(&entry.allowed.must);
            let text = format!("allowed: {from} to {to} on {on}{declared}");
            let by = self.rules_of(entry);
            Fact::new(bearing, FactTopic::Flow, &name, text).because(by)
        };
        let mut facts: Vec<Fact> = named.map(flow).collect();
        for (block, traffic) in self.with_internet(workload, direction).blocks {
            let (addresses, on) = (words::addresses(&block), ports(&traffic));
            let (from, to) = match direction {
                Direction::Ingress => (&addresses, &name),
                Direction::Egress => (&name, &addresses),
            };
            let text = format!("allowed: {from} to {to} on {on}{declared}");
            let by = self.internet_rules(workload, direction, (&block, &traffic));
            facts.push(Fact::new(bearing, FactTopic::Flow, &name, text).because(by));
        }
        let coming = self.flows_to_come(workload, direction).into_iter();
        facts.extend(
            coming.map(|text| {
                Fact::new(bearing, FactTopic::Flow, &name, format!("{text}{declared}"))
            }),
        );
        facts
    }

    /// What rules say of pods that are not in the input, flow by flow.
    fn flows_to_come(&self, workload: WorkloadId, direction: Direction) -> Vec<String> {
        let lines = self.of.potential.lines_of(self.cluster(), |row| {
            row.governed == GovernedEnd::Workload(workload) && row.direction == direction
        });
        lines.iter().map(flow_to_come).collect()
    }

    /// Whether the flows of a workload are on ports by number.
    pub(crate) fn ports(&self, workload: WorkloadId) -> Vec<Fact> {
        let name = self.name(workload);
        let mut facts = Vec::new();
        for direction in Direction::ALL {
            for fact in self.wall(workload, direction) {
                let about_all = fact.topic == FactTopic::Anyone || fact.bearing == Bearing::Unknown;
                facts.extend(Some(fact).filter(|fact| about_all && fact.bearing != Bearing::Shown));
            }
            for entry in self.entries(workload, direction) {
                if !entry.is_allowed() || !self.names_flow() {
                    continue;
                }
                let [from, to] = [&entry.source, &entry.destination].map(|end| self.party(end));
                let (bearing, text) = if entry.allowed.must.is_all() {
                    let text = format!("allowed: {from} to {to} on every port and protocol");
                    (Bearing::Against, text)
                } else {
                    let on = ports(&entry.allowed.must);
                    (Bearing::Review, format!("allowed: {from} to {to} on {on}"))
                };
                let by = self.rules_of(entry);
                facts.push(Fact::new(bearing, FactTopic::Flow, &name, text).because(by));
            }
        }
        if facts.is_empty() {
            let text = format!("{name} is let do nothing");
            facts.push(Fact::new(Bearing::Shown, FactTopic::Flow, &name, text));
        }
        facts
    }
}

/// A flow with pods that are not in the input, in words.
fn flow_to_come(line: &PotentialLine) -> String {
    let [from, to] =
        [&line.source, &line.destination].map(|end| end.parts(words::addresses).join(", "));
    let numbers = (!line.traffic.is_empty()).then(|| ports(&line.traffic));
    let on: Vec<String> = numbers.into_iter().chain(line.port_names.clone()).collect();
    let word = if line.certain {
        "allowed"
    } else {
        "perhaps allowed"
    };
    format!(
        "{word}: {from} to {to} on {} (not in the input)",
        on.join(" ")
    )
}
