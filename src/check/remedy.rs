//! Remedies: the YAML that would make failed tests hold, tried before it is proposed.
//!
//! For a flow that should pass, the remedy is the smallest addition that lets it through and
//! changes nothing else ([`suggest_where`]); other flows of the test may still be missing. An
//! address in it is one that the test names, and never one that stands for others. For paths that
//! should not exist, it is a default-deny policy in the namespace of each workload of the cheapest
//! cut, if all of these are open; it is proposed only if the test then holds. What else such a
//! policy closes is for the reader to judge, with `netpal plan`.
//!
//! Invariant: the remedies of one run can all be applied together. Each is tried with those before
//! it, and with all of them every test that passed still passes. A test that compares with a
//! snapshot is left out there, because every change is a difference to it. Cost: a few compilations
//! and runs of the tests for each of the first [`TRIED`] failed tests.

use crate::check::scope::{ScopedEnds, Scopes};
use crate::check::{Claim, Env, Example, Outcome, PolicyTest, Run, Status, Suite, check};
use crate::graph::AllowGraph;
use crate::input::Input;
use crate::policy::Direction;
use crate::query::ask::answer::Pair;
use crate::query::ask::service_effect::ViaService;
use crate::query::suggest::suggestion::{Suggested, suggest_where};
use crate::query::suggest::trial::{Addition, AdditionPlace, applied};
use crate::query::{End, Verdict};
use crate::set::TrafficSet;
use crate::spec::{Endpoint, Flow};
use serde_json::json;
use std::collections::BTreeSet;

/// The number of failed tests of a file for which a remedy is computed.
const TRIED: usize = 20;

/// Adds remedies to the failed tests of the files of one run.
pub fn add_remedies(
    input: &Input,
    graph: &AllowGraph,
    env: &Env<'_>,
    runs: &mut [(&Suite, Run<'_>)],
) {
    let passing: Vec<Suite> = runs
        .iter()
        .map(|(suite, run)| passing(suite, run))
        .collect();
    let mut joint = Joint {
        input,
        graph,
        env,
        passing: &passing,
        changes: Vec::new(),
    };
    for (suite, run) in runs {
        let failed = run
            .outcomes
            .iter_mut()
            .filter(|o| o.status == Status::Failed);
        for outcome in failed.take(TRIED) {
            outcome.remedy = joint.remedy(suite, outcome).unwrap_or_default();
        }
    }
}

/// The tests of a file that passed and hold for more than one text.
fn passing(suite: &Suite, run: &Run<'_>) -> Suite {
    let passed = run
        .outcomes
        .iter()
        .filter(|o| o.status == Status::Passed)
        .filter(|o| !matches!(o.test.claim, Claim::MatchesSnapshot(_)));
    Suite {
        tests: passed.map(|o| o.test.clone()).collect(),
        ..suite.clone()
    }
}

/// The remedies of a run so far, which are applied together.
struct Joint<'a> {
    input: &'a Input,
    graph: &'a AllowGraph,
    env: &'a Env<'a>,
    /// The tests that passed, and that all remedies together must leave so.
    passing: &'a [Suite],
    changes: Vec<Addition>,
}

impl Joint<'_> {
    /// The remedy of a failed test, which is one of the joint ones from then on.
    fn remedy(&mut self, suite: &Suite, outcome: &Outcome<'_>) -> Option<Vec<Addition>> {
        match outcome.example.as_ref()? {
            Example::Flow {
                flow,
                wanted: true,
                asked,
                led,
            } => self.open(suite, outcome.test, flow, asked, *led),
            Example::Path { cut, .. } if !cut.is_empty() && cut.iter().all(|c| c.open) => {
                let cluster = &self.input.cluster;
                let namespace =
                    |workload| &*cluster.namespace(cluster.workload(workload).namespace).name;
                let namespaces: BTreeSet<&str> =
                    cut.iter().map(|c| namespace(c.workload)).collect();
                let mut changes: Vec<Addition> = namespaces.into_iter().map(default_deny).collect();
                let alone = Suite {
                    tests: vec![outcome.test.clone()],
                    ..suite.clone()
                };
                let holds = self.holds_with(&[], &changes, std::slice::from_ref(&alone));
                (holds && self.takes(&mut changes)).then_some(changes)
            }
            _ => None,
        }
    }

    /// The smallest addition that lets through all traffic asked about between two ends, and stands
    /// against no test that passes.
    fn open(
        &mut self,
        suite: &Suite,
        test: &PolicyTest,
        flow: &Flow,
        asked: &TrafficSet,
        led: Option<ViaService>,
    ) -> Option<Vec<Addition>> {
        let written = written_ends(self.input, self.env, suite, &test.claim);
        let pair = Pair {
            passing: None,
            parts: Vec::new(),
            to_service: false,
            networks: Vec::new(),
            led,
            source: end(self.input, &written, flow.source)?,
            destination: end(self.input, &written, flow.destination)?,
            asked: asked.clone(),
            allowed: self.graph.allowed(flow.source, flow.destination),
            verdict: Verdict::No,
            example: *flow,
        };
        let (input, graph) = (self.input, self.graph);
        let mut taken = None;
        let suggested = suggest_where(input, graph, &pair, &mut |changes| {
            let mut changes = changes.to_vec();
            let fits = self.takes(&mut changes);
            taken = fits.then_some(changes);
            fits
        });
        taken.filter(|_| matches!(suggested, Suggested::Changes(_)))
    }

    /// Takes changes into the joint ones if every test that passed still passes with all of them.
    /// A policy gets another name where an earlier one has taken it.
    fn takes(&mut self, changes: &mut [Addition]) -> bool {
        for change in changes.iter_mut() {
            rename(change, &self.changes);
        }
        let new: Vec<Addition> = changes
            .iter()
            .filter(|c| !self.changes.contains(c))
            .cloned()
            .collect();
        let fits = self.holds_with(&self.changes, &new, self.passing);
        if fits {
            self.changes.extend(new);
        }
        fits
    }

    /// Whether all tests of some files hold with two lists of changes.
    fn holds_with(&self, first: &[Addition], second: &[Addition], suites: &[Suite]) -> bool {
        let all: Vec<Addition> = first.iter().chain(second).cloned().collect();
        let options = &self.graph.environment().options;
        let Some(input) = applied(self.input, &all) else {
            return false;
        };
        let Ok(graph) = AllowGraph::compile(&input, options) else {
            return false;
        };
        suites.iter().all(|suite| {
            let run = check(&graph, self.env, suite);
            run.outcomes.iter().all(|o| o.status == Status::Passed)
        })
    }
}

/// Gives a new policy a name that no other one of some changes has.
fn rename(change: &mut Addition, others: &[Addition]) {
    let AdditionPlace::Policy { namespace, name } = &change.place else {
        return;
    };
    let is_taken = |name: &str| {
        others.iter().any(|other| {
            matches!(&other.place, AdditionPlace::Policy { namespace: n, name: taken }
                if n == namespace && **taken == *name)
        })
    };
    if !is_taken(name) || others.contains(change) {
        return;
    }
    let numbered = (2..).map(|n| format!("{name}-{n}"));
    let free = numbered.into_iter().find(|n| !is_taken(n));
    let Some(free) = free else { return };
    let namespace = namespace.clone();
    change.content["metadata"]["name"] = json!(free);
    change.place = AdditionPlace::Policy {
        namespace,
        name: free.into(),
    };
}

/// The ends that a claim about flows names.
fn written_ends(input: &Input, env: &Env<'_>, suite: &Suite, claim: &Claim) -> Vec<End> {
    let scopes = Scopes {
        cluster: &input.cluster,
        context: env.context,
        to: env.context,
        groups: &suite.groups,
    };
    let texts: Vec<ScopedEnds> = match claim {
        Claim::Can(texts, _) => {
            let both = texts.iter().filter_map(|t| scopes.question(t).ok());
            both.flat_map(|(from, to)| [from, to]).collect()
        }
        Claim::OnlyFrom(spec) => {
            let named = spec.from.texts().iter().map(|t| scopes.text(t));
            named.filter_map(Result::ok).collect()
        }
        _ => Vec::new(),
    };
    texts.into_iter().flat_map(|t| t.resolved.ends).collect()
}

/// The end that an endpoint belongs to: its whole workload, or the addresses that the test names.
fn end(input: &Input, written: &[End], endpoint: Endpoint) -> Option<End> {
    match endpoint {
        Endpoint::Pod(pod) => {
            let workload = input.cluster.pod(pod).workload;
            let pods = input.cluster.workload(workload).pods.clone();
            Some(End::pods(workload, pods))
        }
        Endpoint::Address(address) => {
            let holds = |e: &&End| matches!(e, End::Addresses { set, .. } if set.contains(address));
            written.iter().find(holds).cloned()
        }
    }
}

/// A policy that isolates a whole namespace for ingress and allows nothing.
fn default_deny(namespace: &str) -> Addition {
    let name = "default-deny-ingress";
    let content = json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
    });
    let place = AdditionPlace::Policy {
        namespace: namespace.into(),
        name: name.into(),
    };
    Addition {
        direction: Direction::Ingress,
        place,
        content,
    }
}
