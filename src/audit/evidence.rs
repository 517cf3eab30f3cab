//! What an input shows of the workloads in scope, gathered once for all controls of a standard.

use crate::audit::beyond::Beyond;
use crate::audit::declared::Declared;
use crate::audit::fact::{Bearing, DecidedBy, Fact, FactTopic, INPUT};
use crate::audit::scope::AuditScope;
use crate::diagnostic::{Code, Diagnostic, DiagnosticSeverity};
use crate::doors::DoorList;
use crate::graph::{AllowGraph, CompileError};
use crate::input::Input;
use crate::model::{Cluster, PodId, Truth, WorkloadId};
use crate::policy::Direction;
use crate::potential::World;
use crate::query::explain::contributing::deciding;
use crate::query::list::entry::ListEntry;
use crate::query::list::listing::{Listing, Party};
use crate::query::list::potential_rows::PotentialRows;
use crate::spec::HostNetwork;
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;

/// Most flows whose rules are looked up; of further ones the ends are named alone.
pub const MOST_EXPLAINED: usize = 10_000;

/// Most flows that one control names.
pub const MOST_FLOWS: usize = 100_000;

/// What an audit is about.
pub struct AuditSubject<'a> {
    /// What was read.
    pub input: &'a Input,
    /// What it allows.
    pub graph: &'a AllowGraph,
    /// By which doors the outside comes in.
    pub doors: &'a DoorList,
    /// Which workloads are open, and the flows where they are held.
    pub listing: &'a Listing,
    /// What is said of pods that are not in the input.
    pub potential: &'a PotentialRows,
    /// How much of the cluster the input shows.
    pub world: World,
    /// The network plugin that somebody named, if one was.
    pub plugin: Option<&'a str>,
    /// What policy tests that pass declare to be meant.
    pub declared: &'a Declared,
    /// The workloads that it is about.
    pub scope: &'a AuditScope,
}

/// What goes through the flows.
pub type EachFlow<'f> = &'f mut dyn FnMut(&mut dyn FnMut(&ListEntry));

/// What is gathered.
pub struct Evidence<'a> {
    pub(crate) of: &'a AuditSubject<'a>,
    pub(crate) beyond: Beyond,
    /// The flows that end, or start, at each workload in scope.
    entries: BTreeMap<(WorkloadId, Direction), Vec<Cow<'a, ListEntry>>>,
    explained: Cell<usize>,
    /// How many more flows the control may name that is being judged.
    left: Cell<usize>,
}

impl<'a> Evidence<'a> {
    /// Gathers it.
    ///
    /// # Errors
    /// When the input with pods that may come is too large to compile.
    pub fn new(of: &'a AuditSubject<'a>, each_flow: EachFlow<'_>) -> Result<Self, CompileError> {
        let options = &of.graph.environment().options;
        let mut entries = BTreeMap::new();
        if of.listing.entries.is_empty() {
            each_flow(&mut |entry| {
                keep(&mut entries, of.scope, entry, || Cow::Owned(entry.clone()));
            });
        }
        for entry in &of.listing.entries {
            keep(&mut entries, of.scope, entry, || Cow::Borrowed(entry));
        }
        Ok(Self {
            of,
            beyond: Beyond::new(of.input, options, of.world)?,
            entries,
            explained: Cell::new(0),
            left: Cell::new(MOST_FLOWS),
        })
    }

    pub(crate) fn cluster(&self) -> &Cluster {
        &self.of.graph.environment().cluster
    }

    /// A workload by its name.
    pub(crate) fn name(&self, workload: WorkloadId) -> String {
        self.cluster().workload_name(workload)
    }

    /// The workloads in scope.
    pub(crate) fn workloads(&self) -> impl Iterator<Item = WorkloadId> {
        self.of.scope.workloads.iter().copied()
    }

    pub(crate) fn pods(&self, workload: WorkloadId) -> &[PodId] {
        &self.cluster().workload(workload).pods
    }

    /// The flows with a governed end that end, or start, at a workload.
    pub(crate) fn entries(
        &self,
        workload: WorkloadId,
        direction: Direction,
    ) -> &[Cow<'a, ListEntry>] {
        let known = self.entries.get(&(workload, direction));
        known.map_or(&[], Vec::as_slice)
    }

    /// Whether nothing governs any pod of a workload in one direction.
    pub(crate) fn is_open(&self, workload: WorkloadId, direction: Direction) -> bool {
        let open = match direction {
            Direction::Ingress => &self.of.listing.open_in,
            Direction::Egress => &self.of.listing.open_out,
        };
        open.binary_search(&workload).is_ok()
    }

    /// Whether policies isolate every pod of a workload in one direction; `None` without pods.
    pub(crate) fn isolated(&self, workload: WorkloadId, direction: Direction) -> Option<Truth> {
        let pods = self.pods(workload).iter();
        pods.map(|pod| self.of.graph.isolated(*pod, direction))
            .min()
    }

    /// That it is not known whether a workload is in scope, if it is not.
    pub(crate) fn doubtful(&self, workload: WorkloadId) -> Option<Fact> {
        let is_doubtful = self.of.scope.doubtful.contains(&workload);
        is_doubtful.then(|| {
            let name = self.name(workload);
            let text =
                format!("{name} may or may not be in scope: labels of its namespace are not known");
            Fact::new(Bearing::Unknown, FactTopic::Anyone, &name, text)
        })
    }

    /// Whether a pod of a workload shares its node's network, and policies of pods do not, or may
    /// not, hold there.
    pub(crate) fn is_on_node(&self, workload: WorkloadId) -> bool {
        let as_pods = self.of.graph.environment().options.host_network == HostNetwork::Pod;
        let on_node = |pod: &PodId| self.cluster().pod(*pod).host_network;
        !as_pods && self.pods(workload).iter().any(on_node)
    }

    /// Whether the control that is being judged may name one more flow.
    pub(crate) fn names_flow(&self) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        left > 0
    }

    /// Begins with the next control: what the last one did not name, if it is something.
    pub(crate) fn unnamed_flows(&self) -> Option<Fact> {
        let all_named = self.left.replace(MOST_FLOWS) > 0;
        let text = "further flows may be allowed by name: netpal list -o csv has all of them";
        let rest = Fact::new(Bearing::Review, FactTopic::Flow, INPUT, text.to_owned());
        (!all_named).then_some(rest)
    }

    /// The rules that let a flow pass.
    pub(crate) fn rules_of(&self, entry: &ListEntry) -> Vec<DecidedBy> {
        let explained = self.explained.get();
        if explained >= MOST_EXPLAINED {
            return Vec::new();
        }
        self.explained.set(explained + 1);
        let rules = deciding(&entry.explanations(self.of.graph));
        rules.into_iter().map(DecidedBy::Rule).collect()
    }

    /// What keeps everything that is said of the input from being certain: what could not be read.
    pub(crate) fn gaps(&self) -> Vec<Fact> {
        let input = self.of.input;
        let broken = input.diagnostics.iter().filter(|d| is_loss(d));
        let unread = broken.map(|diagnostic| {
            let text = format!("a part of the input does not count: {}", diagnostic.message);
            gap(text).because(vec![DecidedBy::At(diagnostic.place.clone())])
        });
        let unlisted = input.unlisted.iter().filter(|u| u.was_asked_for());
        let unlisted = unlisted.map(|unlisted| {
            gap(format!(
                "objects of kind {} could not be listed: {}",
                unlisted.kind, unlisted.reason
            ))
        });
        let kinds = self
            .of
            .potential
            .incomplete
            .then(|| gap("more kinds of pods may exist than could be asked about".to_owned()));
        unread.chain(unlisted).chain(kinds).collect()
    }
}

/// Keeps a flow with the workloads in scope at its ends.
fn keep<'a>(
    entries: &mut BTreeMap<(WorkloadId, Direction), Vec<Cow<'a, ListEntry>>>,
    scope: &AuditScope,
    entry: &ListEntry,
    kept: impl Fn() -> Cow<'a, ListEntry>,
) {
    let ends = [
        (&entry.destination, Direction::Ingress),
        (&entry.source, Direction::Egress),
    ];
    for (party, direction) in ends {
        if let Party::Workload(id) = party
            && scope.workloads.contains(id)
        {
            entries.entry((*id, direction)).or_default().push(kept());
        }
    }
}

/// Whether a part of the input does not count: it could not be read, or is of a kind that is not
/// modelled and was told to be ignored. Otherwise that kind makes flows unknown.
fn is_loss(diagnostic: &Diagnostic) -> bool {
    let is_note = diagnostic.severity == DiagnosticSeverity::Note;
    match diagnostic.code {
        Code::UnmodelledPolicy if is_note => true,
        Code::Syntax
        | Code::UnrenderedTemplate
        | Code::Placeholder
        | Code::Limit
        | Code::Unreadable => true,
        _ => diagnostic.severity == DiagnosticSeverity::Error,
    }
}

/// A fact about the input as a whole that keeps a control from being met.
pub(crate) fn gap(text: String) -> Fact {
    Fact::new(Bearing::Unknown, FactTopic::Anyone, INPUT, text)
}
