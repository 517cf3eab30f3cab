//! Policy tests: claims that must hold, whatever the policies look like.
//!
//! [`schema`] and [`mod@parse`] read the tests, [`scope`] resolves their endpoints, and one module
//! per kind of claim decides: `flows` about single flows, `path_isolation` about paths,
//! `default_deny` about isolation. Every failure carries one example.
//!
//! Invariants: a test that depends on anything unknown is *undecided*, never passed; an endpoint
//! that does not exist in the input makes a test *empty*, which fails unless it says `allow-empty`.
//! Cost: classes of the sources x classes of the destinations per flow test; one row per template
//! for path tests.

pub mod breaks;
mod by_class;
mod by_pair;
pub mod coverage;
mod default_deny;
pub mod export;
pub mod external;
mod flows;
mod judge;
pub mod parse;
mod path_cut;
mod path_isolation;
mod paths;
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
    /// How it came out.
    pub status: Status,
    /// The counterexample, unless it passed.
    pub example: Option<Example>,
    /// Whether the test itself is malformed: an ambiguous name, a port that does not exist.
    pub wrong: bool,
    /// The changes that would make it hold, if [`remedy`] found any.
    pub remedy: Vec<Change>,
}

impl Outcome<'_> {
    /// Whether it makes the run fail: failed or empty, and not only a warning.
    pub fn fails(&self) -> bool {
        matches!(self.status, Status::Failed | Status::Empty) && self.test.severity == Level::Error
    }
}

/// What a run of tests needs besides the graph.
pub struct Env<'a> {
    /// The settings that names are resolved with.
    pub context: &'a Context,
    /// Returns the lines by which the allow-graph differs from the snapshot at a path.
    pub snapshot: &'a dyn Fn(&str) -> Result<Vec<String>, String>,
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
    status: Status,
    example: Option<Example>,
}

impl ClaimVerdict {
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

/// The number of pairs of pods up to which a claim decides them one by one.
const ONE_BY_ONE: usize = 20_000;

/// Runs the tests of a file.
pub fn check<'a>(graph: &AllowGraph, env: &Env<'_>, suite: &'a Suite) -> Run<'a> {
    check_by(graph, env, suite, ONE_BY_ONE)
}

/// [`check()`] with another limit on the pairs of pods that are decided one by one; the answers are
/// the same. For tests.
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
    let mut judge = judge::Judge::new(graph, one_by_one);
    let mut run = Run::default();
    for test in &suite.tests {
        let verdict = claim(graph, env, &scopes, &mut judge, &test.claim);
        run.outcomes.push(outcome(test, verdict));
    }
    run.exercised = judge.exercised();
    run
}

/// The outcome of a test, given the verdict on its claim.
fn outcome(test: &PolicyTest, verdict: Result<ClaimVerdict, Trouble>) -> Outcome<'_> {
    let (status, example, wrong) = match verdict {
        Ok(verdict) => (verdict.status, verdict.example, false),
        Err(Trouble::Absent(_)) if test.allow_empty => (Status::Passed, None, false),
        Err(Trouble::Absent(text)) => (Status::Empty, Some(Example::Text(text)), false),
        Err(Trouble::Wrong(text)) => (Status::Failed, Some(Example::Text(text)), true),
    };
    Outcome {
        test,
        status,
        example,
        wrong,
        remedy: Vec::new(),
    }
}

fn claim(
    graph: &AllowGraph,
    env: &Env<'_>,
    scopes: &Scopes<'_>,
    judge: &mut judge::Judge<'_>,
    claim: &Claim,
) -> Result<ClaimVerdict, Trouble> {
    match claim {
        Claim::Can(texts, matching) => judge.can(scopes, texts, *matching),
        Claim::Cannot(texts) => judge.cannot(scopes, texts),
        Claim::OnlyFrom(spec) => judge.only_from(scopes, spec),
        Claim::OnlyTo(spec) => judge.only_to(scopes, spec),
        Claim::Internet(spec) => judge.internet(scopes, spec),
        Claim::Isolated(spec) => path_isolation::isolated(graph, scopes, judge, spec),
        Claim::DefaultDeny(spec) => default_deny::default_deny(graph, spec),
        Claim::MatchesSnapshot(path) => match (env.snapshot)(path) {
            Ok(lines) if lines.is_empty() => Ok(ClaimVerdict::passed()),
            Ok(lines) => Ok(ClaimVerdict::failed(Example::Lines(lines))),
            Err(message) => Err(Trouble::Wrong(message)),
        },
    }
}
