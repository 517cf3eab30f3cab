//! The data block: groups of workloads that nothing tells apart, what passes between them, and why.
//!
//! Everything long is written once and pointed at by number. Pairs of groups carry both sides' reasons up to
//! [`super::PAIRS`]; beyond, verdicts come from the flows and the open marks alone. Cost: O(flows + pairs explained).

use super::{PAIRS, Report};
use crate::compile::{Allowed, Endpoint, Flow};
use crate::model::{PodId, WorkloadId};
use crate::query::explain::{Side, nearest_peer};
use crate::query::list::Party;
use crate::render::words;
use crate::set::traffic::Piece;
use crate::set::{Protocol, Traffic, TrafficSet};
use indexmap::{IndexMap, IndexSet};
use serde::Serialize;

/// The data of a page.
#[derive(Debug, Serialize)]
pub struct Data {
    /// The version of this form.
    pub schema: &'static str,
    /// Namespaces.
    pub namespaces: Vec<String>,
    /// Workloads: namespace, name, kind, group, labels.
    pub workloads: Vec<(usize, String, &'static str, usize, String)>,
    /// Groups: open in, open out, hostNetwork; the policies that select it.
    pub groups: Vec<(bool, bool, bool, Vec<usize>)>,
    /// Blocks of outside addresses; as an end of flows they follow the groups.
    pub outside: Vec<String>,
    /// What passes: in words, surely, perhaps. Ranges are protocol (0 TCP, 1 UDP, 2 SCTP, 3 other), first, last.
    pub traffic: Vec<(String, Vec<[u16; 3]>, Vec<[u16; 3]>)>,
    /// Flows: from, to, traffic, because.
    pub flows: Vec<[usize; 4]>,
    /// Pairs of groups: from, to, traffic, and the reasons out and in of what passes and of what does not.
    pub pairs: Vec<[usize; 7]>,
    /// Policies: name and place.
    pub policies: Vec<(String, String)>,
    /// Reasons; the first is empty.
    pub texts: Vec<String>,
}

/// What workloads share when nothing tells them apart: namespace and classes.
type Key = (u32, Vec<u32>);

struct Reading<'a> {
    report: &'a Report<'a>,
    groups: IndexMap<Key, Vec<WorkloadId>>,
    traffic: IndexSet<Allowed>,
    outside: IndexSet<String>,
    texts: IndexSet<String>,
}

/// Reads the data of a report.
pub fn data(report: &Report<'_>) -> Data {
    let mut reading = Reading {
        report,
        groups: IndexMap::new(),
        traffic: IndexSet::new(),
        outside: IndexSet::new(),
        texts: IndexSet::from([String::new()]),
    };
    let workloads = reading.workloads();
    let groups = reading.marks();
    let flows = reading.flows();
    let pairs = reading.pairs();
    let cluster = &report.book.input.cluster;
    let text = report.book.input.policies.iter();
    let policies = text.map(|(id, p)| {
        let place = report.book.locator.locate(&p.subject_origin()).map(|l| l.to_string()).unwrap_or_default();
        (words::policy(report.book.graph, id), words::clean(&place).into_owned())
    });
    Data {
        schema: "netpal/report/v1",
        namespaces: cluster.namespaces().map(|(_, n)| words::clean(&n.name).into_owned()).collect(),
        workloads,
        groups,
        outside: reading.outside.into_iter().collect(),
        traffic: reading.traffic.iter().map(|a| (in_words(a), ranges(&a.sure), ranges(&a.unknown))).collect(),
        flows,
        pairs,
        policies: policies.collect(),
        texts: reading.texts.into_iter().collect(),
    }
}

fn in_words(allowed: &Allowed) -> String {
    match (allowed.sure.is_empty(), allowed.unknown.is_empty()) {
        (_, true) => words::traffic(&allowed.sure),
        (true, false) => format!("{} ?", words::traffic(&allowed.unknown)),
        (false, false) => format!("{} + {} ?", words::traffic(&allowed.sure), words::traffic(&allowed.unknown)),
    }
}

fn ranges(set: &TrafficSet) -> Vec<[u16; 3]> {
    let number = |p: Protocol| match p {
        Protocol::Tcp => 0,
        Protocol::Udp => 1,
        Protocol::Sctp => 2,
    };
    set.pieces()
        .map(|piece| match piece {
            Piece::Ports(p, a, b) => [number(p), a, b],
            Piece::OtherProtocols => [3, 0, 0],
        })
        .collect()
}

impl Reading<'_> {
    fn key(&self, id: WorkloadId) -> Key {
        let workload = self.report.book.input.cluster.workload(id);
        let of = &self.report.book.graph.line().classes.of_pod;
        let mut classes: Vec<u32> = workload.pods.iter().map(|p| of[p.0 as usize]).collect();
        classes.sort_unstable();
        classes.dedup();
        (workload.namespace.0, classes)
    }

    fn workloads(&mut self) -> Vec<(usize, String, &'static str, usize, String)> {
        let cluster = &self.report.book.input.cluster;
        let mut list = Vec::new();
        for (id, workload) in cluster.workloads() {
            let entry = self.groups.entry(self.key(id));
            let group = entry.index();
            entry.or_default().push(id);
            let labels = workload.pods.first().map(|p| cluster.pod_labels(*p));
            let labels: Vec<String> =
                labels.into_iter().flat_map(crate::model::Labels::iter).map(|(k, v)| format!("{k}={v}")).collect();
            let name = words::clean(&workload.name).into_owned();
            list.push((
                workload.namespace.0 as usize,
                name,
                workload.kind.name(),
                group,
                words::clean(&labels.join(" ")).into_owned(),
            ));
        }
        list
    }

    fn marks(&self) -> Vec<(bool, bool, bool, Vec<usize>)> {
        let listing = self.report.listing;
        let graph = self.report.book.graph;
        let mark = |members: &Vec<WorkloadId>| {
            let has = |list: &[WorkloadId]| members.first().is_some_and(|w| list.contains(w));
            let pods =
                members.first().map(|w| self.report.book.input.cluster.workload(*w).pods.clone()).unwrap_or_default();
            let profiles = pods.iter().flat_map(|p| {
                crate::policy::Direction::ALL.into_iter().filter_map(|d| graph.profile(Endpoint::Pod(*p), d))
            });
            let selecting = profiles.flat_map(|p| p.admin.iter().chain(&p.baseline).flatten().chain(&p.network));
            let mut policies: Vec<usize> = selecting.map(|s| graph.policy_of(s.policy).0 as usize).collect();
            policies.sort_unstable();
            policies.dedup();
            (has(&listing.open_in), has(&listing.open_out), has(&listing.host_network), policies)
        };
        self.groups.values().map(mark).collect()
    }

    fn end(&mut self, party: &Party) -> usize {
        match party {
            Party::Workload(w) => self.groups.get_index_of(&self.key(*w)).unwrap_or(0),
            Party::Addresses(set) => {
                let name = words::addresses(set);
                self.groups.len() + self.outside.insert_full(name).0
            }
        }
    }

    fn flows(&mut self) -> Vec<[usize; 4]> {
        let mut seen: IndexMap<(usize, usize), [usize; 2]> = IndexMap::new();
        for entry in &self.report.listing.entries {
            let pair = (self.end(&entry.source), self.end(&entry.destination));
            if seen.contains_key(&pair) {
                continue;
            }
            let traffic = self.traffic.insert_full(entry.allowed.clone()).0;
            let explanation = crate::query::explain(self.report.book.graph, &entry.example);
            let decided = explanation.sides().into_iter().rev().filter_map(|s| s.decided_by);
            let because: Vec<String> = decided.map(|at| self.rule(at)).collect();
            let because = self.texts.insert_full(because.join(" + ")).0;
            seen.insert(pair, [traffic, because]);
        }
        seen.into_iter().map(|((a, b), [t, w])| [a, b, t, w]).collect()
    }

    fn rule(&self, at: crate::policy::RuleRef) -> String {
        let book = self.report.book;
        let place = book.locator.locate(&book.graph.world().policies.get(at.policy).origin(at));
        let place = place.map(|l| format!("   {l}")).unwrap_or_default();
        format!("{}{}", words::rule(book.graph, at), words::clean(&place))
    }

    fn pairs(&mut self) -> Vec<[usize; 7]> {
        if self.groups.len() * self.groups.len() > PAIRS {
            return Vec::new();
        }
        let lists: Vec<Vec<PodId>> = self.groups.values().map(|list| self.pods(list)).collect();
        let mut pairs = Vec::new();
        for (i, from) in lists.iter().enumerate() {
            for (j, to) in lists.iter().enumerate() {
                // within a group: between two of its workloads, where it has two
                let other = (i == j).then(|| self.second(i)).flatten();
                pairs.extend(
                    self.pair(from, other.as_ref().unwrap_or(to))
                        .map(|rest| [i, j, rest[0], rest[1], rest[2], rest[3], rest[4]]),
                );
            }
        }
        pairs
    }

    /// The pods of the first workload of a group: the others have the same classes.
    fn pods(&self, members: &[WorkloadId]) -> Vec<PodId> {
        members.first().map(|w| self.report.book.input.cluster.workload(*w).pods.clone()).unwrap_or_default()
    }

    fn second(&self, group: usize) -> Option<Vec<PodId>> {
        let (_, members) = self.groups.get_index(group)?;
        members.get(1).map(|w| self.report.book.input.cluster.workload(*w).pods.clone())
    }

    /// What passes for all pods of two groups, and why it does and does not. `None` for a pod and itself.
    fn pair(&mut self, from: &[PodId], to: &[PodId]) -> Option<[usize; 5]> {
        let graph = self.report.book.graph;
        let mut total: Option<Allowed> = None;
        let mut ends = None;
        for a in from {
            for b in to.iter().filter(|b| *b != a) {
                let (source, destination) = (Endpoint::Pod(*a), Endpoint::Pod(*b));
                ends.get_or_insert((source, destination));
                let next = graph.allowed(source, destination);
                total = Some(match total {
                    None => next,
                    Some(t) => {
                        let possible = |x: &Allowed| x.sure.union(&x.unknown);
                        let sure = t.sure.intersection(&next.sure);
                        let unknown = possible(&t).union(&possible(&next)).difference(&sure);
                        Allowed { sure, unknown }
                    }
                });
            }
        }
        let (allowed, (source, destination)) = (total?, ends?);
        let rest = TrafficSet::all().difference(&allowed.sure);
        let mut reasons = [0; 4];
        for (i, set) in [&allowed.sure, &rest].into_iter().enumerate() {
            if let Some(traffic) = set.sample() {
                let [out, into] = self.reasons(source, destination, traffic);
                (reasons[2 * i], reasons[2 * i + 1]) = (out, into);
            }
        }
        let traffic = self.traffic.insert_full(allowed).0;
        Some([traffic, reasons[0], reasons[1], reasons[2], reasons[3]])
    }

    fn reasons(&mut self, source: Endpoint, destination: Endpoint, traffic: Traffic) -> [usize; 2] {
        let explanation = crate::query::explain(self.report.book.graph, &Flow { source, destination, traffic });
        let texts = explanation.sides().map(|s| self.side(s));
        texts.map(|t| self.texts.insert_full(t).0)
    }

    fn side(&self, side: &Side) -> String {
        let code = side.reason.code();
        if let Some(at) = side.decided_by {
            let word = if side.possible.allow { "allowed by" } else { "denied by" };
            return format!("{word} {}", self.rule(at));
        }
        let graph = self.report.book.graph;
        let isolated: Vec<String> = side.isolated_by.iter().take(4).map(|p| words::policy(graph, *p)).collect();
        if isolated.is_empty() {
            return if code == "ALLOW_DEFAULT" {
                "default allow: no policy selects it".into()
            } else {
                code.to_owned()
            };
        }
        let near = side
            .near
            .as_ref()
            .map_or_else(String::new, |n| format!("; nearest: {}", self.rule(nearest_peer(n).map_or(n.at, |p| p.at))));
        format!("isolated by {}; no rule allows it{near} ({code})", isolated.join(", "))
    }
}
