//! Claims of absence, asked of pods that are not in the input (S146): who may never reach whom
//! holds for the pods that may exist too, unless a test or its file says `world: closed`.
//!
//! A pod of every kind that no loaded pod is like is laid over the input ([`crate::potential`]),
//! and a claim that holds of what is loaded is asked once more. `any` then means every one of them
//! as well, at one end of a flow: of two pods that are both not there the input says nothing. A pod
//! that carries the labels of a loaded workload counts as one of that workload, so that `only-from:
//! cart` is not broken by what else might be labelled like the cart. A default deny is asked of the
//! pods that may come to its namespaces, and the edge to the internet of those that some policy
//! isolates, since any other pod is open to it wherever it comes to be. Paths start and end at
//! pods that are not loaded, and lead through loaded ones. Cost: a compilation for each run, and
//! the claims of absence twice more.

use crate::check::default_deny::open_to_come;
use crate::check::judge::Judge;
use crate::check::mentioned::mentioned;
use crate::check::outcome::{Example, FlowEnd, Outcome, PotentialFlow, Status};
use crate::check::parse::Claim;
use crate::check::schema::DefaultDeny;
use crate::check::scope::Scopes;
use crate::check::{Env, Run, Suite};
use crate::graph::{AllowGraph, CompileError};
use crate::input::Input;
use crate::model::{Cluster, Labels, Truth, WorkloadId};
use crate::potential::{PodKind, PotentialPods, World};
use crate::query::Context;
use crate::query::ask::alternatives::is_one_namespace_twice;
use crate::set::TrafficSet;
use crate::spec::{CompileOptions, Endpoint, Flow};
use std::collections::BTreeSet;

/// An input with pods that are not in it.
pub struct OpenWorld {
    graph: AllowGraph,
    pods: PotentialPods,
    /// The workload that stands for the first kind.
    first: WorkloadId,
}

impl OpenWorld {
    /// The pods that may exist besides those of an input, told apart as its policies and some test
    /// files do; `None` in a closed world, or where there are none.
    ///
    /// # Errors
    /// When the input with these pods is too large to compile.
    pub fn new(
        input: &Input,
        options: &CompileOptions,
        world: World,
        suites: &[Suite],
    ) -> Result<Option<Self>, CompileError> {
        if world == World::Closed {
            return Ok(None);
        }
        let asked = mentioned(suites);
        let mut pods = PotentialPods::asked_about(input, world == World::Open, &asked);
        let known = mentioned_labels(input, &pods);
        pods.keep(|namespace, kind| !kind.loaded && !is_like(&known, &namespace.name, kind));
        if pods.kinds.is_empty() {
            return Ok(None);
        }
        let (laid, first) = pods.laid_over(input, 0);
        let graph = AllowGraph::compile(&laid, options)?;
        Ok(Some(Self { graph, pods, first }))
    }

    /// Asks the claims of absence that hold of what is loaded once more, and changes the outcomes
    /// of those that do not hold of other pods: first at the sources of flows, then at their
    /// destinations.
    pub fn amend(&self, run: &mut Run<'_>, env: &Env<'_>, suite: &Suite) {
        let open = Context {
            any_pod: true,
            ..env.context.clone()
        };
        for [from, to] in [[&open, env.context], [env.context, &open]] {
            let scopes = Scopes {
                cluster: &self.graph.environment().cluster,
                context: from,
                to,
                groups: &suite.groups,
            };
            self.amend_with(run, env, &scopes);
        }
        for outcome in run.outcomes.iter_mut().filter(|o| is_asked_again(o)) {
            if let Claim::DefaultDeny(spec) = &outcome.test.claim {
                self.amend_default_deny(outcome, spec);
            }
            if !self.pods.complete && outcome.status == Status::Passed {
                let text = "more kinds of pods may exist than could be asked about (world: closed leaves them out)";
                outcome.status = Status::Undecided;
                outcome.example = Some(Example::Text(text.into()));
            }
        }
    }

    fn amend_with(&self, run: &mut Run<'_>, env: &Env<'_>, scopes: &Scopes<'_>) {
        let mut judge = Judge::new(&self.graph, super::ONE_BY_ONE);
        judge.first_unloaded = self.first;
        for outcome in run.outcomes.iter_mut().filter(|o| is_asked_again(o)) {
            let claim = &outcome.test.claim;
            if matches!(claim, Claim::DefaultDeny(_)) {
                continue; // asked of pods, not of flows
            }
            let again = super::claim(&self.graph, env, scopes, &mut judge, claim);
            let Ok(verdict) = again else { continue };
            if outcome.status == Status::Empty {
                // a namespace that a rule names and nobody has loaded is there now
                (outcome.status, outcome.example) = (Status::Passed, None);
            }
            if let Some(found) = verdict.example.and_then(|example| self.beyond(&example)) {
                outcome.status = verdict.status;
                outcome.example = Some(Example::Potential(found));
            }
        }
    }

    /// Asks of a default deny whether it holds for the pods that may come to its namespaces.
    fn amend_default_deny(&self, outcome: &mut Outcome<'_>, spec: &DefaultDeny) {
        let cluster = &self.graph.environment().cluster;
        let pods = self.pods.kinds.iter().zip(self.first.0..);
        let pods = pods.filter_map(|(kind, id)| {
            let of = &self.pods.namespaces[kind.namespace];
            let pod = cluster.workload(WorkloadId(id)).pods.first()?;
            (!of.any).then_some((*pod, &*of.name))
        });
        let Some((isolated, open)) = open_to_come(&self.graph, spec, pods) else {
            return;
        };
        outcome.status = match isolated {
            Truth::Yes => Status::Passed,
            Truth::No => Status::Failed,
            Truth::Maybe => Status::Undecided,
        };
        outcome.example = open.map(|(pod, direction)| {
            Example::PotentialOpen(self.words(cluster.pod(pod).workload), direction)
        });
    }

    /// The flows of a counterexample, one end of which is not loaded.
    fn beyond(&self, example: &Example) -> Option<Vec<PotentialFlow>> {
        match example {
            Example::Flow { flow, asked, .. } => Some(vec![self.flow(flow, asked)?]),
            Example::Path { hops, .. } => {
                let hop = |flow: &Flow| self.flow(flow, &TrafficSet::single(flow.traffic));
                hops.iter().map(hop).collect()
            }
            _ => None,
        }
    }

    /// A flow as far as what was asked about passes, or may; none where no cluster has it.
    fn flow(&self, flow: &Flow, asked: &TrafficSet) -> Option<PotentialFlow> {
        let (source, destination) = (flow.source, flow.destination);
        let cluster = &self.graph.environment().cluster;
        if is_one_namespace_twice(cluster, source, destination) {
            return None; // no flow has two sets of labels of one namespace
        }
        let allowed = self.graph.allowed(source, destination);
        let passing = asked.intersection(&allowed.must);
        let passing = if passing.is_empty() {
            asked.intersection(&allowed.may)
        } else {
            passing
        };
        let (traffic, port_names) = self.pods.named(&passing);
        Some(PotentialFlow {
            source: self.end(source),
            destination: self.end(destination),
            traffic,
            port_names,
        })
    }

    fn end(&self, end: Endpoint) -> FlowEnd {
        let cluster = &self.graph.environment().cluster;
        match end {
            Endpoint::Address(address) => FlowEnd::Address(address),
            Endpoint::Pod(pod) => {
                let workload = cluster.pod(pod).workload;
                FlowEnd::Pods(if workload < self.first {
                    cluster.workload_name(workload)
                } else {
                    self.words(workload)
                })
            }
        }
    }

    /// The pods of a kind in words.
    fn words(&self, workload: WorkloadId) -> String {
        let kind = (workload.0 - self.first.0) as usize;
        let words = self.pods.words(&BTreeSet::from([kind]));
        words.into_iter().next().unwrap_or_default()
    }
}

/// Whether a claim of absence holds so far, or is about what is not loaded.
fn is_asked_again(outcome: &Outcome<'_>) -> bool {
    let claim = &outcome.test.claim;
    let is_absence = matches!(
        claim,
        Claim::Cannot(_)
            | Claim::OnlyFrom(_)
            | Claim::OnlyTo(_)
            | Claim::Isolated(_)
            | Claim::Internet(_)
            | Claim::DefaultDeny(_)
    );
    is_absence && !outcome.test.closed && matches!(outcome.status, Status::Passed | Status::Empty)
}

/// The labels of loaded pods under keys that selectors mention, by namespace; pods without any are
/// left out.
fn mentioned_labels(input: &Input, pods: &PotentialPods) -> BTreeSet<(Box<str>, Labels)> {
    let requirements = pods.asked.iter().flat_map(|(_, pods)| pods.requirements());
    let mut keys: BTreeSet<Box<str>> = BTreeSet::new();
    for requirement in requirements {
        requirement.visit(&mut |part| _ = keys.insert(part.key().into()));
    }
    let cluster: &Cluster = &input.cluster;
    let of_pod = |(id, pod): (_, &crate::model::Pod)| {
        let labels = cluster.pod_labels(id).iter();
        let labels: Labels = labels.filter(|(key, _)| keys.contains(*key)).collect();
        let namespace = cluster.namespace(pod.namespace).name.clone();
        (!labels.is_empty()).then_some((namespace, labels))
    };
    cluster.pods().filter_map(of_pod).collect()
}

/// Whether a kind has all the labels of a loaded pod of its namespace that selectors mention.
fn is_like(known: &BTreeSet<(Box<str>, Labels)>, namespace: &str, kind: &PodKind) -> bool {
    let has = |labels: &Labels| labels.iter().all(|(k, v)| kind.labels.get(k) == Some(v));
    known
        .iter()
        .any(|(name, labels)| **name == *namespace && has(labels))
}
