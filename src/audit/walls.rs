//! Walls: whether policies let in to a workload, or out of it, nothing but what a rule names.
//!
//! A workload that no policy isolates is open, and so is one whose rules let in any pod of the
//! cluster or the internet, on whichever port: both are asked of the workload's own side, so that
//! what the other end may send makes no difference. What is unknown is told beside it.

use crate::audit::evidence::Evidence;
use crate::audit::fact::{Bearing, DecidedBy, Fact, FactTopic};
use crate::audit::outside::internet_of;
use crate::audit::sides::{admitting, ends, side};
use crate::model::{PodId, Truth, WorkloadId};
use crate::policy::Direction;
use crate::query::explain;
use crate::query::explain::reason_code::Reason;
use crate::query::list::entry::ListEntry;
use crate::query::list::listing::Party;
use crate::set::{IpSet, TrafficSet};
use crate::spec::{Endpoint, Flow};
use crate::words;

impl Evidence<'_> {
    /// What is to be said of one side of a workload.
    pub(crate) fn wall(&self, workload: WorkloadId, direction: Direction) -> Vec<Fact> {
        let name = self.name(workload);
        let fact = |bearing, topic, text: String| {
            Fact::new(bearing, topic, &name, format!("{name} {text}"))
        };
        let mut facts = Vec::from_iter(self.doubtful(workload));
        if self.is_on_node(workload) {
            let text =
                "runs on the network of its node, where policies of pods do not hold for certain";
            facts.push(fact(Bearing::Unknown, FactTopic::Anyone, text.into()));
            return facts;
        }
        if self.is_open(workload, direction) {
            let text = format!(
                "{} anyone: no policy selects it for {}",
                verb(direction, "accepts from", "may send to"),
                direction_word(direction)
            );
            facts.push(fact(Bearing::Against, FactTopic::Anyone, text));
            return facts;
        }
        facts.extend(self.to_any_pod(workload, direction));
        facts.extend(self.to_internet(workload, direction));
        facts.extend(self.unknown_flows(workload, direction));
        if facts.is_empty() {
            facts.push(self.closed(workload, direction));
        }
        facts
    }

    /// What a workload lets pass to or from a pod that no rule names.
    fn to_any_pod(&self, workload: WorkloadId, direction: Direction) -> Vec<Fact> {
        let graph = &self.beyond.graph;
        let anyone = Endpoint::Pod(self.beyond.anyone);
        let name = self.name(workload);
        let verb = verb(direction, "accepts from", "may send to");
        let mut certain: Option<(Flow, TrafficSet)> = None;
        let mut doubtful: Option<(Flow, TrafficSet)> = None;
        for pod in self.pods(workload) {
            let (source, destination) = ends(direction, Endpoint::Pod(*pod), anyone);
            let allowed = graph.allowed_on(direction, source, destination);
            let pair = (source, destination);
            add(&mut certain, pair, &allowed.must);
            add(&mut doubtful, pair, &allowed.unknown());
        }
        let mut facts = Vec::new();
        if let Some((flow, traffic)) = certain {
            let on = ports(&traffic);
            let text = format!("{name} {verb} every pod of the cluster on {on}");
            let by = admitting(graph, &flow, direction);
            facts.push(Fact::new(Bearing::Against, FactTopic::Pods, &name, text).because(by));
        }
        if let Some((flow, traffic)) = doubtful {
            let on = ports(&traffic);
            let code = explain(graph, &flow).reason().code();
            let text = format!(
                "it is not known whether {name} {verb} every pod of the cluster on {on} ({code})"
            );
            facts.push(Fact::new(Bearing::Unknown, FactTopic::Pods, &name, text));
        }
        facts
    }

    /// What a workload lets pass to or from anyone on the internet.
    fn to_internet(&self, workload: WorkloadId, direction: Direction) -> Vec<Fact> {
        let name = self.name(workload);
        let verb = verb(direction, "accepts from", "may send to");
        let with = self.with_internet(workload, direction);
        let topic = FactTopic::Internet;
        let mut facts = Vec::new();
        if !with.anyone.is_empty() {
            let on = ports(&with.anyone);
            let text = format!("{name} {verb} the internet on {on}");
            let anyone = (&IpSet::internet(), &with.anyone);
            let by = self.internet_rules(workload, direction, anyone);
            facts.push(Fact::new(Bearing::Against, topic, &name, text).because(by));
        }
        if !with.unknown.is_empty() {
            let on = ports(&with.unknown);
            let text = format!("it is not known whether {name} {verb} the internet on {on}");
            facts.push(Fact::new(Bearing::Unknown, topic, &name, text));
        }
        facts
    }

    /// The flows of a workload of which it is not known whether they pass; those with the internet
    /// are told apart.
    fn unknown_flows(&self, workload: WorkloadId, direction: Direction) -> Vec<Fact> {
        let name = self.name(workload);
        let entries = self.entries(workload, direction).iter();
        let unknown = entries
            .filter(|entry| !entry.allowed.is_exact() && internet_of(entry, direction).is_none());
        unknown
            .map(|entry| self.unknown_flow(entry, &name))
            .collect()
    }

    /// That it is not known whether a flow passes, and why.
    fn unknown_flow(&self, entry: &ListEntry, about: &str) -> Fact {
        let [from, to] = [&entry.source, &entry.destination].map(|end| self.party(end));
        let reason = explain(self.of.graph, &entry.example).reason();
        // S55: on which node they are is not told, and policies have no say there
        if reason == Reason::UnknownNode && !entry.is_allowed() {
            let text =
                format!("{from} reaches {to} where both are on one node: no policy holds there");
            return Fact::new(Bearing::Part, FactTopic::OwnNode, about, text);
        }
        let on = ports(&entry.allowed.unknown());
        let why = if entry.is_allowed() {
            String::new() // the reason is that of what passes
        } else {
            format!(" ({})", reason.code())
        };
        let text = format!("it is not known whether {from} reaches {to} on {on}{why}");
        Fact::new(Bearing::Unknown, FactTopic::Flow, about, text)
    }

    /// That nothing passes but what a rule names, and which policies see to that.
    fn closed(&self, workload: WorkloadId, direction: Direction) -> Fact {
        let name = self.name(workload);
        let verb = verb(direction, "accepts", "sends");
        let (bearing, text) = match self.isolated(workload, direction) {
            Some(Truth::Yes) => (
                Bearing::Shown,
                format!("{name} {verb} nothing but what a rule names"),
            ),
            None => (Bearing::Unknown, format!("{name} has no pods")),
            Some(_) => (
                Bearing::Part,
                format!(
                    "{name} is closed to anyone by rules that deny; what none of them names passes"
                ),
            ),
        };
        let by = self.isolating(self.pods(workload), direction);
        Fact::new(bearing, FactTopic::Anyone, &name, text).because(by)
    }

    /// The policies that isolate pods.
    pub(crate) fn isolating(&self, pods: &[PodId], direction: Direction) -> Vec<DecidedBy> {
        let graph = &self.beyond.graph;
        let anyone = Endpoint::Pod(self.beyond.anyone);
        let mut policies = Vec::new();
        for pod in pods {
            let (source, destination) = ends(direction, Endpoint::Pod(*pod), anyone);
            let Some(traffic) = TrafficSet::all().sample() else {
                continue;
            };
            let flow = Flow {
                source,
                destination,
                traffic,
            };
            let explanation = explain(graph, &flow);
            let side = side(&explanation, direction);
            policies.extend(side.isolated_by.iter().copied());
        }
        policies.sort_unstable();
        policies.dedup();
        policies.into_iter().map(DecidedBy::Policy).collect()
    }

    /// An end of a flow by its name.
    pub(crate) fn party(&self, party: &Party) -> String {
        match party {
            Party::Workload(id) => self.name(*id),
            Party::Addresses(set) => words::addresses(set),
        }
    }
}

/// Adds what passes between two ends; the first of it stands for all.
fn add(
    so_far: &mut Option<(Flow, TrafficSet)>,
    (source, destination): (Endpoint, Endpoint),
    set: &TrafficSet,
) {
    let Some(traffic) = set.sample() else {
        return;
    };
    let flow = Flow {
        source,
        destination,
        traffic,
    };
    let known = so_far.get_or_insert_with(|| (flow, TrafficSet::empty()));
    known.1 = known.1.union(set);
}

pub(crate) fn verb(
    direction: Direction,
    ingress: &'static str,
    egress: &'static str,
) -> &'static str {
    match direction {
        Direction::Ingress => ingress,
        Direction::Egress => egress,
    }
}

pub(crate) fn direction_word(direction: Direction) -> &'static str {
    verb(direction, "ingress", "egress")
}

/// Traffic in words for a sentence.
pub(crate) fn ports(set: &TrafficSet) -> String {
    if set.is_all() {
        "every port".to_owned()
    } else {
        words::traffic(set)
    }
}
