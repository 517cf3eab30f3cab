//! Claims of absence, asked of pods that are not in the input (S146): who may never reach whom
//! holds for the pods that may exist too, unless a test or its file says `world: closed`.
//!
//! A pod of every kind that no loaded pod is like is laid over the input ([`crate::potential`]),
//! and a claim that holds of what is loaded is asked once more. `any` then means every one of them
//! as well, at one end of a flow: of two pods that are both not there the input says nothing. A pod
//! that carries the labels of a loaded workload counts as one of that workload, so that `only-from:
//! cart` is not broken by what else might be labelled like the cart. Cost: a compilation for each
//! run, and the claims of absence twice more. Road not taken: claims about the internet, since a
//! pod that no policy selects is open to it wherever it comes to be.

use crate::check::judge::Judge;
use crate::check::outcome::{Example, FlowEnd, PotentialFlow, Status};
use crate::check::parse::Claim;
use crate::check::scope::Scopes;
use crate::check::{Env, Run, Suite};
use crate::graph::{AllowGraph, CompileError};
use crate::input::Input;
use crate::model::{Cluster, Labels, WorkloadId};
use crate::potential::{PodKind, PotentialPods, World};
use crate::query::Context;
use crate::query::ask::alternatives::is_one_namespace_twice;
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
    /// The pods that may exist besides those of an input; `None` in a closed world, or where there
    /// are none.
    ///
    /// # Errors
    /// When the input with these pods is too large to compile.
    pub fn new(
        input: &Input,
        options: &CompileOptions,
        world: World,
    ) -> Result<Option<Self>, CompileError> {
        if world == World::Closed || input.policies.policies.is_empty() {
            return Ok(None);
        }
        let mut pods = PotentialPods::of([input, input], world == World::Open, |_| true, []);
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
    }

    fn amend_with(&self, run: &mut Run<'_>, env: &Env<'_>, scopes: &Scopes<'_>) {
        let mut judge = Judge::new(&self.graph, super::ONE_BY_ONE);
        for outcome in &mut run.outcomes {
            let test = outcome.test;
            // a namespace that a rule names and nobody has loaded is there now
            let absent = outcome.status == Status::Empty;
            let holds = outcome.status == Status::Passed || absent;
            if !holds || test.closed || !is_absence(&test.claim) {
                continue;
            }
            let again = super::claim(&self.graph, env, scopes, &mut judge, &test.claim);
            let Ok(verdict) = again else { continue };
            if absent {
                (outcome.status, outcome.example) = (Status::Passed, None);
            }
            if let Some(found) = verdict.example.and_then(|example| self.beyond(&example)) {
                outcome.status = verdict.status;
                outcome.example = Some(Example::Potential(Box::new(found)));
            }
        }
    }

    /// A flow that has an end which is not loaded.
    fn beyond(&self, example: &Example) -> Option<PotentialFlow> {
        let Example::Flow { flow, asked, .. } = example else {
            return None;
        };
        let Flow {
            source,
            destination,
            ..
        } = *flow;
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
                    let kind = (workload.0 - self.first.0) as usize;
                    let words = self.pods.words(&BTreeSet::from([kind]));
                    words.into_iter().next().unwrap_or_default()
                })
            }
        }
    }
}

/// Whether a claim says that something does not pass.
fn is_absence(claim: &Claim) -> bool {
    matches!(
        claim,
        Claim::Cannot(_) | Claim::OnlyFrom(_) | Claim::OnlyTo(_)
    )
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
