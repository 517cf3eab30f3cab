//! What governed ends admit from pods that are not in the input, and may send to them: the rows of
//! a list that the input does not exhaust.
//!
//! A pod of every kind is laid over a copy of the input ([`crate::potential`]). Every governed
//! workload is asked about each kind, and rows are kept that are about one that no loaded pod is
//! of; and of every policy whose subjects no loaded pod is like, a pod that has what the policy
//! asks for and little else is asked about all kinds and about outside addresses. Cost: a
//! compilation, and an edge query per governed end and kind, of which [`MOST`] are made at most.

use crate::compile::effective_policy::EffectivePolicy;
use crate::compile::peer_sets::EndpointSet;
use crate::graph::external::ExternalRows;
use crate::graph::{AllowGraph, Allowed, CompileError};
use crate::input::Input;
use crate::model::{Cluster, Labels, PodId, WorkloadId};
use crate::policy::{Direction, Policy, Subject};
use crate::potential::{PodKind, PotentialPods, World};
use crate::query::list::laid_graph::LaidGraph;
use crate::query::list::listing::addresses;
use crate::set::hashed::IndexMap;
use crate::set::{IpSet, TrafficSet};
use crate::spec::{CompileOptions, Endpoint};
use std::collections::BTreeSet;

/// Most pairs of an end and a kind that are asked about.
const MOST: usize = 1_000_000;

/// What one end may send to or receive from others, where one of both is not loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PotentialRow {
    /// The governed end.
    pub governed: GovernedEnd,
    /// Whether the others send to it, or receive from it.
    pub direction: Direction,
    /// What passes; nothing where nobody else is left.
    pub allowed: Allowed,
    /// The others.
    pub peers: PotentialPeers,
}

/// An end that a policy governs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GovernedEnd {
    /// A workload of the input.
    Workload(WorkloadId),
    /// Pods that a policy selects and that are not in the input: an index of
    /// [`PotentialRows::subjects`].
    Subject(usize),
}

/// The other end of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PotentialPeers {
    /// Kinds of pods: indices of [`PotentialPods::kinds`].
    Kinds(BTreeSet<usize>),
    /// Outside addresses.
    Addresses(IpSet),
    /// Nobody: nothing passes in this direction.
    Nobody,
}

/// Pods that a policy selects and that are not in the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PotentialSubject {
    /// The kind of the pod that is asked about.
    pub kind: usize,
    /// The subject of the policy in words.
    pub words: String,
}

/// The rows about pods that are not in the input.
#[derive(Debug, Clone, Default)]
pub struct PotentialRows {
    /// The kinds.
    pub pods: PotentialPods,
    /// The subjects that are not loaded.
    pub subjects: Vec<PotentialSubject>,
    /// The rows, by governed end.
    pub rows: Vec<PotentialRow>,
    /// Whether there are more kinds than could be asked about.
    pub incomplete: bool,
}

/// One end of a row in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineEnd {
    /// Workloads and kinds of pods, part by part; nobody where there is none.
    Pods(Vec<String>),
    /// Outside addresses.
    Addresses(IpSet),
}

impl LineEnd {
    /// The end part by part, with addresses in some words.
    pub fn parts(&self, addresses: impl Fn(&IpSet) -> String) -> Vec<String> {
        match self {
            Self::Pods(parts) if parts.is_empty() => vec!["nobody".to_owned()],
            Self::Pods(parts) => parts.clone(),
            Self::Addresses(set) => vec![addresses(set)],
        }
    }
}

/// A row in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PotentialLine {
    /// Whether the governed end is the one that receives, or sends.
    pub direction: Direction,
    /// Who sends.
    pub source: LineEnd,
    /// Who receives.
    pub destination: LineEnd,
    /// What passes for certain; what may where nothing does. Empty where nothing passes at all.
    pub traffic: TrafficSet,
    /// Port names that are part of the traffic, or excepted from it: `"https"/TCP`.
    pub port_names: Vec<String>,
    /// Whether it is certain.
    pub certain: bool,
}

impl PotentialRows {
    /// The rows on some of the traffic; those of which nothing is left are dropped.
    #[must_use]
    pub fn on_ports(mut self, asked: &TrafficSet) -> Self {
        for row in &mut self.rows {
            let must = self.pods.cut(&row.allowed.must, asked);
            let may = self.pods.cut(&row.allowed.may, asked).union(&must);
            row.allowed = Allowed { must, may };
        }
        self.rows
            .retain(|row| row.peers == PotentialPeers::Nobody || !row.allowed.is_nothing());
        self
    }

    /// The rows in words; names are as the input has them. What surely passes and what only may
    /// are lines of their own.
    pub fn lines(&self, cluster: &Cluster) -> Vec<PotentialLine> {
        self.lines_of(cluster, |_| true)
    }

    /// [`Self::lines`] of some of the rows.
    pub fn lines_of(
        &self,
        cluster: &Cluster,
        wanted: impl Fn(&PotentialRow) -> bool,
    ) -> Vec<PotentialLine> {
        let mut lines = Vec::new();
        for row in self.rows.iter().filter(|row| wanted(row)) {
            let Allowed { must, may } = &row.allowed;
            let perhaps = may.difference(must);
            if !must.is_empty() || row.peers == PotentialPeers::Nobody {
                lines.push(self.line(cluster, row, must, true));
            }
            if !perhaps.is_empty() {
                lines.push(self.line(cluster, row, &perhaps, false));
            }
        }
        lines
    }

    fn line(
        &self,
        cluster: &Cluster,
        row: &PotentialRow,
        traffic: &TrafficSet,
        certain: bool,
    ) -> PotentialLine {
        let governed = LineEnd::Pods(vec![match row.governed {
            GovernedEnd::Workload(id) => cluster.workload_name(id),
            GovernedEnd::Subject(subject) => self.subjects[subject].words.clone(),
        }]);
        let of_subject = matches!(row.governed, GovernedEnd::Subject(_));
        let is_spoken_about = |kind: usize| of_subject || !self.pods.kinds[kind].like_loaded;
        let peers = match &row.peers {
            PotentialPeers::Kinds(kinds) => {
                LineEnd::Pods(self.pods.words_among(kinds, is_spoken_about))
            }
            PotentialPeers::Addresses(set) => LineEnd::Addresses(set.clone()),
            PotentialPeers::Nobody => LineEnd::Pods(Vec::new()),
        };
        let (source, destination) = match row.direction {
            Direction::Ingress => (peers, governed),
            Direction::Egress => (governed, peers),
        };
        let (traffic, port_names) = self.pods.named(traffic);
        PotentialLine {
            direction: row.direction,
            source,
            destination,
            traffic,
            port_names,
            certain,
        }
    }
}

/// Lists what governed ends admit from kinds that no loaded pod is of, and may send to them.
///
/// # Errors
/// When the input with the kinds is too large to compile.
pub fn potential_rows(
    input: &Input,
    options: &CompileOptions,
    world: World,
) -> Result<PotentialRows, CompileError> {
    rows(input, options, world, None)
}

/// The same of some loaded workloads alone: what they admit, or what they may send.
///
/// # Errors
/// When the input with the kinds is too large to compile.
pub fn potential_rows_of(
    input: &Input,
    options: &CompileOptions,
    world: World,
    workloads: &[WorkloadId],
    direction: Direction,
) -> Result<PotentialRows, CompileError> {
    let wanted = workloads.iter().copied().collect();
    rows(input, options, world, Some((wanted, direction)))
}

/// The rows of some workloads in one direction, or all.
fn rows(
    input: &Input,
    options: &CompileOptions,
    world: World,
    wanted: Option<(BTreeSet<WorkloadId>, Direction)>,
) -> Result<PotentialRows, CompileError> {
    let Some(pods) = LaidGraph::kinds(input, world) else {
        return Ok(PotentialRows::default());
    };
    let workloads = wanted.as_ref().map(|(some, _)| some.len());
    if !can_be_listed(input, &pods, workloads) {
        return Ok(PotentialRows {
            incomplete: true,
            ..PotentialRows::default()
        });
    }
    let laid = LaidGraph::of(input, pods, options)?;
    Ok(rows_over(input, &laid, wanted.as_ref()))
}

/// The rows, where the kinds are laid over the input already.
pub(crate) fn all_rows_over(input: &Input, laid: &LaidGraph) -> PotentialRows {
    if can_be_listed(input, &laid.pods, None) {
        return rows_over(input, laid, None);
    }
    PotentialRows {
        incomplete: true,
        ..PotentialRows::default()
    }
}

/// Whether there are few enough pairs of some governed workloads, or all and the subjects, and a
/// kind.
pub(crate) fn can_be_listed(input: &Input, pods: &PotentialPods, workloads: Option<usize>) -> bool {
    let governed =
        workloads.unwrap_or_else(|| input.cluster.workloads().len() + subjects(input, pods).len());
    governed.saturating_mul(pods.kinds.len()) <= MOST
}

fn rows_over(
    input: &Input,
    laid: &LaidGraph,
    wanted: Option<&(BTreeSet<WorkloadId>, Direction)>,
) -> PotentialRows {
    let LaidGraph { pods, graph, .. } = laid;
    let subjects = if wanted.is_none() {
        subjects(input, pods)
    } else {
        Vec::new()
    };
    let kinds = laid.kind_pods();
    let all: Vec<(usize, PodId)> = kinds.iter().copied().enumerate().collect();
    let mut finder = RowFinder {
        graph,
        outside: ExternalRows::new(graph),
        rows: Vec::new(),
    };
    for (id, workload) in laid.loaded() {
        let directions = Direction::ALL.into_iter();
        let is_wanted = |direction: &Direction| match wanted {
            Some((workloads, only)) => only == direction && workloads.contains(&id),
            None => true,
        };
        for direction in directions.filter(is_wanted) {
            finder.workload(id, &workload.pods, direction, &all);
        }
    }
    // of kinds that loaded pods are like the other rows of a list speak
    let is_beyond = |kind: &usize| !pods.kinds[*kind].like_loaded;
    let goes_beyond = |row: &PotentialRow| match &row.peers {
        PotentialPeers::Kinds(kinds) => kinds.iter().any(is_beyond),
        PotentialPeers::Addresses(_) | PotentialPeers::Nobody => true,
    };
    finder.rows.retain(goes_beyond);
    for (i, subject) in subjects.iter().enumerate() {
        finder.subject(i, kinds[subject.kind], &all);
    }
    PotentialRows {
        incomplete: !pods.complete,
        rows: finder.rows,
        subjects,
        pods: pods.clone(),
    }
}

/// The subjects of policies that no loaded pod is like, each with the kind that has little else.
fn subjects(input: &Input, pods: &PotentialPods) -> Vec<PotentialSubject> {
    let distinct: BTreeSet<&Subject> = input.policies.policies.iter().map(|p| &p.subject).collect();
    let hosts = |subject: &Subject| selects_host(&input.cluster, subject);
    let distinct = distinct.into_iter().filter(|subject| !hosts(subject));
    distinct
        .filter_map(|subject| unlike_loaded(input, pods, subject))
        .collect()
}

/// A subject that no loaded pod is like, with the kind that has little else.
fn unlike_loaded(
    input: &Input,
    pods: &PotentialPods,
    subject: &Subject,
) -> Option<PotentialSubject> {
    let meant = pods
        .matching(&subject.namespaces, &subject.pods)
        .into_iter();
    let kind = meant.min_by_key(|kind| pods.kinds[*kind].labels.iter().count())?;
    let found = &pods.kinds[kind];
    let is_like = found.loaded || is_like_loaded(input, pods, found);
    (!is_like).then(|| PotentialSubject {
        kind,
        words: PotentialPods::subject_words(&subject.namespaces, &subject.pods),
    })
}

/// Whether a loaded pod of the namespace is selected by the same policies as a kind; for namespaces
/// whose labels are not told.
fn is_like_loaded(input: &Input, pods: &PotentialPods, kind: &PodKind) -> bool {
    let cluster = &input.cluster;
    let Some(here) = cluster.find_namespace(&pods.namespaces[kind.namespace].name) else {
        return false;
    };
    let about =
        |policy: &&Policy| policy.namespace.as_deref() == Some(&*cluster.namespace(here).name);
    let policies: Vec<&Policy> = input.policies.policies.iter().filter(about).collect();
    let selected = |labels: &Labels| -> Vec<bool> {
        let each = policies.iter();
        each.map(|policy| policy.subject.pods.matches(labels))
            .collect()
    };
    let wanted = selected(&kind.labels);
    let mut loaded = cluster
        .pods()
        .filter(|(_, pod)| pod.namespace == here && !pod.host_network);
    loaded.any(|(id, _)| selected(cluster.pod_labels(id)) == wanted)
}

/// Whether a subject selects a pod on its node's network by labels; of these it is said once that
/// they are unknown (S56).
fn selects_host(cluster: &Cluster, subject: &Subject) -> bool {
    let mut hosts = cluster.pods().filter(|(_, pod)| pod.host_network);
    !subject.pods.is_everything()
        && hosts.any(|(id, _)| subject.pods.matches(cluster.pod_labels(id)))
}

struct RowFinder<'g> {
    graph: &'g AllowGraph,
    outside: ExternalRows<'g>,
    rows: Vec<PotentialRow>,
}

impl RowFinder<'_> {
    /// The rows of a loaded workload in one direction. Of host-network pods it is said once that
    /// they are unknown (S56).
    fn workload(
        &mut self,
        id: WorkloadId,
        pods: &[PodId],
        direction: Direction,
        all: &[(usize, PodId)],
    ) {
        let cluster = &self.graph.environment().cluster;
        if pods.iter().any(|pod| cluster.pod(*pod).host_network) {
            return;
        }
        let by_allowed = self.kinds(pods, direction, all);
        self.add(GovernedEnd::Workload(id), direction, by_allowed);
    }

    /// The rows of a subject that is not loaded.
    fn subject(&mut self, subject: usize, pod: PodId, all: &[(usize, PodId)]) {
        for direction in Direction::ALL {
            if !self.is_governed(pod, direction) {
                continue;
            }
            let before = self.rows.len();
            let governed = GovernedEnd::Subject(subject);
            let by_allowed = self.kinds(&[pod], direction, all);
            self.add(governed, direction, by_allowed);
            self.addresses(governed, pod, direction);
            if self.rows.len() == before {
                self.rows.push(PotentialRow {
                    governed,
                    direction,
                    allowed: Allowed::nothing(),
                    peers: PotentialPeers::Nobody,
                });
            }
        }
    }

    fn add(
        &mut self,
        governed: GovernedEnd,
        direction: Direction,
        by_allowed: IndexMap<Allowed, BTreeSet<usize>>,
    ) {
        let row = |(allowed, kinds)| PotentialRow {
            governed,
            direction,
            allowed,
            peers: PotentialPeers::Kinds(kinds),
        };
        self.rows.extend(by_allowed.into_iter().map(row));
    }

    fn is_governed(&self, pod: PodId, direction: Direction) -> bool {
        let effective = self.graph.effective(Endpoint::Pod(pod), direction);
        effective.is_some_and(|effective| !EffectivePolicy::is_open(effective))
    }

    /// The kinds by what passes in one direction; nothing where no policy governs it.
    fn kinds(
        &self,
        members: &[PodId],
        direction: Direction,
        kinds: &[(usize, PodId)],
    ) -> IndexMap<Allowed, BTreeSet<usize>> {
        let mut rows: IndexMap<Allowed, BTreeSet<usize>> = IndexMap::default();
        if !members.iter().any(|pod| self.is_governed(*pod, direction)) {
            return rows;
        }
        for (kind, other) in kinds {
            let mut total: Option<Allowed> = None;
            for pod in members {
                let (pod, other) = (Endpoint::Pod(*pod), Endpoint::Pod(*other));
                let allowed = match direction {
                    Direction::Ingress => self.graph.allowed(other, pod),
                    Direction::Egress => self.graph.allowed(pod, other),
                };
                total = Some(total.map_or(allowed.clone(), |so_far| so_far.either(&allowed)));
            }
            if let Some(allowed) = total.filter(|allowed| allowed.may != TrafficSet::empty()) {
                rows.entry(allowed).or_default().insert(*kind);
            }
        }
        rows
    }

    /// The outside addresses of a subject by what passes.
    fn addresses(&mut self, governed: GovernedEnd, pod: PodId, direction: Direction) {
        let space = self.graph.space();
        let class = space.index_of(Endpoint::Pod(pod));
        let outside = space.full().difference(&space.pods());
        let found: Vec<(EndpointSet, Allowed)> = match direction {
            Direction::Ingress => {
                let parts = self.graph.row(class).into_iter();
                parts
                    .map(|part| (part.sources.intersection(&outside), part.allowed))
                    .collect()
            }
            Direction::Egress => {
                let parts = self.outside.parts(class);
                let each = parts.iter();
                each.map(|part| (part.destinations.clone(), part.allowed.clone()))
                    .collect()
            }
        };
        for (places, allowed) in found.into_iter().filter(|(places, _)| !places.is_empty()) {
            self.rows.push(PotentialRow {
                governed,
                direction,
                allowed,
                peers: PotentialPeers::Addresses(addresses(space, &places)),
            });
        }
    }
}
