//! The outcomes of policy tests: status, counterexample and remedy.

use crate::check::parse::PolicyTest;
use crate::config::Level;
use crate::model::{NamespaceId, WorkloadId};
use crate::policy::{Direction, RuleRef};
use crate::query::ask::service_effect::ViaService;
use crate::query::suggest::trial::Addition;
use crate::set::TrafficSet;
use crate::spec::Flow;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// The status of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// The claim holds.
    Passed,
    /// The claim does not hold.
    Failed,
    /// An endpoint of it does not exist in the input.
    Empty,
    /// The input does not decide it.
    Undecided,
}

/// A workload at which paths can be cut.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cut {
    /// The workload.
    pub workload: WorkloadId,
    /// Whether anyone may reach it, so that a default-deny policy is enough.
    pub open: bool,
}

/// A flow with an end that is not in the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PotentialFlow {
    /// Who sends.
    pub source: FlowEnd,
    /// Who receives.
    pub destination: FlowEnd,
    /// What passes, or may.
    pub traffic: TrafficSet,
    /// Port names that are part of it, or excepted from it.
    pub port_names: Vec<String>,
}

/// An end of such a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlowEnd {
    /// A workload by its name, or pods by their labels.
    Pods(String),
    /// An address.
    Address(IpAddr),
}

/// A counterexample: what demonstrates that a test does not hold, or cannot be decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Example {
    /// A flow that should be allowed (or denied) and is not.
    Flow {
        /// The flow.
        flow: Flow,
        /// Whether it should be allowed.
        wanted: bool,
        /// All traffic that was asked about between its ends.
        asked: TrafficSet,
        /// How the Service that was named changes the verdict.
        led: Option<ViaService>,
    },
    /// A flow that should not pass, or the flows of a path, with an end that is not in the input.
    Potential(Vec<PotentialFlow>),
    /// Pods that are not in the input, in words, and that no policy isolates in a direction.
    PotentialOpen(String, Direction),
    /// A path that should not exist.
    Path {
        /// Its hops.
        hops: Vec<Flow>,
        /// The cheapest cut of all such paths; empty if only the flow itself can be cut.
        cut: Vec<Cut>,
        /// The number of source workloads from which such paths lead.
        pairs: usize,
    },
    /// A workload that no policy isolates in a direction.
    Open(WorkloadId, Direction),
    /// A namespace without a default-deny policy in a direction.
    NoPolicy(NamespaceId, Direction),
    /// Lines by which the allow-graph differs from its snapshot.
    Lines(Vec<String>),
    /// What is missing or malformed, in words.
    Text(String),
}

/// The outcome of one test.
#[derive(Debug, Clone)]
pub struct Outcome<'a> {
    /// The test.
    pub test: &'a PolicyTest,
    /// Its status.
    pub status: Status,
    /// The counterexample, unless it passed.
    pub example: Option<Example>,
    /// Whether the test itself is malformed: an ambiguous name, a port that does not exist.
    pub wrong: bool,
    /// The changes that would make it hold, if [`crate::check::remedy`] found any.
    pub remedy: Vec<Addition>,
}

impl Outcome<'_> {
    /// Whether it makes the run fail: failed or empty, and not only a warning.
    pub fn fails(&self) -> bool {
        matches!(self.status, Status::Failed | Status::Empty) && self.test.severity == Level::Error
    }
}

/// The outcomes of a file, and the rules that its tests exercise.
#[derive(Debug, Clone, Default)]
pub struct Run<'a> {
    /// One outcome per test, in order.
    pub outcomes: Vec<Outcome<'a>>,
    /// The rules that decided a flow that a test asked about.
    pub exercised: BTreeSet<RuleRef>,
}

/// The verdict on one claim.
pub(crate) struct ClaimVerdict {
    pub(crate) status: Status,
    pub(crate) example: Option<Example>,
}

impl ClaimVerdict {
    pub(crate) fn passed() -> Self {
        Self {
            status: Status::Passed,
            example: None,
        }
    }

    pub(crate) fn failed(example: Example) -> Self {
        Self {
            status: Status::Failed,
            example: Some(example),
        }
    }

    pub(crate) fn undecided(example: Example) -> Self {
        Self {
            status: Status::Undecided,
            example: Some(example),
        }
    }
}
