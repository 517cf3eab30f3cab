//! Policy tests: what must stay true, whatever the policies look like.
//!
//! [`mod@file`] and [`read`] read the tests, [`scope`] finds what their endpoints mean, and one
//! module per kind of claim decides: `flows` about single flows, `hops` about paths, `isolation`
//! about default denies. Every failure carries one example.
//!
//! Invariants: a test that rests on anything unknown is *undecided*, never passed; an endpoint that
//! means nothing here makes a test *empty*, which fails unless it says `allow-empty`. Cost: classes
//! of the sources x classes of the destinations per flow test; one row per class for path tests.

pub mod breaks;
mod by_class;
mod by_pair;
pub mod coverage;
mod default_deny;
pub mod export;
pub mod external;
mod flows;
pub mod parse;
mod path_isolation;
pub mod propose;
pub mod remedy;
pub mod schema;
pub mod scope;

pub use crate::check::parse::{Claim, PolicyTest, Suite, parse};

use crate::check::scope::{Scopes, Trouble};
use crate::config::Level;
use crate::graph::AllowGraph;
use crate::model::{NamespaceId, WorkloadId};
use crate::policy::{Direction, RuleRef};
use crate::query::Context;
use crate::query::ask::service_effect::ViaService;
use crate::query::suggest::trial::Change;
use crate::set::TrafficSet;
use crate::spec::Flow;
use std::collections::BTreeSet;

/// How a test came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// It holds.
    Passed,
    /// It does not.
    Failed,
    /// An endpoint of it means nothing here.
    Empty,
    /// The input does not tell.
    Undecided,
}

/// A workload at which paths can be cut.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cut {
    /// The workload.
    pub workload: WorkloadId,
    /// Whether anyone may reach it, so that a default deny is enough.
    pub open: bool,
}

/// What shows that a test does not hold, or cannot be decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Example {
    /// A flow that should be allowed (or denied) and is not.
    Flow {
        /// The flow.
        flow: Flow,
        /// Whether it should be allowed.
        wanted: bool,
        /// Everything that was asked of its two ends.
        asked: TrafficSet,
        /// What the Service it was asked by changes.
        led: Option<ViaService>,
    },
    /// A path that should not be there.
    Path {
        /// Its hops.
        hops: Vec<Flow>,
        /// Where all such paths are cut most cheaply; empty where only the flow itself can be.
        cut: Vec<Cut>,
        /// How many pairs of a source and a destination workload such paths connect.
        pairs: usize,
    },
    /// A workload that nothing isolates in a direction.
    Open(WorkloadId, Direction),
    /// A namespace without a default-deny policy in a direction.
    NoPolicy(NamespaceId, Direction),
    /// Lines by which the allow-graph differs from its snapshot.
    Lines(Vec<String>),
    /// What is missing or makes no sense, in words.
    Text(String),
}

/// The outcome of one test.
#[derive(Debug, Clone)]
pub struct Outcome<'a> {
    /// The test.
    pub test: &'a PolicyTest,
    /// How it came out.
    pub status: Status,
    /// What shows it, unless it passed.
    pub example: Option<Example>,
    /// Whether the test itself makes no sense here: an ambiguous name, a port that is not there.
    pub wrong: bool,
    /// What would make it hold, where [`remedy`] has looked for it and found something.
    pub remedy: Vec<Change>,
}

impl Outcome<'_> {
    /// Whether the run fails by it: failed or empty, and not only a warning.
    pub fn fails(&self) -> bool {
        matches!(self.status, Status::Failed | Status::Empty) && self.test.severity == Level::Error
    }
}

/// What a run of tests needs beside the graph.
pub struct Env<'a> {
    /// What names mean.
    pub context: &'a Context,
    /// The lines by which the allow-graph differs from the snapshot of this path.
    pub snapshot: &'a dyn Fn(&str) -> Result<Vec<String>, String>,
}

/// The outcomes of a file, and the rules that its tests exercise.
#[derive(Debug, Clone, Default)]
pub struct Run<'a> {
    /// One outcome per test, in order.
    pub outcomes: Vec<Outcome<'a>>,
    /// The rules that decided a flow some test asked about.
    pub exercised: BTreeSet<RuleRef>,
}

/// What one claim came to.
pub(crate) struct Verdict {
    status: Status,
    example: Option<Example>,
}

impl Verdict {
    fn passed() -> Self {
        Self {
            status: Status::Passed,
            example: None,
        }
    }

    fn failed(example: Example) -> Self {
        Self {
            status: Status::Failed,
            example: Some(example),
        }
    }

    fn undecided(example: Example) -> Self {
        Self {
            status: Status::Undecided,
            example: Some(example),
        }
    }
}

/// Up to how many pairs of pods a claim asks one by one.
const ONE_BY_ONE: usize = 20_000;

/// Runs the tests of a file.
pub fn check<'a>(graph: &AllowGraph, env: &Env<'_>, suite: &'a Suite) -> Run<'a> {
    check_by(graph, env, suite, ONE_BY_ONE)
}

/// [`check()`], with more than so many pairs of pods asked by rows; the answers are the same. For
/// tests.
#[doc(hidden)]
pub fn check_by<'a>(
    graph: &AllowGraph,
    env: &Env<'_>,
    suite: &'a Suite,
    one_by_one: usize,
) -> Run<'a> {
    let scopes = Scopes {
        cluster: &graph.environment().cluster,
        context: env.context,
        groups: &suite.groups,
    };
    let mut judge = flows::Judge::new(graph, one_by_one);
    let mut run = Run::default();
    for test in &suite.tests {
        let outcome = match claim(graph, env, &scopes, &mut judge, &test.claim) {
            Ok(verdict) => Outcome {
                test,
                status: verdict.status,
                example: verdict.example,
                wrong: false,
                remedy: Vec::new(),
            },
            Err(Trouble::Absent(_)) if test.allow_empty => Outcome {
                test,
                status: Status::Passed,
                example: None,
                wrong: false,
                remedy: Vec::new(),
            },
            Err(Trouble::Absent(text)) => Outcome {
                test,
                status: Status::Empty,
                example: Some(Example::Text(text)),
                wrong: false,
                remedy: Vec::new(),
            },
            Err(Trouble::Wrong(text)) => Outcome {
                test,
                status: Status::Failed,
                example: Some(Example::Text(text)),
                wrong: true,
                remedy: Vec::new(),
            },
        };
        run.outcomes.push(outcome);
    }
    run.exercised = judge.exercised();
    run
}

fn claim(
    graph: &AllowGraph,
    env: &Env<'_>,
    scopes: &Scopes<'_>,
    judge: &mut flows::Judge<'_>,
    claim: &Claim,
) -> Result<Verdict, Trouble> {
    match claim {
        Claim::Can(texts, matching) => judge.can(scopes, texts, *matching),
        Claim::Cannot(texts) => judge.cannot(scopes, texts),
        Claim::OnlyFrom(spec) => judge.only_from(scopes, spec),
        Claim::OnlyTo(spec) => judge.only_to(scopes, spec),
        Claim::Internet(spec) => judge.internet(scopes, spec),
        Claim::Isolated(spec) => path_isolation::isolated(graph, scopes, judge, spec),
        Claim::DefaultDeny(spec) => default_deny::default_deny(graph, spec),
        Claim::MatchesSnapshot(path) => match (env.snapshot)(path) {
            Ok(lines) if lines.is_empty() => Ok(Verdict::passed()),
            Ok(lines) => Ok(Verdict::failed(Example::Lines(lines))),
            Err(message) => Err(Trouble::Wrong(message)),
        },
    }
}
