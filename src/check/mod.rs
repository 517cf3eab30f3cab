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
pub mod critical;
mod default_deny;
mod doors;
pub mod export;
pub mod external;
mod flows;
mod hop_network;
mod judge;
mod mentioned;
pub mod open_world;
pub mod outcome;
pub mod parse;
mod path_cut;
mod path_isolation;
mod paths;
pub mod propose;
pub mod remedy;
pub mod rule_cut;
pub mod schema;
pub mod scope;

pub use crate::check::outcome::{Cut, Example, Outcome, Run, Status};
pub use crate::check::parse::{Claim, PolicyTest, Suite, parse};

use crate::check::outcome::ClaimVerdict;
use crate::check::scope::{Scopes, Trouble};
use crate::doors::DoorList;
use crate::graph::AllowGraph;
use crate::query::Context;

/// What a run of tests needs besides the graph.
pub struct Env<'a> {
    /// The settings that names are resolved with.
    pub context: &'a Context,
    /// Returns the lines by which the allow-graph differs from the snapshot at a path.
    pub snapshot: &'a dyn Fn(&str) -> Result<Vec<String>, String>,
    /// Returns the doors of the input.
    pub doors: &'a dyn Fn() -> Result<DoorList, String>,
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
        to: env.context,
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
        Claim::Doors(spec) => {
            let list = (env.doors)().map_err(Trouble::Wrong)?;
            doors::only(judge, scopes, &spec.only, &list)
        }
        Claim::Internet(spec) => {
            let verdict = judge.internet(scopes, spec)?;
            let Some(ingress) = &spec.ingress else {
                return Ok(verdict);
            };
            let list = (env.doors)().map_err(Trouble::Wrong)?;
            Ok(doors::both(
                verdict,
                doors::only(judge, scopes, ingress, &list)?,
            ))
        }
        Claim::Isolated(spec) => path_isolation::isolated(graph, scopes, judge, spec),
        Claim::DefaultDeny(spec) => default_deny::default_deny(graph, spec),
        Claim::MatchesSnapshot(path) => match (env.snapshot)(path) {
            Ok(lines) if lines.is_empty() => Ok(ClaimVerdict::passed()),
            Ok(lines) => Ok(ClaimVerdict::failed(Example::Lines(lines))),
            Err(message) => Err(Trouble::Wrong(message)),
        },
    }
}
