//! The data block: groups of workloads that nothing distinguishes, what passes between them, and
//! why.
//!
//! Everything long is written once and pointed at by number; sources that reach several
//! destinations alike are one set of runs. Pairs of groups carry both sides' reasons up to
//! [`crate::render::report::PAIRS`]; beyond, verdicts come from the flows and the open marks alone.
//! Cost: O(flows + pairs explained).

use crate::compile::effective_policy::EffectivePolicy;
use crate::compile::endpoint_index::EndpointIx;
use crate::graph::Allowed;
use crate::model::{PodId, WorkloadId};
use crate::policy::{Direction, RuleRef};
use crate::query::explain::contributing::deciding;
use crate::query::explain::explanation::{ExplanationSide, nearest_peer};
use crate::query::list::listing::{ListEntry, Party};
use crate::render::report::ask::interned::{Ranges, ranges_of};
use crate::render::report::ask::{AskData, ask_data};
use crate::render::report::audit::{AuditReport, PAIRS};
use crate::render::report::matrix_data::{MatrixData, runs, square};
use crate::render::words;
use crate::set::traffic::TrafficRange;
use crate::set::{Protocol, Traffic, TrafficSet};
use crate::spec::{Endpoint, Flow};
use indexmap::{IndexMap, IndexSet};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The data of a page.
#[derive(Debug, Serialize)]
pub struct Data {
    /// The version of this form.
    pub schema: &'static str,
    /// Namespaces.
    pub namespaces: Vec<String>,
    /// Workloads: namespace, name, kind, group.
    pub workloads: Vec<(usize, String, String, usize)>,
    /// Groups: open in, open out, hostNetwork; the policies that select it for ingress, and for
    /// egress.
    pub groups: Vec<(bool, bool, bool, [Vec<usize>; 2])>,
    /// Blocks of outside addresses; as an end of flows they follow the groups.
    pub outside: Vec<String>,
    /// What passes: in words, surely, perhaps, and whether it holds for some pods only.
    pub traffic: Vec<(String, Ranges, Ranges, bool)>,
    /// Sets of sources: first, how many, first, how many.
    pub sets: Vec<Vec<usize>>,
    /// Flows: to, traffic, because, the set of sources.
    pub flows: Vec<[usize; 4]>,
    /// Pairs of groups: from, to, traffic, and what egress and ingress say about it.
    pub pairs: Vec<[usize; 5]>,
    /// One side of a pair: what it lets through, why not the rest, and why each range.
    pub sides: Vec<OneSide>,
    /// Policies: name and place.
    pub policies: Vec<(String, String)>,
    /// Reasons; the first is empty.
    pub texts: Vec<String>,
    /// The matrix, where it is too large for a table: sides, distinct cells (sign, words), and rows
    /// of cells.
    pub matrix: Option<MatrixData>,
    /// What questions are answered from.
    pub ask: AskData,
    /// The rows of tables that the page does not hold as markup.
    pub rest: BTreeMap<&'static str, Vec<Vec<String>>>,
}

/// What one side lets through, the reason for what it does not, and the reasons for its ranges (up
/// to [`MOST`]).
type OneSide = (usize, usize, Vec<usize>);

/// Most ranges of ports whose rules are listed one by one.
const MOST: usize = 8;

/// What workloads share when nothing distinguishes them: namespace and classes.
type GroupKey = (u32, Vec<EndpointIx>);

struct FlowReader<'a> {
    report: &'a AuditReport<'a>,
    groups: IndexMap<GroupKey, Vec<WorkloadId>>,
    /// For each workload its group.
    group_of: Vec<usize>,
    traffic: IndexSet<(Allowed, bool)>,
    outside: IndexSet<String>,
    sides: IndexSet<OneSide>,
    texts: IndexSet<String>,
    rules: BTreeMap<RuleRef, String>,
}

/// Reads the data of a report.
pub fn data(report: &AuditReport<'_>) -> Data {
    let mut reading = FlowReader {
        report,
        groups: IndexMap::new(),
        group_of: Vec::new(),
        traffic: IndexSet::new(),
        outside: IndexSet::new(),
        sides: IndexSet::new(),
        texts: IndexSet::from([String::new()]),
        rules: BTreeMap::new(),
    };
    let workloads = reading.workloads();
    let groups = reading.marks();
    let (sets, flows) = reading.flows();
    let pairs = reading.pairs();
    let cluster = &report.context.input.cluster;
    // a plugin may have more policies than were read
    let environment = report.context.graph.environment();
    let text = environment.policies.iter();
    let policies = text.map(|(id, p)| {
        let place = report
            .context
            .locator
            .locate(&p.subject_origin())
            .map(|l| l.to_string())
            .unwrap_or_default();
        (
            words::policy(report.context.graph, id),
            words::clean(&place).into_owned(),
        )
    });
    Data {
        schema: "netpal/report/v1",
        namespaces: cluster
            .namespaces()
            .map(|(_, n)| words::clean(&n.name).into_owned())
            .collect(),
        workloads,
        groups,
        outside: reading.outside.into_iter().collect(),
        traffic: reading
            .traffic
            .iter()
            .map(|(a, some)| {
                (
                    in_words(a),
                    ranges_of(&a.must),
                    ranges_of(&a.unknown()),
                    *some,
                )
            })
            .collect(),
        sets,
        flows,
        pairs,
        sides: reading.sides.into_iter().collect(),
        policies: policies.collect(),
        texts: reading.texts.into_iter().collect(),
        matrix: report.square().is_large().then(|| square(report)),
        ask: ask_data(
            report.context.graph,
            report.context.input,
            &report.parts.names,
        ),
        rest: report.rest(),
    }
}

/// What passes for both; what differs is not known for all.
fn common(a: &Allowed, b: &Allowed) -> Allowed {
    a.either(b)
}

/// One flow of a range; of other protocols none can be named, so that TCP stands for them.
fn first(piece: &TrafficRange) -> Traffic {
    match piece {
        TrafficRange::Ports(protocol, port, _) | TrafficRange::Messages(protocol, port, _) => {
            Traffic {
                protocol: *protocol,
                port: *port,
            }
        }
        TrafficRange::OtherProtocols => Traffic {
            protocol: Protocol::Tcp,
            port: 1,
        },
    }
}

fn in_words(allowed: &Allowed) -> String {
    match (allowed.must.is_empty(), allowed.is_exact()) {
        (_, true) => words::traffic(&allowed.must),
        (true, false) => format!("{} ?", words::traffic(&allowed.unknown())),
        (false, false) => format!(
            "{} + {} ?",
            words::traffic(&allowed.must),
            words::traffic(&allowed.unknown())
        ),
    }
}

impl FlowReader<'_> {
    fn key(&self, id: WorkloadId) -> GroupKey {
        let workload = self.report.context.input.cluster.workload(id);
        let of = &self.report.context.graph.space().classes.of_pod;
        let mut classes: Vec<EndpointIx> = workload.pods.iter().map(|p| of[*p]).collect();
        classes.sort_unstable();
        classes.dedup();
        (workload.namespace.0, classes)
    }

    fn workloads(&mut self) -> Vec<(usize, String, String, usize)> {
        let cluster = &self.report.context.input.cluster;
        let mut list = Vec::new();
        for (id, workload) in cluster.workloads() {
            let entry = self.groups.entry(self.key(id));
            let group = entry.index();
            entry.or_default().push(id);
            self.group_of.push(group);
            let name = words::clean(&workload.name).into_owned();
            list.push((
                workload.namespace.0 as usize,
                name,
                workload.kind_name().to_owned(),
                group,
            ));
        }
        list
    }

    fn marks(&self) -> Vec<(bool, bool, bool, [Vec<usize>; 2])> {
        self.groups
            .values()
            .map(|members| self.mark(members))
            .collect()
    }

    /// Whether a group is open in, open out, on its node's network; and its policies.
    fn mark(&self, members: &[WorkloadId]) -> (bool, bool, bool, [Vec<usize>; 2]) {
        let listing = &self.report.parts.listing;
        let has = |list: &[WorkloadId]| {
            members
                .first()
                .is_some_and(|w| list.binary_search(w).is_ok())
        };
        let policies = Direction::ALL.map(|d| self.selecting(members, d));
        (
            has(&listing.open_in),
            has(&listing.open_out),
            has(&listing.host_network),
            policies,
        )
    }

    /// The policies that govern a group in one direction.
    fn selecting(&self, members: &[WorkloadId], direction: Direction) -> Vec<usize> {
        let graph = self.report.context.graph;
        let pods = self.pods(members);
        let profiles = pods
            .iter()
            .filter_map(|p| graph.effective(Endpoint::Pod(*p), direction));
        let selecting = profiles.flat_map(EffectivePolicy::selections);
        let policies: BTreeSet<usize> = selecting
            .map(|s| graph.policy_of(s.policy).0 as usize)
            .collect();
        policies.into_iter().collect()
    }

    fn end(&mut self, party: &Party) -> usize {
        match party {
            Party::Workload(w) => self.group_of.get(w.0 as usize).copied().unwrap_or(0),
            Party::Addresses(set) => {
                self.groups.len() + self.outside.insert_full(words::addresses(set)).0
            }
        }
    }

    /// The sets of sources, and the flows: what several sources send to one destination alike is
    /// one flow.
    fn flows(&mut self) -> (Vec<Vec<usize>>, Vec<[usize; 4]>) {
        let mut seen = std::collections::HashSet::new();
        let mut rows: BTreeMap<[usize; 3], BTreeSet<usize>> = BTreeMap::new();
        let report = self.report;
        report.each_flow(&mut |entry| {
            let pair = (self.end(&entry.source), self.end(&entry.destination));
            if seen.insert(pair) {
                let traffic = self
                    .traffic
                    .insert_full((entry.allowed.clone(), entry.differs))
                    .0;
                let because = self.because(entry);
                rows.entry([pair.1, traffic, because])
                    .or_default()
                    .insert(pair.0);
            }
        });
        let mut sets: IndexSet<Vec<usize>> = IndexSet::new();
        let mut flows = Vec::new();
        for ([to, traffic, because], sources) in rows {
            let single = sources.into_iter().map(|s| (s, 1)).collect();
            let set = sets
                .insert_full(runs(single, |last, next| last.0 + last.1 == next.0))
                .0;
            flows.push([to, traffic, because, set]);
        }
        (sets.into_iter().collect(), flows)
    }

    /// The rules that allow an entry.
    fn because(&mut self, entry: &ListEntry) -> usize {
        let decided = deciding(&entry.explanations(self.report.context.graph)).into_iter();
        let because: Vec<String> = decided.map(|at| self.rule(at)).collect();
        self.texts.insert_full(because.join(" + ")).0
    }

    fn rule(&mut self, at: RuleRef) -> String {
        let context = self.report.context;
        let text = self.rules.entry(at).or_insert_with(|| {
            let place = context.locator.locate(
                &context
                    .graph
                    .environment()
                    .policies
                    .get(at.policy)
                    .origin(at),
            );
            let place = place.map(|l| format!("   {l}")).unwrap_or_default();
            format!("{}{}", words::rule(context.graph, at), words::clean(&place))
        });
        text.clone()
    }

    fn pairs(&mut self) -> Vec<[usize; 5]> {
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
                        .map(|[traffic, out, into]| [i, j, traffic, out, into]),
                );
            }
        }
        pairs
    }

    /// The pods of the first workload of a group: the others have the same classes.
    fn pods(&self, members: &[WorkloadId]) -> Vec<PodId> {
        members
            .first()
            .map(|w| self.report.context.input.cluster.workload(*w).pods.clone())
            .unwrap_or_default()
    }

    fn second(&self, group: usize) -> Option<Vec<PodId>> {
        let (_, members) = self.groups.get_index(group)?;
        members
            .get(1)
            .map(|w| self.report.context.input.cluster.workload(*w).pods.clone())
    }

    /// What passes for all pods of two groups, and what each side says to it. `None` for a pod and
    /// itself.
    fn pair(&mut self, from: &[PodId], to: &[PodId]) -> Option<[usize; 3]> {
        let pods = from
            .iter()
            .flat_map(|a| to.iter().filter(move |b| *b != a).map(move |b| (*a, *b)));
        let ends: Vec<(Endpoint, Endpoint)> = pods
            .map(|(a, b)| (Endpoint::Pod(a), Endpoint::Pod(b)))
            .collect();
        let graph = self.report.context.graph;
        let each: Vec<Allowed> = ends.iter().map(|(a, b)| graph.allowed(*a, *b)).collect();
        let differs = each.windows(2).any(|two| two[0] != two[1]);
        let total = each.into_iter().reduce(|t, next| common(&t, &next))?;
        let traffic = self.traffic.insert_full((total, differs)).0;
        let [into, out] = Direction::ALL.map(|d| self.one_side(&ends, d));
        Some([traffic, out, into])
    }

    /// What one side of a pair lets through, and which rules say so.
    fn one_side(&mut self, ends: &[(Endpoint, Endpoint)], direction: Direction) -> usize {
        let graph = self.report.context.graph;
        let each: Vec<Allowed> = ends
            .iter()
            .map(|(a, b)| graph.allowed_on(direction, *a, *b))
            .collect();
        let total = each
            .iter()
            .cloned()
            .reduce(|t, next| common(&t, &next))
            .unwrap_or_default();
        let yes: Vec<TrafficRange> = total.must.pieces().take(MOST).collect();
        let yes = yes
            .into_iter()
            .map(|p| self.reason(ends, direction, first(&p)))
            .collect();
        let no = TrafficSet::all()
            .difference(&total.must)
            .sample()
            .map_or(0, |traffic| {
                // the pods for which it is not allowed
                let at = each
                    .iter()
                    .position(|a| !a.must.contains(traffic))
                    .unwrap_or(0);
                self.reason(ends.get(at..).unwrap_or(ends), direction, traffic)
            });
        let traffic = self.traffic.insert_full((total, false)).0;
        self.sides.insert_full((traffic, no, yes)).0
    }

    fn reason(
        &mut self,
        ends: &[(Endpoint, Endpoint)],
        direction: Direction,
        traffic: Traffic,
    ) -> usize {
        let Some((source, destination)) = ends.first().copied() else {
            return 0;
        };
        let explanation = crate::query::explain(
            self.report.context.graph,
            &Flow {
                source,
                destination,
                traffic,
            },
        );
        let text = self.side(if direction == Direction::Egress {
            &explanation.egress
        } else {
            &explanation.ingress
        });
        self.texts.insert_full(text).0
    }

    fn side(&mut self, side: &ExplanationSide) -> String {
        let code = side.reason.code();
        if let Some(at) = side.decided_by {
            let word = if side.allowed.possible() {
                "allowed by"
            } else {
                "denied by"
            };
            return format!("{word} {}", self.rule(at));
        }
        let graph = self.report.context.graph;
        let isolated: Vec<String> = side
            .isolated_by
            .iter()
            .take(4)
            .map(|p| words::policy(graph, *p))
            .collect();
        if isolated.is_empty() {
            return if code == "ALLOW_DEFAULT" {
                "default allow: no policy selects it".into()
            } else {
                code.to_owned()
            };
        }
        let near = match side
            .near
            .as_ref()
            .map(|n| nearest_peer(n).map_or(n.at, |p| p.at))
        {
            Some(at) => format!("; nearest: {}", self.rule(at)),
            None => String::new(),
        };
        format!(
            "isolated by {}; no rule allows it{near} ({code})",
            isolated.join(", ")
        )
    }
}
